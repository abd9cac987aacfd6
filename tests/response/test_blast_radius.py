"""How many containments within an hour nobody is asked about: over the wire, however a finding comes to its write."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.errors import Transient
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Cap, Mode
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Conflict, Document, Save
from firebreak.ports.deadline import Deadline
from firebreak.response import pipeline
from firebreak.response.app import App
from firebreak.response.limits import tells_of_the_storm
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from sandbox.world import World
from tests.ledger.stores import taken as owned
from tests.response.harness import ALWAYS, PIN_ONLY, Line, Lines, revision

HOUR = 3600 * NANOS
NUMBERS = {"shop-prod": "424242424242", "bank-prod": "777777777777"}
UNANSWERED = ALWAYS.replace("mode: enforce", "mode: approve") + "on_expiry: contain\n"
ELSEWHERE = "us-east1"


def limits(project: int, in_all: int) -> str:
    return f"ceiling: enforce\nlimits: {{per_project_per_hour: {project}, per_hour: {in_all}}}"


def shops(count: int, project: str = "shop-prod") -> list[dict[str, Any]]:
    return [
        {
            "name": f"projects/{project}/locations/europe-west1/services/shop{number}",
            "updated": "-3h",
            "revisions": [revision(f"shop{number}-1-good", 7, "-10d"), revision(f"shop{number}-2-bad", 8, "-3h")],
        }
        for number in range(count)
    ]


def world(count: int = 3) -> World:
    """So many services in each of two projects."""
    projects = {name: {"number": number} for name, number in NUMBERS.items()}
    services = [*shops(count), *shops(count, "bank-prod")]
    return World.load({"projects": projects, "services": services})


def found_on(on: Line, number: int, project: str = "shop-prod", **more: Any) -> Pair:
    where = {"project_id": project, "project_number": NUMBERS[project], "workload": f"services/shop{number}"}
    now = {"minutes_ago": 1 - on.skipped_ns / NANOS / 60}
    return on.finding(**{"finding_id": f"{project}{number}", **where, **now, **more})


def slots_for(app: App, incident: str, plan: Plan, deadline: Deadline) -> tuple[Cap, ...]:
    return app.queue.take_slots(app.ledger, app.policies.config.limits, incident, plan, deadline, app.log)


def taken(on: Line) -> list[tuple[str, str]]:
    return [(one.incident, one.target.name) for one in on.app.ledger.slots()[0].taken]


def caps(incident: Incident) -> list[str]:
    return [cap.name for cap in incident.decision.caps] if incident.decision else []


def test_updates_of_contained_findings_pass_no_limit(line: Lines) -> None:
    """Security Command Center publishes each finding again with a new event time; no slot comes free by that."""
    with line(world(8), config=limits(2, 2), policy=ALWAYS) as on:
        incidents = []
        for number in range(8):
            incidents.append(on.respond(found_on(on, number)))
            on.respond(found_on(on, number, minutes_ago=0.5))
        phases = [on.read(one).phase for one in incidents]

        assert phases == ["contained"] * 2 + ["waiting"] * 6
        assert len(on.updates) == 2
        assert taken(on) == [(incidents[0].id, "shop0"), (incidents[1].id, "shop1")]


def test_what_is_asked_about_takes_no_slot_of_its_project(line: Lines) -> None:
    """Where the limit in all is used up, the project's own stays as it is."""
    with line(world(), config=limits(2, 1), policy=ALWAYS) as on:
        first = on.respond(found_on(on, 0, "bank-prod"))
        asked = [on.respond(found_on(on, number)) for number in range(2)]

        assert [one.phase for one in (first, *asked)] == ["contained", "waiting", "waiting"]
        assert all("1 containments in all" in cap.reason for one in asked for cap in one.decision.caps)  # type: ignore[union-attr]
        assert taken(on) == [(first.id, "shop0")]


@pytest.mark.parametrize(("project", "in_all", "phase"), [(2, 2, "contained"), (1, 2, "waiting"), (2, 1, "waiting")])
def test_a_plan_for_two_regions_takes_two_slots_or_none(line: Lines, project: int, in_all: int, phase: str) -> None:
    regions = {"regions": ["europe-west1", ELSEWHERE]}
    here, there = (
        {**shops(1)[0], **regions},
        {**shops(1)[0], **regions, "name": shops(1)[0]["name"].replace("europe-west1", ELSEWHERE)},
    )
    several = World.load({"projects": {"shop-prod": {"number": NUMBERS["shop-prod"]}}, "services": [here, there]})
    with line(several, config=limits(project, in_all), policy=ALWAYS) as on:
        incident = on.respond(found_on(on, 0))

        assert incident.phase == phase
        assert len(on.updates) == (2 if phase == "contained" else 0)
        assert taken(on) == ([(incident.id, "shop0")] * 2 if phase == "contained" else [])


@pytest.mark.parametrize("told", ["both", "the number alone"])
def test_a_project_by_its_number_is_the_same_project(line: Lines, told: str) -> None:
    """Also where Security Command Center does not say which id that number has."""
    with line(world(), config=limits(1, 9), policy=ALWAYS) as on:
        by_number = found_on(on, 0, project_spelled="number", held=False)
        if told == "the number alone":
            by_number["resource"]["gcpMetadata"].pop("projectDisplayName")
        put_finding(on.world, by_number["finding"], by_number["resource"])
        first = on.respond(by_number)
        others = [on.respond(found_on(on, 1)).phase, on.respond(found_on(on, 0, "bank-prod")).phase]

        assert isinstance(first.finding.target, Target)
        assert (first.finding.target.project_id is None) == (told != "both")
        assert [first.phase, *others] == ["contained", "waiting", "contained"]


def test_a_redelivery_finds_the_slot_of_its_incident(line: Lines) -> None:
    """The first delivery took the only one, and could not write."""
    with line(world(), config=limits(1, 1), policy=ALWAYS) as on:
        pair = found_on(on, 0)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="UNAVAILABLE", times=4))
        with pytest.raises(Transient):
            on.respond(pair)
        again = on.respond(pair)

        assert again.phase == "contained"
        assert taken(on) == [(again.id, "shop0")]


def test_a_write_that_comes_after_its_slot_has_aged_needs_another(line: Lines) -> None:
    """Others were contained since: a person is asked, however the plan was saved."""
    with line(world(), config=limits(1, 1), policy=ALWAYS) as on:
        pair = found_on(on, 0)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="UNAVAILABLE", times=4))
        with pytest.raises(Transient):
            on.respond(pair)
        on.skipped_ns += HOUR
        second = on.respond(found_on(on, 1))
        late = on.respond(pair)

        assert second.phase == "contained"
        assert late.phase == "waiting"
        assert "blast_radius" in caps(late)
        assert taken(on) == [(second.id, "shop1")]


def test_nobody_s_answer_contains_nothing_beyond_the_limits(line: Lines) -> None:
    with line(world(), config=limits(1, 1), policy=UNANSWERED) as on:
        asked = [on.respond(found_on(on, number)) for number in range(2)]
        before = taken(on)
        on.skipped_ns += 1801 * NANOS
        pipeline.sweep(on.app)

        assert before == []
        assert sorted(on.read(one).phase for one in asked) == ["contained", "waiting"]
        assert len(on.updates) == len(taken(on)) == 1


def test_what_a_person_approved_takes_none(line: Lines) -> None:
    with line(world(), config=limits(0, 0), policy=ALWAYS) as on:
        answered = on.approve(on.respond(found_on(on, 0)))

        assert answered is not None
        assert answered.done
        assert taken(on) == []


def test_an_approval_of_an_earlier_plan_is_none_of_what_is_decided_anew(line: Lines) -> None:
    """It failed then; now nobody is asked, and what it writes counts."""
    with line(world(), config="ceiling: approve", policy=PIN_ONLY) as on:
        asked = on.respond(found_on(on, 0))
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="PERMISSION_DENIED"))
        on.approve(asked)
        failed = on.read(asked)
        config = replace(on.app.policies.config, ceiling=Mode.ENFORCE)
        on.app = replace(on.app, policies=replace(on.app.policies, config=config))
        contained = on.respond(found_on(on, 0, minutes_ago=0.5))

        assert failed.answer is not None
        assert (failed.phase, contained.phase, contained.id) == ("failed", "contained", asked.id)
        assert contained.answer is None
        assert taken(on) == [(asked.id, "shop0")]


def test_an_incident_that_a_halt_kept_from_writing_gives_its_slot_back(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right before the write; it wrote nothing, and the next one may be contained."""
    with line(world(), config=limits(1, 1), policy=ALWAYS) as on:
        commit, taken_before = on.app.ledger.documents.commit, list[tuple[str, str]]()

        def halting(saves: Sequence[Save]) -> Any:
            done = commit(saves)
            if not taken_before and any(one.kind == "standing" for one in saves):
                taken_before.extend(taken(on))
                on.app.ledger.halt("stop everything", "ada")
            return done

        with monkeypatch.context() as patched:
            patched.setattr(on.app.ledger.documents, "commit", halting)
            halted = on.respond(found_on(on, 0))
        given_back = taken(on)
        on.resume()

        assert len(taken_before) == 1
        assert (halted.phase, given_back) == ("deferred", [])
        assert on.respond(found_on(on, 1)).phase == "contained"


def test_an_incident_that_wrote_keeps_its_slot_whatever_becomes_of_it(line: Lines) -> None:
    """Released, and reported again: both its containments are one target within the hour."""
    with line(world(), config=limits(1, 1), policy=ALWAYS) as on:
        first = on.respond(found_on(on, 0))
        on.release(first, "ada")
        second = on.respond(found_on(on, 1))

        assert second.phase == "waiting"
        assert taken(on) == [(first.id, "shop0")]


def test_what_the_version_before_counted_counts_for_its_hour(line: Lines) -> None:
    """It kept one document for each project and one for all, by incident; an incident's record has its target."""
    with line(world(), config=limits(1, 2), policy=ALWAYS) as on:
        before = parse_notification(notification_v2(found_on(on, 2))).finding
        owned(on.app.ledger, before)
        on.app.ledger.documents.create("slots", "all", {"slots": {before.incident_id: on.app.now_ns()}})
        shop = on.respond(found_on(on, 0))
        bank = on.respond(found_on(on, 0, "bank-prod"))
        over = on.respond(found_on(on, 1, "bank-prod"))
        on.skipped_ns += HOUR
        later = on.respond(found_on(on, 1))

        assert [one.phase for one in (shop, bank, over, later)] == ["waiting", "contained", "waiting", "contained"]


def test_a_record_that_cannot_be_read_counts_as_used_up(line: Lines) -> None:
    with line(world(), config=limits(9, 9), policy=ALWAYS) as on:
        on.app.ledger.documents.create("slots", "taken", {"slots": {"taken": "all of them"}})
        incident = on.respond(found_on(on, 0))

        assert (incident.phase, caps(incident)) == ("waiting", ["blast_radius"])


@pytest.mark.parametrize("key", ["taken", "all"])
def test_a_record_of_slots_that_is_damaged_counts_as_used_up_and_loses_no_finding(line: Lines, key: str) -> None:
    """It does not mend itself: to come again would be to come again for ever."""
    with line(world(), config=limits(9, 9), policy=ALWAYS) as on:
        on.app.ledger.documents.create("slots", key, {})
        with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
            file.execute("UPDATE documents SET body = '{' WHERE kind = 'slots'")
        incident = on.respond(found_on(on, 0))

        assert (incident.phase, caps(incident)) == ("waiting", ["blast_radius"])


@pytest.mark.parametrize("slots", [{"fb-x": "soon"}, {"fb-x": None}, ["fb-x"]])
def test_what_the_version_before_counted_and_cannot_be_read_counts_as_used_up(line: Lines, slots: Any) -> None:
    with line(world(), config=limits(9, 9), policy=ALWAYS) as on:
        on.app.ledger.documents.create("slots", "all", {"slots": slots})
        incident = on.respond(found_on(on, 0))

        assert (incident.phase, caps(incident)) == ("waiting", ["blast_radius"])


def plan_on(number: int) -> Plan:
    target = Target(
        "shop-prod",
        "europe-west1",
        "service",
        f"shop{number}",
        project_id="shop-prod",
        project_number=NUMBERS["shop-prod"],
    )
    return Plan((Change(target, "service", {}, {"service.ingress": "none"}, {}, ("cut_traffic",)),), ())


@pytest.mark.parametrize(("limit", "through"), [(16, 16), (5, 5)])
def test_sixteen_at_once_wait_for_each_other_and_are_never_told_of_a_limit_that_is_not_reached(
    line: Lines, limit: int, through: int
) -> None:
    with line(world(), config=limits(limit, limit), policy=ALWAYS) as on:
        answers: list[Any] = [None] * 16
        start = Barrier(16)

        def take(number: int) -> None:
            start.wait()
            answers[number] = slots_for(on.app, f"fb-{number}", plan_on(number), Deadline.after(60))

        threads = [Thread(target=take, args=(number,)) for number in range(16)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert answers.count(()) == through == len(taken(on))
        assert all(f"{limit} containments" in one[0].reason for one in answers if one)


def test_those_who_never_get_their_turn_come_again(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is no limit that is used up."""

    def theirs(*_: Any) -> list[Document]:
        raise Conflict("slots", "taken")

    with line(world(), config=limits(9, 9), policy=ALWAYS) as on:
        slots_for(on.app, "fb-first", plan_on(0), Deadline.after(5))
        monkeypatch.setattr(type(on.app.ledger.documents), "commit", theirs)
        with pytest.raises(Transient, match="at this very moment"):
            slots_for(on.app, "fb-second", plan_on(1), Deadline.after(0.2))


def test_a_storm_in_one_project_leaves_anothers_first_question_told(line: Lines) -> None:
    with line(world(), config=limits(0, 0), policy=ALWAYS) as on:
        on.app = replace(on.app, settings=replace(on.app.settings, slack_webhook="https://chat.invalid/hook"))
        told = []
        for project in ("shop-prod", "bank-prod"):
            for number in range(3):
                on.respond(found_on(on, number, project))
                incident = next(on.app.ledger.newest(1)).incident
                told.append("slack" in {one.channel for one in incident.outbox})
                assert tells_of_the_storm(on.app.ledger, incident) == told[-1]

        assert told == [True, False, False] * 2

"""Several incidents on one service: joins, stragglers, the refuge, releases in every order; over the wire."""

from __future__ import annotations

import contextlib
import itertools
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

import responders
from firebreak.core.containment.active_containment import Standing
from firebreak.core.errors import Transient
from firebreak.core.incidents.command import Command
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Save
from firebreak.response import pipeline
from sandbox.wire import Fault
from tests.response.harness import ALWAYS, BAD, GOOD, ITS_NAME, OLD, PIN_ONLY, Line, Lines, revision, world_of
from tests.response.roads import pairs

CUT = ALWAYS.replace("id: always", "id: cut").replace(
    "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]", "then: [{action: cut_traffic}]"
)
TAGGED = ({"latest": True, "percent": 100}, {"revision": BAD, "tag": "canary"})
EDITS: dict[str, dict[str, Any]] = {"tag": {}, "ingress": {"ingress": 2}, "nothing": {}}


def settings_of(on: Line) -> dict[str, Any]:
    """All that a person or Firebreak may have set."""
    service = on.world.service("checkout").service
    traffic = sorted((one.revision or "LATEST", one.percent, one.tag) for one in service.traffic)
    return {"traffic": traffic, "ingress": int(service.ingress) or 1, "direct": service.default_uri_disabled}


def released(on: Line, incident_id: str) -> None:
    answered = pipeline.execute(on.app, Command(uuid.uuid4().hex, "release", "ada", incident_id))

    assert answered is not None
    assert answered.done, answered.says


def contained(on: Line, name: str) -> str:
    """One more incident on the service, contained; a person has approved what had to be asked."""
    incident = on.respond(on.finding(finding_id=name))
    if incident.phase == "waiting":
        answered = on.command("approve", incident, "ada", digest=incident.question.digest)  # type: ignore[union-attr]
        assert answered is not None
        assert answered.done, answered.says
    return incident.id


def edited(on: Line, edit: str) -> None:
    if edit == "tag":
        now = [
            {"revision": one.revision, "percent": one.percent, "tag": one.tag}
            for one in on.world.service("checkout").service.traffic
        ]
        on.world.set_traffic("checkout", *now, {"revision": OLD, "tag": "mine"})
    elif EDITS[edit]:
        on.world.edit("checkout", **EDITS[edit])


EDITED = (("tag", 1), ("tag", 3), ("ingress", 2), ("nothing", 0))


@pytest.mark.parametrize(("order", "edited_then"), pairs(itertools.permutations(range(3)), EDITED))
def test_three_incidents_released_in_any_order_leave_the_origin_and_the_persons_edit(
    line: Lines, order: tuple[int, ...], edited_then: tuple[str, int]
) -> None:
    """The edit comes after so many steps; all else is as it was before the first of them."""
    with line(world_of(traffic=TAGGED), policy=ALWAYS) as on:
        before, (edit, place) = settings_of(on), edited_then
        ids: list[str] = []
        for done, name in enumerate(("first", "second", "third"), 1):
            ids.append(contained(on, name))
            if done == place:
                edited(on, edit)
        for number in order:
            released(on, ids[number])
        after = settings_of(on)
        mine = (OLD, 0, "mine")

        assert [one for one in after["traffic"] if one != mine] == before["traffic"]
        assert (mine in after["traffic"]) == (edit == "tag")
        assert after["ingress"] == (2 if edit == "ingress" else before["ingress"])
        assert after["direct"] == before["direct"]


def test_a_second_incident_that_closes_more_asks_first(line: Lines) -> None:
    """Contained already, and something new must be closed: a person is asked; the last release opens all.

    The first is not released beside the second: doors do not count, and traffic would lead to its suspect.
    """
    with line(policy=PIN_ONLY) as on:
        before = settings_of(on)
        first = on.respond(on.finding(finding_id="first"))
        policy = next(iter(on.app.policies.policies))
        cut = replace(policy, then=(replace(policy.then[0], action="cut_traffic", params=_no_params()),))
        on.app = replace(on.app, policies=replace(on.app.policies, policies=(cut,)))
        second = on.respond(on.finding(finding_id="second"))
        answered = on.command("approve", second, "ada", digest=second.question.digest)  # type: ignore[union-attr]
        shut = settings_of(on)
        refused = on.release(first)
        between = settings_of(on)
        released(on, second.id)
        pinned = settings_of(on)
        released(on, first.id)

        assert second.phase == "waiting"
        assert "contained" in [cap.name for cap in second.decision.caps]  # type: ignore[union-attr]
        assert answered is not None
        assert answered.done
        assert shut["ingress"] == 4
        assert not refused.done
        assert f"{BAD} reachable again, which another incident holds suspect" in refused.says
        assert between == shut
        assert (pinned["ingress"], pinned["traffic"]) == (before["ingress"], shut["traffic"])
        assert settings_of(on) == before


def _no_params() -> object:
    return responders.discover()["cut_traffic"].params()


def test_finding_after_finding_on_each_new_refuge_never_walks_the_service_back(line: Lines) -> None:
    """The first is contained; every later one, on whatever serves then, only asks."""
    revisions = tuple(revision(f"checkout-{number:05}-r", number, f"-{40 - number}d") for number in range(1, 9))
    with line(world_of(revisions), policy=ALWAYS) as on:
        serving, phases = [], []
        for turn in range(6):
            on.skipped_ns += 60 * NANOS
            now = next(name for name, ways in on.reachable.items() if "percent" in str(ways))
            image = int(now.split("-")[1])
            incident = on.respond(on.finding(finding_id=f"walk{turn}", image=image, minutes_ago=-turn - 0.9))
            serving.append(now)
            phases.append(incident.phase)

        assert phases == ["contained"] + ["waiting"] * 5
        assert serving[1:] == ["checkout-00007-r"] * 5
        assert len(on.updates) == 1


def test_a_straggler_that_names_what_is_closed_already_joins_without_a_word(line: Lines) -> None:
    """A later event, from an instance that is dying: no write, no question, one more hold."""
    with line(policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="first", minutes_ago=2))
        on.skipped_ns = 120 * NANOS
        late = on.respond(on.finding(finding_id="late", minutes_ago=-1.5))
        released(on, first.id)
        closed = BAD not in on.reachable
        released(on, late.id)

        assert late.phase == "contained"
        assert len(on.updates) == 2
        assert closed
        assert BAD in on.reachable


def test_a_later_event_that_could_not_be_decided_is_decided_when_it_comes_again(line: Lines) -> None:
    """It names another revision, which is suspect beside the first: told on the record only, it would be overlooked."""
    split = ({"revision": BAD, "percent": 50}, {"revision": GOOD, "percent": 50})
    with line(world_of(traffic=split), policy=ALWAYS) as on:
        first = on.respond(on.finding(minutes_ago=2))
        later = on.finding(workload=f"services/checkout/revisions/{GOOD}", image=7)
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", asked=ITS_NAME, times=3))
        with pytest.raises(Transient):
            on.respond(later)
        again = on.respond(later)

        assert again.id == first.id
        assert again.phase == "waiting"
        assert again.decision is not None
        assert again.decision.suspects == (GOOD, BAD)


def test_an_event_that_joins_an_undecided_incident_is_decided(line: Lines) -> None:
    """SCC could not be asked about the one before."""
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", asked=ITS_NAME, times=3))
        pair = on.finding(minutes_ago=2)
        with pytest.raises(Transient):
            on.respond(pair)
        later = on.respond(on.finding(minutes_ago=1))

        assert later.phase == "contained"
        assert on.respond(pair).id == later.id
        assert len(on.updates) == 1


def test_a_later_event_of_a_contained_finding_waits_for_the_end_of_a_halt_and_what_stands_stays(line: Lines) -> None:
    """What stands can still be released, whatever became of the later event."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        incident = on.respond(pair)
        on.app.ledger.halt("a drill", "ada")
        on.skipped_ns = 60 * NANOS
        later = on.finding(minutes_ago=-0.5, held=False)
        on.world.findings[0]["finding"]["eventTime"] = later["finding"]["eventTime"]
        again = on.respond(later)
        closed = BAD not in on.reachable
        on.resume()
        released(on, incident.id)

        assert again.id == incident.id
        assert again.phase == "deferred"
        assert closed
        assert any("halted by ada" in entry.what for entry in again.history)
        assert BAD in on.reachable


def test_an_incident_that_ends_at_monitor_or_waits_for_the_end_of_a_halt_never_becomes_a_hold(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="first"))
        second = on.respond(on.finding(finding_id="second", source="9999"))
        on.app.ledger.halt("a drill", "ada")
        third = on.respond(on.finding(finding_id="third"))
        standing, _ = on.app.ledger.standing_at("shop-prod/europe-west1/service/checkout")

        assert (second.phase, third.phase) == ("monitored", "deferred")
        assert [hold.incident for hold in standing.holds] == [first.id]


def test_within_a_day_of_a_release_a_person_is_asked(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="first"))
        released(on, first.id)
        soon = on.respond(on.finding(finding_id="soon"))
        on.skipped_ns = 25 * 3600 * NANOS
        later = on.respond(on.finding(finding_id="later", minutes_ago=-25 * 60 + 1))

        assert soon.phase == "waiting"
        assert [cap.name for cap in soon.decision.caps] == ["released"]  # type: ignore[union-attr]
        assert later.phase == "contained"


def test_a_release_that_would_open_another_incidents_suspect_is_refused_with_that_reason(line: Lines) -> None:
    """The one that pins holds an older suspect too; what the other holds cannot be kept without it."""
    with line(policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="first"))
        standing, document = on.app.ledger.standing_at("shop-prod/europe-west1/service/checkout")
        watching = replace(standing.holds[0], incident="fb-other", steps=())
        on.app.ledger.commit(on.app.ledger.standing_save(standing.with_hold(watching), document))
        refused = on.release(first, "ada")

        assert not refused.done
        assert f"{BAD} reachable again" in refused.says
        assert BAD not in on.reachable
        assert on.read(first).phase == "contained"


def test_while_a_release_is_being_written_nobody_else_writes(line: Lines) -> None:
    """The other finding is delivered again, and then judged by what the release has left."""
    with line(policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="first"))
        standing, document = on.app.ledger.standing_at("shop-prod/europe-west1/service/checkout")
        releasing = standing.with_pending_release(first.id, {"service.traffic.split": "LATEST=100"}, on.app.now_ns())
        on.app.ledger.commit(on.app.ledger.standing_save(releasing, document))
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        pair = on.finding(finding_id="second")
        with pytest.raises(Transient, match="is being written"):
            on.respond(pair)
        writes = len(on.updates)
        on.skipped_ns = 601 * NANOS
        second = on.respond(pair)
        answered = on.approve(second)

        assert writes == 1
        assert answered is not None
        assert answered.done
        assert BAD not in on.reachable


def test_a_release_and_a_new_finding_at_once_end_in_one_truth(line: Lines) -> None:
    """Whoever comes first: what the record calls contained is closed."""
    with line(world_of(settle_seconds=0.1), policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="first"))
        second = on.finding(finding_id="second")

        def answer() -> str:
            for _ in range(100):
                try:
                    return on.respond(second).phase
                except Transient:
                    time.sleep(0.05)
            raise AssertionError

        with ThreadPoolExecutor(2) as pool:
            release = pool.submit(lambda: on.release(first, "ada"))
            phase = pool.submit(answer).result()
            release.result()

        assert phase in ("contained", "waiting")
        assert (BAD not in on.reachable) == (phase == "contained")


def test_a_halt_between_save_and_write_stops_the_write(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hold is saved, the halt comes, and nothing is written; the hold is taken back, and the reason is told."""
    with line(policy=ALWAYS) as on:
        commit, halted = on.app.ledger.documents.commit, list[str]()

        def halting(saves: Sequence[Save]) -> Any:
            done = commit(saves)
            if not halted and any(one.kind == "standing" for one in saves):
                halted.append("stop everything")
                on.app.ledger.halt(halted[0], "ada")
            return done

        monkeypatch.setattr(on.app.ledger.documents, "commit", halting)
        incident = on.respond(on.finding())
        standing, _ = on.app.ledger.standing_at("shop-prod/europe-west1/service/checkout")

        assert halted
        assert incident.phase == "deferred"
        assert incident.waits is not None
        assert "stop everything" in incident.waits.reason
        assert standing.holds == ()
        assert on.updates == ()
        assert BAD in on.reachable


def test_a_ledger_that_cannot_be_read_lets_nothing_be_written(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment on in which it breaks, before the write: a halt that cannot be read counts as set."""
    with line(policy=ALWAYS) as on:
        stand = on.app.ledger.documents.read

        def broken(kind: str, key: str) -> Any:
            if kind == "halt":
                message = "the disk is gone"
                raise Transient(message)
            return stand(kind, key)

        monkeypatch.setattr(on.app.ledger.documents, "read", broken)
        incident = on.respond(on.finding())

        assert incident.phase == "deferred"
        assert on.updates == ()


def test_a_storm_over_the_limit_is_one_message_to_people_and_a_record_each(line: Lines) -> None:
    config = "ceiling: enforce\nlimits: {per_project_per_hour: 1, per_hour: 1}"
    services = [
        {
            "name": f"projects/shop-prod/locations/europe-west1/services/shop{number}",
            "updated": "-3h",
            "revisions": [revision(f"shop{number}-1-good", 7, "-10d"), revision(f"shop{number}-2-bad", 8, "-3h")],
        }
        for number in range(5)
    ]
    with line(world_of(), config=config, policy=ALWAYS) as on:
        for one in services:
            on.world.add_service(one)
        webhook = "https://chat.invalid/hook"
        on.app = replace(on.app, settings=replace(on.app.settings, slack_webhook=webhook))
        outboxes = []
        for number in range(5):
            name = f"//run.googleapis.com/{services[number]['name']}"
            pair = on.finding(finding_id=f"storm{number}", resource_name=name)
            with contextlib.suppress(Transient):  # the chat cannot be reached here, which is another matter
                on.respond(pair)
            incident = next(on.app.ledger.newest(1)).incident
            outboxes.append([one.channel for one in incident.outbox])

        assert [("slack" in one) for one in outboxes] == [True, True, False, False, False]
        assert all("topic" in one for one in outboxes)


def test_standing_survives_storage_with_all_that_it_knows(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.respond(on.finding())
        standing, _ = on.app.ledger.standing_at("shop-prod/europe-west1/service/checkout")

        assert isinstance(standing, Standing)
        assert standing.place is not None
        assert standing.pending == {}
        assert standing.applied["service.traffic.split"] == f"{GOOD}=100"
        assert standing.origin["service.traffic.split"] == "LATEST=100"


def test_what_another_incident_suspects_is_no_refuge_and_is_not_held_twice(line: Lines) -> None:
    """Also where SCC has settled the other finding: what stands for it stands until it is released."""
    halves = ({"revision": BAD, "percent": 50}, {"revision": GOOD, "percent": 50})
    with line(world_of(traffic=halves), policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="first", workload=f"services/checkout/revisions/{GOOD}", image=None))
        on.world.findings[0]["finding"]["state"] = "INACTIVE"
        second = on.respond(on.finding(finding_id="second"))
        answered = on.command("approve", second, "ada", digest=second.question.digest)  # type: ignore[union-attr]
        standing, _ = on.app.ledger.standing_at("shop-prod/europe-west1/service/checkout")

        assert first.phase == "contained"
        assert answered is not None
        assert answered.done
        assert set(on.reachable) == {OLD}
        assert {hold.incident: set(hold.suspects) for hold in standing.holds} == {first.id: {GOOD}, second.id: {BAD}}

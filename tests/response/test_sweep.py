"""What time and accidents leave behind is found by the sweep: over the wire, on a clock that the test moves."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import count

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.errors import Transient
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.command import Command
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import PolicySet
from firebreak.core.policy.triage import NO_POLICY
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Document, Index
from firebreak.ledger.records import LEASE_NS
from firebreak.response import pipeline
from firebreak.response.sweep import Swept
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.wire import Call, Fault, Refusal
from tests.ledger.stores import taken
from tests.repository.checkout import text_of
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, PIN_ONLY, Line, Lines, revision, world_of

HOUR = 3600 * NANOS
APPROVE = ALWAYS.replace("mode: enforce", "mode: approve").replace("expect: {mode: enforce}", "expect: {mode: approve}")
CONTAIN_UNANSWERED = f"{APPROVE}on_expiry: contain\n"
RELEASE_AFTER = f"{ALWAYS}release_after: 1h\nreview_after: 1h\n"


def sweep(on: Line, after: int = 0) -> dict[str, int]:
    """One sweep, so many nanoseconds later."""
    on.skipped_ns += after
    return dict(pipeline.sweep(on.app).done)


def said(incident: Incident) -> str:
    return incident.history[-1].what


def test_a_sweep_with_nothing_to_do_says_so(line: Lines) -> None:
    with line() as on:
        assert sweep(on) == {}


def test_an_unanswered_question_is_put_again_three_times_and_then_closed(line: Lines) -> None:
    """Each time it is announced; approving it later decides anew, and an equal question is answered by it."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        times = [sweep(on, 1801 * NANOS) for _ in range(4)]
        ended, unwritten = on.read(incident), on.updates
        unseen = on.command("approve", incident, "ada", digest="0" * 12)
        answered = on.approve(incident)

        assert [one.get("asked again", 0) for one in times] == [1, 1, 1, 0]
        assert times[3]["expired"] == 1
        assert ended.phase == "expired"
        assert [one["phase"] for one in on.announced[:5]] == ["waiting"] * 4 + ["expired"]
        assert unwritten == ()
        assert not unseen.done
        assert unseen.held.incident.phase == "expired", "nothing is decided anew for what nobody saw"
        assert answered.done, answered.says
        assert BAD not in on.reachable


def test_an_escalated_question_can_be_approved(line: Lines) -> None:
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        sweep(on, 1801 * NANOS)
        answered = on.approve(incident)

        assert answered is not None
        assert answered.done
        assert BAD not in on.reachable


def test_an_escalation_shows_what_has_changed_since(line: Lines) -> None:
    """Drawn on a fresh look; the digest that was shown before approves nothing."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"revision": BAD, "percent": 50}, {"revision": OLD, "percent": 50})
        sweep(on, 1801 * NANOS)
        late = on.command("approve", incident, "ada", digest=incident.question.digest)  # type: ignore[union-attr]

        assert "the plan is another" in said(on.read(incident))
        assert late is not None
        assert not late.done
        assert on.updates == ()


def test_where_the_policy_says_so_nobody_s_answer_contains(line: Lines) -> None:
    """Only the policy's own mode had asked."""
    with line(policy=CONTAIN_UNANSWERED) as on:
        incident = on.respond(on.finding())
        counts = sweep(on, 1801 * NANOS)

        assert counts["contained unanswered"] == 1
        assert on.read(incident).phase == "contained"
        assert BAD not in on.reachable


@pytest.mark.parametrize(
    ("config", "minutes_ago"),
    [
        ("ceiling: enforce\nprotected: [{project: shop-prod}]", 1.0),
        ("ceiling: approve", 1.0),
        ("ceiling: enforce", 90.0),
    ],
)
def test_nobody_s_answer_contains_nothing_that_a_guard_asked_about(
    line: Lines, config: str, minutes_ago: float
) -> None:
    """Protected, a ceiling, a stale finding: asked again."""
    with line(policy=CONTAIN_UNANSWERED, config=config) as on:
        incident = on.respond(on.finding(minutes_ago=minutes_ago))
        counts = sweep(on, 1801 * NANOS)

        assert counts["asked again"] == 1
        assert on.read(incident).phase == "waiting"
        assert on.updates == ()


def test_nobody_s_answer_contains_nothing_while_everything_is_halted(line: Lines) -> None:
    with line(policy=CONTAIN_UNANSWERED) as on:
        incident = on.respond(on.finding())
        on.app.ledger.halt("a drill", "ada")
        sweep(on, 1801 * NANOS)

        assert on.updates == ()
        assert on.read(incident).phase == "deferred"


def test_a_containment_is_announced_again_when_its_review_is_due(line: Lines) -> None:
    """With its age, and the deployments that serve nothing because of it; nothing is restored."""
    with line() as on:
        incident = on.respond(on.finding())
        early = sweep(on, HOUR)
        on.world.deploy("checkout", revision("checkout-00009-fixed", 9, "-0s"))
        due = sweep(on, 3 * HOUR + NANOS)

        assert "reviewed" not in early
        assert due["reviewed"] == 1
        assert "contained for 4 h" in said(on.read(incident))
        assert "serving nothing: checkout-00009-fixed" in said(on.read(incident))
        assert on.read(incident).phase == "contained"
        assert len(on.updates) == 1


def test_a_pipeline_that_puts_latest_back_is_found_and_asked_about(line: Lines) -> None:
    """Nothing is written over; an approval closes it again, and the release leaves what the pipeline set."""
    with line() as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        counts = sweep(on, 60 * NANOS)
        asked = on.read(incident)
        again = sweep(on, 60 * NANOS)
        answered = on.command("approve", incident, "ada", digest=asked.question.digest)  # type: ignore[union-attr]
        closed = BAD not in on.reachable
        on.release(incident, "ada")

        assert counts["drift asked"] == 1
        assert asked.phase == "waiting"
        assert f"{BAD} can be reached again" in said(asked)
        assert "dev@shop.example" in said(asked)
        assert "drift asked" not in again
        assert answered is not None
        assert answered.done
        assert closed
        assert "percent" in on.reachable[BAD]


def test_a_deploy_that_tags_a_suspect_is_found(line: Lines) -> None:
    with line() as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"revision": GOOD, "percent": 100}, {"revision": BAD, "tag": "debug"})
        sweep(on, 60 * NANOS)

        assert on.read(incident).phase == "waiting"
        assert "percent" in on.reachable[GOOD]


def test_a_drift_question_that_is_answered_with_no_leaves_the_containment_as_it_was(line: Lines) -> None:
    """It goes back to contained, is not asked about again, and can be released."""
    with line() as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        sweep(on, 60 * NANOS)
        on.reject(incident, "we are testing the fix")
        after = sweep(on, 60 * NANOS)
        rejected = on.read(incident)
        released = on.release(incident, "ada")

        assert rejected.phase == "contained"
        assert "drift asked" not in after
        assert released is not None
        assert released.done


def test_a_harmless_change_is_reported_once_and_left_alone(line: Lines) -> None:
    with line() as on:
        incident = on.respond(on.finding())
        on.world.edit("checkout", default_uri_disabled=True)
        first, second = sweep(on, 60 * NANOS), sweep(on, 60 * NANOS)

        assert first["drift reported"] == 1
        assert "drift reported" not in second
        assert on.read(incident).phase == "contained"
        assert "service.default_uri_disabled" in said(on.read(incident))
        assert len(on.updates) == 1


def test_a_service_that_is_gone_is_reported_and_its_incident_can_be_released(line: Lines) -> None:
    with line() as on:
        incident = on.respond(on.finding())
        on.world.services.clear()
        counts = sweep(on, 60 * NANOS)
        answered = on.release(incident, "ada")

        assert counts["drift reported"] == 1
        assert answered is not None
        assert answered.done
        assert answered.held.incident.phase == "released"


def test_what_the_sweep_writes_to_the_log_is_what_its_alert_counts(line: Lines) -> None:
    """Word for word: with anything more in it the alert would be on for ever."""
    counted = re.findall(r'sweeps += "jsonPayload.message=\\"([^"\\]+)\\""', text_of("terraform/watching.tf"))
    with line() as on:
        sweep(on)

        assert [one["message"] for one in on.logged if "sweep" in one] == counted


def test_what_cannot_be_reached_is_named_and_left_for_the_next_sweep(line: Lines) -> None:
    with line() as on:
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="PERMISSION_DENIED", times=1))
        refused = pipeline.sweep(on.app)
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="UNAVAILABLE", times=99))
        unreachable = pipeline.sweep(on.app, 0.5)

        assert str(refused).startswith("refused: 1 (the findings of SCC: ")
        assert unreachable.refused == ()
        assert str(unreachable).startswith("busy or unreachable: 1 (the findings of SCC: ")


def test_what_no_time_was_left_for_is_named_and_left_for_the_next_sweep(line: Lines) -> None:
    with line() as on:
        incident = on.respond(on.finding())
        on.skipped_ns += 5 * HOUR
        swept = pipeline.sweep(on.app, 0.0)

        assert swept.done == {"left for the next sweep": len(swept.later)}
        assert f"incident {incident.id}: there was no time left" in swept.later
        assert "the findings of SCC: there was no time left" in swept.later
        assert any("checkout" in one for one in swept.later), "what stands"
        assert swept.refused == ()


@pytest.mark.parametrize(("refused", "later"), [((), ()), (("a",), ()), ((), ("b",)), (("a",), ("b",))])
def test_a_sweep_that_left_something_is_not_done(
    line: Lines, monkeypatch: pytest.MonkeyPatch, refused: tuple[str, ...], later: tuple[str, ...]
) -> None:
    """And where that could not be reached, its answer says so, also when it is read back from the ledger."""
    monkeypatch.setattr(pipeline, "sweep", lambda _: Swept({}, refused, later))
    with line() as on:
        command = Command("one", "sweep", "ada")
        result = [pipeline.execute(on.app, command) for _ in range(2)]

        assert [(one.done, one.unreached) for one in result] == [(not refused and not later, bool(later))] * 2


def test_without_any_policy_findings_are_recorded_and_the_sweep_says_no(line: Lines) -> None:
    """What is lost meanwhile is answered by the first sweep that has policies."""
    with line() as on:
        sweep(on)
        nobody = replace(on.app, policies=PolicySet((), on.app.policies.config, ""))
        declined = pipeline.respond(nobody, notification_v2(on.finding(finding_id="told"))).incident
        on.finding(finding_id="lost")
        on.skipped_ns += 25 * HOUR
        swept = pipeline.sweep(nobody)
        mended = sweep(on, HOUR)

        assert declined.phase == "declined"
        assert said(declined) == NO_POLICY
        assert (swept.done, swept.refused) == ({"refused": 1}, (f"the findings of SCC: {NO_POLICY}",))
        assert mended["missed findings answered"] == 2, "the lost one, and the one that nobody could decide"


def test_a_finding_that_pubsub_lost_is_answered_within_one_sweep(line: Lines) -> None:
    """And not a second time."""
    with line() as on:
        on.finding(minutes_ago=20)
        first, second = sweep(on), sweep(on, 60 * NANOS)

        assert first["missed findings answered"] == 1
        assert second == {}
        assert BAD not in on.reachable
        assert [one["phase"] for one in on.announced] == ["contained"]


def test_findings_that_no_policy_names_are_not_missed(line: Lines) -> None:
    with line() as on:
        pair = on.finding(held=False)
        pair["finding"]["category"] = "Unexpected Child Shell"
        put_finding(on.world, pair["finding"], pair["resource"])

        assert sweep(on) == {}
        assert list(on.app.ledger.newest(5)) == []


def test_an_incident_whose_owner_died_before_it_decided_is_decided(line: Lines) -> None:
    with line() as on:
        claimed = taken(on.app.ledger, parse_notification(notification_v2(on.finding())).finding).incident
        busy = sweep(on)
        counts = sweep(on, LEASE_NS + NANOS)

        assert "contained" not in busy
        assert counts["contained"] == 1
        assert on.read(claimed).phase == "contained"


def test_an_operation_that_outlived_its_delivery_is_polled_to_its_end(line: Lines) -> None:
    with line(world_of(settle_seconds=30.0)) as on:
        body = notification_v2(on.finding())
        with pytest.raises(Transient):
            pipeline.respond(on.app, body, budget=0.5)
        stuck = next(on.app.ledger.newest(1)).incident
        still = pipeline.sweep(on.app)
        on.clock.skip(30.0)
        counts = sweep(on, LEASE_NS)

        assert stuck.phase in ("containing", "verifying")
        assert len(still.later) == 1, "it is not waited for to its end"
        assert counts["contained"] == 1
        assert on.read(stuck).phase == "contained"
        assert len(on.updates) == 1


def test_a_finding_that_a_sweep_finds_and_contains_is_counted_as_contained(line: Lines) -> None:
    """Its write is begun first, and looked at once everything else has had its turn."""
    with line(world_of(settle_seconds=1.0)) as on:
        on.finding()
        swept = pipeline.sweep(on.app)

        assert swept.done == {"missed findings answered": 1, "contained": 1}


def test_a_failure_whose_write_could_not_be_put_back_is_announced_again_and_not_said_to_be_contained(
    line: Lines,
) -> None:
    with line(policy=PIN_ONLY) as on:
        on.world.fail_next_operation()
        writes = count(1)

        def refused(_: Call) -> None:
            if next(writes) > 1:
                raise Refusal("PERMISSION_DENIED", "no")

        on.sandbox.wire.watch("*/UpdateService", refused)
        incident = on.respond(on.finding())
        early, counts = sweep(on, 3 * HOUR), sweep(on, HOUR + NANOS)

        assert incident.phase == "failed"
        assert "reviewed" not in early
        assert counts["reviewed"] == 1
        assert on.read(incident).history[-1].what == "review: written, and not in force, for 4 h 0 min"


def test_an_announcement_that_could_not_be_sent_is_sent_by_the_sweep(line: Lines) -> None:
    with line() as on:
        on.sandbox.wire.inject(Fault("*/Publish", "error", code="INTERNAL"))
        with pytest.raises(Transient):
            on.respond(on.finding())
        counts = sweep(on, NANOS)

        assert counts["announcements sent"] == 1
        assert [one["phase"] for one in on.announced] == ["contained"]


def test_a_finding_that_scc_holds_late_is_decided_anew(line: Lines) -> None:
    """First it waits, and an alert says so; then, once SCC has it, an answer."""
    with line() as on:
        pair = on.finding(held=False)
        incident = on.respond(pair)
        still = sweep(on, 301 * NANOS)
        put_finding(on.world, pair["finding"], pair["resource"])
        counts = sweep(on, 301 * NANOS)

        assert incident.phase == "deferred"
        assert "contained" not in still
        assert counts["contained"] == 1
        assert on.read(incident).phase == "contained"


def test_a_finding_that_scc_never_holds_is_given_up_after_a_day(line: Lines) -> None:
    with line() as on:
        incident = on.respond(on.finding(held=False))
        counts = sweep(on, 25 * HOUR)
        after = sweep(on, HOUR)

        assert counts["given up"] == 1
        assert not any(after.values())
        assert on.read(incident).phase == "declined"


@pytest.mark.parametrize(
    ("said_by_scc", "phase"),
    [({"state": "INACTIVE"}, "released"), ({}, "contained"), ({"mute": "MUTED"}, "contained")],
)
def test_release_after_acts_only_on_an_inactive_finding(line: Lines, said_by_scc: dict[str, str], phase: str) -> None:
    """Muted is not enough; else the containment is announced again."""
    with line(policy=RELEASE_AFTER) as on:
        incident = on.respond(on.finding())
        on.world.findings[0]["finding"].update(said_by_scc)
        counts = sweep(on, HOUR + NANOS)

        assert counts["released" if phase == "released" else "reviewed"] == 1
        assert (BAD in on.reachable) == (phase == "released")
        assert on.read(incident).phase == phase


def test_release_after_is_stopped_by_a_halt(line: Lines) -> None:
    """It is not a person."""
    with line(policy=RELEASE_AFTER) as on:
        incident = on.respond(on.finding())
        on.world.findings[0]["finding"]["state"] = "INACTIVE"
        on.app.ledger.halt("a drill", "ada")
        sweep(on, HOUR + NANOS)

        assert BAD not in on.reachable
        assert "halted by ada" in said(on.read(incident))


def test_one_incident_s_fault_does_not_keep_the_others_waiting(line: Lines) -> None:
    """A record that cannot be read is counted, the next one is carried on, and the finding is decided anew."""
    with line(policy=APPROVE) as on:
        first = on.respond(on.finding(finding_id="first"))
        second = on.respond(on.finding(finding_id="second"))
        held = on.app.ledger.read(first.id)
        assert held is not None
        broken = {**held.document.body, "sealed": '{"phase": "waiting"}'}
        on.app.ledger.documents.replace(held.document, broken, Index(due_ns=0))
        on.skipped_ns += 1801 * NANOS
        swept = pipeline.sweep(on.app)

        assert swept.done == {"asked again": 1, "missed findings answered": 1, "asked": 1}
        assert [
            one["message"] for one in on.logged if "is set aside: " in one["message"] and first.id in one["message"]
        ]
        assert on.read(second).question.escalated == 1  # type: ignore[union-attr]


def test_two_sweeps_at_once_do_everything_once(line: Lines) -> None:
    with line(policy=APPROVE) as on:
        for name in ("a", "b", "c"):
            on.respond(on.finding(finding_id=name))
        before = len(on.announced)
        on.skipped_ns += 1801 * NANOS
        with ThreadPoolExecutor(2) as pool:
            counts = list(pool.map(lambda _: pipeline.sweep(on.app), range(2)))

        assert sum(one.done.get("asked again", 0) for one in counts) == 3
        assert len(on.announced) == before + 3


def test_an_hour_of_sweeps_leaves_nothing_unanswered(line: Lines) -> None:
    """Drift, lost findings, dead owners and stuck operations, planted between one sweep and the next."""
    names = [f"shop{number}" for number in range(4)]
    with line(policy=ALWAYS, config="ceiling: enforce\nlimits: {per_project_per_hour: 50, per_hour: 50}") as on:
        for name in names:
            on.world.add_service(service_of(name))
        drifting = on.respond(finding_on(on, names[0]))
        claimed = taken(on.app.ledger, parse_notification(notification_v2(finding_on(on, names[1]))).finding).incident
        on.world.settle_seconds = 0.6
        with pytest.raises(Transient):
            pipeline.respond(on.app, notification_v2(finding_on(on, names[2])), budget=0.5)
        on.world.settle_seconds = 0.0
        stuck = next(on.app.ledger.newest(1)).incident
        for turn in range(12):
            if turn == 3:
                on.world.set_traffic(names[0], {"latest": True, "percent": 100})
            if turn == 6:
                finding_on(on, names[3])
            sweep(on, 300 * NANOS)
        phases = {held.incident.phase for held in on.app.ledger.newest(20)}

        assert len(list(on.app.ledger.newest(20))) == 4
        assert phases == {"contained", "waiting"}
        assert on.read(drifting).phase == "waiting"
        assert on.read(claimed).phase == "contained"
        assert on.read(stuck).phase == "contained"
        assert all(one.sent for held in on.app.ledger.newest(20) for one in held.incident.outbox)


def service_of(name: str) -> dict[str, object]:
    return {
        "name": f"projects/shop-prod/locations/europe-west1/services/{name}",
        "updated": "-3h",
        "revisions": [revision(f"{name}-1-good", 7, "-10d"), revision(f"{name}-2-bad", 8, "-3h")],
    }


def finding_on(on: Line, name: str) -> Pair:
    return on.finding(finding_id=name, workload=f"services/{name}", minutes_ago=-on.skipped_ns / NANOS / 60 + 1)


def test_a_sweep_over_a_hundred_thousand_incidents_reads_only_what_is_due(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest costs nothing, neither time nor memory."""
    with line(policy=APPROVE) as on:
        due = on.respond(on.finding())
        held = on.app.ledger.read(due.id)
        assert held is not None
        path = on.app.settings.ledger_path
        with closing(sqlite3.connect(path)) as file, file:
            columns = "INSERT INTO documents (kind, key, version, saved, body, due_ns)"
            row = f"{columns} VALUES ('incident', ?, 'v', ?, '{{}}', ?)"
            file.executemany(row, ((f"old{n}", -n, None if n % 2 else 1 << 62) for n in range(100_000)))
        read: list[str] = []
        monkeypatch.setattr(SqliteDocuments, "read", counting(SqliteDocuments.read, read))
        counts = sweep(on, 1801 * NANOS)

        assert counts["asked again"] == 1
        assert len(read) < 40
        assert not [key for key in read if key.startswith("old")]


def counting(read: Callable[..., Document | None], keys: list[str]) -> Callable[..., Document | None]:
    def counted(store: SqliteDocuments, kind: str, key: str) -> Document | None:
        keys.append(key)
        return read(store, kind, key)

    return counted


@pytest.mark.parametrize("ahead", [3600, 10**20])
def test_a_mark_that_lies_in_the_future_hides_no_lost_finding(line: Lines, ahead: int) -> None:
    """Clocks were set back, or somebody wrote it: the look begins as the first one does."""
    with line(policy=ALWAYS) as on:
        on.finding(minutes_ago=5)
        on.app.ledger.documents.create("sweep", "findings", {"since_ns": on.app.now_ns() + ahead * NANOS})
        swept = pipeline.sweep(on.app)

        assert swept.refused == ()
        assert swept.done.get("missed findings answered") == 1

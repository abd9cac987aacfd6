"""Questions to people, redelivery, and the way back: over the wire."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from firebreak.core.timestamps import NANOS
from firebreak.response import pipeline
from sandbox.scc.notifications import PLANTED_SECRET, Pair, notification_v1, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from tests.response.harness import ALWAYS, BAD, GOOD, KNOWN, OLD, PIN_ONLY, REVISIONS, Line, Lines, revision, world_of

UNKNOWN_FILE = "ab" * 32


def test_a_file_that_virustotal_does_not_know_asks_a_person_who_approves(line: Lines) -> None:
    """The plan is drawn; approving carries out just that."""
    with line() as on:
        incident = on.respond(on.finding(sha256=UNKNOWN_FILE))
        waiting_writes = len(on.updates)
        answered = on.approve(incident)

        assert incident.phase == "waiting"
        assert waiting_writes == 0
        assert answered is not None
        assert answered.done
        assert BAD not in on.reachable
        assert any(entry.who == "ada" for entry in answered.held.incident.history)


@pytest.mark.parametrize(
    ("hashes", "gap"),
    [
        ({}, "does not know"),
        ({KNOWN: {"error": "429:QuotaExceededError"}}, "quota"),
        ({KNOWN: {"error": "401:WrongCredentialsError"}}, "key"),
        ({KNOWN: {"answer": "html"}}, "read"),
        ({KNOWN: {"answer": "malformed"}}, "read"),
        ({KNOWN: {"answer": "redirect"}}, ""),
    ],
)
def test_virustotal_failing_in_any_way_is_a_named_gap_and_asks_a_person(
    line: Lines, hashes: dict[str, object], gap: str
) -> None:
    """Never "clean", and never silence."""
    with line(world_of(hashes=hashes)) as on:
        incident = on.respond(on.finding())
        virustotal = next(one for one in incident.evidence if one.source == "virustotal")

        assert incident.phase == "waiting"
        assert virustotal.facts == {}
        assert gap in (virustotal.gap or "")
        assert "virustotal/GET elsewhere" not in [call.method for call in on.sandbox.wire.calls]


def test_without_a_virustotal_key_a_person_is_asked(line: Lines) -> None:
    """The record says what is missing."""
    with line(VIRUSTOTAL_API_KEY="") as on:
        incident = on.respond(on.finding())

        assert incident.phase == "waiting"
        assert any("no VirusTotal key" in (one.gap or "") for one in incident.evidence)


@pytest.mark.thorough
def test_a_hung_virustotal_does_not_delay_a_policy_that_does_not_ask_it(line: Lines) -> None:
    """The write is made while VirusTotal hangs; the record gets its gap afterwards."""
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.inject(Fault("virustotal/*", "hang", seconds=2.0, times=None))
        incident = on.respond(on.finding())
        asked = next(call.at for call in on.sandbox.wire.calls if call.method.startswith("virustotal"))

        assert incident.phase == "contained"
        assert on.updates[0].at - asked < 3.0
        assert any(one.source == "virustotal" and one.gap for one in incident.evidence)


def test_a_partial_hash_is_never_sent_to_virustotal(line: Lines) -> None:
    """It would match nothing in the world."""
    with line() as on:
        pair = on.finding()
        pair["finding"]["processes"][0]["binary"].update(size="100", hashedSize="50", partiallyHashed=True)
        pair["finding"]["files"] = []
        on.world.findings[0] = pair
        incident = on.respond(pair)

        assert incident.phase == "waiting"
        assert on.sandbox.wire.calls_to("virustotal/*") == ()


def test_a_wrong_digest_approves_nothing(line: Lines) -> None:
    """Approval is of a digest."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        answered = on.command("approve", incident, "ada", digest="0" * 12)

        assert answered is not None
        assert not answered.done
        assert on.updates == ()


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_the_question_that_was_answered_stays_on_the_record(line: Lines, answer: str) -> None:
    """A later answer can still name what it was about; the chat message asks nothing any more."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        asked = on.shown(incident)["question"]
        getattr(on, answer)(incident)
        answered = on.read(incident)

        assert answered.phase == {"approve": "contained", "reject": "rejected"}[answer]
        assert asked["digest"]
        assert on.shown(answered)["question"] == asked
        assert f"--digest {asked['digest'][:12]}" not in plain_text(compose(answered))


def test_drift_between_question_and_approval_asks_again(line: Lines) -> None:
    """Another revision came to be reachable: what was shown is no longer what would run."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"revision": BAD, "percent": 50}, {"revision": GOOD, "percent": 50})
        answered = on.approve(incident)
        again = answered.held.incident
        second = on.command("approve", incident, "ada", digest=again.question.digest)  # type: ignore[union-attr]

        assert again.phase == "waiting"
        assert again.question is not None
        assert again.question.digest != incident.question.digest  # type: ignore[union-attr]
        assert second is not None
        assert second.done
        assert len(on.updates) == 1


def test_where_a_deployment_took_the_suspects_place_an_approval_finds_nothing_to_contain(line: Lines) -> None:
    """What was approved is not what stands now, and nothing leads to the suspect: nothing is written or asked."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        on.world.deploy("checkout", {"name": "checkout-00009-new", "image": 9, "created": "-1s"})
        answered = on.approve(incident)

        assert not answered.done
        assert f"nothing to contain: nothing leads to {BAD}" in answered.says
        assert on.read(incident).phase == "declined"
        assert on.updates == ()


@pytest.mark.parametrize("changed", [False, True], ids=["the same", "another"])
def test_approving_an_expired_question_decides_anew_and_an_equal_one_is_answered_by_it(
    line: Lines, *, changed: bool
) -> None:
    """Expiry is judged with the approval: what was shown then has to be what would be shown now."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        if changed:
            on.world.set_traffic("checkout", {"revision": BAD, "percent": 50}, {"revision": OLD, "percent": 50})
        on.skipped_ns = 1801 * NANOS
        answered = on.command("approve", incident, "ada", digest=incident.question.digest)  # type: ignore[union-attr]

        assert answered.done != changed
        assert answered.held.incident.phase == ("waiting" if changed else "contained")
        assert answered.held.incident.question.escalated == 1  # type: ignore[union-attr]
        assert len(on.updates) == (0 if changed else 1)


def test_a_rejected_incident_stays_as_it_is(line: Lines) -> None:
    """With the reason and who gave it."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        on.reject(incident, "a drill")
        late = on.approve(incident, "bob")

        assert on.read(incident).phase == "rejected"
        assert late is not None
        assert not late.done
        assert on.updates == ()


def test_a_message_delivered_again_changes_nothing(line: Lines) -> None:
    """Also as a mute's re-publication, and in the other version's spelling."""
    with line() as on:
        pair = on.finding()
        first = on.respond(pair)
        muted = {**pair, "finding": {**pair["finding"], "mute": "MUTED"}}
        for body in (notification_v2(pair), notification_v1(pair), notification_v2(muted)):
            again = on.respond(body)

            assert again.id == first.id
            assert again.phase == "contained"
        assert len(on.updates) == 1
        assert len(on.announced) == 1


def test_twenty_deliveries_at_once_are_one_containment(line: Lines) -> None:
    """Whoever finds it busy asks for another delivery."""
    with line(world_of(settle_seconds=0.2)) as on:
        body = notification_v2(on.finding())

        def deliver(_: int) -> str:
            try:
                return on.respond(body).phase
            except Transient:
                return "again"

        with ThreadPoolExecutor(20) as pool:
            phases = list(pool.map(deliver, range(20)))

        assert set(phases) <= {"again", "contained"}
        assert on.respond(body).phase == "contained"
        assert len(on.updates) == 1
        assert len(on.announced) == 1


def test_an_unreachable_topic_is_delivered_again_and_nothing_is_contained_twice(line: Lines) -> None:
    """The announcement is saved with the containment, and sent by the next delivery."""
    with line() as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault("*/Publish", "error", code="INTERNAL"))
        with pytest.raises(Transient):
            on.respond(pair)
        on.respond(pair)

        assert len(on.updates) == 1
        assert [one["phase"] for one in on.announced] == ["contained"]


def test_a_topic_that_refuses_is_recorded_and_does_not_stop_anything(line: Lines) -> None:
    """It would refuse the next delivery too."""
    with line() as on:
        on.sandbox.wire.inject(Fault("*/Publish", "error", code="PERMISSION_DENIED"))
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert any("refused the announcement" in entry.what for entry in incident.history)


def test_a_release_restores_what_stood_before(line: Lines) -> None:
    """Split, LATEST and tags, in one write."""
    traffic = ({"latest": True, "percent": 100}, {"revision": BAD, "tag": "canary"})
    with line(world_of(traffic=traffic)) as on:
        before = sorted(map(str, on.world.service("checkout").service.traffic))
        incident = on.respond(on.finding())
        answered = on.release(incident, "ada")
        after = sorted(map(str, on.world.service("checkout").service.traffic))

        assert answered is not None
        assert answered.done
        assert after == before
        assert len(on.updates) == 2
        assert on.announced[-1]["phase"] == "released"


def test_a_release_leaves_a_persons_own_change_alone_and_reports_it(line: Lines) -> None:
    """Key by key: the tag goes back, the split is theirs."""
    traffic = ({"latest": True, "percent": 100}, {"revision": BAD, "tag": "canary"})
    with line(world_of(traffic=traffic)) as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"revision": OLD, "percent": 100})
        answered = on.release(incident, "ada")

        assert answered is not None
        assert answered.done
        assert "percent" in on.reachable[OLD]
        assert "tag canary" in on.reachable[BAD]
        assert any("service.traffic.split" in text for text in answered.held.incident.still_open)


def test_a_release_asked_for_twice_restores_once(line: Lines) -> None:
    """The second is told that nothing is contained."""
    with line() as on:
        incident = on.respond(on.finding())
        on.release(incident, "ada")
        again = on.release(incident, "ada")

        assert again is not None
        assert not again.done
        assert len(on.updates) == 2


def test_a_release_whose_operation_fails_says_so_and_the_containment_stands(line: Lines) -> None:
    """And it can be asked for again."""
    with line() as on:
        incident = on.respond(on.finding())
        on.world.fail_next_operation()
        refused = on.release(incident, "ada")
        failed = on.read(incident)
        answered = on.release(incident, "ada")

        assert not refused.done
        assert "release was refused, the containment still stands" in refused.says
        assert failed.phase == "contained"
        assert answered is not None
        assert answered.done


def test_a_second_incident_on_a_contained_service_joins_and_both_releases_end_at_the_origin(line: Lines) -> None:
    """Nothing new must be closed: a hold, no write, no question; the last release restores."""
    with line() as on:
        before = sorted(map(str, on.world.service("checkout").service.traffic))
        first = on.respond(on.finding(minutes_ago=5))
        second = on.respond(on.finding(finding_id="second", minutes_ago=4))
        on.release(first, "ada")
        between = dict(on.reachable)
        on.release(second, "ada")
        after = sorted(map(str, on.world.service("checkout").service.traffic))

        assert second.phase == "contained"
        assert len(on.updates) == 2
        assert BAD not in between
        assert after == before


def test_a_later_event_on_the_refuge_asks_a_person(line: Lines) -> None:
    """So that nobody walks a service back by dropping one file into each revision."""
    with line() as on:
        on.respond(on.finding(minutes_ago=5))
        on.skipped_ns = 60 * NANOS
        second = on.respond(on.finding(finding_id="second", image=7, minutes_ago=-0.5))

        assert second.phase == "waiting"
        assert "contained" in [cap.name for cap in second.decision.caps]  # type: ignore[union-attr]
        assert "percent" in on.reachable[GOOD]


def test_a_record_whose_seal_is_broken_is_never_executed(line: Lines) -> None:
    """Whoever can write to the ledger cannot aim Firebreak."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        held = on.app.ledger.read(incident.id)
        assert held is not None
        body = json.loads(json.dumps(dict(held.document.body)).replace(GOOD, OLD))
        on.app.ledger.documents.replace(held.document, body)
        answered = on.approve(incident, "mallory")

        assert answered is not None
        assert not answered.done
        assert on.updates == ()


def test_planted_secrets_reach_no_output(line: Lines) -> None:
    """Neither topic nor log nor ledger."""
    with line() as on:
        pair = on.finding(args=("kdevtmpfsi", "--password", "hunter2-secret", "Authorization: Bearer abcdef0123456789"))
        incident = on.respond(pair)
        outputs = json.dumps([on.announced, on.logged, on.shown(incident)], default=str)
        ledger = b"".join(path.read_bytes() for path in _files(on))

        assert PLANTED_SECRET not in outputs
        assert "hunter2-secret" not in outputs
        assert "abcdef0123456789" not in outputs
        assert PLANTED_SECRET.encode() not in ledger
        assert b"hunter2-secret" not in ledger


def _files(on: Line) -> list[Path]:
    folder = on.app.settings.ledger_path.parent
    return [one for one in folder.glob("ledger.sqlite*") if one.is_file()]


def test_the_refuge_becoming_unready_before_the_write_is_drift(line: Lines) -> None:
    """The basis moved: the plan is drawn anew on the next good revision, and asked about again."""
    with line(config="ceiling: approve", policy=PIN_ONLY) as on:
        incident = on.respond(on.finding())
        local = on.world.service("checkout")
        local.revisions[1] = (
            world_of((REVISIONS[0], revision(GOOD, 7, "-10d", ready=False))).service("checkout").revisions[1]
        )
        answered = on.approve(incident)

        assert answered is not None
        assert answered.held.incident.phase == "waiting"
        assert f"{OLD}=100" in str(answered.held.incident.plan)
        assert on.updates == ()


def test_a_suspended_service_gets_its_scaling_back_with_both_limits_named(line: Lines) -> None:
    """The upper limit that Cloud Run forgets on the way back is said to be missing."""
    world = world_of(service={"scaling": {"min": 1, "max": 20}}, keeps_scaling_limit=False)
    with line(world, policy=PIN_ONLY.replace("pin_previous_revision", "suspend")) as on:
        incident = on.respond(on.finding())
        answered = on.release(incident, "ada")
        sent = on.updates[-1].request

        assert [str(path) for path in sent.update_mask.paths] == ["scaling"]
        assert (sent.service.scaling.min_instance_count, sent.service.scaling.max_instance_count) == (1, 20)
        assert answered is not None
        assert answered.held.incident.still_open == (
            "service.scaling: restored to automatic 1-20, and reads automatic 1-unset",
        )


def test_an_approval_that_a_halt_stops_is_spent_and_the_question_is_put_anew(line: Lines) -> None:
    """Once it is lifted, the same digest is approved."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        on.app.ledger.halt("a drill", "bob")
        stopped = on.approve(incident)
        on.resume()
        on.sweep()
        asked, unwritten = on.read(incident), on.updates
        answered = on.command("approve", incident, "ada", digest=incident.question.digest)  # type: ignore[union-attr]

        assert not stopped.done
        assert "halted by bob" in stopped.says
        assert stopped.held.incident.phase == "deferred"
        assert asked.phase == "waiting"
        assert unwritten == ()
        assert answered is not None
        assert answered.done
        assert BAD not in on.reachable


@pytest.mark.parametrize("digest", ["", "deadbeef"], ids=["missing", "another"])
@pytest.mark.parametrize("over", [True, False], ids=["expired", "without a plan"])
def test_an_approval_of_what_nobody_saw_has_nothing_decided_anew(line: Lines, digest: str, *, over: bool) -> None:
    """Deciding anew could write by itself what the policy enforces, and spends the question that others see."""
    with line(policy=ALWAYS, config="ceiling: approve" if over else "ceiling: enforce") as on:
        incident = on.respond(on.finding()) if over else _asked_without_a_plan(on)
        for _ in range(4 * over):
            on.wait(1801)
            on.sweep()
        before = on.read(incident)
        told = on.command("approve", incident, digest=digest)

        assert before.phase == ("expired" if over else "waiting")
        assert not told.done
        assert told.says.startswith("nothing was changed")
        assert on.read(incident).history == before.history
        assert on.updates == ()


def test_an_approval_that_has_it_decided_anew_says_what_came_of_it(line: Lines) -> None:
    """Nothing is in the way any more, so that the policy contains it: that is done, and not "nothing is asked"."""
    with line(policy=ALWAYS) as on:
        incident = _asked_without_a_plan(on)
        told = on.approve(incident)

        assert (told.done, told.says) == (True, "contained by pin_previous_revision")
        assert told.held.incident.phase == "contained"
        assert not any("late" in one.what for one in told.held.incident.history)


def _asked_without_a_plan(on: Line) -> Incident:
    """Cloud Run could not be read for ten minutes, and can be read now."""
    pair = on.finding()
    on.sandbox.wire.inject(Fault("*/GetService", "error", code="INTERNAL", times=None))
    with pytest.raises(Transient):
        on.respond(pair)
    on.wait(601)
    incident = on.respond(pair)
    on.sandbox.wire.clear_faults()
    return incident


def test_approving_a_question_without_a_plan_draws_one_and_asks_again(line: Lines) -> None:
    """The service could not be read for ten minutes when it was put; nothing is written that nobody has seen."""
    with line(config="ceiling: approve") as on:
        incident = _asked_without_a_plan(on)
        first = on.approve(incident)
        drawn = on.read(incident)
        second = on.command("approve", incident, "ada", digest=drawn.question.digest)  # type: ignore[union-attr]

        assert incident.phase == "waiting"
        assert incident.plan is None or incident.plan.changes == ()
        assert first is not None
        assert not first.done
        assert drawn.plan is not None
        assert drawn.plan.writes
        assert second is not None
        assert second.done


def test_a_topic_that_refuses_gets_what_it_missed_once_it_is_mended(line: Lines) -> None:
    """The message is acknowledged; the sweep sends the announcement."""
    with line() as on:
        on.sandbox.wire.inject(Fault("*/Publish", "error", code="PERMISSION_DENIED", times=2))
        incident = on.respond(on.finding())
        still = pipeline.sweep(on.app).done
        mended = pipeline.sweep(on.app).done

        assert incident.phase == "contained"
        assert still == {"announcements refused": 1}
        assert mended == {"announcements sent": 1}
        assert [one["phase"] for one in on.announced] == ["contained"]


def test_a_message_published_again_has_scc_asked_again(line: Lines) -> None:
    """SCC did not hold the finding at first."""
    with line() as on:
        pair = on.finding(held=False)
        first = on.respond(pair)
        put_finding(on.world, pair["finding"], pair["resource"])
        second = on.respond(pair)

        assert first.phase == "deferred"
        assert second.phase == "contained"
        assert second.id == first.id


def test_findings_on_one_service_at_once_are_one_write_and_no_question(line: Lines) -> None:
    """Whoever comes second waits for the first to be in force, and joins it."""
    with line(world_of(settle_seconds=0.2), policy=ALWAYS) as on:
        pairs = [on.finding(finding_id=f"at-once-{number}") for number in range(8)]

        def answer(pair: Pair) -> str:
            for _ in range(200):
                try:
                    return on.respond(pair).phase
                except Transient:
                    time.sleep(0.05)
            raise AssertionError

        with ThreadPoolExecutor(8) as pool:
            phases = list(pool.map(answer, pairs))

        assert phases == ["contained"] * 8
        assert len(on.updates) == 1

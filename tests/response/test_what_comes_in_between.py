"""What others do, or what is away, between two steps of the response: nothing goes on as if it were not so."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.gate import Ruling
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Change
from firebreak.core.errors import Drifted, Transient
from firebreak.core.incidents.command import Command
from firebreak.core.mode import Mode
from firebreak.ports.deadline import Deadline
from firebreak.response import pipeline
from firebreak.response.move import put_back, restore
from firebreak.response.readings import Pass, Readings
from sandbox.wire import Call, Fault, Meanwhile
from tests.response.answers import A_LEASE, asked, cut_short, delivered, left_in_the_air, yes
from tests.response.deployments import APPROVED, deployed
from tests.response.harness import ALWAYS, BAD, PIN_ONLY, SERVICE, Line, Lines
from tests.response.intruder import Intruder
from tests.response.releases import (
    CUT,
    INGRESS,
    PIN,
    REVOKE,
    THERE,
    contained,
    doors,
    in_two_regions,
    is_public,
    phase,
    policy,
    serving,
)
from tests.response.test_own_write_first import ANYBODY

TEN_MINUTES = 601.0
A_SWEEP_LATER = 301.0
GET, UPDATE = "*/GetService", "*/UpdateService"


def away(method: str) -> Fault:
    """It cannot be reached until further notice."""
    return Fault(method, "error", times=None)


def test_an_incident_that_another_worker_took_over_is_left_to_it(line: Lines) -> None:
    """Whoever was too slow neither writes nor saves over what the other has."""
    with line(policy=ALWAYS) as on:

        def taken_over() -> None:
            on.wait(A_LEASE)
            other = replace(on.app.ledger, owner="other")
            assert other.take(next(other.newest(1)).incident.id)

        on.sandbox.wire.meanwhile(Meanwhile(GET, taken_over))
        with pytest.raises(Transient, match="saved by somebody else"):
            on.respond(on.finding())
        held = next(on.app.ledger.newest(1))

        assert held.incident.owner == "other"
        assert held.incident.phase == "received"
        assert on.updates == ()


def test_a_person_is_asked_where_cloud_run_stays_away_from_a_plan_that_was_begun(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        incident = cut_short(on, pair)
        on.sandbox.wire.inject(away(GET))
        first = delivered(on, pair)
        on.wait(TEN_MINUTES)
        on.sweep()

        assert not first
        assert phase(on, incident) == "waiting"
        assert "could not be read" in on.read(incident).history[-1].what
        assert on.updates == () or len(on.updates) == 1


def test_a_release_waits_for_a_write_of_its_own_that_may_still_land(line: Lines) -> None:
    """What was given back before it would not stay so."""
    with line(policy=PIN_ONLY) as on:
        on.sandbox.wire.inject(Fault(UPDATE, "late"), away(UPDATE))
        with pytest.raises(Transient):
            on.respond(on.finding())
        incident = next(on.app.ledger.newest(1)).incident
        on.wait(A_LEASE)
        with pytest.raises(Transient, match="may still be under way"):
            on.release(incident)
        on.sandbox.wire.clear_faults()
        on.sandbox.wire.land()
        on.wait(A_SWEEP_LATER)
        answered = on.release(incident)

        assert answered.done, answered.says
        assert serving(on) == {BAD: 100}


def test_a_release_waits_while_another_incident_writes_to_the_same_target(line: Lines) -> None:
    with line(policy=policy(CUT)) as on:
        first = contained(on)
        deployed(on, policy(REVOKE))
        other = on.respond(on.finding(finding_id="another"))
        on.sandbox.wire.inject(Fault("*/SetIamPolicy", "late"), away("*/SetIamPolicy"))
        with pytest.raises(Transient):
            yes(on, other)
        on.sandbox.wire.clear_faults()
        written = len(on.updates)
        with pytest.raises(Transient, match="is being written to the same target"):
            on.release(first)

        assert len(on.updates) == written


def test_grants_that_cannot_be_read_for_a_moment_are_given_back_once_they_can(line: Lines) -> None:
    """An outage is no refusal: the release is there when it comes again."""
    with line(policy=policy(REVOKE)) as on:
        incident = contained(on)
        on.sandbox.wire.inject(away("*/GetIamPolicy"))
        with pytest.raises(Transient, match="cannot be reached"):
            on.release(incident)
        on.sandbox.wire.clear_faults()
        answered = on.release(incident)

        assert answered.done, answered.says
        assert is_public(on)


def test_what_stands_and_cannot_be_believed_is_not_closed_as_if_it_were_nothing(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        Intruder(on).deletes("standing")
        answered = on.close(incident, "benign")
        kept = on.command("close", incident, closed_as="true_positive", keep="yes")

        assert not answered.done
        assert "still stands" in answered.says
        assert kept.done, kept.says
        assert phase(on, incident) == "contained"


def test_filing_what_is_contained_needs_the_digest_of_what_was_asked(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        yes(on, incident)
        unseen = on.command("close", incident, closed_as="true_positive", keep="yes")
        digest = asked(on, incident)["digest"]
        seen = on.command("close", incident, closed_as="true_positive", keep="yes", digest=digest)

        assert not unseen.done
        assert "names no question" in unseen.says
        assert seen.done, seen.says


def change_of(on: Line, before: str, after: str) -> tuple[Change, Readings]:
    """A change of the door, as the one writer gets it, and what it reads by."""
    incident = on.respond(on.finding())
    target, readings = incident.finding.target, Readings(on.app, incident, Deadline.after(60))
    assert isinstance(target, Target)
    uid = readings.workload(target).uid
    return Change(target, "service", {INGRESS: before}, {INGRESS: after}, {"uid": uid}, ("cut_traffic",)), readings


def test_the_one_writer_sends_nothing_over_what_somebody_else_has_set(line: Lines) -> None:
    """Whoever calls it: what the change says of before is asked once more of what was read."""
    with line(policy=APPROVED) as on:
        change, readings = change_of(on, before="internal", after="all")
        with pytest.raises(Drifted, match="somebody changed"):
            restore(on.app, change, readings.workload(change.target), readings)

        assert on.updates == ()


def test_what_somebody_has_changed_since_is_not_put_back(line: Lines) -> None:
    """Neither a setting that is not what was written, nor anything of what was made anew."""
    with line(policy=APPROVED) as on:
        change, readings = change_of(on, before="all", after="internal")
        theirs = put_back(on.app, change, readings)
        on.world.edit(SERVICE, ingress=2)
        anew = put_back(on.app, replace(change, basis={"uid": "another"}), readings)
        untouched = len(on.updates)
        ours = put_back(on.app, change, readings)

        assert (theirs, anew, ours) == ("", "", "")
        assert untouched == 0
        assert len(on.updates) == 1
        assert doors(on)[0] == 1


@pytest.mark.parametrize("later", [False, True], ids=["at once", "after its delivery has gone"])
def test_what_failed_is_held_no_more_and_says_what_the_operation_said(
    line: Lines,
    later: bool,  # noqa: FBT001 - a case
) -> None:
    with line(policy=PIN_ONLY) as on:
        pair = on.finding()
        on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
        if later:
            left_in_the_air(on, pair)
        incident = on.respond(pair)

        assert incident.phase == "failed"
        assert "Revision 'x' does not exist" in incident.outcomes[-1].detail
        assert on.app.ledger.held_targets(incident) == ()
        assert len(on.updates) == 2, "written once, and put back"


def test_what_somebody_opens_again_in_one_region_while_the_next_is_written_is_asked_about(line: Lines) -> None:
    """Firebreak never closes again by itself what a person has opened."""
    with line(in_two_regions(), policy=policy(PIN)) as on:

        def opened() -> None:
            on.world.set_traffic(SERVICE, {"latest": True, "percent": 100})

        on.sandbox.wire.meanwhile(Meanwhile(UPDATE, opened, "after", routed=f"*{THERE}*"))
        incident = on.respond(on.finding())

        assert phase(on, incident) == "waiting"
        assert serving(on) == {BAD: 100}


def test_the_same_no_once_more_is_a_no(line: Lines) -> None:
    """Its first bearer died before it was answered."""
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        given = Command(
            "a-no", "reject", "ada", incident.id, digest=asked(on, incident)["digest"], sent_ns=on.app.now_ns()
        )
        once = pipeline.execute(on.app, given)
        again = pipeline.execute(on.app, replace(given, id="the-same"))

        assert (once.done, once.says) == (again.done, again.says) == (True, "rejected")


def test_the_gate_lets_only_through_what_it_was_asked_about(line: Lines) -> None:
    """No other plan, and no plan at all where its word is another."""
    with line(policy=APPROVED) as on:
        incident = on.read(on.respond(on.finding()))
        plan, seen = incident.plan, Seen(incident.targets[0], None, None, None)
        assert plan is not None
        passed = Pass(plan.digest, frozenset({(plan.changes[0].target.key, "")}), 0.0)
        passed.require(incident, plan.changes[0], seen)
        for other in (replace(passed, plan="another"), replace(passed, uids=frozenset())):
            with pytest.raises(Drifted, match="asked about something else"):
                other.require(incident, plan.changes[0], seen)
        with pytest.raises(Drifted, match="asked about something else"):
            passed.require(replace(incident, plan=None), plan.changes[0], seen)
        asks = Ruling("ask", Mode.APPROVE, (), cast("GuardInput", None))
        with pytest.raises(ValueError, match="did not let this plan through: ask"):
            Pass.of(asks, plan, (seen,), 0.0)


def test_who_waits_for_an_operation_keeps_the_incident_meanwhile(line: Lines) -> None:
    """The lease is extended on the way: nobody else takes over what is still at work."""
    with line(policy=PIN_ONLY) as on:
        on.world.settle_seconds, versions = 25.0, list[str]()

        def polled(_: Call) -> None:
            versions.append(next(on.app.ledger.documents.newest("incident", 1)).version)

        on.sandbox.wire.watch("*/GetOperation", polled)
        on.sandbox.wire.watch("*/WaitOperation", polled)

        assert on.respond(on.finding()).phase == "contained"
        assert len({*versions}) > 1, versions


@pytest.mark.parametrize("changed", [False, True], ids=["as shown", "changed since"])
def test_a_yes_covers_what_was_shown_to_follow_a_failure_and_nothing_else(
    line: Lines,
    changed: bool,  # noqa: FBT001 - a case
) -> None:
    """The fallback as it was shown is carried out; where somebody has changed what it rests on, it is asked about."""
    steps = "{action: pin_previous_revision, otherwise: [{action: revoke_public_access}]}"
    with line(policy=policy(steps, mode="approve")) as on:
        incident = on.respond(on.finding())
        on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
        grants = Meanwhile(UPDATE, lambda: on.world.set_grants(SERVICE, ANYBODY), "after", skip=1)
        on.sandbox.wire.meanwhile(*([grants] if changed else []))
        yes(on, incident)

        assert phase(on, incident) == ("waiting" if changed else "contained")
        assert is_public(on) is changed

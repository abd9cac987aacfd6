"""What happens between two writes of one plan stops the second, or is seen by it; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sandbox.wire import Meanwhile
from tests.response.answers import agreed, cautions, no, now, phase, yes
from tests.response.deployments import APPROVED, deployed, for_severity
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, SERVICE, Line, Lines, revision
from tests.response.roads import A_SWEEP_LATER
from tests.response.test_one_gate import LABELLED, critical, mended_there, rolled_back_there, written
from tests.response.test_service_accounts import PAY, disabled
from tests.response.test_service_accounts import made as calls_to
from tests.response.test_service_accounts import policy as policy_of
from tests.response.test_service_accounts import world_of as with_account
from tests.response.test_several_regions import (
    ELSEWHERE,
    HERE,
    OTHER_BAD,
    OTHER_GOOD,
    THERE,
    THERE_TOO,
    ingress,
    serving,
    world_of,
)

pytestmark = pytest.mark.thorough

LONGER_THAN_FACTS_COUNT = 2.3
UPDATE = "*/UpdateService"
POLICIES: Mapping[str, str] = {"enforced": ALWAYS, "approved": APPROVED}


def once_written_here(on: Line, happens: Callable[[Line], object]) -> None:
    on.sandbox.wire.meanwhile(Meanwhile(UPDATE, lambda: happens(on), "after", routed=f"*{HERE}*"))


def halted(on: Line) -> None:
    on.command("halt", by="bob", reason="stop everything")


def muted(on: Line) -> None:
    on.world.findings[0]["finding"]["mute"] = "MUTED"


def resolved(on: Line) -> None:
    on.world.findings[0]["finding"]["state"] = "INACTIVE"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_halt_after_the_first_region_is_written_keeps_the_second_from_being_written(line: Lines, policy: str) -> None:
    """What is written stays; once the halt is lifted a sweep does what is left, and only that, or asks anew."""
    with line(world_of(*THERE_TOO), policy=POLICIES[policy]) as on:
        once_written_here(on, halted)
        incident = agreed(on, on.respond(on.finding()))
        stopped = (phase(on, incident), serving(on), written(on, THERE))
        told = on.announced[-1]["phase"]
        on.command("resume")
        on.wait(A_SWEEP_LATER)
        on.sweep()
        agreed(on, incident)

        assert stopped == ("deferred", [[GOOD], [OTHER_BAD]], 0)
        assert told == "deferred"
        assert phase(on, incident) == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert (written(on, HERE), written(on, THERE)) == (1, 1)


@pytest.mark.parametrize(("policy", "happens"), [("enforced", muted), ("approved", resolved)])
def test_a_finding_that_scc_settles_while_the_first_region_takes_effect_leaves_the_second_unwritten(
    line: Lines, policy: str, happens: Callable[[Line], object]
) -> None:
    """SCC's word is older by then than it may be."""
    with line(world_of(*THERE_TOO), policy=POLICIES[policy]) as on:
        on.world.settle_seconds = LONGER_THAN_FACTS_COUNT
        once_written_here(on, happens)
        incident = agreed(on, on.respond(on.finding()))

        assert phase(on, incident) == "deferred"
        assert serving(on) == [[GOOD], [OTHER_BAD]]
        assert written(on, THERE) == 0


@pytest.mark.parametrize("policy", POLICIES)
def test_a_region_that_becomes_protected_after_the_first_is_written_is_asked_about(line: Lines, policy: str) -> None:
    """Under whatever answer was given before, which did not name that."""
    with line(world_of(*THERE_TOO), policy=POLICIES[policy], config=LABELLED) as on:
        once_written_here(on, critical(ELSEWHERE))
        incident = on.respond(on.finding())
        if policy == "approved":
            yes(on, incident)
        between = (phase(on, incident), serving(on))
        warned = cautions(on, incident)
        answered = yes(on, incident)

        assert between == ("waiting", [[GOOD], [OTHER_BAD]])
        assert "protected" in warned
        assert answered.done, answered.says
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert (written(on, HERE), written(on, THERE)) == (1, 1)


def test_what_a_later_plan_wrote_is_shown_though_the_rest_of_it_is_turned_down(line: Lines) -> None:
    """The earlier plan, which is done as a whole, is no longer what stands in the first region."""
    older = revision("checkout-00000-uso", 6, "-30d")
    with line(world_of(older, *THERE_TOO), policy=ALWAYS, config=LABELLED) as on:
        incident = on.respond(on.finding(minutes_ago=2))
        on.wait(120)
        on.respond(on.finding(image=7, minutes_ago=-1))
        once_written_here(on, critical(ELSEWHERE))
        yes(on, incident)
        between = (phase(on, incident), serving(on))
        no(on, incident)
        plan = now(on, incident)["plan"]["changes"]
        shown = {one["target"].split("/")[3]: one["after"]["service.traffic.split"] for one in plan}

        assert between == ("waiting", [[OLD], [OTHER_GOOD]])
        assert phase(on, incident) == "contained"
        assert shown == {HERE: f"{OLD}=100", THERE: f"{OTHER_GOOD}=100"}


def tagged_there(on: Line) -> None:
    """The plan of that region does not fit any more; the first region's is in effect."""
    on.world.set_traffic(ELSEWHERE, {"latest": True, "percent": 100}, {"latest": True, "tag": "debug"})


def test_a_question_put_anew_says_of_the_region_that_was_written_how_it_is_now(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=APPROVED) as on:
        once_written_here(on, tagged_there)
        incident = on.respond(on.finding())
        yes(on, incident)
        said = now(on, incident)["history"][-1]["what"]

        assert phase(on, incident) == "waiting"
        assert serving(on) == [[GOOD], [OTHER_BAD]]
        assert f"service.traffic.split: LATEST=100 to {GOOD}=100, now {GOOD}=100" in said
        assert "us-east1: service.traffic.tag.debug: not to be changed, now LATEST to None" in said
        assert "unchanged" not in said


@pytest.mark.parametrize("happens", [rolled_back_there, mended_there])
def test_a_region_that_somebody_makes_healthy_after_the_first_is_written_is_left_to_them(
    line: Lines, happens: Callable[[Line], object]
) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        once_written_here(on, happens)
        incident = on.respond(on.finding())
        theirs = serving(on)[1]

        assert phase(on, incident) == "contained"
        assert serving(on)[0] == [GOOD]
        assert theirs != [OTHER_BAD]
        assert ingress(on) == [1, 1]
        assert written(on, THERE) == 0
        assert any(THERE in text for text in now(on, incident)["still_open"])


@pytest.mark.parametrize("service", [SERVICE, ELSEWHERE], ids=["here", "there"])
def test_a_person_who_writes_at_the_very_moment_is_not_written_over(line: Lines, service: str) -> None:
    """Between Firebreak's last look and its write: the person has traffic on a good revision of that region."""
    good, region = (GOOD, HERE) if service == SERVICE else (OTHER_GOOD, THERE)
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        theirs = {"revision": good, "percent": 100}
        before_it = Meanwhile(
            UPDATE,
            lambda: on.world.set_traffic(service, theirs, {"revision": good, "tag": "safe"}),
            routed=f"*{region}*",
        )
        on.sandbox.wire.meanwhile(before_it)
        incident = agreed(on, on.respond(on.finding()))
        tags = [one.tag for one in on.world.service(service).service.traffic if one.tag]

        assert phase(on, incident) == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert tags == ["safe"]
        assert written(on, region) == 0


@pytest.mark.parametrize("method", ["*/GetService", pytest.param("*/ListFindings", marks=pytest.mark.thorough)])
def test_answers_that_take_longer_than_they_count_hold_nothing_up(line: Lines, method: str) -> None:
    """The reading just made counts for the write that follows it; asking for ever would contain nobody."""
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.watch(method, lambda _: on.clock.skip(LONGER_THAN_FACTS_COUNT))
        incident = on.respond(on.finding())

        assert phase(on, incident) == "contained"
        assert set(on.reachable) == {GOOD}


def test_an_account_that_a_person_disables_while_the_service_is_pinned_is_theirs(line: Lines) -> None:
    """It has no etag, so it is read again directly before it would be written."""
    steps = policy_of("{action: pin_previous_revision}", "{action: disable_service_account}")
    with line(with_account(), policy=steps) as on:
        pinned = Meanwhile(UPDATE, lambda: on.world.accounts[PAY].set(disabled=True), "after")
        on.sandbox.wire.meanwhile(pinned)
        incident = agreed(on, on.respond(on.finding()))

        assert phase(on, incident) == "contained"
        assert set(on.reachable) == {GOOD}
        assert calls_to(on) == 0
        assert disabled(on) == {PAY}


def test_a_containment_of_another_incident_in_the_other_region_alone_is_seen(line: Lines) -> None:
    """There the revision that took over carries the image that is suspect here; more would be closed, so it asks."""
    there = (revision("checkout-00001-us6", 6, "-20d"), *THERE_TOO)
    here = (revision("checkout-00006-old", 5, "-30d"), revision(GOOD, 7, "-3h"))
    with line(world_of(*there, here=here), policy=ALWAYS) as on:
        first = on.respond(on.finding(finding_id="there", location=THERE))
        before = serving(on)
        on.wait(60)
        second = on.respond(on.finding(finding_id="here", image=7, minutes_ago=-0.5))
        asks, warned = (phase(on, second), serving(on)), cautions(on, second)
        agreed(on, second)

        assert (phase(on, first), before) == ("contained", [[GOOD], [OTHER_GOOD]])
        assert asks == ("waiting", before)
        assert "contained" in warned
        assert serving(on) == [["checkout-00006-old"], ["checkout-00001-us6"]]


def test_a_release_in_the_other_region_while_a_question_waits_is_seen_at_its_expiry(line: Lines) -> None:
    """What a person released there a minute ago is not closed again because nobody answered here."""
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        deployed(on, for_severity("CRITICAL", ALWAYS), f"{for_severity('HIGH', APPROVED)}on_expiry: contain\n")
        on.world.set_traffic(SERVICE, {"revision": GOOD, "percent": 100})
        first = on.respond(on.finding(finding_id="there", location=THERE))
        on.world.set_traffic(SERVICE, {"latest": True, "percent": 100})
        second = on.respond(on.finding(finding_id="here", severity="HIGH"))
        released = on.release(first)
        writes = len(on.updates)
        on.wait(1801)
        on.sweep()

        assert released.done, released.says
        assert phase(on, second) == "waiting"
        assert "released" in cautions(on, second)
        assert len(on.updates) == writes
        assert serving(on) == [[BAD], [OTHER_BAD]]

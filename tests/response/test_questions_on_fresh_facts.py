"""An answer, and an expiry, is carried out on what is so then, and only where that is what was shown; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from firebreak.core.errors import Transient
from sandbox.wire import Fault, Meanwhile
from tests.response.answers import (
    HALF_AN_HOUR,
    agreed,
    asked,
    cautions,
    cut_short,
    delivered,
    left_in_the_air,
    now,
    phase,
    yes,
)
from tests.response.deployments import APPROVED, UNANSWERED, deployed, for_severity
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, SERVICE, Line, Lines, revision
from tests.response.roads import A_SWEEP_LATER
from tests.response.test_several_regions import ELSEWHERE, OTHER_BAD, OTHER_GOOD, THERE_TOO, serving
from tests.response.test_several_regions import world_of as two_regions

pytestmark = pytest.mark.thorough

ROLLED_BACK = {"revision": OLD, "percent": 100}
ASKS_VIRUSTOTAL = UNANSWERED.replace("when: {", "when: {virustotal.malicious: {at_least: 10}, ")
BASKET = SERVICE.replace("checkout", "basket")


def rolled_back(on: Line) -> None:
    """A person has gone back by hand, to the oldest revision there is."""
    on.world.set_traffic("checkout", ROLLED_BACK)


def expired(on: Line) -> None:
    on.wait(HALF_AN_HOUR)
    on.sweep()


def is_as_they_left_it(on: Line) -> bool:
    """What the person serves, open as it was, and no write of Firebreak's."""
    return on.reachable == {OLD: {"percent"}} and on.world.service("checkout").service.ingress == 1 and not on.updates


@pytest.mark.parametrize("answer", ["a yes", "an expiry"])
def test_a_person_who_rolled_back_by_hand_while_suspects_are_inferred_is_not_cut_off(line: Lines, answer: str) -> None:
    """By age alone what they went back to would be suspect, and with nothing older `otherwise` would cut it off."""
    with line(policy=UNANSWERED) as on:
        incident = on.respond(on.finding(image=None))
        shown = asked(on, incident)["digest"]
        rolled_back(on)
        if answer == "a yes":
            assert not yes(on, incident, shown).done
        else:
            expired(on)

        assert is_as_they_left_it(on)
        assert phase(on, incident) == "waiting"
        assert "changed" in cautions(on, incident)
        assert asked(on, incident)["digest"] != shown
        assert on.announced[-1]["question"]["digest"] == asked(on, incident)["digest"]


@pytest.mark.parametrize("answer", ["a yes", "an expiry"])
@pytest.mark.parametrize("named", [True, False], ids=["by its name", "by its image"])
def test_a_person_who_rolled_back_from_the_suspect_is_not_written_over(line: Lines, answer: str, named: bool) -> None:  # noqa: FBT001 - a case
    """Nothing leads to the suspect any more: there is nothing to contain, or nothing without another question."""
    workload = f"services/checkout/revisions/{BAD}" if named else "services/checkout"
    with line(policy=UNANSWERED) as on:
        incident = on.respond(on.finding(workload=workload))
        rolled_back(on)
        if answer == "a yes":
            yes(on, incident)
        else:
            expired(on)

        assert is_as_they_left_it(on)
        assert phase(on, incident) in ("waiting", "declined")


@pytest.mark.parametrize("image", [None, 8], ids=["inferred", "by its image"])
def test_a_person_who_rolled_back_while_scc_cannot_be_reached_is_not_cut_off(line: Lines, image: int | None) -> None:
    """The plan was saved and not written. It is drawn anew, and without SCC's word that is a question at most."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(image=image)
        incident = cut_short(on, pair)
        writes = len(on.updates)
        rolled_back(on)
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))
        delivered(on, pair)
        on.wait(601)
        answered = delivered(on, pair)

        assert answered
        assert on.reachable == {OLD: {"percent"}}
        assert on.world.service("checkout").service.ingress == 1
        assert len(on.updates) == writes
        assert phase(on, incident) in ("waiting", "declined")
        assert phase(on, incident) == "declined" or "unconfirmed" in cautions(on, incident)


@pytest.mark.parametrize("away", [True, False], ids=["SCC is away", "SCC answers"])
def test_a_person_who_rolls_back_at_the_very_moment_of_the_write_is_not_cut_off(line: Lines, away: bool) -> None:  # noqa: FBT001 - a case
    """What is drawn then nobody was shown, and by age alone it would close what they went back to."""

    def meanwhile() -> None:
        rolled_back(on)
        if away:
            on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))

    with line(policy=ALWAYS) as on:
        on.sandbox.wire.meanwhile(Meanwhile("*/UpdateService", meanwhile))
        pair = on.finding(image=None)
        delivered(on, pair)
        on.wait(601)
        delivered(on, pair)
        (held,) = on.app.ledger.newest(2)

        assert on.reachable == {OLD: {"percent"}}
        assert on.world.service("checkout").service.ingress == 1
        assert [one.status for one in on.updates] == ["ABORTED"]
        assert phase(on, held.incident) in ("waiting", "declined")


def test_an_answer_while_scc_cannot_be_reached_waits_for_it_and_then_asks_with_that_caution(line: Lines) -> None:
    """The question did not name it, so the yes to it is not a yes to that."""
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        shown = asked(on, incident)["digest"]
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))
        with pytest.raises(Transient):
            yes(on, incident, shown)
        on.wait(601)
        late = yes(on, incident, shown)
        between = (phase(on, incident), len(on.updates))
        warned = cautions(on, incident)
        answered = yes(on, incident)

        assert not late.done
        assert between == ("waiting", 0)
        assert "unconfirmed" in warned
        assert answered.done, answered.says
        assert BAD not in on.reachable


HARMLESS: Mapping[str, Callable[[Line], object]] = {
    "a label here": lambda on: on.world.edit(SERVICE, labels={"team": "shop"}),
    "a label there": lambda on: on.world.edit(ELSEWHERE, labels={"team": "shop"}),
}


@pytest.mark.parametrize("change", HARMLESS)
@pytest.mark.parametrize("policy", [APPROVED, UNANSWERED], ids=["a yes", "an expiry"])
def test_a_change_that_the_plan_does_not_rest_on_leaves_the_answer_good(line: Lines, change: str, policy: str) -> None:
    """Else whoever deploys often could never be contained."""
    with line(two_regions(*THERE_TOO), policy=policy) as on:
        incident = on.respond(on.finding())
        HARMLESS[change](on)
        if policy == APPROVED:
            yes(on, incident)
        else:
            expired(on)

        assert phase(on, incident) == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]


def test_any_change_by_others_counts_while_suspects_are_inferred(line: Lines) -> None:
    """Also a label: what served then may not be what serves now."""
    with line(policy=UNANSWERED) as on:
        incident = on.respond(on.finding(image=None))
        on.world.edit("checkout", labels={"team": "shop"})
        expired(on)

        assert on.updates == ()
        assert phase(on, incident) == "waiting"
        assert "changed" in cautions(on, incident)


def test_firebreak_s_own_write_is_no_change_by_others_while_suspects_are_inferred(line: Lines) -> None:
    """It is made and not yet in effect; whoever carries on goes by what stood before."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(image=None)
        left_in_the_air(on, pair)
        incident = on.respond(pair)

        assert phase(on, incident) == "contained"
        assert len(on.updates) == 1
        assert set(on.reachable) == {GOOD}


def test_a_service_that_became_protected_while_a_question_waited_is_not_contained_at_its_expiry(line: Lines) -> None:
    config = "ceiling: enforce\nprotected: [{label: {tier: critical}}]"
    with line(policy=UNANSWERED, config=config) as on:
        incident = on.respond(on.finding())
        first = asked(on, incident)
        on.world.edit("checkout", labels={"tier": "critical"})
        expired(on)
        told = on.announced[-1]
        expired(on)

        assert on.updates == ()
        assert BAD in on.reachable
        assert first["cautions"] == []
        assert told["phase"] == "waiting"
        assert "protected" in str(told["question"]["cautions"])
        assert phase(on, incident) == "waiting"


EXPIRES_OTHERWISE: Mapping[str, tuple[Callable[[Line], object], str]] = {
    "a ceiling": (lambda on: deployed(on, UNANSWERED, config="ceiling: approve"), "ceiling"),
    "a protected project": (
        lambda on: deployed(on, UNANSWERED, config="ceiling: enforce\nprotected: [{project: shop-prod}]"),
        "protected",
    ),
}


@pytest.mark.parametrize("case", EXPIRES_OTHERWISE)
def test_nobody_s_answer_contains_nothing_that_a_guard_asks_about_at_the_expiry(line: Lines, case: str) -> None:
    """Nothing kept it from acting when the question was put; now something does."""
    happens, caution = EXPIRES_OTHERWISE[case]
    with line(policy=UNANSWERED) as on:
        incident = on.respond(on.finding())
        first = cautions(on, incident)
        happens(on)
        expired(on)

        assert first == set()
        assert on.updates == ()
        assert phase(on, incident) == "waiting"
        assert caution in cautions(on, incident)


def test_nobody_s_answer_needs_a_slot_for_every_region_or_writes_none(line: Lines) -> None:
    """Somebody else's containment took one of the two while the question waited."""
    world = two_regions(*THERE_TOO)
    world.add_service(
        {
            "name": BASKET,
            "updated": "-3h",
            "revisions": [revision("basket-1-good", 7, "-10d"), revision("basket-2-bad", 8, "-3h")],
        }
    )
    limits = "ceiling: enforce\nlimits: {per_project_per_hour: 2, per_hour: 9}"
    with line(world, config=limits, policy=ALWAYS) as on:
        deployed(on, for_severity("CRITICAL", ALWAYS), for_severity("HIGH", UNANSWERED), config=limits)
        incident = on.respond(on.finding(severity="HIGH"))
        on.respond(on.finding(finding_id="basket", workload="services/basket"))
        writes = len(on.updates)
        expired(on)

        assert writes == 1
        assert len(on.updates) == writes
        assert serving(on) == [[BAD], [OTHER_BAD]]
        assert phase(on, incident) == "waiting"
        assert "blast_radius" in cautions(on, incident)


def test_nobody_s_answer_that_a_halt_stops_is_asked_for_anew_once_it_is_lifted(line: Lines) -> None:
    """It was not shown the whole time what would run, nor could it be answered."""
    with line(policy=UNANSWERED) as on:
        incident = on.respond(on.finding())
        on.command("halt", reason="a drill")
        expired(on)
        stopped = phase(on, incident)
        on.command("resume")
        on.wait(A_SWEEP_LATER)
        on.sweep()

        assert stopped == "deferred"
        assert on.updates == ()
        assert phase(on, incident) == "waiting"
        assert agreed(on, incident).phase == "contained"


def test_a_question_whose_policy_is_gone_is_decided_by_today_s_policies(line: Lines) -> None:
    """A yes to what nobody wants any more carries out nothing."""
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        shown = asked(on, incident)["digest"]
        deployed(on, for_severity("LOW", APPROVED))
        answered = yes(on, incident, shown)

        assert not answered.done
        assert on.updates == ()
        assert phase(on, incident) == "declined"


@pytest.mark.parametrize("answer", ["a yes", "an expiry"])
def test_a_question_whose_policy_was_changed_shows_what_today_s_would_do(line: Lines, answer: str) -> None:
    cut = UNANSWERED.replace("pin_previous_revision, otherwise: [{action: cut_traffic}]", "cut_traffic")
    with line(policy=UNANSWERED) as on:
        incident = on.respond(on.finding())
        shown = asked(on, incident)["digest"]
        deployed(on, cut)
        if answer == "a yes":
            assert not yes(on, incident, shown).done
        else:
            expired(on)
        between = (phase(on, incident), len(on.updates))
        actions = [action for change in now(on, incident)["plan"]["changes"] for action in change["actions"]]
        yes(on, incident)

        assert between == ("waiting", 0)
        assert actions == ["cut_traffic"]
        assert phase(on, incident) == "contained"
        assert on.world.service("checkout").service.ingress == 4


def test_a_ceiling_lowered_to_monitor_while_a_question_waits_is_overruled_by_no_answer(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        shown = asked(on, incident)["digest"]
        deployed(on, APPROVED, config="ceiling: monitor")
        answered = yes(on, incident, shown)

        assert not answered.done
        assert on.updates == ()
        assert phase(on, incident) == "monitored"

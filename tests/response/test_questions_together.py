"""Incidents of one workload see each other's suspects, whichever is asked about, answered or closed; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from tests.laws.grounds import GROUNDS
from tests.response.answers import HALF_AN_HOUR, agreed, asked, now, phase, yes
from tests.response.deployments import APPROVED, UNANSWERED, deployed, for_severity
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, PIN_ONLY, REVISIONS, Line, Lines, revision, world_of
from tests.response.test_pools_and_jobs import split
from tests.response.test_several_regions import OTHER_BAD, OTHER_GOOD, serving
from tests.response.test_several_regions import world_of as two_regions

pytestmark = pytest.mark.thorough

HALVES = ({"revision": BAD, "percent": 50}, {"revision": GOOD, "percent": 50})
DAY = 86_400.0
OTHER_OLD = "checkout-00000-uso"


def on_bad(on: Line, **scene: Any) -> Incident:
    """A finding on the newest revision, which the good one would take over from."""
    return on.respond(on.finding(**{"finding_id": "bad", "minutes_ago": 2, **scene}))


def on_good(on: Line, **scene: Any) -> Incident:
    """A finding of its own on what would take over."""
    return on.respond(on.finding(**{"finding_id": "good", "image": 7, "minutes_ago": 1, **scene}))


def shares(on: Line) -> dict[str, int]:
    """What gets how many percent of the requests."""
    return {one.revision: one.percent for one in on.world.service("checkout").service.traffic_statuses if one.percent}


def plan_of(on: Line, incident: Incident) -> set[str]:
    """What the plan on the record would have served."""
    changes = now(on, incident)["plan"]["changes"]
    return {str(one["after"].get("service.traffic.split", "")) for one in changes}


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by image"])
def test_an_answer_to_a_question_does_not_lead_to_what_a_later_one_suspects(
    line: Lines,
    named: bool,  # noqa: FBT001 - a case
) -> None:
    """The plan that was shown before the other finding came is no good any more: it is asked about anew."""
    suspect = {"workload": f"services/checkout/revisions/{GOOD}"} if named else {}
    with line(world_of(traffic=HALVES), policy=APPROVED) as on:
        first = on_bad(on)
        second = on_good(on, **suspect)
        late = yes(on, first, asked(on, first)["digest"])
        between = (phase(on, first), set(on.reachable))
        agreed(on, first)
        closed = BAD not in on.reachable
        agreed(on, second)

        assert not late.done
        assert between == ("waiting", {BAD, GOOD})
        assert closed
        assert set(on.reachable) == {OLD}


def test_a_question_does_not_lead_to_what_an_earlier_one_suspects(line: Lines) -> None:
    """It knew that when it was put, and one answer is enough."""
    with line(world_of(traffic=HALVES), policy=APPROVED) as on:
        first = on_good(on)
        second = on_bad(on)
        answered = yes(on, second)
        between = shares(on)
        agreed(on, first)

        assert answered.done, answered.says
        assert between == {OLD: 50, GOOD: 50}
        assert shares(on) == {OLD: 100}


def test_a_question_from_before_the_other_finding_came_is_put_anew_when_it_is_answered(line: Lines) -> None:
    """What it showed would have led everybody to what the other suspects."""
    with line(policy=APPROVED) as on:
        on.world.set_traffic("checkout", {"latest": True, "percent": 100}, {"revision": GOOD, "tag": "stable"})
        first = on_bad(on)
        shown = (asked(on, first)["digest"], plan_of(on, first))
        on_good(on)
        late = yes(on, first, shown[0])
        between = (phase(on, first), on.updates)
        fresh = plan_of(on, first)
        answered = yes(on, first)

        assert shown[1] == {f"{GOOD}=100"}
        assert not late.done
        assert between == ("waiting", ())
        assert fresh == {f"{OLD}=100"}
        assert answered.done, answered.says
        assert shares(on) == {OLD: 100}


def test_an_expiry_does_not_lead_to_what_another_question_suspects(line: Lines) -> None:
    with line(world_of(traffic=HALVES), policy=UNANSWERED) as on:
        first = on_bad(on)
        on_good(on)
        on.wait(HALF_AN_HOUR)
        on.sweep()
        agreed(on, first)

        assert set(on.reachable) <= {OLD, GOOD}
        assert {one.revision: one.percent for one in on.world.service("checkout").service.traffic_statuses} == {
            OLD: 100
        }


@pytest.mark.parametrize("road", ["a message", "a yes", "an expiry"])
def test_a_refuge_that_is_lacking_only_because_another_incident_suspects_it_is_asked_about_and_nothing_is_cut(
    line: Lines, road: str
) -> None:
    """`otherwise` does not follow by itself; a person is shown who suspects what."""
    with line(world_of(REVISIONS[1:], HALVES), policy=ALWAYS) as on:
        decides = ALWAYS if road == "a message" else UNANSWERED
        deployed(on, for_severity("CRITICAL", decides), f"{for_severity('HIGH', APPROVED)}approve_within: 4h\n")
        if road == "a message":
            on_good(on, severity="HIGH")
            first = on_bad(on)
        else:
            first = on_bad(on)
            on_good(on, severity="HIGH")
        if road == "a yes":
            yes(on, first)
        elif road == "an expiry":
            on.wait(HALF_AN_HOUR)
            on.sweep()
        record = now(on, first)

        assert shares(on) == {BAD: 50, GOOD: 50}
        assert on.world.service("checkout").service.ingress == 1
        assert record["phase"] == "waiting"
        assert on.updates == ()
        assert GOOD in str([record["plan"]["refusals"], record["decision"]["caps"], record["history"]])


CLOSED: Mapping[str, tuple[Callable[[Line, Incident], object], float, str]] = {
    "rejected": (lambda on, incident: on.reject(incident, "a drill"), 0, GOOD),
    "closed as a false positive": (lambda on, incident: on.close(incident, "false_positive"), 0, GOOD),
    "closed as a true positive": (lambda on, incident: on.close(incident, "true_positive"), 0, OLD),
    "a true positive of 89 days ago": (lambda on, incident: on.close(incident, "true_positive"), 89 * DAY, OLD),
    "a true positive of 91 days ago": (lambda on, incident: on.close(incident, "true_positive"), 91 * DAY, GOOD),
}


@pytest.mark.parametrize("case", CLOSED)
def test_what_a_closed_incident_suspected_takes_over_again_only_where_it_was_no_true_positive(
    line: Lines, case: str
) -> None:
    """For ninety days. SCC has settled that finding long since, so nothing else speaks against it."""
    close, later, refuge = CLOSED[case]
    with line(policy=ALWAYS) as on:
        deployed(on, for_severity("CRITICAL", ALWAYS), for_severity("HIGH", APPROVED))
        on.world.set_traffic("checkout", {"latest": True, "percent": 100}, {"revision": GOOD, "tag": "stable"})
        other = on_good(on, severity="HIGH")
        close(on, other)
        on.world.findings[0]["finding"]["state"] = "INACTIVE"
        on.wait(later)
        incident = on_bad(on, minutes_ago=2 - later / 60)

        assert phase(on, other) in ("rejected", "closed")
        assert phase(on, incident) == "contained"
        assert "percent" in on.reachable.get(refuge, set())
        assert BAD not in on.reachable


def test_what_an_incident_that_does_not_count_names_may_take_over(line: Lines) -> None:
    """SCC holds no such finding: it waits by itself, and keeps nobody's traffic from a good revision."""
    with line(policy=PIN_ONLY) as on:
        on.world.set_traffic("checkout", {"latest": True, "percent": 100}, {"revision": GOOD, "tag": "stable"})
        forged = on_good(on, held=False, workload=f"services/checkout/revisions/{GOOD}")
        incident = on_bad(on)

        assert phase(on, incident) == "contained"
        assert on.reachable == {GOOD: {"percent", "tag stable"}}
        assert phase(on, forged) == "deferred"


def test_two_open_questions_on_one_worker_pool_see_each_other(line: Lines) -> None:
    with line(
        GROUNDS["worker_pool"].world(), policy=APPROVED.replace(", otherwise: [{action: cut_traffic}]", "")
    ) as on:
        on.world.edit_pool(
            "indexer",
            instance_splits=[{"type_": 2, "revision": f"indexer-0000{number}", "percent": 50} for number in (7, 8)],
        )
        first = on_bad(on, workload="workerPools/indexer")
        on_good(on, workload="workerPools/indexer")
        shown = asked(on, first)["digest"]
        late = yes(on, first, shown)
        between = split(on.world)
        agreed(on, first)

        assert not late.done
        assert between == {"indexer-00007": 50, "indexer-00008": 50}
        assert "indexer-00008" not in split(on.world)
        assert "indexer-00006" in split(on.world)


def test_two_open_questions_see_each_other_in_the_other_region_too(line: Lines) -> None:
    """There the other's suspect has another name, and the same image."""
    here = REVISIONS
    there = (
        revision(OTHER_OLD, 6, "-30d"),
        revision(OTHER_GOOD, 7, "-10d"),
        revision(OTHER_BAD, 8, "-3h"),
    )
    with line(two_regions(*there, here=here), policy=APPROVED) as on:
        for service, good in (("europe-west1", GOOD), ("us-east1", OTHER_GOOD)):
            on.world.set_traffic(
                f"projects/shop-prod/locations/{service}/services/checkout",
                {"latest": True, "percent": 100},
                {"revision": good, "tag": "stable"},
            )
        first = on_bad(on)
        on_good(on)
        late = yes(on, first, asked(on, first)["digest"])
        between = serving(on)
        agreed(on, first)

        assert not late.done
        assert between == [[BAD], [OTHER_BAD]]
        assert phase(on, first) == "contained"
        assert serving(on) == [[OLD], [OTHER_OLD]]


@pytest.mark.parametrize("order", [("bad", "good"), ("good", "bad")], ids=str)
def test_both_answered_in_either_order_and_both_released_end_where_they_began(
    line: Lines, order: tuple[str, str]
) -> None:
    with line(world_of(traffic=HALVES), policy=APPROVED) as on:
        incidents = {"bad": on_bad(on), "good": on_good(on)}
        for name in order:
            agreed(on, incidents[name])
        contained = set(on.reachable)
        for name in order:
            on.release(incidents[name])
            shown = on.shown(on.read(incidents[name]))["release"]
            on.release(incidents[name], digest=shown["digest"])

        assert contained == {OLD}
        assert [phase(on, one) for one in incidents.values()] == ["released", "released"]
        assert on.reachable == {BAD: {"percent"}, GOOD: {"percent"}}

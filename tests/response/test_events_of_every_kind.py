"""Suspects of several events add up on jobs, worker pools, service accounts and in further regions; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.world import World
from tests.laws.grounds import GROUNDS, POOL
from tests.response.answers import A_LEASE, agreed, asked, cut_short, delivered, left_in_the_air, phase, yes
from tests.response.deployments import APPROVED
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, Line, Lines, revision, world_of
from tests.response.test_one_gate_for_every_kind import STOPS, with_steps
from tests.response.test_pools_and_jobs import running, split
from tests.response.test_service_accounts import PAY, PAYMENTS, STEP, disabled
from tests.response.test_several_regions import OTHER_BAD, OTHER_GOOD, serving
from tests.response.test_several_regions import world_of as two_regions

pytestmark = pytest.mark.thorough

ALSO, OTHER_ALSO = "checkout-00009-also", "checkout-00003-usa"
WEB = "web@shop-prod.iam.gserviceaccount.com"


def pool_world() -> World:
    """Half of the instances run each of two revisions, and two older ones could take over."""
    given: dict[str, Any] = {
        "name": POOL,
        "instances": 4,
        "revisions": [
            revision(f"indexer-0000{number}", number, age)
            for number, age in ((5, "-40d"), (6, "-30d"), (7, "-5h"), (8, "-3h"))
        ],
        "splits": [{"revision": "indexer-00007", "percent": 50}, {"revision": "indexer-00008", "percent": 50}],
    }
    return world_of(worker_pools=[given])


def account_world() -> World:
    """Each of two serving revisions runs as an account of its own, and what could take over as a third."""
    revisions = (
        revision(GOOD, 7, "-10d", service_account=WEB),
        revision(BAD, 8, "-3h", service_account=PAY),
        revision(ALSO, 9, "-2h", service_account=PAYMENTS),
    )
    return world_of(
        revisions,
        ({"revision": BAD, "percent": 50}, {"revision": ALSO, "percent": 50}),
        service={"service_account": WEB},
        service_accounts=[{"email": one} for one in (PAY, PAYMENTS, WEB)],
    )


@dataclass(frozen=True)
class Kind:
    """Two events of one finding on a workload of this kind, and what both of them together leave."""

    world: Callable[[], World]
    steps: tuple[str, ...]
    first: Mapping[str, Any]
    second: Mapping[str, Any]
    seen: Callable[[Line], object]
    both: object


KINDS: Mapping[str, Kind] = {
    "two runs of a job by name": Kind(
        GROUNDS["job"].world,
        (STOPS,),
        {"workload": "jobs/nightly/executions/nightly-bad"},
        {"workload": "jobs/nightly/executions/nightly-two"},
        lambda on: running(on.world),
        {"nightly-other"},
    ),
    "two images of a job": Kind(
        GROUNDS["job"].world,
        (STOPS,),
        {"workload": "jobs/nightly", "image": 8},
        {"workload": "jobs/nightly", "image": 7},
        lambda on: running(on.world),
        set(),
    ),
    "two images of a worker pool": Kind(
        pool_world,
        ("{action: pin_previous_revision}",),
        {"workload": "workerPools/indexer", "image": 8},
        {"workload": "workerPools/indexer", "image": 7},
        lambda on: split(on.world),
        {"indexer-00006": 100},
    ),
    "two accounts": Kind(
        account_world,
        (STEP,),
        {"workload": f"services/checkout/revisions/{BAD}", "image": 8},
        {"workload": f"services/checkout/revisions/{ALSO}", "image": 9},
        disabled,
        {PAY, PAYMENTS},
    ),
}
WITHOUT_A_QUESTION = [kind for kind in KINDS if kind != "two accounts"]


@pytest.mark.parametrize("kind", KINDS)
def test_both_events_of_a_finding_are_asked_about_together_and_one_yes_contains_both(line: Lines, kind: str) -> None:
    one = KINDS[kind]
    with line(one.world(), policy=with_steps(APPROVED, *one.steps)) as on:
        untouched = one.seen(on)
        incident = on.respond(on.finding(minutes_ago=3, **one.first))
        first = asked(on, incident)
        on.respond(on.finding(minutes_ago=2, **one.second))
        late = yes(on, incident, first["digest"])
        between = one.seen(on)
        answered = yes(on, incident)

        assert not late.done
        assert between == untouched
        assert answered.done, answered.says
        assert one.seen(on) == one.both


@pytest.mark.parametrize("kind", WITHOUT_A_QUESTION)
def test_an_event_before_the_write_of_the_one_before_is_contained_with_it(line: Lines, kind: str) -> None:
    """A redelivery of the first, whose state SCC has replaced since, leaves out neither."""
    one = KINDS[kind]
    with line(one.world(), policy=with_steps(ALWAYS, *one.steps)) as on:
        first = on.finding(minutes_ago=3, **one.first)
        incident = cut_short(on, first)
        second = on.finding(minutes_ago=2, **one.second)
        delivered(on, first)
        delivered(on, second)

        assert agreed(on, incident).phase == "contained"
        assert one.seen(on) == one.both


@pytest.mark.parametrize("kind", [kind for kind in WITHOUT_A_QUESTION if "job" not in kind])
def test_an_event_while_the_write_of_the_one_before_takes_effect_is_decided_after_it(line: Lines, kind: str) -> None:
    one = KINDS[kind]
    with line(one.world(), policy=with_steps(ALWAYS, *one.steps)) as on:
        incident = left_in_the_air(on, on.finding(minutes_ago=3, **one.first))
        delivered(on, on.finding(minutes_ago=2, **one.second))
        for _ in range(3):
            on.wait(A_LEASE)
            on.sweep()

        assert agreed(on, incident).phase == "contained"
        assert one.seen(on) == one.both


@pytest.mark.parametrize("policy", [ALWAYS, APPROVED], ids=["enforced", "approved"])
def test_what_each_event_names_is_closed_by_its_image_in_the_other_region_too(line: Lines, policy: str) -> None:
    """Its revisions have names of their own there, and both of the bad builds have come there."""
    here = (revision(OLD, 6, "-30d"), revision(BAD, 8, "-3h"), revision(ALSO, 9, "-2h"))
    there = (
        revision(OTHER_GOOD, 6, "-30d"),
        revision(OTHER_BAD, 8, "-3h"),
        revision(OTHER_ALSO, 9, "-2h"),
    )
    with line(two_regions(*there, here=here), policy=policy) as on:
        for service, names in (("europe-west1", (BAD, ALSO)), ("us-east1", (OTHER_BAD, OTHER_ALSO))):
            halves = [{"revision": name, "percent": 50} for name in names]
            on.world.set_traffic(f"projects/shop-prod/locations/{service}/services/checkout", *halves)
        first = on.finding(workload=f"services/checkout/revisions/{BAD}", minutes_ago=3)
        incident = cut_short(on, first) if policy == ALWAYS else on.respond(first)
        on.respond(on.finding(workload=f"services/checkout/revisions/{ALSO}", image=9, minutes_ago=2))
        agreed(on, incident)

        assert phase(on, incident) == "contained"
        assert serving(on) == [[OLD], [OTHER_GOOD]]


def test_an_event_that_a_region_alone_can_place_does_not_take_the_other_regions_suspect_away(line: Lines) -> None:
    """The second names what has not come to the other region; what the first named there stays closed."""
    here = (revision(OLD, 6, "-30d"), revision(BAD, 8, "-3h"), revision(ALSO, 9, "-2h"))
    there = (revision(OTHER_GOOD, 6, "-30d"), revision(OTHER_BAD, 8, "-3h"))
    with line(two_regions(*there, here=here), policy=APPROVED) as on:
        on.world.set_traffic(
            "projects/shop-prod/locations/europe-west1/services/checkout",
            {"revision": BAD, "percent": 50},
            {"revision": ALSO, "percent": 50},
        )
        incident = on.respond(on.finding(minutes_ago=3))
        on.respond(on.finding(image=9, minutes_ago=2))
        agreed(on, incident)

        assert phase(on, incident) == "contained"
        assert serving(on) == [[OLD], [OTHER_GOOD]]

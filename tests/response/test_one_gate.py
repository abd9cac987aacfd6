"""Every road to a write passes one gate, which asks every guard about every region of the plan; over the wire."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

import pytest

from sandbox.wire import Fault
from tests.response.answers import agreed, asked, cautions, now, phase, yes
from tests.response.harness import BAD, GOOD, SERVICE, Line, Lines
from tests.response.roads import ROADS, Happens, pairs
from tests.response.test_several_regions import (
    ELSEWHERE,
    OTHER_BAD,
    OTHER_GOOD,
    THERE,
    THERE_TOO,
    ingress,
    serving,
    world_of,
)

LABELLED = "ceiling: enforce\nprotected: [{label: {tier: critical}}]"
UNTOUCHED = [[BAD], [OTHER_BAD]]


def critical(service: str) -> Happens:
    """Somebody says that this one is critical."""
    return lambda on: on.world.edit(service, labels={"tier": "critical"})


def denied_there(on: Line) -> None:
    on.sandbox.wire.inject(Fault("*/GetService", "error", "PERMISSION_DENIED", routed=f"*{THERE}*", times=None))


def rolled_back_there(on: Line) -> None:
    on.world.set_traffic(ELSEWHERE, {"revision": OTHER_GOOD, "percent": 100})


def mended_there(on: Line) -> None:
    """The fix goes out region by region, and has come there first."""
    on.world.deploy(ELSEWHERE, {"name": "checkout-00003-usf", "image": 9})


def written(on: Line, region: str) -> int:
    """How many updates this region's service took."""
    routed = f"*/locations/{region}/*"
    return sum(fnmatch.fnmatchcase(one.request.service.name, routed) and one.status == "OK" for one in on.updates)


OWN_PROTECTED = critical(SERVICE)
GUARDS: Mapping[str, tuple[Happens, str]] = {
    "the finding's own region is protected": (OWN_PROTECTED, "protected"),
    "the other region is protected": (critical(ELSEWHERE), "protected"),
    "the other region is denied": (denied_there, "regions"),
}


@pytest.mark.parametrize(("road", "guard"), pairs(ROADS, tuple(GUARDS)))
def test_what_a_guard_asks_about_any_region_stops_every_road_to_a_write(line: Lines, road: str, guard: str) -> None:
    """A person is asked and told why, and until they answer neither region is closed in any way."""
    happens, caution = GUARDS[guard]
    then = []

    def comes(on: Line) -> None:
        happens(on)
        then.append((serving(on), ingress(on)))

    with line(world_of(*THERE_TOO), policy=ROADS[road].policy, config=LABELLED) as on:
        incident = ROADS[road].walk(on, on.finding(), comes)

        # A person's update puts in force what was written there before it and had failed to.
        pinned = road == "otherwise" and happens is OWN_PROTECTED
        assert then[-1] == ([[GOOD], [OTHER_BAD]] if pinned else UNTOUCHED, [1, 1])
        assert (serving(on), ingress(on)) == then[-1]
        assert phase(on, incident) == "waiting"
        assert caution in cautions(on, incident)
        assert on.announced[-1]["question"]["digest"] == asked(on, incident)["digest"]


@pytest.mark.parametrize("road", ROADS)
def test_a_yes_to_the_question_that_names_the_caution_is_carried_out_in_both_regions(line: Lines, road: str) -> None:
    with line(world_of(*THERE_TOO), policy=ROADS[road].policy, config=LABELLED) as on:
        incident = ROADS[road].walk(on, on.finding(), critical(ELSEWHERE))
        between = serving(on)
        answered = yes(on, incident)

        assert between == UNTOUCHED
        assert answered.done, answered.says
        assert phase(on, incident) == "contained"
        assert serving(on)[1] == [OTHER_GOOD]
        assert serving(on)[0] == [GOOD] or ingress(on)[0] != 1
        assert ingress(on)[1] == 1


@pytest.mark.parametrize(
    ("road", "happens"),
    pairs(
        [name for name in ROADS if name != "closing again"],
        (rolled_back_there, mended_there),
        ("rolled back there", "mended there"),
    ),
)
def test_a_region_that_somebody_made_healthy_is_written_by_no_road(line: Lines, road: str, happens: Happens) -> None:
    """Neither pinned nor cut: it has no suspect any more.

    Where it is as the plan that was shown would leave it, that part is done; where it is not, a person is asked anew.
    """
    with line(world_of(*THERE_TOO), policy=ROADS[road].policy) as on:
        incident = ROADS[road].walk(on, on.finding(), happens)
        theirs = serving(on)[1]
        asks = (phase(on, incident), serving(on)[0], ingress(on)[0])
        agreed(on, incident)

        if ROADS[road].asks and happens is mended_there:
            assert asks == ("waiting", [BAD], 1)
        assert phase(on, incident) == "contained"
        assert serving(on)[0] == [GOOD] or ingress(on)[0] != 1
        assert serving(on)[1] == theirs
        assert ingress(on)[1] == 1
        assert written(on, THERE) == 0
        assert any(THERE in text for text in now(on, incident)["still_open"])


@pytest.mark.parametrize("road", ["a redelivery", "a sweep after a death", "an approval", "an expiry"])
def test_a_region_that_the_bad_build_reaches_meanwhile_is_contained_too(line: Lines, road: str) -> None:
    """The bad build goes out region by region: when the plan was drawn it had not come there."""
    with line(world_of(THERE_TOO[0]), policy=ROADS[road].policy) as on:
        incident = ROADS[road].walk(on, on.finding(), lambda on: on.world.deploy(ELSEWHERE, THERE_TOO[1]))
        between = serving(on)
        agreed(on, incident)

        assert between == (UNTOUCHED if ROADS[road].asks else [[GOOD], [OTHER_GOOD]])
        assert phase(on, incident) == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]

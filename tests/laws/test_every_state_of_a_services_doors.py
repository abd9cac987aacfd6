"""Every state of a service's doors, asked of the sandbox's oracle: what stays open is what the record says."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import responders
from firebreak.adapters.cloud_run.reading import workload_of
from firebreak.core.actions.case import edit_context
from firebreak.core.actions.residual_exposure import still_open
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.target import Target
from sandbox.cloud_run.reach import Way, who_can_reach
from sandbox.world import World
from tests.laws.test_actions_over_the_wire import policy
from tests.response.harness import BAD, GOOD, OLD, Lines, world_of

TARGET = Target("shop-prod", "europe-west1", "service", "checkout", project_id="shop-prod")
SUSPECTS = frozenset({BAD, OLD})
UNTIL = {"title": "until", "expression": "request.time < timestamp('2027-01-01T00:00:00Z')"}
INGRESS = ("all", "internal", "internal-and-cloud-load-balancing", "none")
ACCESS: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"role": "roles/run.invoker", "members": ["allAuthenticatedUsers", "user:ann@shop.example"]}],
    [{"role": "organizations/1/roles/own", "members": ["allUsers"], "condition": UNTIL}],
    [{"role": "roles/run.viewer", "members": ["allUsers"]}],
)
TRAFFIC: tuple[tuple[dict[str, Any], ...], ...] = (
    ({"latest": True, "percent": 100},),
    ({"revision": GOOD, "percent": 100},),
    ({"revision": GOOD, "percent": 60}, {"revision": OLD, "percent": 40, "tag": "old"}),
)
TAGS: tuple[tuple[dict[str, Any], ...], ...] = (
    (),
    ({"revision": BAD, "tag": "canary"},),
    ({"latest": True, "tag": "next"}, {"revision": BAD, "tag": "canary"}),
)
SCALING: tuple[dict[str, int], ...] = ({"min": 0, "max": 10}, {"instances": 0})

FROM = {"internet": "the internet", "load_balancer": "load balancers", "internal": "the project's own networks"}
BY = {"anyone": "anybody", "any_account": "any Google account", "named": "members with a grant of their own"}


def every_state() -> Iterator[dict[str, Any]]:
    doors = itertools.product(INGRESS, ACCESS, (False, True), (False, True), TRAFFIC, TAGS, SCALING)
    for ingress, access, unchecked, no_address, traffic, tags, scaling in doors:
        yield {
            "ingress": ingress,
            "public": False,
            "iam": access,
            "invoker_iam_disabled": unchecked,
            "default_uri_disabled": no_address,
            "traffic": [*traffic, *tags],
            "scaling": scaling,
        }


def told(ways: frozenset[Way]) -> set[str]:
    """The oracle's answer as sentences, put together here and not by the code under test."""
    by_revision: defaultdict[str, list[Way]] = defaultdict(list)
    for way in ways:
        by_revision[way.revision].append(way)
    return {
        f"suspect {name} can still be reached from {_where(own)} by {_who(own)}: {_how(own)}"
        for name, own in by_revision.items()
    }


def _where(ways: list[Way]) -> str:
    return _joined([word for key, word in FROM.items() if any(way.origin == key for way in ways)])


def _who(ways: list[Way]) -> str:
    return _joined([word for key, word in BY.items() if any(way.caller == key for way in ways)])


def _how(ways: list[Way]) -> str:
    shares = [f"{one} % of the traffic" for one in sorted({way.percent for way in ways if way.percent})]
    return _joined(shares + [f"tag {one}" for one in sorted({way.tag for way in ways if way.tag})])


def _joined(words: list[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def of_suspects(world: World) -> frozenset[Way]:
    return frozenset(way for way in who_can_reach(world, "checkout") if way.revision in SUSPECTS)


def said(texts: Any) -> set[str]:
    return {text for text in texts if text.startswith("suspect ")}


def test_what_is_said_to_be_open_is_what_the_oracle_finds_open_in_every_state() -> None:
    """No way is forgotten, and none is made up."""
    answers: Counter[bool] = Counter()
    different: set[str] = set()
    for service in every_state():
        world = world_of(service=service)
        local = world.service("checkout")
        workload = workload_of(TARGET, local.service, local.revisions, local.policy)
        lines = still_open(workload, edit_context(TARGET, Suspicion("named", SUSPECTS, "given"), workload))
        expected = told(of_suspects(world))
        answers[bool(expected)] += 1
        different |= expected

        assert said(lines) == expected, service
    assert min(answers.values()) > 100
    assert len(different) > 30


WIDE_OPEN = {
    "traffic": [{"revision": GOOD, "percent": 50}, {"latest": True, "percent": 50}, {"revision": BAD, "tag": "canary"}],
    "scaling": {"min": 0, "max": 10},
    "service_account": "pay@shop-prod.iam.gserviceaccount.com",
}


@pytest.mark.parametrize("name", sorted(name for name, one in responders.discover().items() if "service" in one.kinds))
def test_the_record_of_each_action_says_just_what_the_oracle_still_finds_open(tmp_path: Path, name: str) -> None:
    """From a service open in every way, through the whole line."""
    accounts = [{"email": WIDE_OPEN["service_account"]}]
    with Lines(tmp_path)(world_of(service=WIDE_OPEN, service_accounts=accounts), policy=policy(name)) as on:
        incident = on.respond(on.finding())
        if incident.phase == "waiting":
            on.approve(incident)
            incident = on.read(incident)

        assert incident.phase == "contained"
        assert said(incident.still_open) == told(of_suspects(on.world))

"""What a message alone says moves nothing; what SCC has moved past is decided as SCC holds it now."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from sandbox.blueprint import digest_of
from sandbox.scc.notification_variants import inactive, muted
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from tests.response.conversation import (
    APPROVE,
    alerts,
    asked,
    cautions,
    later,
    now,
    phase,
    reasons,
    say,
    told,
    writes,
)
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, Line, Lines

pytestmark = pytest.mark.thorough

DENIED = Fault("*/UpdateService", "error", code="PERMISSION_DENIED", times=None)


def at(minutes_ago: float) -> str:
    time = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes_ago)
    return time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def told_otherwise(pair: Pair, minutes_ago: float, revision: str = "", image: int | None = None) -> Pair:
    """The same finding as a message tells it: at another time, and perhaps on another revision or image."""
    forged = copy.deepcopy(pair)
    forged["finding"]["eventTime"] = at(minutes_ago)
    if revision:
        for part, key in (("finding", "resourceName"), ("resource", "name")):
            forged[part][key] = f"{forged[part][key]}/revisions/{revision}"
    if image is not None:
        forged["finding"]["containers"][0]["imageId"] = digest_of(image)
    return forged


FORGED: Mapping[str, Callable[[Pair], bytes]] = {
    "on the refuge": lambda pair: notification_v2(told_otherwise(pair, 0, GOOD, 7)),
    "muted": lambda pair: notification_v2(muted(told_otherwise(pair, 0))),
    "inactive": lambda pair: notification_v2(inactive(told_otherwise(pair, 0))),
    "deleted": lambda pair: notification_v2(told_otherwise(pair, 0), deleted=True),
}
STATES: Mapping[str, Mapping[str, Any]] = {
    "contained": {"policy": ALWAYS},
    "waiting": {"policy": APPROVE},
    "failed": {"policy": ALWAYS},
}


def brought_to(on: Line, state: str, pair: Pair) -> Incident:
    if state == "failed":
        on.sandbox.wire.inject(DENIED)
    incident = on.respond(pair)
    on.sandbox.wire.clear_faults()
    assert incident.phase == state
    return incident


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("forged", FORGED)
def test_a_later_event_that_scc_does_not_hold_moves_nothing(line: Lines, state: str, forged: str) -> None:
    """No phase, no question, no traffic, and nothing that a person could do is taken away."""
    with line(**STATES[state]) as on:
        pair = on.finding(minutes_ago=5)
        incident = brought_to(on, state, pair)
        before = asked(on, incident), on.reachable, len(writes(on)), told(on, incident)
        on.respond(FORGED[forged](pair))
        on.sweep()
        after = asked(on, incident), on.reachable, len(writes(on)), told(on, incident)
        still = phase(on, incident)
        does = {"contained": "release", "waiting": "approve", "failed": "retry"}[state]
        answered = say(on, does, incident)

        assert still == state
        assert after == before
        assert answered.done, answered.says
        assert set(on.reachable) == ({BAD} if state == "contained" else {GOOD})


def test_a_forged_event_of_two_hours_ago_does_not_make_the_real_one_stale(line: Lines) -> None:
    """Whichever comes first: staleness goes by the newest event that counts."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(held=False)
        first = on.respond(told_otherwise(pair, 120))
        before = phase(on, first), bool(alerts(on, ""))
        put_finding(on.world, pair["finding"], pair["resource"])
        on.wait(30)
        incident = on.respond(pair)

        assert before == ("deferred", True)
        assert incident.phase == "contained"
        assert "stale" not in cautions(on, incident)
        assert set(on.reachable) == {GOOD}


def test_an_event_that_scc_has_passed_is_decided_as_scc_holds_it(line: Lines) -> None:
    """The message of two hours ago comes first; the finding is of a minute ago, and its own message changes nothing."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(minutes_ago=1)
        first = on.respond(told_otherwise(pair, 120))
        second = on.respond(pair)

        assert phase(on, first) == "contained"
        assert second.id == first.id
        assert cautions(on, first) == set()
        assert told(on, first) == ["contained"]
        assert len(writes(on)) == 1


@pytest.mark.parametrize(
    ("revision", "image", "named"),
    [(GOOD, 7, GOOD), (OLD, 6, OLD), ("", 7, digest_of(7))],
    ids=["refuge", "old", "image"],
)
def test_the_revision_that_only_such_a_message_names_is_not_moved_but_asked_about(
    line: Lines, revision: str, image: int, named: str
) -> None:
    """After what counts was done; a no leaves the containment as it is."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(minutes_ago=1)
        incident = on.respond(told_otherwise(pair, 30, revision, image))
        moved, asks = on.reachable, phase(on, incident)
        shown = str(now(on, incident)["question"]) + reasons(on, incident)
        rejected = say(on, "reject", incident)

        assert set(moved) == {GOOD}
        assert len(writes(on)) == 1
        assert now(on, incident)["stands"]
        assert asks == "waiting"
        assert named in shown
        assert rejected.done, rejected.says
        assert phase(on, incident) == "contained"
        assert set(on.reachable) == {GOOD}


def test_a_message_that_scc_has_passed_and_that_names_the_same_asks_nothing(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        pair = on.finding(minutes_ago=1, workload=f"services/checkout/revisions/{BAD}")
        incident = on.respond(told_otherwise(pair, 30))

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]


def test_an_event_that_scc_holds_late_is_decided_then(line: Lines) -> None:
    """Until then it waited beside what stands; it names the refuge, so a person is asked."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(minutes_ago=5)
        incident = on.respond(pair)
        real = told_otherwise(pair, 0, GOOD, 7)
        on.respond(real)
        before = phase(on, incident), told(on, incident)
        put_finding(on.world, real["finding"], real["resource"])
        later(on, 10)

        assert before == ("contained", ["contained"])
        assert phase(on, incident) == "waiting"
        assert {GOOD, BAD} <= set(now(on, incident)["decision"]["suspects"])
        assert len(writes(on)) == 1


@pytest.mark.parametrize("differs", ["workload", "category"])
def test_a_message_that_differs_from_what_scc_holds_leads_to_no_write_however_it_is_dated(
    line: Lines, differs: str
) -> None:
    """Another time, process or container is no difference; another workload or category is."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(minutes_ago=1)
        forged = told_otherwise(pair, 30)
        if differs == "workload":
            for part, key in (("finding", "resourceName"), ("resource", "name")):
                forged[part][key] = forged[part][key].replace("checkout", "basket")
        else:
            on.world.findings[0]["finding"]["category"] = "Unexpected Child Shell"
        incident = on.respond(forged)

        assert incident.phase not in ("contained", "waiting")
        assert writes(on) == []

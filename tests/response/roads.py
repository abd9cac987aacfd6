"""Every road that leads to a write, walked up to the write, where something happens, and then to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from sandbox.cloud_run.local_service import traffic_target
from sandbox.scc.notifications import Pair
from sandbox.wire import Fault
from tests.response.answers import (
    A_LEASE,
    HALF_AN_HOUR,
    WRITES,
    cut_short,
    delivered,
    left_in_the_air,
    no,
    yes,
)
from tests.response.deployments import APPROVED, UNANSWERED
from tests.response.harness import ALWAYS, Line

A_SWEEP_LATER = 301.0

Happens = Callable[[Line], object]
"""Something that comes between: a person's change, an outage, a label."""
Walk = Callable[[Line, Pair, Happens], Incident]


@dataclass(frozen=True)
class Road:
    """A policy, and how a finding comes to its write under it.

    `asks` says that a person was shown the plan, or is to be, so that another one needs a new question.
    """

    policy: str
    walk: Walk
    asks: bool = False


def message(on: Line, pair: Pair, happens: Happens) -> Incident:
    """It has happened before the message comes."""
    happens(on)
    return on.respond(pair)


def redelivery(on: Line, pair: Pair, happens: Happens) -> Incident:
    """The first delivery had the plan saved and could not write."""
    incident = cut_short(on, pair)
    happens(on)
    delivered(on, pair)
    return incident


def sweep_after_a_death(on: Line, pair: Pair, happens: Happens) -> Incident:
    """Nobody delivers the message again."""
    incident = cut_short(on, pair)
    happens(on)
    on.wait(A_LEASE)
    on.sweep()
    return incident


def drawn_anew(on: Line, pair: Pair, happens: Happens) -> Incident:
    """Somebody gives the suspect a tag besides, so that the saved plan is not what is to be written any more."""
    incident = cut_short(on, pair)
    local = on.world.service(incident.finding.target.resource)  # type: ignore[union-attr]
    on.world.edit(
        local.service.name, traffic=[*local.service.traffic, traffic_target({"latest": True, "tag": "debug"})]
    )
    happens(on)
    delivered(on, pair)
    return incident


def otherwise(on: Line, pair: Pair, happens: Happens) -> Incident:
    """The first change is accepted, and its operation ends in an error after the delivery has gone."""
    on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
    incident = left_in_the_air(on, pair)
    happens(on)
    delivered(on, pair)
    return incident


def lifted_halt(on: Line, pair: Pair, happens: Happens) -> Incident:
    """It came while everything was halted, and a sweep takes it up."""
    on.command("halt", reason="a drill")
    incident = on.respond(pair)
    happens(on)
    on.command("resume")
    on.wait(A_SWEEP_LATER)
    on.sweep()
    return incident


def retry(on: Line, pair: Pair, happens: Happens) -> Incident:
    """Cloud Run denied the write; a person has it decided anew once that is mended."""
    on.sandbox.wire.inject(*(Fault(method, "error", code="PERMISSION_DENIED", times=None) for method in WRITES))
    incident = on.respond(pair)
    on.sandbox.wire.clear_faults()
    happens(on)
    on.retry(incident)
    return incident


def approval(on: Line, pair: Pair, happens: Happens) -> Incident:
    """A person approves what they saw before."""
    incident = on.respond(pair)
    happens(on)
    yes(on, incident)
    return incident


def expiry(on: Line, pair: Pair, happens: Happens) -> Incident:
    """Nobody answers, and the policy says to contain then."""
    incident = on.respond(pair)
    happens(on)
    on.wait(HALF_AN_HOUR)
    on.sweep()
    return incident


def retry_after_a_no(on: Line, pair: Pair, happens: Happens) -> Incident:
    """A person rejected it, and another one has it decided anew."""
    incident = on.respond(pair)
    no(on, incident)
    happens(on)
    on.retry(incident, "bob")
    return incident


def closing_again(on: Line, pair: Pair, happens: Happens) -> Incident:
    """A pipeline opened again what was contained, and a person agrees to close it once more."""
    incident = on.respond(pair)
    for name in on.world.services:
        on.world.set_traffic(name, {"latest": True, "percent": 100})
    on.wait(A_SWEEP_LATER)
    on.sweep()
    happens(on)
    yes(on, incident)
    return incident


ROADS: Mapping[str, Road] = {
    "a message": Road(ALWAYS, message),
    "a redelivery": Road(ALWAYS, redelivery),
    "a sweep after a death": Road(ALWAYS, sweep_after_a_death),
    "a plan drawn anew": Road(ALWAYS, drawn_anew),
    "otherwise": Road(ALWAYS, otherwise),
    "a lifted halt": Road(ALWAYS, lifted_halt),
    "a retry": Road(ALWAYS, retry),
    "an approval": Road(APPROVED, approval, asks=True),
    "an expiry": Road(UNANSWERED, expiry, asks=True),
    "a retry after a no": Road(APPROVED, retry_after_a_no, asks=True),
    "closing again": Road(ALWAYS, closing_again, asks=True),
}
OF_SERVICES = ("otherwise", "a plan drawn anew", "closing again")
"""What happens on these roads happens to a service."""


def pairs(rows: Iterable[Any], columns: Sequence[Any], ids: Sequence[str] = ()) -> list[Any]:
    """Each row with each column, of which there are fewer: `make test` has every one of both, the rest is thorough."""
    named = [*(ids or columns)]
    return [
        pytest.param(
            row,
            column,
            id=f"{row}-{named[across]}",
            marks=() if (down + across) % len(columns) == 0 else pytest.mark.thorough,
        )
        for down, row in enumerate(rows)
        for across, column in enumerate(columns)
    ]

"""Every reading x {denied, unreadable for 15 s, empty once} x every moment: these are three different things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.response import pipeline
from sandbox.wire import Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS
from tests.response.conversation import PIN_AND_CLOSE, asking, cautions, deliver, doing, order, phase, writes
from tests.response.harness import PIN_ONLY, Line, Lines, world_of
from tests.response.test_service_accounts import world_of as world_of_accounts
from tests.response.test_several_regions import THERE_TOO
from tests.response.test_several_regions import world_of as two_regions

How = Literal["denied", "unreadable", "empty"]
Moment = Literal["first event", "later event", "approval", "expiry", "release"]
HOWS: tuple[How, ...] = ("denied", "unreadable", "empty")
MOMENTS: tuple[Moment, ...] = ("first event", "later event", "approval", "expiry", "release")
BUDGET = 1.5
"""Seconds of a delivery or sweep: what is away is waited for no longer, and the application's clock has 15 s for it."""


@dataclass(frozen=True)
class Reading:
    """One call that a decision rests on.

    `of` is what it reads: the finding in SCC, other findings there, the target's own settings, those in a further
    region, who may call it, or the account that it runs as. Of the last two a step of the plan alone depends.
    """

    method: str
    of: Literal["finding", "related", "target", "region", "callers", "account"]
    asked: str = "*"

    def faults(self, how: How) -> Fault:
        if how == "empty":
            return Fault(self.method, "empty", asked=self.asked)
        code = "PERMISSION_DENIED" if how == "denied" else "UNAVAILABLE"
        return Fault(self.method, "error", code=code, asked=self.asked, times=None)


FIND = Reading("*/ListFindings", "finding", "*name = *")
RELATED = Reading("*/ListFindings", "related", "*resource_name*")
CALLERS = Reading("*/GetIamPolicy", "callers")
STOP_AND_BLOCK = doing("{action: cancel_executions, accept_irreversible: true}", "{action: block_runs}")


@dataclass(frozen=True)
class Workload:
    """A kind of workload: its world, the finding's resource, a policy for it, and what is read of it."""

    world: Callable[[], World]
    resource: str
    policy: str
    readings: tuple[Reading, ...]


WORKLOADS = {
    "service": Workload(
        world_of,
        "services/checkout",
        PIN_AND_CLOSE,
        (Reading("*/GetService", "target"), Reading("*/ListRevisions", "target"), CALLERS, FIND, RELATED),
    ),
    "pool": Workload(
        GROUNDS["worker_pool"].world,
        GROUNDS["worker_pool"].workload,
        PIN_ONLY,
        (Reading("*/GetWorkerPool", "target"), Reading("*/ListRevisions", "target"), FIND, RELATED),
    ),
    "job": Workload(
        GROUNDS["job"].world,
        GROUNDS["job"].workload,
        STOP_AND_BLOCK,
        (Reading("*/GetJob", "target"), Reading("*/ListExecutions", "target"), CALLERS, FIND, RELATED),
    ),
    "regions": Workload(
        lambda: two_regions(*THERE_TOO),
        "services/checkout",
        PIN_ONLY,
        (Reading("*/GetService", "region", "*us-east1*"),),
    ),
    "account": Workload(
        world_of_accounts,
        "services/checkout",
        doing("{action: pin_previous_revision}", "{action: disable_service_account}"),
        (Reading("*/GetServiceAccount", "account"),),
    ),
}


@dataclass(frozen=True)
class End:
    """How it ends: the phase, what was announced from the fault on, and what of the question on record is a caution."""

    phase: str
    told: tuple[str, ...]
    caution: str = ""


def end_of(name: str, reading: Reading, how: How, moment: Moment) -> End:
    """By the contract: what is away or empty costs a delivery; what is denied is said at once, and the rest goes on."""
    if moment == "release":
        return _end_of_release(name, reading, how)
    if reading.of == "account" and (how == "denied" or moment != "approval"):
        return End("waiting", ("waiting",), "shared")  # what others use too is for a person to say, on what is shown
    return _end_of_denied(name, reading, moment) if how == "denied" else End("contained", ("contained",))


def _end_of_denied(name: str, reading: Reading, moment: Moment) -> End:
    if reading.of == "target":
        return End("failed", ("failed",))
    if reading.of == "callers":
        # What was shown had the step in it: another plan is another question.
        new = moment in ("approval", "expiry")
        return End("waiting" if new else "contained", ("waiting" if new else "contained",))
    nothing_turns = reading.of == "related" and name == "job"
    if moment == "later event" or nothing_turns:
        return End("contained", ("contained",))  # nothing new is to be closed, and nobody is asked about nothing
    return End("waiting", ("waiting",), {"related": "refuge", "region": "regions"}.get(reading.of, "unconfirmed"))


def _end_of_release(name: str, reading: Reading, how: How) -> End:
    """A person's release asks SCC about nothing; what is refused stays held, and holds up nothing else."""
    if reading.of == "account" and how != "empty":
        return End("contained", ("contained",))  # not reached, and what runs as a disabled account takes no update
    if reading.of == "region" and how != "empty":
        return End("releasing", ("releasing",))  # it stays held, and the other one is restored
    if how != "denied" or reading.of == "finding":
        return End("released", ("released",))
    if reading.of == "target":
        return End("contained", ())
    if name == "job":
        return End("contained", ("contained",))  # a run that was cancelled cannot come back: nothing else is restored
    return End("releasing", ("releasing",))


def cells() -> Iterator[tuple[str, Reading, How, Moment]]:
    for name, workload in WORKLOADS.items():
        for reading in workload.readings:
            for how in HOWS:
                for moment in MOMENTS[: -1 if reading.of == "related" else None]:  # no release asks for those
                    yield name, reading, how, moment


def _id(cell: tuple[str, Reading, How, Moment]) -> str:
    name, reading, how, moment = cell
    what = f"{reading.method[2:]} of {reading.of}" if reading.of == "related" else reading.method[2:]
    return f"{name}-{what}-{how}-{moment}"


def at(moment: Moment, on: Line, resource: str) -> tuple[Incident | None, Callable[[], object]]:
    """What happens before, and then what meets the fault, which may be tried again."""
    pair = on.finding(workload=resource, minutes_ago=5)
    if moment == "first event":
        return None, lambda: on.respond(pair)
    incident = on.respond(pair)
    if moment == "release" and incident.phase == "waiting":
        assert on.approve(incident).done
    if moment == "later event":
        again = on.finding(workload=resource, minutes_ago=1)
        return incident, lambda: on.respond(again)
    on.wait(1790 if moment == "approval" else 1801)
    if moment == "expiry":
        return incident, on.sweep
    command = order(on, "approve" if moment == "approval" else "release", incident)
    return incident, lambda: deliver(on, command)


@pytest.mark.thorough
@pytest.mark.parametrize("cell", [pytest.param(one, id=_id(one)) for one in cells()])
def test_denied_away_and_empty_are_three_different_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: tuple[str, Reading, How, Moment]
) -> None:
    """Not one of them makes a step vanish, ends what may pass, or costs ten minutes that would not help."""
    name, reading, how, moment = cell
    workload = WORKLOADS[name]
    asks = moment in ("approval", "expiry")
    policy = asking(workload.policy) if asks else workload.policy
    monkeypatch.setattr(pipeline, "BUDGET_SECONDS", BUDGET)
    with Lines(tmp_path)(
        workload.world(), policy=f"{policy}on_expiry: contain\n" if moment == "expiry" else policy
    ) as on:
        _, act = at(moment, on, workload.resource)
        before, wrote = len(on.announced), len(writes(on))
        on.sandbox.wire.inject(reading.faults(how))
        acknowledged = _done(act)
        meanwhile = len(writes(on))
        if how == "unreadable":
            on.sandbox.wire.clear_faults()
            on.wait(15)
        if not acknowledged or moment == "expiry":
            on.wait(31)
            _done(act)
        incident = next(on.app.ledger.newest(1)).incident
        end = end_of(name, reading, how, moment)

        assert phase(on, incident) == end.phase, on.read(incident).history[-1].what
        assert tuple(one["phase"] for one in on.announced[before:]) == end.told
        assert end.caution in {one.partition(":")[0] for one in cautions(on, incident)} | {""}
        elsewhere = reading.of in {"finding", "account"} or (reading.of == "region" and moment == "release")
        if how == "unreadable" and not elsewhere:
            assert meanwhile == wrote, "nothing is written on what could not be read"
        if end.phase == "contained" and moment != "release" and how == "denied" and reading.of == "callers":
            assert any("PERMISSION_DENIED" in one for one in on.read(incident).still_open)


def _done(act: Callable[[], object]) -> bool:
    """Whether it was acknowledged; else it is delivered again."""
    try:
        act()
    except Transient:
        return False
    return True

"""What a record asks, how a person answers it, and what an outage does: for tests over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.response import pipeline
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.wire import Call, Refusal
from tests.response.harness import Line, Told

HALF_AN_HOUR = 1801.0
A_LEASE = 31.0
A_BUDGET = 5.0
MOST_ANSWERS = 4
WRITES = ("*/UpdateService", "*/UpdateWorkerPool", "*/SetIamPolicy", "*/CancelExecution", "*/DisableServiceAccount")
"""Every method that contains something."""


def now(on: Line, incident: Incident) -> dict[str, Any]:
    """The incident's record as it is now."""
    return on.shown(on.read(incident))


def phase(on: Line, incident: Incident) -> str:
    return str(now(on, incident)["phase"])


def asked(on: Line, incident: Incident) -> dict[str, Any]:
    """The question on the record: the open one, or the last one; with nothing in it where none was ever put."""
    return {"digest": "", "cautions": [], "events": [], "expires": "", **(now(on, incident)["question"] or {})}


def cautions(on: Line, incident: Incident) -> set[str]:
    """The names of what the question warns of."""
    return {str(one).partition(":")[0] for one in asked(on, incident)["cautions"]}


def yes(on: Line, incident: Incident, digest: str | None = None) -> Told:
    """A person approves the question of that digest; without one, what is asked now."""
    return on.command("approve", incident, digest=asked(on, incident)["digest"] if digest is None else digest)


def no(on: Line, incident: Incident, digest: str | None = None) -> Told:
    """A person rejects it."""
    return on.command("reject", incident, digest=asked(on, incident)["digest"] if digest is None else digest)


def agreed(on: Line, incident: Incident) -> Incident:
    """The incident once a person has said yes to whatever it asks."""
    for _ in range(MOST_ANSWERS):
        if phase(on, incident) != "waiting":
            break
        yes(on, incident)
    return on.read(incident)


def cut_short(on: Line, pair: Pair) -> Incident:
    """A delivery that comes as far as its write and no further: Cloud Run does not answer until its time is up."""
    hangs = True

    def hang(_: Call) -> None:
        if hangs:
            on.clock.skip(A_BUDGET)
            raise Refusal("DEADLINE_EXCEEDED", "it did not answer")

    for method in WRITES:
        on.sandbox.wire.watch(method, hang)
    with pytest.raises(Transient):
        pipeline.respond(on.app, notification_v2(pair), budget=A_BUDGET)
    hangs = False
    return next(on.app.ledger.newest(1)).incident


def left_in_the_air(on: Line, pair: Pair) -> Incident:
    """A delivery that writes, and whose time is up before Cloud Run has done it."""
    settles, on.world.settle_seconds = on.world.settle_seconds, A_BUDGET + 0.3
    with pytest.raises(Transient):
        pipeline.respond(on.app, notification_v2(pair), budget=A_BUDGET)
    on.world.settle_seconds = settles
    return next(on.app.ledger.newest(1)).incident


def delivered(on: Line, pair: Pair | bytes) -> bool:
    """Whether one delivery of the message is acknowledged; else Pub/Sub would deliver it again."""
    try:
        on.respond(pair)
    except Transient:
        return False
    return True

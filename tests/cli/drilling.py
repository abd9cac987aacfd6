"""Firebreak as it is deployed, with a drill's source, on a sandbox that delivers; and the command line beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.drills.finding import EICAR_SHA256
from firebreak.core.errors import Transient
from firebreak.core.incidents.command import parse_command
from firebreak.response import pipeline
from sandbox.delivery import delivering
from tests.response.drills import DRILL
from tests.response.harness import Line, Lines, world_of

COMMANDS = "projects/firebreak/topics/commands"
CONFIG = f"ceiling: enforce\n{DRILL}"
WORDS = ("drill", "--project", "shop-prod", "--region", "europe-west1", "--by", "ada", "--yes", "--json")
CLEAN = ("drill", "--clean", "--project", "shop-prod", "--by", "ada", "--yes", "--json")


@contextmanager
def deployed(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    known: bool = True,
    delivers: bool = True,
    world: Mapping[str, Any] | None = None,
    **options: Any,
) -> Iterator[Line]:
    """Where VirusTotal does not know the drill's file, the shipped policies ask a person."""
    made = world_of(hashes={EICAR_SHA256: {"malicious": 60}} if known else {}, **(world or {}))
    with Lines(folder)(made, **{"config": CONFIG, **options}) as on:
        monkeypatch.setattr(on.clock, "sleep", time.sleep)  # the command waits for what others do
        for name, value in on.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FIREBREAK_POLICIES", str(on.app.settings.policies))
        monkeypatch.setenv("FIREBREAK_COMMANDS_TOPIC", COMMANDS)
        assert on.app.ledger.count() == 0  # which makes the file: a deployed ledger is there before the first command
        with delivering(on.world, lambda body: delivers and took(on, body), lambda body: obeyed(on, body), COMMANDS):
            yield on


def took(on: Line, body: bytes) -> bool:
    """As `on_finding`: what may pass is delivered again."""
    try:
        pipeline.respond(on.app, body)
    except Transient:
        return False
    return True


def obeyed(on: Line, body: bytes) -> bool:
    """As `on_command`."""
    try:
        pipeline.execute(on.app, parse_command(body, "message", time.time_ns()))
    except Transient:
        return False
    return True


def is_contained(on: Line) -> bool:
    """Whether an incident comes to be contained, which is waited for."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if any(one.incident.phase == "contained" for one in on.app.ledger.newest(10)):
            return True
        time.sleep(0.05)
    return False


def checks(told: Any) -> dict[str, bool]:
    """What the report says was looked at, and whether it was as it should be."""
    return {one["check"]: one["right"] for one in told.json["stories"][0]["checks"]}


def steps(told: Any) -> list[str]:
    return [one["step"] for one in told.json["stories"][0]["steps"]]


def left_behind(on: Line) -> dict[str, Any]:
    """What is there of drills: services, active findings, and incidents that stand, ask, or will be decided.

    What is being decided at this moment is waited for; what waits for a finding that is INACTIVE is declined by itself.
    """
    until = time.monotonic() + 5
    while any(one.incident.phase == "received" for one in on.app.ledger.newest(10)) and time.monotonic() < until:
        time.sleep(0.05)
    open_ = [one.incident for one in on.app.ledger.newest(10) if one.incident.open]
    held = [one["finding"]["name"] for one in on.world.findings if one["finding"]["state"] == "ACTIVE"]
    return {
        "services": [name for name in on.world.services if "firebreak-drill" in name],
        "findings": held,
        "incidents": [one.id for one in open_ if one.done or not (one.waits and one.waits.what == "settled")],
    }


NOTHING: dict[str, Any] = {"services": [], "findings": [], "incidents": []}

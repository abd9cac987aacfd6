"""Probes of the guards: what is tried, what a careless system would do, and what Firebreak did, in its own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firebreak.adapters.log import log_json
from firebreak.core.diagnostics import Faults
from firebreak.core.errors import Malformed, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.policy_folder import load_policies
from firebreak.settings import SettingsFault, read_settings
from tests.response.harness import ALWAYS, Line, Lines, world_of

CONFIG_FILE = 'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n'
_WORDS = {
    "waiting": "asks a person",
    "monitored": "records the plan",
    "declined": "declines",
    "failed": "asks for help",
    "contained": "contains",
    "deferred": "waits",
}
ACTED = "wrote"
_ANY_ID = re.compile(r"fb-[0-9a-f]{16}")


@dataclass(frozen=True)
class Probe:
    """One try. `did` is what comes out, word for word; `run` makes it happen in a folder of its own."""

    tried: str
    careless: str
    did: str
    run: Callable[[Path], str]


def files(tried: str, careless: str, did: str, config: str = CONFIG_FILE, policy: str = ALWAYS) -> Probe:
    """A folder of policies that must not load."""

    def run(folder: Path) -> str:
        (folder / "firebreak.yaml").write_text(config)
        (folder / "10.yaml").write_text(policy)
        try:
            load_policies(folder, log_json)
        except Faults as faults:
            first = faults.faults[0]
            return f"does not start: {Path(first.at.file).name}:{first.at.line}: {first.said}"
        return "loads"

    return Probe(tried, careless, did, run)


def settings(tried: str, careless: str, did: str, **environment: str) -> Probe:
    """An environment that must not be started with."""

    def run(folder: Path) -> str:
        try:
            read_settings({"XDG_STATE_HOME": str(folder), **environment})
        except SettingsFault as fault:
            return f"does not start: {str(fault).splitlines()[0]}"
        return "starts"

    return Probe(tried, careless, did, run)


Act = Callable[[Line], Incident | str]
"""What is tried: the incident afterwards, or what Firebreak said."""


def found(on: Line) -> Incident:
    """A finding comes, as findings do."""
    return on.respond(on.finding())


def line(tried: str, careless: str, did: str, act: Act = found, *, world: Any = None, **options: Any) -> Probe:
    """The whole line over the wire; whatever `prepare` writes is not counted, and nothing may be written after."""
    prepare: Callable[[Line], object] = options.pop("prepare", lambda _: None)
    on_line = {"policy": ALWAYS, **options}

    def run(folder: Path) -> str:
        with Lines(folder)(world_of(**(world or {})), **on_line) as on:
            prepare(on)
            before = _written(on)
            said = _said(on, act)
            return said if before == _written(on) else f"{ACTED}: {said}"

    return Probe(tried, careless, did, run)


def _written(on: Line) -> Any:
    """All that writes would show in."""
    disabled = {email for email, one in on.world.accounts.items() if one.account.disabled}
    return len(on.updates), on.reachable, disabled


def _said(on: Line, act: Act) -> str:
    try:
        ended = act(on)
    except Transient as fault:
        return f"comes back later: {fault}"
    except Malformed as fault:
        return f"dead letter: {fault}"
    return ended if isinstance(ended, str) else f"{word(ended)}: {_why(ended)}"


def word(incident: Incident) -> str:
    """How the incident ended."""
    return _WORDS.get(incident.phase, incident.phase)


def _why(incident: Incident) -> str:
    """The reasons that Firebreak gives."""
    if incident.phase in ("declined", "failed") or incident.decision is None:
        return incident.history[-1].what
    if incident.phase == "deferred" and incident.waits is not None:
        return f"{incident.waits.what}: {incident.waits.reason}"
    caps = [f"{cap.name}: {cap.reason}" for cap in incident.decision.caps]
    return _ANY_ID.sub("fb-…", "; ".join(caps or incident.decision.reasons))

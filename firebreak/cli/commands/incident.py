"""`firebreak incident list`: what is in the ledger."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass

from firebreak.cli.commands import EXIT_OK, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import ALL, open_ledger, shown
from firebreak.cli.screens.console import paged, working
from firebreak.cli.screens.incident_list import TOLD, Count, show_list
from firebreak.core.cloud_run.target import Target
from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import Incident
from firebreak.core.signing import Sealed
from firebreak.core.timestamps import format_instant
from firebreak.ledger.records import StoredIncident

_UNREAD = 20


@dataclass(frozen=True, slots=True)
class Filter:
    """Which incidents are asked for; what is None or empty asks for all. `since_ns` is in nanoseconds since 1970."""

    phases: tuple[str, ...] = ()
    project: str | None = None
    service: str | None = None
    policy: str | None = None
    since_ns: int | None = None
    text: str | None = None

    def fits(self, one: Incident) -> bool:
        """Whether the incident is asked for."""
        target = one.finding.target if isinstance(one.finding.target, Target) else None
        projects = {target.project, target.project_id, target.project_number} if target else set()
        return (
            (not self.phases or one.phase in self.phases)
            and (self.project is None or self.project in projects)
            and (self.service is None or (target is not None and target.name == self.service))
            and (self.policy is None or (one.decision is not None and one.decision.policy == self.policy))
            and (self.since_ns is None or one.created_ns >= self.since_ns)
            and (self.text is None or self.text.casefold() in _searched(one).casefold())
        )

    def __str__(self) -> str:
        """What is asked for, as part of a sentence; empty if that is everything."""
        named = (
            ("in phase", " or ".join(self.phases)),
            ("in project", self.project),
            ("on", self.service),
            ("under policy", self.policy),
            ("with", self.text),
        )
        said = " ".join(f"{word} {value}" for word, value in named if value)
        return f"{said} since {format_instant(self.since_ns)[:16]}".strip() if self.since_ns is not None else said


def _searched(one: Incident) -> str:
    """What a search looks through: names, hashes, and what was said and done."""
    finding = one.finding
    found = (part for binary in finding.binaries for part in (binary.path, binary.sha256) if part)
    place = finding.target.key if isinstance(finding.target, Target) else ""
    return "\n".join(
        (one.id, finding.name.finding, finding.category, place, *found, *(line.what for line in one.history))
    )


def _order(one: StoredIncident) -> int:
    """What somebody has to look at, then what else is open, what of that a person has filed, what has ended."""
    if one.sealed is Sealed.BROKEN or one.incident.phase in TOLD:
        return 0
    return (2 if one.incident.closed_as else 1) if one.incident.open else 3


def list_incidents(parsed: argparse.Namespace) -> int:
    """The incidents, open ones first, then last touched first, and how many there are in truth."""
    now_ns = time.time_ns()
    ledger = open_ledger(chosen(parsed))
    since_ns = None if parsed.since is None else now_ns - parsed.since
    wanted = Filter(parsed.phase, parsed.project, parsed.service, parsed.policy, since_ns, parsed.search)
    with working("reading the ledger"):
        listed = list(ledger.listed(ALL))
    held = [one for one in listed if isinstance(one, StoredIncident)]
    unread = [one for one in listed if not isinstance(one, StoredIncident)]
    # What a record with a broken seal says of itself is not believed: it is listed whatever is asked for.
    fitting = [one for one in held if one.sealed is Sealed.BROKEN or wanted.fits(one.incident)]
    phases = Counter[str](one.incident.phase for one in fitting)
    count = Count(ledger.count(), str(wanted), len(fitting), len(listed), parsed.ledger, phases)
    if parsed.json:
        records = [shown(one) | named(parsed) for one in fitting[: parsed.limit]]
        print_json([*records, *({"id": one.place.key, "not_acted_on": str(one)} | named(parsed) for one in unread)])
        print(count.told(len(records)), file=sys.stderr)
        return EXIT_OK
    open_first = sorted(fitting, key=_order)
    records = [shown(one) | named(parsed) for one in open_first[: parsed.limit]]
    halted = ledger.halt_reason()
    with paged() as screen:
        show_list(screen, records, now_ns, halted, count)
        for one in first_few([str(one) for one in unread], _UNREAD):
            screen.line(one, "bad")
    return EXIT_OK

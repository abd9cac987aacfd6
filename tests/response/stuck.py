"""All kinds of stuck, forged, unreadable and slow items for a sweep, and what is to be answered beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.documents import Index
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import mute, put_finding
from sandbox.wire import Fault
from tests.ledger.stores import taken
from tests.response.answers import left_in_the_air, phase, yes
from tests.response.harness import ALWAYS, Line
from tests.response.test_set_aside import damaged, of_a_newer_version, of_wrong_type, with_broken_seal
from tests.response.test_sweep import service_of

HOME, FAR = "europe-west1", "us-east1"
CONFIG = """ceiling: enforce
limits: {per_project_per_hour: 90, per_hour: 90}
protected: [{service: {glob: "ask*"}}]
"""
POLICY = f"{ALWAYS}approve_within: 24h\n"


def service(on: Line, name: str, region: str = HOME) -> str:
    given = service_of(name)
    on.world.add_service({**given, "name": str(given["name"]).replace(HOME, region)})
    return name


def found(on: Line, name: str, region: str = HOME, *, held: bool = True, **more: Any) -> Pair:
    """A finding on a service of that name, of a minute ago by the application's clock."""
    minutes_ago = 1 - on.skipped_ns / 60e9
    service(on, name, region)
    return on.finding(
        finding_id=name, workload=f"services/{name}", location=region, minutes_ago=minutes_ago, held=held, **more
    )


def answered(on: Line, name: str, region: str = HOME) -> Incident:
    return on.respond(found(on, name, region))


def never_ends(on: Line) -> None:
    """An operation that Cloud Run never brings to its end."""
    left_in_the_air(on, found(on, "endless"))
    for operation in on.world.operations.values():
        operation.ends_at = float("inf") if not operation.done else operation.ends_at


def forged(on: Line) -> None:
    for number in range(12):
        on.respond(found(on, f"forged{number}", held=False))


def unreadable(on: Line) -> None:
    for number in range(200):
        on.app.ledger.documents.create("incident", f"fb-{number:016x}", {"planted": number}, Index(due_ns=0))


def in_a_region_that_hangs(on: Line) -> None:
    """Questions that expire there, releases that were begun there, and what stands there."""
    for number in range(3):
        answered(on, f"asking-far{number}", FAR)
        answered(on, f"far{number}", FAR)


def spoilt(spoil: Callable[[Line, str, str], None], kind: str) -> Callable[[Line], None]:
    def plant(on: Line) -> None:
        name = f"{spoil.__name__.replace('_', '-')}-{kind}"
        incident = answered(on, name)
        spoil(on, kind, incident.id if kind == "incident" else f"shop-prod/{HOME}/service/{name}")

    return plant


def of_a_dead_owner(on: Line) -> None:
    """Whose lease is not over, for whatever its clock said."""
    far_ahead = replace(on.app.ledger, now_ns=lambda: on.app.now_ns() + 10**16)
    taken(far_ahead, parse_notification(notification_v2(found(on, "leased"))).finding)


def on_what_was_deleted(on: Line) -> None:
    answered(on, "asking-gone")
    del on.world.services[next(one for one in on.world.services if one.endswith("/asking-gone"))]


def muted_meanwhile(on: Line) -> None:
    pair = found(on, "asking-muted")
    incident = on.respond(pair)
    mute(on.world, pair["finding"]["name"])
    yes(on, incident)


def held_differently(on: Line) -> None:
    pair = found(on, "different")
    on.respond({**pair, "finding": {**pair["finding"], "category": "Reverse Shell"}})


def set_aside_before(on: Line) -> None:
    for number in range(100):
        key = f"fb-{number:016x}"
        on.app.ledger.documents.create(
            "set_aside", f"incident~{key}~x", {"kind": "incident", "key": key}, Index(due_ns=0)
        )


def looks_at_nothing(on: Line) -> None:
    for number in range(100):
        on.app.ledger.documents.create("look", f"shop-prod/{HOME}/service/gone{number}", {}, Index(due_ns=0))


def damaged_looks(on: Line) -> None:
    for number in range(20):
        key = f"shop-prod/{HOME}/service/damaged{number}"
        on.app.ledger.documents.create("look", key, {}, Index(due_ns=0))
        on.app.ledger.documents.create("standing", key, {"planted": True})
        damaged(on, "look", key)


def of_another_product(on: Line) -> None:
    """What Security Command Center lists and nobody can read."""
    for number in range(20):
        pair = on.finding(held=False, finding_id=f"odd{number}")
        pair["finding"]["resourceName"] = "//run.googleapis.com/namespaces/x/y"
        put_finding(on.world, pair["finding"], pair["resource"])


def untold(on: Line) -> None:
    """Announcements that no topic takes for now."""
    on.sandbox.wire.inject(Fault("*/Publish", "error", code="PERMISSION_DENIED", times=3))
    for number in range(3):
        answered(on, f"untold{number}")


STUCK: Mapping[str, Callable[[Line], None]] = {
    "an operation that never ends": never_ends,
    "a dozen forged messages": forged,
    "200 records that cannot be read": unreadable,
    "a region that hangs": in_a_region_that_hangs,
    "a broken seal": spoilt(with_broken_seal, "incident"),
    "a newer version's record": spoilt(of_a_newer_version, "incident"),
    "a damaged record": spoilt(damaged, "incident"),
    "a record of the wrong type": spoilt(of_wrong_type, "incident"),
    "what stands with a broken seal": spoilt(with_broken_seal, "standing"),
    "what stands and is a newer version's": spoilt(of_a_newer_version, "standing"),
    "what stands and is damaged": spoilt(damaged, "standing"),
    "an owner who died": of_a_dead_owner,
    "a service that was deleted": on_what_was_deleted,
    "a finding that was muted": muted_meanwhile,
    "a finding that is held differently": held_differently,
    "what was set aside before": set_aside_before,
    "looks at nothing": looks_at_nothing,
    "looks that are damaged": damaged_looks,
    "findings of another product": of_another_product,
    "announcements that nobody takes": untold,
}


@dataclass(frozen=True)
class Healthy:
    """What is planted beside them, each to be answered."""

    drifts: Incident
    asks: Incident
    reviewed: Incident

    @classmethod
    def of(cls, on: Line) -> Healthy:
        return cls(answered(on, "drifts"), answered(on, "asks"), answered(on, "reviewed"))

    def are_answered(self, on: Line) -> dict[str, bool]:
        lost = [one.incident for one in on.app.ledger.newest(500) if one.incident.finding.name.finding == "lost"]
        question = on.read(self.asks).question
        return {
            "drift": phase(on, self.drifts) == "waiting",
            "lost finding": [one.phase for one in lost] == ["contained"],
            "expired question": question is not None and question.escalated == 1,
            "review": any("contained for" in one.what for one in on.read(self.reviewed).history),
        }


def hangs(on: Line) -> None:
    """One region of Cloud Run, and one location of Security Command Center."""
    on.sandbox.wire.inject(
        Fault("*/GetService", "hang", routed=f"*{FAR}*", times=None),
        Fault("*/ListRevisions", "hang", routed=f"*{FAR}*", times=None),
        Fault("*/ListFindings", "hang", asked='*locations/eu"*', times=None),
    )


def plant(on: Line, *, healthy_first: bool = False) -> Healthy:
    """All of it, a day and a minute before now; from then on one region and one location hang."""
    healthy = Healthy.of(on) if healthy_first else None
    for stuck in STUCK.values():
        stuck(on)
    healthy = healthy or Healthy.of(on)
    on.wait(24 * 3600 + 60)
    on.world.set_traffic("drifts", {"latest": True, "percent": 100})
    found(on, "lost")
    hangs(on)
    return healthy


def with_ended(on: Line, count: int) -> None:
    """So many incidents that have ended, beside the others on the ledger; half of them are due some day."""
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        columns = "INSERT INTO documents (kind, key, version, saved, body, due_ns)"
        row = f"{columns} VALUES ('incident', ?, 'v', ?, '{{}}', ?)"
        file.executemany(row, ((f"old{n}", -n, None if n % 2 else 1 << 62) for n in range(count)))

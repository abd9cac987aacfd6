"""Makes the fixtures of the version that is checked out: `python -m tests.ledger.make_fixtures VERSION`.

Each scene is driven through the whole line on the sandbox, and its ledger file is written down row by row.
"""

from __future__ import annotations

import enum
import importlib
import json
import sqlite3
import sys
import tempfile
import typing
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firebreak.core.errors import Transient
from firebreak.core.evidence.manifest import Manifest, entry_of, sealed_copy, sealed_manifest
from firebreak.core.incidents.incident import Incident
from firebreak.core.signing import Seal
from firebreak.core.storage_names import NAMES
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Document, Index
from firebreak.response import pipeline
from sandbox.wire import Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS
from tests.response.harness import ALWAYS, PIN_ONLY, Line, Lines, world_of
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK
from tests.response.test_several_regions import THERE_TOO
from tests.response.test_several_regions import world_of as world_of_regions

FIXTURES = Path(__file__).parent / "fixtures"
KEY = "a-key-that-seals-nothing-but-fixtures"
APPROVE = ALWAYS.replace("mode: enforce", "mode: approve").replace("expect: {mode: enforce}", "expect: {mode: approve}")
CONTAIN_UNANSWERED = f"{APPROVE}on_expiry: contain\n"
LEDGER_FILE = frozenset({"contained"})
"""Scenes whose ledger is kept as the file itself, too."""


@dataclass(frozen=True)
class Recipe:
    """A world, a policy, and what happens there."""

    play: Callable[[Line], Incident]
    policy: str = ALWAYS
    world: Callable[[], World] = world_of


def _found(on: Line, **scene: Any) -> Incident:
    return on.respond(on.finding(**scene))


def _changed(on: Line, incident: Incident, **parts: Any) -> None:
    """Somebody without the seal key writes to the ledger."""
    held = on.app.ledger.read(incident.id)
    assert held is not None
    body = dict(held.document.body)
    on.app.ledger.documents.replace(held.document, _forged(body, parts), Index(due_ns=0))


def _forged(body: dict[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """Of any version's body; whatever holds the record's text is changed in it."""
    if "incident" in body:
        return {**body, "incident": {**body["incident"], **parts}}
    return {**body, "sealed": json.dumps({**json.loads(body["sealed"]), **parts})}


def _plan_of(document: Document) -> Any:
    body = document.body
    return (body["incident"] if "incident" in body else json.loads(body["sealed"]))["plan"]


def released(on: Line) -> Incident:
    incident = _found(on)
    on.release(incident)
    return incident


def told_while_asked(on: Line) -> Incident:
    """A second event comes while the first one's question is open, and stands in the history alone."""
    incident = _found(on, minutes_ago=5)
    _found(on, minutes_ago=1, image=7)
    return incident


def halted(on: Line) -> Incident:
    on.app.ledger.halt("a drill", "ada")
    return _found(on)


def forged_phase(on: Line) -> Incident:
    """An open question whose phase says that it was answered."""
    incident = _found(on)
    _changed(on, incident, phase="containing", next_ns=None)
    return incident


def forged_plan(on: Line) -> Incident:
    incident = _found(on)
    held = on.app.ledger.read(incident.id)
    assert held is not None
    plan = _plan_of(held.document)
    plan["changes"][0]["after"] = {"service.traffic.split": "checkout-00006-old=100"}
    _changed(on, incident, plan=plan)
    return incident


def expired(on: Line) -> Incident:
    incident = _found(on)
    for _ in range(4):
        on.skipped_ns += 1801 * NANOS
        pipeline.sweep(on.app)
    return incident


def rejected(on: Line) -> Incident:
    incident = _found(on)
    on.reject(incident, "a test")
    return incident


def closed(on: Line) -> Incident:
    incident = rejected(on)
    on.close(incident, "benign")
    return incident


def approved(on: Line) -> Incident:
    incident = _found(on)
    on.approve(incident)
    return incident


def approved_and_not_written(on: Line) -> Incident:
    incident = _found(on)
    on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="UNAVAILABLE", times=None))
    with suppress(Transient):
        on.approve(incident)
    return incident


def release_under_way(on: Line) -> Incident:
    """Of two regions, one has been given back."""
    incident = _found(on)
    on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="UNAVAILABLE", times=None, routed="*us-east1*"))
    with suppress(Transient):
        on.release(incident)
    return incident


def failed(on: Line) -> Incident:
    on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="INVALID_ARGUMENT", times=None))
    return _found(on)


RECIPES: Mapping[str, Recipe] = {
    "contained": Recipe(_found),
    "contained_in_two_regions": Recipe(_found, world=lambda: world_of_regions(*THERE_TOO)),
    "contained_job": Recipe(lambda on: _found(on, workload="jobs/nightly"), STOP_AND_BLOCK, GROUNDS["job"].world),
    "contained_pool": Recipe(
        lambda on: _found(on, workload=GROUNDS["worker_pool"].workload), world=GROUNDS["worker_pool"].world
    ),
    "approved": Recipe(approved, APPROVE),
    "released": Recipe(released),
    "asked": Recipe(_found, APPROVE),
    "asked_on_expiry": Recipe(_found, CONTAIN_UNANSWERED),
    "told_while_asked": Recipe(told_while_asked, APPROVE),
    "monitored_by_halt": Recipe(halted),
    "monitored_unverified": Recipe(lambda on: _found(on, held=False)),
    "forged_phase": Recipe(forged_phase, APPROVE),
    "forged_plan": Recipe(forged_plan),
    "expired": Recipe(expired, APPROVE),
    "rejected": Recipe(rejected, APPROVE),
    "closed": Recipe(closed, APPROVE),
    "approved_and_not_written": Recipe(approved_and_not_written, APPROVE),
    "release_under_way": Recipe(release_under_way, world=lambda: world_of_regions(*THERE_TOO)),
    "failed": Recipe(failed, PIN_ONLY),
}


def rows_of(path: Path) -> dict[str, Any]:
    """A ledger file, row by row."""
    with closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        rows = [dict(one) for one in file.execute("SELECT * FROM documents ORDER BY kind, key")]
        return {"user_version": file.execute("PRAGMA user_version").fetchone()[0], "documents": rows}


def make(name: str, folder: Path) -> None:
    """Play one scene and write its ledger down."""
    recipe = RECIPES[name]
    with tempfile.TemporaryDirectory() as aside:
        lines = Lines(Path(aside))
        with lines(recipe.world(), policy=recipe.policy, FIREBREAK_SEAL_KEY=KEY) as on:
            incident = recipe.play(on)
            findings = list(on.world.findings)
        path = Path(aside) / "ledger.sqlite"
        ledger = {"incident": incident.id, "policy": recipe.policy, "findings": findings, **rows_of(path)}
        (folder / f"{name}.json").write_text(json.dumps(ledger, indent=1) + "\n")
        if name in LEDGER_FILE:
            copy = folder / f"{name}.ledger"
            copy.unlink(missing_ok=True)
            with closing(sqlite3.connect(path)) as file:
                file.execute("VACUUM INTO ?", (str(copy),))


def make_vault(folder: Path) -> None:
    """What the vault holds of an incident: one copy, and the manifest over it."""
    folder.mkdir(exist_ok=True)
    seal = Seal((KEY.encode(),))
    copy = sealed_copy("fb-1", "finding", {"name": "caf\u00e9", "score": 0.5}, seal)
    entry = entry_of("finding.json", copy, "fb-1", seal)
    manifest = Manifest("fb-1", "2026-11-28T00:00:00Z", (entry,) if entry else (), ("logs: not reached",))
    (folder / "finding.json").write_bytes(copy)
    (folder / "manifest.json").write_bytes(sealed_manifest(manifest, seal))


def stored_names() -> dict[str, dict[str, list[str]]]:
    """Every name that this version can store, by the stored names of types: fields, members of enums, and words."""
    found: dict[str, dict[str, list[str]]] = {"types": {}, "members": {}, "words": {}}
    for where, names in NAMES.items():
        module, _, name = where.partition(":")
        kind = getattr(importlib.import_module(module), name)
        group = "members" if issubclass(kind, enum.Enum) else "types"
        found[group][names.name] = [*names.parts.values(), *names.given_up]
        hints = typing.get_type_hints(kind)
        words = {stored: words_of(hints[one]) for one, stored in names.parts.items() if one in hints}
        found["words"] |= {f"{names.name}.{stored}": said for stored, said in words.items() if said}
    return found


def words_of(hint: Any) -> list[str]:
    """The words that a value of this type may be, or hold."""
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    return [word for part in typing.get_args(hint) if part is not Ellipsis for word in words_of(part)]


def main() -> None:
    """All scenes, of the version that is named."""
    folder = FIXTURES / sys.argv[1]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "names.json").write_text(json.dumps(stored_names(), indent=1) + "\n")
    make_vault(folder / "vault")
    for name in RECIPES:
        make(name, folder)


if __name__ == "__main__":
    main()

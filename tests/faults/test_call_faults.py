"""Every remote call x every way it can fail: the end state is truthful, and nothing is written twice."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from firebreak import adapters
from firebreak.adapters.cloud_run.services import CloudRunServices
from firebreak.adapters.google.pubsub import Publisher
from firebreak.adapters.google.security_center import SecurityCenter
from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import LEASE_NS
from firebreak.response import pipeline
from sandbox.cloud_run.reachability import open_doors
from sandbox.scc.notifications import notification_v2
from sandbox.wire import Fault, Kind
from tests.response.harness import BAD, Line, Lines, world_of

ROOT = Path(__file__).resolve().parents[2]
STATUSES = (
    "UNAVAILABLE DEADLINE_EXCEEDED ABORTED INTERNAL RESOURCE_EXHAUSTED PERMISSION_DENIED UNAUTHENTICATED NOT_FOUND"
    " INVALID_ARGUMENT FAILED_PRECONDITION ALREADY_EXISTS UNIMPLEMENTED CANCELLED UNKNOWN OUT_OF_RANGE DATA_LOSS"
).split()
KINDS: tuple[Kind, ...] = ("hang", "reset", "malformed", "lost_answer")
FINAL = ("PERMISSION_DENIED", "NOT_FOUND", "INVALID_ARGUMENT")
# Which wire methods each public method of the adapters makes; a new one must be added here or the first test fails.
COVERED: dict[type, dict[str, tuple[str, ...]]] = {
    CloudRunServices: {
        "read": ("*/GetService", "*/ListRevisions", "*/GetIamPolicy"),
        "write": ("*/UpdateService",),
        "wait": ("*/GetOperation",),
        "in_force": (),
    },
    SecurityCenter: {
        "find": ("*/ListFindings",),
        "related": (),
        "threatens": (),
        "active_since": (),
        "mark": ("*/UpdateSecurityMarks",),
        "client_at": (),
    },
    Publisher: {"publish": ("*/Publish",)},
}
# Adapters whose calls are failed elsewhere, each with the tests that do it.
ELSEWHERE = {
    "ServiceAccess": "tests/laws/test_actions_over_the_wire.py",
    "JobAccess": "tests/laws/test_actions_over_the_wire.py",
    "Jobs": "tests/laws/test_actions_over_the_wire.py",
    "WorkerPools": "tests/laws/test_actions_over_the_wire.py",
    "ServiceAccounts": "tests/adapters/test_service_accounts.py",
    "ServiceAccountUsers": "tests/adapters/test_service_account_users.py",
    "CloudLogging": "tests/enrichment/test_logs.py",
    "SqliteDocuments": "tests/ledger/test_documents_contract.py",
    "FirestoreDocuments": "tests/adapters/test_firestore.py",
    "BucketVault": "tests/vault",
    "Canaries": "tests/cli/test_drill_command.py",
    "DrillFindings": "tests/cli/test_drill_command.py",
    **dict.fromkeys(("Buckets", "GoogleCloud", "LedgerAdmin", "Rest"), "tests/doctor/test_unchecked.py"),
}
METHODS = tuple(dict.fromkeys(one for calls in COVERED.values() for globs in calls.values() for one in globs))
_FOR_EVER = ("PERMISSION_DENIED for ever", "NOT_FOUND for ever", "INVALID_ARGUMENT for ever")
ENDS: Mapping[str, str] = {
    # What cannot be read, or may not be written, is not contained, and a person is told.
    **{
        f"{method} {fault}": "failed"
        for method in ("GetService", "ListRevisions", "UpdateService")
        for fault in _FOR_EVER
    },
    "UpdateService PERMISSION_DENIED": "failed",
    "UpdateService NOT_FOUND": "failed",
    # Where SCC refuses to say, a person is asked; where it does not hold the finding, that may pass.
    "ListFindings PERMISSION_DENIED for ever": "waiting",
    "ListFindings INVALID_ARGUMENT for ever": "waiting",
    "ListFindings NOT_FOUND for ever": "deferred",
}
"""Where it comes to in the end; of every cell that is not named the workload is contained."""


def faults() -> Iterator[tuple[str, Fault]]:
    for method in METHODS:
        for code in STATUSES:
            yield f"{method[2:]} {code}", Fault(method, "error", code=code)
        for kind in KINDS:
            yield f"{method[2:]} {kind}", Fault(method, kind, seconds=0.3)
        for code in FINAL:
            yield f"{method[2:]} {code} for ever", Fault(method, "error", code=code, times=None)


def test_every_public_method_of_the_adapters_is_in_the_matrix(tmp_path: Path) -> None:
    """And a containment, announced and marked, makes every call that is named."""
    for adapter, methods in COVERED.items():
        public = {name for name in vars(adapter) if not name.startswith("_") and callable(vars(adapter)[name])}

        assert public == methods.keys(), adapter.__name__
    with Lines(tmp_path)(world_of(settle_seconds=0.05)) as line:
        line.respond(line.finding())

        assert all(line.sandbox.wire.calls_to(method) for method in METHODS)


_REACH_NOTHING = frozenset({"SafeClient", "Clients", "Finder", "Later"})
"""Made by adapters, or making or loading them."""


def reaching() -> set[str]:
    """The adapters that reach something: public classes made by an `__init__` of their own."""
    names = [module.name for module in pkgutil.walk_packages(adapters.__path__, f"{adapters.__name__}.")]
    found = {
        one
        for name in names
        for one in vars(importlib.import_module(name)).values()
        if isinstance(one, type) and one.__module__ == name and not one.__name__.startswith("_")
    }
    plain = {one for one in found if dataclasses.is_dataclass(one) or getattr(one, "_is_protocol", False)}
    parents = {parent for one in found for parent in one.__bases__}
    kept = found - plain - parents
    return {one.__name__ for one in kept if not issubclass(one, BaseException)} - _REACH_NOTHING


def test_every_adapter_is_failed_here_or_where_it_says() -> None:
    """A new one enters by existing: until it is named in either place, this fails."""
    assert reaching() == {one.__name__ for one in COVERED} | ELSEWHERE.keys()
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(("name", "fault"), [pytest.param(*one, id=one[0]) for one in faults()])
def test_whatever_a_call_does_the_end_is_truthful_and_nothing_is_written_twice(
    name: str,
    fault: Fault,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """One delivery under the fault, then deliveries without it, until the message is acknowledged."""
    with Lines(tmp_path)(world_of(settle_seconds=0.02)) as line:
        body = notification_v2(line.finding())
        line.sandbox.wire.inject(fault)
        incident = deliver(line, body, budget=4.0)
        line.sandbox.wire.clear_faults()
        for _ in range(3):
            if incident is None:
                line.skipped_ns += LEASE_NS + 1
                incident = deliver(line, body)

        assert incident is not None, name
        assert_truthful(line, incident)
        assert incident.phase == ENDS.get(name, "contained")
        record_property("figure", f"calls x faults: {incident.phase}")


def deliver(line: Line, body: bytes, budget: float = 30.0) -> Incident | None:
    """The incident if the message was acknowledged, None if it comes again; nothing else may be raised."""
    try:
        return pipeline.respond(line.app, body, budget=budget).incident
    except Transient:
        return None


def assert_truthful(line: Line, incident: Incident) -> None:
    said = {str(one["phase"]) for one in line.announced}
    effective = [one for one in line.world.operations.values() if one.done]

    assert len(effective) <= 1
    assert incident.phase in ("contained", "waiting", "failed", "deferred")
    closed = BAD not in line.reachable or "ingress" not in open_doors(line.world, "checkout")
    assert (incident.phase == "contained") == closed
    assert incident.phase == "contained" or "contained" not in said
    assert len(incident.history[-1].what) > 5

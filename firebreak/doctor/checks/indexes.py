"""The ledger's database: that it is protected, and the indexes and lifetimes without which a query would fail."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline
from firebreak.settings import ROOT

_FIRESTORE = "//firestore.googleapis.com"
_WANTED = ROOT / "firebreak" / "adapters" / "storage" / "firestore_indexes.json"
Wanted = Mapping[str, Any]


@functools.cache
def wanted() -> Wanted:
    """What the ledger's own code asks of its database."""
    read: Wanted = json.loads(_WANTED.read_text(encoding="utf-8"))
    return read


def _items(examined: Examined) -> Iterator[Item]:
    yield Item("the ledger's database", partial(_database, examined))
    yield Item("the ledger's indexes", partial(_indexes, examined))
    yield Item("the lifetimes of the ledger's records", partial(_lifetimes, examined))


def _database(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    found = examined.cloud.get(f"{_FIRESTORE}/{examined.deployment.database}", deadline)
    if found.get("pointInTimeRecoveryEnablement") == "POINT_IN_TIME_RECOVERY_ENABLED":
        yield Ok("the ledger's database is there, and its last seven days can be recovered")
    else:
        yield Fault("point-in-time recovery of the ledger's database is off", APPLY)


def _indexes(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    found = examined.cloud.listed(f"{_FIRESTORE}/{examined.deployment.database}/collectionGroups/-/indexes", deadline)
    states = {(_collection(one), _index_fields(one)): one.get("state") for one in found}
    for one in wanted()["composite"]:
        fields = tuple((field["name"], field["order"]) for field in one["fields"])
        state = states.get((one["collection"], fields), "missing")
        if state != "READY":
            yield Fault(f"the index of {one['collection']} by {fields[0][0]} is {state}", APPLY)
    yield Ok(f"{len(wanted()['composite'])} indexes were looked for")


def _lifetimes(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    found = examined.cloud.listed(f"{_FIRESTORE}/{examined.deployment.database}/collectionGroups/-/fields", deadline)
    lived = {(_collection(one), _field(one)) for one in found if "ttlConfig" in one}
    lacking = sorted(one["collection"] for one in wanted()["ttl"] if (one["collection"], one["field"]) not in lived)
    if lacking:
        yield Fault(f"records are never let go of, in {', '.join(lacking)}", APPLY)
    else:
        yield Ok(f"records of {len(wanted()['ttl'])} kinds are let go of in time")


def _collection(one: Mapping[str, Any]) -> str:
    return str(one.get("name", "")).partition("/collectionGroups/")[2].partition("/")[0]


def _field(one: Mapping[str, Any]) -> str:
    return str(one.get("name", "")).rpartition("/fields/")[2]


def _index_fields(one: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    fields = ((str(field.get("fieldPath")), str(field.get("order"))) for field in one.get("fields", ()))
    return tuple(field for field in fields if field[0] != "__name__")


check = Check("the ledger's database", "roles/datastore.indexAdmin on the project", _items)

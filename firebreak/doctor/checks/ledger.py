"""The ledger: whether it can be read, and what on it waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from firebreak.core.first_few import first_few
from firebreak.core.signing import Sealed
from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline

_NEWEST = 300
_FEW = 5


def _items(examined: Examined) -> Iterator[Item]:
    yield Item("the halt", partial(_halt, examined))
    yield Item("the incidents", partial(_incidents, examined))


def _halt(examined: Examined, _: Deadline) -> Iterator[Result]:
    if halt := examined.ledger().halts.standing_halt():
        yield Fault(f"nothing is written: {halt}", "firebreak resume")
    else:
        yield Ok("nothing is halted")


def _incidents(examined: Examined, _: Deadline) -> Iterator[Result]:
    found = list(examined.ledger().listed(_NEWEST))
    held = [one for one in found if isinstance(one, StoredIncident)]
    asked = [one.incident.id for one in held if one.incident.phase == "waiting" and one.sealed is not Sealed.BROKEN]
    if asked:
        named = ", ".join(first_few(asked, _FEW))
        yield Fault(f"{len(asked)} wait for an answer: {named}", "firebreak incident list --phase waiting")
    for broken in first_few([one.incident.id for one in held if one.sealed is Sealed.BROKEN], _FEW):
        yield Fault(f"the seal of {broken} is broken", f"firebreak incident show {broken}")
    for unread in first_few([str(one) for one in found if not isinstance(one, StoredIncident)], _FEW):
        yield Fault(unread, "docs/operations.md, under set-aside, says what to do")
    yield Ok(f"the ledger is read; {len(held)} incidents were looked at")


check = Check(
    "the ledger", "roles/datastore.viewer on the project, for the ledger's database", _items, needs_output=False
)

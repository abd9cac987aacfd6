"""After a rotation every record is signed with the new key, a bounded part at a time, so that the old one can go."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.slots import Slots
from firebreak.core.findings.finding import Finding
from firebreak.core.signing import Seal
from firebreak.ledger import renewal
from firebreak.ledger.documents import Conflict
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import LEASE_NS
from firebreak.ledger.renewal import renew
from tests.ledger.earlier import VERSIONS, restored, scene
from tests.ledger.make_fixtures import KEY
from tests.ledger.stores import taken
from tests.ledger.test_ledger import FINDING, Clock

OLD, NEW = Seal((b"key",)), Seal((b"new", b"key"))
ALONE = Seal((b"new",))
HOUR_NS = 3600 * 1_000_000_000
Open = Callable[[Seal], Ledger]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_with(tmp_path: Path, clock: Clock) -> Open:
    return lambda seal: Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "", clock, seal)


def renewed(ledger: Ledger) -> int:
    """How many records were signed anew in one call."""
    return renew(ledger).signed


def finding(number: int) -> Finding:
    return replace(FINDING, name=replace(FINDING.name, finding=f"f{number}"))


def filled(ledger: Ledger, incidents: int = 3) -> list[str]:
    """Of every kind something, as it is when nobody works on it."""
    for number in range(incidents):
        held = taken(ledger, finding(number))
        counting = tuple(replace(one, status="counts") for one in held.incident.events)
        ledger.release_lease(held, replace(held.incident, events=counting))
    ledger.commit(ledger.standing_save(Standing("a", holds=(Hold("fb-1", (), frozenset(), 1),), uid="u"), None))
    ledger.commit(ledger.slots_save(Slots(), None))
    ledger.halt("a drill", "ada")
    return [finding(number).incident_id for number in range(incidents)]


def test_what_an_older_key_sealed_holds_without_it_afterwards(open_with: Open) -> None:
    """Incidents, their events, what stands, slots and the halt; each is found by what it was found by."""
    ids = filled(open_with(OLD))
    signed = renewed(open_with(NEW))
    alone = open_with(ALONE)
    found = [alone.find(one) for one in ids]

    assert signed == 9
    assert [len(alone.events_of(one)) for one in ids] == [1, 1, 1]
    assert [one.sealed for one in found if one] == [alone.seal.check("", "", alone.seal.sign("", ""))] * 3
    assert alone.standing_at("a")[0].holds
    assert alone.slots()[0] == Slots()
    assert str(alone.halts.standing_halt()) == "halted by ada: a drill"
    assert [one.key for one in alone.documents.about("standing", "u", 5)] == ["a"]
    assert {one.key for one in alone.documents.due("incident", 1 << 62, 9)} == set(ids)


def test_nothing_is_read_again_for_an_hour_after_all_was_looked_at(open_with: Open, clock: Clock) -> None:
    """Unless another key signs from then on."""
    old = open_with(OLD)
    filled(old)
    new = open_with(NEW)
    first = [renewed(new), renewed(new)]
    held = taken(old, finding(9))
    old.release_lease(held, held.incident)
    soon = renewed(new)
    clock.ns += HOUR_NS
    late = [renewed(new), renewed(open_with(NEW))]
    third = renewed(open_with(Seal((b"third", b"new"))))

    assert first == [9, 0]
    assert (soon, late) == (0, [2, 0])
    assert third == 11


def test_a_call_does_a_bounded_part_and_the_next_goes_on(open_with: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is broken or cannot be read costs the others nothing."""
    monkeypatch.setattr(renewal, "_OF_EACH", 2)
    ids = sorted(filled(open_with(OLD), 7))
    documents = open_with(OLD).documents
    for key, body in ((ids[0], {"format": "x"}), (ids[3], {"incident": {}})):
        document = documents.read("incident", key)
        assert document is not None
        documents.replace(document, body)
    signed = [renewed(open_with(NEW)) for _ in range(5)]
    alone = open_with(ALONE)
    whole = [one for one in ids if (held := alone.read(one)) and held.sealed]

    assert signed == [6, 3, 4, 2, 0]
    assert whole == [one for one in ids if one not in (ids[0], ids[3])]


def test_an_incident_that_somebody_works_on_is_left_to_them(open_with: Open, clock: Clock) -> None:
    """Their next save would meet a conflict. Its event nobody works on."""
    working = replace(open_with(OLD), owner="somebody")
    held = taken(working, FINDING)
    before, early = renewed(open_with(NEW)), open_with(ALONE).find(held.incident.id)
    working.save(held, held.incident)
    clock.ns += LEASE_NS + HOUR_NS
    after = renewed(open_with(NEW))

    assert (before, after) == (1, 1)
    assert early is not None
    assert not early.sealed
    assert open_with(ALONE).events_of(held.incident.id)
    with pytest.raises(Conflict):
        working.save(held, held.incident)


def test_a_halt_that_was_set_without_the_key_is_not_lifted_by_signing_what_is_under_the_seal(open_with: Open) -> None:
    old = open_with(OLD)
    old.halt("a drill", "ada")
    halt = old.halts.standing_halt()
    assert halt is not None
    old.halts.lift(halt, "ada")
    replace(old, seal=Seal(())).halt("an attack", "eve")

    assert renewed(open_with(NEW)) == 0
    assert open_with(NEW).halt_reason() == "halted by eve: an attack"


def test_what_somebody_else_marks_is_not_believed(open_with: Open) -> None:
    """Else who can write there, but has no key, would have what they hid passed by."""
    filled(open_with(OLD))
    new = open_with(NEW)
    under = new.seal.sign("signed anew", 3)
    bodies: list[dict[str, Any]] = [
        {"under": under, "through_ns": new.now_ns()},
        {"under": under, "through_ns": "never", "reached": 7},
        {"under": under, "reached": dict.fromkeys(("event", "halt", "incident", "slots", "standing"))},
    ]
    signed = []
    for number, body in enumerate(bodies):
        fresh = taken(open_with(OLD), finding(10 + number))
        open_with(OLD).release_lease(fresh, fresh.incident)
        document = next(new.documents.newest("sweep", 1), None)
        new.documents.replace(document, body) if document else new.documents.create("sweep", "seals", body)
        signed.append(renewed(new))

    assert signed == [11, 2, 2]


def test_what_the_index_hides_is_found_by_what_is_sealed(open_with: Open) -> None:
    ledger = open_with(OLD)
    ids = filled(ledger, 1)
    for kind in ("incident", "event", "standing"):
        for document in list(ledger.documents.newest(kind, 9)):
            ledger.documents.replace(document, document.body)
    found = renew(ledger).hidden
    subjects = {"incident": FINDING.target.key, "event": ids[0], "standing": "u"}  # type: ignore[union-attr]

    assert len(found) == 3
    assert [len(list(ledger.documents.about(kind, subject, 9))) for kind, subject in subjects.items()] == [1, 1, 1]
    assert [one.key for one in ledger.documents.due("incident", 1 << 62, 9)] == ids


@pytest.mark.parametrize("version", VERSIONS)
def test_a_record_of_an_earlier_version_is_saved_in_today_s_format(tmp_path: Path, version: str) -> None:
    """With one key as well."""
    restored(scene(version, "contained"), tmp_path / "ledger.sqlite")
    ledger = Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "", lambda: 1, Seal((KEY.encode(),)))
    signed = renewed(ledger)
    bodies = [one.body for kind in ("incident", "standing") for one in ledger.documents.newest(kind, 9)]

    assert signed == 2
    assert [(one["format"], one["counter"]) for one in bodies] == [(3, 1), (3, 1)]
    assert json.loads(bodies[1]["sealed"])["holds"]

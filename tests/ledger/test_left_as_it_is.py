"""What is somebody else's, of a newer version, or more than is remembered: no save and no reading goes over it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from firebreak.core.signing import Seal
from firebreak.core.stored_body import FORMAT, Place, seal_body
from firebreak.ledger import sealed
from firebreak.ledger.documents import Conflict
from firebreak.ledger.records import LEASE_NS, NewerRecord, UnreadableRecord
from firebreak.ledger.renewal import renew
from firebreak.ledger.sealed import Floors
from tests.ledger.stores import taken
from tests.ledger.test_ledger import FINDING, SEAL, Clock, ledger


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_another_owner_has_by_now_is_not_saved_over_again(tmp_path: Path, clock: Clock) -> None:
    """Only what we saved ourselves, and had no answer to."""
    first, second = ledger(tmp_path, clock, "one"), ledger(tmp_path, clock, "two")
    held = taken(first, FINDING)
    ours = first.save(held, held.incident)
    assert first.save_again(held).document.version != ours.document.version
    clock.ns += LEASE_NS + 1
    theirs = taken(second, FINDING)
    with pytest.raises(Conflict):
        first.save_again(held)

    found = second.find(FINDING.incident_id)
    assert found is not None
    assert found.document.version == theirs.document.version


@pytest.mark.parametrize(("version", "fault"), [(FORMAT + 1, NewerRecord), (FORMAT, UnreadableRecord)])
def test_a_record_that_cannot_be_read_is_not_called_damaged_where_a_newer_version_saved_it(
    tmp_path: Path, clock: Clock, version: int, fault: type[Exception]
) -> None:
    """What is damaged is set aside and begun anew; what is newer is not."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    body = dict(held.document.body)
    value = {**json.loads(body["sealed"]), "finding": "not what it was"}
    before = {**body, "format": version, "acts_from": version}
    place = Place("incident", held.incident.id)
    one.documents.replace(held.document, seal_body(place, value, SEAL, before, int(body["counter"]) + 1))
    with pytest.raises(fault):
        one.find(held.incident.id)


def test_a_halt_that_was_set_without_the_key_over_a_lifted_one_stands_whoever_signs(
    tmp_path: Path, clock: Clock
) -> None:
    """What is under the seal says that it was lifted: that is not what stands."""
    old = ledger(tmp_path, clock, "one")
    old.halts.halt("a drill", "ada")
    halt = old.halts.standing_halt()
    assert halt is not None
    old.halts.lift(halt, "ada")
    replace(old, seal=Seal(())).halts.halt("an attack", "eve")
    renewing = replace(ledger(tmp_path, clock, "two"), seal=Seal((b"new", b"key")), floors=Floors())
    renew(renewing)

    assert renewing.halts.halt_reason() == "halted by eve: an attack"


def test_of_what_was_heard_of_the_last_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_MOST_KNOWN", 3)
    floors = Floors()
    for number in range(1, 5):
        floors.note({f"incident {number}": number, "halt": 1})

    assert floors.now() == {"incident 3": 3, "incident 4": 4, "halt": 1}


def test_what_cannot_be_read_is_recorded_once_however_often_it_comes(tmp_path: Path, clock: Clock) -> None:
    one = ledger(tmp_path, clock, "one")
    for _ in range(2):
        one.keep_unreadable("digest")

    assert [found.key for found in one.documents.newest("unreadable", 5)] == ["digest"]

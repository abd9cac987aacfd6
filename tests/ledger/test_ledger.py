"""Claims, leases, joining events, and the halt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.sqlite import SqliteDocuments
from core.errors import Transient
from core.finding import Finding, parse_notification
from core.seal import Seal
from core.standing import Standing
from documents import Conflict
from ledger import LEASE_NS, BrokenSeal, Held, Ledger

FINDING = parse_notification((Path(__file__).parent.parent / "findings" / "v2.json").read_bytes()).finding
SEAL = Seal((b"key",))


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ns = 1_000 * LEASE_NS

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ledger(tmp_path: Path, clock: Clock, owner: str) -> Ledger:
    return Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), owner, clock, SEAL)


def another_event(finding: Finding) -> Finding:
    return replace(finding, event_ns=finding.event_ns + 1)


def test_the_first_claim_makes_the_incident(tmp_path: Path, clock: Clock) -> None:
    """Received, ours, not joined."""
    held = ledger(tmp_path, clock, "one").claim(FINDING)

    assert held.incident.phase == "received"
    assert held.incident.owner == "one"
    assert not held.joined


def test_a_claimed_incident_is_busy_for_others_until_the_lease_runs_out(tmp_path: Path, clock: Clock) -> None:
    """Busy is Transient, so that Pub/Sub delivers again; a dead owner is succeeded."""
    first, second = ledger(tmp_path, clock, "one"), ledger(tmp_path, clock, "two")
    first.claim(FINDING)
    with pytest.raises(Transient):
        second.claim(FINDING)
    clock.ns += LEASE_NS + 1

    assert second.claim(FINDING).incident.owner == "two"


def test_the_first_owner_cannot_save_after_it_was_succeeded(tmp_path: Path, clock: Clock) -> None:
    """A zombie's save is a conflict."""
    first, second = ledger(tmp_path, clock, "one"), ledger(tmp_path, clock, "two")
    held = first.claim(FINDING)
    clock.ns += LEASE_NS + 1
    second.claim(FINDING)
    with pytest.raises(Conflict):
        first.save(held, held.incident)


def test_a_freed_incident_is_there_for_the_next_at_once(tmp_path: Path, clock: Clock) -> None:
    """Without waiting for the lease."""
    first, second = ledger(tmp_path, clock, "one"), ledger(tmp_path, clock, "two")
    held = first.claim(FINDING)
    first.free(held, held.incident)

    assert second.claim(FINDING).incident.owner == "two"


def test_a_new_event_joins_the_open_incident_of_its_finding(tmp_path: Path, clock: Clock) -> None:
    """The same trouble going on."""
    one = ledger(tmp_path, clock, "one")
    held = one.claim(FINDING)
    joined = one.claim(another_event(FINDING))

    assert joined.joined
    assert joined.incident.id == held.incident.id


def test_a_new_event_opens_an_incident_where_the_last_has_ended(tmp_path: Path, clock: Clock) -> None:
    """And later events follow the new one."""
    one = ledger(tmp_path, clock, "one")
    held = one.claim(FINDING)
    one.save(held, replace(held.incident, phase="released"))
    second = one.claim(another_event(FINDING))
    third = one.claim(another_event(another_event(FINDING)))

    assert second.incident.id != held.incident.id
    assert third.incident.id == second.incident.id


def test_an_event_published_again_belongs_to_its_incident_whatever_came_after(tmp_path: Path, clock: Clock) -> None:
    """The first event, and one that joined: neither opens an incident of its own, nor joins a later one."""
    one = ledger(tmp_path, clock, "one")
    first, joined, later = FINDING, another_event(FINDING), another_event(another_event(FINDING))
    held = one.claim(first)
    one.save(one.claim(joined), replace(held.incident, phase="released"))
    clock.ns += 1
    after_the_end = [one.claim(event).incident.id for event in (first, joined)]
    second = one.claim(later)
    beside_a_later_one = [one.claim(event).incident.id for event in (first, joined, later)]

    assert second.incident.id != held.incident.id
    assert after_the_end == [held.incident.id] * 2
    assert beside_a_later_one == [held.incident.id, held.incident.id, second.incident.id]
    assert one.claim(another_event(later)).incident.id == second.incident.id
    assert all(one.knows(event) for event in (first, joined, later))
    assert not one.knows(another_event(another_event(later)))


def test_the_wrong_key_spoils_nothing_for_the_right_one(tmp_path: Path, clock: Clock) -> None:
    """A command run without the key reads a broken seal, and saves the record; the record stays good."""
    one = ledger(tmp_path, clock, "one")
    held = one.claim(FINDING)
    one.free(held, held.incident)
    stranger = replace(one, seal=Seal((b"another key",)))
    taken = stranger.take(held.incident.id)
    assert taken is not None
    stranger.free(taken, taken.incident)

    assert not taken.sealed
    assert _read(one, held.incident.id).sealed


def test_the_largest_record_is_stored_whatever_is_in_it(tmp_path: Path, clock: Clock) -> None:
    """A text within a text is escaped twice."""
    one = ledger(tmp_path, clock, "one")
    held = one.claim(FINDING)
    for text in ("\u00e9" * 96_000, "\\" * 96_000, "\U0001f525" * 48_000):
        held = one.save(held, replace(held.incident, unsupported=(text,)))

        assert _read(one, held.incident.id).incident.unsupported == (text,)


def test_the_halt_is_read_as_set_lifted_and_set_where_unreadable(tmp_path: Path, clock: Clock) -> None:
    """Unreadable counts as set."""
    one = ledger(tmp_path, clock, "one")
    before = one.halted()
    one.halt("drill", "ada")
    during = one.halted()
    one.halt("", "ada")
    after = one.halted()
    (tmp_path / "broken.sqlite").write_bytes(b"no database at all" * 100)
    broken = Ledger(SqliteDocuments(tmp_path / "broken.sqlite"), "x", clock, SEAL).halted()

    assert (before, after) == (None, None)
    assert during is not None
    assert "drill" in during
    assert broken is not None


def test_a_record_that_somebody_changed_is_read_but_not_sealed(tmp_path: Path, clock: Clock) -> None:
    """And saving it again does not make its seal good."""
    one = ledger(tmp_path, clock, "one")
    held = one.claim(FINDING)
    changed = {**json.loads(held.document.body["sealed"]), "unsupported": ["service.ingress=none"]}
    one.documents.replace(held.document, {**held.document.body, "sealed": json.dumps(changed)})
    read = one.read(held.incident.id)

    assert read is not None
    assert not read.sealed
    assert not one.save(read, read.incident).sealed
    assert not _read(one, held.incident.id).sealed


def _read(one: Ledger, incident_id: str) -> Held:
    found = one.read(incident_id)
    assert found is not None
    return found


def test_what_stands_is_refused_where_its_seal_is_broken_or_moved(tmp_path: Path, clock: Clock) -> None:
    """Changed, or copied from another target."""
    one = ledger(tmp_path, clock, "one")
    document = one.stand(Standing("a"), None)
    one.documents.create("standing", "b", document.body)
    one.documents.replace(document, {**document.body, "seal": "0" * 64})
    for target in ("a", "b"):
        with pytest.raises(BrokenSeal):
            one.standing(target)


def test_an_older_key_still_verifies_after_rotation(tmp_path: Path, clock: Clock) -> None:
    """The first signs, all verify."""
    ledger(tmp_path, clock, "one").stand(Standing("a"), None)
    rotated = Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "two", clock, Seal((b"new", b"key")))
    dropped = Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "two", clock, Seal((b"new",)))

    assert rotated.standing("a")[0] == Standing("a")
    with pytest.raises(BrokenSeal):
        dropped.standing("a")

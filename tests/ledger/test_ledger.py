"""Claims, leases, joining events, and the halt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.halt import Halt
from firebreak.core.containment.plan import StepRefusal
from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import parse_notification
from firebreak.core.serialization import encode
from firebreak.core.signing import NoKey, Seal, Sealed
from firebreak.ledger.documents import Conflict
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import LEASE_NS, BrokenSeal, NotVerified, StoredIncident
from tests.ledger.stores import taken

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
    """Received, and ours."""
    held = taken(ledger(tmp_path, clock, "one"), FINDING)

    assert held.incident.phase == "received"
    assert held.incident.owner == "one"
    assert held.incident.id == FINDING.incident_id


def test_a_claimed_incident_is_busy_for_others_until_the_lease_runs_out(tmp_path: Path, clock: Clock) -> None:
    """Busy is Transient, so that Pub/Sub delivers again; a dead owner is succeeded."""
    first, second = ledger(tmp_path, clock, "one"), ledger(tmp_path, clock, "two")
    taken(first, FINDING)
    with pytest.raises(Transient):
        taken(second, FINDING)
    clock.ns += LEASE_NS + 1

    assert taken(second, FINDING).incident.owner == "two"


def test_the_first_owner_cannot_save_after_it_was_succeeded(tmp_path: Path, clock: Clock) -> None:
    """A zombie's save is a conflict."""
    first, second = ledger(tmp_path, clock, "one"), ledger(tmp_path, clock, "two")
    held = taken(first, FINDING)
    clock.ns += LEASE_NS + 1
    taken(second, FINDING)
    with pytest.raises(Conflict):
        first.save(held, held.incident)


def test_a_freed_incident_is_there_for_the_next_at_once(tmp_path: Path, clock: Clock) -> None:
    """Without waiting for the lease."""
    first, second = ledger(tmp_path, clock, "one"), ledger(tmp_path, clock, "two")
    held = taken(first, FINDING)
    first.release_lease(held, held.incident)

    assert taken(second, FINDING).incident.owner == "two"


def test_a_new_event_joins_the_open_incident_of_its_finding(tmp_path: Path, clock: Clock) -> None:
    """The same trouble going on."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    joined = taken(one, another_event(FINDING))

    assert joined.incident.id == held.incident.id
    assert [event.id for event in one.events_of(held.incident.id)] == [
        FINDING.incident_id,
        another_event(FINDING).incident_id,
    ]


def test_a_new_event_opens_an_incident_where_the_last_has_ended(tmp_path: Path, clock: Clock) -> None:
    """And later events follow the new one."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    one.save(held, replace(held.incident, phase="released"))
    second = taken(one, another_event(FINDING))
    third = taken(one, another_event(another_event(FINDING)))

    assert second.incident.id != held.incident.id
    assert third.incident.id == second.incident.id


def test_an_event_published_again_belongs_to_its_incident_whatever_came_after(tmp_path: Path, clock: Clock) -> None:
    """The first event, and one that joined: neither opens an incident of its own, nor joins a later one."""
    one = ledger(tmp_path, clock, "one")
    first, joined, later = FINDING, another_event(FINDING), another_event(another_event(FINDING))
    held = taken(one, first)
    one.save(taken(one, joined), replace(held.incident, phase="released"))
    clock.ns += 1
    after_the_end = [taken(one, event).incident.id for event in (first, joined)]
    second = taken(one, later)
    beside_a_later_one = [taken(one, event).incident.id for event in (first, joined, later)]

    assert second.incident.id != held.incident.id
    assert after_the_end == [held.incident.id] * 2
    assert beside_a_later_one == [held.incident.id, held.incident.id, second.incident.id]
    assert taken(one, another_event(later)).incident.id == second.incident.id
    assert all(one.incident_with(event) for event in (first, joined, later))
    assert not one.incident_with(another_event(another_event(later)))


def test_the_wrong_key_spoils_nothing_for_the_right_one(tmp_path: Path, clock: Clock) -> None:
    """A command run without the key reads a broken seal, and saves the record; the record stays good."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    one.release_lease(held, held.incident)
    stranger = replace(one, seal=Seal((b"another key",)))
    theirs = stranger.take(held.incident.id)
    assert theirs is not None
    stranger.release_lease(theirs, theirs.incident)

    assert not theirs.sealed
    assert _read(one, held.incident.id).sealed


def test_the_largest_record_is_stored_whatever_is_in_it(tmp_path: Path, clock: Clock) -> None:
    """A text within a text is escaped twice."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    for text in ("\u00e9" * 96_000, "\\" * 96_000, "\U0001f525" * 48_000):
        held = one.save(held, replace(held.incident, unsupported=(text,)))

        assert _read(one, held.incident.id).incident.unsupported == (text,)


def test_the_halt_is_read_as_set_lifted_and_set_where_unreadable(tmp_path: Path, clock: Clock) -> None:
    """Unreadable counts as set."""
    one = ledger(tmp_path, clock, "one")
    before = one.halt_reason()
    one.halt("drill", "ada")
    during = one.halt_reason()
    standing = one.halts.standing_halt()
    assert standing is not None
    one.halts.lift(standing, "ada")
    after = one.halt_reason()
    (tmp_path / "broken.sqlite").write_bytes(b"no database at all" * 100)
    broken = Ledger(SqliteDocuments(tmp_path / "broken.sqlite"), "x", clock, SEAL).halt_reason()

    assert (before, after) == (None, None)
    assert during is not None
    assert "drill" in during
    assert broken is not None


def test_a_halt_is_lifted_by_its_own_name_alone(tmp_path: Path, clock: Clock) -> None:
    """One that took its place stands; so does one that cannot be read, and one without a reason is none."""
    one = ledger(tmp_path, clock, "one")
    one.halt("drill", "ada")
    first = one.halts.standing_halt()
    assert first is not None
    clock.ns += 1
    one.halt("drill", "ada")
    with pytest.raises(Conflict):
        one.halts.lift(first, "bob")
    second = one.halts.standing_halt()
    assert second is not None
    one.halts.lift(second, "bob")
    with pytest.raises(ValueError, match="reason"):
        one.halt("", "bob")
    (tmp_path / "broken.sqlite").write_bytes(b"no database at all" * 100)
    broken = Ledger(SqliteDocuments(tmp_path / "broken.sqlite"), "x", clock, SEAL)

    assert (first.at_ns, second.at_ns) == (clock.ns - 1, clock.ns)
    assert one.halt_reason() is None
    with pytest.raises(Transient):
        broken.halts.standing_halt()


def test_a_halt_of_the_version_before_stands_and_can_be_lifted(tmp_path: Path, clock: Clock) -> None:
    one = ledger(tmp_path, clock, "one")
    one.documents.create("halt", "halt", {"reason": "drill", "by": "ada", "at_ns": 7})
    halt = one.halts.standing_halt()

    assert halt == Halt("drill", "ada", 7)
    one.halts.lift(halt, "bob")
    assert one.halt_reason() is None


@pytest.mark.parametrize(
    "change",
    [{"unsupported": ["service.ingress=none"]}, {"failed_on": {"p/l/service/s": ["pin_previous_revision"]}}],
    ids=str,
)
def test_a_record_that_somebody_changed_is_read_but_not_sealed(
    tmp_path: Path, clock: Clock, change: dict[str, Any]
) -> None:
    """And saving it again does not make its seal good."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    changed = {**json.loads(held.document.body["sealed"]), **change}
    one.documents.replace(held.document, {**held.document.body, "sealed": json.dumps(changed)})
    read = one.read(held.incident.id)

    assert read is not None
    assert not read.sealed
    assert not one.save(read, read.incident).sealed
    assert not _read(one, held.incident.id).sealed


def test_what_records_came_to_hold_later_is_left_out_until_it_is_needed(tmp_path: Path, clock: Clock) -> None:
    """So that what was stored before is encoded as it was."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    failed = one.save(held, replace(held.incident, failed_on={"p/l/service/s": ("pin_previous_revision",)}))

    assert encode(StepRefusal("pin_previous_revision", "why")) == {"action": "pin_previous_revision", "reason": "why"}
    assert encode(StepRefusal("pin_previous_revision", "why", "unread"))["kind"] == "unread"
    assert "failed_on" not in json.loads(held.document.body["sealed"])
    assert _read(one, held.incident.id).sealed
    assert _read(one, held.incident.id).incident.failed_on == failed.incident.failed_on


def _read(one: Ledger, incident_id: str) -> StoredIncident:
    found = one.read(incident_id)
    assert found is not None
    return found


def test_what_stands_is_refused_where_its_seal_is_broken_or_moved(tmp_path: Path, clock: Clock) -> None:
    """Changed, or copied from another target."""
    one = ledger(tmp_path, clock, "one")
    document = one.commit(one.standing_save(Standing("a"), None))[0]
    one.documents.create("standing", "b", document.body)
    one.documents.replace(document, {**document.body, "seal": "0" * 64})
    for target in ("a", "b"):
        with pytest.raises(BrokenSeal):
            one.standing_at(target)


def test_without_a_key_nothing_is_called_changed_and_nothing_is_saved(tmp_path: Path, clock: Clock) -> None:
    """A laptop without the key knows nothing of a seal, whole or forged."""
    one = ledger(tmp_path, clock, "one")
    held = taken(one, FINDING)
    one.commit(one.standing_save(Standing("a"), None))[0]
    laptop = replace(one, seal=Seal(()))
    whole = _read(laptop, held.incident.id)
    one.documents.replace(held.document, {**held.document.body, "seal": "0" * 64})
    forged = _read(laptop, held.incident.id)

    assert (whole.sealed, forged.sealed) == (Sealed.UNVERIFIED, Sealed.UNVERIFIED)
    with pytest.raises(NotVerified, match="not verified here"):
        laptop.standing_at("a")
    with pytest.raises(NoKey, match="FIREBREAK_SEAL_KEY"):
        laptop.save(forged, forged.incident)


@pytest.mark.parametrize("known", Sealed)
def test_only_a_seal_that_holds_counts_as_one(known: Sealed) -> None:
    """Whatever asks for a yes or a no gets a no where nothing is known."""
    assert bool(known) is (known is Sealed.HOLDS)


def test_an_older_key_still_verifies_after_rotation(tmp_path: Path, clock: Clock) -> None:
    """The first signs, all verify."""
    ledger(tmp_path, clock, "one").commit(ledger(tmp_path, clock, "one").standing_save(Standing("a"), None))[0]
    rotated = Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "two", clock, Seal((b"new", b"key")))
    dropped = Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "two", clock, Seal((b"new",)))

    assert rotated.standing_at("a")[0] == Standing("a")
    with pytest.raises(BrokenSeal):
        dropped.standing_at("a")


@pytest.mark.parametrize("kind", ["finding", "event"])
def test_no_event_joins_the_incident_of_another_finding_whatever_leads_there(
    tmp_path: Path, clock: Clock, kind: str
) -> None:
    """What only leads to an incident is not sealed; one that took up another finding would forget where it stands."""
    one = ledger(tmp_path, clock, "one")
    theirs = taken(one, FINDING)
    mine = replace(FINDING, name=replace(FINDING.name, finding="another"))
    pointed = {"incident": theirs.incident.id if kind == "finding" else "fb-none", "at_ns": 1}
    one.documents.create("finding", f"{mine.name.source}~{mine.name.finding}", pointed)
    if kind == "event":
        one.documents.create("event", mine.incident_id, {"incident": theirs.incident.id, "at_ns": 1})

    assert taken(one, mine).incident.id == mine.incident_id

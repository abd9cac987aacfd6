"""Whoever can write the ledger, but has no seal key: nothing is put back to an older state unnoticed, or deleted."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.slots import HOUR_NS, Slots
from firebreak.core.incidents.command import Command
from firebreak.core.serialization import encode
from firebreak.core.signing import Seal, Sealed
from firebreak.ledger.documents import Conflict, Document, Save
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import BrokenSeal, StoredIncident, UnreadableRecord, incident_json
from firebreak.response.explain.unwritten import Unwritten
from tests.ledger.racing import another_finding
from tests.ledger.stores import taken
from tests.ledger.test_ledger import FINDING, SEAL, Clock

KEY = "shop-prod/europe-west1/service/checkout"
PLACES = {"incident": FINDING.incident_id, "standing": KEY, "halt": "halt", "slots": "taken"}
Restart = Callable[[], Ledger]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def restart(tmp_path: Path, clock: Clock) -> Restart:
    """A process that has just started, and knows nothing but what is in the ledger."""
    return lambda: Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "one", clock, SEAL)


@pytest.fixture
def one(restart: Restart) -> Ledger:
    return restart()


def claimed(ledger: Ledger) -> StoredIncident:
    held = taken(ledger, FINDING)
    assert isinstance(held.incident.finding.target, Target)
    assert held.incident.finding.target.key == KEY
    return held


def contained(ledger: Ledger) -> StoredIncident:
    """The incident holds its target, and both were saved in one step."""
    held = claimed(ledger)
    standing, document = ledger.standing_at(KEY)
    holding = standing.with_hold(Hold(held.incident.id, (), frozenset({"bad"}), 1))
    return ledger.save(held, held.incident, ledger.standing_save(holding, document))


def stored(ledger: Ledger, kind: str) -> Document:
    document = ledger.documents.read(kind, PLACES[kind])
    assert document is not None
    return document


def put_back(ledger: Ledger, older: Document) -> None:
    ledger.documents.replace(stored(ledger, older.kind), older.body)


def in_file(folder: Path, statement: str) -> None:
    """What somebody does to the ledger's file from outside."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as file, file:
        assert file.execute(statement).rowcount == 1


def delete(folder: Path, kind: str) -> None:
    in_file(folder, f"DELETE FROM documents WHERE kind = '{kind}'")  # noqa: S608 - a test's own word


def damage(folder: Path, kind: str) -> None:
    in_file(folder, f"UPDATE documents SET body = 'x' WHERE kind = '{kind}'")  # noqa: S608 - a test's own word


def counter(ledger: Ledger, kind: str) -> int:
    return int(stored(ledger, kind).body["counter"])


def test_each_save_of_a_record_counts_one_higher(one: Ledger) -> None:
    """Also where several are saved in one step."""
    held = contained(one)
    one.commit(one.slots_save(*one.slots()))
    one.halt("drill", "ada")
    first = {kind: counter(one, kind) for kind in PLACES}
    held = one.save(held, held.incident, one.standing_save(*one.standing_at(KEY)), one.slots_save(*one.slots()))
    one.halt("drill", "ada")

    assert first == {"incident": 3, "standing": 1, "halt": 1, "slots": 1}
    assert {kind: counter(one, kind) for kind in PLACES} == {"incident": 4, "standing": 2, "halt": 2, "slots": 2}


def test_a_record_tells_under_its_seal_how_far_the_others_were(one: Ledger, restart: Restart) -> None:
    """The incident of halt, slots and what stands; what stands of halt, slots and the incidents that hold it."""
    one.halt("drill", "ada")
    held = contained(one)
    one.halt("drill", "ada")
    assert one.halt_reason()
    held = one.save(held, held.incident, one.slots_save(*one.slots()))
    standing, document = one.standing_at(KEY)
    one.commit(one.standing_save(standing, document))
    read = restart().find(held.incident.id)

    assert read is not None
    assert read.incident == held.incident
    assert dict(read.incident.floors) == {"halt": 2, "slots": 1, f"standing {KEY}": 1}
    assert dict(restart().standing_at(KEY)[0].floors) == {"halt": 2, "slots": 1, f"incident {held.incident.id}": 4}


def test_what_stands_remembers_the_last_fifty_incidents_that_held_it_and_each_that_does(one: Ledger) -> None:
    """However many there were."""
    standing, document = one.standing_at(KEY)
    standing = standing.with_hold(Hold("fb-first", (), frozenset(), 1))
    one.floors.note({f"incident fb-{number}": 1 for number in ("first", *range(99))})
    for number in range(99):
        held = standing.with_hold(Hold(f"fb-{number}", (), frozenset(), 1))
        document = one.commit(one.standing_save(held, document))[0]
        standing = one.standing_at(KEY)[0].without_hold(f"fb-{number}")
    floors = one.standing_at(KEY)[0].floors

    assert len(floors) == 50
    assert {"incident fb-first", "incident fb-98", "incident fb-60"} <= floors.keys()
    assert "incident fb-0" not in floors


def test_an_older_incident_put_back_is_as_one_with_a_broken_seal(one: Ledger) -> None:
    """Where the process saw the later one itself; in a list as well."""
    held = contained(one)
    older = held.document
    held = one.save(held, replace(held.incident, phase="contained"))
    put_back(one, older)
    read = one.find(held.incident.id)
    listed = next(one.newest(5))

    assert read is not None
    assert (read.sealed, listed.sealed) == (Sealed.BROKEN, Sealed.BROKEN)
    with pytest.raises(BrokenSeal):
        one.save(read, read.incident, one.standing_save(*one.standing_at(KEY)))


def test_an_older_incident_put_back_is_told_by_what_stands_even_to_a_process_that_has_just_started(
    one: Ledger, restart: Restart
) -> None:
    older = claimed(one).document
    contained(one)
    put_back(one, older)
    found = restart().find(FINDING.incident_id)

    assert found is not None
    assert found.sealed is Sealed.BROKEN


@pytest.mark.parametrize("how", ["put back", "deleted"])
def test_what_stands_is_not_believed_where_its_incident_knows_a_later_one(
    one: Ledger, restart: Restart, tmp_path: Path, how: str
) -> None:
    """Read by a process that has just started and looks at the incident first, as all that act do."""
    held = contained(one)
    older = stored(one, "standing")
    standing, document = one.standing_at(KEY)
    again = one.standing_save(replace(standing, drift="x"), document)
    held = one.save(held, held.incident, again)
    if how == "deleted":
        delete(tmp_path, "standing")
    else:
        put_back(one, older)
    late = restart()
    assert late.find(held.incident.id)
    with pytest.raises(BrokenSeal, match="deleted" if how == "deleted" else "broken") as told:
        late.standing_at(KEY)
    anew = late.standing_save(Standing(KEY), told.value.document, anew=True)
    with pytest.raises(Conflict):
        late.commit(replace(anew, anew=False))
    late.commit(anew)

    assert late.standing_at(KEY)[0] == restart().standing_at(KEY)[0]
    assert one.standing_at(KEY)[0].holds == ()


def test_a_later_record_than_the_one_that_is_known_is_only_newer(one: Ledger, restart: Restart) -> None:
    """Somebody else has saved it since."""
    held = contained(one)
    other = restart()
    theirs = other.find(held.incident.id)
    assert theirs is not None
    other.save(theirs, theirs.incident, other.standing_save(*other.standing_at(KEY)))
    read = one.find(held.incident.id)

    assert read is not None
    assert read.sealed
    assert one.standing_at(KEY)[0].holds


def test_an_incident_that_was_deleted_is_told_so_and_can_be_begun_anew(
    one: Ledger, restart: Restart, tmp_path: Path
) -> None:
    """Above all that any record may know of it."""
    contained(one)
    delete(tmp_path, "incident")
    late = restart()
    with pytest.raises(BrokenSeal, match="deleted"):
        late.find(FINDING.incident_id)
    with pytest.raises(BrokenSeal, match="deleted") as told:
        late.hear(FINDING)
    begun = taken(late, FINDING, told.value.document)

    assert begun.sealed
    for ledger in (one, late, restart()):
        assert ledger.standing_at(KEY)[0].holds
        found = ledger.find(FINDING.incident_id)
        assert found is not None
        assert found.sealed


@pytest.mark.parametrize("how", ["put back", "deleted", "lifted", "changed", "unreadable", "damaged"])
def test_a_halt_that_somebody_tampered_with_stands_until_it_is_lifted_with_the_key(
    one: Ledger, restart: Restart, tmp_path: Path, clock: Clock, how: str
) -> None:
    """And then it is lifted for every process, whatever each of them knew."""
    one.halt("a first drill", "ada")
    _lifted(one)
    lifted = stored(one, "halt")
    one.halt("an attack", "ada")
    claimed(one)
    newest = stored(one, "halt")
    bodies: dict[str, dict[str, Any]] = {
        "put back": dict(lifted.body),
        "lifted": {"reason": "", "by": "ada", "at_ns": 1},
        "changed": {**newest.body, "reason": "", "sealed": lifted.body["sealed"]},
        "unreadable": {**newest.body, "reason": "", "format": "x"},
    }
    if how == "deleted":
        delete(tmp_path, "halt")
    elif how == "damaged":
        damage(tmp_path, "halt")
    else:
        one.documents.replace(newest, bodies[how])
    clock.ns += 1
    keyless = replace(restart(), seal=Seal(()))
    late = restart()
    found = [ledger.halt_reason() for ledger in (one, late)]
    _lifted(late)

    assert all(reason and "counts as set" in reason and "firebreak resume" in reason for reason in found)
    assert [ledger.halt_reason() for ledger in (one, late, restart(), keyless)] == [None] * 4
    late.halt("again", "bob")
    assert [ledger.halt_reason() for ledger in (one, restart(), keyless)] == ["halted by bob: again"] * 3


def _lifted(ledger: Ledger) -> None:
    halt = ledger.halts.standing_halt()
    assert halt is not None
    ledger.halts.lift(halt, "ada")


def test_a_process_that_has_just_started_knows_of_the_halt_by_the_records_that_were_saved_last(
    one: Ledger, restart: Restart, tmp_path: Path
) -> None:
    """Else whoever deletes the halt would only have to wait for the next cold start."""
    one.halt("an attack", "ada")
    claimed(one)
    delete(tmp_path, "halt")

    assert restart().halt_reason() is not None
    assert replace(restart(), seal=Seal(())).halt_reason() is None


def test_a_halt_needs_no_key_and_is_lifted_with_one_alone(one: Ledger, restart: Restart) -> None:
    """Over nothing, and over one that was lifted under the seal: what was known of that one is not lost."""
    laptop = replace(one, seal=Seal(()))
    laptop.halt("first", "eve")
    first = one.halts.standing_halt()
    refused = laptop.halts.obey(_resume())
    _lifted(one)
    laptop.halt("second", "eve")
    second = [ledger.halt_reason() for ledger in (one, restart(), laptop)]
    _lifted(one)

    assert first is not None
    assert not refused.done
    assert "FIREBREAK_SEAL_KEY" in refused.says
    assert second == ["halted by eve: second"] * 3
    assert one.halt_reason() is None
    assert counter(one, "halt") > 1


def _resume() -> Command:
    return Command("id", "resume", "eve", sent_ns=1 << 62)


@pytest.mark.parametrize("how", ["put back", "deleted", "forged", "damaged"])
def test_slots_that_somebody_tampered_with_count_as_used_up_and_are_mended_within_an_hour(
    one: Ledger, restart: Restart, tmp_path: Path, clock: Clock, how: str
) -> None:
    empty = one.commit(one.slots_save(Slots(), None))[0]
    target = FINDING.target
    assert isinstance(target, Target)
    one.commit(one.slots_save(Slots().with_slots("fb-1", (target,), clock.ns), empty))
    held = claimed(one)
    held = one.save(held, held.incident)
    if how == "deleted":
        delete(tmp_path, "slots")
    elif how == "damaged":
        damage(tmp_path, "slots")
    else:
        body = {**empty.body, "counter": 99} if how == "forged" else empty.body
        one.documents.replace(stored(one, "slots"), body)
    late = restart()
    with pytest.raises((BrokenSeal, UnreadableRecord), match="used up for an hour"):
        late.slots()
    told = late.mend_slots()
    during = [ledger.slots()[0].lost_ns for ledger in (one, late, restart())]
    clock.ns += HOUR_NS

    assert told is not None
    assert "used up for an hour" in told
    assert during == [clock.ns - HOUR_NS] * 3
    assert [ledger.slots()[0] for ledger in (one, late, restart())] == [Slots()] * 3
    assert late.mend_slots() is None


def test_slots_that_a_version_before_counted_by_incident_still_count(one: Ledger, clock: Clock) -> None:
    """By the incident's own target; of one that cannot be read, in every project. Once saved, they are ours."""
    held = claimed(one)
    taken = {held.incident.id: clock.ns - 1, "fb-gone": clock.ns - 2, "fb-old": clock.ns - HOUR_NS}
    one.documents.create("slots", "all", {"slots": taken})
    slots, document = one.slots()
    one.commit(one.slots_save(slots, document))

    assert document is None
    assert [(slot.incident, slot.target.key) for slot in slots.taken] == [
        (held.incident.id, KEY),
        ("fb-gone", "//service/fb-gone"),
    ]
    assert one.slots()[0] == slots


def test_who_has_no_key_calls_nothing_changed(one: Ledger) -> None:
    """A laptop cannot tell an older record from a newer one, and says so."""
    held = contained(one)
    older = held.document
    one.save(held, held.incident)
    put_back(one, older)
    laptop = replace(one, seal=Seal(()))
    read = laptop.find(held.incident.id)

    assert read is not None
    assert read.sealed is Sealed.UNVERIFIED


def test_what_a_record_of_a_version_without_counters_says_of_others_is_not_believed(
    one: Ledger, restart: Restart
) -> None:
    """It was not sealed then."""
    made = one.seal.sign("standing", {"target": KEY})
    one.documents.create("standing", KEY, {"standing": {"target": KEY, "floors": {"halt": 99}}, "seal": made})
    fresh = incident_json(encode(claimed(replace(restart(), documents=Unwritten(None))).incident))
    parts = [FINDING.incident_id, fresh["finding"]["target"], *[None] * 5, [], [], None]
    planted = {"incident": {**fresh, "floors": {"halt": 99}}, "seal": one.seal.sign("incident", parts)}
    one.documents.create("incident", FINDING.incident_id, planted)
    held = one.find(FINDING.incident_id)

    assert one.standing_at(KEY)[0] == Standing(KEY)
    assert held is not None
    assert held.sealed
    assert "halt" not in one.save(held, held.incident).incident.floors
    assert one.halt_reason() is None


def test_where_what_is_saved_beside_it_was_in_the_way_the_incident_is_not_saved_either(one: Ledger) -> None:
    """And the conflict says which of the two it was."""
    held = contained(one)
    standing, document = one.standing_at(KEY)
    one.commit(one.standing_save(standing, document))
    with pytest.raises(Conflict) as told:
        one.save(held, replace(held.incident, phase="contained"), one.standing_save(standing, document))
    with pytest.raises(Conflict) as made:
        one.save(held, held.incident, Save("standing", KEY, {}, anew=True))
    found = one.find(held.incident.id)

    assert (told.value.kind, told.value.key) == (made.value.kind, made.value.key) == ("standing", KEY)
    assert found is not None
    assert found.incident.phase == "received"


def test_readers_beside_writers_never_take_a_record_for_broken(one: Ledger) -> None:
    """What was saved between a look at the floor and the reading is only newer."""
    held = contained(one)
    broken: list[str] = []
    done = threading.Event()

    def read() -> None:
        mine = replace(one, owner="reader")
        while not done.is_set():
            found = mine.find(held.incident.id)
            listed = list(mine.newest(1))
            broken.extend(str(each) for each in (found, *listed) if each is None or not each.sealed)
            mine.standing_at(KEY)
            assert mine.halt_reason() is None or one.halts.standing_halt()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        held = one.save(held, held.incident, one.standing_save(*one.standing_at(KEY)))
    done.set()
    for thread in threads:
        thread.join()

    assert broken == []


def test_a_halt_that_was_seen_standing_is_not_lifted_by_deleting_it(
    one: Ledger, restart: Restart, tmp_path: Path
) -> None:
    """Also by a process that did not set it, and saved nothing since."""
    other = restart()
    one.halt("an attack", "ada")
    seen = other.halt_reason()
    delete(tmp_path, "halt")

    assert seen == "halted by ada: an attack"
    assert "counts as set" in str(other.halt_reason())


@pytest.mark.parametrize("planted", [20, 600])
def test_what_a_new_process_has_to_know_is_not_hidden_behind_records_that_nobody_sealed(
    one: Ledger, restart: Restart, tmp_path: Path, planted: int
) -> None:
    """Behind a few it is found; behind too many to look through, everything is halted."""
    one.halt("an attack", "ada")
    claimed(one)
    for kind in ("incident", "standing"):
        one.documents.commit([Save(kind, f"planted-{number}", {"format": 3}) for number in range(planted)])
    delete(tmp_path, "halt")

    assert "counts as set" in str(restart().halt_reason())


def test_slots_that_others_took_first_are_missed_where_they_were_deleted(
    one: Ledger, restart: Restart, tmp_path: Path
) -> None:
    """By a process that began before there were any."""
    early = restart()
    before = early.slots()
    held = claimed(one)
    one.save(held, held.incident, one.slots_save(*one.slots()))
    delete(tmp_path, "slots")

    assert before == (Slots(), None)
    with pytest.raises(BrokenSeal, match="deleted"):
        early.slots()


def test_an_incident_that_nothing_stands_of_is_not_put_back_past_what_was_saved_after_it(
    one: Ledger, restart: Restart
) -> None:
    """Whoever saves another incident tells, under its seal, what it had met before."""
    older = claimed(one).document
    held = one.find(FINDING.incident_id)
    assert held is not None
    one.save(held, replace(held.incident, phase="rejected"))
    taken(one, another_finding())
    put_back(one, older)
    found = restart().find(FINDING.incident_id)

    assert found is not None
    assert found.sealed is Sealed.BROKEN


def test_a_lease_that_somebody_wrote_into_the_far_future_keeps_nobody_from_work(one: Ledger, clock: Clock) -> None:
    """Who owns an incident, and until when, is under no seal."""
    document = claimed(one).document
    lease = {"owner": "nobody", "lease_until_ns": clock.ns + 10**18, "updated_ns": clock.ns}
    one.documents.replace(document, {**document.body, "lease": lease})

    assert replace(one, owner="another").take(FINDING.incident_id) is not None

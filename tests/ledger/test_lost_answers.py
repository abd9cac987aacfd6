"""Firestore writes and its answer is lost: whoever wrote finds its own write again, and nobody owns twice or never."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from firebreak.core.errors import Transient
from firebreak.ledger.documents import Conflict, Exists, Save
from firebreak.ledger.records import LEASE_NS
from tests.emulators.firestore_wire import FirestoreWire, Rule
from tests.ledger.racing import RACERS, another_finding, claimed, ledger_of, thread_claims
from tests.ledger.stores import ON_FIRESTORE, Store, a_database, taken

pytestmark = ON_FIRESTORE


@pytest.fixture
def database(firestore_host: str) -> Store:
    return a_database(firestore_host)


@contextmanager
def wired(database: Store, rule: Rule, seconds: float | None = None) -> Iterator[tuple[FirestoreWire, Store]]:
    """The same database behind a wire with faults."""
    with FirestoreWire(database.firestore, rule) as wire:
        yield wire, replace(database, firestore=wire.host, seconds=seconds)


def first(fate: str, method: str = "Commit", times: int = 1) -> Rule:
    """That fate for the first calls of the method."""
    return lambda called, before: fate if called == method and before < times else "passed"


def every_other(fate: str) -> Rule:
    return lambda called, before: fate if called == "Commit" and before % 2 == 0 else "passed"


def test_a_claim_whose_answer_is_lost_is_still_ours(database: Store) -> None:
    """The repeated creation says that it exists, and its token says whose it is; the next save goes on from it."""
    finding = another_finding()
    with wired(database, first("lost")) as (wire, store):
        one = ledger_of(store, "one")
        held = taken(one, finding)
        saved = one.save(held, held.incident)
    found = database().read("incident", finding.incident_id)

    assert [name for name, _ in wire.requests].count("Commit") == 4  # lost, again, the pointer, the save
    assert held.incident.owner == "one"
    assert found is not None
    assert found.version == saved.document.version


def test_a_save_whose_answer_is_lost_is_still_ours(database: Store) -> None:
    """And one over an older version stays a conflict."""
    document = database().create("slots", "a", {"n": 0})
    with wired(database, first("lost")) as (_, store):
        saved = store().replace(document, {"n": 1})
        with pytest.raises(Conflict):
            store().replace(document, {"n": 2})
    found = database().read("slots", "a")

    assert found is not None
    assert (found.version, found.body) == (saved.version, {"n": 1})


def test_a_commit_of_several_whose_answer_is_lost_is_still_ours(database: Store) -> None:
    """Made and replaced: each is read back with the version that it has."""
    known = database().create("slots", "a", {"n": 0})
    with wired(database, first("lost")) as (_, store):
        saved = store().commit([Save("slots", "a", {"n": 1}, over=known), Save("incident", "b", {"n": 1})])
    found = [database().read(one.kind, one.key) for one in saved]

    assert found == saved


def test_a_commit_is_still_ours_where_somebody_saved_over_a_part_of_it_before_we_knew(database: Store) -> None:
    """What was saved over has, for us, the version that it had: the next save of it is refused."""
    known = database().create("slots", "a", {"n": 0})

    def overtaking(called: str, before: int) -> str:
        if (called, before) == ("BatchGetDocuments", 0):
            newest = database().read("slots", "a")
            assert newest is not None
            database().replace(newest, {"n": 2})
        return first("lost")(called, before)

    with wired(database, overtaking) as (_, store):
        saved = store().commit([Save("slots", "a", {"n": 1}, over=known), Save("incident", "b", {"n": 1})])
        with pytest.raises(Conflict):
            store().replace(saved[0], {"n": 3})

    assert database().read("incident", "b") == saved[1]


def test_somebody_else_s_document_is_never_taken_for_ours(database: Store) -> None:
    """The answer that it exists was lost, not the write."""
    database().create("incident", "a", {"whose": "theirs"})
    with wired(database, first("lost")) as (_, store), pytest.raises(Exists):
        store().create("incident", "a", {"whose": "ours"})


def test_of_sixteen_racers_who_lose_every_other_answer_one_owns_and_knows_it(database: Store) -> None:
    """No two, and not none."""
    finding = another_finding()
    with wired(database, every_other("lost")) as (_, store):
        claims = [one for one, _ in thread_claims([ledger_of(store, f"racer-{n}") for n in range(RACERS)], finding)]
    knowing = [one.racer for one in claims if one.held]
    found = ledger_of(database, "reader").read(finding.incident_id)

    assert len(knowing) == 1
    assert found is not None
    assert found.incident.owner == knowing[0]


def test_an_owner_who_never_learns_of_it_is_succeeded_when_its_lease_has_run_out(database: Store) -> None:
    """Every answer is lost until its time is up: it is told to come again, and so is everybody until then."""
    finding = another_finding()
    ledger_of(database, "earlier").hear(finding)
    with wired(database, first("lost", times=1000), seconds=1.0) as (_, store):
        unaware = claimed(ledger_of(store, "unaware"), finding)[0]
    written = ledger_of(database, "reader").read(finding.incident_id)
    early = claimed(ledger_of(database, "early"), finding)[0]
    heirs = thread_claims([ledger_of(database, f"heir-{n}", LEASE_NS) for n in range(4)], finding)

    assert unaware.held is None
    assert early.held is None
    assert sum(one.held is not None for one, _ in heirs) == 1
    assert written is not None
    assert written.incident.owner == "unaware"


def test_an_event_of_which_no_answer_came_is_kept_and_there_for_the_next_at_once(database: Store) -> None:
    """Keeping it owns nothing: nobody has to wait for whoever did not learn of it."""
    finding = another_finding()
    with wired(database, first("lost", times=1000), seconds=1.0) as (_, store), pytest.raises(Transient):
        ledger_of(store, "unaware").hear(finding)
    written = ledger_of(database, "reader").read(finding.incident_id)
    heir = ledger_of(database, "heir")
    held = taken(heir, finding)

    assert written is not None
    assert written.incident.owner == ""
    assert [one.id for one in heir.events_of(held.incident.id)] == [finding.incident_id]


@pytest.mark.parametrize("late", [0, 1], ids=["creation", "save"])
def test_a_write_that_lands_late_changes_nothing(database: Store, late: int) -> None:
    """Held back on its way, given up, done again with success, saved over since: then it arrives."""
    rule: Rule = lambda called, before: "held" if (called, before) == ("Commit", late) else "passed"  # noqa: E731 - a rule
    with wired(database, rule, seconds=1.0) as (wire, store):
        document = store().create("slots", "a", {"n": 0})
        saved = store().replace(store().replace(document, {"n": 1}), {"n": 2})
        wire.release()
        while wire.done.count("Commit") < 4:
            time.sleep(0.01)
    found = database().read("slots", "a")

    assert found is not None
    assert (found.version, found.body) == (saved.version, {"n": 2})


@pytest.mark.parametrize("status", ["UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED", "INTERNAL", "CANCELLED", "UNKNOWN"])
def test_what_passes_in_a_moment_is_not_noticed(database: Store, status: str) -> None:
    """Neither by a save nor by a read nor by a list."""
    rule: Rule = lambda _, before: status if before == 0 else "passed"  # noqa: E731 - a rule
    with wired(database, rule) as (_, store):
        document = store().create("slots", "a", {"n": 0})
        found = store().read("slots", "a")
        listed = list(store().newest("slots", 1))

    assert found == document
    assert listed == [document]


def test_what_does_not_pass_is_transient_in_time(database: Store) -> None:
    """Whether it is refused or hangs."""
    for fate in ("UNAVAILABLE", "held"):
        with wired(database, lambda *_, fate=fate: fate, seconds=0.3) as (_, store):
            begun = time.monotonic()
            with pytest.raises(Transient, match="could not be reached in time"):
                store().read("slots", "a")

            assert time.monotonic() - begun < 5

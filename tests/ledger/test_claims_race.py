"""Many for one incident: one owner at a time, whoever dies, lags behind, has a wrong clock or loses an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from firebreak.ledger.documents import Conflict
from firebreak.ledger.records import LEASE_NS, StoredIncident
from tests.ledger.racing import (
    RACERS,
    Claim,
    another_finding,
    claim_and_hang,
    claimed,
    fresh_processes,
    ledger_of,
    process_claims,
    side_by_side,
    thread_claims,
)
from tests.ledger.stores import Store, taken

MINUTE_NS = 60 * 1_000_000_000
ROUNDS = 3
Record = Callable[[str, object], None]


def owners(claims: Sequence[Claim]) -> list[str]:
    """Who was told that the incident is theirs."""
    return [one.racer for one in claims if one.held == one.racer]


def test_of_sixteen_threads_one_owns_and_the_others_are_told_to_come_again(
    store: Store, record_property: Record
) -> None:
    """Each as a process of its own name."""
    ledgers = [ledger_of(store, f"thread-{number}") for number in range(RACERS)]
    rounds = [[one for one, _ in thread_claims(ledgers, another_finding())] for _ in range(ROUNDS)]
    record_property("figure", f"races of {RACERS} threads on {store.kind} with one owner")

    assert [len(owners(one)) for one in rounds] == [1] * ROUNDS
    assert [sum(claim.held is None for claim in one) for one in rounds] == [RACERS - 1] * ROUNDS


def test_of_sixteen_processes_one_owns_and_the_others_are_told_to_come_again(
    store: Store, record_property: Record
) -> None:
    """Separate processes that share nothing but the store."""
    findings = [another_finding() for _ in range(ROUNDS)]
    rounds = process_claims(store, findings)
    kept = [ledger_of(store, "reader").read(one.incident_id) for one in findings]
    record_property("figure", f"races of {RACERS} processes on {store.kind} with one owner")

    assert [len(owners(one)) for one in rounds] == [1] * ROUNDS
    assert [sum(claim.held is None for claim in one) for one in rounds] == [RACERS - 1] * ROUNDS
    assert [one and one.incident.owner for one in kept] == [owners(one)[0] for one in rounds]


def test_a_killed_owner_is_succeeded_once_and_not_before_its_lease_has_run_out(store: Store) -> None:
    """SIGKILL: nothing is given back, nothing is said."""
    finding, context = another_finding(), fresh_processes()
    here, there = context.Pipe(duplex=False)
    victim = context.Process(target=claim_and_hang, args=(store, "victim", finding, there))
    victim.start()
    claim = here.recv()
    victim.kill()
    victim.join()
    early = process_claims(store, [finding])[0]
    late = process_claims(store, [finding], skew_ns=LEASE_NS)[0]

    assert claim.held == "victim"
    assert {one.held for one in early} == {None}
    assert len(owners(late)) == 1
    assert sum(one.held is None for one in late) == RACERS - 1


def test_clocks_a_minute_apart_leave_one_owner_who_can_save(store: Store) -> None:
    """A clock that is ahead takes a lease for over; whom it was taken from is told so by the next save."""
    ledgers = [ledger_of(store, f"racer-{number}", (number % 3 - 1) * MINUTE_NS) for number in range(RACERS)]
    claims = thread_claims(ledgers, another_finding())
    holding = [(one, held) for one, (_, held) in zip(ledgers, claims, strict=True) if held]
    saved = side_by_side([partial(_saves, one.save, held) for one, held in holding])

    assert holding
    assert sum(saved) == 1


def _saves(save: Callable[..., StoredIncident], held: StoredIncident) -> bool:
    try:
        save(held, held.incident)
    except Conflict:
        return False
    return True


def test_an_owner_that_was_succeeded_changes_nothing(store: Store) -> None:
    """Neither by saving nor by giving up what is no longer its own."""
    finding = another_finding()
    zombie, heir = ledger_of(store, "zombie"), ledger_of(store, "heir", LEASE_NS)
    held = taken(zombie, finding)
    now = taken(heir, finding)
    for late in (zombie.save, zombie.release_lease):
        with pytest.raises(Conflict):
            late(held, held.incident)
    found = store().read("incident", finding.incident_id)

    assert now.incident.owner == "heir"
    assert found is not None
    assert (found.version, found.body) == (now.document.version, now.document.body)
    assert heir.save(now, now.incident).incident.owner == "heir"


def test_an_owner_that_comes_again_goes_on_at_once(store: Store) -> None:
    """Its message may be delivered again while its lease still runs."""
    finding, one = another_finding(), ledger_of(store, "one")
    taken(one, finding)

    assert claimed(one, finding)[0].held == "one"

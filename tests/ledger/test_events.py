"""Events: each is kept once, belongs to one incident of its finding, and none is lost between two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.phase import Phase
from firebreak.core.signing import NoKey, Seal, Sealed
from firebreak.ledger.documents import Conflict, Document, Index
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import BrokenSeal, NotActedOn, StoredIncident, UnreadableRecord
from tests.ledger.racing import RACERS, another_finding, ledger_of, side_by_side
from tests.ledger.stores import Store

FINDING = another_finding()
SECOND, THIRD = (replace(FINDING, event_ns=FINDING.event_ns + more) for more in (1, 2))
Spoil = Callable[[Mapping[str, Any]], Mapping[str, Any]]
SPOILT: Mapping[str, tuple[Spoil, type[NotActedOn]]] = {
    "unreadable": (lambda _: {"incident": "x"}, UnreadableRecord),
    "forged": (lambda body: {**body, "sealed": body["sealed"].replace("received", "declined")}, BrokenSeal),
    "of a dropped key": (lambda body: {**body, "seal": "0" * 64}, BrokenSeal),
}


@pytest.fixture
def one(store: Store) -> Ledger:
    return ledger_of(store, "one")


def found(ledger: Ledger, incident_id: str) -> StoredIncident:
    held = ledger.find(incident_id)
    assert held is not None
    return held


def end(ledger: Ledger, incident_id: str, phase: Phase = "released") -> None:
    held = ledger.take(incident_id)
    assert held is not None
    ledger.release_lease(held, replace(held.incident, phase=phase))


def document_of(ledger: Ledger, kind: str, key: str) -> Document:
    document = ledger.documents.read(kind, key)
    assert document is not None
    return document


def spoil(ledger: Ledger, key: str, how: str, kind: str = "incident") -> Document:
    document = document_of(ledger, kind, key)
    return ledger.documents.replace(document, SPOILT[how][0](document.body))


def told(ledger: Ledger, incident_id: str) -> list[str]:
    return [event.id for event in ledger.events_of(incident_id)]


def test_the_first_event_begins_an_incident_that_nobody_owns_and_the_sweep_would_find(one: Ledger) -> None:
    incident_id = one.hear(FINDING)
    incident = found(one, incident_id).incident

    assert (incident.id, incident.phase, incident.owner) == (FINDING.incident_id, "received", "")
    assert [each.key for each in one.documents.due("incident", one.now_ns(), 5)] == [incident_id]
    assert told(one, incident_id) == [FINDING.incident_id]


def test_an_event_is_kept_once_as_it_was_told_first(one: Ledger, store: Store) -> None:
    """Whoever is told it again, however it is spelled then."""
    incident_id = one.hear(FINDING)
    first = one.events_of(incident_id)
    again = ledger_of(store, "two", skew_ns=10**12).hear(replace(FINDING, severity="LOW", mute="MUTED"))

    assert again == incident_id
    assert one.events_of(incident_id) == first
    assert first[0].finding == replace(FINDING, original=None)
    assert (first[0].incident, first[0].sealed) == (incident_id, Sealed.HOLDS)


def test_a_further_event_joins_the_open_incident_of_its_finding(one: Ledger) -> None:
    """They are listed in the order in which they were told, whatever their own times are."""
    incident_id = one.hear(SECOND)
    joined = [one.hear(FINDING), one.hear(THIRD)]

    assert joined == [incident_id] * 2
    assert told(one, incident_id) == [each.incident_id for each in (SECOND, FINDING, THIRD)]
    assert one.count() == 1


def test_an_event_of_an_incident_that_has_ended_begins_another_and_later_ones_follow_it(one: Ledger) -> None:
    """Those that came before stay where they are, also where they are told again."""
    first = [one.hear(FINDING), one.hear(SECOND)]
    end(one, first[0])
    second = one.hear(THIRD)
    fourth = one.hear(replace(FINDING, event_ns=FINDING.event_ns + 3))

    assert second == fourth == THIRD.incident_id
    assert [one.hear(FINDING), one.hear(SECOND)] == first
    assert len(told(one, first[0])) == len(told(one, second)) == 2


@pytest.mark.parametrize("how", SPOILT)
def test_an_incident_that_is_not_believed_is_begun_anew_by_the_event_that_began_it(one: Ledger, how: str) -> None:
    """After what is there was set aside. Later events join it as before."""
    incident_id = one.hear(FINDING)
    spoilt = spoil(one, incident_id, how)
    with pytest.raises(SPOILT[how][1]) as fault:
        one.hear(FINDING)
    known = one.incident_with(FINDING) is not None
    begun = one.hear(FINDING, over=fault.value.document)
    with pytest.raises(Conflict):
        one.hear(FINDING, over=spoilt)

    assert fault.value.document == spoilt
    assert (known, one.incident_with(FINDING) is not None) == (False, True)
    assert begun == incident_id
    assert found(one, begun).sealed
    assert "set aside" in found(one, begun).incident.history[0].what
    assert one.hear(SECOND) == begun
    assert told(one, begun) == [FINDING.incident_id, SECOND.incident_id]


@pytest.mark.parametrize("how", SPOILT)
def test_an_event_whose_incident_another_event_began_begins_its_own_where_that_one_is_not_believed(
    one: Ledger, how: str
) -> None:
    """Whether it had joined already or comes now: else whoever can write the ledger could have it overlooked."""
    first = one.hear(FINDING)
    one.hear(SECOND)
    spoil(one, first, how)
    known = one.incident_with(SECOND) is not None
    again, new = one.hear(SECOND), one.hear(THIRD)

    assert not known
    assert (again, new) == (SECOND.incident_id, SECOND.incident_id)
    assert told(one, again) == [SECOND.incident_id, THIRD.incident_id]
    assert told(one, first) == [FINDING.incident_id]


@pytest.mark.parametrize("how", [*SPOILT, "elsewhere"])
def test_an_event_that_is_not_believed_is_set_aside_and_hides_no_other(one: Ledger, how: str) -> None:
    """Changed, or listed where it does not belong; told again, it is kept anew."""
    incident_id = one.hear(FINDING)
    one.hear(SECOND)
    aside: list[NotActedOn] = []
    if how == "elsewhere":
        theirs = one.hear(another_finding())
        document = document_of(one, "event", theirs)
        one.documents.replace(document, document.body, Index(subject=incident_id))
    else:
        document = document_of(one, "event", SECOND.incident_id)
        change = {"unreadable": {"seal": 1, "format": "x"}}.get(how, {"counter": 9})
        one.documents.replace(document, {**document.body, **change}, Index(subject=incident_id))
    listed = [event.id for event in one.events_of(incident_id, aside.append)]
    again = one.hear(SECOND)

    assert listed == [FINDING.incident_id, *([SECOND.incident_id] if how == "elsewhere" else [])]
    assert [fault.document.key for fault in aside] == ([] if how == "elsewhere" else [SECOND.incident_id])
    assert again == incident_id
    assert told(one, incident_id) == [FINDING.incident_id, SECOND.incident_id]


def test_an_event_that_came_too_late_for_its_incident_begins_its_own(one: Ledger) -> None:
    """It keeps the time at which it was first told; another that came too late as well goes with it."""
    first = one.hear(FINDING)
    one.hear(SECOND)
    one.hear(THIRD)
    end(one, first)
    before = {event.id: event for event in one.events_of(first)}
    moved = [one.move_event(before[each.incident_id]) for each in (SECOND, THIRD, SECOND)]
    after = one.events_of(SECOND.incident_id)

    assert moved == [SECOND.incident_id] * 3
    assert [(event.id, event.seen_ns) for event in after] == [
        (each.incident_id, before[each.incident_id].seen_ns) for each in (SECOND, THIRD)
    ]
    assert told(one, first) == [FINDING.incident_id]
    assert found(one, SECOND.incident_id).incident.phase == "received"
    assert one.hear(THIRD) == SECOND.incident_id


def test_of_many_who_move_an_event_all_name_the_same_incident(one: Ledger, store: Store) -> None:
    first = one.hear(FINDING)
    one.hear(SECOND)
    end(one, first)
    (event,) = [each for each in one.events_of(first) if each.id == SECOND.incident_id]
    moved = side_by_side([partial(ledger_of(store, f"{n}").move_event, event) for n in range(4)])

    assert moved == [SECOND.incident_id] * 4
    assert told(one, SECOND.incident_id) == [SECOND.incident_id]
    assert one.count() == 2


def test_racers_with_events_of_one_finding_end_in_one_incident_that_has_all_of_them(store: Store) -> None:
    """Whichever of them begins it."""
    events = [replace(FINDING, event_ns=FINDING.event_ns + n // 2) for n in range(RACERS)]
    heard = side_by_side([partial(ledger_of(store, f"{n}").hear, event) for n, event in enumerate(events)])
    one = ledger_of(store, "one")

    assert len(set(heard)) == 1
    assert sorted(told(one, heard[0])) == sorted({event.incident_id for event in events})
    assert one.count() == 1


def test_nothing_is_kept_without_a_key_and_what_is_kept_is_shown_as_not_verified(one: Ledger) -> None:
    incident_id = one.hear(FINDING)
    laptop = replace(one, seal=Seal(()))
    with pytest.raises(NoKey):
        laptop.hear(SECOND)

    assert laptop.hear(FINDING) == incident_id
    assert [event.sealed for event in laptop.events_of(incident_id)] == [Sealed.UNVERIFIED]


def test_an_event_of_an_earlier_version_leads_to_its_incident_if_that_is_of_its_finding(one: Ledger) -> None:
    """It was not sealed, so that it may lead anywhere."""
    incident_id = one.hear(FINDING)
    end(one, incident_id)
    theirs = one.hear(another_finding())
    for event, incident in ((SECOND, incident_id), (THIRD, theirs)):
        one.documents.create("event", event.incident_id, {"incident": incident, "at_ns": 1})

    assert one.hear(SECOND) == incident_id
    assert one.hear(THIRD) == THIRD.incident_id


def test_what_points_to_another_finding_s_incident_leads_nowhere(one: Ledger) -> None:
    theirs = one.hear(another_finding())
    mine: Finding = another_finding()
    one.documents.create("finding", f"{mine.name.source}~{mine.name.finding}", {"incident": theirs})

    assert one.hear(mine) == mine.incident_id
    assert one.hear(replace(mine, event_ns=mine.event_ns + 1)) == mine.incident_id

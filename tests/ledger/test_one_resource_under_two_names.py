"""What stands is found by the resource, whichever way a finding spells its project."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.ledger.documents import Document, Index
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import BrokenSeal
from tests.ledger.racing import ledger_of
from tests.ledger.stores import Store

BY_ID = Target("shop-prod", "europe-west1", "service", "checkout", project_id="shop-prod")
BY_NUMBER = Target("4242", "europe-west1", "service", "checkout", project_number="4242")
UID = "5b1e-uid"
HOLD = Hold("fb-1", (), frozenset({"bad"}), 1)


@pytest.fixture
def one(store: Store) -> Ledger:
    return ledger_of(store, "one")


def stands(ledger: Ledger, target: Target, uid: str = UID, *holds: Hold) -> Standing:
    ledger.commit(ledger.standing_save(Standing(target.key, holds=holds, uid=uid, released_ns=7), None))
    return ledger.standing_at(target.key)[0]


def forge(document: Document | None, ledger: Ledger) -> None:
    assert document is not None
    ledger.documents.replace(document, {**document.body, "seal": "0" * 64}, Index(subject=UID))


def test_what_stands_under_the_project_s_number_is_found_by_its_id_and_saved_where_it_stands(one: Ledger) -> None:
    there = stands(one, BY_NUMBER, UID, HOLD)
    found, document = one.standing(BY_ID, UID)
    one.commit(one.standing_save(replace(found, drift="x"), document))

    assert found == there
    assert one.standing(BY_NUMBER)[0].drift == "x"
    assert one.documents.count("standing") == 1


def test_what_stands_under_the_name_itself_comes_first(one: Ledger) -> None:
    """Also where it is of another resource: whoever reads it sees that."""
    stands(one, BY_NUMBER, UID, HOLD)
    here = stands(one, BY_ID, "another uid", HOLD)

    assert one.standing(BY_ID, UID)[0] == here


def test_a_record_without_a_hold_gives_way_to_one_that_holds_the_resource(one: Ledger) -> None:
    empty = stands(one, BY_ID)
    holding = stands(one, BY_NUMBER, UID, HOLD)

    assert one.standing(BY_ID, UID)[0] == holding
    assert one.standing(BY_ID)[0] == empty
    assert one.standing(BY_ID, "another uid")[0] == empty


def test_that_a_person_released_it_is_known_under_the_other_name_too(one: Ledger) -> None:
    """Where there is no record under this one."""
    stands(one, BY_NUMBER)

    assert one.standing(BY_ID, UID)[0].released_ns == 7
    assert one.standing(BY_ID, "another uid") == (Standing(BY_ID.key), None)
    assert one.standing(BY_ID, "") == (Standing(BY_ID.key), None)


def test_where_two_other_names_hold_it_none_is_chosen(one: Ledger) -> None:
    for target in (BY_NUMBER, replace(BY_NUMBER, project="4343", project_number="4343")):
        stands(one, target, UID, HOLD)

    assert one.standing(BY_ID, UID) == (Standing(BY_ID.key), None)


def test_what_is_listed_for_a_resource_without_being_of_it_counts_for_nothing(one: Ledger) -> None:
    """What it is found by is not sealed; its uid is."""
    document = one.commit(one.standing_save(Standing(BY_NUMBER.key, holds=(HOLD,), uid="another uid"), None))[0]
    one.documents.replace(document, document.body, Index(subject=UID))

    assert one.standing(BY_ID, UID) == (Standing(BY_ID.key), None)


def test_a_record_of_the_resource_that_is_not_believed_is_not_passed_over(one: Ledger) -> None:
    """Else whoever can write the ledger could have what stands forgotten."""
    stands(one, BY_NUMBER, UID, HOLD)
    forge(one.documents.read("standing", BY_NUMBER.key), one)
    with pytest.raises(BrokenSeal):
        one.standing(BY_ID, UID)

"""Short histories that once came out wrong, each found by the machine, made as short as it gets and told by its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from firebreak.core.incidents.incident import Incident
from tests.model.clock import SECOND, played_on
from tests.model.cloud import LONG, place_of
from tests.model.invariants.decided import settle
from tests.model.invariants.everything import check_everything
from tests.model.scc import ASKED, Event
from tests.model.scenery import CART, CHECKOUT, NIGHTLY
from tests.model.stage import Stage
from tests.model.watch import SCC
from tests.model.world import ModelGround


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Firebreak is deployed; the invariants are checked after each step."""
    ground = ModelGround()
    with played_on(lambda: ground.state.clock):
        stage = Stage(ground, (check_everything,))
        stage.sweep()
        yield stage


def comes(stage: Stage, place: str, names: str = "", **more: object) -> Incident:
    """An event that SCC holds, whose message arrives; the incident after it."""
    at_ns = stage.now_ns() - 30 * SECOND + len(stage.script)
    about = {"finding": "f1", "at_ns": at_ns, "place": place, "names": names, **more}
    stage.happen(Event(**about))  # type: ignore[arg-type]  # the parts of an event
    stage.deliver(-1)
    return last(stage)


def last(stage: Stage) -> Incident:
    return stage.history.incidents[-1]


def say(stage: Stage, verb: str) -> Incident:
    """A person's word on the incident as it is now; the incident after it."""
    stage.command(verb, last(stage).id, last(stage))
    return last(stage)


def test_what_stood_and_is_deleted_is_asked_about_also_where_nothing_is_left_to_write(stage: Stage) -> None:
    """It used to stay `containing` for good, and its message to be given up."""
    comes(stage, NIGHTLY)
    stage.tamper("delete", ("standing", NIGHTLY))
    incident = comes(stage, NIGHTLY, "nightly-7")
    settle(stage)

    assert incident.phase == last(stage).phase == "waiting"


def test_a_review_that_a_person_asks_for_puts_off_nothing_that_is_waited_for(stage: Stage) -> None:
    """What waited for the end of a halt used to be left lying for four hours more."""
    comes(stage, CHECKOUT, "checkout-8", category=ASKED)
    say(stage, "approve")
    stage.command("halt", reason="a drill")
    comes(stage, CHECKOUT, "checkout-7", category=ASKED)
    say(stage, "review")
    stage.command("resume")
    stage.sweep()

    assert last(stage).phase == "waiting"


def test_a_halt_that_somebody_read_while_it_stood_is_missed_where_it_is_deleted(stage: Stage) -> None:
    """Only one that had been lifted used to be remembered."""
    comes(stage, CHECKOUT, "checkout-8", category=ASKED)
    stage.halt_now()
    say(stage, "approve")
    stage.tamper("delete", ("halt", "halt"))
    stage.sweep()

    assert last(stage).phase == "deferred"
    assert stage.app.ledger.halt_reason()


def test_a_release_whose_operation_fails_after_its_delivery_is_not_called_done(stage: Stage) -> None:
    """That the settings are as they should be was taken for what serves."""
    comes(stage, CHECKOUT, "checkout-8")
    stage.next_operation("in an error", LONG)
    say(stage, "release")
    stage.finish_operations()
    incident = say(stage, "release")

    assert incident.phase == "contained"
    assert incident.release
    assert [one.result for one in incident.release.keys] == ["refused"]


def test_what_only_a_message_names_is_asked_about_also_where_nothing_leads_to_what_scc_holds_now(stage: Stage) -> None:
    """Of two events that SCC was asked about at once the earlier used to be declined with the later."""
    stage.away(SCC)
    comes(stage, CHECKOUT, "checkout-8")
    comes(stage, CHECKOUT, "checkout-7")
    stage.back()
    stage.deliver()

    assert last(stage).phase == "waiting"
    assert "checkout-8" in last(stage).history[-1].what


def test_a_write_to_what_was_deleted_since_is_not_looked_for_on_what_was_made_anew(stage: Stage) -> None:
    """It has the very setting, and its incident used to stay `verifying` for good."""
    comes(stage, CHECKOUT, "checkout-8")
    stage.recreate(CHECKOUT, alike=True)
    comes(stage, CHECKOUT, "checkout-7", finding="f2")
    stage.next_operation("well", LONG)
    say(stage, "approve")
    stage.recreate(CHECKOUT, alike=True)
    settle(stage)

    assert last(stage).phase != "verifying"


def test_an_approved_write_that_outlasts_its_approval_is_carried_on(stage: Stage) -> None:
    """It used to be decided anew, to be called nothing to contain, and to be left at that."""
    comes(stage, CHECKOUT, "checkout-8", category=ASKED)
    stage.next_operation("in an error, and in effect", LONG)
    say(stage, "approve")
    stage.wait(2 * LONG * 4)
    stage.sweep()

    assert last(stage).phase == "contained"
    assert len(stage.history.writes) == 2


def test_what_was_written_and_not_looked_at_yet_is_taken_up_where_it_is_decided_anew(stage: Stage) -> None:
    """The suspect that it shut is not for that reason one to which nothing leads."""
    comes(stage, CHECKOUT, "checkout-8", category=ASKED)
    stage.next_operation("well", LONG)
    say(stage, "approve")
    stage.finish_operations()
    say(stage, "retry")
    incident = say(stage, "approve")

    assert incident.phase == "contained"
    assert len(stage.history.writes) == 2


def test_an_image_that_nothing_carries_is_asked_about_also_beside_a_revision_that_nothing_leads_to(
    stage: Stage,
) -> None:
    """The suspects that another event of the finding gave used to hide that this one gives none."""
    stage.command("halt", reason="a drill")
    comes(stage, CHECKOUT, "checkout-7")
    comes(stage, CHECKOUT, image=99)
    stage.command("resume")
    stage.sweep()

    assert last(stage).phase == "waiting"


def test_a_no_to_what_counts_leaves_nobody_unasked_about_what_only_a_passed_message_names(stage: Stage) -> None:
    """It ended the incident, and what the message names went on serving unseen."""
    stage.edit(CHECKOUT, "halve")
    stage.happen(Event("f1", stage.now_ns() - 60 * SECOND, CHECKOUT, names="checkout-7", category=ASKED))
    stage.happen(Event("f1", stage.now_ns() - 30 * SECOND, CHECKOUT, names="checkout-8", category=ASKED))
    stage.deliver(-1)
    stage.deliver(-1)
    incident = say(stage, "reject")
    settle(stage)

    assert incident.phase == "waiting"


def test_what_a_release_gave_back_in_one_region_is_no_part_of_what_is_contained_in_the_other(stage: Stage) -> None:
    """A later event under the ceiling `monitor` used to show the whole of the old plan as in effect."""
    comes(stage, CART, "cart-8")
    stage.next_operation("in an error, and in effect", LONG)
    comes(stage, CART)
    say(stage, "release")
    say(stage, "release")
    stage.next_operation("in an error, and in effect", 0)
    stage.deploy_policies("monitor")
    incident = comes(stage, CART, image=8)

    assert incident.phase == "contained"
    assert incident.plan
    assert [place_of(one.target) for one in incident.plan.changes] == [CART]

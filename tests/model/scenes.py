"""Short histories, each about one thing that the response has to get right: then nothing is broken by them."""

from __future__ import annotations

from firebreak.core.incidents.incident import Incident
from tests.model.clock import HOUR, MINUTE, SECOND
from tests.model.invariants.decided import settle
from tests.model.scc import ASKED, FOREIGN, Event
from tests.model.scenery import CART, CART_IN_US, CHECKOUT, INDEXER, NIGHTLY, OWN
from tests.model.stage import Stage


def _event(stage: Stage, place: str = CHECKOUT, names: str = "checkout-8", **given: object) -> Event:
    about = {"finding": "f1", "at_ns": stage.now_ns() - MINUTE, "place": place, "names": names, **given}
    return Event(**about)  # type: ignore[arg-type]  # the parts of an event


def _comes(stage: Stage, place: str = CHECKOUT, names: str = "checkout-8", **given: object) -> None:
    stage.happen(_event(stage, place, names, **given))
    stage.deliver(-1)


def _incident(stage: Stage) -> Incident:
    return stage.history.incidents[-1]


def _approve(stage: Stage) -> None:
    """A person approves what is asked now."""
    stage.command("approve", _incident(stage).id, _incident(stage))


def plain(stage: Stage) -> None:
    """A finding is contained, and all is quiet."""
    _comes(stage)
    settle(stage)


def halted(stage: Stage) -> None:
    """A finding comes during a halt."""
    stage.command("halt", reason="a drill")
    _comes(stage)
    stage.sweep()


def forged(stage: Stage) -> None:
    """A message tells of a finding that SCC does not hold."""
    stage.forge(_event(stage))
    stage.deliver(-1)


def muted(stage: Stage) -> None:
    """A finding is muted before its message comes."""
    event = _event(stage)
    stage.happen(event)
    stage.say(event.key, mute="MUTED", published=False)
    stage.wait(10)
    stage.deliver(0)


def foreign(stage: Stage) -> None:
    """A finding of a source that firebreak.yaml does not list."""
    _comes(stage, source=FOREIGN)


def under_a_ceiling(stage: Stage) -> None:
    """A finding comes while the ceiling is approve."""
    stage.deploy_policies("approve")
    _comes(stage)


def protected(stage: Stage) -> None:
    """A finding on a protected service."""
    stage.edit(CHECKOUT, "protect")
    _comes(stage)


def protected_elsewhere(stage: Stage) -> None:
    """A finding on a service that is protected in its other region."""
    stage.edit(CART_IN_US, "protect")
    _comes(stage, CART, "cart-8")


def itself(stage: Stage) -> None:
    """A finding on Firebreak."""
    _comes(stage, OWN, "firebreak-8")


def stale(stage: Stage) -> None:
    """A finding whose message comes hours late."""
    _comes(stage, at_ns=stage.now_ns() - 3 * HOUR)


def storm(stage: Stage) -> None:
    """Findings on more targets of one project than the limit allows within the hour."""
    for number, (place, names) in enumerate(((CHECKOUT, "checkout-8"), (INDEXER, "indexer-8"), (NIGHTLY, "nightly-8"))):
        _comes(stage, place, names, finding=f"f{number}")
    _comes(stage, CART, "cart-8", finding="f9")


def changed_by_hand(stage: Stage) -> None:
    """A person moves half of the traffic away while another is asked, who then says yes."""
    _comes(stage, category=ASKED)
    stage.edit(CHECKOUT, "halve")
    _approve(stage)


def made_anew(stage: Stage) -> None:
    """The service is deleted and made anew, alike in every setting, while a person is asked, who then says yes."""
    _comes(stage, category=ASKED)
    stage.recreate(CHECKOUT, alike=True)
    _approve(stage)


def another_event_while_asked(stage: Stage) -> None:
    """A later event names another revision while a person is asked, who then says yes to what is asked by then."""
    stage.edit(CHECKOUT, "share_with_oldest")
    _comes(stage, category=ASKED)
    _comes(stage, names="checkout-6", category=ASKED, at_ns=stage.now_ns() - SECOND)
    _approve(stage)


def reopened(stage: Stage) -> None:
    """A person puts the traffic back on the suspect, and the scheduler has its turns."""
    _comes(stage)
    stage.wait(60)
    stage.edit(CHECKOUT, "to_latest")
    for _ in range(5):
        stage.wait(35 * 60)
        stage.sweep()


def failing_operation(stage: Stage) -> None:
    """The operation of a containment ends in an error, and nothing has moved."""
    stage.next_operation("in an error", 1.0)
    _comes(stage)


def released(stage: Stage) -> None:
    """A service is closed to the public after a yes, and released."""
    _comes(stage, category=ASKED)
    _approve(stage)
    stage.command("release", _incident(stage).id)


def forged_answer(stage: Stage) -> None:
    """Somebody without the key writes a yes into the record of an incident that waits."""
    _comes(stage, category=ASKED)
    stage.tamper("forge an answer", ("incident", _incident(stage).id))
    stage.wait(31)
    stage.sweep()


def unanswered(stage: Stage) -> None:
    """Nobody answers a question, and the scheduler has its turns."""
    _comes(stage, category=ASKED)
    for _ in range(4):
        stage.wait(31 * 60)
        stage.sweep()


def lost(stage: Stage) -> None:
    """A message is lost, and the scheduler has its turns."""
    stage.happen(_event(stage), published=False)
    for _ in range(4):
        stage.wait(11 * 60)
        stage.sweep()

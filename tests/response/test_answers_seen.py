"""An answer is to the question that its sender saw: its plan, its cautions, its suspects and its events."""

from __future__ import annotations

import pytest

from sandbox.wire import Fault
from tests.response.conversation import APPROVE, asked, cautions, later, phase, say, told, writes
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines

PROTECTED = "ceiling: enforce\nprotected: [{label: {tier: critical}}]"


def becomes_protected(on: Line) -> None:
    on.world.edit("checkout", labels={"tier": "critical"})


@pytest.mark.parametrize("verb", ["approve", "reject", "close"])
@pytest.mark.parametrize("length", [64, 12])
def test_an_old_card_answers_no_caution_that_its_reader_never_saw(line: Lines, verb: str, length: int) -> None:
    """The plan is the same; the service became protected, and the question was put again when it expired."""
    with line(policy=APPROVE, config=PROTECTED) as on:
        incident = on.respond(on.finding())
        card = asked(on, incident)[:length]
        becomes_protected(on)
        later(on, 31)
        again, named = asked(on, incident), cautions(on, incident)
        answered = say(on, verb, incident, digest=card)
        stands = phase(on, incident), asked(on, incident), writes(on)
        fresh = say(on, "approve", incident)

        assert "protected" in named
        assert not answered.done
        assert stands == ("waiting", again, [])
        assert fresh.done, fresh.says
        assert BAD not in on.reachable


def test_an_approval_finds_the_caution_that_came_since_and_asks_about_it(line: Lines) -> None:
    """Nobody has put the question again yet; the gate does."""
    with line(policy=APPROVE, config=PROTECTED) as on:
        incident = on.respond(on.finding())
        becomes_protected(on)
        answered = say(on, "approve", incident)
        named, wrote = cautions(on, incident), writes(on)
        fresh = say(on, "approve", incident)

        assert not answered.done
        assert "protected" in named
        assert wrote == []
        assert told(on, incident) == ["waiting", "waiting", "contained"]
        assert fresh.done, fresh.says


def test_the_same_question_put_again_is_answered_by_its_old_card(line: Lines) -> None:
    """Nothing of it has changed but the time."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        card = asked(on, incident)
        later(on, 31)
        again = asked(on, incident)
        answered = say(on, "approve", incident, digest=card)

        assert again == card
        assert answered.done, answered.says
        assert set(on.reachable) == {GOOD}


def test_an_old_card_does_not_answer_that_scc_cannot_be_reached(line: Lines) -> None:
    """Its reader thought the finding confirmed."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        card = asked(on, incident)
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))
        later(on, 31)
        later(on, 11)
        named = cautions(on, incident)
        answered = say(on, "approve", incident, digest=card)

        assert "unconfirmed" in named
        assert not answered.done
        assert writes(on) == []


def test_a_card_of_another_incident_answers_nothing(line: Lines) -> None:
    """The same plan on the same service, about another event."""
    with line(policy=APPROVE) as on:
        first, second = (on.respond(on.finding(finding_id=name)) for name in ("first", "second"))
        answered = say(on, "approve", second, digest=asked(on, first))

        assert asked(on, first) != asked(on, second)
        assert not answered.done
        assert writes(on) == []


def test_a_question_about_what_was_reopened_is_not_answered_by_the_first_card(line: Lines) -> None:
    """The plan that closes it again may be the same, letter by letter."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        card = asked(on, incident)
        say(on, "approve", incident)
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        later(on, 5)
        before = phase(on, incident)
        answered = say(on, "approve", incident, digest=card)

        assert before == "waiting"
        assert asked(on, incident) != card
        assert not answered.done
        assert BAD in on.reachable
        assert len(writes(on)) == 1


def test_what_is_decided_at_once_has_no_card(line: Lines) -> None:
    """The digest of a plan is not the digest of a question."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())

        assert incident.plan is not None
        assert asked(on, incident) == ""
        assert not say(on, "approve", incident, digest=incident.plan.digest).done

"""An order that is delivered late does not go against what a person said after it was sent; over the wire."""

from __future__ import annotations

import pytest

from tests.response.conversation import APPROVE, deliver, later, order, phase, say, writes
from tests.response.harness import ALWAYS, BAD, GOOD, Lines
from tests.response.test_events_together import ALSO, event, two_suspects


@pytest.mark.parametrize("verb", ["approve", "reject", "close"])
def test_an_answer_from_before_another_person_s_no_is_none_to_the_question_put_after_it(line: Lines, verb: str) -> None:
    """The question reads the same, and so has the same digest; a third person had it put."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        late = order(on, verb, incident)
        on.wait(60)
        say(on, "reject", incident, by="bob")
        say(on, "retry", incident, by="carl")
        answered = deliver(on, late)
        between = phase(on, incident), writes(on)
        fresh = say(on, "approve", incident)

        assert not answered.done
        assert "bob" in answered.says or "carl" in answered.says
        assert between == ("waiting", [])
        assert fresh.done, fresh.says


def test_an_answer_from_before_its_question_is_put_again_unchanged_still_answers_it(line: Lines) -> None:
    """Nobody spoke in between: the question expired while the answer was under way."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        late = order(on, "approve", incident)
        later(on, 31)
        answered = deliver(on, late)

        assert answered.done, answered.says
        assert set(on.reachable) == {GOOD}


@pytest.mark.parametrize("by", ["ada", "bob"])
def test_a_release_from_before_it_was_closed_again_opens_nothing(line: Lines, by: str) -> None:
    """Others opened it meanwhile, and a person had it closed."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        late = order(on, "release", incident)
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        later(on, 6)
        say(on, "approve", incident, by=by)
        answered = deliver(on, late)
        between = phase(on, incident), set(on.reachable)
        fresh = on.release(incident)

        assert not answered.done
        assert by in answered.says
        assert between == ("contained", {GOOD})
        assert fresh.done, fresh.says
        assert set(on.reachable) == {BAD}


def test_a_release_that_an_event_comes_before_is_carried_out(line: Lines) -> None:
    """What Firebreak did meanwhile is nobody's word."""
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = on.respond(event(on, BAD, 3))
        late = order(on, "release", incident)
        on.respond(event(on, ALSO, 2))
        answered = deliver(on, late)

        assert answered.done, answered.says
        assert BAD in on.reachable

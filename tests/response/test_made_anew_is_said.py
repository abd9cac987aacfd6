"""Whenever a question is asked of what was made anew under its name, it says so; a yes to it is a yes to that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from firebreak.core.incidents.incident import Incident
from tests.response.answers import HALF_AN_HOUR, cautions, cut_short, delivered, phase, yes
from tests.response.deployments import APPROVED
from tests.response.harness import ALWAYS, BAD, Line, Lines, revision
from tests.response.releases import (
    ACCOUNT,
    DISABLE,
    ELSEWHERE,
    HERE,
    OTHER_BAD,
    OTHER_GOOD,
    PAY,
    PIN,
    THERE,
    in_two_regions,
    is_disabled,
    made_anew,
    policy,
    running_as,
    serving,
    writes,
)
from tests.response.test_events_together import event

pytestmark = pytest.mark.thorough


def left_unanswered(on: Line, _: Incident) -> None:
    on.wait(HALF_AN_HOUR)
    on.sweep()


def another_event(on: Line, _: Incident) -> None:
    on.respond(event(on, BAD, -0.2))


def changed_by_somebody(on: Line, incident: Incident) -> None:
    """A yes to a plan that does not fit any more."""
    on.world.set_traffic("checkout", {"revision": BAD, "percent": 100}, {"latest": True, "tag": "debug"})
    yes(on, incident)


def asked_for_again(on: Line, incident: Incident) -> None:
    on.retry(incident)


AGAIN: Mapping[str, Callable[[Line, Incident], None]] = {
    "left unanswered": left_unanswered,
    "another event": another_event,
    "changed by somebody": changed_by_somebody,
    "decided anew for a person": asked_for_again,
}


@pytest.mark.parametrize("how", AGAIN)
@pytest.mark.parametrize("enforced", [True, False], ids=["before the write", "while it was asked about"])
def test_a_service_made_anew_is_named_each_time_it_is_asked_about(
    line: Lines,
    how: str,
    enforced: bool,  # noqa: FBT001 - a case
) -> None:
    with line(policy=ALWAYS if enforced else APPROVED) as on:
        pair = event(on, BAD, 3)
        incident = cut_short(on, pair) if enforced else on.respond(pair)
        made_anew(on)
        delivered(on, pair) if enforced else yes(on, incident)
        first = cautions(on, incident)
        AGAIN[how](on, incident)
        second = cautions(on, incident)
        before = phase(on, incident), len(serving(on)), BAD in on.reachable
        answered = yes(on, incident)

        assert "made_anew" in first
        assert "made_anew" in second
        assert before == ("waiting", 1, True)
        assert answered.done, answered.says
        assert BAD not in on.reachable


def test_what_a_person_agreed_to_of_a_service_made_anew_is_not_asked_about_for_that_again(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        made_anew(on)
        yes(on, incident)
        yes(on, incident)
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        on.wait(60)
        on.sweep()

        assert phase(on, incident) == "waiting"
        assert "made_anew" not in cautions(on, incident)


def test_an_account_made_anew_is_named_in_the_question_about_it(line: Lines) -> None:
    with line(running_as(), policy=policy(DISABLE)) as on:
        incident = on.respond(event(on, BAD, 3))
        on.world.delete(ACCOUNT)
        on.world.add_account({"email": PAY})
        yes(on, incident)
        named = cautions(on, incident)
        left_unanswered(on, incident)
        again = cautions(on, incident)
        answered = yes(on, incident)

        assert "made_anew" in named
        assert "made_anew" in again
        assert answered.done, answered.says
        assert is_disabled(on)


def test_of_two_regions_the_one_that_was_made_anew_is_named(line: Lines) -> None:
    with line(in_two_regions(), policy=policy(PIN, mode="approve")) as on:
        incident = on.respond(event(on, BAD, 3))
        on.world.delete(ELSEWHERE)
        there = [revision(OTHER_GOOD, 7, "-10d"), revision(OTHER_BAD, 8, "-3h")]
        on.world.add_service(
            {
                "name": ELSEWHERE,
                "revisions": there,
                "regions": [HERE, THERE],
                "traffic": [{"latest": True, "percent": 100}],
            }
        )
        yes(on, incident)

        question = on.read(incident).question
        assert question is not None
        named = [one for one in question.cautions if one.startswith("made_anew")]
        assert [(THERE in one, HERE in one) for one in named] == [(True, False)]
        assert writes(on) == []

"""`incident retry`: a person has it decided anew, by today's policies, through the gate, whatever had ended it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import Config
from sandbox.scc.security_center import mute, set_state
from tests.response.conversation import (
    APPROVE,
    CONTAIN_UNANSWERED,
    asked,
    deliver,
    later,
    now,
    order,
    phase,
    say,
    told,
    writes,
)
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.test_deferred import MONITOR

Ended = Callable[[Line], Incident]


def configured(on: Line, change: Callable[[Config], Config]) -> None:
    """Somebody deploys another firebreak.yaml."""
    policies = on.app.policies
    on.app = replace(on.app, policies=replace(policies, config=change(policies.config)))


def rejected(on: Line) -> Incident:
    incident = on.respond(on.finding())
    assert say(on, "reject", incident, reason="our own load test").done
    return incident


def expired(on: Line) -> Incident:
    incident = on.respond(on.finding())
    for _ in range(4):
        later(on, 31)
    return incident


def declined(on: Line) -> Incident:
    """Muted when it came; whoever unmutes it need not wait for a sweep."""
    pair = on.finding()
    mute(on.world, pair["finding"]["name"])
    incident = on.respond(pair)
    mute(on.world, pair["finding"]["name"], "UNMUTED")
    return incident


def monitored(on: Line) -> Incident:
    """By a ceiling, which somebody raises."""
    configured(on, lambda config: replace(config, ceiling=Mode.MONITOR))
    incident = on.respond(on.finding())
    configured(on, lambda config: replace(config, ceiling=Mode.ENFORCE))
    return incident


@pytest.mark.parametrize("ended", [rejected, expired, declined, monitored])
def test_what_had_ended_is_asked_about_anew_and_can_be_approved(line: Lines, ended: Ended) -> None:
    with line(policy=APPROVE) as on:
        incident = ended(on)
        before = phase(on, incident)
        answered = on.retry(incident, by="bob")
        asks = phase(on, incident), bool(asked(on, incident)), writes(on)
        yes = say(on, "approve", incident)

        assert before == ended.__name__
        assert answered.done, answered.says
        assert asks == ("waiting", True, [])
        assert any(one["who"] == "bob" for one in now(on, incident)["history"])
        assert yes.done, yes.says
        assert BAD not in on.reachable


@pytest.mark.parametrize("ended", [declined, monitored])
def test_where_policy_and_gate_agree_it_is_contained_at_once(line: Lines, ended: Ended) -> None:
    with line(policy=ALWAYS) as on:
        incident = ended(on)
        answered = on.retry(incident)

        assert answered.done, answered.says
        assert phase(on, incident) == "contained"
        assert told(on, incident) == [ended.__name__, "contained"]
        assert set(on.reachable) == {GOOD}


def test_what_a_policy_only_monitors_is_monitored_again(line: Lines) -> None:
    """A person who wants more changes the policy."""
    with line(policy=MONITOR) as on:
        incident = on.respond(on.finding())
        on.retry(incident)

        assert phase(on, incident) == "monitored"
        assert writes(on) == []


def test_no_bar_is_overruled(line: Lines) -> None:
    """Neither a halt nor what SCC says now."""
    with line(policy=ALWAYS) as on:
        incident = monitored(on)
        on.app.ledger.halt("stop", "ada")
        halted = on.retry(incident)
        during = phase(on, incident)
        on.command("resume")
        set_state(on.world, now(on, incident)["finding"]["name"], "INACTIVE")
        on.retry(incident)

        assert "halt" in halted.says
        assert during == "deferred"
        assert phase(on, incident) in ("deferred", "declined")
        assert writes(on) == []


def test_a_retry_that_is_delivered_twice_is_one(line: Lines) -> None:
    with line(policy=APPROVE) as on:
        incident = rejected(on)
        again = order(on, "retry", incident)
        results = [deliver(on, again) for _ in range(2)]

        assert results[0] == results[1]
        assert told(on, incident) == ["waiting", "rejected", "waiting"]


def test_a_rejection_is_not_an_answer_to_what_is_asked_after_a_retry(line: Lines) -> None:
    """Delivered late, and once more: the question stands until it is answered itself."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        no = order(on, "reject", incident, reason="our own load test")
        deliver(on, no)
        on.retry(incident)
        deliver(on, no)

        assert phase(on, incident) == "waiting"


def test_what_waits_for_an_answer_is_put_anew_by_what_is_so_now(line: Lines) -> None:
    """Somebody has moved half of the traffic meanwhile; what was shown before approves nothing."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        before = asked(on, incident)
        on.world.set_traffic("checkout", {"revision": GOOD, "percent": 50}, {"revision": BAD, "percent": 50})
        on.retry(incident)
        late = say(on, "approve", incident, digest=before)

        assert phase(on, incident) == "waiting"
        assert asked(on, incident) != before
        assert not late.done
        assert writes(on) == []


def test_nobody_s_answer_after_a_retry_contains_only_what_was_shown_the_whole_time(line: Lines) -> None:
    """The question of the retry has its own time to be answered."""
    with line(policy=CONTAIN_UNANSWERED) as on:
        incident = rejected(on)
        on.wait(20 * 60)
        on.retry(incident)
        later(on, 15)
        early = writes(on)
        later(on, 16)

        assert early == []
        assert phase(on, incident) == "contained"


def test_what_is_contained_is_not_written_again(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        on.retry(incident)

        assert phase(on, incident) == "contained"
        assert len(writes(on)) == 1


def test_of_an_incident_that_there_is_not_it_says_so(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        answered = on.retry(replace(incident, id="fb-0000000000000000"))

        assert not answered.done
        assert "no incident" in answered.says

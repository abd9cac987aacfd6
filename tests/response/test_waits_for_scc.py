"""What Security Command Center says for a moment is not its last word: muted, INACTIVE, gone, or not listed yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.scc.notification_variants import muted
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import mute, put_finding, set_state
from sandbox.wire import Fault
from tests.response.conversation import (
    APPROVE,
    CONTAIN_UNANSWERED,
    alerts,
    cautions,
    later,
    order,
    phase,
    say,
    story,
    told,
    writes,
)
from tests.response.conversation import deliver as deliver_command
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.test_blast_radius import limits

HOUR, DAY = 60, 24 * 60
Turn = Callable[[Line, Pair], None]


def mutes(on: Line, pair: Pair) -> None:
    mute(on.world, pair["finding"]["name"])


def settles(on: Line, pair: Pair) -> None:
    """Which moves its event time, as Security Command Center does."""
    set_state(on.world, pair["finding"]["name"], "INACTIVE")


def loses(on: Line, _: Pair) -> None:
    on.world.findings.clear()


def holds_again(on: Line, pair: Pair) -> None:
    """As it was, but for the event time of a finding that had been settled."""
    if not on.world.findings:
        put_finding(on.world, pair["finding"], pair["resource"])
    mute(on.world, pair["finding"]["name"], "UNMUTED")
    set_state(on.world, pair["finding"]["name"], "ACTIVE")


each_turn = pytest.mark.parametrize(
    ("turn", "word"), [(mutes, "muted"), (settles, "INACTIVE"), (loses, "SCC")], ids=["muted", "inactive", "gone"]
)


@each_turn
def test_what_scc_takes_back_at_an_approval_spends_the_answer_and_waits(line: Lines, turn: Turn, word: str) -> None:
    """A mute of a minute must not end what a person had just agreed to; nor does the answer outlive it."""
    with line(policy=APPROVE) as on:
        pair = on.finding()
        incident = on.respond(pair)
        turn(on, pair)
        yes = order(on, "approve", incident)
        answered = deliver_command(on, yes)
        during = phase(on, incident), word in story(on, incident)
        holds_again(on, pair)
        later(on, 10)
        again = deliver_command(on, yes)
        put_anew = phase(on, incident), writes(on)
        say(on, "approve", incident)

        assert not answered.done
        assert during == ("deferred", True)
        assert not again.done
        assert put_anew == ("waiting", [])
        assert phase(on, incident) == "contained"
        assert BAD not in on.reachable


@each_turn
def test_what_scc_takes_back_at_an_expiry_waits_too(line: Lines, turn: Turn, word: str) -> None:
    """Where nobody answered the policy would contain; what was shown was not so the whole time."""
    with line(policy=CONTAIN_UNANSWERED) as on:
        pair = on.finding()
        incident = on.respond(pair)
        turn(on, pair)
        later(on, 31)
        during = phase(on, incident), word in story(on, incident), writes(on)
        holds_again(on, pair)
        later(on, 10)

        assert during == ("deferred", True, [])
        assert phase(on, incident) == "waiting"
        assert writes(on) == []


@each_turn
def test_what_stays_so_for_a_day_is_declined(line: Lines, turn: Turn, word: str) -> None:
    """Not an hour earlier, and with the reason."""
    with line(policy=APPROVE) as on:
        pair = on.finding()
        incident = on.respond(pair)
        turn(on, pair)
        say(on, "approve", incident)
        later(on, 23 * HOUR)
        early = phase(on, incident)
        later(on, 2 * HOUR)
        late = phase(on, incident), word in story(on, incident)
        later(on, HOUR)

        assert early == "deferred"
        assert late == ("declined", True)
        assert told(on, incident) == ["waiting", "deferred", "declined"]
        assert writes(on) == []


@pytest.mark.parametrize("by", ["message", "sweep"])
def test_what_was_declined_after_a_day_is_opened_anew_once_it_is_unmuted(line: Lines, by: str) -> None:
    """By a message or a look of the sweep; by then it is stale, and a person is asked."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        on.app.ledger.halt("a drill", "ada")
        incident = on.respond(pair)
        mutes(on, pair)
        on.command("resume")
        later(on, 1)
        later(on, 25 * HOUR)
        ended = phase(on, incident)
        holds_again(on, pair)
        on.wait(60)
        if by == "message":
            on.respond(pair)
        else:
            on.sweep()

        assert ended == "declined"
        assert (phase(on, incident), cautions(on, incident)) == ("waiting", {"stale"})
        assert writes(on) == []


@pytest.mark.parametrize("by", ["message", "sweep"])
@pytest.mark.parametrize("knows", ["message", "scc"])
def test_what_was_muted_when_it_came_is_decided_once_it_is_unmuted(line: Lines, knows: str, by: str) -> None:
    """Whether the message said so or SCC alone; also where no message says that it is unmuted."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        mutes(on, pair)
        incident = on.respond(notification_v2(muted(pair)) if knows == "message" else notification_v2(pair))
        before = phase(on, incident), told(on, incident)
        holds_again(on, pair)
        on.wait(600)
        if by == "message":
            on.respond(pair)
        else:
            on.sweep()

        assert before == ("declined", ["declined"])
        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["declined", "contained"]


@pytest.mark.parametrize("by", ["message", "sweep"])
def test_a_finding_that_scc_lists_a_minute_late_is_contained_then(line: Lines, by: str) -> None:
    """An alert first: whoever forges messages looks like this, too."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(held=False)
        incident = on.respond(pair)
        before = phase(on, incident), told(on, incident), writes(on), bool(alerts(on, ""))
        holds_again(on, pair)
        on.wait(60)
        if by == "message":
            on.respond(pair)
        else:
            later(on, 5)

        assert before == ("deferred", ["deferred"], [], True)
        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["deferred", "contained"]
        assert set(on.reachable) == {GOOD}


def test_a_finding_that_scc_never_lists_is_declined_after_a_day(line: Lines) -> None:
    """It waits meanwhile, and a person is not asked about what nobody holds."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding(held=False))
        later(on, 23 * HOUR)
        early = phase(on, incident)
        later(on, 2 * HOUR)

        assert early == "deferred"
        assert phase(on, incident) == "declined"
        assert told(on, incident) == ["deferred", "declined"]
        assert on.updates == ()


def test_one_empty_answer_of_scc_costs_at_most_a_sweep(line: Lines) -> None:
    """Whichever of its answers it is, the one at the last check above all."""
    with line(policy=ALWAYS, config=limits(50, 50)) as on:
        on.respond(on.finding())
        looks = len(on.sandbox.wire.calls_to("*/ListFindings"))
        ends = []
        for number in range(looks):
            name = f"basket{number}"
            on.world.add_service(service_of(name))
            on.sandbox.wire.clear_faults()
            # One look asks under each of the finding's names until one is known.
            on.sandbox.wire.inject(Fault("*/ListFindings", "empty", skip=number, times=4))
            incident = on.respond(on.finding(finding_id=name, workload=f"services/{name}"))
            at_once = phase(on, incident)
            on.sandbox.wire.clear_faults()
            later(on, 5)
            ends.append((at_once in ("contained", "deferred"), phase(on, incident)))

        assert looks > 1
        assert ends == [(True, "contained")] * looks
        assert len(writes(on)) == 1 + looks


def service_of(name: str) -> dict[str, object]:
    return {
        "name": f"projects/shop-prod/locations/europe-west1/services/{name}",
        "updated": "-3h",
        "revisions": [
            {"name": f"{name}-1-good", "image": 7, "created": "-10d"},
            {"name": f"{name}-2-bad", "image": 8, "created": "-3h"},
        ],
    }

"""A halt passes: what it stopped waits for its end, is decided anew then, and nothing of it is lost or done unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from firebreak.core.cloud_run.target import Kind
from sandbox.scc.security_center import mute, set_state
from sandbox.wire import Fault, Meanwhile
from tests.laws.grounds import GROUNDS
from tests.response.conversation import (
    APPROVE,
    CONTAIN_UNANSWERED,
    asked,
    cautions,
    deliver,
    later,
    now,
    order,
    phase,
    say,
    story,
    told,
    writes,
)
from tests.response.harness import ALWAYS, BAD, GOOD, PIN_ONLY, Line, Lines
from tests.response.store import bad_day, never, one_look_at_the_halt
from tests.response.test_blast_radius import found_on, limits, world
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK
from tests.response.test_several_regions import HERE, THERE, THERE_TOO, serving, writes_to
from tests.response.test_several_regions import world_of as world_of_regions

HOUR, DAY = 60, 24 * 60
KINDS = ["service", "worker pool", "job"]
MONITOR = ALWAYS.replace("mode: enforce", "mode: monitor").replace("expect: {mode: enforce}", "expect: {mode: monitor}")


@pytest.mark.parametrize(
    ("kind", "policy"),
    [("service", ALWAYS), ("worker_pool", ALWAYS), ("job", STOP_AND_BLOCK)],
    ids=["service", "pool", "job"],
)
def test_a_finding_during_a_halt_of_minutes_is_contained_after_it(line: Lines, kind: Kind, policy: str) -> None:
    """To resume writes nothing; the sweep takes up what waited, and says nothing twice."""
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy) as on:
        on.app.ledger.halt("a drill", "ada")
        incident = on.respond(on.finding(workload=ground.workload))
        waits = phase(on, incident), "halt" in story(on, incident)
        later(on, 5)
        later(on, 5)
        during = phase(on, incident), told(on, incident), writes(on)
        on.command("resume")
        resumed = writes(on)
        later(on, 5)

        assert waits == ("deferred", True)
        assert during == ("deferred", ["deferred"], [])
        assert resumed == []
        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["deferred", "contained"]
        assert writes(on)


@pytest.mark.parametrize("lifted", [False, True])
def test_the_message_that_comes_again_finds_what_waits(line: Lines, *, lifted: bool) -> None:
    """During the halt it changes nothing; after it, it need not wait for a sweep."""
    with line(policy=ALWAYS) as on:
        on.app.ledger.halt("a drill", "ada")
        pair = on.finding()
        first = on.respond(pair)
        if lifted:
            on.command("resume")
        on.wait(60)
        again = on.respond(pair)

        assert again.id == first.id
        assert phase(on, again) == ("contained" if lifted else "deferred")
        assert told(on, again) == (["deferred", "contained"] if lifted else ["deferred"])
        assert len(writes(on)) == lifted


def test_a_finding_during_a_halt_of_three_days_comes_back_as_a_question(line: Lines) -> None:
    """It is stale by then: the service may have been repaired."""
    with line(policy=ALWAYS) as on:
        on.app.ledger.halt("a migration", "ada")
        incident = on.respond(on.finding())
        for _ in range(3):
            later(on, DAY)
        waiting = phase(on, incident), told(on, incident)
        on.command("resume")
        later(on, 5)
        back = phase(on, incident), cautions(on, incident), writes(on)
        answered = say(on, "approve", incident)

        assert waiting == ("deferred", ["deferred"])
        assert back == ("waiting", {"stale"}, [])
        assert answered.done, answered.says
        assert BAD not in on.reachable


def test_each_look_at_the_halt_that_fails_defers_and_none_ends_it(line: Lines, tmp_path: Path) -> None:
    """At the claim, and just before the write: what cannot be read counts as set, and is read again."""
    with line(policy=ALWAYS) as on:
        store = bad_day(on, never)
        on.respond(on.finding())
        looks = store.calls["read", "halt"]
    deferred = []
    for number in range(1, looks + 1):
        (folder := tmp_path / f"look{number}").mkdir()
        with Lines(folder)(policy=ALWAYS) as on:
            store = bad_day(on, one_look_at_the_halt(number))
            incident = on.respond(on.finding())
            deferred.append((phase(on, incident), told(on, incident), len(writes(on))))
            store.away = never
            later(on, 10)

            assert phase(on, incident) == "contained"
            assert len(writes(on)) == 1

    assert looks > 1
    assert deferred == [("deferred", ["deferred"], 0)] * looks


def test_a_halt_that_cannot_be_read_is_never_a_question(line: Lines) -> None:
    """However long that lasts: a person could not approve it away."""
    with line(policy=ALWAYS) as on:
        store = bad_day(on, lambda _method, kind, _number: kind == "halt")
        incident = on.respond(on.finding())
        for _ in range(3):
            later(on, 11)
        during = phase(on, incident), told(on, incident)
        store.away = never
        later(on, 1)

        assert during == ("deferred", ["deferred"])
        assert phase(on, incident) == "contained"


def test_what_waited_comes_back_the_most_severe_first(line: Lines) -> None:
    """Inside the limits: of three there is room for one."""
    with line(world(), config=limits(1, 1), policy=ALWAYS) as on:
        on.app.ledger.halt("a drill", "ada")
        severities = ("LOW", "CRITICAL", "MEDIUM")
        found = [on.respond(found_on(on, number, severity=one)) for number, one in enumerate(severities)]
        on.command("resume")
        later(on, 10)

        assert [phase(on, one) for one in found] == ["waiting", "contained", "waiting"]
        assert [cautions(on, one) for one in found[::2]] == [{"blast_radius"}] * 2


def test_what_comes_back_after_three_days_is_severe_first_inside_the_limits_and_asked_where_it_is_stale(
    line: Lines,
) -> None:
    """Three of the first day, and three of the last minutes, of which there is room for one."""
    with line(world(6), config=limits(1, 1), policy=ALWAYS) as on:
        on.app.ledger.halt("a migration", "ada")
        severities = ("LOW", "CRITICAL", "HIGH")
        old = [on.respond(found_on(on, number, severity=one)) for number, one in enumerate(severities)]
        for _ in range(3):
            later(on, DAY)
        fresh = [
            on.respond(found_on(on, 3 + number, severity=one, minutes_ago=1 - on.skipped_ns / 60e9))
            for number, one in enumerate(severities)
        ]
        before = len(on.announced)
        on.command("resume")
        later(on, 5)
        order = [one["finding"]["severity"] for one in on.announced[before:]]

        assert [phase(on, one) for one in old] == ["waiting"] * 3
        assert all("stale" in cautions(on, one) for one in old)
        assert [phase(on, one) for one in fresh] == ["waiting", "contained", "waiting"]
        assert order == ["CRITICAL"] * 2 + ["HIGH"] * 2 + ["LOW"] * 2
        assert len(writes(on)) == 1


@pytest.mark.parametrize(
    ("policy", "config"), [(MONITOR, "ceiling: enforce"), (ALWAYS, "ceiling: monitor")], ids=["policy", "ceiling"]
)
def test_what_nothing_would_be_written_for_does_not_wait(line: Lines, policy: str, config: str) -> None:
    """The halt is not what keeps it from a write."""
    with line(policy=policy, config=config) as on:
        on.app.ledger.halt("a drill", "ada")
        incident = on.respond(on.finding())

        assert incident.phase == "monitored"


def test_a_halt_between_question_and_approval_spends_the_answer(line: Lines) -> None:
    """Once it is lifted the question is put anew, and only a new answer writes."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        on.app.ledger.halt("stop", "bob")
        yes = order(on, "approve", incident)
        answered = deliver(on, yes)
        during = phase(on, incident)
        on.command("resume")
        later(on, 10)
        again = deliver(on, yes)
        put_anew = phase(on, incident), asked(on, incident) != "", writes(on)
        say(on, "approve", incident)

        assert not answered.done
        assert "halt" in answered.says
        assert during == "deferred"
        assert not again.done
        assert put_anew == ("waiting", True, [])
        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["waiting", "deferred", "waiting", "contained"]


def test_an_expiry_during_a_halt_contains_nothing_and_ends_nothing(line: Lines) -> None:
    """Nobody's answer is spent as anybody's is."""
    with line(policy=CONTAIN_UNANSWERED) as on:
        incident = on.respond(on.finding())
        on.app.ledger.halt("stop", "bob")
        later(on, 31)
        during = phase(on, incident), writes(on)
        on.command("resume")
        later(on, 5)

        assert during == ("deferred", [])
        assert phase(on, incident) == "waiting"
        assert writes(on) == []


def test_what_waits_can_be_closed(line: Lines) -> None:
    """A person who knows better need not wait for the end of the halt, which then brings nothing back."""
    with line(policy=ALWAYS) as on:
        on.app.ledger.halt("a drill", "ada")
        incident = on.respond(on.finding())
        closed = say(on, "close", incident, closed_as="false_positive")
        on.command("resume")
        later(on, 10)

        assert closed.done, closed.says
        assert phase(on, incident) == "closed"
        assert writes(on) == []


def test_what_comes_meanwhile_waits_with_it_and_is_decided_with_it(line: Lines) -> None:
    """Two events of one finding, which name two revisions that serve."""
    with line(policy=PIN_ONLY) as on:
        on.world.set_traffic("checkout", {"revision": GOOD, "percent": 50}, {"revision": BAD, "percent": 50})
        on.app.ledger.halt("a drill", "ada")
        first = on.respond(on.finding(minutes_ago=5))
        second = on.respond(on.finding(minutes_ago=1, image=7, workload=f"services/checkout/revisions/{GOOD}"))
        on.command("resume")
        later(on, 10)

        assert second.id == first.id
        assert set(now(on, first)["decision"]["suspects"]) == {GOOD, BAD}
        assert set(on.reachable) == {"checkout-00006-old"}


def test_a_halt_between_two_writes_keeps_what_was_written_and_what_was_decided(line: Lines) -> None:
    """The plan is carried on with, change by change, under the digest that it had."""
    with line(world_of_regions(*THERE_TOO), policy=PIN_ONLY) as on:
        once: list[str] = []

        def halt(_: object) -> None:
            if not once:
                once.append("halted")
                on.app.ledger.halt("stop", "bob")

        on.sandbox.wire.watch("*/UpdateService", halt)
        incident = on.respond(on.finding())
        during = phase(on, incident), len(writes(on)), now(on, incident)["plan"]["digest"]
        on.command("resume")
        later(on, 10)

        assert during[:2] == ("deferred", 1)
        assert phase(on, incident) == "contained"
        assert now(on, incident)["plan"]["digest"] == during[2]
        assert serving(on) == [[GOOD], ["checkout-00001-usg"]]
        assert [writes_to(on, region) for region in (HERE, THERE)] == [1, 1]


def test_a_write_that_takes_effect_after_its_answer_was_lost_and_a_halt_was_set_can_be_released(line: Lines) -> None:
    """Nothing of it is to be seen when the halt is met; the hold is all that would bring it back."""
    with line(policy=PIN_ONLY) as on:
        on.sandbox.wire.inject(Fault("*/UpdateService", "late"))
        on.sandbox.wire.watch("*/UpdateService", lambda _: on.app.ledger.halt("stop everything", "ada"))
        incident = on.respond(on.finding())
        on.sandbox.wire.land()
        landed = phase(on, incident), BAD in on.reachable
        answered = on.release(incident)

        assert landed == ("deferred", False)
        assert answered.done, answered.says
        assert BAD in on.reachable


def test_beside_an_event_that_scc_settled_what_stands_is_reviewed_again_after_a_day(
    line: Lines,
) -> None:
    """And released by itself where its policy says so; not left in a wait that nobody is told of."""
    by_itself = ALWAYS.replace("mode: enforce", "mode: enforce\nrelease_after: 6h", 1)
    with line(policy=by_itself) as on:
        incident = on.respond(on.finding(minutes_ago=5))
        again = on.finding()
        set_state(on.world, again["finding"]["name"], "INACTIVE")
        on.respond(again)
        during = phase(on, incident)
        later(on, 23 * HOUR)
        early = phase(on, incident)
        later(on, 2 * HOUR)
        given_up = phase(on, incident), told(on, incident)[-1], "INACTIVE" in story(on, incident)
        later(on, 5 * HOUR)

        assert (during, early) == ("deferred", "deferred")
        assert given_up == ("contained", "contained", True)
        assert phase(on, incident) == "released"
        assert set(on.reachable) == {BAD}


def test_what_a_mute_left_undone_in_a_further_region_is_named_after_a_day_and_decided_once_it_is_lifted(
    line: Lines,
) -> None:
    """Once the first region was written; a person is asked by then, because it is old."""
    with line(world_of_regions(*THERE_TOO), policy=PIN_ONLY) as on:
        pair = on.finding()
        name = pair["finding"]["name"]
        on.sandbox.wire.meanwhile(Meanwhile("*/UpdateService", lambda: on.clock.skip(mutes(on, name)), "after"))
        incident = on.respond(pair)
        during = phase(on, incident), [writes_to(on, region) for region in (HERE, THERE)]
        later(on, 25 * HOUR)
        after = phase(on, incident), "\n".join(now(on, incident)["still_open"])
        reviews = len(told(on, incident))
        later(on, 5 * HOUR)
        reviewed = len(told(on, incident)) - reviews
        mute(on.world, name, "UNMUTED")
        on.respond(pair)
        asks = phase(on, incident), cautions(on, incident)
        say(on, "approve", incident)

        assert during == ("deferred", [1, 0])
        assert after[0] == "contained"
        assert f"{THERE}: pin_previous_revision was not done: the finding is muted" in after[1]
        assert reviewed >= 1
        assert asks == ("waiting", {"stale"})
        assert phase(on, incident) == "contained"
        assert serving(on) == [[GOOD], ["checkout-00001-usg"]]


def mutes(on: Line, name: str) -> float:
    """Somebody mutes it; by the seconds that SCC's word is out of date after."""
    mute(on.world, name)
    return 2.1

"""A release beside other holds refers to no suspect of theirs, and shows first what it must write to keep them shut."""

from __future__ import annotations

import pytest

from firebreak.core.incidents.incident import Incident
from tests.response.harness import BAD, GOOD, OLD, Line, Lines, world_of
from tests.response.releases import (
    CUT,
    PIN,
    PUBLIC,
    REVOKE,
    SPLIT,
    contained,
    decided_by,
    doors,
    is_public,
    phase,
    policy,
    results,
    serving,
    writes,
)

pytestmark = pytest.mark.thorough

SHUT = {True: (4, True), False: (2, True)}
"""Ingress and direct address when they are cut, where the API takes ingress `none` and where it does not."""
HALVES = ({"revision": BAD, "percent": 50}, {"revision": GOOD, "percent": 50})


def pinned_and_cut(on: Line, *steps: str, cut_first: bool = False) -> tuple[Incident, Incident]:
    """Two incidents about the bad revision: one took its traffic away, the other one shut the doors."""
    policies = {"pin": policy(*(steps or (PIN,))), "cut": policy(CUT)}
    incidents = {}
    for minutes, name in enumerate(("cut", "pin") if cut_first else ("pin", "cut")):
        decided_by(on, policies[name])
        incidents[name] = contained(on, finding_id=name, minutes_ago=5 - minutes)
    return incidents["pin"], incidents["cut"]


@pytest.mark.parametrize("cut_first", [False, True], ids=["pinned first", "cut first"])
@pytest.mark.parametrize("takes_none", [True, False], ids=["ingress none", "internal at least"])
def test_the_cut_is_released_beside_the_pin_and_the_pin_after_it(
    line: Lines, *, takes_none: bool, cut_first: bool
) -> None:
    with line(world_of(accepts_ingress_none=takes_none), policy=policy(PIN)) as on:
        pin, cut = pinned_and_cut(on, cut_first=cut_first)
        shut = serving(on), doors(on)
        first = on.release(cut)
        between = serving(on), doors(on), phase(on, cut), phase(on, pin)
        second = on.release(pin)

        assert shut == ({GOOD: 100}, SHUT[takes_none])
        assert f"What {pin.id} closed stayed shut." in on.shown(on.read(cut))["now"]
        assert on.shown(on.read(pin))["now"] == "Taken back: the containment no longer stands."
        assert first.done, first.says
        assert between == ({GOOD: 100}, (1, False), "released", "contained")
        assert second.done, second.says
        assert (serving(on), doors(on)) == ({BAD: 100}, (1, False))
        assert phase(on, pin) == "released"


@pytest.mark.parametrize("cut_first", [False, True], ids=["pinned first", "cut first"])
@pytest.mark.parametrize("takes_none", [True, False], ids=["ingress none", "internal at least"])
def test_the_pin_is_not_released_before_the_cut_that_suspects_the_same_revision(
    line: Lines, *, takes_none: bool, cut_first: bool
) -> None:
    """Doors do not count: traffic would refer to what the other incident suspects. After that one it goes."""
    with line(world_of(accepts_ingress_none=takes_none), policy=policy(PIN)) as on:
        pin, cut = pinned_and_cut(on, cut_first=cut_first)
        before = writes(on)
        refused = on.release(pin)
        between = serving(on), doors(on), phase(on, pin), phase(on, cut)
        untouched = writes(on) == before
        answers = [on.release(cut), on.release(pin)]

        assert not refused.done
        assert BAD in refused.says
        assert untouched
        assert between == ({GOOD: 100}, SHUT[takes_none], "contained", "contained")
        assert [one.done for one in answers] == [True, True]
        assert (serving(on), doors(on)) == ({BAD: 100}, (1, False))
        assert [phase(on, one) for one in (pin, cut)] == ["released", "released"]


def test_what_would_refer_to_another_holds_suspect_is_refused_before_grants_are_written(line: Lines) -> None:
    """Identities and grants go first where a release is made; here none is."""
    with line(policy=policy(PIN)) as on:
        pin, _ = pinned_and_cut(on, PIN, REVOKE)
        before = writes(on)
        refused = on.release(pin)

        assert not refused.done
        assert BAD in refused.says
        assert writes(on) == before
        assert not is_public(on)
        assert serving(on) == {GOOD: 100}
        assert phase(on, pin) == "contained"


@pytest.mark.parametrize("takes_none", [True, False], ids=["ingress none", "internal at least"])
def test_a_release_that_moves_no_traffic_goes_through_beside_a_cut(line: Lines, *, takes_none: bool) -> None:
    """Behind shut doors traffic leads to the suspect as it did before: it is not this release that leads it there."""
    with line(world_of(accepts_ingress_none=takes_none), policy=policy(CUT)) as on:
        contained(on, minutes_ago=5)
        decided_by(on, policy(REVOKE))
        revoked = contained(on, finding_id="second", minutes_ago=4)
        before = len(writes(on))
        answered = on.release(revoked)

        assert answered.done, answered.says
        assert writes(on)[before:] == ["SetIamPolicy"]
        assert is_public(on)
        assert doors(on) == SHUT[takes_none]
        assert results(on, revoked) == {PUBLIC: "restored"}


def two_pins(on: Line) -> tuple[Incident, Incident]:
    """Half went to the bad revision and half to the good one, until that became suspect too."""
    first = contained(on, minutes_ago=5)
    second = contained(on, finding_id="second", image=7, minutes_ago=4)
    assert serving(on) == {OLD: 100}
    return first, second


def digest_shown(on: Line, incident: Incident) -> str:
    release = on.shown(on.read(incident)).get("release")
    assert release, "nothing was shown"
    return str(release["digest"])


@pytest.mark.parametrize(
    ("number", "after"), [(0, {BAD: 50, OLD: 50}), (1, {GOOD: 100})], ids=["the first", "the second"]
)
def test_what_must_be_written_to_keep_another_suspect_shut_is_shown_and_waits_for_a_yes(
    line: Lines, number: int, after: dict[str, int]
) -> None:
    """The traffic does not go back to what it was, and nobody has seen yet where it goes."""
    with line(world_of(traffic=HALVES), policy=policy(PIN)) as on:
        incidents = two_pins(on)
        incident, other = incidents[number], incidents[1 - number]
        before = writes(on)
        shown = on.release(incident)
        unwritten = writes(on) == before, phase(on, incident), results(on, incident)
        digest = digest_shown(on, incident)
        answered = on.release(incident, digest=digest)

        assert not shown.done
        assert digest[:8] in shown.says
        assert unwritten == (True, "contained", {SPLIT: "due"})
        assert answered.done, answered.says
        assert serving(on) == after
        assert [phase(on, one) for one in (incident, other)] == ["released", "contained"]


def test_the_last_of_them_goes_back_to_what_was_before_without_being_shown(line: Lines) -> None:
    with line(world_of(traffic=HALVES), policy=policy(PIN)) as on:
        first, second = two_pins(on)
        on.release(first)
        on.release(first, digest=digest_shown(on, first))
        answered = on.release(second)

        assert answered.done, answered.says
        assert serving(on) == {BAD: 50, GOOD: 50}
        assert [phase(on, one) for one in (first, second)] == ["released", "released"]


def test_a_yes_to_something_else_writes_nothing(line: Lines) -> None:
    with line(world_of(traffic=HALVES), policy=policy(PIN)) as on:
        first, _ = two_pins(on)
        on.release(first)
        before = writes(on)
        answered = on.release(first, digest="0" * 12)

        assert not answered.done
        assert writes(on) == before
        assert phase(on, first) == "contained"


def test_a_yes_to_what_would_be_another_by_now_does_not_write_it(line: Lines) -> None:
    """A third incident came to suspect the very revision that half of the traffic was to go back to."""
    with line(world_of(traffic=HALVES), policy=policy(PIN)) as on:
        first, _ = two_pins(on)
        on.release(first)
        digest = digest_shown(on, first)
        contained(on, finding_id="third", minutes_ago=3)
        before = writes(on)
        on.release(first, digest=digest)

        assert writes(on) == before
        assert serving(on) == {OLD: 100}


def test_where_the_others_keep_it_all_shut_nothing_is_written_and_nothing_has_to_be_shown(line: Lines) -> None:
    with line(policy=policy(PIN, CUT)) as on:
        first = contained(on, minutes_ago=5)
        second = contained(on, finding_id="second", minutes_ago=4)
        before = writes(on)
        answered = on.release(first)
        between = serving(on), doors(on)
        on.release(second)

        assert answered.done, answered.says
        assert writes(on)[: len(before)] == before
        assert between == ({GOOD: 100}, (4, True))
        assert phase(on, first) == "released"
        assert (serving(on), doors(on)) == ({BAD: 100}, (1, False))

"""What was given back, closed again and is given back anew: the first release says nothing of the second."""

from __future__ import annotations

import pytest

from tests.response.answers import agreed
from tests.response.harness import BAD, GOOD, OLD, Lines
from tests.response.releases import (
    CUT,
    DIRECT,
    INGRESS,
    PIN,
    PUBLIC,
    REVOKE,
    SPLIT,
    contained,
    doors,
    half_released,
    is_public,
    phase,
    policy,
    results,
    serving,
)

pytestmark = pytest.mark.thorough


def test_what_a_retry_closes_again_is_given_back_by_the_next_release(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        on.retry(incident)
        agreed(on, incident)
        closed = serving(on), phase(on, incident), results(on, incident)
        on.world.admits_public_members = True
        answered = on.release(incident)

        assert closed == ({GOOD: 100}, "contained", {})
        assert answered.done, answered.says
        assert (serving(on), is_public(on)) == ({BAD: 100}, True)
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "restored", PUBLIC: "restored"}


def test_what_a_further_event_closes_again_is_given_back_by_the_next_release(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        on.respond(on.finding(minutes_ago=0.1))
        agreed(on, incident)
        closed = serving(on), phase(on, incident)
        on.world.admits_public_members = True
        answered = on.release(incident)

        assert closed == ({GOOD: 100}, "contained")
        assert answered.done, answered.says
        assert serving(on) == {BAD: 100}
        assert results(on, incident) == {SPLIT: "restored", PUBLIC: "restored"}


def test_a_setting_that_was_given_up_is_held_again_once_it_was_closed_again(line: Lines) -> None:
    with line(policy=policy(PIN, CUT, REVOKE)) as on:
        incident = contained(on)
        on.world.admits_public_members = False
        on.release(incident, leave=f"{INGRESS}\n{DIRECT}")
        on.world.edit("checkout", ingress=1, default_uri_disabled=False)
        on.retry(incident)
        agreed(on, incident)
        closed = doors(on)
        on.world.admits_public_members = True
        on.release(incident)

        assert closed == (4, True)
        assert doors(on) == (1, False)
        assert phase(on, incident) == "released"


@pytest.mark.parametrize("by_hand", [GOOD, OLD])
def test_what_a_person_closed_again_by_hand_is_theirs(line: Lines, by_hand: str) -> None:
    """Nothing new was to be closed: nothing of it is Firebreak's to open, and no earlier release says that it was."""
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        on.world.set_traffic("checkout", {"revision": by_hand, "percent": 100})
        on.retry(incident)
        agreed(on, incident)
        on.world.admits_public_members = True
        on.release(incident)

        assert (serving(on), is_public(on)) == ({by_hand: 100}, True)
        assert phase(on, incident) == "released"
        assert results(on, incident) == {PUBLIC: "restored"}

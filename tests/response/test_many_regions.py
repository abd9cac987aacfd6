"""A service that runs everywhere is contained, and released, to its end: what is done counts as no turn in vain."""

from __future__ import annotations

import pytest

from tests.response.harness import BAD, GOOD, Lines
from tests.response.releases import (
    ELSEWHERE,
    OTHER_BAD,
    OTHER_GOOD,
    PIN,
    REVOKE,
    contained,
    in_two_regions,
    phase,
    policy,
    results,
    serving,
)


def test_more_changes_than_there_are_turns_are_all_made_and_all_taken_back(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firebreak.response.advance._TURNS", 4)
    monkeypatch.setattr("firebreak.response.readings._MOST_LOST", 2)
    with line(in_two_regions(), policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        closed = serving(on), serving(on, ELSEWHERE)
        answered = on.release(incident)

        assert closed == ({GOOD: 100}, {OTHER_GOOD: 100})
        assert answered.done, answered.says
        assert (serving(on), serving(on, ELSEWHERE)) == ({BAD: 100}, {OTHER_BAD: 100})
        assert phase(on, incident) == "released"
        assert set(results(on, incident).values()) == {"restored"}

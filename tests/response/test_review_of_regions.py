"""A hold is announced again also where another one of its incident cannot be looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.wire import Fault
from tests.response.answers import now, phase
from tests.response.harness import ALWAYS, Line, Lines
from tests.response.releases import ELSEWHERE, in_two_regions

FOUR_HOURS = 4 * 3600 + 5.0
THERE = "*us-east1*"


def denied(on: Line) -> None:
    on.sandbox.wire.inject(Fault("*/GetService", "error", code="PERMISSION_DENIED", times=None, routed=THERE))


def away(on: Line) -> None:
    on.sandbox.wire.inject(Fault("*/GetService", "error", code="UNAVAILABLE", times=None, routed=THERE))


def deleted(on: Line) -> None:
    on.world.delete(ELSEWHERE)


@pytest.mark.parametrize("lost", [denied, away, deleted])
def test_a_region_that_cannot_be_looked_at_keeps_no_other_from_its_review(
    line: Lines, lost: Callable[[Line], None]
) -> None:
    with line(in_two_regions(), policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        lost(on)
        on.wait(FOUR_HOURS)
        swept = on.sweep().done
        sentence = "\n".join(one["what"] for one in now(on, incident)["history"])

        assert phase(on, incident) == "contained"
        assert swept.get("reviewed") == 1
        assert "review: contained for 4 h" in sentence
        assert "us-east1: review: unread: " in sentence
        assert any(one.startswith("what is open on ") for one in now(on, incident)["still_open"])
        assert on.announced[-1]["phase"] == "contained"

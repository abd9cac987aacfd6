"""`release_after`: a release that no person asked for goes no further once something has come up against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from firebreak.core.errors import Transient
from sandbox.wire import Fault
from tests.response.harness import BAD, GOOD, Line, Lines
from tests.response.releases import PIN, SPLIT, contained, phase, policy, results, serving

HOUR = 3601.0


def _as_scc_holds_it(on: Line, **said: str) -> None:
    on.world.findings[0]["finding"].update(said)


AGAINST: Mapping[str, Callable[[Line], object]] = {
    "a halt": lambda on: on.command("halt", reason="a drill"),
    "the finding is active again": lambda on: _as_scc_holds_it(on, state="ACTIVE"),
    "a mute": lambda on: _as_scc_holds_it(on, mute="MUTED"),
    "SCC does not answer": lambda on: on.sandbox.wire.inject(Fault("*/ListFindings", "error", times=None)),
}


def cut_off(on: Line) -> None:
    """The release comes due, and others keep writing to the service, until its delivery gives up."""
    _as_scc_holds_it(on, state="INACTIVE")
    on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="ABORTED", times=None))
    on.wait(HOUR)
    on.sweep()
    on.sandbox.wire.clear_faults()


@pytest.mark.parametrize("against", AGAINST.values(), ids=AGAINST)
def test_a_release_that_nobody_asked_for_is_not_carried_on_against_what_came_up(
    line: Lines, against: Callable[[Line], object]
) -> None:
    with line(policy=policy(PIN, more="release_after: 1h\nreview_after: 1h")) as on:
        incident = contained(on)
        cut_off(on)
        tried = len(on.updates)
        against(on)
        for _ in range(2):
            on.wait(HOUR)
            on.sweep()

        assert tried > 1
        assert len(on.updates) == tried
        assert serving(on) == {GOOD: 100}
        assert phase(on, incident) == "contained"


def test_it_is_carried_on_where_nothing_came_up(line: Lines) -> None:
    with line(policy=policy(PIN, more="release_after: 1h\nreview_after: 1h")) as on:
        incident = contained(on)
        cut_off(on)
        on.wait(HOUR)
        on.sweep()

        assert serving(on) == {BAD: 100}
        assert phase(on, incident) == "released"


def test_a_release_that_a_person_asked_for_is_carried_on_under_a_halt(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="ABORTED", times=None))
        with pytest.raises(Transient):
            on.release(incident)
        on.sandbox.wire.clear_faults()
        on.command("halt", reason="a drill")
        on.wait(HOUR)
        on.sweep()

        assert serving(on) == {BAD: 100}
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "restored"}

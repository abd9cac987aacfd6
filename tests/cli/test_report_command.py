"""`firebreak report`: the figures on the screen, and all of them as JSON."""

from __future__ import annotations

from firebreak.core.reports.report import as_json, report
from tests.cli.commands import Told
from tests.response.harness import Lines
from tests.response.test_report import ASKS, a_day


def test_the_command_prints_them_and_json_has_all_of_them(firebreak: Told, line: Lines) -> None:
    with line(policy=ASKS) as on:
        a_day(on)
        told, as_data = firebreak("report", "--since", "24h"), firebreak("report", "--since", "24h", "--json").json

    assert told.code == 0
    assert "Open now: 1, 1 of them waits for an answer: firebreak incident list\n" in told.out
    assert "always: 3; contained 1, 1 of them called false; asked 3: 1 yes, 1 no; judged 1: 0 real" in told.out
    assert (as_data["incidents"], as_data["to_answer"]["count"]) == (3, 2)
    assert as_data.keys() >= as_json(report([], 0, 1)).keys()

"""What a person sees first on a small terminal: the workload by its name, and what to type; the rest is paged."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from firebreak.cli.main import main
from firebreak.cli.screens import console
from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.incident_list import Count, show_list
from firebreak.cli.screens.incident_show import show
from firebreak.cli.screens.policy_backtest import show_backtest
from firebreak.cli.screens.question import show_question
from firebreak.core.containment.plan import Plan
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.record import record
from firebreak.core.mode import Cap
from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2
from tests.backtest.histories import lines, recorded
from tests.cli.commands import NOW, Terminal, Told, incident, told
from tests.cli.test_answers import at_work
from tests.response.harness import Lines
from tests.response.releases import contained

ROOT = Path(__file__).resolve().parents[2]
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
WIDTHS, HEIGHTS = (45, 60, 80, 140), (24, 50)
SERVICE = "a-service-whose-name-is-as-long-as-google-takes"
"""49 characters are the most that Cloud Run takes."""
TAGS = {f"service.traffic.tag.tag-number-{number}": "checkout-00008-bad" for number in range(40)}


def crowded(phase: str) -> Incident:
    """One of which there is much to tell: long names, forty tags, and every guard had something to say."""
    scene = Scene(workload=f"services/{SERVICE}", project_id="a-project-id-of-thirty-letters")
    one = incident(phase, scene)
    assert one.plan is not None
    assert one.decision is not None
    change = replace(one.plan.changes[0], before={**one.plan.changes[0].before, **TAGS})
    change = replace(change, after={**one.plan.changes[0].after, **dict.fromkeys(TAGS)})
    caps = tuple(Cap(f"guard{number}", "caution", "a reason of a guard, in a sentence") for number in range(9))
    plan = Plan((change,), ())
    stands = plan if phase in ("contained", "releasing") else None
    return replace(one, plan=plan, done=stands, decision=replace(one.decision, caps=caps))


def rows_of(text: str, width: int) -> list[str]:
    """The text as a terminal of that width shows it: what is longer goes on in the next row."""
    lines = ESCAPES.sub("", text).splitlines()
    return [line[at : at + width] for line in lines for at in range(0, max(1, len(line)), width)]


def looked_at(monkeypatch: pytest.MonkeyPatch, width: int, height: int, colour: str, *shown: Any) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", str(height))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", colour)
    stream = Terminal()
    shown[0](Screen(stream), *shown[1:])
    return stream.getvalue()


@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("make", [incident, crowded], ids=["plain", "crowded"])
def test_the_first_screen_names_the_service_and_what_to_type(
    phase: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = record(make(phase))
    for width, height, colour in product(WIDTHS, HEIGHTS, ("", "1")):
        text = looked_at(monkeypatch, width, height, colour, show, one, NOW)
        first = "".join(row.ljust(width) for row in rows_of(text, width)[: height - 1])
        joined = re.sub(r"\s+", "", first)

        assert one["finding"]["target"]["name"] in joined, (width, height)
        for step in one["next"]:
            assert step["command"].replace(" ", "") in joined, (width, height, step["word"])


@pytest.mark.parametrize("phase", get_args(Phase))
def test_in_a_pipe_the_first_lines_name_them_too(phase: str) -> None:
    one = record(crowded(phase))
    first = "\n".join(told(show, one, NOW).splitlines()[:23])

    assert one["finding"]["target"]["name"] in first
    assert all(step["command"] in first for step in one["next"])


def test_the_last_screen_of_a_question_names_the_service_and_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """After it the answer is typed, without a pager."""
    one = record(crowded("waiting"))
    for width, height in product(WIDTHS, HEIGHTS):
        text = looked_at(monkeypatch, width, height, "", show_question, one, NOW)
        last = re.sub(r"\s+", "", "".join(rows_of(text, width)[1 - height :]))

        assert SERVICE in last
        assert one["question"]["digest"][:12] in last


def test_the_first_screen_of_a_list_has_the_totals_and_whole_names(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [record(crowded("waiting"))] * 50
    count = Count(226, fitting=226, looked_at=226, phases={"waiting": 78})
    for width, height, colour in product(WIDTHS, HEIGHTS, ("", "1")):
        text = looked_at(monkeypatch, width, height, colour, show_list, records, NOW, None, count)
        first = rows_of(text, width)[: height - 1]

        assert first[0].startswith("50 of 226 incidents.")
        assert "78 waiting for an answer" in " ".join(first[:3])
        assert any(SERVICE[-30:] in row for row in first[3:8]), (width, height)


@pytest.mark.parametrize("phase", get_args(Phase))
def test_without_colour_nothing_is_lost(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = record(crowded(phase))
    coloured, plain = (looked_at(monkeypatch, 80, 24, colour, show, one, NOW) for colour in ("", "1"))

    assert ESCAPES.sub("", coloured) == ESCAPES.sub("", plain)


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pager that keeps what it is shown."""
    monkeypatch.setenv("PAGER", f"cat > '{tmp_path / 'paged'}'")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm-256color")
    return tmp_path / "paged"


def write(monkeypatch: pytest.MonkeyPatch, lines: int, out: io.StringIO, typed: io.StringIO) -> str:
    with monkeypatch.context() as patches:
        patches.setattr(sys, "stdout", out)
        patches.setattr(sys, "stdin", typed)
        with console.paged() as screen:
            for number in range(lines):
                screen.line(f"line {number}", "strong")
    return out.getvalue()


def test_what_is_longer_than_the_terminal_goes_through_the_pager_with_its_head_first(
    pager: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write(monkeypatch, 24, Terminal(), Terminal())

    assert out == ""
    assert ESCAPES.sub("", pager.read_text()).startswith("line 0\nline 1\n")
    assert "\x1b[1m" in pager.read_text()


@pytest.mark.parametrize(
    ("lines", "out", "typed"),
    [(23, Terminal(), Terminal()), (99, io.StringIO(), Terminal()), (99, Terminal(), io.StringIO())],
    ids=["it fits", "into a pipe", "nobody at the keyboard"],
)
def test_elsewhere_nothing_goes_through_a_pager(
    pager: Path, monkeypatch: pytest.MonkeyPatch, lines: int, out: io.StringIO, typed: io.StringIO
) -> None:
    text = ESCAPES.sub("", write(monkeypatch, lines, out, typed))

    assert not pager.exists()
    assert text.splitlines() == [f"line {number}" for number in range(lines)]


def test_a_pager_that_is_not_there_costs_nothing(monkeypatch: pytest.MonkeyPatch, pager: Path) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager")
    text = write(monkeypatch, 99, Terminal(), Terminal())

    assert text.count("\n") == 99
    assert not pager.exists()


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("explain", "Execution: Added Malicious Binary Executed, CRITICAL"),
        ("backtest", "Within a day this set would have contained 0 "),
    ],
)
def test_what_policies_make_of_findings_begins_on_the_first_screen(
    command: str, first: str, pager: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal of 24 lines would have let go of what is asked first."""
    finding = tmp_path / "finding.json"
    finding.write_bytes(notification_v2(malicious_binary_finding()))
    with monkeypatch.context() as patches:
        patches.setattr(sys, "stdout", Terminal())
        patches.setattr(sys, "stdin", Terminal())
        main(["policy", command, "--policies", str(ROOT / "policies"), str(finding)])
    shown = ESCAPES.sub("", pager.read_text())

    assert shown.startswith(first)
    assert len(shown.splitlines()) > 23


def test_what_came_of_an_answer_names_the_service_and_says_what_is_so_now(
    line: Lines, monkeypatch: pytest.MonkeyPatch, firebreak: Told
) -> None:
    with at_work(line, monkeypatch) as on:
        incident = contained(on)
        released = firebreak("incident", "release", incident.id)

    assert released.out.splitlines()[1] == (
        "  service checkout, project shop-prod, europe-west1: Taken back: the containment no longer stands."
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_of_figures_is_a_table_or_says_each_figure_s_name(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal columns would fall below each other."""
    modes = {"enforce": 3, "approve": 20, "monitor": 100, "nothing": 1}
    text = looked_at(monkeypatch, width, 24, "", show_backtest, {"by_policy": {"known-malware-on-service": modes}})
    told = re.sub(r"\s+", " ", ESCAPES.sub("", text))

    as_table = "enforce approve monitor nothing known-malware-on-service 3 20 100 1" in told
    in_words = "known-malware-on-service: enforce 3, approve 20, monitor 100, nothing 1" in told
    assert (as_table, in_words) == (width >= 80, width < 80)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_people_made_of_policies_is_a_table_or_says_each_figure_s_name(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "history.jsonl").write_text(lines(recorded(1, decision={"policy": "a-policy", "mode": "enforce"})))
    stream = Terminal()
    with monkeypatch.context() as patches:
        patches.setenv("COLUMNS", str(width))
        patches.setattr(sys, "stdout", stream)
        main(["policy", "stats", str(tmp_path / "history.jsonl")])
    told = re.sub(r"\s+", " ", ESCAPES.sub("", stream.getvalue()))

    as_table = "decided enforced asked yes no real nothing a-policy 1 1 0 0 0 0 0" in told
    in_words = "a-policy: decided 1, enforced 1, asked 0, yes 0, no 0, real 0, nothing 0" in told
    assert (as_table, in_words) == (width >= 80, width < 80)

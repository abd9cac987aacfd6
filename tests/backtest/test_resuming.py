"""A long backtest says how far it is, and goes on from where it was interrupted, to the same answer."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import enrichment
import responders
from firebreak.backtest.deciding import Rules
from firebreak.backtest.files import Far, pieces_of
from firebreak.backtest.own_file import NotOwn, require_own
from firebreak.backtest.report import report
from firebreak.backtest.run import BATCH, run
from firebreak.policy_folder import read_folder, read_yaml_policies
from tests.backtest.histories import found, lines, policies_in, recorded, said
from tests.cli.commands import Told
from tests.cli.commands import run as run_command

MANY = 5 * BATCH


class Interrupted(Exception):
    """Somebody has stopped it."""


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Findings on few workloads, a halt among them, and pieces that nobody can read."""
    halted = said((0.1, "firebreak", "deferred: halted by ada: a drill"), (9, "firebreak", "policy malware"))
    many = [recorded(number, number % 600, malicious=number % 20, service=f"s{number % 90}") for number in range(MANY)]
    file = tmp_path / "history.jsonl"
    file.write_text("{oops\n" + lines(recorded(MANY + 1, 3, history=halted), *many) + "{oops again\n")
    return file


def rules(folder: Path) -> Rules:
    policies = read_yaml_policies(read_folder(Path(policies_in(folder / "new"))))
    return Rules(policies, responders.discover(), enrichment.discover())


def ran(file: Path, state: str, at_most: int | None = None) -> tuple[dict[str, Any], int]:
    """The report, and how many findings were decided for it; interrupted after so many batches."""
    one, came = rules(file.parent), list[int]()

    def step(count: int) -> None:
        came.append(count)
        if at_most is not None and len(came) >= at_most:
            raise Interrupted

    return report(run([str(file)], (one,), step, 1, state=state), one.policies, None), sum(came)


def test_an_interrupted_run_goes_on_from_where_it_was_to_the_same_answer(history: Path, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    whole, all_of_them = ran(history, "")
    with pytest.raises(Interrupted):
        ran(history, state, at_most=2)
    with pytest.raises(Interrupted):
        ran(history, state, at_most=1)
    again, rest = ran(history, state)

    assert again == whole
    assert whole["unread"]["count"] == 2
    assert rest == all_of_them - (3 * BATCH - 1)  # one of the first pieces is no finding
    assert Path(state).stat().st_mode & 0o077 == 0


def test_what_is_about_another_history_is_begun_anew(history: Path, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    with pytest.raises(Interrupted):
        ran(history, state, at_most=2)
    with history.open("a") as file:
        file.write(lines(found(MANY + 9)))
    shown, decided = ran(history, state)

    assert shown["findings"] == decided == MANY + 2


def test_the_command_goes_on_and_leaves_nothing_behind(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    firebreak: Told = lambda *words: run_command(capsys, *words)  # noqa: E731 - too short for a name of its own
    state = tmp_path / "state"
    words = ("policy", "backtest", str(history), "--policies", policies_in(tmp_path / "new"), "--json")
    with pytest.raises(Interrupted):
        ran(history, str(state), at_most=2)

    assert firebreak(*words, "--resume", str(state)).json == firebreak(*words).json
    assert not state.exists()


@pytest.mark.parametrize("text", ["no database at all, and longer than one would begin", "[]"])
def test_a_file_of_something_else_is_left_as_it_is(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    other = tmp_path / "mine.txt"
    other.write_text(text)
    other.chmod(0o600)
    words = ("policy", "backtest", str(history), "--policies", policies_in(tmp_path / "new"))
    answer = run_command(capsys, *words, "--resume", str(other))

    assert (answer.code, other.read_text()) == (2, text)


def leads_elsewhere(state: Path) -> None:
    state.rename(state.with_name("elsewhere"))
    state.symlink_to(state.with_name("elsewhere"))


PLANTED: dict[str, Callable[[Path], object]] = {
    "readable by others, as git brings it": lambda state: state.chmod(0o644),
    "a link": leads_elsewhere,
    "another name of another file": lambda state: state.with_name("other").hardlink_to(state),
    "a journal that would be played back": lambda state: state.with_name("state-journal").write_text("planted"),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_a_state_that_somebody_else_may_have_written_is_refused_by_name(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], plant: Callable[[Path], object]
) -> None:
    """It holds what was decided: who may write it decides what the report says."""
    state = tmp_path / "state"
    with pytest.raises(Interrupted):
        ran(history, str(state), at_most=2)
    plant(state)
    words = ("policy", "backtest", str(history), "--policies", policies_in(tmp_path / "new"))
    answer = run_command(capsys, *words, "--resume", str(state))

    assert (answer.code, answer.out) == (2, "")
    assert f"{state}" in answer.err
    assert " is not believed and left as it is: " in answer.err
    assert state.exists()


def test_a_state_of_another_user_is_not_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    state.touch(mode=0o600)
    require_own(state)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    with pytest.raises(NotOwn, match="it belongs to another user"):
        require_own(state)


@pytest.mark.parametrize("packed", [False, True])
def test_how_far_files_were_read_grows_from_nothing_to_all(tmp_path: Path, *, packed: bool) -> None:
    files = [tmp_path / name for name in ("one", "two")]
    for number, file in enumerate(files):
        text = lines(*(found(number * 900 + one) for one in range(900))).encode()
        file.write_bytes(gzip.compress(text) if packed else text)
    far = Far(map(str, files))
    shares = [far.share for _ in pieces_of(map(str, files), far)]

    assert shares == sorted(shares)
    assert shares[0] < 0.5 <= shares[-1] <= far.share == 1.0
    assert Far(["-"]).share == 0.0

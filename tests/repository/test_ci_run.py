"""What `.ci/run` prints at its end, with a `make` that only says what it would do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repository.checkout import ROOT

MAKE = """#!/bin/sh
echo "making $1"
if [ "$1" = test ]; then
  echo "=========== slowest files ==========="
  echo "  12.0 s  tests/response/test_one_gate.py"
  [ "$FAILS" = test ] && echo "FAILED tests/response/test_one_gate.py::test_it"
  echo "7311 passed in 130.00s"
fi
[ "$1" != "$FAILS" ]
"""
STEPS = ["make setup", *(f"make {one}" for one in "lint policies readme outside scan thorough".split())]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "make").write_text(MAKE)
    (tools / "make").chmod(0o755)
    environment = {**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_NAME": "a", "EMAIL": "a@shop.example"}
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all of it"]):
        subprocess.run(["git", *words], cwd=folder, env=environment, check=True)  # noqa: S603, S607
    return folder


def run(checkout: Path, fails: str = "") -> tuple[int, list[str]]:
    """Exit code and lines of a run in which this target fails."""
    environment = {**os.environ, "PATH": f"{checkout.parent / 'tools'}:{os.environ['PATH']}", "FAILS": fails}
    done = subprocess.run(  # noqa: S603
        [str(checkout / ".ci" / "run")], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines()


def end_of(lines: list[str]) -> list[str]:
    return lines[lines.index("=== what took how long") + 1 :]


def test_it_ends_with_what_took_how_long_and_with_the_summary_of_the_tests(checkout: Path) -> None:
    code, lines = run(checkout)
    took = [found[1] for line in end_of(lines) if (found := re.fullmatch(r" *\d+ s  (.*)", line))]

    assert code == 0
    assert took == [*STEPS, "unchanged", "make test", "all of it"]
    assert lines[-2:] == ["  12.0 s  tests/response/test_one_gate.py", "7311 passed in 130.00s"]


@pytest.mark.parametrize("fails", ["lint", "test"])
def test_what_failed_is_said_last_and_hides_nothing_of_what_follows_it(checkout: Path, fails: str) -> None:
    code, lines = run(checkout, fails)

    assert code == 1
    assert lines[-1] == f"FAILED: make {fails}"
    assert "making thorough" in lines
    assert "7311 passed in 130.00s" in end_of(lines)
    assert ("FAILED tests/response/test_one_gate.py::test_it" in end_of(lines)) == (fails == "test")


def test_what_cannot_be_set_up_ends_it(checkout: Path) -> None:
    code, lines = run(checkout, "setup")

    assert code != 0
    assert lines == ["making setup"]


def test_the_tests_say_which_files_took_longest() -> None:
    """The words that the end of the run is cut at."""
    assert 'section("slowest files")' in (ROOT / "tests" / "conftest.py").read_text()

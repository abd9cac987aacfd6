"""The README's commands are run as written, and every make target that is named exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tools.readme_commands import commands

ROOT = Path(__file__).resolve().parents[2]
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
MAKE = re.compile(r"`make ([a-z][a-z-]*)|^make ([a-z][a-z-]*)(?: [A-Z]+=\S+)*$", re.MULTILINE)
SECONDS = 300


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# `make` sets up, tests and demonstrates: running those here would run this test inside itself.
PLAIN = [command for command in commands(text_of("README.md")) if not command.startswith("make")]


def test_the_readme_has_commands_to_run() -> None:
    assert PLAIN


@pytest.mark.parametrize("command", PLAIN)
def test_a_command_of_the_readme_succeeds_as_written(command: str) -> None:
    done = subprocess.run(  # noqa: S603
        ["/usr/bin/env", "bash", "-c", command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/policies.md"])
def test_every_make_target_that_is_named_exists(name: str) -> None:
    named = {quoted or alone for quoted, alone in MAKE.findall(text_of(name))}

    assert named
    assert named - set(TARGET.findall(text_of("Makefile"))) == set()

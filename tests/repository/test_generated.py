"""What is generated from the code says what the code says now, and one target makes all of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import responders
from tests.repository.checkout import text_of, tracked
from tools import permissions
from tools.generate import CURE, generated, main, stale

EXPECTED = generated()


@pytest.mark.parametrize("path", EXPECTED)
def test_what_is_generated_is_not_stale(path: str) -> None:
    assert text_of(path) == EXPECTED[path], CURE


def test_whatever_says_that_it_is_made_by_the_target_is_made_by_it() -> None:
    said = {path for path in tracked() if path.endswith(".md") and "<!-- Made by `make" in text_of(path)}

    assert {path for path in said if "<!-- Made by `make generate`" not in text_of(path)} == set()
    assert said <= EXPECTED.keys()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in EXPECTED:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text_of(path))
    return tmp_path


def test_what_is_stale_or_missing_is_written_named_and_nothing_else_touched(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "docs" / "facts.md").write_text("old")
    shutil.rmtree(root / "policies" / "schema")
    written = (root / "docs" / "lint.md").stat().st_mtime_ns

    assert main(root) == 0
    assert stale(root) == {}
    assert (root / "docs" / "lint.md").stat().st_mtime_ns == written
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == [
        "policies/schema/policy.json",
        "policies/schema/firebreak.json",
        "docs/facts.md",
    ]
    assert main(root) == 0
    assert capsys.readouterr().out == "generate: every file says what the code says\n"


def test_an_action_that_does_not_load_is_named_and_nothing_is_written(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every file would say what the code says, and nothing of the new action."""
    (root / "docs" / "facts.md").write_text("old")
    why = "responders/x.py cannot be imported (ImportError at responders/x.py:8)"
    monkeypatch.setattr(responders, "broken", lambda: {"x": why})

    assert main(root) == 1
    assert f"responders.x: {why}" in capsys.readouterr().err
    assert (root / "docs" / "facts.md").read_text() == "old"


def test_a_permission_that_fits_no_role_is_named_and_nothing_is_written(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "docs" / "facts.md").write_text("old")
    monkeypatch.setattr(permissions, "declared", lambda: {"run.services.explode": ("responders/x.py",)})

    assert main(root) == 1
    assert "run.services.explode" in (told := capsys.readouterr().err)
    assert "responders/x.py" in told
    assert (root / "docs" / "facts.md").read_text() == "old"

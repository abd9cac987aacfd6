"""What is generated from the code says what the code says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import reference


def test_nothing_that_is_generated_is_stale() -> None:
    """Made anew by the target that is named."""
    assert reference.stale() == {}


def test_a_stale_file_is_told_with_the_target_that_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    told = reference.main([])
    made = reference.main(["schema", "docs"])

    assert (told, made) == (1, 0)
    assert reference.stale() == {}
    (tmp_path / "docs" / "facts.md").write_text("old")
    assert reference.stale() == {"docs/facts.md": "make docs"}


def test_a_word_that_makes_nothing_is_refused() -> None:
    assert reference.main(["everything"]) == 2

from __future__ import annotations

from pathlib import Path

import pytest

from tests.response.harness import Lines


@pytest.fixture
def line(tmp_path: Path) -> Lines:
    """Call it with a world to get the whole line on it."""
    return Lines(tmp_path)

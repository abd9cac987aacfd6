"""A check that nothing can break proves nothing: each invariant goes red by breaks that are planted on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.model.breaks import BREAKS, Break
from tests.model.clock import played_on
from tests.model.history import Violated
from tests.model.invariants.everything import check_everything
from tests.model.stage import Stage
from tests.model.world import ModelGround

EACH = pytest.mark.parametrize("planted", BREAKS, ids=[one.wrong.replace(" ", "-") for one in BREAKS])


@contextmanager
def set_up() -> Iterator[Stage]:
    """A world in which Firebreak was just deployed."""
    ground = ModelGround()
    with played_on(lambda: ground.state.clock):
        stage = Stage(ground, (check_everything,))
        stage.sweep()
        yield stage


@EACH
def test_the_scene_breaks_nothing_by_itself(planted: Break) -> None:
    """What is shown below is the break's doing."""
    with set_up() as stage:
        planted.scene(stage)


@EACH
def test_the_planted_break_is_seen(planted: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is seen by the invariant that it breaks."""
    with set_up() as stage:
        planted.plant(stage, monkeypatch)
        with pytest.raises(Violated) as seen:
            planted.scene(stage)

    assert seen.value.number == planted.number, seen.value


def test_every_invariant_goes_red_by_some_break_and_the_page_names_them_all() -> None:
    page = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text()

    assert {one.number for one in BREAKS} == set(range(1, 9))
    assert [one.wrong for one in BREAKS if f"| {one.number} | {one.wrong} |" not in page] == []

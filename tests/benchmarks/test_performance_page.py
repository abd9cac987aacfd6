"""What docs/performance.md and the README say was measured is what is kept; what is counted is still so."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.costs import asked
from benchmarks.drawing import Bars, bars, icicle
from benchmarks.figures import Asked, Figures, Loaded, Row, Trip, saved
from tests.repository.checkout import text_of
from tools.performance_page import HEADLINE, generated

_SVG = "{http://www.w3.org/2000/svg}"
ROWS = (Row("a & b", 100, 400, 120, 0.5, 50), Row("c", 200, 100, 210))
RUN = Figures("2026-11-29", 2, "3.11", 3, 2, ROWS, Asked(1, 2, 3, 4, 5, 6), (Trip("t", "read", "carry"),))


def test_a_finding_asks_no_more_of_ledger_and_vault_than_its_price_is_worked_out_from() -> None:
    assert all(now <= kept for now, kept in zip(astuple(asked()), astuple(saved().asked), strict=True))


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    RUN.save(tmp_path / "run.json")

    assert saved(tmp_path / "run.json") == RUN


def test_the_headline_is_a_figure_of_the_table() -> None:
    row = saved().row(HEADLINE)

    assert f"**{row.ours / 1000:.1f} s from a finding's message" in text_of("README.md")
    assert row.line in text_of("docs/performance.md")


@pytest.mark.parametrize("name", ["time-to-the-write", "cold-start"])
def test_its_pictures_are_drawings_that_open(name: str) -> None:
    assert ET.fromstring(text_of(f"docs/pictures/{name}.svg")).tag == f"{_SVG}svg"  # noqa: S314 - our own


def test_bars_are_as_long_as_what_they_show() -> None:
    drawn = ET.fromstring(bars(Bars("x", ROWS, "y")))  # noqa: S314 - our own
    wide = [float(one.attrib["width"]) for one in drawn.iter(f"{_SVG}rect")]

    assert [round(one / wide[1], 2) for one in wide] == [0.25, 1, 0.5, 0.25]
    assert len(list(drawn.iter(f"{_SVG}line"))) == 1


def test_what_loads_something_stands_above_it_and_is_as_wide_as_all_that_it_loads() -> None:
    loaded = (Loaded("flask.json", 1, 250), Loaded("flask", 0, 750), Loaded("firebreak", 0, 250))
    drawn = ET.fromstring(icicle("x", loaded, "y"))  # noqa: S314 - our own
    firebreak, flask, json = drawn.iter(f"{_SVG}rect")
    left, right = (float(flask.attrib["x"]), float(flask.attrib["x"]) + float(flask.attrib["width"]))

    assert float(flask.attrib["width"]) == pytest.approx(3 * float(firebreak.attrib["width"]))
    assert float(json.attrib["y"]) > float(flask.attrib["y"])
    assert left <= float(json.attrib["x"]) < right


def test_a_page_without_a_place_for_what_was_measured_is_told(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "performance.md").write_text(text_of("docs/performance.md"))
    (tmp_path / "README.md").write_text("nothing")

    with pytest.raises(ValueError, match="no place for headline"):
        generated(tmp_path)

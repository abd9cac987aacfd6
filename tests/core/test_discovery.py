"""Actions and sources are found by their files; one that does not load is named, and leaves the others working."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import enrichment
import responders
from enrichment import Unloaded
from firebreak.core.diagnostics import Faults
from firebreak.core.discovery import Found, find
from firebreak.policy_language.reading.policies import parse_policies

POLICY = """
id: x
mode: monitor
when: {finding.category: "Reverse Shell"}
then: [{action: cut_traffic}]
examples: [{given: {}, expect: {mode: monitor}}, {given: {finding.category: "Unexpected Child Shell"}, expect: nothing}]
"""
WHY = "responders/lost.py cannot be imported (ModuleNotFoundError at responders/lost.py:3)"
FILES = {
    "good.py": "class Good:\n    name = 'good'\n    def edit(self): ...\nthing = Good()\n",
    "lost.py": '"""A docstring."""\n\nimport no_such_module\n',
    "torn.py": "thing = (\n",
    "bare.py": "other = 1\n",
    "half.py": "class Half:\n    name = 'half'\nthing = Half()\n",
    "leaves.py": "raise ValueError('secret')\n",
    "ends.py": "import sys\nsys.exit(0)\n",
    "._good.py": "\x00\x05\x16\x07",
    ".#good.py": "raise ValueError\n",
}


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Found]:
    room = tmp_path / "plugin_room"
    room.mkdir()
    (room / "__init__.py").touch()
    for name, text in FILES.items():
        (room / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield find("plugin_room", [str(room)], "thing", ("name", "edit"))
    for name in [one for one in sys.modules if one.partition(".")[0] == "plugin_room"]:
        del sys.modules[name]


def test_what_loads_works_whatever_lies_beside_it(found: Found) -> None:
    assert {*found.working} == {"good"}


def test_what_does_not_load_is_named_with_its_file_and_line(found: Found) -> None:
    """By kind and place; a text of its own could quote anything. Hidden files are nobody's."""
    assert found.broken == {
        "lost": "plugin_room/lost.py cannot be imported (ModuleNotFoundError at lost.py:3)",
        "torn": "plugin_room/torn.py cannot be imported (SyntaxError at torn.py:1)",
        "bare": "plugin_room/bare.py has no `thing`",
        "half": "`thing` in plugin_room/half.py does not declare edit",
        "leaves": "plugin_room/leaves.py cannot be imported (ValueError at leaves.py:1)",
        "ends": "plugin_room/ends.py cannot be imported (SystemExit at ends.py:2)",
    }


def test_everything_that_is_shipped_loads() -> None:
    assert (responders.broken(), enrichment.broken()) == ({}, {})


def fault_of(text: str, broken: dict[str, str]) -> str:
    with pytest.raises(Faults) as told:
        parse_policies({"x.yaml": text}, enrichment.catalogue(), responders.discover(), broken)
    return str(told.value)


def test_a_policy_that_names_an_action_that_does_not_load_says_why() -> None:
    text = POLICY.replace("cut_traffic", "lost")

    assert f"x.yaml:5:17: the action `lost` does not load: {WHY}" in fault_of(text, {"responders.lost": WHY})
    assert "there is no action `lost`" in fault_of(text, {"enrichment.lost": WHY})


def test_a_policy_that_asks_a_source_that_does_not_load_says_why() -> None:
    text = POLICY.replace("finding.category: ", "lost.count: 1, finding.category: ", 1)
    fault = fault_of(text, {"enrichment.lost": WHY})

    assert f"the fact `lost.count` is not to be had, because its source does not load: {WHY}" in fault


def test_policies_that_name_nothing_broken_load_as_ever() -> None:
    broken = {"responders.lost": WHY, "enrichment.lost": WHY}

    assert parse_policies({"x.yaml": POLICY}, enrichment.catalogue(), responders.discover(), broken).policies


def test_a_source_that_does_not_load_is_a_gap_on_every_record_and_never_clean() -> None:
    """It is asked like any other, so that actions that need it ask a person."""
    nothing: Any = None
    evidence = Unloaded("lost", "why").enrich(nothing, nothing)

    assert (evidence.source, evidence.facts, evidence.gap) == ("lost", {}, "the source does not load: why")

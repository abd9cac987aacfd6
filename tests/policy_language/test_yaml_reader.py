from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.diagnostics import FaultLog
from firebreak.policy_language.reading import yaml_reader as yaml_text
from firebreak.policy_language.reading.yaml_reader import Entries, Items, Node, Scalar, read_yaml
from firebreak.policy_language.reading.yaml_scalars import AmbiguousScalar, plain_value


def read(text: str) -> tuple[Node | None, tuple[str, ...]]:
    log = FaultLog("f", text)
    node = read_yaml(text, log)
    return node, tuple(f"{fault.at.line}:{fault.at.column} {fault.message}" for fault in log.faults)


def plain(node: Node | None) -> Any:
    if isinstance(node, Entries):
        return {key.value: plain(value) for key, value in node.pairs}
    if isinstance(node, Items):
        return [plain(one) for one in node.nodes]
    return node.value if node else None


@pytest.fixture(params=["C", "pure Python"], autouse=True)
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "C":
        monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)


def test_texts_numbers_lists_and_mappings_are_read() -> None:
    node, faults = read(
        'a: x\nb: [1, -2, 1.5, true, "no", null]\nc: {d: >-\n    two\n    lines\n  }\n'.replace(">-", "e")
    )

    assert not faults
    assert plain(node) == {"a": "x", "b": [1, -2, 1.5, True, "no", None], "c": {"d": "e two lines"}}


def test_every_value_knows_its_place_in_characters() -> None:
    node, _ = read("é: [ü, x]\n  \nb:\n  - c\n")
    assert isinstance(node, Entries)
    (_, first), (_, second) = node.pairs
    assert isinstance(first, Items)
    assert isinstance(second, Items)

    assert [(one.at.line, one.at.column) for one in (*first.nodes, *second.nodes)] == [(1, 5), (1, 8), (4, 5)]


def test_a_byte_order_mark_at_the_beginning_is_no_fault() -> None:
    node, faults = read("\ufeffa: 1\n")

    assert (plain(node), faults) == ({"a": 1}, ())


def test_every_surprise_of_a_file_is_reported() -> None:
    _, faults = read("a: no\nb: 010\nno: 1:30\n")

    assert [fault.split()[0] for fault in faults] == ["1:4", "2:4", "3:1", "3:5"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n# nothing"])
def test_an_empty_file_holds_nothing(text: str) -> None:
    node, faults = read(text)

    assert not faults
    assert plain(node) is None


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    bomb = "a: &a [x]\n" + "".join(
        f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    _, faults = read(bomb)

    assert any("the anchor &a does not load" in fault for fault in faults)
    assert any("the alias *a does not load" in fault for fault in faults)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "[{a: "])
def test_deep_nesting_is_refused(opening: str) -> None:
    node, faults = read(opening * 20_000)

    assert node is None
    assert re.search("nested deeper than 32 levels|maximum nesting depth|not YAML", faults[0])


def test_nesting_up_to_the_limit_loads() -> None:
    node, faults = read("[" * 32 + "]" * 32)

    assert not faults
    assert isinstance(node, Items)


@pytest.mark.parametrize("text", ["a" * 5_000_000, "é" * 600_000])
def test_a_file_over_a_megabyte_is_refused_before_it_is_parsed(text: str) -> None:
    assert read(text) == (None, ("1:1 the file is larger than 1 MB",))


def test_a_file_of_nothing_but_faults_gives_a_hundred_and_stops() -> None:
    _, faults = read("- no\n" * 2_000)

    assert len(faults) == 101


@pytest.mark.parametrize(
    "text",
    ["a: \ud800", "a: \x00", "a: b\rc: d", "a: b\x85c", "a: \u2028", "a: \u202e", "a: \u2066", "a: \ufeff", "\x7f"],
)
def test_characters_that_hide_or_reorder_text_are_refused(text: str) -> None:
    node, faults = read(text)

    assert node is None
    assert "does not load" in faults[0]


def test_windows_line_ends_are_fine() -> None:
    node, faults = read("a: b\r\nc: d\r\n")

    assert not faults
    assert plain(node) == {"a": "b", "c": "d"}


DISAGREED = """
    y Y n N yes No NO on Off OFF 010 -07 08 0_1 0x10 0o10 0b1 1_000 1:30 190:20:30 20:30.15 .inf -.Inf .NaN 1e3 1.5e3
    1.5e+3 .5 5. +.5 = << 2024-01-01 2001-12-14t21:59:43.10-05:00 1234567890123456789
"""


@pytest.mark.parametrize("word", DISAGREED.split())
def test_a_plain_scalar_that_readers_disagree_about_is_refused(word: str) -> None:
    with pytest.raises(AmbiguousScalar, match=r"quotes|keys"):
        plain_value(word)


@pytest.mark.parametrize(
    "word", ["nope", "onward", "4h", "30m", "1.2.3", "10.0.0.1", "e3", "2024-01-01x", "core-*", "12-34", "0xyz", "..."]
)
def test_words_that_only_look_alike_are_texts(word: str) -> None:
    assert plain_value(word) == word


_CORE = (
    (re.compile(r"null|Null|NULL|~|"), "null"),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), "bool"),
    (re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), "int"),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "float"),
)
_NAMES = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}


def in_yaml_1_1(word: str) -> str:
    loader: Any = yaml.SafeLoader("")
    return str(loader.resolve(yaml.ScalarNode, word, (True, False))).rpartition(":")[2]


def in_yaml_1_2(word: str) -> str:
    return next((name for pattern, name in _CORE if pattern.fullmatch(word)), "str")


@given(
    st.text("0123456789_+-.:xobeEtTZ ~=<nfyaul", max_size=12) | st.from_regex(r"[-+0-9_.:eExob]{1,8}", fullmatch=True)
)
def test_what_loads_is_the_same_value_in_yaml_1_1_and_1_2(word: str) -> None:
    try:
        value = plain_value(word)
    except AmbiguousScalar:
        return

    assert in_yaml_1_1(word) == in_yaml_1_2(word) == _NAMES[type(value)]
    assert isinstance(value, str) or value == yaml.safe_load(word)


@given(st.text() | st.text("abc:[]{}-&*!|>'\"#%@,? \n\t~<0129.", max_size=60))
def test_any_text_at_all_is_read_or_reported(text: str) -> None:
    node, faults = read(text)

    assert node is None or isinstance(node, Scalar | Items | Entries)
    assert all(re.match(r"[1-9]\d*:[1-9]\d* ", fault) for fault in faults)


_TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(codec="ascii"), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abn", min_size=1), inner, max_size=3),
    max_leaves=9,
)


@given(_TREES)
def test_what_is_written_with_every_text_in_quotes_is_read_back(tree: object) -> None:
    text = yaml.safe_dump(tree, default_style='"').replace('!!int "', '!"').replace('!!null "', '!"')
    if "!" in text:
        return
    node, faults = read(text)

    assert not faults
    assert plain(node) == tree

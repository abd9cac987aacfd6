"""Reading YAML nodes as what they should be; what they are not goes to the log, and None comes back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from firebreak.core.diagnostics import FaultLog, nearest_word, printable, quoted
from firebreak.core.mode import MODES, Mode
from firebreak.policy_language.reading import elsewhere as known_elsewhere
from firebreak.policy_language.reading.rules import MISSING_KEY, SAID_TWICE, UNKNOWN_KEY, WRONG_TYPE, WRONG_VALUE
from firebreak.policy_language.reading.yaml_reader import Entries, Items, Node, Scalar
from firebreak.policy_language.reading.yaml_scalars import AmbiguousScalar, plain_value

_Word = TypeVar("_Word")
DURATION = re.compile(r"([1-9][0-9]{0,7})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NO_LENGTH = re.compile(r"-.*|0+(?:\.0*)?\s*[a-z]*")
NOTHING_ELSE: Mapping[str, str] = {}
_SHORT = 40
LONGEST_DURATION = 366 * 86_400
LONGEST_AGE = 36_500 * 86_400


def is_faulty(node: Node) -> bool:
    """Whether the YAML reader has reported this value already."""
    return isinstance(node, Scalar) and node.faulty


def shape(node: Node) -> str:
    """What a value is, in words."""
    if isinstance(node, Entries):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"true or false ({quoted(node.text)})"
    return f"the text {quoted(node.text)}" if isinstance(node.value, str) else f"the number {quoted(node.text)}"


def wrong(node: Node, what: str, wanted: str, log: FaultLog, instead: str = "", nearest: str | None = None) -> None:
    """Record that a value is not what is wanted here, once, and what to write instead."""
    if not is_faulty(node):
        told = f": {instead}" if instead else ""
        log.add(WRONG_TYPE, node.at, f"{what} is {wanted}, not {shape(node)}{told}", nearest)


def read_text(node: Node, what: str, log: FaultLog) -> str | None:
    """A text that is not empty."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip():
        return node.value
    number = isinstance(node, Scalar) and isinstance(node.value, int | float)
    wrong(node, what, "a text: put it in quotes" if number else "a text", log, _in_quotes(node))
    return None


def _in_quotes(node: Node) -> str:
    """What to do where a text was read as a mapping, because it has a colon in it, or stands in a list."""
    (key, value), *others = node.pairs if isinstance(node, Entries) and node.pairs else ((None, node),)
    if key is None or others or not isinstance(value, Scalar):
        return without_brackets(node)
    return f"if {quoted(f'{key.text}: {value.text}')} is the text, put all of it in quotes"


def without_brackets(node: Node) -> str:
    """What to do where one text stands in a list; empty for anything else."""
    alone = isinstance(node, Items) and len(node.nodes) == 1 and isinstance(node.nodes[0], Scalar)
    return f"write {shown_text(node.nodes[0])} without brackets" if alone and isinstance(node, Items) else ""


def read_bool(node: Node, what: str, log: FaultLog) -> bool | None:
    """True or false, without quotes."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    wrong(node, what, "true or false, without quotes", log)
    return None


def read_count(node: Node, what: str, log: FaultLog) -> int | None:
    """A whole number, 0 or more, without quotes."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    wrong(node, what, "a whole number, 0 or more, without quotes", log)
    return None


def seconds_of(text: str) -> int | None:
    """The length of a duration as policies write it, or None for another text."""
    found = DURATION.fullmatch(text)
    return int(found[1]) * _SECONDS[found[2]] if found else None


def read_seconds(node: Node, what: str, log: FaultLog, longest: int = LONGEST_DURATION) -> int | None:
    """A duration such as 90s, 30m, 4h or 7d, in seconds."""
    seconds = seconds_of(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else None
    if seconds is None:
        meant = known_elsewhere.duration(node.text) if isinstance(node, Scalar) else None
        wrong(node, what, "a duration such as 90s, 30m, 4h or 7d", log, _lacking(node), meant)
        return None
    if seconds > longest:
        log.add(WRONG_VALUE, node.at, f"{what} is longer than {longest // 86_400}d")
        return None
    return seconds


def _lacking(node: Node) -> str:
    """What a duration lacks that is none: its unit, or any length."""
    value = node.text if isinstance(node, Scalar) and node.text.isdecimal() else ""
    if value.strip("0"):
        return f"say of what, as {value}s, {value}m or {value}h"
    return "it has to be longer than nothing" if isinstance(node, Scalar) and _NO_LENGTH.fullmatch(node.text) else ""


def read_word(
    node: Node, what: str, words: Mapping[str, _Word], log: FaultLog, elsewhere: Mapping[str, str] = NOTHING_ELSE
) -> _Word | None:
    """One of a few words, as what it stands for; `elsewhere` says which is meant by words of others."""
    text = read_text(node, what, log)
    if text is None or text in words:
        return words[text] if text else None
    told = elsewhere.get(text.lower(), "")
    advice = f": {told}" if told and told not in words else ""
    nearest = None if advice else told or nearest_word(text, words)
    log.add(WRONG_VALUE, node.at, f"{what} is one of {listed(words)}, not {quoted(text)}{advice}", nearest)
    return None


def read_mode(node: Node, what: str, log: FaultLog) -> Mode | None:
    """One of monitor, approve, enforce."""
    return read_word(node, what, MODES, log, {**known_elsewhere.MODES, **known_elsewhere.MODES_TOLD})


def read_items(node: Node, what: str, log: FaultLog, form: str = "[{}]") -> tuple[Node, ...] | None:
    """The members of a list, which may be empty; `form` is how a list of one text is written."""
    if isinstance(node, Items):
        return node.nodes
    instead = "begin each of its members with `- `"
    if isinstance(node, Scalar):
        instead = (
            "write its members, or leave it out" if node.value is None else f"write {form.format(shown_text(node))}"
        )
    wrong(node, what, "a list", log, instead)
    return None


def shown_text(node: Node) -> str:
    """A value as it is written, short enough for a sentence; `…` for a long or a nested one."""
    if not isinstance(node, Scalar) or len(node.text) > _SHORT:
        return "…"
    text = printable(node.text)
    try:
        plain = isinstance(node.value, str) and plain_value(text) == text and text.isprintable() and ": " not in text
    except AmbiguousScalar:
        plain = False
    return text if plain or not isinstance(node.value, str) else f'"{text}"'


def read_texts(node: Node, what: str, log: FaultLog) -> tuple[str, ...] | None:
    """A list of texts, none of them twice."""
    placed = read_placed_texts(node, what, log)
    return None if placed is None else tuple(text for text, _ in placed)


def form_of_texts(node: Node) -> str:
    """How a list of one text is written that stands there without a list, and maybe as a number."""
    return '["{}"]' if isinstance(node, Scalar) and isinstance(node.value, int | float) else "[{}]"


def read_placed_texts(node: Node, what: str, log: FaultLog) -> tuple[tuple[str, Node], ...] | None:
    """A list of texts, none of them twice, each with its own node."""
    items = read_items(node, what, log, form_of_texts(node))
    if items is None:
        return None
    texts: dict[str, Node] = {}
    for item in items:
        text = read_text(item, f"each of {what}", log)
        if text in texts:
            log.add(SAID_TWICE, item.at, f"{quoted(text)} stands twice in {what}")
        elif text is not None:
            texts[text] = item
    return tuple(texts.items())


def read_keys(
    node: Node, what: str, known: Collection[str], log: FaultLog, elsewhere: Mapping[str, str] = NOTHING_ELSE
) -> dict[str, Node] | None:
    """A mapping of the known keys; the others are reported, each with the nearest right one.

    `elsewhere` says of keys that others have which is meant here, or in a few words what to do. One that is meant is
    read too, so that it is not said to be missing, and what is wrong in it is told at once.
    """
    if not isinstance(node, Entries):
        wrong(node, what, "a mapping", log, _as_mapping(node))
        return None
    found = {key.text: value for key, value in node.pairs if key.text in known}
    for key, value in node.pairs:
        if key.text not in known:
            word = key.text.lower()
            told = word if word in known else elsewhere.get(word, "")
            advice = f": {told}" if told and told not in known else ""
            meant = told if told in known else None if told else nearest_word(key.text, known)
            log.add(UNKNOWN_KEY, key.at, f"{what} has no key {quoted(key.text)}{advice}", meant)
            if told in known:
                found.setdefault(told, value)
    return found


def _as_mapping(node: Node) -> str:
    if isinstance(node, Items):
        return "leave out the `- ` before its members"
    key, equals, value = shown_text(node).partition("=")
    if equals and key and value:
        return f"write {{{key}: {value}}}"
    empty = isinstance(node, Scalar) and node.value is None
    return "write KEY: VALUE below it, indented" if empty else "write KEY: VALUE instead"


def require(keys: Mapping[str, Node], required: Collection[str], what: str, node: Node, log: FaultLog) -> None:
    """Record every required key that is not there."""
    for key in required:
        if key not in keys:
            log.add(MISSING_KEY, node.at, f"{what} needs the key {quoted(key)}")


def listed(words: Collection[str]) -> str:
    """A few words for a sentence: `a`, `b` or `c`."""
    *most, last = [quoted(word) for word in words]
    return f"{', '.join(most)} or {last}" if most else last


def pairs(node: Node, what: str, log: FaultLog) -> Iterator[tuple[Scalar, Node]]:
    """The entries of a mapping whose keys are not known beforehand."""
    if isinstance(node, Entries):
        yield from node.pairs
    else:
        wrong(node, what, "a mapping", log, _as_mapping(node))

"""Strict YAML: one document of plain texts, numbers, lists and mappings, every value with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from firebreak.core.diagnostics import Fault, FaultLog, Location, Rule, printable, quoted
from firebreak.policy_language.reading.rules import (
    AMBIGUOUS_VALUE,
    EXTRAS_OF_YAML,
    NOT_YAML,
    TWICE_KEY,
    UNFIT_FILE,
    WRONG_TYPE,
)
from firebreak.policy_language.reading.yaml_faults import explained
from firebreak.policy_language.reading.yaml_scalars import AmbiguousScalar, ScalarValue, plain_value

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
_MOST_MENDED = 20
# Control characters, halves of surrogate pairs, line breaks that only some readers see, marks that reverse text.
_UNFIT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028-\u202e\u2066-\u2069]|\r(?!\n)|(?<!^)\ufeff"
)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. A `faulty` one has been reported already, and nothing more should be said about it."""

    at: Location
    value: ScalarValue
    text: str
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    at: Location
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping, in the order written; its keys are texts and differ from each other."""

    at: Location
    pairs: tuple[tuple[Scalar, Node], ...]


Node = Scalar | Items | Entries


class _GivenUp(Exception):
    """Nothing more can be read of this file."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read."""

    at: Location
    mapping: bool
    nodes: list[Node] = field(default_factory=list)


def read_yaml(text: str, log: FaultLog) -> Node | None:
    """Read a whole file. What is wrong goes to the log; None means that too little could be read to go on.

    Where it is clear how a line that is not YAML was meant, the rest is read as if it were written so.
    """
    try:
        _check_characters(text, log)
    except _GivenUp:
        return None
    meant: str | None = text
    for _ in range(_MOST_MENDED):
        node, found, meant = _attempt(meant or "", FaultLog(log.file, text))
        for one in found:
            log.add(one.rule, one.at, one.message, one.nearest)
        if meant is None:
            return node
    return None


def _attempt(text: str, log: FaultLog) -> tuple[Node | None, tuple[Fault, ...], str | None]:
    """What is read, and what is wrong with it; or what is no YAML, and the text as it was meant."""
    try:
        return _build(yaml.parse(text, Loader=_LOADER), log), log.faults, None
    except _GivenUp:
        return None, log.faults, None
    except yaml.MarkedYAMLError as error:
        found = explained(error, text)
        told = tuple(log.fault(NOT_YAML, log.place(*place), found.message) for place in found.places)
        return None, told if found.mended else (*log.faults, *told), found.mended
    except yaml.YAMLError:
        return None, (log.fault(NOT_YAML, log.place(1, 1), "not YAML"),), None


def _check_characters(text: str, log: FaultLog) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        _give_up(UNFIT_FILE, log, 1, 1, f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    if unfit := _UNFIT.search(text):
        before = text[: unfit.start()]
        line, start = before.count("\n") + 1, before.rfind("\n") + 1
        message = f"the character U+{ord(unfit[0]):04X} does not load: escape it in double quotes"
        if 0xDC80 <= ord(unfit[0]) <= 0xDCFF:  # noqa: PLR2004 - where Python keeps a byte that is no character
            message = "this is not UTF-8 text: save the file as UTF-8"
        _give_up(UNFIT_FILE, log, line, unfit.start() - start + 1, message)


def _build(events: Iterator[Any], log: FaultLog) -> Node | None:
    root: Node | None = None
    stack: list[_Open] = []
    documents = 0
    for event in events:
        node: Node | None = None
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
                _check_document(event, documents, log)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                _check_depth(event, stack, log)
                _check_plainness(event, log)
                stack.append(_Open(_at(event, log), isinstance(event, yaml.MappingStartEvent)))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                node = _closed(stack.pop(), log)
            case yaml.ScalarEvent() | yaml.AliasEvent():
                node = _scalar(event, log)
        if node and stack:
            stack[-1].nodes.append(node)
        elif node:
            root = node
    return root


def _check_document(event: Any, documents: int, log: FaultLog) -> None:  # noqa: ANN401 - events are untyped
    if event.version or event.tags:
        log.add(EXTRAS_OF_YAML, _at(event, log), "directives do not load: leave out every line that begins with %")
    if documents > 1:
        _give_up(
            EXTRAS_OF_YAML,
            log,
            *_mark(event),
            "a file holds one document: put several policies in one list, or in files",
        )


def _check_depth(event: Any, stack: list[_Open], log: FaultLog) -> None:  # noqa: ANN401
    if len(stack) >= MAX_DEPTH:
        _give_up(EXTRAS_OF_YAML, log, *_mark(event), f"nested deeper than {MAX_DEPTH} levels")


def _check_plainness(event: Any, log: FaultLog) -> bool:  # noqa: ANN401
    if event.anchor:
        log.add(
            EXTRAS_OF_YAML,
            _at(event, log),
            f"the anchor &{event.anchor} does not load: write the value out where it is needed",
        )
    elif event.tag:
        log.add(EXTRAS_OF_YAML, _at(event, log), f"the tag {quoted(event.tag)} does not load: {_instead_of_tag(event)}")
    return not (event.anchor or event.tag)


def _instead_of_tag(event: Any) -> str:  # noqa: ANN401
    """A tag of its own, as in `!job` and `!= job`, was never meant as one."""
    other = event.tag.lstrip("!=") or getattr(event, "value", "")
    return f"write {{not_in: [{printable(other)}]}}" if event.tag.startswith("!") and other else "leave it out"


def _scalar(event: Any, log: FaultLog) -> Scalar:  # noqa: ANN401
    at = _at(event, log)
    if isinstance(event, yaml.AliasEvent):
        log.add(EXTRAS_OF_YAML, at, f"the alias *{event.anchor} does not load: write the value out here")
        return Scalar(at, None, "", faulty=True)
    if not _check_plainness(event, log):
        return Scalar(at, None, event.value, faulty=True)
    if event.style:
        return Scalar(at, event.value, event.value)
    try:
        return Scalar(at, plain_value(event.value), event.value)
    except AmbiguousScalar as surprise:
        log.add(AMBIGUOUS_VALUE, at, f"{quoted(event.value)} without quotes: {surprise}")
        return Scalar(at, None, event.value, faulty=True)


def _closed(opened: _Open, log: FaultLog) -> Node:
    if not opened.mapping:
        return Items(opened.at, tuple(opened.nodes))
    first: dict[str, Location] = {}
    pairs: list[tuple[Scalar, Node]] = []
    for key, value in zip(opened.nodes[::2], opened.nodes[1::2], strict=True):
        if not isinstance(key, Scalar) or (not key.faulty and not isinstance(key.value, str)):
            log.add(WRONG_TYPE, key.at, "a key is text: put it in quotes")
        elif key.text in first and not key.faulty:
            log.add(TWICE_KEY, key.at, f"the key {quoted(key.text)} stands already on line {first[key.text].line}")
        elif not key.faulty:
            first[key.text] = key.at
            pairs.append((key, value))
    return Entries(opened.at, tuple(pairs))


def _mark(event: Any) -> tuple[int, int]:  # noqa: ANN401
    return event.start_mark.line + 1, event.start_mark.column + 1


def _at(event: Any, log: FaultLog) -> Location:  # noqa: ANN401
    return log.place(*_mark(event))


def _give_up(rule: Rule, log: FaultLog, line: int, column: int, message: str) -> None:
    log.add(rule, log.place(line, column), message)
    raise _GivenUp

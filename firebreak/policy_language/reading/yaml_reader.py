"""Strict YAML: one document of plain texts, numbers, lists and mappings, every value with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from firebreak.core.diagnostics import FaultLog, Location, Rule, quoted
from firebreak.policy_language.reading.rules import (
    AMBIGUOUS_VALUE,
    EXTRAS_OF_YAML,
    NOT_YAML,
    TWICE_KEY,
    UNFIT_FILE,
    WRONG_TYPE,
)
from firebreak.policy_language.reading.yaml_scalars import AmbiguousScalar, ScalarValue, plain_value

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
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
    """Read a whole file. What is wrong goes to the log; None means that too little could be read to go on."""
    try:
        _check_characters(text, log)
        return _build(_events(text, log), log)
    except _GivenUp:
        return None


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


def _events(text: str, log: FaultLog) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        here = "".join(text.split("\n")[line : line + 1])
        problem = _plainly(here[column:], here[:column], str(error.problem))
        told = problem or ", ".join(filter(None, (error.context, error.problem)))
        _give_up(NOT_YAML, log, line + 1, column + 1, f"not YAML: {told}")
    except yaml.YAMLError:
        _give_up(NOT_YAML, log, 1, 1, "not YAML")


def _plainly(there: str, before: str, problem: str) -> str:
    """What people most often do, in words that say what to do; empty where it is something else."""
    if "mapping values are not allowed" in problem:
        deeper = "this line is indented deeper than the one above it, which has its value already"
        return "`: ` stands inside of the value: put the whole value in quotes" if ": " in before else deeper
    if there.startswith("\t") or "tab character" in problem:
        return "a tab: indent with spaces"
    if "cannot start any token" in problem:
        return f"no value begins with {quoted(there[:1])}: put the whole value in quotes"
    if "expected key" in problem or "'-' indicator" in problem:
        ended = "the value has ended before this: put the whole value in quotes, and write '' for ' inside of '…'"
        return ended if before.strip() else "this line is indented otherwise than those that it belongs to"
    return "a value that begins with `*` needs quotes" if before.endswith("*") else ""


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
        log.add(EXTRAS_OF_YAML, _at(event, log), f"the tag {quoted(event.tag)} does not load: leave it out")
    return not (event.anchor or event.tag)


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

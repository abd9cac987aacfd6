"""Reading the value of a fact as its catalogue entry describes it."""

from __future__ import annotations

from firebreak.core.diagnostics import FaultLog, nearest_word, quoted
from firebreak.core.facts import Fact, FactType, FactValue
from firebreak.core.policy.clause import instant_or_none
from firebreak.core.timestamps import NANOS, format_instant
from firebreak.policy_language.reading.elsewhere import clause
from firebreak.policy_language.reading.nodes import (
    LONGEST_AGE,
    listed,
    read_bool,
    read_placed_texts,
    read_text,
    seconds_of,
    wrong,
)
from firebreak.policy_language.reading.rules import WRONG_VALUE
from firebreak.policy_language.reading.yaml_reader import Node, Scalar


def read_literal(node: Node, what: str, fact: Fact, log: FaultLog) -> str | int | float | bool | None:
    """One value to compare the fact with; for a list of texts, one of its members."""
    text = node.value if isinstance(node, Scalar) else None
    if isinstance(text, str) and fact.type is not FactType.TEXTS and (form := clause(text, fact)):
        log.add(WRONG_VALUE, node.at, f"{quoted(text)} is no value of {what}: write {form}")
        return None
    if fact.type is FactType.BOOL:
        return read_bool(node, what, log)
    if fact.type is FactType.NUMBER:
        return _number(node, what, log)
    text = read_text(node, what, log)
    if text is None:
        return None
    if fact.type is FactType.TIME and instant_or_none(text) is None:
        log.add(WRONG_VALUE, node.at, f'{what} is a time such as "2025-01-31T09:00:00Z", not {quoted(text)}')
        return None
    return _chosen(node, text, what, fact, log)


def read_value(node: Node, what: str, fact: Fact, clock_ns: int, log: FaultLog) -> FactValue | None:
    """A whole value of the fact; for a list of texts, all of them. A text may be empty, as a source may say so.

    A time may be written as its age, `2h ago`, by a clock that stands at `clock_ns`.
    """
    if fact.type is FactType.TEXTS:
        texts = read_placed_texts(node, what, log)
        return (
            None
            if texts is None
            else tuple(text for text, one in texts if _chosen(one, text, f"each of {what}", fact, log))
        )
    if fact.type is FactType.TEXT and isinstance(node, Scalar) and node.value == "" and not node.faulty:
        return ""
    if fact.type is FactType.TIME and isinstance(node, Scalar) and (age := _age_of(node.text)) is not None:
        return format_instant(clock_ns - age * NANOS)
    return read_literal(node, what, fact, log)


def _age_of(text: str) -> int | None:
    """How many seconds ago `2h ago` was, or None for another text."""
    seconds = seconds_of(text.removesuffix(" ago")) if text.endswith(" ago") else None
    return seconds if seconds is not None and seconds <= LONGEST_AGE else None


def _number(node: Node, what: str, log: FaultLog) -> int | float | None:
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    wrong(node, what, "a number, without quotes", log)
    return None


def _chosen(node: Node, text: str, what: str, fact: Fact, log: FaultLog) -> str | None:
    if fact.pairs and "=" not in text:
        log.add(WRONG_VALUE, node.at, f"{what} is key=value, as tier=critical, not {quoted(text)}")
        return None
    if not fact.choices or text in fact.choices:
        return text
    log.add(
        WRONG_VALUE,
        node.at,
        f"{what} is one of {listed(fact.choices)}, not {quoted(text)}",
        nearest_word(text, fact.choices),
    )
    return None

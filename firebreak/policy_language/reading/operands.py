"""Reading what a fact is compared with, as its operator and the catalogue want it."""

from __future__ import annotations

from firebreak.core.diagnostics import FaultLog, nearest_word, quoted
from firebreak.core.facts import Fact, FactType
from firebreak.core.glob import MAX_GLOB, glob_matches
from firebreak.core.policy.clause import NamedSet, Operand, Operator, Span
from firebreak.core.policy.vocabulary import PolicyNamespace
from firebreak.policy_language.reading.literals import read_literal
from firebreak.policy_language.reading.nodes import (
    LONGEST_AGE,
    listed,
    read_bool,
    read_items,
    read_keys,
    read_seconds,
    read_text,
    require,
    without_brackets,
    wrong,
)
from firebreak.policy_language.reading.rules import NOTHING_LISTED, UNKNOWN_SET, WRONG_VALUE
from firebreak.policy_language.reading.yaml_reader import Entries, Node, Scalar

_SEVERAL = (Operator.IN, Operator.NOT_IN, Operator.CONTAINS_ANY, Operator.CONTAINS_ALL)
_MAY_BE_EMPTY = (FactType.TEXT, FactType.TEXTS)
IN_DOUBT = frozenset({"…"})
"""What stands for the members of a set that could not be read: no more is said of policies that name it."""


def read_operand(name: str, operator: Operator, node: Node, words: PolicyNamespace, log: FaultLog) -> Operand | None:
    """The operand of one operator on one fact; None where it cannot be read."""
    fact = words.catalogue[name]
    what = f"{quoted(operator.value)} of {quoted(name)}" if operator is not Operator.EQUALS else quoted(name)
    match operator:
        case Operator.EXISTS:
            return _existence(name, node, fact, log)
        case Operator.GLOB:
            return _glob(what, node, fact, log)
        case Operator.IN_SET | Operator.NOT_IN_SET:
            return _named_set(what, node, fact, words, log)
        case Operator.NEWER_THAN | Operator.OLDER_THAN:
            seconds = read_seconds(node, what, log, LONGEST_AGE)
            return None if seconds is None else Span(seconds, getattr(node, "text", ""))
        case _ if operator in _SEVERAL:
            return _literals(what, node, fact, log)
        case _:
            return read_literal(node, what, fact, log)


def read_label_clauses(name: str, node: Entries, log: FaultLog) -> list[tuple[Operator, Operand]]:
    """`contains` with a mapping of labels, as {tier: critical}: each must be there; a value may be {glob: …}."""
    if not node.pairs:
        log.add(
            NOTHING_LISTED, node.at, f"`contains` of {quoted(name)} names at least one label, as {{tier: critical}}"
        )
    read: list[tuple[Operator, Operand]] = []
    for key, value in node.pairs:
        what = f"label {quoted(key.text)}"
        if isinstance(value, Entries):
            keys = read_keys(value, what, ("glob",), log) or {}
            require(keys, ("glob",), what, value, log)
            pattern = read_text(keys["glob"], f"`glob` of {what}", log) if keys else None
            read += [(Operator.GLOB, f"{key.text}={pattern}")] if pattern else []
        elif text := read_text(value, what, log):
            read.append((Operator.CONTAINS, f"{key.text}={text}"))
    return read


def _literals(what: str, node: Node, fact: Fact, log: FaultLog) -> Operand | None:
    items = read_items(node, what, log)
    if items is None:
        return None
    if not items:
        log.add(NOTHING_LISTED, node.at, f"{what} lists at least one value")
    values = [read_literal(item, f"each value {what}", fact, log) for item in items]
    return tuple(value for value in values if value is not None)


def _existence(name: str, node: Node, fact: Fact, log: FaultLog) -> bool | None:
    value = read_bool(node, f"`exists` of {quoted(name)}", log)
    if value is False and fact.type not in _MAY_BE_EMPTY:
        log.add(WRONG_VALUE, node.at, f"this never holds: when {quoted(name)} is known, it exists")
        return None
    return value


def _glob(what: str, node: Node, fact: Fact, log: FaultLog) -> str | None:
    pattern = read_text(node, what, log)
    if pattern is None:
        return None
    if len(pattern) > MAX_GLOB:
        log.add(WRONG_VALUE, node.at, f"{what} is longer than {MAX_GLOB} characters")
    elif fact.choices and not any(glob_matches(pattern, choice) for choice in fact.choices):
        log.add(WRONG_VALUE, node.at, f"{what} fits none of {listed(fact.choices)}")
    return pattern


def _named_set(what: str, node: Node, fact: Fact, words: PolicyNamespace, log: FaultLog) -> NamedSet | None:
    name = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    if not name:
        wrong(node, what, "the name of a set in firebreak.yaml", log, without_brackets(node))
        return None
    if words.sets is None or words.sets.get(name) == IN_DOUBT:
        return NamedSet(frozenset(fact.choices[:1]) or IN_DOUBT, name)
    if name not in words.sets:
        message = f"there is no set {quoted(name)}: sets are listed under `sets` in firebreak.yaml"
        log.add(UNKNOWN_SET, node.at, message, nearest_word(name, words.sets))
        return None
    strange = sorted(words.sets[name] - set(fact.choices)) if fact.choices else []
    for member in strange:
        log.add(
            WRONG_VALUE,
            node.at,
            f"the set {quoted(name)} holds {quoted(member)}, and {what} is one of {listed(fact.choices)}",
        )
    return NamedSet(words.sets[name], name)

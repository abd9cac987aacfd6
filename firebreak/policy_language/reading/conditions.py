"""Reading `when`: facts checked against the catalogue, operators against the facts' types, groups that nest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from firebreak.core.diagnostics import FaultLog, nearest_word, quoted
from firebreak.core.facts import Fact, FactType, source_of
from firebreak.core.policy.clause import Clause, Operand, Operator
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf
from firebreak.core.policy.vocabulary import PolicyNamespace
from firebreak.policy_language.reading.nodes import is_faulty, listed, pairs, read_items
from firebreak.policy_language.reading.operands import read_label_clauses, read_operand
from firebreak.policy_language.reading.rules import (
    BROKEN_PLUGIN,
    NOTHING_LISTED,
    UNKNOWN_FACT,
    UNKNOWN_KEY,
    UNKNOWN_OPERATOR,
    WRONG_TYPE,
)
from firebreak.policy_language.reading.yaml_reader import Entries, Items, Node, Scalar

GROUPS: Mapping[str, type[AnyOf | NoneOf]] = {"any_of": AnyOf, "none_of": NoneOf}
_SETS = (Operator.IN_SET, Operator.NOT_IN_SET)
_ORDERED = (Operator.AT_LEAST, Operator.AT_MOST)
OPERATORS: Mapping[FactType, tuple[Operator, ...]] = {
    FactType.TEXT: (Operator.EQUALS, Operator.IN, Operator.NOT_IN, *_SETS, Operator.GLOB, Operator.EXISTS),
    FactType.NUMBER: (Operator.EQUALS, Operator.IN, Operator.NOT_IN, *_ORDERED, Operator.EXISTS),
    FactType.BOOL: (Operator.EQUALS, Operator.EXISTS),
    FactType.TEXTS: (
        Operator.CONTAINS,
        Operator.CONTAINS_ANY,
        Operator.CONTAINS_ALL,
        *_SETS,
        Operator.GLOB,
        Operator.EXISTS,
    ),
    FactType.TIME: (Operator.NEWER_THAN, Operator.OLDER_THAN, *_ORDERED, Operator.EXISTS),
}
# What other products, and tired people, call them.
_ELSEWHERE = {
    Operator.GLOB: "matches regex regexp match like pattern starts_with ends_with prefix suffix wildcard",
    Operator.AT_LEAST: ">= > ge gte gt min minimum greater_than more_than not_below after since from",
    Operator.AT_MOST: "<= < le lte lt max maximum less_than fewer_than not_above before until to",
    Operator.IN: "any one_of any_of in_list is_in = == eq is",
    Operator.NOT_IN: "not != ne none_of not_equals not_equal is_not not_one_of nin",
    Operator.CONTAINS: "has includes include label contain",
    Operator.CONTAINS_ANY: "intersect intersects has_any any_of in",
    Operator.CONTAINS_ALL: "has_all all_of superset",
    Operator.NEWER_THAN: "younger_than within last newer age_below less_than",
    Operator.OLDER_THAN: "older age_above more_than",
    Operator.EXISTS: "present known defined is_set null missing",
}

_GROUPS_ELSEWHERE = {"or": "any_of", "any": "any_of", "one_of": "any_of", "not": "none_of", "none": "none_of"}
_NOT_NEEDED = ("all_of", "all", "and")


def read_condition(node: Node, words: PolicyNamespace, log: FaultLog) -> AllOf:
    """A mapping of facts and groups, all of which must hold; what cannot be read is left out and logged."""
    parts: list[Condition] = []
    found = False
    for key, value in pairs(node, "a condition", log):
        found = True
        if key.text in GROUPS:
            parts.append(_group(key.text, value, words, log))
        elif key.text in words.catalogue:
            parts.extend(_clauses(key, value, words, log))
        elif why := words.broken.get(f"enrichment.{source_of(key.text)}"):
            lost = f"the fact {quoted(key.text)} is not to be had, because its source does not load: {why}"
            log.add(BROKEN_PLUGIN, key.at, lost)
        elif key.text.lower() in _NOT_NEEDED:
            log.add(UNKNOWN_KEY, key.at, f"{quoted(key.text)} is not needed: the facts of one mapping must all hold")
        else:
            meant = _GROUPS_ELSEWHERE.get(key.text.lower()) or nearest_word(key.text, (*words.catalogue, *GROUPS))
            log.add(UNKNOWN_FACT, key.at, f"there is no fact {quoted(key.text)}", meant)
    if isinstance(node, Entries) and not found:
        log.add(NOTHING_LISTED, node.at, "a condition names at least one fact")
    return AllOf(tuple(parts))


def _group(word: str, node: Node, words: PolicyNamespace, log: FaultLog) -> AnyOf | NoneOf:
    items = read_items(node, f"`{word}`", log)
    if items == ():
        log.add(NOTHING_LISTED, node.at, f"`{word}` lists at least one condition")
    return GROUPS[word](tuple(read_condition(item, words, log) for item in items or ()))


def _clauses(key: Scalar, node: Node, words: PolicyNamespace, log: FaultLog) -> list[Clause]:
    fact = words.catalogue[key.text]
    if isinstance(node, Scalar):
        equals = Scalar(key.at, Operator.EQUALS.value, Operator.EQUALS.value)
        return list(_read(key, equals, node, words, log))
    if isinstance(node, Items):
        log.add(WRONG_TYPE, node.at, f"a list says nothing here: write {{{_for_lists(fact)}: […]}}")
        return []
    if not node.pairs:
        log.add(NOTHING_LISTED, node.at, f"{quoted(key.text)} is compared with nothing")
    return [clause for operator, operand in node.pairs for clause in _read(key, operator, operand, words, log)]


def _read(key: Scalar, operator: Scalar, operand: Node, words: PolicyNamespace, log: FaultLog) -> Iterator[Clause]:
    fact = words.catalogue[key.text]
    if operator.text not in operators_of(fact):
        _report_operator(key, operator, operand, fact, log)
        return
    read: list[tuple[Operator, Operand]] = []
    word = Operator(operator.text)
    if word is Operator.CONTAINS and fact.pairs and isinstance(operand, Entries):
        read = read_label_clauses(key.text, operand, log)
    elif (value := read_operand(key.text, word, operand, words, log)) is not None:
        read = [(word, value)]
    yield from (Clause(key.text, one, value, fact.type, fact.ranks, key.at) for one, value in read)


def operators_of(fact: Fact) -> tuple[Operator, ...]:
    """The operators that fit a fact: `at_least` and `at_most` only where its values have an order."""
    return OPERATORS[fact.type] + (_ORDERED if fact.type is FactType.TEXT and fact.ordered else ())


def _report_operator(key: Scalar, operator: Scalar, operand: Node, fact: Fact, log: FaultLog) -> None:
    allowed = [one.value for one in operators_of(fact) if one is not Operator.EQUALS]
    bare = operator.text == Operator.EQUALS.value
    if bare and not is_faulty(operand):
        log.add(
            UNKNOWN_OPERATOR, operand.at, f"{quoted(key.text)} ({fact.type.value}) is compared by {listed(allowed)}"
        )
    elif not bare:
        message = (
            f"{quoted(key.text)} ({fact.type.value}) has no operator {quoted(operator.text)}: use {listed(allowed)}"
        )
        log.add(
            UNKNOWN_OPERATOR,
            operator.at,
            message,
            _meant(operator.text, allowed) or nearest_word(operator.text, allowed),
        )


def _meant(word: str, allowed: list[str]) -> str | None:
    """The operator that goes by another name elsewhere; where two fit, the first that this fact has."""
    known = (operator.value for operator, words in _ELSEWHERE.items() if word.lower() in words.split())
    return next((name for name in known if name in allowed), None)


def _for_lists(fact: Fact) -> str:
    return {FactType.TEXTS: "contains_any", FactType.TIME: "at_least"}.get(fact.type, "in")

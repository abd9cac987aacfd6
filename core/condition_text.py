"""Reading `when`: facts checked against the catalogue, operators against the facts' types, groups that nest."""

from __future__ import annotations

from collections.abc import Mapping

from core.clause import Clause, Operand, Operator
from core.evidence import Catalogue, Fact, FactType
from core.fact_text import read_literal
from core.faults import FaultLog, nearest_word, quoted
from core.glob import MAX_GLOB, glob_matches
from core.matching import AllOf, AnyOf, Condition, NoneOf
from core.node_text import is_faulty, listed, pairs, read_bool, read_items, read_text
from core.yaml_text import Entries, Items, Node, Scalar

GROUPS: Mapping[str, type[AnyOf | NoneOf]] = {"any_of": AnyOf, "none_of": NoneOf}
OPERATORS: Mapping[FactType, tuple[Operator, ...]] = {
    FactType.TEXT: (Operator.EQUALS, Operator.IN, Operator.NOT_IN, Operator.GLOB, Operator.EXISTS),
    FactType.NUMBER: (
        Operator.EQUALS,
        Operator.IN,
        Operator.NOT_IN,
        Operator.AT_LEAST,
        Operator.AT_MOST,
        Operator.EXISTS,
    ),
    FactType.BOOL: (Operator.EQUALS, Operator.EXISTS),
    FactType.TEXTS: (Operator.CONTAINS, Operator.CONTAINS_ANY, Operator.EXISTS),
    FactType.TIME: (Operator.AT_LEAST, Operator.AT_MOST, Operator.EXISTS),
}
_ORDERED = (Operator.AT_LEAST, Operator.AT_MOST)
_SEVERAL = (Operator.IN, Operator.NOT_IN, Operator.CONTAINS_ANY)
_MAY_BE_EMPTY = (FactType.TEXT, FactType.TEXTS)


def read_condition(node: Node, catalogue: Catalogue, log: FaultLog) -> AllOf:
    """A mapping of facts and groups, all of which must hold; what cannot be read is left out and logged."""
    parts: list[Condition] = []
    found = False
    for key, value in pairs(node, "a condition", log):
        found = True
        if key.text in GROUPS:
            parts.append(_group(key.text, value, catalogue, log))
        elif key.text in catalogue:
            parts.extend(_clauses(key, value, catalogue[key.text], log))
        elif key.text == "all_of":
            log.add(key.at, "`all_of` is not needed: the facts of one mapping must all hold")
        else:
            choices = (*catalogue, *GROUPS)
            log.add(key.at, f"there is no fact {quoted(key.text)}", nearest_word(key.text, choices))
    if isinstance(node, Entries) and not found:
        log.add(node.at, "a condition names at least one fact")
    return AllOf(tuple(parts))


def _group(word: str, node: Node, catalogue: Catalogue, log: FaultLog) -> AnyOf | NoneOf:
    items = read_items(node, f"`{word}`", log)
    if items == ():
        log.add(node.at, f"`{word}` lists at least one condition")
    return GROUPS[word](tuple(read_condition(item, catalogue, log) for item in items or ()))


def _clauses(key: Scalar, node: Node, fact: Fact, log: FaultLog) -> list[Clause]:
    if isinstance(node, Scalar):
        clause = _clause(key, Scalar(key.at, Operator.EQUALS.value, Operator.EQUALS.value), node, fact, log)
        return [clause] if clause else []
    if isinstance(node, Items):
        log.add(node.at, f"a list says nothing here: write {{{_for_lists(fact)}: […]}}")
        return []
    if not node.pairs:
        log.add(node.at, f"{quoted(key.text)} is compared with nothing")
    read = (_clause(key, operator, operand, fact, log) for operator, operand in node.pairs)
    return [clause for clause in read if clause]


def _clause(key: Scalar, operator: Scalar, operand: Node, fact: Fact, log: FaultLog) -> Clause | None:
    allowed = operators_of(fact)
    if operator.text not in allowed:
        _report_operator(key, operator, operand, fact, log)
        return None
    word = Operator(operator.text)
    value = _operand(key.text, word, operand, fact, log)
    if value is None:
        return None
    ranks = fact.choices if fact.ordered else ()
    return Clause(key.text, word, value, fact.type, ranks, key.at)


def operators_of(fact: Fact) -> tuple[Operator, ...]:
    """The operators that fit a fact: `at_least` and `at_most` only where its values have an order."""
    return OPERATORS[fact.type] + (_ORDERED if fact.type is FactType.TEXT and fact.ordered else ())


def _report_operator(key: Scalar, operator: Scalar, operand: Node, fact: Fact, log: FaultLog) -> None:
    allowed = [one.value for one in operators_of(fact) if one is not Operator.EQUALS]
    bare = operator.text == Operator.EQUALS.value
    if bare and not is_faulty(operand):
        log.add(operand.at, f"{quoted(key.text)} ({fact.type.value}) is compared by {listed(allowed)}")
    elif not bare:
        message = (
            f"{quoted(key.text)} ({fact.type.value}) has no operator {quoted(operator.text)}: use {listed(allowed)}"
        )
        log.add(operator.at, message, nearest_word(operator.text, allowed))


def _operand(name: str, operator: Operator, node: Node, fact: Fact, log: FaultLog) -> Operand | None:
    what = f"{quoted(operator.value)} of {quoted(name)}" if operator is not Operator.EQUALS else quoted(name)
    if operator is Operator.EXISTS:
        return _existence(name, node, fact, log)
    if operator is Operator.GLOB:
        return _glob(what, node, fact, log)
    if operator not in _SEVERAL:
        return read_literal(node, what, fact, log)
    items = read_items(node, what, log)
    if items is None:
        return None
    if not items:
        log.add(node.at, f"{what} lists at least one value")
    values = [read_literal(item, f"each value {what}", fact, log) for item in items]
    return tuple(value for value in values if value is not None)


def _existence(name: str, node: Node, fact: Fact, log: FaultLog) -> bool | None:
    value = read_bool(node, f"`exists` of {quoted(name)}", log)
    if value is False and fact.type not in _MAY_BE_EMPTY:
        log.add(node.at, f"this never holds: when {quoted(name)} is known, it exists")
        return None
    return value


def _glob(what: str, node: Node, fact: Fact, log: FaultLog) -> str | None:
    pattern = read_text(node, what, log)
    if pattern is None:
        return None
    if len(pattern) > MAX_GLOB:
        log.add(node.at, f"{what} is longer than {MAX_GLOB} characters")
    elif fact.choices and not any(glob_matches(pattern, choice) for choice in fact.choices):
        log.add(node.at, f"{what} fits none of {listed(fact.choices)}")
    return pattern


def _for_lists(fact: Fact) -> str:
    return {FactType.TEXTS: "contains_any", FactType.TIME: "at_least"}.get(fact.type, "in")

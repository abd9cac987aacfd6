"""Reading `when`: facts checked against the catalogue, operators against the facts' types, groups that nest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from firebreak.core.diagnostics import FaultLog, nearest_word, quoted
from firebreak.core.facts import Fact, FactType, source_of
from firebreak.core.policy.clause import Clause, Operand, Operator
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf
from firebreak.core.policy.vocabulary import PolicyNamespace
from firebreak.policy_language.reading import elsewhere as known_elsewhere
from firebreak.policy_language.reading.nodes import is_faulty, listed, pairs, read_items, shown_text
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
_SHORT = 60
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
        else:
            parts.extend(_strange(key, value, words, log))
    if isinstance(node, Entries) and not found:
        log.add(NOTHING_LISTED, node.at, "a condition names at least one fact")
    return AllOf(tuple(parts))


def _strange(key: Scalar, value: Node, words: PolicyNamespace, log: FaultLog) -> Iterator[Condition]:
    """Report a key that is neither fact nor group; what is meant to be a group is read as one, for what is in it."""
    word, group = key.text.lower(), known_elsewhere.GROUPS.get(key.text.lower())
    source, _, rest = key.text.partition(".")
    whole = next((one for one, fact in words.catalogue.items() if fact.pairs and key.text.startswith(f"{one}.")), None)
    if word in known_elsewhere.ALL:
        log.add(UNKNOWN_KEY, key.at, f"{quoted(key.text)} is not needed: {known_elsewhere.ALL_FORM}")
        yield from (read_condition(one, words, log) for one in (value.nodes if isinstance(value, Items) else ()))
    elif group:
        log.add(
            UNKNOWN_FACT, key.at, f"there is no fact {quoted(key.text)}: write {known_elsewhere.GROUP_FORMS[group]}"
        )
        yield from (read_condition(one, words, log) for one in (value.nodes if isinstance(value, Items) else ()))
    elif whole:
        label = f"{{contains: {{{key.text.removeprefix(f'{whole}.')}: {shown_text(value)}}}}}"
        log.add(UNKNOWN_FACT, key.at, f"there is no fact {quoted(key.text)}: write {whole}: {label}")
    elif not rest and isinstance(value, Entries) and any(source_of(one) == source for one in words.catalogue):
        first = f"{source}.{value.pairs[0][0].text}" if value.pairs else f"{source}.…"
        log.add(UNKNOWN_FACT, key.at, f"there is no fact {quoted(key.text)}: write each fact whole, as {quoted(first)}")
    else:
        meant = known_elsewhere.nearest_fact(key.text, (*words.catalogue, *GROUPS))
        listed = "" if meant else ": `firebreak policy facts` lists all"
        log.add(UNKNOWN_FACT, key.at, f"there is no fact {quoted(key.text)}{listed}", meant)


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
        values = ", ".join(map(shown_text, node.nodes))
        told = values if values and len(values) <= _SHORT else "…"
        log.add(WRONG_TYPE, node.at, f"a list says nothing here: write {{{_for_lists(fact)}: [{told}]}}")
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
        form = f": write {{contains: {shown_text(operand)}}}" if fact.type is FactType.TEXTS else ""
        told = f"{quoted(key.text)} ({fact.type.value}) is compared by {listed(allowed)}{form}"
        log.add(UNKNOWN_OPERATOR, operand.at, told)
    elif not bare:
        meant = _meant(operator.text, allowed) or nearest_word(operator.text, allowed)
        instead = "" if meant or not isinstance(operand, Scalar) else _instead(operator, operand, fact)
        told = f"{quoted(key.text)} ({fact.type.value}) has no operator {quoted(operator.text)}: use {listed(allowed)}"
        log.add(UNKNOWN_OPERATOR, operator.at, f"{told}{instead}", meant)


def _instead(operator: Scalar, operand: Scalar, fact: Fact) -> str:
    """What was probably meant by a mapping that has no operator in it."""
    if fact.pairs:
        return f", as {{contains: {{{shown_text(operator)}: {shown_text(operand)}}}}}"
    text, strange = f"{operator.text}: {operand.text}", operator.text not in list(Operator)
    return f"; if {quoted(text)} is the text, put all of it in quotes" if strange and fact.type is FactType.TEXT else ""


def _meant(word: str, allowed: list[str]) -> str | None:
    """The operator that goes by another name elsewhere; where two fit, the first that this fact has."""
    known = (operator.value for operator, words in known_elsewhere.OPERATORS.items() if word.lower() in words.split())
    return next((name for name in known if name in allowed), None)


def _for_lists(fact: Fact) -> str:
    return {FactType.TEXTS: "contains_any", FactType.TIME: "at_least"}.get(fact.type, "in")

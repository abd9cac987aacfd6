"""What is right by itself and yet can never match, or never gets its turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from firebreak.core.diagnostics import Location, Rule, nearest_word, quoted
from firebreak.core.facts import Catalogue
from firebreak.core.findings.detectors import CATEGORIES, listed_name
from firebreak.core.policy.category_index import index_by, values_named
from firebreak.core.policy.clause import Clause, NamedSet, Operator
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf, clauses, truth_in
from firebreak.core.policy.policy import CATEGORY, Policy
from firebreak.core.ternary import Truth
from firebreak.policy_language.analysis.satisfiability import Never, facts_for, never
from firebreak.policy_language.lint.rules import (
    DEAD_ALTERNATIVE,
    LITERAL_WILDCARD,
    MISSPELT_CATEGORY,
    NEVER_MATCHES,
    PLAIN_GLOB,
    REGULAR_EXPRESSION,
    SHADOWED_POLICY,
)
from firebreak.policy_language.reading.elsewhere import as_glob

_MOST_ABOVE = 8
_SHOWN = 3


class LintWarning(NamedTuple):
    """Something to say about a place in a policy file; `nearest` is what was probably meant."""

    rule: Rule
    at: Location
    message: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class LintContext:
    """What facts there are, and what time it is."""

    catalogue: Catalogue
    now_ns: int

    def excludes(self, *conditions: Condition) -> bool:
        """Whether it is certain that these conditions are never true together."""
        return never(*conditions, catalogue=self.catalogue, now_ns=self.now_ns)


def never_matching(policy: Policy, world: LintContext) -> Iterator[LintWarning]:
    """A policy, or one alternative in it, that no facts satisfy; named are the parts that exclude each other."""
    parts = policy.when.parts if isinstance(policy.when, AllOf) else (policy.when,)
    if world.excludes(*parts):
        at_odds = _at_odds(parts, world)
        yield LintWarning(NEVER_MATCHES, place_of(at_odds[-1]), f"this policy can never match: {_told(at_odds)}")
        return
    for part in parts:
        if isinstance(part, AnyOf):
            others = tuple(one for one in parts if one is not part)
            for branch in part.parts:
                if world.excludes(branch, *others):
                    at_odds = tuple(one for one in _at_odds((*others, branch), world) if one is not branch)
                    with_what = f": {_told((*at_odds, branch))}" if at_odds else ""
                    yield LintWarning(DEAD_ALTERNATIVE, place_of(branch), f"this alternative can never hold{with_what}")


def _at_odds(parts: Sequence[Condition], world: LintContext) -> tuple[Condition, ...]:
    """Parts that exclude each other, none of which could be left out."""
    left = list(parts)
    for part in parts:
        fewer = [one for one in left if one is not part]
        if world.excludes(*fewer):
            left = fewer
    return tuple(left)


def _told(parts: Sequence[Condition]) -> str:
    said = [in_words(part) for part in parts]
    if len(said) == 1:
        return f"{said[0]} never holds"
    over = f": past midnight write any_of, of {said[0]} and {said[-1]}" if _hours(parts) else ""
    return f"{', '.join(said[:-1])} and {said[-1]} never hold together{over}"


def _hours(parts: Sequence[Condition]) -> bool:
    """Whether two hours are meant as the ends of a night."""
    ends = [one for one in parts if isinstance(one, Clause) and one.fact == "finding.hour"]
    return len(ends) == len(parts) and {one.operator for one in ends} == {Operator.AT_LEAST, Operator.AT_MOST}


def in_words(condition: Condition) -> str:
    """A clause as it is written; a group by its word and its first clause."""
    if isinstance(condition, Clause):
        bare = condition.operator is Operator.EQUALS
        word = ":" if bare else f" {condition.operator}"
        return quoted(f"{condition.fact}{word} {wanted_in_words(condition)}")
    inside = clauses(condition)
    if isinstance(condition, AllOf):
        return " with ".join(in_words(one) for one in inside[:_SHOWN])
    word = "none_of" if isinstance(condition, NoneOf) else "any_of"
    more = ", …" if len(inside) > 1 else ""
    return f"`{word}` of {in_words(inside[0])}{more}" if inside else f"`{word}`"


def wanted_in_words(clause: Clause) -> str:
    """What the clause compares its fact with."""
    operand = clause.operand
    if isinstance(operand, bool):
        return "true" if operand else "false"
    if isinstance(operand, tuple):
        more = ", …" if len(operand) > _SHOWN else ""
        return f"[{', '.join(str(one) for one in operand[:_SHOWN])}{more}]"
    return str(operand)


def place_of(condition: Condition) -> Location:
    """Where the condition, or its first clause, stands."""
    return clauses(condition)[0].at


def shadowed(policies: Sequence[Policy], world: LintContext) -> Iterator[LintWarning]:
    """Policies that never decide, because whenever they match, one above them does; what is in shadow is beside them.

    Facts that satisfy the policy are looked for, then such as no policy true for those facts takes, and so on.
    """
    policies = [policy for policy in policies if not policy.shadow]
    index = index_by(CATEGORY, [policy.when for policy in policies])
    for position, policy in enumerate(policies):
        named = values_named(CATEGORY, policy.when)
        above = index.others if named is None else tuple(index.open_for(min(named, default="")))
        taken = _taken_by(policy, [policies[one] for one in above if one < position], world)
        if taken:
            names = ", ".join(f"{quoted(one.id)} ({one.mode.word}, {one.at.file}:{one.at.line})" for one in taken)
            does = "matches" if len(taken) == 1 else "together match"
            yield LintWarning(
                SHADOWED_POLICY,
                policy.at,
                f"{quoted(policy.id)} never decides: whenever it matches, {names} above it {does} first",
            )


def _taken_by(policy: Policy, above: Sequence[Policy], world: LintContext) -> list[Policy]:
    """The policies above that leave this one nothing; none of them if it has something of its own."""
    taking: list[Policy] = []
    while len(taking) < _MOST_ABOVE:
        theirs = NoneOf(tuple(one.when for one in taking))
        found = facts_for(policy.when, theirs, catalogue=world.catalogue, now_ns=world.now_ns)
        if isinstance(found, Never):
            return taking if found.sure else []
        more = next((one for one in above if truth_in(one.when, found, world.now_ns) is Truth.TRUE), None)
        if more is None:
            return []
        taking.append(more)
    return []


def misspelt_categories(policy: Policy, _: LintContext) -> Iterator[LintWarning]:
    """A category that no detector has, and that is nearly one that some has."""
    for clause in clauses(policy.when):
        if clause.fact == CATEGORY and clause.operator in (Operator.EQUALS, Operator.IN, Operator.NOT_IN):
            values = clause.operand if isinstance(clause.operand, tuple) else (clause.operand,)
            for value in values:
                listed = listed_name(str(value))  # by its name in the API, too
                near = listed if listed in CATEGORIES else nearest_word(str(value), CATEGORIES, likeness=0.85)
                nearest = near if near != value else None
                if nearest:
                    yield LintWarning(
                        MISSPELT_CATEGORY,
                        clause.at,
                        f"no detector of Cloud Run has the category {quoted(value)}",
                        nearest,
                    )


def plain_globs(policy: Policy, _: LintContext) -> Iterator[LintWarning]:
    """A glob that is none: without a wildcard it is a comparison, and a regular expression fits other texts."""
    for clause in clauses(policy.when):
        if clause.operator is not Operator.GLOB:
            continue
        if meant := as_glob(str(clause.operand)):
            told = f"the glob {quoted(clause.operand)} is written like a regular expression: * is any run of characters"
            nearest = meant if meant != clause.operand else None
            yield LintWarning(REGULAR_EXPRESSION, clause.at, told, nearest)
        elif not set(str(clause.operand)) & set("*?"):
            yield LintWarning(
                PLAIN_GLOB, clause.at, f"the glob {quoted(clause.operand)} has no * and no ?: it fits that text alone"
            )


def literal_wildcards(policy: Policy, _: LintContext) -> Iterator[LintWarning]:
    """A wildcard outside of a glob, or a `$` before a name, is a character, and probably not what was meant."""
    for clause in clauses(policy.when):
        if isinstance(clause.operand, NamedSet) and (
            wild := sorted(one for one in clause.operand.members if "*" in one)
        ):
            told = f"the set {quoted(clause.operand.called)} has {quoted(wild[0])}, which is compared as it stands"
            yield LintWarning(LITERAL_WILDCARD, clause.at, f"{told}: write {{glob: {wild[0]}}} here")
        if clause.operator in (Operator.EQUALS, Operator.IN, Operator.NOT_IN):
            for value in clause.operand if isinstance(clause.operand, tuple) else (clause.operand,):
                if isinstance(value, str) and "*" in value:
                    told = f"{quoted(value)} is compared as it stands: write {{glob: {as_glob(value) or value}}}"
                    yield LintWarning(LITERAL_WILDCARD, clause.at, told)
                elif isinstance(value, str) and value.startswith("$") and value[1:].isidentifier():
                    told = f"{quoted(value)} is compared as it stands: a set is named as {{in_set: {value[1:]}}}"
                    yield LintWarning(LITERAL_WILDCARD, clause.at, told)


def sets_used(policies: Sequence[Policy]) -> frozenset[str]:
    """The names of the sets that conditions refer to."""
    operands = (clause.operand for policy in policies for clause in clauses(policy.when))
    return frozenset(one.called for one in operands if isinstance(one, NamedSet))

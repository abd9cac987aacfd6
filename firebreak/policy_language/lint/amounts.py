"""Numbers and durations that load and make no sense: such as nothing has, such as hold back nothing, or everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from firebreak.core.diagnostics import quoted
from firebreak.core.facts import Fact
from firebreak.core.policy.clause import Clause, Operator
from firebreak.core.policy.condition import clauses
from firebreak.core.policy.policy import HOUR, Config, Policy
from firebreak.policy_language.lint.amount_rules import (
    LATE_RELEASE,
    ODD_DURATION,
    ODD_LIMIT,
    ODD_TIME_LIMIT,
    OUT_OF_RANGE,
)
from firebreak.policy_language.lint.conditions import LintContext, LintWarning, in_words

_MINUTE, _DAY = 60, 24 * HOUR
_MOST_AN_HOUR = 3600
"""Google Cloud takes sixty writes a minute of a project and region."""


class _Sensible(NamedTuple):
    """From and to how many seconds a duration makes sense, and why not what is shorter or longer."""

    least: int
    short: str
    most: int
    long: str


_OF_POLICIES: Mapping[str, _Sensible] = {
    "approve_within": _Sensible(
        5 * _MINUTE,
        "hardly anybody answers so soon, and the sweep, which asks again, runs every five minutes",
        7 * _DAY,
        "the intruder stays for as long as nobody answers",
    ),
    "review_after": _Sensible(
        10 * _MINUTE,
        "every second sweep, or each, announces the same containment again",
        30 * _DAY,
        "for so long nobody is reminded that it stands",
    ),
}
_OF_CONFIG: Mapping[str, _Sensible] = {
    "stale_after": _Sensible(
        10 * _MINUTE,
        "findings take minutes to arrive, more where the sweep fetches them, and a person is asked about each",
        7 * _DAY,
        "a workload is contained, without a person, for what may have been mended long ago",
    ),
    "notify.remind_after": _Sensible(
        5 * _MINUTE,
        "the sweep, which reminds, runs every five minutes",
        7 * _DAY,
        "a question has ended long before",
    ),
}


def out_of_range(policy: Policy, world: LintContext) -> Iterator[LintWarning]:
    """Comparisons with a number that the fact never has, and bounds that all its numbers keep."""
    for clause in clauses(policy.when):
        fact = world.catalogue.get(clause.fact)
        if fact is not None and fact.least is not None and (why := _why_odd(clause, fact.least, fact.most)):
            told = f"{in_words(clause)}: {quoted(clause.fact)} is {_range(fact)}, so that {why}"
            yield LintWarning(OUT_OF_RANGE, clause.at, told)


def _range(fact: Fact) -> str:
    return f"{fact.least} or more" if fact.most is None else f"from {fact.least} to {fact.most}"


def _why_odd(clause: Clause, least: int, most: int | None) -> str:
    """Empty for a comparison that makes sense."""
    values = clause.operand if isinstance(clause.operand, tuple) else (clause.operand,)
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    outside = [one for one in numbers if one < least or (most is not None and one > most)]
    low, high = any(one < least for one in outside), any(one > least for one in outside)
    match clause.operator:
        case Operator.AT_LEAST if numbers[0] <= least:
            return "this holds for every number of it"
        case Operator.AT_MOST if most is not None and numbers[0] >= most:
            return "this holds for every number of it"
        case Operator.AT_LEAST if high:
            return "this never holds"
        case Operator.AT_MOST if low:
            return "this never holds"
        case Operator.EQUALS | Operator.IN | Operator.NOT_IN if outside:
            return f"it is never {', '.join(map(str, outside))}"
    return ""


def odd_durations(policy: Policy, _: LintContext) -> Iterator[LintWarning]:
    """Durations of a policy that nobody can keep, or that come to nothing; a default is never one."""
    seconds = {"approve_within": policy.approve_within, "review_after": policy.review_after}
    for key, sensible in _OF_POLICIES.items():
        if key in policy.places and (why := _odd(seconds[key], sensible)):
            yield LintWarning(ODD_DURATION, policy.places[key], f"{quoted(key)} is {why}")
    if policy.release_after is not None and policy.release_after < policy.review_after:
        told = (
            "a release is looked into when a review is due, so that nothing is released before"
            f" {quoted('review_after')} ({_in_units(policy.review_after)}): make that as short"
        )
        yield LintWarning(LATE_RELEASE, policy.places.get("release_after", policy.at), told)


def odd_config(config: Config) -> Iterator[LintWarning]:
    """Limits of none, or of more than there can be, and durations that hold back everything or nothing."""
    limits = {"per_project_per_hour": config.limits.per_project_per_hour, "per_hour": config.limits.per_hour}
    for key, limit in limits.items():
        if at := config.places.get(f"limits.{key}"):
            if limit == 0:
                why = "nothing is ever contained without a person: if you mean that, say `ceiling: approve`"
                yield LintWarning(ODD_LIMIT, at, f"with {quoted(f'{key}: 0')} {why}")
            elif limit > _MOST_AN_HOUR:
                why = f"Google Cloud takes no more than {_MOST_AN_HOUR:,} writes an hour of a project and region"
                yield LintWarning(ODD_LIMIT, at, f"{quoted(f'{key}: {limit}')} holds nothing back: {why}")
    at = config.places.get("limits.per_project_per_hour")
    if at and limits["per_project_per_hour"] > limits["per_hour"]:
        told = (
            f"no project ever comes to {quoted('per_project_per_hour')}: in all there are {limits['per_hour']} an hour"
        )
        yield LintWarning(ODD_LIMIT, at, told)
    seconds = {"stale_after": config.stale_after, "notify.remind_after": config.routing.remind_after}
    for key, sensible in _OF_CONFIG.items():
        if key in config.places and (why := _odd(seconds[key], sensible)):
            yield LintWarning(ODD_TIME_LIMIT, config.places[key], f"{quoted(key.rpartition('.')[2])} is {why}")


def _odd(seconds: int, sensible: _Sensible) -> str:
    if seconds < sensible.least:
        return f"less than {_in_units(sensible.least)}: {sensible.short}"
    return f"more than {_in_units(sensible.most)}: {sensible.long}" if seconds > sensible.most else ""


def _in_units(seconds: int) -> str:
    size, unit = next(one for one in ((_DAY, "d"), (HOUR, "h"), (_MINUTE, "m"), (1, "s")) if seconds % one[0] == 0)
    return f"{seconds // size}{unit}"

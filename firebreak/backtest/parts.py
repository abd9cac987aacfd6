"""How the parts of each policy's condition went, in a few letters, and what they come to over many findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from firebreak.core.facts import Facts
from firebreak.core.policy.condition import AllOf, Condition, truth_in
from firebreak.core.policy.policy import Policy, PolicySet
from firebreak.core.ternary import Truth
from firebreak.policy_language.lint.conditions import in_words

_LETTERS = {Truth.TRUE: "t", Truth.FALSE: "f", Truth.UNKNOWN: "u"}
_FEWEST_PARTS = 2


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """What must hold together."""
    return condition.parts if isinstance(condition, AllOf) else (condition,)


def letters(policies: Iterable[tuple[int, Policy]], facts: Facts, now_ns: int) -> str:
    """`3tfu;5tt`: by the policy's number, for each part of its condition, up to the first that holds."""
    told = []
    for number, policy in policies:
        truths = [truth_in(part, facts, now_ns) for part in parts_of(policy.when)]
        told.append(f"{number}{''.join(map(_LETTERS.__getitem__, truths))}")
        if all(one is Truth.TRUE for one in truths):
            break
    return ";".join(told)


def by_clause(counts: Mapping[str, int], policies: PolicySet) -> list[dict[str, Any]]:
    """Of each part of each policy that was tried, how often it held, did not, was unknown, and alone kept it back.

    What was tried is what its category fits, where no policy above it held. `alone`: all others of the policy held.
    """
    found: dict[tuple[int, int], Counter[str]] = {}
    for told, count in counts.items():
        for one in filter(None, told.split(";")):
            went = one.lstrip("0123456789")
            number = int(one[: len(one) - len(went)])
            for at, letter in enumerate(went):
                counter = found.setdefault((number, at), Counter())
                counter[letter] += count
                if letter == "f" and went.count("t") == len(went) - 1:
                    counter["alone"] += count
    return [
        {
            "policy": policies.policies[number].id,
            "clause": in_words(parts_of(policies.policies[number].when)[at]).replace("`", ""),
            "held": went["t"],
            "failed": went["f"],
            "unknown": went["u"],
            "alone": went["alone"],
        }
        for (number, at), went in sorted(found.items())
    ]

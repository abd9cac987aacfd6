"""Whether any facts at all make a condition true: what policies can never match, and which never get their turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from firebreak.core.facts import Catalogue, Facts, FactValue
from firebreak.core.policy.condition import AllOf, Condition, clauses, truth_in
from firebreak.core.ternary import Truth
from firebreak.policy_language.analysis.representatives import representatives

_MOST_TRIED = 3_000


@dataclass(frozen=True, slots=True)
class Never:
    """No facts make the condition true; `sure` is False where finding out would have taken too long."""

    sure: bool


def facts_for(*conditions: Condition, catalogue: Catalogue, now_ns: int) -> Facts | Never:
    """Facts that make all the conditions true, tried no further than three-valued matching leaves anything open."""
    whole = AllOf(conditions)
    about = clauses(whole)
    names = dict.fromkeys(clause.fact for clause in about)
    values = {name: representatives(name, catalogue[name], about, now_ns) for name in names}
    trial = _Trial(whole, {name: one.values for name, one in values.items()}, now_ns)
    found = trial.search({}, tuple(names))
    if found is not None:
        return found
    return Never(sure=trial.left > 0 and all(one.complete for one in values.values()))


def never(*conditions: Condition, catalogue: Catalogue, now_ns: int) -> bool:
    """Whether it is certain that no facts make all these conditions true."""
    found = facts_for(*conditions, catalogue=catalogue, now_ns=now_ns)
    return isinstance(found, Never) and found.sure


class _Trial:
    """A search with a bound on its steps."""

    def __init__(self, condition: Condition, values: Mapping[str, tuple[FactValue, ...]], now_ns: int) -> None:
        self._condition = condition
        self._values = values
        self._now_ns = now_ns
        self.left = _MOST_TRIED

    def search(self, facts: dict[str, FactValue], open_: tuple[str, ...]) -> dict[str, FactValue] | None:
        """Values of some of the open facts that, beside those given, make the condition true."""
        self.left -= 1
        truth = truth_in(self._condition, facts, self._now_ns)
        if truth is Truth.TRUE:
            return facts
        if truth is Truth.FALSE or not open_ or self.left <= 0:
            return None
        first, *others = open_
        found = (self.search(facts | {first: value}, tuple(others)) for value in self._values[first])
        return next((one for one in found if one is not None), None)

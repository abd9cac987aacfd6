"""Which policy decides, and in which mode: first match wins, and an answer that is missing is never an answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firebreak.core.facts import Facts, source_of
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import Clause, truth_of
from firebreak.core.policy.condition import AllOf, Condition, Matched, NoneOf, Traced, match, truth_in, waits_for
from firebreak.core.policy.policy import Policy, PolicySet
from firebreak.core.ternary import Truth, every, negated, some


@dataclass(frozen=True, slots=True)
class Considered:
    """One policy as it was tried, with how each of its clauses went."""

    policy: str
    mode: Mode
    truth: Truth
    trace: tuple[Traced, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy that may be the one: the first true one (`waits_for` empty), or an unknown one above it."""

    policy: Policy
    waits_for: frozenset[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The policy whose plan is drafted and the mode before guards; both None where no policy can match.

    `trace` ends with the first true policy: those below it were not tried.
    """

    policy: Policy | None
    mode: Mode | None
    candidates: tuple[Candidate, ...]
    trace: tuple[Considered, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Sentences for people: what decided, or what each candidate waits for."""
        if self.policy is None or self.mode is None:
            return ("no policy matches",)
        waiting = tuple(
            f"policy {one.policy.id} ({one.policy.mode.word}) may match: {_unknown(sorted(one.waits_for))}"
            for one in self.candidates
            if one.waits_for
        )
        matches = tuple(
            f"policy {one.policy.id} ({one.policy.mode.word}) matches" for one in self.candidates if not one.waits_for
        )
        drafted = (f"so the mode is {self.mode.word}, with the plan of {self.policy.id}",) if waiting else ()
        return (*waiting, *matches, *drafted)


def _unknown(sources: Sequence[str]) -> str:
    return f"{', '.join(sources)} {'is' if len(sources) == 1 else 'are'} unknown"


def choose(policies: Sequence[Policy], facts: Facts, now_ns: int | None = None, *, traced: bool = True) -> Choice:
    """Try the policies in order; with an unknown one above the first true one, at most a person is asked.

    Without `now_ns`, nanoseconds since 1970, the age of a time is unknown. Only `traced` it looks at every clause.
    """
    candidates: list[Candidate] = []
    trace: list[Considered] = []
    for policy in policies:
        matched = match(policy.when, facts, now_ns) if traced else Matched(truth_in(policy.when, facts, now_ns), ())
        trace.append(Considered(policy.id, policy.mode, matched.truth, matched.trace))
        if matched.truth is not Truth.FALSE:
            candidates.append(Candidate(policy, waits_for(policy.when, facts, now_ns)))
        if matched.truth is Truth.TRUE:
            break
    decisive = bool(candidates) and not candidates[0].waits_for
    chosen, mode = _decided([one.policy for one in candidates], decisive=decisive)
    return Choice(chosen, mode, tuple(candidates), tuple(trace))


def choose_in_shadow(
    policy: Policy, policies: PolicySet, facts: Facts, now_ns: int | None = None
) -> tuple[Truth, Choice | None]:
    """Whether a policy in shadow matches, and what would be chosen with it in force, in its place; None where not."""
    truth = truth_in(policy.when, facts, now_ns)
    if truth is Truth.FALSE:
        return truth, None
    beside = [one for one in policies.open_to(facts) if one is policy or not one.shadow]
    return truth, choose(beside, facts, now_ns, traced=False)


def could_match(policies: Iterable[Policy], facts: Facts) -> bool:
    """Whether any policy may match whatever the facts that are still unknown turn out to be."""
    return any(truth_in(policy.when, facts) is not Truth.FALSE for policy in policies)


def _decided(candidates: Sequence[Policy], *, decisive: bool) -> tuple[Policy | None, Mode | None]:
    if not candidates:
        return None, None
    if decisive:
        return candidates[0], candidates[0].mode
    above = next((policy for policy in candidates if policy.mode is not Mode.MONITOR), None)
    return (candidates[0], Mode.MONITOR) if above is None else (above, Mode.APPROVE)


_Outcome = tuple[int | None, Mode]
_ANY = frozenset(Truth)


def outstanding_matters(
    policies: Sequence[Policy], facts: Facts, outstanding: frozenset[str], now_ns: int | None = None
) -> frozenset[str]:
    """Of the sources still to answer, those whose answer could change policy or mode; empty: the choice is final.

    A fact missing from a source that has answered stays unknown. Clauses are taken as independent of each other, so
    a source may be named that would turn out not to matter, but never the reverse.
    """
    outcomes: set[_Outcome] = set()
    matters: set[str] = set()
    unknown_above: frozenset[int | None] = frozenset({None})
    for index, policy in enumerate(policies):
        truths = _possible(policy.when, facts, outstanding, now_ns)
        matters |= _open(policy.when, facts, outstanding, now_ns)
        outcomes |= {_outcome(policies, above, index) for above in unknown_above if Truth.TRUE in truths}
        outcomes |= {(index, Mode.APPROVE) for _ in unknown_above if _asks(policy, truths)}
        unknown_above = _carried(policy, index, truths, unknown_above)
        if not unknown_above:
            break
    outcomes |= {(above, Mode.MONITOR) for above in unknown_above}
    return frozenset(matters) if len(outcomes) > 1 else frozenset()


def _outcome(policies: Sequence[Policy], above: int | None, index: int) -> _Outcome:
    """What comes of a true policy below the first unknown one, which only monitors."""
    if above is None:
        return index, policies[index].mode
    return (above, Mode.MONITOR) if policies[index].mode is Mode.MONITOR else (index, Mode.APPROVE)


def _asks(policy: Policy, truths: frozenset[Truth]) -> bool:
    """An unknown policy above MONITOR, the first such, settles it: whatever comes below, a person is asked."""
    return Truth.UNKNOWN in truths and policy.mode is not Mode.MONITOR


def _carried(
    policy: Policy, index: int, truths: frozenset[Truth], unknown_above: frozenset[int | None]
) -> frozenset[int | None]:
    """The first unknown policy above the next one, in every way in which the next one is still tried."""
    passed = unknown_above if Truth.FALSE in truths else frozenset[int | None]()
    if Truth.UNKNOWN in truths and policy.mode is Mode.MONITOR:
        passed |= {index if above is None else above for above in unknown_above}
    return passed


def _possible(condition: Condition, facts: Facts, outstanding: frozenset[str], now_ns: int | None) -> frozenset[Truth]:
    """Every truth the condition may have once the outstanding sources have answered, or failed to."""
    if isinstance(condition, Clause):
        return _ANY if source_of(condition.fact) in outstanding else frozenset({truth_of(condition, facts, now_ns)})
    join = every if isinstance(condition, AllOf) else some
    reached = frozenset({join(())})
    for part in condition.parts:
        pairs = itertools.product(reached, _possible(part, facts, outstanding, now_ns))
        reached = frozenset(join(pair) for pair in pairs)
    return frozenset(map(negated, reached)) if isinstance(condition, NoneOf) else reached


def _open(condition: Condition, facts: Facts, outstanding: frozenset[str], now_ns: int | None) -> frozenset[str]:
    """The outstanding sources on which this condition's truth still hangs."""
    if len(_possible(condition, facts, outstanding, now_ns)) == 1:
        return frozenset()
    if isinstance(condition, Clause):
        return frozenset({source_of(condition.fact)})
    return frozenset[str]().union(*(_open(part, facts, outstanding, now_ns) for part in condition.parts))

"""Steps that undo each other, so that nothing would be written: found by trying them on workloads made up for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from firebreak.core.actions.action import Actions
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.state import State
from firebreak.core.containment.drafting import Folded, find_undone_steps, fold
from firebreak.core.diagnostics import Location
from firebreak.core.facts import Catalogue, FactType
from firebreak.core.policy.clause import Clause, Operator
from firebreak.core.policy.condition import Condition
from firebreak.core.policy.policy import Step
from firebreak.policy_language.analysis.sample_workloads import SAMPLES
from firebreak.policy_language.analysis.satisfiability import never

_KIND = "workload.kind"
_NOWHERE = Location("", 1, 1)


class Undoing(NamedTuple):
    """`later` undoes what `earlier` did; `always`: on every target, so that the steps never write anything."""

    earlier: Step
    later: Step
    always: bool


def undoings(steps: tuple[Step, ...], actions: Actions, kinds: frozenset[str] | None = None) -> tuple[Undoing, ...]:
    """Every pair of steps of which one undoes the other on some workload of these kinds; of any kind where it is None.

    Where a step gives way, because it refuses or has failed for good, what stands in its place is tried too.
    """
    samples = [one for kind, cases in SAMPLES.items() if kinds is None or kind in kinds for one in cases]
    tries = [pairs for state, case in samples if (pairs := _at_odds(steps, state, case, actions)) is not None]
    always = bool(tries) and all(tries)
    giving_way = frozenset(step.action for step in steps if step.otherwise)
    later = [_at_odds(steps, state, case, actions, giving_way) or () for state, case in samples if giving_way]
    found = {(one.at, other.at): Undoing(one, other, always) for one, other in _all(tries)}
    for one, other in _all(later):
        found.setdefault((one.at, other.at), Undoing(one, other, always=False))
    return tuple(found[places] for places in sorted(found))


_Pairs = tuple[tuple[Step, Step], ...]


def _all(tries: Iterable[_Pairs]) -> Iterator[tuple[Step, Step]]:
    return (pair for pairs in tries for pair in pairs)


def _at_odds(
    steps: tuple[Step, ...], state: State, case: EditContext, actions: Actions, failed: frozenset[str] = frozenset()
) -> _Pairs | None:
    """The steps that are undone here, each with the one that undoes it; None where no step can act at all."""
    drawn = fold(steps, state, case, actions, failed)
    if not drawn.steps:
        return None
    if not _undoes(drawn, case, actions):
        return ()
    alone = tuple(replace(step, otherwise=()) for step in drawn.steps)
    after = [fold(alone[: count + 1], state, case, actions, frozenset()).state for count in range(len(alone))]
    held = [[not _undoes(Folded(now, (step,)), case, actions) for now in after] for step in drawn.steps]
    return tuple(
        (drawn.steps[at], drawn.steps[held[at].index(False, at + 1)])
        for at in range(len(alone) - 1)
        if not held[at][-1]
    )


def _undoes(drawn: Folded, case: EditContext, actions: Actions) -> bool:
    """Whether a step is undone; one whose action fails on the result is another matter (failing_actions.py)."""
    return any(one.kind != "fault" for one in find_undone_steps(drawn, case, actions))


def possible_kinds(when: Condition, catalogue: Catalogue, now_ns: int) -> frozenset[str] | None:
    """The kinds of workload that the condition can be about; None where no fact says what a workload is."""
    if _KIND not in catalogue:
        return None
    kinds = {one: Clause(_KIND, Operator.EQUALS, one, FactType.TEXT, (), _NOWHERE) for one in catalogue[_KIND].choices}
    return frozenset(
        kind for kind, is_it in kinds.items() if not never(when, is_it, catalogue=catalogue, now_ns=now_ns)
    )

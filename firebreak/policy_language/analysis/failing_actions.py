"""Actions whose own code fails, found before a finding does: by trying them on workloads made up for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from firebreak.core.actions.action import Actions
from firebreak.core.containment.drafting import find_undone_steps, fold
from firebreak.core.policy.policy import Policy, Step
from firebreak.policy_language.analysis.sample_workloads import SAMPLES


def failing_steps(policy: Policy, actions: Actions) -> Iterator[tuple[Step, str]]:
    """The policy's steps, fallbacks too, whose action fails on a workload that it says it acts on, each with how."""
    for step in _with_fallbacks(policy.then):
        for state, case in (one for cases in SAMPLES.values() for one in cases):
            drawn = fold((replace(step, otherwise=()),), state, case, actions, frozenset())
            refusals = (*drawn.refusals, *find_undone_steps(drawn, case, actions))
            if broken := next((one.reason for one in refusals if one.kind == "fault"), None):
                yield step, f"{broken}, on a {case.target.kind.replace('_', ' ')} made up to try it on"
                break


def _with_fallbacks(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _with_fallbacks(step.otherwise)

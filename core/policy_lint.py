"""Everything to say about policies beyond whether they load, at once and each in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.faults import Fault, FaultLog, quoted
from core.lint_conditions import (
    Remark,
    World,
    misspelt_categories,
    never_matching,
    plain_globs,
    sets_used,
    shadowed,
)
from core.lint_steps import (
    failing,
    idle_fallbacks,
    idle_steps,
    undoing_steps,
    unheard,
    waiting_for_others,
    without_effect,
)
from core.policy import Charter, Files, Policy
from core.policy_examples import NO_FINDINGS, Findings, run_examples
from core.vocabulary import Actions

OfConditions = Callable[[Policy, World], Iterator[Remark]]
OfSteps = Callable[[Policy, Actions, World], Iterator[Remark]]
CONDITIONS: tuple[OfConditions, ...] = (never_matching, misspelt_categories, plain_globs)
STEPS: tuple[OfSteps, ...] = (
    idle_steps,
    idle_fallbacks,
    undoing_steps,
    waiting_for_others,
    unheard,
    without_effect,
)


@dataclass(frozen=True, slots=True)
class Lint:
    """`failing` is what must not be merged though it loads, `warnings` what is probably not meant."""

    failing: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def lint(
    policies: tuple[Policy, ...],
    charter: Charter,
    files: Files,
    actions: Actions,
    world: World,
    findings: Findings = NO_FINDINGS,
) -> Lint:
    """Look at policies that were read without fault."""
    warnings = [
        *(remark for policy in policies for check in CONDITIONS for remark in check(policy, world)),
        *(remark for policy in policies for check in STEPS for remark in check(policy, actions, world)),
        *shadowed(policies, world),
        *_unused_sets(policies, charter),
    ]
    wrong = [remark for policy in policies for remark in _failing(policy, actions, world, findings)]
    return Lint(_placed(wrong, files), _placed(warnings, files))


def _failing(policy: Policy, actions: Actions, world: World, findings: Findings) -> Iterator[Remark]:
    yield from failing(policy, actions)
    for lacking in _lacking(policy):
        yield Remark(policy.at, f"the policy {quoted(policy.id)} has no example that expects {lacking}")
    for result in run_examples((policy,), world.catalogue, findings):
        if not result.passed:
            yield Remark(result.at, str(result))


def _lacking(policy: Policy) -> Iterator[str]:
    if all(example.expect is None for example in policy.examples):
        yield "a mode"
    if all(example.expect is not None for example in policy.examples):
        yield "nothing"


def _unused_sets(policies: tuple[Policy, ...], charter: Charter) -> Iterator[Remark]:
    used = sets_used(policies)
    for name, at in charter.set_places.items():
        if name not in used:
            yield Remark(at, f"no policy uses the set {quoted(name)}")


def _placed(remarks: Iterable[Remark], files: Files) -> tuple[Fault, ...]:
    logs: Mapping[str, FaultLog] = {file: FaultLog(file, text) for file, text in files.items()}
    for remark in remarks:
        logs[remark.at.file].add(remark.at, remark.message, remark.nearest)
    return tuple(sorted((fault for log in logs.values() for fault in log.faults), key=lambda fault: fault.at))

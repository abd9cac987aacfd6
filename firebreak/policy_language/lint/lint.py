"""Everything to say about policies beyond whether they load, at once and each in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from firebreak.core.actions.action import Actions
from firebreak.core.diagnostics import Fault, FaultLog, Location, in_order, quoted
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import Config, Files, Policy
from firebreak.core.policy.protected import Protected
from firebreak.core.policy.routing import DEFAULT, Routing
from firebreak.policy_language.lint.amounts import odd_config, odd_durations, out_of_range
from firebreak.policy_language.lint.conditions import (
    LintContext,
    LintWarning,
    in_words,
    literal_wildcards,
    misspelt_categories,
    never_matching,
    plain_globs,
    sets_used,
    shadowed,
)
from firebreak.policy_language.lint.protected import enforced_on_protected
from firebreak.policy_language.lint.rules import (
    FAILING_EXAMPLE,
    IDLE_CEILING,
    MISLEADING_ORDER,
    MISSING_EXAMPLE,
    UNROUTED_LABEL,
    UNRUN_EXAMPLE,
    UNTRIED_CLAUSE,
    UNUSED_SET,
)
from firebreak.policy_language.lint.silences import Judged, Silenced, judged
from firebreak.policy_language.lint.steps import (
    failing,
    idle_fallbacks,
    idle_steps,
    undoing_steps,
    unheard,
    waiting_for_others,
    without_effect,
)
from firebreak.policy_language.testing.coverage import Untried
from firebreak.policy_language.testing.examples import NO_FINDINGS, ExampleResult, Findings, run_examples

OfConditions = Callable[[Policy, LintContext], Iterator[LintWarning]]
OfSteps = Callable[[Policy, Actions, LintContext], Iterator[LintWarning]]
CONDITIONS: tuple[OfConditions, ...] = (
    never_matching,
    misspelt_categories,
    plain_globs,
    literal_wildcards,
    out_of_range,
    odd_durations,
)
STEPS: tuple[OfSteps, ...] = (
    idle_steps,
    idle_fallbacks,
    undoing_steps,
    waiting_for_others,
    unheard,
    without_effect,
)
_NUMBERED = re.compile(r"([^0-9]*)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Lint:
    """`failing` is what must not be merged though it loads, `warnings` what is probably not meant.

    `silenced` are warnings that a comment in the file says are meant.
    """

    failing: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    silenced: tuple[Silenced, ...] = ()


def lint(
    policies: tuple[Policy, ...],
    config: Config,
    files: Files,
    actions: Actions,
    world: LintContext,
    findings: Findings = NO_FINDINGS,
    faulty: frozenset[str] = frozenset(),
) -> Lint:
    """Look at policies that were read without fault; `faulty` are the files that were not."""
    remarks = [
        *(remark for policy in policies for check in CONDITIONS for remark in check(policy, world)),
        *(remark for policy in policies for check in STEPS for remark in check(policy, actions, world)),
        *shadowed(policies, world),
        *misleading_order(policies),
        *(() if faulty else _unused_sets(policies, config)),  # what is faulty may use any
        *_unrouted(policies, config.routing),
        *_idle_ceilings(config),
        *odd_config(config),
        *enforced_on_protected(policies, config.protected, world),
    ]
    warnings = [one for one in remarks if one.rule.severity == "warning"]
    wrong = [one for one in remarks if one.rule.severity == "fault"]
    wrong += [remark for policy in policies for remark in _failing(policy, actions, world, findings)]
    readable = {file: text for file, text in files.items() if file not in faulty}
    left = judged(warnings, readable, "lint", all_read=not faulty)
    return Lint(placed(wrong, files), in_order(placed(left.told, files), left.wrong), left.silenced)


def lint_tests(results: Iterable[ExampleResult], gaps: Iterable[Untried], files: Files) -> Judged:
    """What examples and their coverage leave to be said, of files that load; however much that is."""
    failed = (failure(one) for one in results if not one.passed)
    return judged(chain(failed, map(untried_remark, gaps)), files, "test")


def _failing(policy: Policy, actions: Actions, world: LintContext, findings: Findings) -> Iterator[LintWarning]:
    yield from failing(policy, actions)
    for lacking in _lacking(policy):
        yield LintWarning(
            MISSING_EXAMPLE, policy.at, f"the policy {quoted(policy.id)} has no example that expects {lacking}"
        )
    for result in run_examples((policy,), world.catalogue, findings):
        if not result.passed:
            yield failure(result)


def failure(result: ExampleResult) -> LintWarning:
    """What there is to say of an example that did not pass."""
    return LintWarning(FAILING_EXAMPLE if result.problem is None else UNRUN_EXAMPLE, result.at, str(result))


def untried_remark(gap: Untried) -> LintWarning:
    """What there is to say of a clause that the examples leave untried."""
    never = " or ".join(truth.word for truth in gap.never)
    return LintWarning(UNTRIED_CLAUSE, gap.clause.at, f"no example makes {in_words(gap.clause)} {never}")


def _lacking(policy: Policy) -> Iterator[str]:
    if all(example.expect is None for example in policy.examples):
        yield "a mode"
    if all(example.expect is not None for example in policy.examples):
        yield "nothing"


def _unused_sets(policies: tuple[Policy, ...], config: Config) -> Iterator[LintWarning]:
    used = sets_used(policies)
    for name in config.sets:
        if name not in used:
            yield LintWarning(UNUSED_SET, config.places[f"sets.{name}"], f"no policy uses the set {quoted(name)}")


def _idle_ceilings(config: Config) -> Iterator[LintWarning]:
    """Ceilings at a place that never lower anything."""
    told: dict[Protected, Mode] = {}
    for one in sorted((one for one in config.ceilings if str(one.place)), key=lambda one: one.mode):
        everywhere = one.mode >= config.ceiling
        lower = config.ceiling if everywhere else told.get(one.place)
        if lower is not None:
            where = "everywhere" if everywhere else f"of {one.place}"
            why = f"this never lowers anything: the ceiling {where} is {lower.word}, and the lowest counts"
            yield LintWarning(IDLE_CEILING, one.at, why)
        told.setdefault(one.place, one.mode)


def _unrouted(policies: tuple[Policy, ...], routing: Routing) -> Iterator[LintWarning]:
    """Policies of which nobody is told on any channel, though there are some: a label is misspelt, above all."""
    for policy in policies if routing.routes and DEFAULT not in routing.routes else ():
        if policy.notify and not any(one in routing.routes for one in policy.notify):
            labels, routes = ", ".join(map(quoted, policy.notify)), ", ".join(map(quoted, routing.routes))
            message = (
                f"no route leads from {labels} to a channel: `notify` in firebreak.yaml has {routes}, and no default"
            )
            yield LintWarning(UNROUTED_LABEL, policy.places.get("notify", policy.at), message)


def misleading_order(policies: Iterable[Policy]) -> Iterator[LintWarning]:
    """Files whose names count one way and are tried another way: `10-` stands before `9-`, as texts go."""
    first: dict[str, Location] = {}
    for policy in policies:
        first.setdefault(policy.at.file, policy.at)
    highest: dict[tuple[str, str], tuple[int, str]] = {}
    for file in sorted(first):
        path = PurePosixPath(file)
        if numbered := _NUMBERED.match(path.name):
            series, number = (str(path.parent), numbered[1]), int(numbered[2])
            above = highest.get(series)
            if above is not None and above[0] > number:
                order = f"{quoted(path.name)} is tried after {quoted(above[1])}, because names are compared as texts"
                longest = len(str(above[0]))
                message = f"{order}: write {number:0{longest}} for {numbered[2]} if it should come first"
                yield LintWarning(MISLEADING_ORDER, first[file], message)
            else:
                highest[series] = number, path.name


def in_full(remarks: Iterable[LintWarning], files: Files) -> tuple[Fault, ...]:
    """The remarks as faults, each with its line, however many they are."""
    logs = {file: FaultLog(file, text) for file, text in files.items()}
    return in_order(logs[one.at.file].fault(one.rule, one.at, one.message, one.nearest) for one in remarks)


def placed(remarks: Iterable[LintWarning], files: Files) -> tuple[Fault, ...]:
    """The same, of each file as many as a log holds."""
    logs: Mapping[str, FaultLog] = {file: FaultLog(file, text) for file, text in files.items()}
    for remark in remarks:
        logs[remark.at.file].add(remark.rule, remark.at, remark.message, remark.nearest)
    return in_order(*(log.faults for log in logs.values()))

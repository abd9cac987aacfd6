"""What is right by itself and yet does not do what it seems to: steps, fallbacks, and who is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from firebreak.core.actions.action import Actions
from firebreak.core.diagnostics import quoted
from firebreak.core.mode import Mode
from firebreak.core.policy.condition import clauses
from firebreak.core.policy.policy import Policy, Step
from firebreak.policy_language.analysis.failing_actions import failing_steps
from firebreak.policy_language.analysis.step_conflicts import possible_kinds, undoings
from firebreak.policy_language.lint.conditions import LintContext, LintWarning
from firebreak.policy_language.lint.rules import (
    FAILING_ACTION,
    IDLE_ACCEPTANCE,
    IDLE_EXPIRY,
    IDLE_FALLBACK,
    IDLE_STEP,
    NEEDLESS_FALLBACK,
    NOBODY_TOLD,
    UNATTENDED,
    UNDOING_SOMEWHERE,
    UNDOING_STEPS,
    UNSERVED_KIND,
    WAITS_FOR_OTHERS,
)
from firebreak.policy_language.reading.nodes import listed

_KIND = "workload.kind"


def idle_steps(policy: Policy, actions: Actions, world: LintContext) -> Iterator[LintWarning]:
    """Steps that cannot act on any target that the policy names, and targets for which no step can act."""
    if _KIND not in world.catalogue:
        return
    kinds = possible_kinds(policy.when, world.catalogue, world.now_ns) or frozenset()
    steps = list(with_fallbacks(policy.then))
    for step in steps:
        able = actions[step.action].kinds
        if kinds and not able & kinds:
            said = f"{quoted(step.action)} acts on {_in_words(able)}, and this policy is about {_in_words(kinds)}"
            yield LintWarning(IDLE_STEP, step.at, f"this step never acts: {said}")
    able = frozenset[str]().union(*(actions[step.action].kinds for step in steps))
    named = [clause for clause in clauses(policy.when) if clause.fact == _KIND]
    if named and kinds & able and (left := kinds - able):
        yield LintWarning(
            UNSERVED_KIND,
            named[0].at,
            f"for {_in_words(left)}, which this policy matches too, none of its steps can act",
        )


def _in_words(kinds: frozenset[str]) -> str:
    return listed(sorted(kinds))


def with_fallbacks(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step, and what stands behind `otherwise`, at any depth."""
    for step in steps:
        yield step
        yield from with_fallbacks(step.otherwise)


def idle_fallbacks(policy: Policy, actions: Actions, world: LintContext) -> Iterator[LintWarning]:  # noqa: ARG001 - one shape for all
    """An `otherwise` that repeats what was just tried, or what the policy does in any case."""
    for step in policy.then:
        others = [one for one in policy.then if one is not step]
        yield from _idle_below(step, (step,), others)


def _idle_below(step: Step, tried: tuple[Step, ...], others: list[Step]) -> Iterator[LintWarning]:
    for instead in step.otherwise:
        if any(same(instead, one) for one in tried):
            yield LintWarning(
                IDLE_FALLBACK,
                instead.at,
                f"this cannot follow: {quoted(instead.action)} has been tried before, and was refused or has failed",
            )
        elif any(same(instead, one) for one in others):
            yield LintWarning(
                NEEDLESS_FALLBACK,
                instead.at,
                f"this adds nothing: {quoted(instead.action)} is a step of the policy in any case",
            )
        yield from _idle_below(instead, (*tried, instead), others)


def same(one: Step, other: Step) -> bool:
    """Whether two steps do the same."""
    return (one.action, one.params) == (other.action, other.params)


def undoing_steps(policy: Policy, actions: Actions, world: LintContext) -> Iterator[LintWarning]:
    """Steps of which a later one undoes an earlier one, so that nothing is written: on some targets, or on all."""
    kinds = possible_kinds(policy.when, world.catalogue, world.now_ns)
    for earlier, later, always in undoings(policy.then, actions, kinds):
        undoes = f"{quoted(later.action)} undoes {quoted(earlier.action)}"
        if always:
            what = f"{undoes}, whatever the target is like, so that nothing would ever be written"
            instead = "leave one of them out, or have it follow the other under `otherwise`"
            yield LintWarning(UNDOING_STEPS, later.at, f"{what}: {instead}")
        else:
            what = f"{undoes} on some targets, and none of the steps is written there"
            yield LintWarning(UNDOING_SOMEWHERE, later.at, f"{what}: keep one of the two")


def failing(policy: Policy, actions: Actions) -> Iterator[LintWarning]:
    """Steps whose action is at fault: they load, and on some targets a person is asked in their stead."""
    for step, how in failing_steps(policy, actions):
        yield LintWarning(
            FAILING_ACTION,
            step.at,
            f"a fault of the action {quoted(step.action)} itself: {how}; where it fails, a person is asked",
        )


def failing_in_use(policies: Sequence[Policy], actions: Actions, world: LintContext) -> Iterator[LintWarning]:
    """What is at fault in steps and shows only when their actions are tried, which loading them does not do."""
    for policy in policies:
        yield from failing(policy, actions)
    yield from always_undoing(policies, actions, world)


def always_undoing(policies: Iterable[Policy], actions: Actions, world: LintContext) -> Iterator[LintWarning]:
    """Steps of which one undoes another on everything that their policy can be about."""
    remarks = (one for policy in policies for one in undoing_steps(policy, actions, world))
    yield from (one for one in remarks if one.rule is UNDOING_STEPS)


def unheard(policy: Policy, actions: Actions, world: LintContext) -> Iterator[LintWarning]:  # noqa: ARG001
    """Policies that ask or act, and tell nobody."""
    if policy.mode is not Mode.MONITOR and not policy.notify:
        what = "asks a person" if policy.mode is Mode.APPROVE else "acts, or asks a person where it is not sure"
        message = f"this policy {what}, and names nobody to be told: add a label, as notify: [security-oncall]"
        yield LintWarning(NOBODY_TOLD, policy.places.get("notify", policy.at), message)
    if policy.mode is Mode.ENFORCE and policy.release_after is not None:
        message = (
            "with mode enforce and `release_after`, a containment comes and goes without any person: leave it out, and"
            " a review is announced instead"
        )
        yield LintWarning(UNATTENDED, policy.places.get("release_after", policy.at), message)


def waiting_for_others(policy: Policy, actions: Actions, world: LintContext) -> Iterator[LintWarning]:  # noqa: ARG001
    """Steps that make a policy ask a person every time, and with it all its other steps."""
    for step in with_fallbacks(policy.then):
        if policy.mode is Mode.ENFORCE and actions[step.action].reach == "shared":
            message = (
                f"{quoted(step.action)} reaches other workloads too, so a person is asked each time, and every step of"
                " this policy waits for the answer: say mode approve, or leave it out where the others should act alone"
            )
            yield LintWarning(WAITS_FOR_OTHERS, step.at, message)


def without_effect(policy: Policy, actions: Actions, world: LintContext) -> Iterator[LintWarning]:  # noqa: ARG001
    """Words that change nothing here."""
    if policy.on_expiry == "contain" and policy.mode is not Mode.APPROVE:
        message = f"`on_expiry: contain` has no effect in mode {policy.mode.word}: a policy that asks has one"
        yield LintWarning(IDLE_EXPIRY, policy.places.get("on_expiry", policy.at), message)
    for step in with_fallbacks(policy.then):
        if step.accept_irreversible and actions[step.action].reversible:
            yield LintWarning(
                IDLE_ACCEPTANCE, step.at, f"`accept_irreversible` has no effect: {quoted(step.action)} can be undone"
            )

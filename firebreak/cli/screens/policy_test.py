"""The examples that policies carry, each with what came of it; one that fails, with the reason."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.explanation import clause_json, plain
from firebreak.cli.screens.faults import counted, fault_json, show_fault
from firebreak.cli.screens.incident_why import clause_in_words
from firebreak.cli.screens.policy_lint import show_silenced, silenced_in_words
from firebreak.cli.screens.reports import EditContext, cases_of
from firebreak.core.diagnostics import Fault
from firebreak.core.facts import source_of
from firebreak.core.policy.policy import Expected
from firebreak.policy_language.lint.conditions import in_words
from firebreak.policy_language.lint.lint import failure
from firebreak.policy_language.lint.rules import FAILING_ACTION, IDLE_SILENCE, UNDOING_STEPS, UNTRIED_CLAUSE
from firebreak.policy_language.lint.silences import Silenced
from firebreak.policy_language.testing.coverage import Untried
from firebreak.policy_language.testing.examples import ExampleResult

_NOTHING = "nothing"
_OF_STEPS = (UNDOING_STEPS, FAILING_ACTION)


@dataclass(frozen=True, slots=True)
class Tested:
    """Every example's result, and what the examples leave untried without a comment that says why.

    `faults` are these, and whatever else there is to say, each in its place.
    """

    results: tuple[ExampleResult, ...]
    untried: tuple[Untried, ...]
    silenced: tuple[Silenced, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def failing_steps(self) -> tuple[Fault, ...]:
        """Steps at fault, whatever the examples say: they are about who decides, not about what is done then."""
        return tuple(one for one in self.faults if one.rule in _OF_STEPS)

    @property
    def passed(self) -> bool:
        """Whether every example did, and no step is at fault."""
        return all(one.passed for one in self.results) and not self.failing_steps

    @property
    def idle_silences(self) -> tuple[Fault, ...]:
        """Comments that silence no untried clause any more."""
        return tuple(one for one in self.faults if one.rule is IDLE_SILENCE)


def show_tested(screen: Screen, tested: Tested, *, silenced: bool = False) -> None:
    """Policy by policy; a failed example with what was expected, what came out, and each clause's part in it."""
    for policy, examples in itertools.groupby(tested.results, key=lambda one: one.policy):
        ran = list(examples)
        good = all(one.passed for one in ran)
        named = f"{policy} (in shadow)" if ran[0].shadow else policy
        screen.line(f"{named}: {sum(one.passed for one in ran)} of {len(ran)} passed", "good" if good else "bad")
        for one in ran:
            if not one.passed:
                _show_failed(screen, one)
        for gap in tested.untried:
            if gap.policy == policy:
                never = " or ".join(truth.word for truth in gap.never)
                said = f"no example makes {in_words(gap.clause)} {never} ({gap.clause.at}) [{UNTRIED_CLAUSE.code}]"
                screen.line(said, "caution", indent=2, hang=2)
    for fault in tested.failing_steps:
        show_fault(screen, fault, "fault", "bad")
    for fault in tested.idle_silences:
        show_fault(screen, fault, "warning", "caution")
    if silenced:
        show_silenced(screen, tested.silenced)
    screen.line(sum_of(tested), "bad" if not tested.passed else "caution" if tested.untried else "good")


def sum_of(tested: Tested) -> str:
    """All of it in one line."""
    failed = sum(not one.passed for one in tested.results)
    left = f", {counted(len(tested.untried), 'clause')} left untried" if tested.untried else ""
    faults = f", {counted(len(tested.failing_steps), 'step')} at fault" if tested.failing_steps else ""
    return f"{len(tested.results) - failed} passed, {failed} failed{faults}{left}{silenced_in_words(tested.silenced)}"


def tested_cases(tested: Tested) -> tuple[EditContext, ...]:
    """For JUnit: every example by policy and number, whether it passed or not, and what else there is to say."""
    by_place = {(one.at, one.rule): one for one in tested.faults}
    cases = [
        EditContext(
            one.at.file,
            f"{one.policy}, example {one.index}",
            None if one.passed else by_place[one.at, failure(one).rule],
            detail="" if one.passed else "\n".join(_failed_lines(one)),
        )
        for one in tested.results
    ]
    others = [one for one in tested.faults if one.rule in (*_OF_STEPS, UNTRIED_CLAUSE, IDLE_SILENCE)]
    return tuple(sorted([*cases, *cases_of(others, tested.silenced, ())], key=lambda case: case.file))


def _failed_lines(result: ExampleResult) -> Iterator[str]:
    for name, expected, actual in _compared(result.expected, result.actual):
        yield from (f"- {name:<8}{expected}  (expected)", f"+ {name:<8}{actual}  (came out)")
    for clause in _clauses(result):
        yield f"  {clause['truth']:<8}{clause_in_words(clause)} ({clause['from']})"


def _show_failed(screen: Screen, result: ExampleResult) -> None:
    screen.verbatim(f"FAIL {result.at}: example {result.index} [{failure(result).rule.code}]", "bad", indent=2)
    if result.problem is not None:
        screen.line(f"it cannot be run: {result.problem}", indent=4, hang=2)
        return
    for name, expected, actual in _compared(result.expected, result.actual):
        if expected == actual:
            screen.line(f"  {name:<8}{expected}", "dim", indent=4, hang=10)
        else:
            screen.line(f"- {name:<8}{expected}  (expected)", "minus", indent=4, hang=10)
            screen.line(f"+ {name:<8}{actual}  (came out)", "plus", indent=4, hang=10)
    for clause in _clauses(result):
        screen.line(f"{clause['truth']:<8}{clause_in_words(clause)} ({clause['from']})", "dim", indent=4, hang=10)


def _compared(expected: Expected | None, actual: Expected | None) -> Iterator[tuple[str, str, str]]:
    """Line by line; actions only where the example names them."""
    yield "mode", _mode(expected), _mode(actual)
    if expected is not None and expected.actions is not None:
        yield "actions", _actions(expected), _actions(actual)


def _mode(outcome: Expected | None) -> str:
    return _NOTHING if outcome is None else outcome.mode.word


def _actions(outcome: Expected | None) -> str:
    return ", ".join(outcome.actions or ()) if outcome else "none"


def _clauses(result: ExampleResult) -> Iterator[dict[str, Any]]:
    for considered in result.trace:
        for one in considered.trace:
            unknown = "left unknown" if one.value is None else ""
            origin = unknown or result.origins.get(one.fact, source_of(one.fact))
            yield {**clause_json(one), "from": origin}


def tested_json(tested: Tested, *, ok: bool) -> dict[str, Any]:
    """The same for programs; `ok` is whether the command says yes."""
    return {
        "ok": ok,
        "passed": tested.passed,
        "examples": [_example_json(one) for one in tested.results],
        "untried": [_untried_json(one) for one in tested.untried],
        "faults": [fault_json(one, loads=True) for one in tested.failing_steps],
    }


def _untried_json(gap: Untried) -> dict[str, Any]:
    return {
        "policy": gap.policy,
        "file": gap.clause.at.file,
        "line": gap.clause.at.line,
        "fact": gap.clause.fact,
        "operator": str(gap.clause.operator),
        "wanted": plain(gap.clause.operand),
        "never": [truth.word for truth in gap.never],
    }


def _example_json(result: ExampleResult) -> dict[str, Any]:
    return {
        "policy": result.policy,
        "shadow": result.shadow,
        "example": result.index,
        "file": result.at.file,
        "line": result.at.line,
        "passed": result.passed,
        "expected": _outcome_json(result.expected),
        "actual": _outcome_json(result.actual),
        "problem": result.problem,
        "trace": list(_clauses(result)),
    }


def _outcome_json(outcome: Expected | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {"mode": outcome.mode.word, "actions": None if outcome.actions is None else list(outcome.actions)}

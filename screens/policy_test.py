"""The examples that policies carry, each with what came of it; one that fails, with the reason."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from core.policy import Expected
from core.policy_examples import ExampleResult
from screens.console import Screen
from screens.incident_why import clause_in_words
from screens.wording import Record


def show_examples(screen: Screen, results: Sequence[ExampleResult]) -> None:
    """Policy by policy; a failed example with what was expected, what came out, and each clause's part in it."""
    for policy, examples in itertools.groupby(results, key=lambda one: one.policy):
        ran = list(examples)
        good = all(one.passed for one in ran)
        screen.line(f"{policy}: {sum(one.passed for one in ran)} of {len(ran)} passed", "good" if good else "bad")
        for one in ran:
            if not one.passed:
                _show_failed(screen, one)
    failed = sum(not one.passed for one in results)
    screen.line(f"{len(results) - failed} passed, {failed} failed", "bad" if failed else "good")


def _show_failed(screen: Screen, result: ExampleResult) -> None:
    screen.verbatim(f"FAIL {result.at}: example {result.index}", "bad", indent=2)
    if result.problem is not None:
        screen.line(f"it cannot be run: {result.problem}", indent=4, hang=2)
        return
    screen.line(f"expected: {in_words(result.expected)}", indent=4, hang=2)
    screen.line(f"actual:   {in_words(result.actual)}", indent=4, hang=2)
    for clause in _clauses(result):
        screen.line(f"{clause['truth']:<8}{clause_in_words(clause)}", "dim", indent=4, hang=10)


def in_words(outcome: Expected | None) -> str:
    """A mode with its actions, or that nothing comes out."""
    if outcome is None:
        return "nothing"
    return f"{outcome.mode.word} with {', '.join(outcome.actions)}" if outcome.actions else outcome.mode.word


def _clauses(result: ExampleResult) -> Iterator[Record]:
    for considered in result.trace:
        for one in considered.trace:
            yield {
                "fact": one.fact,
                "operator": str(one.operator),
                "wanted": _json(one.operand),
                "value": _json(one.value),
                "truth": one.truth.word,
                "within": one.within,
            }


def _json(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, tuple | frozenset):
        return [_json(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def examples_json(results: Sequence[ExampleResult]) -> dict[str, Any]:
    """The same for programs."""
    return {"passed": all(one.passed for one in results), "examples": [_example_json(one) for one in results]}


def _example_json(result: ExampleResult) -> dict[str, Any]:
    return {
        "policy": result.policy,
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

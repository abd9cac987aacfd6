"""Running the examples that policies carry: each tests its own policy alone, before guards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.choice import Considered, choose
from core.evidence import Catalogue, Facts, FactValue, source_of
from core.fact_samples import EXAMPLES_NOW, NotFound, sample, wishes
from core.faults import Location, quoted
from core.matching import clauses
from core.policy import Example, Expected, Policy


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """How one example went; None as expected or actual is `nothing`. `problem` says what it must give to be run.

    `index` counts from 1 within the policy.
    """

    policy: str
    index: int
    at: Location
    expected: Expected | None
    actual: Expected | None
    facts: Facts
    trace: tuple[Considered, ...]
    problem: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it ran, and came out as expected; actions count only where the example names them."""
        if self.problem is not None or (self.expected is None) is not (self.actual is None):
            return False
        if self.expected is None or self.actual is None:
            return True
        same_actions = self.expected.actions in (None, self.actual.actions)
        return self.expected.mode is self.actual.mode and same_actions

    def __str__(self) -> str:
        """One sentence: the example and what became of it."""
        what = f"example {self.index} of {quoted(self.policy)}"
        if self.problem is not None:
            return f"{what} cannot be run: {self.problem}"
        if self.passed:
            return f"{what} passed"
        return f"{what} expects {_in_words(self.expected)}, and {_in_words(self.actual)} came out"


def run_examples(policies: Iterable[Policy], catalogue: Catalogue) -> tuple[ExampleResult, ...]:
    """Every example of every policy, in their order."""
    return tuple(
        _run(policy, index, example, catalogue)
        for policy in policies
        for index, example in enumerate(policy.examples, start=1)
    )


def example_facts(policy: Policy, example: Example, catalogue: Catalogue) -> dict[str, FactValue]:
    """The facts that an example stands for; raises NotFound where it must say more."""
    wished = tuple(wishes(policy.when))
    names = dict.fromkeys(clause.fact for clause in clauses(policy.when))
    made_up = [name for name in names if name not in example.given and source_of(name) not in example.unknown]
    return {**example.given, **{name: sample(name, catalogue[name], wished) for name in made_up}}


def _run(policy: Policy, index: int, example: Example, catalogue: Catalogue) -> ExampleResult:
    try:
        facts = example_facts(policy, example, catalogue)
    except NotFound as problem:
        return ExampleResult(policy.id, index, example.at, example.expect, None, {}, (), str(problem))
    choice = choose((policy,), facts, EXAMPLES_NOW)
    actual = Expected(choice.mode, policy.actions) if choice.mode is not None else None
    return ExampleResult(policy.id, index, example.at, example.expect, actual, facts, choice.trace)


def _in_words(outcome: Expected | None) -> str:
    if outcome is None:
        return "nothing"
    return f"{outcome.mode.word} with {', '.join(outcome.actions)}" if outcome.actions else outcome.mode.word

"""Running the examples that policies carry: each tests its own policy alone, before guards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from firebreak.core.diagnostics import Location, quoted
from firebreak.core.facts import Catalogue, Facts, FactValue, source_of
from firebreak.core.policy.condition import clauses
from firebreak.core.policy.policy import Example, Expected, Policy
from firebreak.core.policy.selection import Considered, choose
from firebreak.policy_language.reading.sample_facts import EXAMPLES_NOW, NotFound, sample, wishes

Origin = Literal["given", "made up", "the finding"]


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """How one example went; None as expected or actual is `nothing`. `problem` says what it must give to be run.

    `index` counts from 1 within the policy; `origins` says of each fact where its value comes from. `shadow` is whether
    the policy decides nothing as it stands: its examples are about what it would.
    """

    policy: str
    index: int
    at: Location
    expected: Expected | None
    actual: Expected | None
    facts: Facts
    origins: Mapping[str, Origin]
    trace: tuple[Considered, ...]
    problem: str | None = None
    shadow: bool = False

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


Findings = Mapping[str, Facts | str]
"""By its path, the facts that a whole finding settles without asking anybody, or why it could not be read."""
NO_FINDINGS: Findings = MappingProxyType({})


def run_examples(
    policies: Iterable[Policy], catalogue: Catalogue, findings: Findings = NO_FINDINGS
) -> tuple[ExampleResult, ...]:
    """Every example of every policy, in their order."""
    return tuple(
        _run(policy, index, example, catalogue, findings)
        for policy in policies
        for index, example in enumerate(policy.examples, start=1)
    )


def finding_path(example: Example) -> str | None:
    """Where the example's whole finding lies, seen from where its policy's file is named from."""
    if example.finding is None:
        return None
    return str(PurePosixPath(example.at.file).parent / example.finding)


def example_facts(
    policy: Policy, example: Example, catalogue: Catalogue, settled: Facts | None = None
) -> dict[str, tuple[FactValue, Origin]]:
    """The facts that an example stands for, and where each comes from; raises NotFound where it must say more.

    With `settled`, those of a whole finding, no fact of the finding itself is made up.
    """
    wished = tuple(wishes(policy.when))
    facts: dict[str, tuple[FactValue, Origin]] = {name: (value, "given") for name, value in example.given.items()}
    for name in dict.fromkeys(clause.fact for clause in clauses(policy.when)):
        if name in facts or source_of(name) in example.unknown:
            continue
        if settled is not None and name in settled:
            facts[name] = (settled[name], "the finding")
        elif settled is None or source_of(name) != "finding":
            facts[name] = (sample(name, catalogue[name], wished), "made up")
    return facts


def _run(policy: Policy, index: int, example: Example, catalogue: Catalogue, findings: Findings) -> ExampleResult:
    path = finding_path(example)
    settled = findings.get(path, "it was not read") if path else None
    try:
        problem = f"the finding {quoted(example.finding)}: {settled}" if isinstance(settled, str) else None
        whole = None if isinstance(settled, str) else settled
        known = {} if problem else example_facts(policy, example, catalogue, whole)
    except NotFound as lacking:
        known, problem = {}, str(lacking)
    if problem is not None:
        return ExampleResult(policy.id, index, example.at, example.expect, None, {}, {}, (), problem, policy.shadow)
    facts = {name: value for name, (value, _) in known.items()}
    origins = {name: origin for name, (_, origin) in known.items()}
    choice = choose((policy,), facts, EXAMPLES_NOW)
    actual = Expected(choice.mode, policy.actions) if choice.mode is not None else None
    at, expected = example.at, example.expect
    return ExampleResult(policy.id, index, at, expected, actual, facts, origins, choice.trace, shadow=policy.shadow)


def _in_words(outcome: Expected | None) -> str:
    if outcome is None:
        return "nothing"
    return f"{outcome.mode.word} with {', '.join(outcome.actions)}" if outcome.actions else outcome.mode.word

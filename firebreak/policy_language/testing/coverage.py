"""Which clauses the examples leave untried: never made true, or never made false."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firebreak.core.policy.clause import Clause
from firebreak.core.policy.condition import clauses
from firebreak.core.policy.policy import Policy
from firebreak.core.ternary import Truth
from firebreak.policy_language.testing.examples import ExampleResult

_WANTED = (Truth.TRUE, Truth.FALSE)


@dataclass(frozen=True, slots=True)
class Untried:
    """A clause of a policy, and what no example makes it."""

    policy: str
    clause: Clause
    never: tuple[Truth, ...]


def untried(policies: Sequence[Policy], results: Sequence[ExampleResult]) -> Iterator[Untried]:
    """What no example of its own policy makes true or false; examples that could not be run try nothing."""
    for policy in policies:
        traces = [one.trace[0].trace for one in results if one.policy == policy.id and one.trace]
        for position, clause in enumerate(clauses(policy.when) if traces else ()):
            made = {trace[position].truth for trace in traces}
            if never := tuple(truth for truth in _WANTED if truth not in made):
                yield Untried(policy.id, clause, never)

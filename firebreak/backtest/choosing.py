"""The choice of a set of policies, remembered by all that it rests on: a history repeats itself."""

from __future__ import annotations

from firebreak.backtest.parts import letters
from firebreak.core.facts import Facts, source_of
from firebreak.core.findings.finding import PLAIN_FACTS, Finding
from firebreak.core.policy.clause import Operator
from firebreak.core.policy.condition import clauses
from firebreak.core.policy.policy import CATEGORY, PolicySet
from firebreak.core.policy.selection import Choice, choose
from firebreak.core.policy.triage import as_listed

_MOST = 4096
_AGES = (Operator.NEWER_THAN, Operator.OLDER_THAN)


class Choices:
    """What one set of policies chooses. `sources` are those that some policy names: no other could change a choice."""

    def __init__(self, policies: PolicySet) -> None:
        """Look once at what the policies name, and whether an age is among it."""
        self._policies = policies
        named = [clause for policy in policies.policies for clause in clauses(policy.when)]
        self.sources = frozenset(source_of(clause.fact) for clause in named)
        self._facts = tuple(sorted({CATEGORY, *(clause.fact for clause in named)}))
        self._plain = all(one in PLAIN_FACTS for one in self._facts if source_of(one) == "finding")
        self._ages = any(clause.operator in _AGES for clause in named)
        self._numbers = {one.id: number for number, one in enumerate(policies.policies)}
        self._made: dict[tuple[object, ...], tuple[Choice, str]] = {}

    def of(self, finding: Finding, known: Facts, now_ns: int) -> tuple[Choice, str]:
        """The choice about the finding, and how each clause went; `known` is all that the sources told of it."""
        own = as_listed(finding.plain_facts() if self._plain else finding.facts(), finding, self._policies)
        facts = {**own, **known}
        key = (now_ns if self._ages else 0, own[CATEGORY], *map(facts.get, self._facts))
        if key not in self._made:
            if len(self._made) >= _MOST:
                self._made.clear()
            tried = self._policies.about(own)
            told = letters(((self._numbers[one.id], one) for one in tried), facts, now_ns)
            self._made[key] = choose(tried, facts, now_ns, traced=False), told
        return self._made[key]

"""What people made of each policy's decisions: how often it asked, what they answered, and what they closed it as."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from firebreak.core.secrets.redaction import safe

FALSE = frozenset({"false_positive", "benign"})
_REAL = "true_positive"
_FEWEST = 3
"""So few answers are an accident, and nothing is proposed because of them."""
_ASKS = "asks a person: "
_TELLING = ("workload.labels", "workload.environment", "workload.project", "workload.name")
"""Facts that a clause could leave workloads out by, what says most first."""
_LONGEST = 100
Trait = tuple[str, str]
"""A fact and its value; of a list, a member."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one incident tells of the policy that decided it.

    Attributes:
        policy: its name.
        mode: the mode it was decided in, as a word.
        closed_as: what people closed it as; empty where nobody did.
        said: which of `asked`, `approved` and `rejected` there were.
        traits: what is so of its workload.
    """

    policy: str
    mode: str
    closed_as: str = ""
    said: frozenset[str] = frozenset()
    traits: frozenset[Trait] = frozenset()

    @property
    def in_vain(self) -> bool:
        """Whether people said that there was nothing to contain."""
        return self.closed_as in FALSE or (self.closed_as != _REAL and "rejected" in self.said)

    @property
    def rightly(self) -> bool:
        """Whether people said that there was something to contain."""
        return self.closed_as == _REAL or (self.closed_as not in FALSE and "approved" in self.said)


@dataclass(slots=True)
class Answers:
    """Of one policy: incidents that it decided, and how many of them went which way.

    Attributes:
        decided: how many incidents it decided.
        enforced: how many of them it decided in mode enforce.
        asked: about how many a person was asked.
        approved: to how many somebody said yes.
        rejected: to how many somebody said no.
        real: how many people closed as a true positive.
        nothing: how many people closed as a false positive or benign.
        enforced_nothing: how many of these it had decided in mode enforce.
        apart: what many were in vain of, and none rightly; None where there is no such thing.
    """

    decided: int = 0
    enforced: int = 0
    asked: int = 0
    approved: int = 0
    rejected: int = 0
    real: int = 0
    nothing: int = 0
    enforced_nothing: int = 0
    apart: Trait | None = None

    @property
    def judged(self) -> int:
        """How many people closed as something: what `real` and `nothing` are a part of."""
        return self.real + self.nothing

    @property
    def proposal(self) -> str:
        """What the answers suggest, as a sentence; empty where they suggest nothing. Nothing is ever changed for it."""
        answered = self.approved + self.rejected
        if self.enforced_nothing and self.judged >= _FEWEST and 2 * self.nothing >= self.judged:
            which = f"{self.nothing} of {self.judged} that people judged were nothing"
            return f"{which}: mode approve, or {self._clause}"
        if answered >= _FEWEST and self.rejected > self.approved:
            return f"{self.rejected} of {answered} answers were no: {self._clause}, or mode monitor"
        return ""

    @property
    def _clause(self) -> str:
        if self.apart is None:
            return "a clause that leaves these out"
        fact, value = self.apart
        wanted = json.dumps(value, ensure_ascii=False)
        clause = f"{{contains: {wanted}}}" if fact == "workload.labels" else wanted
        return f"the clause none_of: [{{{fact}: {clause}}}], which nothing had that was right"


def answers_json(answers: Answers) -> dict[str, Any]:
    """All counts, what was judged, and the proposal."""
    counts = {name: value for name, value in asdict(answers).items() if name != "apart"}
    return {**counts, "judged": answers.judged, "proposal": answers.proposal}


def answers_of(found: Iterable[Judged]) -> dict[str, Answers]:
    """Each policy's answers by its name, the one that decided most first."""
    told: dict[str, Answers] = {}
    traits: dict[str, _Traits] = {}
    for one in found:
        answers = told.setdefault(one.policy, Answers())
        answers.decided += 1
        answers.enforced += one.mode == "enforce"
        answers.asked += "asked" in one.said
        answers.approved += "approved" in one.said
        answers.rejected += "rejected" in one.said
        answers.real += one.closed_as == _REAL
        answers.nothing += one.closed_as in FALSE
        answers.enforced_nothing += one.closed_as in FALSE and one.mode == "enforce"
        traits.setdefault(one.policy, _Traits()).add(one)
    for name, of_policy in traits.items():
        told[name].apart = of_policy.apart
    return dict(sorted(told.items(), key=lambda one: (-one[1].decided, one[0])))


@dataclass(slots=True)
class _Traits:
    """What workloads had about which a policy was wrong, and right."""

    vain: Counter[Trait] = field(default_factory=Counter)
    right: set[Trait] = field(default_factory=set)
    wrong: int = 0

    def add(self, one: Judged) -> None:
        if one.in_vain:
            self.vain.update(one.traits)
            self.wrong += 1
        elif one.rightly:
            self.right |= one.traits

    @property
    def apart(self) -> Trait | None:
        """What most of those in vain had, at least half of them and three; none where none was right, for contrast."""
        if not self.right:
            return None
        enough = [
            (-count, _TELLING.index(trait[0]), trait)
            for trait, count in self.vain.items()
            if count >= _FEWEST and 2 * count >= self.wrong and trait not in self.right
        ]
        return min(enough)[2] if enough else None


def traits_of(facts: Mapping[str, Any]) -> frozenset[Trait]:
    """Of a workload's facts those that may tell one from another, if they can be shown as they are."""
    found = set[Trait]()
    for name in _TELLING:
        value = facts.get(name)
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, str) and 0 < len(one) <= _LONGEST and safe(one) == one:
                found.add((name, one))
    return frozenset(found)


def said_in(history: Iterable[tuple[str, str]], *, asked: bool = False) -> frozenset[str]:
    """What was asked and answered, by who did what: Firebreak asks, and only others answer."""
    said = {"asked"} if asked else set[str]()
    for who, what in history:
        own = who == "firebreak"
        if own and what.startswith(_ASKS):
            said.add("asked")
        elif not own:
            said |= {word for word in ("approved", "rejected") if what.startswith(word)}
    return frozenset(said)

"""What people made of each policy's decisions: how often it asked, what they answered, and what they closed it as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.secrets.redaction import safe

_FEWEST = 3
"""So few answers are an accident, and nothing is proposed because of them."""
_NOTHING = frozenset({"false_positive", "benign"})
_ASKS = "asks a person: "


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
    """

    decided: int = 0
    enforced: int = 0
    asked: int = 0
    approved: int = 0
    rejected: int = 0
    real: int = 0
    nothing: int = 0
    enforced_nothing: int = 0

    @property
    def proposal(self) -> str:
        """What the answers suggest, as a sentence; empty where they suggest nothing. Nothing is ever changed for it."""
        judged, answered = self.real + self.nothing, self.approved + self.rejected
        if self.enforced_nothing and judged >= _FEWEST and 2 * self.nothing >= judged:
            which = f"{self.nothing} of {judged} that people judged were nothing"
            return f"{which}: mode approve, or a clause that leaves these out"
        if answered >= _FEWEST and self.rejected > self.approved:
            return f"{self.rejected} of {answered} answers were no: a clause that leaves these out, or mode monitor"
        return ""


@dataclass(slots=True)
class Book:
    """Records of incidents, of which the newest of each counts. Only what is counted is kept of a record."""

    _kept: dict[str, tuple[str, str, str, str, frozenset[str]]] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record; one without a decision counts for nothing."""
        decision = record.get("decision")
        policy = decision.get("policy") if isinstance(decision, Mapping) else None
        event, updated = str(record.get("id")), str(record.get("updated"))
        if isinstance(decision, Mapping) and isinstance(policy, str) and updated >= self._kept.get(event, ("",))[0]:
            closed = str(record.get("closed_as") or "")
            self._kept[event] = updated, safe(policy, 100), str(decision.get("mode")), closed, _said(record)

    def by_policy(self) -> dict[str, Answers]:
        """Each policy's answers, by its name."""
        found: dict[str, Answers] = {}
        for _, policy, mode, closed, said in self._kept.values():
            one = found.setdefault(policy, Answers())
            one.decided += 1
            one.enforced += mode == "enforce"
            one.asked += "asked" in said
            one.approved += "approved" in said
            one.rejected += "rejected" in said
            one.real += closed == "true_positive"
            one.nothing += closed in _NOTHING
            one.enforced_nothing += closed in _NOTHING and mode == "enforce"
        return {name: found[name] for name in sorted(found)}


def _said(record: Mapping[str, Any]) -> frozenset[str]:
    """What was asked and answered, by the record's own history: Firebreak asks, and only others answer."""
    said = {"asked"} if record.get("question") else set[str]()
    for line in _lines(record.get("history")):
        what, own = str(line.get("what")), line.get("who") == "firebreak"
        if own and what.startswith(_ASKS):
            said.add("asked")
        elif not own:
            said |= {word for word in ("approved", "rejected") if what.startswith(word)}
    return frozenset(said)


def _lines(value: object) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []

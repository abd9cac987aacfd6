"""What people made of each policy's decisions, from records as files and topics have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.reports.answers import Answers, Judged, answers_of, said_in, traits_of
from firebreak.core.secrets.redaction import safe


@dataclass(slots=True)
class Book:
    """Records of incidents, of which the newest of each counts. Only what is counted is kept of a record."""

    _kept: dict[str, tuple[str, Judged]] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record; one without a decision counts for nothing."""
        decision = record.get("decision")
        policy = decision.get("policy") if isinstance(decision, Mapping) else None
        event, updated = str(record.get("id")), str(record.get("updated"))
        if isinstance(decision, Mapping) and isinstance(policy, str) and updated >= self._kept.get(event, ("",))[0]:
            history = ((str(one.get("who")), str(one.get("what"))) for one in _rows(record.get("history")))
            told = Judged(
                safe(policy, 100),
                str(decision.get("mode")),
                str(record.get("closed_as") or ""),
                said_in(history, asked=bool(record.get("question"))),
            )
            facts = _facts(record) if told.in_vain or told.rightly else {}
            self._kept[event] = updated, Judged(told.policy, told.mode, told.closed_as, told.said, traits_of(facts))

    def by_policy(self) -> dict[str, Answers]:
        """Each policy's answers by its name, the one that decided most first."""
        return answers_of(told for _, told in self._kept.values())


def _facts(record: Mapping[str, Any]) -> Mapping[str, Any]:
    workload = next((one for one in _rows(record.get("evidence")) if one.get("source") == "workload"), {})
    facts = workload.get("facts")
    return facts if isinstance(facts, Mapping) else {}


def _rows(value: object) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []

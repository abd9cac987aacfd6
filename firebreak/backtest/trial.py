"""What records tell of one policy, in shadow or in force: how often it would have decided what, and how right that was.

Everything is counted; nothing is estimated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firebreak.core.mode import MODES, Mode
from firebreak.core.secrets.redaction import safe

MOST_SHOWN = 50
_RIGHT, _WRONG = "true_positive", ("false_positive", "benign")


@dataclass(slots=True)
class Trial:
    """One policy's record.

    Attributes:
        policy: its name.
        incidents: how many were looked at.
        first: when the first one began on which it has a word, RFC 3339; empty where there is none.
        last: when the last one did.
        fired: how many it would have decided, or did.
        in_force: how many of these it did decide.
        otherwise: how many of these were recorded under another set of policies than lies here.
        modes: in which mode, to how many of these.
        wanted: in which mode before guards, to how many of these.
        may: how many of these hang on an answer that was missing.
        workloads: on which workloads, to how many.
        right: how many of these people closed as a true positive.
        wrong: how many as a false positive or benign.
        anticipated: another policy that would have decided before it, to how many.
        faults: how often it could not be told, for a fault in Firebreak itself.
        ways: what decided and what would have, where they differ, to how many.
        differing: the first few of these incidents.
    """

    policy: str
    incidents: int = 0
    first: str = ""
    last: str = ""
    fired: int = 0
    in_force: int = 0
    otherwise: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    may: int = 0
    workloads: Counter[str] = field(default_factory=Counter)
    right: int = 0
    wrong: int = 0
    anticipated: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    differing: list[dict[str, str]] = field(default_factory=list)

    def count(self, event: str, one: Word, would: tuple[str, str]) -> None:
        """Count one incident, by the policy and the mode that would have decided it."""
        by, mode = would
        self.first, self.last = min(self.first or one.created, one.created), max(self.last, one.created)
        if by != self.policy:
            self.anticipated[safe(by, 100)] += 1
            return
        self.fired += 1
        self.in_force += one.decided[0] == self.policy
        self.otherwise += not one.here
        self.modes[mode] += 1
        self.wanted[one.wanted] += 1
        self.may += one.may
        self.workloads[one.workload] += 1
        self.right += one.closed == _RIGHT
        self.wrong += one.closed in _WRONG
        if one.decided != would:
            old, new = (safe(f"{which} ({way})", 200) for which, way in (one.decided, would))
            self.ways[f"{old} → {new}"] += 1
            if len(self.differing) < MOST_SHOWN:
                shown = {"id": event, "workload": one.workload, "decided": old, "would": new, "closed_as": one.closed}
                self.differing.append(shown)

    @property
    def as_json(self) -> dict[str, Any]:
        """All counts."""
        return {
            "from": self.first or None,
            "until": self.last or None,
            "fired": self.fired,
            "in_force": self.in_force,
            "under_other_policies": self.otherwise,
            "by_mode": {word: self.modes[word] for word in reversed(MODES)},
            "by_wanted": {word: self.wanted[word] for word in reversed(MODES)},
            "would_have_asked": self.modes[Mode.APPROVE.word],
            "missing_answers": self.may,
            "workloads": dict(self.workloads.most_common()),
            "right": self.right,
            "wrong": self.wrong,
            "not_judged": self.fired - self.right - self.wrong,
            "anticipated_by": dict(self.anticipated.most_common()),
            "faults": self.faults,
            "differs": {
                "count": sum(self.ways.values()),
                "ways": dict(self.ways.most_common()),
                "incidents": self.differing,
            },
        }


@dataclass(frozen=True, slots=True)
class Word:
    """What is told of one incident.

    Attributes:
        updated: when its record was written, RFC 3339.
        created: when it began.
        workload: where.
        closed: what people closed it as.
        decided: the policy and mode that decided it.
        would: those that would have with the policy in force; None where it has no word on it.
        wanted: the mode of that before guards.
        may: whether the policy only may match.
        fault: whether it could not be told.
        here: whether it was recorded under the policies that lie here.
    """

    updated: str
    created: str = ""
    workload: str = ""
    closed: str = ""
    decided: tuple[str, str] = ("", "")
    would: tuple[str, str] | None = None
    wanted: str = ""
    may: bool = False
    fault: bool = False
    here: bool = False


class Trials:
    """Records of incidents, of which the newest of each counts. Only what is counted is kept of a record."""

    def __init__(self, policy: str, policy_set: str) -> None:
        """For the policy of that name, in the set of policies with that digest."""
        self._policy, self._set = policy, policy_set
        self._kept: dict[str, Word] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record; one without a decision counts for nothing."""
        decision = record.get("decision")
        event, updated = str(record.get("id")), str(record.get("updated"))
        if isinstance(decision, Mapping) and updated >= self._kept.get(event, Word("")).updated:
            told = _word(self._policy, record, decision, updated)
            self._kept[event] = replace(told, here=decision.get("policy_set") == self._set)

    def trial(self) -> Trial:
        """All that was counted, from the earliest incident on."""
        told = Trial(self._policy, incidents=len(self._kept))
        for event, one in sorted(self._kept.items(), key=lambda item: (item[1].created, item[0])):
            told.faults += one.fault
            if one.would is not None:
                told.count(event, one, one.would)
        return told


def _word(policy: str, record: Mapping[str, Any], decision: Mapping[str, Any], updated: str) -> Word:
    decided = str(decision.get("policy") or "none"), str(decision.get("mode"))
    in_force = decided[0] == policy
    shadow = decision.get("shadow")
    listed = [one for one in shadow if isinstance(one, Mapping)] if isinstance(shadow, list) else []
    own: Mapping[str, Any] = next((one for one in listed if one.get("policy") == policy), {})
    would = (str(own.get("by")), str(own.get("mode"))) if own.get("by") else None
    return Word(
        updated,
        safe(str(record.get("created")), 40),
        _workload(record),
        str(record.get("closed_as") or ""),
        decided,
        decided if in_force else would,
        str((decision if in_force else own).get("wanted")),
        own.get("truth") == "unknown",
        bool(own.get("fault")),
    )


def _workload(record: Mapping[str, Any]) -> str:
    finding = record.get("finding")
    target = finding.get("target") if isinstance(finding, Mapping) else None
    return safe(str(target.get("resource") if isinstance(target, Mapping) else "unknown"), 300)

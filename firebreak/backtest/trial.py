"""What records tell of one policy, in shadow or in force: how often it would have decided what, and how right that was.

Everything is counted; nothing is estimated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
        modes: in which mode, to how many of these.
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
    modes: Counter[str] = field(default_factory=Counter)
    may: int = 0
    workloads: Counter[str] = field(default_factory=Counter)
    right: int = 0
    wrong: int = 0
    anticipated: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    differing: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Word:
    """What one incident's record says of the policy."""

    updated: str
    created: str = ""
    workload: str = ""
    closed: str = ""
    decided: tuple[str, str] = ("", "")
    would: tuple[str, str] | None = None
    may: bool = False
    fault: bool = False


class Trials:
    """Records of incidents, of which the newest of each counts. Only what is counted is kept of a record."""

    def __init__(self, policy: str) -> None:
        """For the policy of that name."""
        self._policy = policy
        self._kept: dict[str, _Word] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record; one without a decision counts for nothing."""
        decision = record.get("decision")
        event, updated = str(record.get("id")), str(record.get("updated"))
        if isinstance(decision, Mapping) and updated >= self._kept.get(event, _Word("")).updated:
            self._kept[event] = _word(self._policy, record, decision, updated)

    def trial(self) -> Trial:
        """All that was counted, from the earliest incident on."""
        told = Trial(self._policy, incidents=len(self._kept))
        for event, one in sorted(self._kept.items(), key=lambda item: (item[1].created, item[0])):
            told.faults += one.fault
            if one.would is not None:
                _count(told, event, one, one.would)
        return told


def _word(policy: str, record: Mapping[str, Any], decision: Mapping[str, Any], updated: str) -> _Word:
    decided = str(decision.get("policy") or "none"), str(decision.get("mode"))
    shadow = decision.get("shadow")
    listed = [one for one in shadow if isinstance(one, Mapping)] if isinstance(shadow, list) else []
    own: Mapping[str, Any] = next((one for one in listed if one.get("policy") == policy), {})
    would = (str(own.get("by")), str(own.get("mode"))) if own.get("by") else None
    return _Word(
        updated,
        safe(str(record.get("created")), 40),
        _workload(record),
        str(record.get("closed_as") or ""),
        decided,
        decided if decided[0] == policy else would,
        own.get("truth") == "unknown",
        bool(own.get("fault")),
    )


def _count(told: Trial, event: str, one: _Word, would: tuple[str, str]) -> None:
    by, mode = would
    told.first, told.last = told.first or one.created, one.created
    if by != told.policy:
        told.anticipated[safe(by, 100)] += 1
        return
    told.fired += 1
    told.in_force += one.decided[0] == told.policy
    told.modes[mode] += 1
    told.may += one.may
    told.workloads[one.workload] += 1
    told.right += one.closed == _RIGHT
    told.wrong += one.closed in _WRONG
    if one.decided != would:
        old, new = (safe(f"{which} ({way})", 200) for which, way in (one.decided, would))
        told.ways[f"{old} → {new}"] += 1
        if len(told.differing) < MOST_SHOWN:
            shown = {"id": event, "workload": one.workload, "decided": old, "would": new, "closed_as": one.closed}
            told.differing.append({key: safe(value, 300) for key, value in shown.items()})


def _workload(record: Mapping[str, Any]) -> str:
    finding = record.get("finding")
    target = finding.get("target") if isinstance(finding, Mapping) else None
    return safe(str(target.get("resource") if isinstance(target, Mapping) else "unknown"), 300)

"""Which set of policies decided what, and when it took the place of another: by the records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.secrets.redaction import safe


@dataclass(slots=True)
class Deciding:
    """One set of policies as records name it.

    Attributes:
        policy_set: its digest.
        first: when the first incident began that it decided, RFC 3339.
        last: when the last one did.
        versions: versions of Firebreak that decided with it.
        modes: mode to how many incidents it decided so.
        policies: policy to how many incidents it decided.
    """

    policy_set: str
    first: str
    last: str
    versions: set[str] = field(default_factory=set)
    modes: Counter[str] = field(default_factory=Counter)
    policies: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class SetLog:
    """Records of incidents, of which the newest of each counts. Only what is counted is kept of a record."""

    _kept: dict[str, tuple[str, str, str, str, str, str]] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record; one without a decision counts for nothing."""
        decision = record.get("decision")
        event, updated = str(record.get("id")), str(record.get("updated"))
        if isinstance(decision, Mapping) and updated >= self._kept.get(event, ("",))[0]:
            words = (decision.get("policy_set"), decision.get("version"), decision.get("mode"), decision.get("policy"))
            named, version, mode, policy = (safe(str(one or "none"), 100) for one in words)
            self._kept[event] = updated, safe(str(record.get("created")), 40), named, version, mode, policy

    def in_order(self) -> list[Deciding]:
        """Each set once, in the order in which they began to decide."""
        found: dict[str, Deciding] = {}
        for _, created, named, version, mode, policy in sorted(self._kept.values(), key=lambda one: one[1]):
            one = found.setdefault(named, Deciding(named, created, created))
            one.last = created
            one.versions.add(version)
            one.modes[mode] += 1
            one.policies[policy] += 1
        return list(found.values())

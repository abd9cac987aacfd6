"""What an incident keeps of its evidence: what each source answered, and where the vault has the originals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.facts import Evidence, FactValue
from firebreak.core.storage_names import Stored


@dataclass(frozen=True, slots=True)
class EvidenceRecord(Stored):
    """One source's evidence as the record keeps it."""

    source: str
    facts: Mapping[str, FactValue]
    gap: str | None
    took_ms: int
    shown: Mapping[str, Any] = field(default_factory=dict)


def evidence_record(evidence: Evidence) -> EvidenceRecord:
    """What the record keeps of a source's answer."""
    return EvidenceRecord(evidence.source, evidence.facts, evidence.gap, evidence.took_ms, evidence.shown)


@dataclass(frozen=True, slots=True)
class EvidenceLocation(Stored):
    """Where the vault keeps the evidence: the manifest's name and hash, empty where there is none, and the gaps."""

    uri: str
    manifest: str = ""
    sha256: str = ""
    gaps: tuple[str, ...] = ()

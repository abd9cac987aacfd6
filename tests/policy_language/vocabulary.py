"""Facts and actions enough to read policies by, and the folder of shipped policies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import enrichment
from firebreak.core.actions.action import NoParams, Responder
from firebreak.core.facts import Catalogue, Fact, Facts, FactType
from firebreak.core.findings.input_formats import read_findings
from firebreak.ports.offline import offline_facts

ROOT = Path(__file__).parents[2]
CATALOGUE: Catalogue = {
    "finding.category": Fact(FactType.TEXT, "The detector's display name."),
    "finding.severity": Fact(FactType.TEXT, "SCC's severity.", ("LOW", "MEDIUM", "HIGH", "CRITICAL"), ordered=True),
    "finding.partial_hash": Fact(FactType.BOOL, "Whether hashes cover only the beginning of a file."),
    "virustotal.malicious": Fact(FactType.NUMBER, "Engines that call it malware."),
    "virustotal.verdict": Fact(FactType.TEXT, "In a word.", ("malicious", "suspicious", "undetected")),
    "virustotal.label": Fact(FactType.TEXT, "The family's name."),
    "virustotal.families": Fact(FactType.TEXTS, "Families."),
    "virustotal.first_seen": Fact(FactType.TIME, "When it was first seen."),
    "attack.tactics": Fact(FactType.TEXTS, "Tactics.", ("Execution", "Impact")),
    "workload.project": Fact(FactType.TEXT, "The project's id."),
    "workload.kind": Fact(FactType.TEXT, "What it is.", ("service", "job", "worker_pool")),
    "workload.public": Fact(FactType.BOOL, "Whether anybody may send it requests."),
    "workload.labels": Fact(FactType.TEXTS, "Labels, each as key=value.", pairs=True),
}


@dataclass(frozen=True, slots=True)
class PinParams:
    """As the shipped action takes them."""

    require_different_image: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineParams:
    """One parameter of every kind, the first without a default."""

    depth: int
    strict: bool = True
    reason: str = ""
    regions: tuple[str, ...] = ()
    how: Literal["soft", "hard"] = "soft"

    def __post_init__(self) -> None:
        if self.depth > 9:
            message = "depth is at most 9"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Named:
    """As much of an action as the loader looks at."""

    name: str
    params: type
    summary: str = "It does something."
    kinds: frozenset[str] = frozenset()


_ALL = (
    Named("pin_previous_revision", PinParams),
    Named("cut_traffic", NoParams),
    Named("quarantine", QuarantineParams),
)
ACTIONS = {one.name: cast("Responder", one) for one in _ALL}


def shipped_findings() -> dict[str, Facts | str]:
    """What the findings that the shipped policies' examples name settle, by the paths that they have there."""
    folder = ROOT / "policies"
    return {
        str(path.relative_to(folder)): offline_facts(read_findings(path.read_bytes())[0].finding, enrichment.discover())
        for path in folder.glob("findings/*.json")
    }


def shipped_policies() -> dict[str, str]:
    """The files of `policies/`, by name."""
    return {path.name: path.read_text() for path in sorted((ROOT / "policies").glob("*.yaml"))}

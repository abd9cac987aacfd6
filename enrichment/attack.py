"""MITRE ATT&CK context: what the finding's techniques mean on Cloud Run, and what helps against them. Offline."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from firebreak.core.facts import Catalogue, Evidence, Fact, FactType
from firebreak.core.findings import attack
from firebreak.core.findings.finding import Finding


class AttackSource:
    """The finding's own techniques; where it has none, those of its detector."""

    facts: Catalogue = MappingProxyType(
        {
            "attack.techniques": Fact(FactType.TEXTS, "ATT&CK technique ids, such as T1105."),
            "attack.tactics": Fact(FactType.TEXTS, "ATT&CK tactic ids, such as TA0011."),
        }
    )
    permissions = frozenset[str]()
    deadline = 5.0
    shapes_plan = False

    def enrich(self, finding: Finding, sources: object) -> Evidence:  # noqa: ARG002 - asks nobody
        """The techniques as facts; a gap only if neither the finding nor its detector names one."""
        own = attack.techniques_of(finding.techniques, finding.additional_techniques)
        techniques = own or attack.techniques_of(attack.by_detector(finding.category, finding.module), ())
        if not techniques:
            return Evidence("attack", gap="neither the finding nor its detector names a technique")
        tactics = {tactic.id for one in techniques for tactic in one.tactics if tactic.id}
        stated = attack.tactic_of(finding.tactic)
        tactics |= {stated.id} if stated and stated.id else set()
        facts = {
            "attack.techniques": tuple(one.id for one in techniques if one.id),
            "attack.tactics": tuple(sorted(tactics)),
        }
        return Evidence("attack", facts, shown=_shown(finding, techniques, by_detector=not own))


def _shown(finding: Finding, techniques: tuple[attack.Technique, ...], *, by_detector: bool) -> dict[str, Any]:
    version = attack.VERSION
    if finding.attack_version and finding.attack_version != version:
        version = f"{version} (the finding says {finding.attack_version})"
    return {
        "attack_version": version,
        "from": "the detector" if by_detector else "the finding",
        "techniques": [_technique(one) for one in techniques],
    }


def _technique(technique: attack.Technique) -> dict[str, Any]:
    return {
        "id": technique.id or technique.enum,
        "title": technique.title,
        "tactics": [tactic.name for tactic in technique.tactics],
        "link": technique.url or "",
        "on_cloud_run": technique.on_cloud_run,
        "countered_by": [f"{one.id}: {one.advice}" if one.id else one.advice for one in technique.countered_by],
    }


source = AttackSource()

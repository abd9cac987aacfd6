"""The verdict on a finding in OCSF's words, every reason naming the source it came from."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.facts import Evidence
from firebreak.core.findings.finding import Finding
from firebreak.core.storage_names import Stored


@dataclass(frozen=True, slots=True)
class Verdict(Stored):
    """`id` is an OCSF verdict (True Positive, Suspicious, Insufficient Data); `confidence` is Low, Medium or High."""

    id: str
    confidence: str
    reasons: tuple[str, ...]


def assess(finding: Finding, evidence: tuple[Evidence, ...]) -> Verdict:
    """The verdict on the evidence. Never Benign: that VirusTotal knows nothing bad does not overrule the detector."""
    facts = {name: value for one in evidence for name, value in one.facts.items()}
    named = finding.category or "a detector"
    reasons = [f"scc: {finding.source_display or 'Security Command Center'} reports {named}"]
    reasons += [f"{one.source}: unknown ({one.gap})" for one in evidence if one.gap]
    verdict = facts.get("virustotal.verdict")
    engines = facts.get("virustotal.malicious")
    others = facts.get("related.count")
    if isinstance(others, int) and others > 0:
        reasons.append(f"related: {others} other findings on this workload around that time")
    if verdict is None:
        return Verdict("Suspicious", "Medium" if finding.whole_hashes else "Low", tuple(reasons))
    label = f", {facts['virustotal.label']}" if "virustotal.label" in facts else ""
    reasons.insert(
        1, f"virustotal: {verdict}, {engines if engines is not None else 'unknown number of'} engines{label}"
    )
    if verdict == "malicious":
        return Verdict("True Positive", "High", tuple(reasons))
    return Verdict("Suspicious", "Medium" if verdict == "suspicious" else "Low", tuple(reasons))

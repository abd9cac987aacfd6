"""What VirusTotal knows of the finding's files, by SHA-256. Never an upload, never "clean" from absence."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, Protocol

from core.evidence import Catalogue, Evidence, Fact, FactType, FactValue
from core.file_reputation import LINK, VERDICTS, FileReport, NoReport
from core.finding import Finding
from core.instants import NANOS, format_instant

_MOST_FILES = 5


class FileReports(Protocol):
    """Looks files up by hash."""

    def report(self, sha256: str, seconds: float) -> FileReport | NoReport:
        """The report, or why there is none, within that many seconds."""
        ...


class VirusTotalSource:
    """Facts are of the worst file that is known; a file that could not be asked about hides behind no other."""

    facts: Catalogue = MappingProxyType(
        {
            "virustotal.malicious": Fact(FactType.NUMBER, "How many engines call the file malicious."),
            "virustotal.suspicious": Fact(FactType.NUMBER, "How many engines call it suspicious."),
            "virustotal.undetected": Fact(FactType.NUMBER, "How many engines found nothing."),
            "virustotal.harmless": Fact(FactType.NUMBER, "How many engines call it harmless."),
            "virustotal.verdict": Fact(FactType.TEXT, "Firebreak's reading of the report.", VERDICTS, ordered=True),
            "virustotal.label": Fact(FactType.TEXT, "The threat label that VirusTotal suggests."),
            "virustotal.families": Fact(FactType.TEXTS, "Malware families that engines name."),
            "virustotal.score": Fact(FactType.NUMBER, "Google Threat Intelligence's score, 0 to 100."),
            "virustotal.first_seen": Fact(FactType.TIME, "When the file was first submitted."),
            "virustotal.stale": Fact(FactType.BOOL, "Whether the analysis is over 30 days old."),
        }
    )
    permissions = frozenset[str]()
    deadline = 10.0
    shapes_plan = False

    def enrich(self, finding: Finding, sources: Any) -> Evidence:  # noqa: ANN401 - see Sources in the package
        """Ask about every whole file that the finding names, in parallel."""
        hashes = finding.whole_hashes[:_MOST_FILES]
        if not hashes:
            partial = any(one.sha256 for one in finding.binaries)
            reason = "SCC hashed only the beginning of the file" if partial else "the finding gives no hash"
            return Evidence("virustotal", gap=reason)
        if sources.files is None:
            return Evidence("virustotal", gap="no VirusTotal key is configured", shown=_links(hashes))
        reports: FileReports = sources.files
        with ThreadPoolExecutor(max_workers=len(hashes), thread_name_prefix="virustotal") as pool:
            answers = list(pool.map(lambda one: reports.report(one, self.deadline - 0.5), hashes))
        return evidence_of(answers, time.time())


def evidence_of(answers: list[FileReport | NoReport], now: float) -> Evidence:
    """The worst report's facts; unknown where none is malicious and a file could not be asked about."""
    known = [one for one in answers if isinstance(one, FileReport)]
    missing = [one for one in answers if isinstance(one, NoReport)]
    worst = max(known, key=lambda one: (VERDICTS.index(one.verdict), one.malicious or 0), default=None)
    gap = "; ".join(dict.fromkeys(one.reason for one in missing)) or None
    shown = {
        "files": [
            {
                "sha256": one.sha256,
                "link": LINK + one.sha256,
                "result": f"{one.verdict}: {one.rule}" if isinstance(one, FileReport) else one.reason,
            }
            for one in answers
        ]
    }
    if worst is None or (missing and worst.verdict != "malicious"):
        return Evidence("virustotal", gap=gap, shown=shown)
    return Evidence("virustotal", _facts(worst, now), gap, shown=shown)


def _facts(report: FileReport, now: float) -> dict[str, FactValue]:
    first_seen = report.first_seen
    facts: dict[str, FactValue | None] = {
        "virustotal.malicious": report.malicious,
        "virustotal.suspicious": report.suspicious,
        "virustotal.undetected": report.undetected,
        "virustotal.harmless": report.harmless,
        "virustotal.verdict": report.verdict,
        "virustotal.label": report.label,
        "virustotal.families": report.families,
        "virustotal.score": report.score,
        "virustotal.first_seen": format_instant(first_seen * NANOS) if first_seen and first_seen < 1 << 35 else None,
        "virustotal.stale": report.stale(now) if report.last_analysis else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _links(hashes: tuple[str, ...]) -> dict[str, Any]:
    return {"files": [{"sha256": one, "link": LINK + one, "result": "not asked"} for one in hashes]}


source = VirusTotalSource()

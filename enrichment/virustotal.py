"""What VirusTotal knows of the finding's files, by SHA-256. Never an upload, never "clean" from absence."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from firebreak.core.facts import Catalogue, Evidence, Fact, FactType, FactValue
from firebreak.core.findings.file_report import LINK, VERDICTS, FileReport, NoReport
from firebreak.core.findings.finding import Finding
from firebreak.core.first_few import first_few
from firebreak.core.serialization import encode
from firebreak.core.timestamps import NANOS, format_instant
from firebreak.ports.enrichment import EnrichmentClients

if TYPE_CHECKING:
    from firebreak.ports.enrichment import EnrichmentClients

_MOST_FILES, _MOST_SHOWN = 5, 10
_RESERVE = 0.5
_PARTIAL = "SCC hashed only the beginning of the file"
_TOO_MANY = f"not asked, because the finding names more than {_MOST_FILES} files"


class VirusTotalSource:
    """Facts describe the worst file. If a file has no answer and none is malicious, all facts stay unknown."""

    facts: Catalogue = MappingProxyType(
        {
            "virustotal.malicious": Fact(FactType.NUMBER, "How many engines call the file malicious.", least=0),
            "virustotal.suspicious": Fact(FactType.NUMBER, "How many engines call it suspicious.", least=0),
            "virustotal.undetected": Fact(FactType.NUMBER, "How many engines found nothing.", least=0),
            "virustotal.harmless": Fact(FactType.NUMBER, "How many engines call it harmless.", least=0),
            "virustotal.verdict": Fact(FactType.TEXT, "Firebreak's reading of the report.", VERDICTS, ordered=True),
            "virustotal.label": Fact(FactType.TEXT, "The threat label that VirusTotal suggests."),
            "virustotal.families": Fact(FactType.TEXTS, "Malware families that engines name."),
            "virustotal.score": Fact(
                FactType.NUMBER, "Google Threat Intelligence's score, 0 to 100.", least=0, most=100
            ),
            "virustotal.first_seen": Fact(FactType.TIME, "When the file was first submitted."),
            "virustotal.stale": Fact(FactType.BOOL, "Whether the analysis is over 30 days old."),
        }
    )
    permissions = frozenset[str]()
    deadline = 10.0
    shapes_plan = False

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:
        """Look up the finding's files in parallel.

        A hash of a file's beginning is never sent: SCC's sha256 covers "the first hashed_size bytes"
        (securitycenter_v2.File docstring), so that VirusTotal cannot know it.
        """
        hashes = finding.whole_hashes
        partial = tuple(dict.fromkeys(one.sha256 for one in finding.binaries if one.sha256 and not one.whole))
        if not hashes:
            return Evidence("virustotal", gap=_PARTIAL if partial else "the finding has no file hash")
        if sources.files is None:
            reason = "no VirusTotal key is configured"
            return Evidence("virustotal", gap=reason, shown=_shown([NoReport(one, "no_key", reason) for one in hashes]))
        reports, asked = sources.files, hashes[:_MOST_FILES]
        with ThreadPoolExecutor(max_workers=len(asked), thread_name_prefix="virustotal") as pool:
            answers = list(pool.map(lambda one: reports.report(one, self.deadline - _RESERVE), asked))
        answers += [NoReport(one, "not_asked", _TOO_MANY) for one in hashes[_MOST_FILES:]]
        answers += [NoReport(one, "partial", _PARTIAL) for one in partial if one not in hashes]
        return replace(evidence_of(answers, time.time()), originals=lambda: {"virustotal": _originals(answers)})


def evidence_of(answers: Sequence[FileReport | NoReport], now: float) -> Evidence:
    """The facts of the worst report; none if some file has no answer and no file is malicious. `now`: since 1970, s."""
    known = [one for one in answers if isinstance(one, FileReport)]
    worst = max(known, key=lambda one: (VERDICTS.index(one.verdict), one.malicious or 0), default=None)
    missing = [f"{one.sha256[:12]}…: {one.reason}" for one in answers if isinstance(one, NoReport)]
    gap = "; ".join(first_few(missing, _MOST_FILES)) or None
    if worst is None or (missing and worst.verdict != "malicious"):
        return Evidence("virustotal", gap=gap, shown=_shown(answers))
    return Evidence("virustotal", _facts(worst, now), gap, shown=_shown(answers))


def _facts(report: FileReport, now: float) -> dict[str, FactValue]:
    """Only what the report carries: what it does not say stays unknown."""
    first_seen = report.first_seen
    facts: dict[str, FactValue | None] = {
        "virustotal.malicious": report.malicious,
        "virustotal.suspicious": report.suspicious,
        "virustotal.undetected": report.undetected,
        "virustotal.harmless": report.harmless,
        "virustotal.verdict": report.verdict,
        "virustotal.label": report.label,
        "virustotal.families": report.families or None,
        "virustotal.score": report.score,
        "virustotal.first_seen": format_instant(first_seen * NANOS) if first_seen and first_seen <= now else None,
        "virustotal.stale": report.stale(now),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _originals(answers: Sequence[FileReport | NoReport]) -> list[dict[str, Any]]:
    """VirusTotal's whole answers as far as they are in hand, and what was read from each."""
    whole = {one.sha256: one.original for one in answers if isinstance(one, FileReport)}
    return [{"answer": whole.get(one.sha256), "reading": encode(one)} for one in answers]


def _shown(answers: Sequence[FileReport | NoReport]) -> dict[str, Any]:
    return {"files": [_line(one) for one in answers[:_MOST_SHOWN]]}


def _line(answer: FileReport | NoReport) -> dict[str, Any]:
    line = {"sha256": answer.sha256, "link": LINK + answer.sha256}
    if isinstance(answer, FileReport):
        return {**line, "result": f"{answer.verdict}: {answer.reasons[0]}", "reasons": list(answer.reasons)}
    link = "" if answer.kind == "partial" else line["link"]
    return {**line, "link": link, "result": answer.reason, "reasons": [answer.reason]}


source = VirusTotalSource()

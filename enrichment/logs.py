"""What the workload wrote to Cloud Logging around the event. Log text is hostile: shown safe, and never believed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.errors import Refused, Transient
from firebreak.core.facts import Catalogue, Evidence, Fact, FactType, FactValue
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.logs import ERRORS, SEVERITIES, LogLine, LogLines, LogQuery, query_around
from firebreak.core.secrets.redaction import safe
from firebreak.core.timestamps import format_instant
from firebreak.ports.enrichment import EnrichmentClients, Logs

_BEFORE, _AFTER = 600, 100
_SHOWN_BEFORE, _SHOWN_AFTER = 8, 4
_LONGEST = 300
_RESERVE = 0.5
_NONE = "Cloud Logging holds no line of it from the half hour before the event; that is not proof that nothing ran"
_MORE = f"more than the {_BEFORE} lines read were written in the half hour before the event, so they are not counted"


class LogsSource:
    """Facts describe the half hour before the event; they are unknown unless all its lines were read."""

    facts: Catalogue = MappingProxyType(
        {
            "logs.count": Fact(FactType.NUMBER, "How many lines it wrote in the half hour before the event.", least=0),
            "logs.errors": Fact(FactType.NUMBER, "How many of these are errors or worse.", least=0),
            "logs.severities": Fact(FactType.TEXTS, "The severities that occur among them, such as ERROR."),
            "logs.binary_named": Fact(FactType.BOOL, "Whether one of them names the path of a file of the finding."),
        }
    )
    permissions = frozenset({"logging.logEntries.list"})
    deadline = 10.0
    shapes_plan = False

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:
        """Facts come from lines before the event; lines after it are only shown, because more may follow."""
        if isinstance(finding.target, NotATarget):
            return Evidence("logs", gap=finding.target.reason)
        query, event = query_around(finding.target, finding.event_ns), finding.event_ns
        seconds = self.deadline - _RESERVE
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="logs") as pool:
            earlier = query.between(query.first_ns, event)
            first = pool.submit(sources.logs.lines, earlier, "desc", _BEFORE, seconds)
            later = query.between(event + 1, query.last_ns)
            second = pool.submit(_or_none, sources.logs, later, seconds)
            before, after = first.result(), second.result()
        gap = _gap(before, after)
        facts = facts_of(before, finding) if before.whole and before.lines else {}
        shown = _shown(query, before, after)
        return Evidence("logs", facts, gap, shown=shown, originals=lambda: _originals(query, before, after))


def _or_none(logs: Logs, query: LogQuery, seconds: float) -> LogLines | None:
    try:
        return logs.lines(query, "asc", _AFTER, seconds)
    except (Refused, Transient):
        return None


def _gap(before: LogLines, after: LogLines | None) -> str | None:
    gaps = [] if before.lines else [_NONE]
    gaps += [] if before.whole else [_MORE]
    gaps += ["the lines after the event could not be read"] if after is None else []
    return "; ".join(gaps) or None


def facts_of(before: LogLines, finding: Finding) -> dict[str, FactValue]:
    """Facts from all lines before the event; the caller makes sure that none is missing."""
    seen = {line.severity for line in before.lines}
    facts: dict[str, FactValue] = {
        "logs.count": len(before.lines),
        "logs.errors": sum(line.severity in ERRORS for line in before.lines),
        "logs.severities": tuple(one for one in SEVERITIES if one in seen),
    }
    named = _binary_named(before.lines, finding)
    return facts if named is None else facts | {"logs.binary_named": named}


def _binary_named(lines: Iterable[LogLine], finding: Finding) -> bool | None:
    """Unknown where the finding gives no path, or one that had to be changed to be safe to keep."""
    paths = {one.path for one in finding.binaries if one.path.startswith("/")}
    plain = {path for path in paths if "\\" not in path and "[redacted" not in path and "…" not in path}
    names = [re.compile(rf"(?<![\w./-]){re.escape(path)}(?![\w/-]|\.\w)") for path in plain]
    if any(name.search(line.text) for line in lines for name in names):
        return True
    return None if plain != paths or not paths else False


def _originals(query: LogQuery, before: LogLines, after: LogLines | None) -> dict[str, Any]:
    """Every entry that was read, in the order of time."""
    entries = (*before.entries[::-1], *(after.entries if after else ()))
    return {"logs": {"query": query.filter, "whole": before.whole, "entries": list(entries)}}


def _shown(query: LogQuery, before: LogLines, after: LogLines | None) -> dict[str, Any]:
    nearest = (*before.lines[:_SHOWN_BEFORE][::-1], *(after.lines[:_SHOWN_AFTER] if after else ()))
    return {"link": query.link, "lines": [_line(one) for one in nearest]}


def _line(line: LogLine) -> dict[str, str]:
    return {
        "time": format_instant(line.at_ns),
        "severity": line.severity,
        "log": safe(line.log, _LONGEST),
        "text": safe(line.text, _LONGEST),
    }


source = LogsSource()

"""Log lines of a workload: what Cloud Logging is asked, the link that asks it in the console, what a line says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote, unquote

from firebreak.core.cloud_run.target import Target
from firebreak.core.evidence.redacted_copy import parse_if_json, redact
from firebreak.core.timestamps import NANOS, format_instant, parse_instant

Order = Literal["asc", "desc"]
WINDOW_NS = 30 * 60 * NANOS
"""How long before and after an event lines are read, in nanoseconds."""
SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
ERRORS = frozenset(SEVERITIES[SEVERITIES.index("ERROR") :])
_CONSOLE = "https://console.cloud.google.com/logs/query;query="
_LONGEST = 20_000
_NAMED_BY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "service": ("cloud_run_revision", "service_name"),
        "job": ("cloud_run_job", "job_name"),
        "worker_pool": ("cloud_run_worker_pool", "worker_pool_name"),
        "instance": ("cloud_run_instance", "instance_name"),
    }
)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Lines of one workload within a stretch of time; `terms` are fields of a log entry and what they must equal."""

    project: str
    terms: Mapping[str, str]
    first_ns: int
    last_ns: int

    @property
    def filter(self) -> str:
        """The query in Cloud Logging's language; no value in it can end its quotes."""
        equal = [f"{name}={quoted(value)}" for name, value in self.terms.items()]
        times = [f"timestamp>={quoted(format_instant(self.first_ns))}"]
        times.append(f"timestamp<={quoted(format_instant(self.last_ns))}")
        return " AND ".join([*equal, *times])

    @property
    def link(self) -> str:
        """The Logs Explorer with this query typed in."""
        return f"{_CONSOLE}{quote(self.filter, safe='')}?project={quote(self.project, safe='')}"

    def between(self, first_ns: int, last_ns: int) -> LogQuery:
        """The same question about another stretch of time."""
        return replace(self, first_ns=first_ns, last_ns=last_ns)


def query_around(target: Target, event_ns: int) -> LogQuery:
    """All lines of the workload around the event; of its one revision or execution where the target names that."""
    kind, name = _NAMED_BY[target.kind]
    terms = {"resource.type": kind, "resource.labels.location": target.location, f"resource.labels.{name}": target.name}
    if target.revision:
        terms["resource.labels.revision_name"] = target.revision
    if target.execution:
        terms['labels."run.googleapis.com/execution_name"'] = target.execution
    first = max(0, event_ns - WINDOW_NS)
    return LogQuery(target.project_id or target.project, MappingProxyType(terms), first, event_ns + WINDOW_NS)


def quoted(text: str) -> str:
    """A text as a value of Cloud Logging's language, quotes included."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log entry. `text` is as hostile as whoever wrote it: to be made safe where it is shown."""

    at_ns: int
    severity: str
    log: str
    text: str


@dataclass(frozen=True, slots=True)
class LogLines:
    """Entries in the order in which they were asked for; `whole` unless there are more that were not read.

    `entries` are the same as Cloud Logging gave them, in its JSON.
    """

    lines: tuple[LogLine, ...]
    whole: bool
    entries: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def line_of(entry: Mapping[str, Any]) -> LogLine:
    """Time, severity, log and text of an entry in Cloud Logging's JSON, whatever kind of payload it has."""
    severity = entry.get("severity", "DEFAULT")
    return LogLine(
        at_ns=_instant(entry.get("timestamp")),
        severity=severity if severity in SEVERITIES else "DEFAULT",
        log=unquote(str(entry.get("logName", "")).rpartition("/")[2]),
        text=_text_of(entry)[:_LONGEST],
    )


def _text_of(entry: Mapping[str, Any]) -> str:
    parts = [_request_text(entry.get("httpRequest"))]
    payload = entry.get("jsonPayload")
    audit = entry.get("protoPayload")
    if isinstance(text := entry.get("textPayload"), str):
        said = parse_if_json(text)
        parts.append(text if said is text else json.dumps(redact(said, _LONGEST), ensure_ascii=False))
    if isinstance(payload, Mapping):
        message = payload.get("message")
        alone = len(payload) == 1 and isinstance(message, str)
        parts.append(str(message) if alone else json.dumps(redact(payload, _LONGEST), ensure_ascii=False))
    if isinstance(audit, Mapping):
        parts.append(_audit_text(audit))
    return " ".join(part for part in parts if part)


def _request_text(request: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(request, Mapping):
        return ""
    said = (request.get(key) for key in ("requestMethod", "status", "requestUrl"))
    words = [str(one) for one in said if one]
    by = [f"{word} {request[key]}" for word, key in (("from", "remoteIp"), ("by", "userAgent")) if request.get(key)]
    return " ".join([*words, *by])


def _audit_text(audit: Mapping[str, Any]) -> str:
    who = audit.get("authenticationInfo")
    by = who.get("principalEmail") if isinstance(who, Mapping) else None
    words = [audit.get("methodName"), by and f"by {by}", audit.get("resourceName")]
    return " ".join(str(word) for word in words if word) or str(audit.get("@type", ""))


def _instant(text: object) -> int:
    try:
        return parse_instant(str(text))
    except ValueError:
        return 0

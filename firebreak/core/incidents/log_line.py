"""One line of the log: JSON, redacted, escaped, and short enough to arrive in one piece."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.first_few import and_more
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.core.secrets.redaction import safe, safe_value

LONGEST_LINE = 16_000
"""In bytes, as JSON. A LogEntry may hold 256 KiB, but lines over about 100 kB are reported to arrive in pieces."""
_NAMES = frozenset({"severity", "incident", "phase", "announcement", "message_id"})
"""What alerts, metrics and people find a line by; short, and never cut."""
_LONGEST_NAME = 500
_TIGHTER = ((1000, 50), (500, 20), (200, 10), (80, 5), (40, 2))
_LEFT_OUT = "… left out: the line was too long"


def log_line(severity: str, message: str, fields: Mapping[str, object]) -> str:
    """The line without its newline. If it is longer than LONGEST_LINE, its texts and lists are cut until it fits.

    `severity` is Cloud Logging's; `fields` are JSON values, made safe here.
    """
    shown: dict[str, Any] = safe_value({"severity": severity, "message": message, **fields})
    line = _json(shown)
    for texts, items in _TIGHTER:
        if _fits(line):
            return line
        line = _json({key: _name(one) if key in _NAMES else _cut(one, texts, items) for key, one in shown.items()})
    if _fits(line):
        return line
    names = {key: _name(one) for key, one in shown.items() if key in _NAMES}
    return _json({**names, "message": safe(message, 500), "cut": _LEFT_OUT})


def summary(incident: Incident) -> dict[str, Any]:
    """The part of a record that is logged, under the record's own names; topic, ledger and vault have all of it."""
    whole = record(incident)
    finding, decision, plan = whole["finding"] or {}, whole["decision"], whole["plan"]
    return {
        **_only(
            whole, "id", "phase", "now", "created", "updated", "stands", "closed_as", "still_open", "reopened", "vault"
        ),
        **_only(whole, "waits_for", "waits_since"),
        "finding": _only(finding, "name", "event_time", "category", "severity", "target"),
        "evidence": [_only(one, "source", "gap") for one in whole["evidence"] or () if _gap(one)],
        "verdict": whole["verdict"] and _only(whole["verdict"], "id", "confidence"),
        "decision": decision
        and _only(decision, "policy", "mode", "wanted", "caps", "suspects", "notify", "policy_set", "version"),
        "plan": plan
        and {
            "digest": plan["digest"],
            "changes": [_only(one, "target", "surface", "actions") for one in plan["changes"] if _is_whole(one)],
        },
        "question": whole["question"] and _only(whole["question"], "digest", "expires", "cautions"),
        "outcomes": [_only(one, "status", "surface", "detail") for one in whole["outcomes"] or () if _is_whole(one)],
        "release": whole["release"]
        and [_only(one, "target", "key", "result", "detail") for one in whole["release"]["keys"] if _is_whole(one)],
        **_only(whole, "cut"),
    }


def _only(part: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: part[name] for name in names if name in part}


def _is_whole(item: object) -> bool:
    """Not the note at the end of a list that says how many more there were."""
    return isinstance(item, Mapping)


def _gap(item: object) -> bool:
    return isinstance(item, Mapping) and bool(item["gap"])


def _name(value: object) -> object:
    return safe(value, _LONGEST_NAME) if isinstance(value, str) else None


def _cut(value: object, texts: int, items: int) -> object:
    if isinstance(value, str):
        return safe(value, texts)
    if isinstance(value, Mapping):
        return {key: _cut(one, texts, items) for key, one in value.items()}
    if isinstance(value, list):
        kept = [_cut(one, texts, items) for one in value[:items]]
        return [*kept, *(f"… {more}" for more in and_more(len(value), items))]
    return value


def _json(shown: object) -> str:
    return json.dumps(shown, ensure_ascii=False)


def _fits(line: str) -> bool:
    return len(line.encode()) <= LONGEST_LINE


def headline(incident: Incident) -> str:
    """One sentence for people: what, where, and how it stands."""
    target = incident.finding.target
    where = target.resource if isinstance(target, Target) else "no Cloud Run workload"
    last = incident.history[-1].what if incident.history else ""
    return f"{incident.phase}: {incident.finding.category or 'a finding'} on {where}: {last}"

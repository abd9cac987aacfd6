"""Plain chat messages: what, where, whose, why, the digest and the two commands. Escaped for each place's markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.first_few import first_few
from firebreak.core.incidents.escaping import google_chat, slack
from firebreak.core.incidents.incident import Incident
from firebreak.core.secrets.redaction import all_named

_MOST_LINES = 30
_MOST_SETTINGS = 10


def slack_message(incident: Incident, announcement: str) -> dict[str, Any]:
    """The body of a Slack incoming webhook."""
    return {"text": _text(incident, announcement, slack), "unfurl_links": False, "unfurl_media": False}


def google_chat_message(incident: Incident, announcement: str) -> dict[str, Any]:
    """The body of a Google Chat webhook."""
    return {"text": _text(incident, announcement, google_chat)}


def _text(incident: Incident, announcement: str, escape: Callable[[str], str]) -> str:
    lines = [f"Firebreak: {incident.phase.upper()}", *_what(incident), *_plan(incident), *_asks(incident)]
    last = incident.history[-1].what if incident.history else ""
    lines += [f"now: {last}", f"incident {incident.id} ({announcement})"]
    return "\n".join(escape(line) for line in lines[:_MOST_LINES])


def _what(incident: Incident) -> list[str]:
    finding, target = incident.finding, incident.finding.target
    where = target.resource if isinstance(target, Target) else target.reason
    lines = [f"what: {finding.category} ({finding.severity or 'no severity'})", f"where: {where}"]
    if finding.contacts:
        lines.append(f"owner: {', '.join(first_few(finding.contacts, 3))}")
    if incident.verdict:
        lines.append(f"verdict: {incident.verdict.id}, {incident.verdict.confidence} confidence")
    if incident.decision:
        caps = "; ".join(cap.reason for cap in incident.decision.caps)
        lines.append(f"why: policy {incident.decision.policy}, {incident.decision.mode.word}{caps and f' ({caps})'}")
    return lines


def _plan(incident: Incident) -> list[str]:
    changes = incident.plan.changes if incident.plan else ()
    settings = [
        all_named(f"{incident.place_of(change.target)}{key}: {before} -> {after}", key, before, after)
        for change in changes
        for key in sorted(change.after)
        for before, after in ((change.before.get(key), change.after.get(key)),)
    ]
    return list(first_few(settings, _MOST_SETTINGS))


def _asks(incident: Incident) -> list[str]:
    if incident.phase == "waiting" and incident.question:
        digest = incident.question.digest
        return [
            f"digest: {digest}",
            f"yes: firebreak incident approve {incident.id} --digest {digest[:12]}",
            f"no: firebreak incident reject {incident.id} --digest {digest[:12]} --reason WHY",
        ]
    if incident.phase == "contained":
        return [f"undo: firebreak incident release {incident.id}", f"look: firebreak incident show {incident.id}"]
    return [f"look: firebreak incident show {incident.id}"]

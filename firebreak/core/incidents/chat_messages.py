"""Plain chat messages: what, where, whose, why, the digest and what to type. Escaped for each place's markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.first_few import first_few
from firebreak.core.incidents.escaping import google_chat, slack
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import next_steps
from firebreak.core.incidents.setting_states import setting_states
from firebreak.core.incidents.so_now import so_now
from firebreak.core.timestamps import format_instant

_MOST_LINES = 30
_MOST_SETTINGS = 10


def slack_message(incident: Incident, announcement: str) -> dict[str, Any]:
    """The body of a Slack incoming webhook."""
    return {"text": _text(incident, announcement, slack), "unfurl_links": False, "unfurl_media": False}


def google_chat_message(incident: Incident, announcement: str) -> dict[str, Any]:
    """The body of a Google Chat webhook."""
    return {"text": _text(incident, announcement, google_chat)}


def _text(incident: Incident, announcement: str, escape: Callable[[str], str]) -> str:
    settings = first_few([one.line for one in setting_states(incident)], _MOST_SETTINGS)
    head = [f"Firebreak: {incident.phase.upper()}", f"now: {so_now(incident)}"]
    lines = [*head, *_what(incident), *settings, *_waits(incident), *_asks(incident)]
    last = incident.history[-1].what if incident.history else ""
    lines += [f"last: {last}", f"incident {incident.id} ({announcement})"]
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


def _waits(incident: Incident) -> list[str]:
    wait = incident.waits
    return [f"waits for: {wait.reason} (since {format_instant(wait.since_ns)})"] if wait else []


def _asks(incident: Incident) -> list[str]:
    question, release = incident.question, incident.release
    steps = next_steps(
        incident.id,
        incident.phase,
        question=question.digest if question else "",
        stands=incident.phase in ("contained", "releasing") or incident.stands,
        refused=[one.key for one in release.keys if one.result == "refused"] if release else (),
        shown=release.digest if release else "",
    )
    digest = [f"digest: {question.digest}"] if incident.phase == "waiting" and question else []
    look = [] if incident.phase == "waiting" else [f"look: firebreak incident show {incident.id}"]
    return [*digest, *(f"{one.word}: {one.command}" for one in steps), *look]

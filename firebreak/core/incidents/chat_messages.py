"""Plain chat messages: what, where, whose, why, the digest and what to type. Escaped for each place's markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.first_few import first_few
from firebreak.core.incidents.escaping import google_chat, slack
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import next_steps
from firebreak.core.incidents.record import released
from firebreak.core.incidents.release_words import setting_word, told
from firebreak.core.incidents.so_now import Became, became, so_now
from firebreak.core.secrets.redaction import all_named
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
    settings = _released(incident) or _plan(incident)
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


def _plan(incident: Incident) -> list[str]:
    """Setting by setting what is planned, was made, was undone, or never was."""
    changes = incident.plan.changes if incident.plan else ()
    settings = [
        all_named(
            f"{state}: {incident.place_of(change.target)}{key}: {_arrow(state, before, after)}", key, before, after
        )
        for change in changes
        for state in (became(incident, change),)
        for key in sorted(change.after)
        for before, after in ((change.before.get(key), change.after.get(key)),)
    ]
    return list(first_few(settings, _MOST_SETTINGS))


def _arrow(state: Became, before: object, after: object) -> str:
    """The way that the setting goes, or went last."""
    ends = setting_word(before), setting_word(after)
    return " → ".join(reversed(ends) if state == "undone" else ends)


def _released(incident: Incident) -> list[str]:
    """Setting by setting what became of a release; nothing where none was made, or something else is told."""
    release = incident.release
    told_now = incident.phase in ("releasing", "released", "contained")
    beside = incident.phase in ("received", "deferred") and release and (release.rests or not incident.plan)
    if release is None or release.digest or not (told_now or beside):
        return []
    lines = [
        all_named(f"{incident.place_of(one.target)}{told(released(one))}", one.key, one.before, one.after)
        for one in release.keys
    ]
    return list(first_few(lines, _MOST_SETTINGS))


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

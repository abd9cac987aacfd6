"""The incident as one JSON object: what the topic, the log and the command line show. Redacted, escaped, bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.containment.gcloud_rollback import contain_lines, undo_lines
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.asked import asked, until
from firebreak.core.incidents.decision import Decision, Shadowed
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import next_steps
from firebreak.core.incidents.phase import WORKING
from firebreak.core.incidents.release import Release
from firebreak.core.incidents.release_words import released
from firebreak.core.incidents.setting_states import OVER, became, setting_states
from firebreak.core.incidents.so_now import so_now
from firebreak.core.mode import Mode
from firebreak.core.secrets.redaction import bounded_record, named, safe
from firebreak.core.timestamps import format_instant

_ATTRIBUTE = 1000


def record(incident: Incident, *, believed: bool = True) -> dict[str, Any]:
    """The whole record. Absent parts are null or empty; texts from outside are safe to show.

    Of one that is not `believed`, since its seal is broken, the lines that undo its plan are shown whatever it says.
    """
    return bounded_record(
        {
            "id": incident.id,
            "phase": incident.phase,
            "now": so_now(incident),
            "asked": asked(incident),
            "until": until(incident),
            "created": format_instant(incident.created_ns),
            "updated": format_instant(incident.updated_ns),
            "finding": _finding(incident.finding),
            "evidence": [_parts(one, "source", "facts", "gap", "took_ms", "shown") for one in incident.evidence],
            "verdict": _parts(incident.verdict, "id", "confidence", "reasons") if incident.verdict else None,
            "decision": _decision(incident.decision) if incident.decision else None,
            "plan": _plan(incident, incident.plan) if incident.plan else None,
            "settings": [
                {"target": one.target, "key": named(one.key), "became": one.became, "says": one.says}
                for one in setting_states(incident)
            ],
            "outcomes": [_parts(one, "status", "detail", "surface", "actions") for one in incident.outcomes],
            "still_open": list(incident.still_open),
            "question": _question(incident),
            "release": _release(incident.release) if incident.release else None,
            "waits_for": incident.waits.reason if incident.waits else None,
            "waits_since": format_instant(incident.waits.since_ns) if incident.waits else None,
            "away": {what: format_instant(since_ns) for what, since_ns in incident.away.items()},
            "events": [_event(one) for one in incident.events],
            "undo": list(_undo(incident, believed=believed)),
            "by_hand": list(contain_lines(_not_made(incident))),
            "next": [_parts(one, "word", "command", "effect") for one in next_steps(incident)],
            "rested_on": _named_within(incident.rested_on) or None,
            "stands": incident.stands,
            "reopened": [named(one) for one in incident.reopened],
            "closed_as": incident.closed_as,
            **({"cut": list(incident.cut)} if incident.cut else {}),
            "vault": _parts(incident.vault, "uri", "manifest", "sha256", "gaps") if incident.vault else None,
            "history": [
                {"at": format_instant(one.at_ns), **_parts(one, "who", "what")} for one in incident.history[-50:]
            ],
        }
    )


def _parts(value: object, *names: str) -> dict[str, Any]:
    """Fields that the record has under their own names, as JSON: a mode is a word."""
    found = ((name, getattr(value, name)) for name in names)
    listed = {name: list(one) if isinstance(one, tuple) else one for name, one in found}
    return {name: one.word if isinstance(one, Mode) else one for name, one in listed.items()}


_SENTENCES = frozenset({"fault", "reason", "trust_reason", "unplaced", "unread", "unread_regions", "disputed", "away"})


def _named_within(value: Any, key: str = "") -> Any:  # noqa: ANN401 - JSON
    """Names of tags and revisions, and shares of them, as what they are, so that it loads as what it was."""
    if key in _SENTENCES:
        return value
    if isinstance(value, Mapping):
        return {named(name): _named_within(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_named_within(one, key) for one in value]
    return named(value) if isinstance(value, str) else value


def _undo(incident: Incident, *, believed: bool) -> tuple[str, ...]:
    """Lines that undo what was written, or may have been; none where nothing was, or all of it was given back."""
    wrote = incident.outcomes or incident.operation or any(one.what.startswith("wrote ") for one in incident.history)
    there = incident.phase not in OVER and (incident.done or wrote or incident.phase in WORKING)
    plan = incident.done or incident.plan
    return undo_lines(plan) if plan and (there or not believed) else ()


def _not_made(incident: Incident) -> Iterator[Change]:
    """What of the plan is not in effect, and could be made by hand."""
    changes = incident.plan.changes if incident.plan else ()
    return (one for one in changes if became(incident, one) in ("planned", "not done"))


def attributes(incident: Incident) -> dict[str, str]:
    """Pub/Sub message attributes, so that subscribers can filter."""
    target = incident.finding.target
    decision = incident.decision
    found = {
        "incident": incident.id,
        "phase": incident.phase,
        "mode": decision.mode.word if decision else "monitor",
        "project": "" if isinstance(target, NotATarget) else target.project_id or target.project,
        "notify": ",".join(decision.notify) if decision else "",
    }
    return {key: safe(value, _ATTRIBUTE) for key, value in found.items()}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name.spellings[0],
        "canonical_name": finding.canonical_name,
        "source": finding.name.source,
        "finding": finding.name.finding,
        "event_time": format_instant(finding.event_ns),
        **_parts(finding, "category", "severity", "state", "mute"),
        "class": finding.finding_class,
        **_parts(finding, "module", "organization", "folders"),
        "target": _target(finding),
        "binaries": [_parts(one, "path", "role", "sha256", "whole") for one in finding.binaries],
        "containers": [_parts(one, "name", "uri", "digest") for one in finding.containers],
        "commands": list(finding.commands),
        "techniques": [*finding.techniques, *finding.additional_techniques],
        "contacts": list(finding.contacts),
    }


def _target(finding: Finding) -> dict[str, Any]:
    target = finding.target
    if isinstance(target, NotATarget):
        return {"resource": target.name or None, "reason": target.reason}
    return {
        **_parts(target, "resource", "project", "project_id", "project_number", "location", "kind"),
        "name": named(target.name),
        "revision": target.revision and named(target.revision),
        "execution": target.execution,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        **_parts(decision, "policy", "mode", "wanted"),
        "caps": [_parts(cap, "name", "kind", "mode", "reason") for cap in decision.caps],
        **_parts(decision, "reasons", "trace", "policy_set", "version", "notify"),
        "suspects": [named(one) for one in decision.suspects],
        "suspects_because": decision.suspects_because,
        "shadow": [shadowed(one) for one in decision.shadow],
    }


def shadowed(one: Shadowed) -> dict[str, Any]:
    """What would have been decided with a policy in force that is in shadow."""
    return _parts(one, "policy", "truth", "by", "mode", "wanted", "caps", "actions", "fault")


def _plan(incident: Incident, plan: Plan) -> dict[str, Any]:
    return {
        "digest": plan.digest,
        "changes": [_change(one) | {"became": became(incident, one)} for one in plan.changes],
        "fallback": [_change(one) for one in plan.fallback],
        "refusals": [_parts(one, "action", "reason") for one in plan.refusals],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "target": change.target.resource,
        **_parts(change, "surface", "actions"),
        "before": _settings(change.before),
        "after": _settings(change.after),
        "basis": _basis(change.basis),
    }


def _settings(settings: Mapping[str, Setting | None]) -> dict[str, Any]:
    return {named(key): named(value) if isinstance(value, str) else value for key, value in settings.items()}


def _basis(basis: Mapping[str, Any]) -> dict[str, Any]:
    """What leads to a suspect is told by the names of tags and revisions, which are never altered."""
    leading = basis.get("references")
    return {**basis, "references": _settings(leading)} if isinstance(leading, Mapping) else dict(basis)


def _event(event: Event) -> dict[str, Any]:
    """One event, what SCC says of it, and what it made suspect on which target."""
    return {
        "id": event.id,
        "event_time": format_instant(event.event_ns),
        "seen": format_instant(event.seen_ns),
        **_parts(event, "status", "decided"),
        "suspects": {target: [named(one) for one in names] for target, names in event.suspects.items()},
    }


def _release(release: Release) -> dict[str, Any]:
    """What a release did with each setting; `digest` while it waits for a yes to what it would write besides."""
    return {
        "by": release.by,
        "asked": format_instant(release.asked_ns),
        **_parts(release, "digest", "over"),
        "keys": [released(one) for one in release.keys],
    }


def _question(incident: Incident) -> dict[str, Any] | None:
    """The open question, or the last one."""
    question = incident.question
    if question is None:
        return None
    return {
        "digest": question.digest,
        "asked": format_instant(question.asked_ns),
        "expires": format_instant(question.expires_ns),
        "cautions": list(dict.fromkeys(one.partition(":")[0] for one in question.cautions)),
        **_parts(question, "events", "asked_before"),
    }

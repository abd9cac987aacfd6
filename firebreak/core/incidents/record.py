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
from firebreak.core.incidents.evidence_record import EvidenceLocation
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import next_steps
from firebreak.core.incidents.phase import WORKING
from firebreak.core.incidents.release import Release
from firebreak.core.incidents.release_words import released
from firebreak.core.incidents.setting_states import OVER, became, setting_states
from firebreak.core.incidents.so_now import so_now
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
            "evidence": [
                {
                    "source": one.source,
                    "facts": dict(one.facts),
                    "gap": one.gap,
                    "took_ms": one.took_ms,
                    "shown": one.shown,
                }
                for one in incident.evidence
            ],
            "verdict": _verdict(incident),
            "decision": _decision(incident.decision) if incident.decision else None,
            "plan": _plan(incident, incident.plan) if incident.plan else None,
            "settings": [
                {"target": one.target, "key": named(one.key), "became": one.became, "says": one.says}
                for one in setting_states(incident)
            ],
            "outcomes": [
                {"status": one.status, "detail": one.detail, "surface": one.surface, "actions": one.actions}
                for one in incident.outcomes
            ],
            "still_open": list(incident.still_open),
            "question": _question(incident),
            "release": _release(incident.release) if incident.release else None,
            "waits_for": incident.waits.reason if incident.waits else None,
            "waits_since": format_instant(incident.waits.since_ns) if incident.waits else None,
            "away": {what: format_instant(since_ns) for what, since_ns in incident.away.items()},
            "events": [_event(one) for one in incident.events],
            "undo": list(_undo(incident, believed=believed)),
            "by_hand": list(contain_lines(_not_made(incident))),
            "next": [{"word": one.word, "command": one.command, "effect": one.effect} for one in next_steps(incident)],
            "rested_on": _named_within(incident.rested_on) or None,
            "stands": incident.stands,
            "reopened": [named(one) for one in incident.reopened],
            "closed_as": incident.closed_as,
            **({"cut": list(incident.cut)} if incident.cut else {}),
            "vault": _vault(incident.vault) if incident.vault else None,
            "history": [
                {"at": format_instant(one.at_ns), "who": one.who, "what": one.what} for one in incident.history[-50:]
            ],
        }
    )


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
        "category": finding.category,
        "severity": finding.severity,
        "state": finding.state,
        "mute": finding.mute,
        "class": finding.finding_class,
        "module": finding.module,
        "organization": finding.organization,
        "folders": None if finding.folders is None else list(finding.folders),
        "target": _target(finding),
        "binaries": [
            {"path": one.path, "role": one.role, "sha256": one.sha256, "whole": one.whole} for one in finding.binaries
        ],
        "containers": [{"name": one.name, "uri": one.uri, "digest": one.digest} for one in finding.containers],
        "commands": list(finding.commands),
        "techniques": [*finding.techniques, *finding.additional_techniques],
        "contacts": list(finding.contacts),
    }


def _target(finding: Finding) -> dict[str, Any]:
    target = finding.target
    if isinstance(target, NotATarget):
        return {"resource": target.name or None, "reason": target.reason}
    return {
        "resource": target.resource,
        "project": target.project,
        "project_id": target.project_id,
        "project_number": target.project_number,
        "location": target.location,
        "kind": target.kind,
        "name": named(target.name),
        "revision": target.revision and named(target.revision),
        "execution": target.execution,
    }


def _vault(kept: EvidenceLocation) -> dict[str, Any]:
    return {"uri": kept.uri, "manifest": kept.manifest, "sha256": kept.sha256, "gaps": list(kept.gaps)}


def _verdict(incident: Incident) -> dict[str, Any] | None:
    if incident.verdict is None:
        return None
    verdict = incident.verdict
    return {"id": verdict.id, "confidence": verdict.confidence, "reasons": list(verdict.reasons)}


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "policy": decision.policy,
        "mode": decision.mode.word,
        "wanted": decision.wanted.word,
        "caps": [
            {"name": cap.name, "kind": cap.kind, "mode": cap.mode.word, "reason": cap.reason} for cap in decision.caps
        ],
        "reasons": list(decision.reasons),
        "trace": list(decision.trace),
        "policy_set": decision.policy_set,
        "version": decision.version,
        "notify": list(decision.notify),
        "suspects": [named(one) for one in decision.suspects],
        "suspects_because": decision.suspects_because,
        "shadow": [shadowed(one) for one in decision.shadow],
    }


def shadowed(one: Shadowed) -> dict[str, Any]:
    """What would have been decided with a policy in force that is in shadow."""
    return {
        "policy": one.policy,
        "truth": one.truth,
        "by": one.by,
        "mode": one.mode.word,
        "wanted": one.wanted.word,
        "caps": list(one.caps),
        "actions": list(one.actions),
        "fault": one.fault,
    }


def _plan(incident: Incident, plan: Plan) -> dict[str, Any]:
    return {
        "digest": plan.digest,
        "changes": [_change(one) | {"became": became(incident, one)} for one in plan.changes],
        "fallback": [_change(one) for one in plan.fallback],
        "refusals": [{"action": one.action, "reason": one.reason} for one in plan.refusals],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "target": change.target.resource,
        "surface": change.surface,
        "actions": list(change.actions),
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
        "status": event.status,
        "decided": event.decided,
        "suspects": {target: [named(one) for one in names] for target, names in event.suspects.items()},
    }


def _release(release: Release) -> dict[str, Any]:
    """What a release did with each setting; `digest` while it waits for a yes to what it would write besides."""
    return {
        "by": release.by,
        "asked": format_instant(release.asked_ns),
        "digest": release.digest,
        "over": release.over,
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
        "events": list(question.events),
        "asked_before": list(question.asked_before),
    }

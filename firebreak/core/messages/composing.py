"""An incident's record made into a message: what somebody who sees nothing else has to know, and no more of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.gcloud_rollback import undo_lines
from firebreak.core.first_few import and_more, first_few
from firebreak.core.incidents.asked import asked, clock, until
from firebreak.core.incidents.incident import REFUSED_ANNOUNCEMENT, Incident
from firebreak.core.incidents.next_steps import NextStep, next_steps
from firebreak.core.incidents.setting_states import setting_states
from firebreak.core.incidents.so_now import in_effect, so_now
from firebreak.core.messages.links import links
from firebreak.core.messages.message import Message, Row
from firebreak.core.messages.wording import title_word, undo_by, urgency
from firebreak.core.mode import Mode
from firebreak.core.secrets.redaction import all_named, named, safe

_MOST_SETTINGS, _MOST_OPEN, _FEW = 10, 5, 3
_LONG, _LINE = 300, 200
_ALL_UNDO = 1500
"""Characters of all lines for gcloud together: one that is cut would do something else."""
_COUNTS = ("virustotal.malicious", "virustotal.suspicious", "virustotal.undetected")
_OWNERS = ("owner", "team")
_ASKS = "asks a person"


def compose(
    incident: Incident,
    announcement: str = "",
    *,
    level: int = 0,
    contains: bool = False,
    releases: bool = False,
    runbook: str = "",
    owner_labels: tuple[str, ...] = (),
) -> Message:
    """The message of an incident as it is now.

    `announcement`: its id. `level`: 1 for a reminder, 2 and more for escalations. `contains`: whether the policy
    contains what nobody answers; `releases`: whether it may release by itself. `runbook`: the readers' own page.
    `owner_labels`: labels that name a workload's owner, besides `owner` and `team`.
    """
    why = _why(incident)
    return Message(
        id=announcement,
        incident=incident.id,
        phase=incident.phase,
        urgency=urgency(incident),
        question=incident.question.digest if incident.question and incident.phase == "waiting" else "",
        level=level,
        title=_line(f"{title_word(incident, level)}: {incident.finding.category or 'a finding'} on {_short(incident)}"),
        now=_line(so_now(incident)),
        asked=asked(incident),
        until=until(incident, contains=contains, releases=releases),
        facts=tuple(Row(word, _line(text)) for word, text in _facts(incident, owner_labels) if text),
        why=_line(why),
        changes=tuple(map(_line, _settings(incident))),
        still_open=tuple(safe(one, _LINE) for one in first_few(incident.still_open, _MOST_OPEN)),
        steps=_steps(incident),
        undo_by=undo_by(incident),
        undo=_undo(incident),
        answered=_line(_answered(incident)),
        last=_line(_last(incident, why)),
        links=links(incident, runbook),
    )


def _line(text: str) -> str:
    return safe(text, _LONG)


def _short(incident: Incident) -> str:
    target = incident.finding.target
    return f"{target.name} ({target.project_id or target.project})" if isinstance(target, Target) else "no workload"


def _facts(incident: Incident, owner_labels: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    finding, target = incident.finding, incident.finding.target
    yield "what", f"{finding.category or 'a finding'} ({finding.severity or 'no severity'})"
    if isinstance(target, Target):
        more = len(incident.targets) - 1
        further = f", and {more} more resource{'s' if more > 1 else ''}" if more > 0 else ""
        yield "where", f"{target.resource}{further}"
    else:
        yield "where", target.name or target.reason
    suspects = incident.decision.suspects if incident.decision else ()
    yield "suspects", all_named(", ".join(first_few(suspects, _FEW)), *suspects) if suspects else ""
    culprit = next(iter(finding.binaries), None)
    yield "binary", f"{culprit.path} ({culprit.role})" if culprit else ""
    yield "container", ", ".join(first_few([one.name for one in finding.containers if one.name], _FEW))
    images = [one.uri or one.digest or "" for one in finding.containers]
    yield "image", ", ".join(first_few([one for one in images if one], _FEW))
    if culprit and culprit.sha256:
        yield "sha256", f"{culprit.sha256}{'' if culprit.whole else ' (of the beginning of the file alone)'}"
    yield "VirusTotal", _reputation(incident)
    yield "owner", ", ".join(first_few([*_owners(incident, owner_labels), *finding.contacts], _FEW))
    if incident.verdict:
        yield "verdict", f"{incident.verdict.id}, {incident.verdict.confidence} confidence"
    if incident.waits:
        yield "waits for", f"{incident.waits.reason} (since {clock(incident.waits.since_ns)})"
    yield "evidence", incident.vault.uri if incident.vault else ""


def _reputation(incident: Incident) -> str:
    """The counts, or why there are none."""
    source = next((one for one in incident.evidence if one.source == "virustotal"), None)
    if source is None:
        return ""
    facts = source.facts
    if "virustotal.malicious" not in facts:
        return f"unknown: {source.gap}" if source.gap else "unknown"
    counts = [f"{facts[name]} {name.partition('.')[2]}" for name in _COUNTS if name in facts]
    label = facts.get("virustotal.label")
    return ", ".join([*counts, *([str(label)] if label else [])])


def workload_labels(incident: Incident) -> dict[str, str]:
    """The workload's labels as they were read; none where they are not known."""
    said = next((one.facts.get("workload.labels") for one in incident.evidence if one.source == "workload"), None)
    pairs = said if isinstance(said, tuple | list) else ()
    return {key: value for key, _, value in (str(one).partition("=") for one in pairs)}


def _owners(incident: Incident, owner_labels: tuple[str, ...]) -> list[str]:
    labels = workload_labels(incident)
    return [f"{key} {labels[key]}" for key in dict.fromkeys((*owner_labels, *_OWNERS)) if labels.get(key)]


def _why(incident: Incident) -> str:
    """The policy, its mode, and what lowered it: nothing else of the guards."""
    decision = incident.decision
    if decision is None:
        return ""
    policy = f"{f'policy {decision.policy}' if decision.policy else 'no policy'}, {decision.mode.word}"
    matched = f"policy {decision.policy} ({decision.wanted.word}) matches"
    lowered = replace(decision, reasons=tuple(one for one in decision.reasons if one != matched)).because
    asks = decision.mode < decision.wanted or decision.wanted is Mode.APPROVE
    return f"{policy}: {lowered}" if lowered and asks else policy


def _last(incident: Incident, why: str) -> str:
    """What Firebreak did last, if no person spoke after it; of a question only what its reasons do not say already."""
    news = [one for one in incident.history if REFUSED_ANNOUNCEMENT not in one.what]
    last = news[-1].what if news and news[-1].who == "firebreak" else ""
    if incident.phase != "waiting":
        return last
    known, matches = why.partition(": ")[2].split("; "), f"policy {incident.decision and incident.decision.policy} "
    said = last.removeprefix(_ASKS).removeprefix(": ").split("; ")
    new = [one for one in said if one and one not in known and not one.startswith(matches)]
    return f"{_ASKS}: {'; '.join(new)}" if new else ""


def _settings(incident: Incident) -> tuple[str, ...]:
    """What became of each setting: what is still held first, single tags last, so that each target has its line."""
    return first_few([one.line for one in setting_states(incident)], _MOST_SETTINGS)


def _steps(incident: Incident) -> tuple[NextStep, ...]:
    return tuple(dict.fromkeys((*next_steps(incident), NextStep("look", f"firebreak incident show {incident.id}"))))


def _undo(incident: Incident) -> tuple[str, ...]:
    """As many whole lines as there is room for, of what is in effect; after them how many there are besides."""
    if not (incident.phase == "releasing" or in_effect(incident)):
        return ()
    lines, kept, room = undo_lines(incident.done or incident.plan) if incident.plan else (), list[str](), _ALL_UNDO
    for line in lines:
        shown = safe(line)
        if shown == line and len(line) <= room:
            kept.append(shown)
            room -= len(line)
    left = and_more(len(lines), len(kept))
    return (*kept, *(f"# {more}: firebreak incident show {incident.id}" for more in left))


def _answered(incident: Incident) -> str:
    """Which person spoke last, and what."""
    spoke = next((one for one in reversed(incident.history) if one.who != "firebreak"), None)
    return f"{named(spoke.who)}: {spoke.what} ({clock(spoke.at_ns)})" if spoke else ""

"""Why an incident was decided as it was: the finding, the evidence and its gaps, the verdict, the decision."""

from __future__ import annotations

import re

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.question import show_doubts
from firebreak.cli.screens.wording import Record, brief, clock, moment, part, rows, since, span, texts, word
from firebreak.core.first_few import and_more, first_few

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST = 5
_SHORT = 12


def show_finding(screen: Screen, finding: Record, now_ns: int) -> None:
    """What SCC says: severity, when, which files, what ran, who owns it."""
    if not finding:
        return
    screen.heading("Finding")
    event = finding.get("event_time")
    when = f"{moment(event)}, {span(since(event, now_ns))} ago"
    screen.line(f"{finding.get('severity') or 'no severity'}, event at {when}", indent=2)
    binaries = rows(finding.get("binaries"))
    for binary in binaries[:_MOST]:
        _show_binary(screen, binary)
    _and_more(screen, len(binaries))
    containers = rows(finding.get("containers"))
    for container in containers[:_MOST]:
        _show_container(screen, container)
    _and_more(screen, len(containers))
    commands = texts(finding.get("commands"))
    for command in commands[:_MOST]:
        screen.line(f"ran: {command}", indent=2, hang=5)
    _and_more(screen, len(commands))
    if contacts := texts(finding.get("contacts")):
        screen.line(f"owner: {', '.join(first_few(contacts, _MOST))}", indent=2, hang=7)
    screen.verbatim(str(finding.get("name", "")), "dim", indent=2)


def _show_binary(screen: Screen, binary: Record) -> None:
    screen.line(str(binary.get("path") or "a file without a name"), "strong", indent=2, hang=2)
    digest = str(binary.get("sha256") or "")
    if not digest:
        screen.line("no hash given", indent=4)
        return
    whole = "" if binary.get("whole") else "  (of its beginning only)"
    screen.verbatim(f"sha256 {digest}{whole}", indent=4)
    if binary.get("whole") and _SHA256.fullmatch(digest):
        screen.verbatim(f"https://www.virustotal.com/gui/file/{digest}", indent=4)


def _show_container(screen: Screen, container: Record) -> None:
    """Where it ran: the container, and its image by name and by digest."""
    screen.line(f"container {container.get('name') or 'without a name'}", indent=2, hang=2)
    for part_ in ("uri", "digest"):
        if container.get(part_):
            screen.verbatim(f"{'image' if part_ == 'uri' else 'digest'} {container[part_]}", indent=4)


def _and_more(screen: Screen, count: int) -> None:
    for more in and_more(count, _MOST):
        screen.line(more, "dim", indent=2)


def show_evidence(screen: Screen, record: Record) -> None:
    """The verdict with its reasons, then every source with the time it took and what it does not know."""
    if verdict := part(record.get("verdict")):
        screen.heading(f"Verdict: {verdict.get('id')}, {str(verdict.get('confidence')).lower()} confidence")
        for reason in texts(verdict.get("reasons")):
            screen.line(reason, indent=2, hang=2)
    evidence = rows(record.get("evidence"))
    if evidence:
        screen.heading("Evidence")
    for one in evidence:
        _show_source(screen, one)


def _show_source(screen: Screen, one: Record) -> None:
    took = f"{one.get('source')} ({one.get('took_ms')} ms)"
    gap = one.get("gap")
    screen.line(f"{took}: unknown: {gap}" if gap else took, "caution" if gap else "", indent=2, hang=2)
    facts = [f"{key.partition('.')[2]} {word(value)}" for key, value in part(one.get("facts")).items()]
    if facts:
        screen.line(", ".join(facts), "dim", indent=4)
    shown = part(one.get("shown"))
    for file in rows(shown.get("files"))[:_MOST]:
        if str(file.get("result", "")) not in str(gap):
            screen.line(str(file["result"]), "dim", indent=4, hang=2)
    for finding in rows(shown.get("findings"))[:_MOST]:
        screen.line(", ".join(word(value) for value in finding.values() if value), "dim", indent=4, hang=2)
    for line in rows(shown.get("lines"))[-_MOST:]:
        told = f"{clock(line.get('time'), '%H:%M:%S')} {line.get('severity')} {line.get('text')}"
        screen.line(told, "dim", indent=4, hang=2)
    if shown.get("link"):
        screen.verbatim(str(shown["link"]), "dim", indent=4)
    for technique in rows(shown.get("techniques"))[:_MOST]:
        screen.line(f"{technique.get('title')}: {technique.get('on_cloud_run')}", "dim", indent=4, hang=2)


def show_decision(screen: Screen, decision: Record) -> None:
    """The mode, what lowered it, how every policy was tried, and who is suspect."""
    if not decision:
        return
    mode, wanted = decision.get("mode"), decision.get("wanted")
    lowered = "" if mode == wanted else f", lowered from {wanted}"
    screen.heading(f"Decision: {mode}{lowered}, policy {decision.get('policy') or 'none'}")
    policies = str(decision.get("policy_set"))[:_SHORT]
    screen.line(f"by the policy set {policies}, Firebreak {decision.get('version')}", "dim", indent=2, hang=2)
    show_reasons(screen, decision)
    show_shadow(screen, rows(decision.get("shadow")))


def show_shadow(screen: Screen, found: list[Record]) -> None:
    """What would have been decided with each policy in force that is in shadow."""
    for one in found:
        name = f"in shadow, {one.get('policy')}"
        if one.get("fault"):
            screen.line(f"{name}: could not be told, for a fault in Firebreak itself: {one['fault']}", "bad", indent=2)
        elif one.get("by") != one.get("policy"):
            screen.line(f"{name}: {one.get('by')} would decide before it: {one.get('mode')}", "dim", indent=2, hang=2)
        else:
            lowered = "" if one.get("mode") == one.get("wanted") else f", lowered from {one.get('wanted')}"
            guards = f" ({', '.join(texts(one.get('caps')))})" if lowered else ""
            actions = ", ".join(texts(one.get("actions"))) or "nothing to change"
            screen.line(f"{name}: would be {one.get('mode')}{lowered}{guards}: {actions}", "dim", indent=2, hang=2)


def show_reasons(screen: Screen, decision: Record) -> None:
    """The same without its headline."""
    show_doubts(screen, {"decision": decision})
    for policy in rows(decision.get("trace")):
        _show_tried(screen, policy)
    because = decision.get("suspects_because")
    if suspects := texts(decision.get("suspects")):
        screen.line(f"suspects: {', '.join(suspects)} ({because})", indent=2, hang=2)
    elif because:
        screen.line(f"no suspects: {because}", indent=2, hang=2)


def _show_tried(screen: Screen, policy: Record) -> None:
    """A policy that does not match shows only what kept it from matching."""
    truth = policy.get("truth")
    said = {"true": "matches", "false": "does not match", "unknown": "may match"}.get(str(truth), str(truth))
    screen.line(f"{policy.get('policy')} {said}", "dim", indent=2)
    for clause in rows(policy.get("clauses")):
        if truth == "true" or clause.get("truth") != "true" or clause.get("within"):
            screen.line(f"{clause.get('truth'):<8}{clause_in_words(clause)}", "dim", indent=4, hang=10)


def clause_in_words(clause: Record) -> str:
    """One condition, what it wants, and what the fact is."""
    within = f"{clause['within']}: " if clause.get("within") else ""
    wanted = f"{within}{clause.get('fact')} {clause.get('operator')} {brief(clause.get('wanted'))}"
    value = clause.get("value")
    if value == clause.get("wanted"):
        return wanted
    return f"{wanted}: it is {'unknown' if value is None else brief(value)}"

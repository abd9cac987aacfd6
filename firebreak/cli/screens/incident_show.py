"""One incident for a person at 3 a.m.: how it stands and what to type, then why, then the way back by hand."""

from __future__ import annotations

import re

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.incident_events import show_events
from firebreak.cli.screens.incident_evidence import show_kept
from firebreak.cli.screens.incident_list import PHASE_STYLES
from firebreak.cli.screens.incident_why import show_decision, show_evidence, show_finding
from firebreak.cli.screens.next_steps import show_next, stands
from firebreak.cli.screens.plan import show_plan, show_settings
from firebreak.cli.screens.question import CHANGED, expiry, heeded, show_unanswered
from firebreak.cli.screens.release import show_release
from firebreak.cli.screens.wording import (
    Record,
    category,
    clock,
    last_event,
    local,
    part,
    rows,
    since,
    span,
    texts,
    where,
)
from firebreak.core.incidents.setting_states import SIGNS
from firebreak.core.incidents.so_now import IN_PART
from firebreak.core.timestamps import format_instant, parse_instant

_CLOCK = "%H:%M:%S"
_PLACE = re.compile(r"projects/([a-z0-9.:-]+)/locations/([a-z0-9-]+)/services/([a-z0-9-]+)")


def show(screen: Screen, record: Record, now_ns: int, halted: str | None = None) -> None:
    """The whole record, most urgent first: its head fits a small screen."""
    _headline(screen, record, now_ns, halted)
    _asked(screen, record, now_ns)
    _around(screen, record, now_ns)
    show_release(screen, record)
    show_finding(screen, part(record.get("finding")), now_ns)
    show_events(screen, record)
    show_evidence(screen, record)
    show_decision(screen, part(record.get("decision")))
    _plan(screen, record)
    show_kept(screen, record)
    _timeline(screen, record, now_ns)
    _by_hand(screen, record)


def _headline(screen: Screen, record: Record, now_ns: int, halted: str | None) -> None:
    phase = str(record["phase"])
    opened = texts(record.get("reopened")) if stands(record) else []
    head, style = ("OPENED AGAIN", "bad") if opened else (phase.upper(), PHASE_STYLES.get(phase, "strong"))
    if not opened and phase == "contained" and str(record.get("now", "")).startswith(IN_PART):
        head, style = IN_PART, "caution"
    screen.line(f"{head}  {category(record)}", style)
    screen.line(where(record))
    screen.line(f"incident {record['id']}, {span(since(record['created'], now_ns))} ago")
    screen.line()
    screen.line(str(record.get("now", "")), "bad" if phase in ("failed", "releasing") or opened else "strong")
    if halted:
        screen.line(f"HALTED, nothing is written: {halted}", "bad")
    if not_acted_on := record.get("not_acted_on"):
        screen.line(str(not_acted_on), "bad")
    if record.get("seal") == "broken":
        screen.line(f"{CHANGED}: believe none of it unchecked.", "bad")
    elif record.get("seal"):
        screen.line(f"The seal of this record is {record['seal']}.", "caution")


def _around(screen: Screen, record: Record, now_ns: int) -> None:
    """What of each setting, why it is so or waits, and where to look."""
    show_settings(screen, record)
    if record["phase"] == "waiting":
        screen.line(f"because: {_because(record)}", hang=9)
    elif record.get("waits_for"):
        since_then = span(since(record.get("waits_since"), now_ns))
        screen.line(f"waits for: {record['waits_for']}, for {since_then} now", "caution", hang=11)
    elif last_event(record):
        screen.line(f"last: {last_event(record)}", hang=6)
    for what, first_met in part(record.get("away")).items():
        screen.line(f"{what} could not be reached for {span(since(first_met, now_ns))} now", "caution")
    if count := len(texts(record.get("still_open"))) if stands(record) else 0:
        screen.line(f"{count} {'thing is' if count == 1 else 'things are'} still open, see below.")
    if cut := texts(record.get("cut")):
        screen.line(f"the record was too large and is shortened: {', '.join(cut)}", "caution")
    if link := _console(record):
        screen.verbatim(f"look  {link}", "dim", indent=2)
    if record.get("ledger"):
        screen.verbatim(f"in the ledger {record['ledger']}", "dim", indent=2)


def _because(record: Record) -> str:
    """Why it is a question, in short: that the policy asks, or what it waits for, and what the guards said."""
    decision = part(record.get("decision"))
    caps = [str(cap.get("reason")) for cap in heeded(decision)]
    waited = _waited_for(decision)
    gaps = {str(one.get("source")): one.get("gap") for one in rows(record.get("evidence"))}
    missing = [f"{source}: {gaps.get(source) or 'it does not report'}" for source in sorted(waited)]
    asks = ["the policy asks"] if decision.get("wanted") == "approve" and not waited else []
    return "; ".join([*asks, *missing, *caps]) or "the policy asks"


def _waited_for(decision: Record) -> set[str]:
    """The sources without whose answer some policy could not be told to match or not."""
    tried = [one for one in rows(decision.get("trace")) if one.get("truth") == "unknown"]
    clauses = [clause for one in tried for clause in rows(one.get("clauses")) if clause.get("truth") == "unknown"]
    return {str(clause.get("fact")).partition(".")[0] for clause in clauses}


def _asked(screen: Screen, record: Record, now_ns: int) -> None:
    """What is asked of the reader, and the very words to type."""
    if record.get("phase") == "waiting" and (question := part(record.get("question"))):
        digest = str(question.get("digest"))[:12]
        screen.line(f"asked of you: yes or no to {_actions(record)} ({digest}), {expiry(record, now_ns)}", hang=2)
        show_unanswered(screen, record)
        show_next(screen, record)
    else:
        screen.line(f"asked of you: {record.get('asked')}", hang=2)
        show_next(screen, record)
        screen.line(f"until: {record.get('until')}", hang=2)


def _actions(record: Record) -> str:
    """What would be done, by the names of the actions."""
    changes = rows(part(record.get("plan")).get("changes"))
    return ", ".join(dict.fromkeys(name for one in changes for name in texts(one.get("actions")))) or "no change"


def _console(record: Record) -> str | None:
    """The service's page, if its name is spelt as names are."""
    found = _PLACE.fullmatch(str(_resource(record)))
    if found is None:
        return None
    return f"https://console.cloud.google.com/run/detail/{found[2]}/{found[3]}/revisions?project={found[1]}"


def _resource(record: Record) -> object:
    return part(part(record.get("finding")).get("target")).get("resource")


def _plan(screen: Screen, record: Record) -> None:
    if plan := part(record.get("plan")):
        screen.heading(f"Plan {str(plan.get('digest'))[:12]}{_carried_out(plan)}")
        show_plan(screen, plan)
    outcomes = rows(record.get("outcomes"))
    if outcomes:
        screen.heading("Outcome")
    for outcome in outcomes:
        style = "good" if outcome.get("status") == "Success" else "bad"
        actions = ", ".join(texts(outcome.get("actions")))
        screen.line(f"{outcome.get('status')}: {actions}: {outcome.get('detail')}", style, indent=2, hang=2)
    if still_open := texts(record.get("still_open")):
        screen.heading("Still open")
        for text in still_open:
            screen.line(f"! {text}", "caution", indent=2, hang=2)


def _carried_out(plan: Record) -> str:
    """What became of the plan, where that is the same of every change; else each says it."""
    found = {str(one.get("became")) for one in rows(plan.get("changes"))}
    state = found.pop() if len(found) == 1 else ""
    return f": {SIGNS[state]} {state}" if state in SIGNS else ""


def _timeline(screen: Screen, record: Record, now_ns: int) -> None:
    """Absolute and relative times, and who."""
    history = rows(record.get("history"))
    if not history:
        return
    now = format_instant(now_ns)
    zone = local(now, ", %Z")
    screen.heading(f"Timeline (UTC{zone}; now {clock(now, _CLOCK)}{local(now, f', {_CLOCK}')})")
    day = ""
    for entry in history:
        at = entry.get("at")
        if clock(at, "%Y-%m-%d") != day:
            day = clock(at, "%Y-%m-%d")
            screen.line(day, "dim", indent=2)
        after = since(record["created"], _nanos(at))
        when = f"{clock(at, _CLOCK)}{local(at, f'  {_CLOCK}')}  {_after(after):>8}"
        screen.line(f"{when}  {entry.get('who')}: {entry.get('what')}", indent=2, hang=20)


def _after(seconds: float) -> str:
    return f"+{seconds:.1f} s" if seconds < 60 else f"+{span(seconds)}"  # noqa: PLR2004 - a minute


def _nanos(instant: object) -> int:
    try:
        return parse_instant(str(instant))
    except ValueError:
        return 0


def _by_hand(screen: Screen, record: Record) -> None:
    """How to undo by hand what stands, how to do by hand what was not done, and what became of the rest."""
    # Of a record that is not believed nothing is known: what it says of itself least of all.
    broken = record.get("seal") == "broken"
    still = stands(record) or broken or record.get("phase") == "failed"
    if undo := texts(record.get("undo")) if still else []:
        _show_lines(screen, record, "To undo it by hand", undo)
    if lines := texts(record.get("by_hand")):
        _show_lines(screen, record, "To do by hand what was not done" if stands(record) else "To do it by hand", lines)
    elif not still and rows(part(record.get("plan")).get("changes")):
        screen.heading("Nothing of it stands: there is nothing to undo by hand")


def _show_lines(screen: Screen, record: Record, title: str, lines: list[str]) -> None:
    screen.heading(title)
    if record.get("seal") == "broken":
        screen.line("unverified, because the record's seal is broken: check each line first", "bad", indent=2)
    elif record.get("seal"):
        screen.line("unverified, because there is no seal key here: check each line first", "caution", indent=2)
    for command in lines:
        screen.verbatim(command, indent=2)

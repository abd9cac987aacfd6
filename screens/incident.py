"""Incidents for a person at 3 a.m.: how it stands first, then why, then what can be done, then how to undo it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.instants import parse_instant
from screens.console import PHASE_STYLES, ago, heading, line, phase
from screens.plan import show_changes

Record = Mapping[str, Any]

_MEANS = {
    "received": "Firebreak is at work on it, or will be with the next delivery.",
    "waiting": "A person is asked. Nothing has been written.",
    "containing": "A write is about to be made.",
    "verifying": "The write was made; what serves is being read back.",
    "contained": "The plan stands, verified by what serves.",
    "monitored": "Nothing was written. The plan shows what would have been.",
    "declined": "Recorded; there was nothing to decide.",
    "failed": "It could not be contained. A person is needed now.",
    "expired": "Nobody answered in time. Nothing was written.",
    "rejected": "A person said no. Nothing was written.",
    "released": "Taken back.",
    "closed": "Closed by a person.",
}


def show_list(console: Console, records: list[Record]) -> None:
    """One line an incident, last touched first."""
    if not records:
        console.print("No incidents.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("incident", "phase", "age", "target", "policy", "what"):
        table.add_column(name, no_wrap=name in ("incident", "phase", "age"), overflow="fold")
    for one in records:
        decision = one.get("decision") or {}
        table.add_row(
            Text(one["id"]),
            phase(one["phase"]),
            Text(_age(one["created"])),
            Text(_where(one)),
            Text(f"{decision.get('policy') or '-'} ({decision.get('mode', '-')})"),
            Text(one["history"][-1]["what"] if one["history"] else ""),
        )
    console.print(table)


def show(console: Console, one: Record) -> None:
    """The whole incident."""
    _headline(console, one)
    _finding(console, one)
    _evidence(console, one)
    _decision(console, one)
    _plan(console, one)
    _timeline(console, one)
    _undo(console, one)


def _headline(console: Console, one: Record) -> None:
    style = PHASE_STYLES.get(one["phase"], "bold")
    console.print(Text(f"{one['phase'].upper()}  {one['finding']['category'] or 'a finding'}", style=style))
    line(console, f"{_where(one)}, {_age(one['created'])} ago, incident {one['id']}", indent=0)
    line(console, _MEANS.get(one["phase"], ""), indent=0)
    if one["history"]:
        line(console, f"Last: {one['history'][-1]['what']}", indent=0)
    for command in _commands(one):
        line(console, command, "bold cyan", indent=2)


def _commands(one: Record) -> list[str]:
    identity = one["id"]
    if one.get("question"):
        digest = one["question"]["digest"][:12]
        return [
            f"yes:  firebreak incident approve {identity} --digest {digest}",
            f"no:   firebreak incident reject {identity} --reason WHY",
        ]
    if one["phase"] in ("contained", "failed", "verifying", "containing"):
        return [f"undo: firebreak incident release {identity}"]
    return []


def _finding(console: Console, one: Record) -> None:
    finding = one["finding"]
    heading(console, "Finding")
    line(console, f"{finding['severity'] or 'no severity'}, event at {finding['event_time']}, {finding['name']}")
    for binary in finding["binaries"][:5]:
        whole = "" if binary["whole"] else " (of its beginning only)"
        line(console, f"{binary['path']}  sha256 {binary['sha256'] or 'not given'}{whole if binary['sha256'] else ''}")
    for command in finding["commands"][:5]:
        line(console, f"ran: {command}")
    if finding["contacts"]:
        line(console, f"owner: {', '.join(finding['contacts'][:5])}")


def _evidence(console: Console, one: Record) -> None:
    verdict = one.get("verdict")
    if verdict:
        heading(console, f"Verdict: {verdict['id']}, {verdict['confidence'].lower()} confidence")
        for reason in verdict["reasons"]:
            line(console, reason)
    if one["evidence"]:
        heading(console, "Evidence")
    for evidence in one["evidence"]:
        gap = f"; unknown: {evidence['gap']}" if evidence["gap"] else ""
        line(console, f"{evidence['source']} ({evidence['took_ms']} ms){gap}", "yellow" if gap else "")
        facts = ", ".join(f"{key.partition('.')[2]} {_fact(value)}" for key, value in evidence["facts"].items())
        if facts:
            line(console, facts, "dim", indent=4)
        for file in (evidence["shown"] or {}).get("files", [])[:5]:
            line(console, f"{file['result']}  {file['link']}", "dim", indent=4)
        for technique in (evidence["shown"] or {}).get("techniques", [])[:4]:
            line(console, f"{technique['title']}: {technique['on_cloud_run']}", "dim", indent=4)


def _fact(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(str(one) for one in value) + "]"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _decision(console: Console, one: Record) -> None:
    decision = one.get("decision")
    if not decision:
        return
    lowered = "" if decision["mode"] == decision["wanted"] else f", lowered from {decision['wanted']}"
    heading(console, f"Decision: {decision['mode']}{lowered}, policy {decision['policy'] or 'none'}")
    for reason in decision["reasons"]:
        line(console, reason)
    for cap in decision["caps"]:
        line(console, f"{cap['kind']} {cap['name']}: {cap['reason']}", "yellow")
    for policy in decision["trace"]:
        line(console, f"{policy['policy']}: {policy['truth']}", "dim")
        for clause in policy["clauses"]:
            value = "unknown" if clause["value"] is None else _fact(clause["value"])
            text = f"{clause['truth']}: {clause['fact']} {clause['operator']} {_fact(clause['wanted'])}; it is {value}"
            line(console, text, "dim", indent=4)
    if decision["suspects"]:
        line(console, f"suspects: {', '.join(decision['suspects'])} ({decision['suspects_because']})")
    elif decision["suspects_because"]:
        line(console, f"no suspects: {decision['suspects_because']}")


def _plan(console: Console, one: Record) -> None:
    plan = one.get("plan")
    if plan:
        heading(console, f"Plan {plan['digest'][:12]}")
        show_changes(console, plan["changes"])
        for refusal in plan["refusals"]:
            line(console, f"{refusal['action']} refused: {refusal['reason']}", "yellow")
        if plan["fallback"]:
            line(console, "if that fails for good:", "dim")
            show_changes(console, plan["fallback"])
    if one["outcomes"]:
        heading(console, "Outcome")
    for outcome in one["outcomes"]:
        style = "green" if outcome["status"] == "Success" else "red"
        line(console, f"{outcome['status']}: {', '.join(outcome['actions'])}: {outcome['detail']}", style)
    if one["still_open"]:
        heading(console, "Still open")
        for text in one["still_open"]:
            line(console, text, "yellow")


def _timeline(console: Console, one: Record) -> None:
    heading(console, "Timeline (UTC)")
    first = parse_instant(one["created"])
    for entry in one["history"]:
        at = parse_instant(entry["at"])
        clock = dt.datetime.fromtimestamp(at / 1e9, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        line(console, f"{clock}  +{(at - first) / 1e9:7.1f} s  {entry['who']}: {entry['what']}")


def _undo(console: Console, one: Record) -> None:
    if not one["undo"]:
        return
    done = one["phase"] in ("contained", "containing", "verifying", "failed")
    heading(console, "To undo it by hand" if done else "Would be undone by hand with")
    if one.get("seal") == "broken":
        line(console, "this record was changed by somebody without the seal key: check each line first", "bold red")
    for command in one["undo"]:
        console.print(Text(f"  {command}"), soft_wrap=True)


def _where(one: Record) -> str:
    target = one["finding"]["target"]
    if target["resource"] is None:
        return str(target["reason"])
    return f"{target['kind'].replace('_', ' ')} {target['name']} in {target['project_id'] or target['project']}/{target['location']}"


def _age(created: str) -> str:
    return ago(dt.datetime.now(dt.UTC).timestamp() - parse_instant(created) / 1e9)

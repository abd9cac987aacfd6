"""One finding through the policies: what is known, how every clause went, what is decided and what lowers it."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.incident_why import clause_in_words, show_shadow
from firebreak.cli.screens.plan import show_plan
from firebreak.cli.screens.wording import Record, clock, part, rows, since, span, texts, where, word
from firebreak.core.timestamps import parse_instant

_STYLES = {"true": "good", "unknown": "caution", "false": ""}
_MOST_IN_FULL = 30
_ASKED_NOBODY = "not asked"
_GUARDS_UNASKED = "SCC's word on the finding, the halt, what stands on the workload, and limits"


def show_explanation(screen: Screen, shown: Record) -> None:
    """What was found and what comes of it; then why: how every clause went, and what is known at all."""
    _show_finding(screen, shown)
    if shown.get("against"):
        _show_difference(screen, shown, part(shown["against"]))
    _show_decision(screen, shown)
    screen.heading("Policies, in the order they are tried")
    _show_policies(screen, shown)
    _show_facts(screen, shown)


def _show_finding(screen: Screen, shown: Record) -> None:
    finding = part(shown.get("finding"))
    severity = finding.get("severity") or "no severity"
    screen.line(f"{finding.get('category') or 'a finding without a category'}, {severity}", "strong", hang=2)
    screen.line(where(shown), hang=2)
    age = since(finding.get("event_time"), parse_instant(str(shown.get("at"))))
    said = f"{span(age)} before" if age >= 0 else f"{span(-age)} after"
    screen.line(f"event at {clock(finding.get('event_time'))} UTC, {said} {clock(shown.get('at'))}", hang=2)
    confirmed = shown.get("confirmed")
    if confirmed and part(confirmed).get("trust") != "confirmed":
        screen.line(f"SCC: {part(confirmed).get('reason')}", "caution", hang=2)
    if shown.get("live") and shown.get("ledger"):
        screen.line(f"ledger {shown['ledger']}", "dim", hang=2)
    elif shown.get("live"):
        screen.line("no ledger was read, so nothing is known of earlier incidents", "caution", hang=2)


def _show_facts(screen: Screen, shown: Record) -> None:
    screen.heading("Facts")
    evidence = rows(shown.get("evidence"))
    unasked = [one for one in evidence if not shown.get("live") and _ASKED_NOBODY in str(one.get("gap"))]
    silent = [one for one in unasked if not part(one.get("facts"))]
    for one in ({"source": "finding", "facts": shown.get("facts")}, *evidence):
        if one not in silent:
            _show_source(screen, shown, one)
    if silent:
        names = ", ".join(str(one.get("source")) for one in silent)
        screen.line(
            f"not asked: {names}; --live asks them, --assume supposes their answers", "caution", indent=2, hang=2
        )


def _show_source(screen: Screen, shown: Record, one: Record) -> None:
    assumed = part(shown.get("assumed"))
    took = f" ({one['took_ms']} ms)" if shown.get("live") and one.get("took_ms") is not None else ""
    known = [
        f"{name.partition('.')[2]} {_fitting(screen, word(value))}{' (assumed)' if name in assumed else ''}"
        for name, value in part(one.get("facts")).items()
    ]
    gap = [f"{'the rest ' if known else ''}unknown: {one['gap']}"] if one.get("gap") else []
    text = "; ".join([*([", ".join(known)] if known else []), *gap]) or "nothing"
    screen.line(f"{one.get('source')}{took}: {text}", "caution" if gap and not known else "", indent=2, hang=2)


def _fitting(screen: Screen, text: str) -> str:
    """On a terminal, words that are wider than it are cut: images and paths, which `--json` has whole."""
    room = (screen.width or 0) - 8
    return " ".join(screen.cut(one, room) for one in text.split(" "))


def _show_policies(screen: Screen, view: Record) -> None:
    """Each with every clause; where there are very many, those that do not match at all are only counted."""
    policies = rows(view.get("policies"))
    few = len(policies) <= _MOST_IN_FULL
    left_out = [one for one in policies if not few and one.get("truth") == "false"]
    decided = next((one for one in policies if one.get("truth") == "true" and not one.get("shadow")), None)
    for one in policies:
        if one not in left_out:
            _show_policy(screen, one, decided)
    if left_out:
        screen.line(f"and {len(left_out)} policies that do not match (--json has them all)", "dim", indent=2)
    if not policies:
        screen.line("there is none", indent=2)


def _show_policy(screen: Screen, policy: Record, decided: Record | None) -> None:
    truth = str(policy.get("truth"))
    said = {"true": "matches", "unknown": "may match", "false": "does not match"}.get(truth, truth)
    if not policy.get("tried") and decided:
        would = {"true": "would match", "unknown": "might match", "false": "would not match"}.get(truth, truth)
        said = f"is not reached, {decided.get('policy')} above it decides; it {would}"
    style = "dim" if not policy.get("tried") else _STYLES.get(truth, "")
    mode = f"{policy.get('mode')}, in shadow" if policy.get("shadow") else policy.get("mode")
    screen.line(f"{policy.get('policy')} ({mode}) {said}", style, indent=2, hang=2)
    for clause in rows(policy.get("clauses")):
        text = clause_in_words(clause)
        why = f" ({clause.get('from')})" if clause.get("from") else ""
        tone = "dim" if style == "dim" else _STYLES.get(str(clause.get("truth")), "")
        screen.line(f"{clause.get('truth'):<8}{text}{why}", tone, indent=4, hang=10)


def _show_decision(screen: Screen, shown: Record) -> None:
    decision = part(shown.get("decision"))
    if shown.get("declined"):
        screen.heading("Decision: none")
        screen.line(f"it would be recorded and go no further: {shown['declined']}", indent=2, hang=2)
    if not decision:
        show_shadow(screen, rows(shown.get("shadow")))
        return
    mode, wanted = decision.get("mode"), decision.get("wanted")
    lowered = "" if mode == wanted else f", lowered from {wanted}"
    if not shown.get("declined"):
        screen.heading(f"Decision: {mode}{lowered}, policy {decision.get('policy')}")
    for reason in texts(decision.get("reasons")):
        screen.line(reason, indent=2, hang=2)
    _show_guards(screen, shown, decision)
    show_shadow(screen, rows(shown.get("shadow")))
    _show_plan(screen, shown, decision)


def _show_guards(screen: Screen, shown: Record, decision: Record) -> None:
    caps = rows(decision.get("caps"))
    for cap in caps:
        screen.line(f"{cap.get('kind')} {cap.get('name')}: {cap.get('reason')}", "caution", indent=2, hang=2)
    if not caps:
        screen.line("no guard lowers it", "good", indent=2)
    if not shown.get("live"):
        screen.line(f"not looked at without --live: {_GUARDS_UNASKED}", "dim", indent=2, hang=2)
        for cap in rows(shown.get("unasked")):
            screen.line(f"unsettled without --live: {cap.get('reason')}", "dim", indent=2, hang=2)


def _show_plan(screen: Screen, shown: Record, decision: Record) -> None:
    if not shown.get("live"):
        screen.heading("Steps")
        for step in rows(shown.get("steps")):
            screen.line(step_in_words(step), indent=2, hang=2)
        screen.line("--live reads the workload and draws the plan", "dim", indent=2)
        return
    plan = part(shown.get("plan"))
    screen.heading(f"Plan {str(plan.get('digest'))[:12]}")
    if suspects := texts(decision.get("suspects")):
        screen.line(f"suspects: {', '.join(suspects)} ({decision.get('suspects_because')})", indent=2, hang=2)
    show_plan(screen, plan)


def step_in_words(step: Record) -> str:
    """An action, and what takes its place."""
    instead = [step_in_words(one) for one in rows(step.get("otherwise"))]
    return f"{step.get('action')}, otherwise {' and '.join(instead)}" if instead else str(step.get("action"))


def _show_difference(screen: Screen, shown: Record, other: Record) -> None:
    """Line by line what the other folder changes; nothing else of it is shown."""
    different = bool(shown.get("different"))
    screen.heading(f"Against {other.get('folder')}: {'different' if different else 'the same outcome'}")
    for name, mine, theirs in (
        ("policy", _decided(shown, "policy"), _decided(other, "policy")),
        ("mode", _mode(shown), _mode(other)),
        ("steps", _steps(shown), _steps(other)),
    ):
        if mine == theirs:
            screen.line(f"{name:<8}{mine}", indent=2, hang=10)
        else:
            screen.line(f"{name:<8}- {mine}", "minus", indent=2, hang=10)
            screen.line(f"{'':<8}+ {theirs}", "plus", indent=2, hang=10)
    _show_writes(screen, shown, other)
    _show_turned(screen, rows(shown.get("policies")), rows(other.get("policies")))


def _show_writes(screen: Screen, shown: Record, other: Record) -> None:
    mine, theirs = (
        [part(one).get("after") for one in rows(part(view.get("plan")).get("changes"))] for view in (shown, other)
    )
    if mine != theirs and part(other.get("plan")):
        screen.line("would write:", indent=2)
        show_plan(screen, part(other.get("plan")))


def _show_turned(screen: Screen, mine: list[Record], theirs: list[Record]) -> None:
    """Policies that are new, gone, or go another way."""
    before, after = ({str(one.get("policy")): str(one.get("truth")) for one in side} for side in (mine, theirs))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            then, now = before.get(name, "not there"), after.get(name, "not there")
            screen.line(f"{name}: {then} → {now}", "dim", indent=2, hang=2)


def _decided(view: Record, key: str) -> str:
    return str(part(view.get("decision")).get(key) or f"none ({view.get('declined') or 'no policy matches'})")


def _mode(view: Record) -> str:
    decision = part(view.get("decision"))
    mode, wanted = decision.get("mode"), decision.get("wanted")
    if not mode:
        return "none"
    return str(mode) if mode == wanted else f"{mode}, lowered from {wanted}"


def _steps(view: Record) -> str:
    return "; ".join(step_in_words(one) for one in rows(view.get("steps"))) or "none"

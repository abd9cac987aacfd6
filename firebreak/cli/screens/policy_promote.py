"""What a policy would have decided, how right that was, and the edit, for people."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, clock, part, rows, texts

_FEW = 10


def show_promotion(screen: Screen, shown: Record) -> None:
    """Its record first; then the edit."""
    shadow = "in shadow" if shown.get("shadow") else "in force"
    fired = shown.get("fired", 0)
    name = f"{shown.get('policy')} ({shown.get('mode')}, {shadow})"
    if fired:
        where = len(part(shown.get("workloads")))
        screen.line(f"{name} fired {_counted(fired, 'time')}, on {_counted(where, 'workload')}.", "strong")
        _show_record(screen, shown)
    else:
        screen.line(f"{name} has decided nothing yet, in shadow or in force: nothing is known of it.", "strong")
        screen.line(
            f"{_counted(shown.get('incidents', 0), 'incident')} looked at; `firebreak policy backtest` tells what it"
            " would have done about past findings",
            "dim",
            indent=2,
            hang=2,
        )
    _show_others(screen, shown)
    edit = part(shown.get("edit"))
    done = "Edited" if shown.get("written") else "The edit, which --write makes"
    screen.heading(f"{done}: {shown.get('mode')}, {shadow}, becomes {shown.get('to')}, in force")
    for line in texts(edit.get("diff")):
        screen.verbatim(line, {"+": "plus", "-": "minus"}.get(line[:1], "dim"), indent=2)
    for text in texts(shown.get("caveats")):
        screen.line(f"but {text}", "caution", indent=2, hang=2)


def _show_record(screen: Screen, shown: Record) -> None:
    screen.line(
        f"from {clock(shown.get('from'))} to {clock(shown.get('until'))} UTC, of"
        f" {_counted(shown.get('incidents', 0), 'incident')}",
        "dim",
        indent=2,
    )
    modes, wanted = (
        ", ".join(f"{mode} {count:,}" for mode, count in part(shown.get(key)).items() if count)
        for key in ("by_mode", "by_wanted")
    )
    if wanted != modes:
        screen.line(f"before guards: {wanted}", indent=2)
    screen.line(f"after guards: {modes}; a person asked {_counted(shown.get('would_have_asked', 0), 'time')}", indent=2)
    if missing := shown.get("missing_answers"):
        screen.line(f"hanging on an answer that was missing: {missing:,}", "caution", indent=2)
    right, wrong, rest = (shown.get(key, 0) for key in ("right", "wrong", "not_judged"))
    style = "bad" if wrong else "good" if right else "caution"
    screen.line(
        f"by what people closed these as: right {right:,}, wrong {wrong:,}, not judged {rest:,}", style, indent=2
    )


def _show_others(screen: Screen, shown: Record) -> None:
    for policy, count in part(shown.get("anticipated_by")).items():
        screen.line(f"{policy} stands above it and decides first: {count:,}", "caution", indent=2)
    if faults := shown.get("faults"):
        screen.line(f"a fault in Firebreak itself kept it from being told: {faults:,}", "bad", indent=2)
    differs = part(shown.get("differs"))
    if not differs.get("count"):
        return
    screen.line(f"otherwise than what decided: {differs['count']:,}", indent=2)
    for way, count in part(differs.get("ways")).items():
        screen.line(f"{way}: {count:,}", indent=4, hang=2)
    for one in rows(differs.get("incidents"))[:_FEW]:
        closed = f", closed as {one['closed_as']}" if one.get("closed_as") else ""
        screen.line(f"{one.get('id')} {one.get('workload')}{closed}", "dim", indent=4, hang=2)
    if (rest := differs["count"] - _FEW) > 0:
        screen.line(f"and {rest:,} more (--json names up to 50)", "dim", indent=4)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

"""What policies would have done: the one sentence, what it rests on, what would have been wrong, then the rest."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.counts import show_counts
from firebreak.cli.screens.wording import Record, clock, part, rows, texts

_FEW = 10
_MANY_WEEKS = 26
_HEAD = ("enforce", "approve", "monitor", "nothing")
_INDENT = 2


def show_backtest(screen: Screen, shown: Record) -> None:
    """The report for people."""
    says = str(shown.get("says"))
    screen.line(says[:1].upper() + says[1:] + ".", "strong")
    if shown.get("from"):
        screen.line(f"from {clock(shown['from'])} to {clock(shown.get('until'))} UTC", "dim")
    for bound, count in part(shown.get("beyond")).items():
        screen.line(f"--fail-if {bound}: it is {count:,}", "bad")
    _show_shadow(screen, part(shown.get("in_shadow")))
    _show_ground(screen, shown)
    _show_wrong(screen, part(shown.get("wrong")), part(shown.get("judged")))
    _show_course(screen, part(shown.get("went")))
    if shown.get("not_compared"):
        screen.heading("Not compared")
        screen.line(str(shown["not_compared"]), "caution", indent=2, hang=2)
    if shown.get("changes"):
        _show_changes(screen, part(shown["changes"]))
    _show_table(screen, "By policy", part(shown.get("by_policy")))
    _show_near_misses(screen, rows(shown.get("clauses")))
    _show_weeks(screen, part(shown.get("by_week")))
    _show_affected(screen, shown)
    screen.heading("What to know before you believe it")
    for text in texts(shown.get("caveats")):
        screen.line(f"- {text}", indent=2, hang=2)
    for line in texts(part(shown.get("unread")).get("lines")):
        screen.line(line, "caution", indent=4, hang=2)


def _show_ground(screen: Screen, shown: Record) -> None:
    screen.heading("What it rests on")
    screen.line(f"decided on evidence recorded then: {shown.get('decided_on_recorded', 0):,}", indent=2)
    if asked := part(shown.get("enriched")):
        left = f", {asked.get('left', 0):,} left" if asked.get("left") else ""
        why = f": {asked['why']}" if asked.get("why") else ""
        said = f"decided on what VirusTotal says now: {shown.get('decided_on_today', 0):,}"
        screen.line(f"{said} (asked about {asked.get('asked', 0):,} files{left}{why})", indent=2, hang=2)
    if unverified := shown.get("unverified", 0):
        screen.line(f"on records that were pulled without verifying their seal: {unverified:,}", "caution", indent=2)
    hanging = shown.get("hanging", 0)
    on = ", ".join(f"{name} {count:,}" for name, count in part(shown.get("waiting_on")).items())
    screen.line(f"hanging on a source without an answer: {hanging:,}{f' ({on})' if on else ''}", indent=2, hang=2)
    if aside := part(shown.get("left_aside")):
        screen.line(f"left aside: {', '.join(f'{why} {count:,}' for why, count in aside.items())}", indent=2, hang=2)
    wanted, modes = part(shown.get("by_wanted")), part(shown.get("by_mode"))
    if wanted != modes:
        before = ", ".join(f"{mode} {wanted.get(mode, 0):,}" for mode in _HEAD)
        by = ", ".join(f"{name} {count:,}" for name, count in part(shown.get("held_back_by")).items())
        screen.line(f"before guards: {before}; held back by: {by}", indent=2, hang=2)


def _show_course(screen: Screen, went: Record) -> None:
    """What would have become of them, people's answers being those of then."""
    if went:
        screen.heading("How it would have gone")
        screen.line(", ".join(f"{word} {count:,}" for word, count in went.items()), indent=2, hang=2)


def _show_wrong(screen: Screen, wrong: Record, judged: Record) -> None:
    screen.heading("What would have been wrong")
    if not judged:
        screen.line("not known: nobody has said what these findings were", indent=2)
        return
    known = ", ".join(f"{name} {count:,}" for name, count in judged.items())
    style = "bad" if wrong.get("enforced") else "caution" if wrong.get("asked") else "good"
    screen.line(
        f"on false positives and benign ones: enforced {wrong.get('enforced', 0):,}, asked {wrong.get('asked', 0):,}"
        f" (people have judged: {known})",
        style,
        indent=2,
        hang=2,
    )
    for one in rows(wrong.get("findings"))[:_FEW]:
        told = (
            f"{one.get('id')} {one.get('closed_as')}: {one.get('mode')} by {one.get('policy')}, {one.get('workload')}"
        )
        screen.line(told, indent=4, hang=2)
    _show_rest(screen, wrong.get("count", 0))


def _show_changes(screen: Screen, changes: Record) -> None:
    screen.heading(f"Against {changes.get('against')}: {changes.get('count', 0):,} decided otherwise")
    for way, count in part(changes.get("ways")).items():
        screen.line(f"{way}: {count:,}", indent=2)
    if worse := changes.get("worse"):
        screen.line(f"worse, on what people found to be nothing: {worse:,}", "bad", indent=2, hang=2)
    for one in rows(changes.get("findings"))[:_FEW]:
        screen.line(f"{one.get('id')} {one.get('at')} {one.get('workload')}: {one.get('category')}", indent=2, hang=2)
        screen.line(f"- {one.get('old_mode')}, {one.get('old_policy') or 'no policy'}", "minus", indent=4)
        screen.line(f"+ {one.get('new_mode')}, {one.get('new_policy') or 'no policy'}", "plus", indent=4)
    _show_rest(screen, changes.get("count", 0))


def _show_rest(screen: Screen, count: int) -> None:
    if count > _FEW:
        screen.line(f"and {count - _FEW:,} more (--json shows them)", "dim", indent=4)


def _show_table(screen: Screen, title: str, lines: Record) -> None:
    if not lines:
        return
    screen.heading(title)
    counts = {name: [part(modes).get(mode, 0) for mode in _HEAD] for name, modes in lines.items()}
    show_counts(screen, _HEAD, counts, indent=_INDENT)


def _show_weeks(screen: Screen, weeks: Record) -> None:
    """Of half a year and more, those weeks alone in which something would have been enforced or asked."""
    busy = {
        week: modes for week, modes in weeks.items() if part(modes).get("enforce", 0) or part(modes).get("approve", 0)
    }
    if len(weeks) <= _MANY_WEEKS or not busy:
        _show_table(screen, "By week, from its Monday", weeks)
        return
    _show_table(screen, "By week, from its Monday, where anything was enforced or asked", busy)
    screen.line(f"and {len(weeks) - len(busy)} weeks of which all was recorded or left aside", "dim", indent=_INDENT)


def _show_shadow(screen: Screen, found: Record) -> None:
    if found:
        screen.heading("In shadow, beside what decides: in none of the other figures")
    for name, one in found.items():
        modes = ", ".join(f"{mode} {count:,}" for mode, count in part(one.get("by_mode")).items() if count)
        people = ", ".join(
            f"{word.replace('_', ' ')} {one.get(word, 0):,}" for word in ("right", "wrong", "not_judged")
        )
        screen.line(f"{name}: {f'{modes} ({people})' if modes else 'would have decided nothing'}", indent=2, hang=2)
        differs = part(part(one.get("differs")).get("ways"))
        first = {f"{other} decides before it": count for other, count in part(one.get("anticipated_by")).items()}
        for way, count in {**differs, **first}.items():
            screen.line(f"{way}: {count:,}", "dim", indent=4, hang=2)


def _show_near_misses(screen: Screen, clauses: list[Record]) -> None:
    """The one clause for want of which a policy did not decide, the most frequent first."""
    near = sorted((one for one in clauses if one.get("alone")), key=lambda one: -int(one["alone"]))
    if near:
        screen.heading("What alone kept a policy from deciding")
    for one in near[:_FEW]:
        screen.line(f"{one.get('policy')}: {one.get('clause')}: {one.get('alone'):,}", indent=2, hang=2)


def _show_affected(screen: Screen, shown: Record) -> None:
    limits = part(shown.get("limits"))
    screen.heading("Limits")
    begun = f", from {clock(limits.get('busiest_from'))} UTC" if limits.get("busiest_from") else ""
    screen.line(
        f"busiest hour: {limits.get('busiest_hour', 0):,} contained of {limits.get('per_hour')}{begun};"
        f" held back by limits: {limits.get('held_back', 0):,}",
        indent=2,
        hang=2,
    )
    workloads = rows(shown.get("workloads"))
    if workloads:
        screen.heading("Workloads that are touched most")
    for one in workloads[:_FEW]:
        mark = ", protected" if one.get("protected") else ""
        screen.line(
            f"{one.get('workload')}: enforced {one.get('enforced'):,}, asked {one.get('asked'):,}{mark}",
            indent=2,
            hang=2,
        )
    if owners := rows(shown.get("owners")):
        told = ", ".join(f"{one.get('owner')} {one.get('findings'):,}" for one in owners[:_FEW])
        screen.line(f"owners: {told}", indent=2, hang=2)

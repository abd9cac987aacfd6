"""`firebreak report`: the figures of a span of time, on a screen."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.core.reports.report import Report, Times
from firebreak.core.timestamps import format_instant


def show_figures(screen: Screen, figures: Report) -> None:
    """What is open first; then what was asked, contained, and called false."""
    since, until = (format_instant(one)[:16].replace("T", " ") for one in (figures.since_ns, figures.until_ns))
    began = f"{figures.incidents} incident{'' if figures.incidents == 1 else 's'} began"
    screen.line(f"From {since} to {until} UTC, {began}.", "strong")
    wait = "waits" if figures.waiting == 1 else "wait"
    waiting = f", {figures.waiting} of them {wait} for an answer: firebreak incident list" if figures.waiting else "."
    screen.line(f"Open now: {figures.open}{waiting}", "caution" if figures.waiting else "")
    screen.line(f"Asked about: {figures.asked}; ended without an answer: {figures.unanswered}.")
    screen.line(f"Contained: {figures.enforced} without a question, {figures.approved} after one.")
    _times(screen, "From first sight to contained, nobody asked", figures.to_contain)
    _times(screen, "From question to answer", figures.to_answer)
    if figures.policies:
        screen.heading("Decisions by policy")
    for one in figures.policies:
        of_people = one.answers
        told = f"{one.policy}: {of_people.decided}; contained {one.contained}, {one.false} of them called false"
        asked = (
            f"; asked {of_people.asked}: {of_people.approved} yes, {of_people.rejected} no" if of_people.asked else ""
        )
        judged = f"; judged {of_people.judged}: {of_people.real} real" if of_people.judged else ""
        screen.line(f"{told}{asked}{judged}", "caution" if one.false else "", indent=2, hang=2)
        if of_people.proposal:
            screen.line(of_people.proposal, "caution", indent=4, hang=2)
    if figures.workloads:
        screen.heading("Workloads with the most incidents")
    for name, count in figures.workloads:
        screen.line(f"{name}: {count}", indent=2)
    if figures.unread:
        screen.line(f"{figures.unread} records could not be read, or are not believed, and are not counted.", "bad")
    if not figures.whole:
        screen.line("The ledger is longer than what was looked at: older incidents are not counted.", "bad")


def _times(screen: Screen, what: str, times: Times) -> None:
    if times.count:
        half, nine = _span(times.median), _span(times.p90)
        within = f"half within {half}, nine in ten within {nine}, the longest {_span(times.most)}"
        screen.line(f"{what} (of {times.count}): {within}.")


def _span(seconds: float | None) -> str:
    """A length of time, to what matters of it."""
    value = seconds or 0.0
    if value < 120:  # noqa: PLR2004 - two minutes are the first to be told in minutes
        return f"{value:.1f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - two hours

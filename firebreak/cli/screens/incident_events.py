"""The events of one incident: what SCC says of each, and what it made suspect."""

from __future__ import annotations

from types import MappingProxyType

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, moment, part, rows, texts

_SAYS = MappingProxyType(
    {
        "new": "SCC was not asked about it yet",
        "counts": "confirmed by SCC",
        "passed": "SCC holds a later one, which counts in its place",
        "unconfirmed": "SCC does not hold it",
    }
)


def show_events(screen: Screen, record: Record) -> None:
    """Each event in the order in which they came; of one alone that SCC confirms the finding says all."""
    events = rows(record.get("events"))
    if len(events) < 2 and all(one.get("status") == "counts" for one in events):  # noqa: PLR2004 - one alone
        return
    screen.heading("Events")
    for one in events:
        status = str(one.get("status"))
        open_ = "; not decided yet" if one.get("decided") is not True else ""
        names = [name for names in part(one.get("suspects")).values() for name in texts(names)]
        suspects = f"; suspects: {', '.join(dict.fromkeys(names))}" if names else ""
        style = "" if status == "counts" else "caution"
        screen.line(
            f"{moment(one.get('event_time'))}: {_SAYS.get(status, status)}{open_}{suspects}", style, indent=2, hang=2
        )

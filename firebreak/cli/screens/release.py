"""A release setting by setting: what became of each, how it is now, and what would be written besides."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, moment, part, rows
from firebreak.core.incidents.release_words import told
from firebreak.core.incidents.setting_states import RELEASED, SIGNS

_STYLES = {"restored": "good", "refused": "bad", "due": "busy"}


def show_release(screen: Screen, record: Record) -> None:
    """The release that was asked for last, if one was."""
    release = part(record.get("release"))
    if not rows(release.get("keys")):
        return
    shown = ", not agreed to yet" if release.get("digest") else ""
    screen.heading(f"Release, asked for by {release.get('by')} at {moment(release.get('asked'))}{shown}")
    show_keys(screen, record)


def show_keys(screen: Screen, record: Record) -> None:
    """Each setting with what became of it; one of another target says of which."""
    for key in rows(part(record.get("release")).get("keys")):
        result = str(key.get("result"))
        sign = SIGNS[RELEASED[result]] if result in RELEASED else "·"
        screen.line(f"{sign} {_place(record, key)}{told(key)}", _STYLES.get(result, "caution"), indent=2, hang=2)


def show_what_is_due(screen: Screen, record: Record) -> None:
    """What a release would write that is neither as it was nor as it is."""
    screen.heading("To keep closed what another incident holds, the release would write")
    for key in rows(part(record.get("release")).get("keys")):
        if key.get("result") == "due":
            screen.line(f"{_place(record, key)}{told(key)}", "caution", indent=2, hang=2)


def _place(record: Record, key: Record) -> str:
    own = part(part(record.get("finding")).get("target")).get("resource")
    return "" if key.get("target") in (None, own) else f"{key.get('target')}: "

"""Long lists, cut for a reader who is told so: the first few, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence


def first_few(items: Sequence[str], most: int) -> tuple[str, ...]:
    """At most `most` items, and after them `and 3 more` where some are left out."""
    return (*items[:most], *and_more(len(items), most))


def and_more(count: int, most: int) -> tuple[str, ...]:
    """The words alone, for lists whose items are shown otherwise: empty where nothing is left out."""
    return (f"and {count - most} more",) if count > most else ()

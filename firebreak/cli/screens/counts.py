"""Counts of several things by name: a table where it fits, else each count with its word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from firebreak.cli.screens.console import Screen

_COLUMN = 10


def show_counts(
    screen: Screen,
    head: Sequence[str],
    lines: Mapping[str, Sequence[int]],
    notes: Mapping[str, str] | None = None,
    indent: int = 0,
) -> None:
    """A line for each name, its counts in the order of `head`, and what there is to note of it below."""
    width = max(map(len, lines))
    narrow = screen.width is not None and indent + width + _COLUMN * len(head) > screen.width
    if not narrow:
        screen.line(f"{'':<{width}}" + "".join(f"{word:>{_COLUMN}}" for word in head), "dim", indent=indent)
    for name, counts in lines.items():
        if narrow:
            told = ", ".join(f"{word} {count:,}" for word, count in zip(head, counts, strict=True))
            screen.line(f"{name}: {told}", indent=indent, hang=2)
        else:
            screen.line(f"{name:<{width}}" + "".join(f"{count:>{_COLUMN},}" for count in counts), indent=indent)
        if note := (notes or {}).get(name):
            screen.line(note, "caution", indent=indent + 2, hang=2)

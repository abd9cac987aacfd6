"""Globs: `*` is any run of characters and `?` any one, nothing else is special, and letter case counts."""

from __future__ import annotations

MAX_GLOB = 256


def glob_matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern; never backtracks over a `*`."""
    first, *rest = pattern.split("*")
    if not rest:
        return len(text) == len(pattern) and _fits_at(pattern, text, 0)
    last = rest.pop()
    end = len(text) - len(last)
    if end < len(first) or not _fits_at(first, text, 0) or not _fits_at(last, text, end):
        return False
    place = len(first)
    for piece in rest:
        found = _find(piece, text, place, end)
        if found is None:
            return False
        place = found + len(piece)
    return True


def _find(piece: str, text: str, start: int, end: int) -> int | None:
    if "?" not in piece:
        found = text.find(piece, start, end)
        return None if found < 0 else found
    places = range(start, end - len(piece) + 1)
    return next((place for place in places if _fits_at(piece, text, place)), None)


def _fits_at(piece: str, text: str, start: int) -> bool:
    if "?" not in piece:
        return text.startswith(piece, start)
    return all(char in ("?", text[start + index]) for index, char in enumerate(piece))

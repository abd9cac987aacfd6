"""Texts that fit one set of globs and not another, found by walking through all globs at once."""

from __future__ import annotations

import string
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

_MOST_PLACES = 1_000
_Place = tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class GlobSamples:
    """One text for each way in which the globs may fit together; `complete` where there is no other way."""

    texts: tuple[str, ...]
    complete: bool


def glob_samples(patterns: Sequence[str], besides: frozenset[str]) -> GlobSamples:
    """Texts other than `besides`. Every place in every pattern is followed; too many places are not complete."""
    begun = frozenset(text[:length] for text in besides for length in range(len(text) + 1))
    start = tuple(_beyond_stars(pattern, frozenset({0})) for pattern in patterns)
    letters = _letters(patterns)
    # A text that may still become one of `besides` is followed for itself, even to a place where others have been.
    seen: set[tuple[_Place, str | None]] = {(start, "")}
    waiting = deque([(start, "")])
    found: dict[tuple[bool, ...], str] = {}
    only_besides: set[tuple[bool, ...]] = set()
    while waiting and len(seen) <= _MOST_PLACES:
        place, text = waiting.popleft()
        fits = tuple(len(pattern) in at for pattern, at in zip(patterns, place, strict=True))
        if text in besides:
            only_besides.add(fits)
        else:
            found.setdefault(fits, text)
        for letter in letters:
            longer = text + letter
            following = tuple(_after(pattern, at, letter) for pattern, at in zip(patterns, place, strict=True))
            if (key := (following, longer if longer in begun else None)) not in seen:
                seen.add(key)
                waiting.append((following, longer))
    return GlobSamples(tuple(found.values()), not waiting and only_besides <= found.keys())


def _letters(patterns: Sequence[str]) -> tuple[str, ...]:
    """A letter that no pattern names stands for all the others, and comes first."""
    named = set("".join(patterns)) - set("*?")
    other = next((letter for letter in "xzqjw" + string.printable if letter not in named | set("*?")), "\u4e00")
    return (other, *sorted(named))


def _after(pattern: str, places: frozenset[int], letter: str) -> frozenset[int]:
    stayed = {place for place in places if place < len(pattern) and pattern[place] == "*"}
    moved = {place + 1 for place in places if place < len(pattern) and pattern[place] in ("?", letter)}
    return _beyond_stars(pattern, frozenset(stayed | moved))


def _beyond_stars(pattern: str, places: frozenset[int]) -> frozenset[int]:
    """A star may stand for nothing."""
    reached = set(places)
    for place in range(len(pattern)):
        if place in reached and pattern[place] == "*":
            reached.add(place + 1)
    return frozenset(reached)

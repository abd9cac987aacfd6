"""Facts, known or unknown, and the evidence that carries them from the sources to the decision."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

FactValue = str | int | float | bool | tuple[str, ...]
Facts = Mapping[str, FactValue]
"""Flat: `source.name` to value. A fact that is not in the mapping is unknown, never false and never "clean"."""


class FactType(enum.Enum):
    """What kind of value a fact holds, and so which operators and literals fit it."""

    TEXT = "text"
    NUMBER = "number"
    BOOL = "true or false"
    TEXTS = "list of texts"
    TIME = "time, RFC 3339 in UTC"


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of a source's catalogue.

    Attributes:
        type: What its value is: text, number, yes or no, a list of texts, a time.
        meaning: A sentence for who writes policies.
        choices: What a text takes one of; empty: any.
        ordered: Whether the choices rank upwards, in the order of their list.
        pairs: Whether each text of a list is `key=value`, as labels are.
        least: The smallest number it can be; None: no such end.
        most: The largest number it can be; None: no such end.
    """

    type: FactType
    meaning: str
    choices: tuple[str, ...] = ()
    ordered: bool = False
    pairs: bool = False
    least: int | None = None
    most: int | None = None

    @property
    def ranks(self) -> tuple[str, ...]:
        """The choices upwards, where `at_least` and `at_most` go by them."""
        return self.choices if self.ordered else ()


Catalogue = Mapping[str, Fact]
"""Full fact name (`virustotal.malicious`) to its description; the part before the first dot is the source."""


Originals = Callable[[], Mapping[str, object]]
"""What an answer was read from, name to JSON as it came, secrets and all; called only to be kept as redacted copies."""


def no_originals() -> Mapping[str, object]:
    """The raw responses behind evidence that was not read from anywhere: none."""
    return {}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source answered: facts, or a gap, or both.

    Attributes:
        source: the source's name.
        facts: full fact name to value; a fact that is not here is unknown.
        gap: why facts are missing, as a sentence; None if nothing is missing.
        took_ms: wall time in milliseconds.
        detail: the source's typed answer for the core (a `Workload`, the related findings); it is not saved.
        shown: what only people look at (links, names): JSON values by plain words.
        originals: what the answer was read from, for the vault; it is not saved with the incident.
        away: whether there is no answer because the source could not be reached, and may be the next time.
    """

    source: str
    facts: Facts = field(default_factory=dict)
    gap: str | None = None
    took_ms: int = 0
    detail: object = None
    shown: Mapping[str, Any] = field(default_factory=dict)
    originals: Originals = field(default=no_originals, repr=False, compare=False)
    away: bool = False


REST = "…"
"""In a list of texts: there are more, which are not known. A text with it in it was cut."""
_HIDDEN = (REST, "[redacted ")


def partly_known(value: object) -> bool:
    """Whether one of several texts was cut or had a secret taken out: what it does not show may still be there."""
    return isinstance(value, tuple) and any(mark in text for text in value for mark in _HIDDEN)


def merged(evidence: tuple[Evidence, ...]) -> dict[str, FactValue]:
    """Every known fact of every source; names never collide, because each begins with its source."""
    return {name: value for one in evidence for name, value in one.facts.items()}


def source_of(fact: str) -> str:
    """The source that answers for a fact: the word before the first dot."""
    return fact.partition(".")[0]

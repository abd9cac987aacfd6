"""Reading `virustotal.malicious=40` and `virustotal=unknown`: what somebody supposes, typed by the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from firebreak.core.diagnostics import FaultLog, quoted
from firebreak.core.facts import Catalogue, Fact, FactType, FactValue, source_of
from firebreak.policy_language.reading.elsewhere import nearest_fact
from firebreak.policy_language.reading.literals import read_value
from firebreak.policy_language.reading.yaml_reader import Items, Node, Scalar
from firebreak.policy_language.reading.yaml_scalars import AmbiguousScalar, plain_value

UNKNOWN = "unknown"
_AROUND = " \t\"'"
"""What stands around a word of a list that was copied from JSON or YAML, and is no part of it."""


class NotAnAssumption(ValueError):
    """A text that supposes nothing of a fact."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """Facts as somebody supposes them; `unknown` names facts, and sources as a whole, that are to stay so."""

    facts: Mapping[str, FactValue] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()

    def over(self, source: str, facts: Mapping[str, FactValue]) -> dict[str, FactValue]:
        """The source's facts with these in place of its own."""
        mine = {name: value for name, value in self.facts.items() if source_of(name) == source}
        kept = {} if source in self.unknown else facts
        return {name: value for name, value in {**kept, **mine}.items() if name not in self.unknown}


def read_assumptions(texts: Iterable[str], catalogue: Catalogue, now_ns: int) -> Assumed:
    """All of them; raises NotAnAssumption for the first that is none. A later one takes the place of an earlier one."""
    facts: dict[str, FactValue] = {}
    unknown: set[str] = set()
    sources = {source_of(name) for name in catalogue}
    for text in texts:
        name, equals, value = text.partition("=")
        _check_name(name, equals, text, catalogue, sources)
        facts.pop(name, None)
        unknown.discard(name)
        if value == UNKNOWN:
            unknown.add(name)
        elif name in catalogue:
            facts[name] = _value(name, value, catalogue[name], now_ns)
        else:
            message = f"{quoted(name)} is a source: as a whole it can only be assumed {UNKNOWN}; name one of its facts"
            raise NotAnAssumption(message)
    return Assumed(facts, frozenset(unknown))


def _check_name(name: str, equals: str, text: str, catalogue: Catalogue, sources: set[str]) -> None:
    if not equals:
        message = f"{quoted(text)} supposes nothing: write FACT=VALUE, as virustotal.malicious=40"
        raise NotAnAssumption(message)
    if name not in catalogue and name not in sources:
        nearest = nearest_fact(name, (*catalogue, *sources))
        meant = f"; did you mean {quoted(nearest)}?" if nearest else ""
        message = f"there is no fact or source {quoted(name)}{meant}"
        raise NotAnAssumption(message)


def _value(name: str, text: str, fact: Fact, now_ns: int) -> FactValue:
    """As examples read it, but that nothing needs quotes: the catalogue says what it is."""
    log = FaultLog(name, text)
    place = log.place(1, 1)
    node: Node = Scalar(place, text, text)
    if fact.type is FactType.TEXTS:
        words = [word.strip(_AROUND) for word in text.strip("[]").split(",")]
        node = Items(place, tuple(Scalar(place, word, word) for word in words if word))
    elif fact.type in (FactType.NUMBER, FactType.BOOL):
        try:
            node = Scalar(place, plain_value(text), text)
        except AmbiguousScalar:
            node = Scalar(place, text, text)
    read = read_value(node, quoted(name), fact, now_ns, log)
    if read is None or log.faults:
        raise NotAnAssumption(log.faults[0].said)
    return read

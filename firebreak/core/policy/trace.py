"""Which policies were tried on a finding, and what each clause came to: for the record, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.core.policy.selection import Choice, Considered
from firebreak.core.secrets.redaction import LONGEST_LIST
from firebreak.core.ternary import Truth

_MOST = 30


def bounded_trace(choice: Choice) -> tuple[Mapping[str, Any], ...]:
    """Every policy that may match, and as many of the others as a record has room for, in the order of trial."""
    room = _MOST
    kept = []
    for one in choice.trace:
        decisive = one.truth is not Truth.FALSE
        if decisive or room > 0:
            kept.append(_traced(one))
            room -= not decisive
    return tuple(kept[:LONGEST_LIST])


def _traced(considered: Considered) -> Mapping[str, Any]:
    clauses = [
        {
            "fact": one.fact,
            "operator": str(one.operator),
            "wanted": _json(one.operand),
            "value": _json(one.value),
            "truth": one.truth.word,
            "within": one.within,
        }
        for one in considered.trace
    ]
    return {
        "policy": considered.policy,
        "mode": considered.mode.word,
        "truth": considered.truth.word,
        "clauses": clauses,
    }


def _json(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, tuple | frozenset):
        return [_json(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)

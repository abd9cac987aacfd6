"""Plain YAML scalars, accepted only where every YAML version and every person reads the same value."""

from __future__ import annotations

import re

ScalarValue = str | int | float | bool | None

_CONSTANTS: dict[str, ScalarValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+")
_LONGEST_NUMBER = 18

_YES_NO = re.compile(r"(?:y|n|yes|no|on|off)", re.IGNORECASE)
_SURPRISES = (
    (_YES_NO, "some readers of YAML take it for true or false: write true or false, or put it in quotes"),
    (re.compile(r"[-+]?0[0-9_]+"), "some readers take a leading 0 for octal: leave it out, or put text in quotes"),
    (re.compile(r"[-+]?0[xob][0-9A-Fa-f_]+"), "write the number in decimal, or put text in quotes"),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"),
        "some readers take it for a number in base 60: write a duration as 90s or 30m, or put text in quotes",
    ),
    (re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE), "it is no number to compare with: put text in quotes"),
    (
        re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+[0-9]|$).*", re.DOTALL),
        "some readers take it for a date, others for text: put it in quotes",
    ),
    (
        re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"),
        "write the number in plain decimal, as 1500 or 0.5, or put text in quotes",
    ),
    (re.compile(r"[\u2018-\u201f].*", re.DOTALL), 'it begins with what is no quote to YAML: write " instead'),
    (re.compile(r".*(?:\$\{.*\}|\{\{.*\}\}).*", re.DOTALL), "nothing is filled in here: write the value itself"),
    (re.compile(r"="), "it has a meaning of its own in YAML 1.1: put it in quotes"),
    (re.compile(r"<<"), "merging does not load: write the keys out here"),
)


class AmbiguousScalar(ValueError):
    """A plain scalar that YAML 1.1 and 1.2 read differently, or almost nobody as it was meant; says what to write."""


def plain_value(text: str) -> ScalarValue:
    """The value of an unquoted scalar; raises Surprise where readers would disagree about it."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
    for pattern, instead in _SURPRISES:
        if pattern.fullmatch(text):
            raise AmbiguousScalar(instead)
    return text

"""A policy taken out of shadow, or put into another mode, in the text of its file."""

from __future__ import annotations

import re

from firebreak.core.diagnostics import Location, quoted
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import Policy

_WORD = re.compile(r"""(["']?)([A-Za-z]+)\1""")


class NotEditable(Exception):
    """The key does not stand in the text as it was read; a person has to make the edit."""


def promoted(text: str, policy: Policy, mode: Mode) -> str:
    """The file's text with the policy deciding, in that mode; raises NotEditable.

    The line of `shadow` goes where nothing else is on it; else its value becomes false.
    """
    lines = text.split("\n")
    if policy.mode is not mode:
        at = policy.places["mode"]
        lines[at.line - 1] = _with_word(lines[at.line - 1], at, policy.mode.word, mode.word)
    if policy.shadow:
        at = policy.places["shadow"]
        line = lines[at.line - 1]
        if line.split() == ["shadow:", "true"]:
            del lines[at.line - 1]
        else:
            lines[at.line - 1] = _with_word(line, at, "true", "false")
    return "\n".join(lines)


def _with_word(line: str, at: Location, old: str, new: str) -> str:
    start = at.column - 1
    found = _WORD.match(line, start)
    if found is None or found[2] != old:
        message = f"{at}: {quoted(old)} does not stand here by itself"
        raise NotEditable(message)
    return f"{line[:start]}{found[1]}{new}{found[1]}{line[found.end() :]}"

"""What a broken law says: which action, where it stands, which settings, what was expected and what was found."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.cloud_run.state import State

ROOT = Path(__file__).resolve().parents[2]


def place_of(action: Responder, member: str = "") -> str:
    """File and line of an action, or of one thing that it declares or does."""
    file = Path(inspect.getfile(type(action)))
    lines = file.read_text(encoding="utf-8").splitlines()
    starts = (f"    def {member}(", f"    {member} = ", f"    {member}: ") if member else ("class ",)
    own = [number for number, line in enumerate(lines, 1) if line.startswith(starts)]
    start = own or [number for number, line in enumerate(lines, 1) if line.startswith(f"class {type(action).__name__}")]
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return f"{shown}:{start[0] if start else 1}"


def broken(action: Responder, member: str, what: str, *lines: str) -> str:
    """The sentence that a failing law prints: the place to look at, what is wrong there, and the details."""
    return "\n  ".join((f"{place_of(action, member)}: `{member}` {what}", *lines))


def differences(expected: Mapping[str, Any], found: Mapping[str, Any] | Refusal) -> tuple[str, ...]:
    """One line for each setting that is not as expected; a setting that is not there is `(none)`."""
    if isinstance(found, Refusal):
        return (f"expected settings, found a refusal: {found.reason}",)
    keys = sorted(key for key in expected.keys() | found.keys() if _shown(expected, key) != _shown(found, key))
    return tuple(f"{key}: expected {_shown(expected, key)}, found {_shown(found, key)}" for key in keys)


def _shown(state: Mapping[str, Any], key: str) -> str:
    return repr(state[key]) if key in state else "(none)"


def before(state: State) -> str:
    """The settings that an edit was given, on one line."""
    return "settings before: " + ", ".join(f"{key}={value!r}" for key, value in sorted(state.items()))


def listed(words: Iterable[str]) -> str:
    """Names in a sentence."""
    return ", ".join(f"`{word}`" for word in sorted(words))

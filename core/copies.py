"""Redacted copies of originals: JSON with every secret out and every text safe, and as whole as that allows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.redaction import names_a_secret, safe

_ROOM = 500_000
_LONGEST = 100_000
_DEEPEST = 60
_VARIABLES = frozenset({"env", "envVariables", "env_variables"})
_VALUES = frozenset({"value", "val"})


@dataclass(frozen=True, slots=True)
class Copy:
    """What is left of an original; `cut` counts the characters and parts that were left out for size or depth alone."""

    content: Any
    cut: int


def copy_of(original: object) -> Copy:
    """The redacted copy of JSON. Values of environment variables and of whatever is named like a secret are out."""
    copying = _Copying(_ROOM)
    content = copying.value(original, "", 0)
    return Copy(content, copying.cut)


def redacted(original: object) -> Any:  # noqa: ANN401 - JSON
    """The content of the copy."""
    return copy_of(original).content


@dataclass(slots=True)
class _Copying:
    """`room` is how many characters of text may still be kept."""

    room: int
    cut: int = 0

    def value(self, value: object, key: str, depth: int) -> Any:  # noqa: ANN401 - JSON
        """The value under a key; texts under a key that names a secret are not looked at."""
        if isinstance(value, Mapping | list | tuple) and depth >= _DEEPEST:
            self.cut += 1
            return "… (nested too deep)"
        if isinstance(value, Mapping):
            return self._mapping(value, key, depth)
        if isinstance(value, list | tuple):
            return [self.value(one, key, depth + 1) for one in value]
        return value if value is None or isinstance(value, bool) else self._scalar(value, key)

    def _scalar(self, value: object, key: str) -> str | int | float:
        if names_a_secret(key):
            return "[redacted secret]"
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        return self._text(str(value))

    def _mapping(self, value: Mapping[Any, Any], key: str, depth: int) -> dict[str, Any]:
        variable = key in _VARIABLES and "name" in value
        made: dict[str, Any] = {}
        for name, one in value.items():
            shown = safe(str(name), 200)
            while shown in made:
                shown += "'"
            hidden = variable and name in _VALUES and one is not None
            made[shown] = "[redacted value]" if hidden else self.value(one, str(name), depth + 1)
        return made

    def _text(self, text: str) -> str:
        """What lies beyond the room that is left is counted and not kept."""
        room = min(self.room, _LONGEST)
        kept = safe(text, room) if room else f"… ({len(text)} more characters)"
        self.room -= min(len(text), room)
        self.cut += max(0, len(text) - room)
        return kept


def opened(text: str) -> Any:  # noqa: ANN401 - JSON, or the text itself
    """JSON text as what it says, so that names and values in it are seen for what they are; else the text."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return said if isinstance(said, dict | list) else text

"""Redacted copies of originals: JSON with every secret out and every text safe, and as whole as that allows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from firebreak.core.cloud_run.setting_names import TAG
from firebreak.core.secrets.command_lines import MARK
from firebreak.core.secrets.names import names_a_secret
from firebreak.core.secrets.redaction import Named, named, safe, without_secret_words

_ROOM = 500_000
_LONGEST = 100_000
_DEEPEST = 60
_PARTS = 20_000
_SHORT_TEXT = 200
_VARIABLES = frozenset({"env", "envVariables", "env_variables"})
_PAIR_NAMES = ("name", "key", "Name", "Key")
_VALUES = frozenset({"value", "val", "Value"})


@dataclass(frozen=True, slots=True)
class Copy:
    """What is left of an original; `cut` counts the characters and parts that were left out for size or depth alone."""

    content: Any
    cut: int


def copy_of(original: object, room: int = _ROOM) -> Copy:
    """The redacted copy of JSON. Values of environment variables and of whatever is named like a secret are out."""
    copying = _Copying(room)
    content = copying.value(original, "", 0)
    return Copy(content, copying.cut)


def redact(original: object, room: int = _ROOM) -> Any:  # noqa: ANN401 - JSON
    """The redacted copy of JSON, without the count of what was cut."""
    return copy_of(original, room).content


@dataclass(slots=True)
class _Copying:
    """`room` is how many characters of text may still be kept, `parts` how many values."""

    room: int
    parts: int = _PARTS
    cut: int = 0

    def value(self, value: object, key: str, depth: int) -> Any:  # noqa: ANN401 - JSON
        """The value under a key; texts under a key that names a secret are not looked at."""
        if isinstance(value, Mapping | list | tuple) and depth >= _DEEPEST:
            self.cut += 1
            return "… (nested too deep)"
        if isinstance(value, Mapping):
            return self._mapping(value, key, depth)
        if isinstance(value, list | tuple):
            return self._list(value, key, depth)
        return value if value is None or isinstance(value, bool) else self._scalar(value, key)

    def _scalar(self, value: object, key: str) -> str | int | float:
        if names_a_secret(key) and not (key.startswith(TAG) and _is_named(value)):
            return MARK
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        return self._text(str(value))

    def _list(self, value: Sequence[Any], key: str, depth: int) -> list[Any]:
        kept = without_secret_words(value[: self._take(len(value))])
        return [self.value(one, key, depth + 1) for one in kept]

    def _mapping(self, value: Mapping[Any, Any], key: str, depth: int) -> dict[str, Any]:
        hidden = _hidden_values(value, key)
        made: dict[str, Any] = {}
        for name, one in islice(value.items(), self._take(len(value))):
            shown = self._name(str(name))
            while shown in made:
                shown = f"{shown}'{len(made)}"
            made[shown] = "[redacted value]" if name in hidden else self.value(one, str(name), depth + 1)
        return made

    def _take(self, wanted: int) -> int:
        """How many of so many values may be kept; the others are counted."""
        taken = min(wanted, self.parts)
        self.parts -= taken
        self.cut += wanted - taken
        return taken

    def _name(self, name: str) -> str:
        self.room -= min(self.room, len(name), _SHORT_TEXT)
        return safe(name[:_SHORT_TEXT], _SHORT_TEXT) if self.room else "…"

    def _text(self, text: str) -> str:
        """What lies beyond the room that is left is counted and not kept."""
        room = min(self.room, _LONGEST)
        kept = safe(text, room) if room else f"… ({len(text)} more characters)"
        self.room -= min(len(text), room)
        self.cut += max(0, len(text) - room)
        return kept


def _is_named(value: object) -> bool:
    return isinstance(value, str) and isinstance(named(value), Named)


def _hidden_values(value: Mapping[Any, Any], key: str) -> frozenset[str]:
    """The keys of a name's value: of every environment variable, of a pair of name and value that names a secret."""
    name = next((str(value[one]) for one in _PAIR_NAMES if isinstance(value.get(one), str)), None)
    hides = name is not None and (key in _VARIABLES or names_a_secret(name))
    return frozenset(one for one in _VALUES if hides and value.get(one) is not None)


def parse_if_json(text: str) -> Any:  # noqa: ANN401 - JSON, or the text itself
    """The parsed value if the text is a JSON object or list, so that names in it can be redacted; else the text."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return said if isinstance(said, dict | list) else text

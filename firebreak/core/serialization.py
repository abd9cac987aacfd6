"""Frozen dataclasses to JSON and back by their type hints: what is saved is what comes back, or it does not load.

Names in the JSON are those of firebreak/core/storage_names.py. Keys that are not among them stay with the value that
they came with.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from firebreak.core.storage_names import NAMES, Names, Stored, names_of

T = TypeVar("T")
Table = Mapping[str, Names]
_SCALARS = frozenset({str, int, float, bool, type(None)})


class Unreadable(Exception):
    """Stored JSON does not fit the type it was saved from."""


def encode(value: object, names: Table = NAMES) -> Any:  # noqa: ANN401, PLR0911 - JSON, a line for each shape
    """JSON for a value made of dataclasses, enums, tuples, frozensets, mappings and JSON scalars."""
    kind = type(value)
    if kind in _SCALARS:
        return value  # first, since most of every record is such
    if dataclasses.is_dataclass(kind):
        unknown = value.unknown_keys if isinstance(value, Stored) else {}
        known = names_of(kind, names)
        absent = {name for name in known.later if getattr(value, name) == _default(kind, name)}
        saved = {to: encode(getattr(value, name), names) for name, to in known.parts.items() if name not in absent}
        return {**unknown, **saved}
    if isinstance(value, enum.Enum):
        return names_of(kind, names).parts[value.name]
    if isinstance(value, frozenset):
        return sorted(encode(one, names) for one in value)
    if isinstance(value, tuple | list):
        return [encode(one, names) for one in value]
    if isinstance(value, Mapping):
        return {str(key): encode(one, names) for key, one in value.items()}
    if isinstance(value, str | int | float):
        return value
    message = f"cannot be saved: {type(value).__name__}"
    raise TypeError(message)


def decode(kind: type[T], value: object, names: Table = NAMES, *, as_far_as_known: bool = False) -> T:
    """The value of type `kind` that `value` was encoded from; raises Unreadable.

    `as_far_as_known` is for looking at what a newer version wrote: a part that this one cannot read is as if unset, and
    any text is a word. What comes of it is never saved.
    """
    try:
        return _Reader(names, as_far_as_known).read(kind, value)  # type: ignore[no-any-return]  # built from `kind`
    except (TypeError, ValueError, KeyError) as fault:
        message = f"not a saved {getattr(kind, '__name__', kind)}: {fault}"
        raise Unreadable(message) from None


@dataclass(frozen=True, slots=True)
class _Reader:
    names: Table
    lenient: bool

    def read(self, kind: Any, value: Any) -> Any:  # noqa: ANN401, PLR0911 - one line for each shape a type can have
        if kind in _SCALARS:
            return _require(value, type(value) is kind)
        if kind in (Any, object):
            return value
        origin = _origin(kind)
        if origin in (Union, types.UnionType):
            return self._union(get_args(kind), value)
        if origin is Literal:
            return _require(value, value in get_args(kind) or (self.lenient and isinstance(value, str)))
        if origin is tuple:
            return tuple(self.read(get_args(kind)[0], one) for one in _require(value, isinstance(value, list)))
        if origin is frozenset:
            return frozenset(self.read(get_args(kind)[0], one) for one in _require(value, isinstance(value, list)))
        if origin is not None and issubclass(origin, Mapping):
            of = get_args(kind)[1]
            items = _require(value, isinstance(value, dict)).items()
            return types.MappingProxyType({key: self.read(of, one) for key, one in items})
        if dataclasses.is_dataclass(kind):
            return self._dataclass(kind, _require(value, isinstance(value, dict)))
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            members = {stored: name for name, stored in names_of(kind, self.names).parts.items()}
            return kind[members[value]]
        return _require(value, type(value) is kind)

    def _dataclass(self, kind: Any, value: dict[str, Any]) -> Any:  # noqa: ANN401 - any dataclass
        hints, known = _hints(kind), names_of(kind, self.names).parts
        parts = {}
        for name, stored in known.items():
            if stored in value:
                try:
                    parts[name] = self.read(hints[name], value[stored])
                except (TypeError, ValueError, KeyError):
                    if not self.lenient:
                        raise
        unknown = {key: one for key, one in value.items() if key not in known.values()}
        if unknown:
            parts["unknown_keys"] = types.MappingProxyType(unknown)
        return kind(**parts)

    def _union(self, kinds: tuple[Any, ...], value: object) -> Any:  # noqa: ANN401 - one of `kinds`
        for kind in kinds:
            try:
                return self.read(kind, value)
            except (TypeError, ValueError, KeyError):
                continue
        message = f"fits none of {kinds}"
        raise ValueError(message)


def _require(value: Any, fits: bool) -> Any:  # noqa: ANN401, FBT001 - a check and its value in one line
    if not fits:
        message = f"unexpected {type(value).__name__}"
        raise ValueError(message)
    return value


UNSAVED = types.MappingProxyType({"saved": False})
"""Metadata of a field that stays in this process; it needs a default."""


@functools.cache
def _default(kind: Any, name: str) -> object:  # noqa: ANN401 - any dataclass
    part = next(one for one in dataclasses.fields(kind) if one.name == name)
    return part.default if part.default_factory is dataclasses.MISSING else part.default_factory()


@functools.cache
def _origin(kind: Any) -> Any:  # noqa: ANN401 - as typing has it, remembered
    return get_origin(kind)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)

"""Frozen dataclasses to JSON and back by their type hints: what is saved is what comes back, or it does not load.

Names in the JSON are those of firebreak/core/storage_names.py. Keys that are not among them stay with the value that
they came with.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Callable, Mapping
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
        readers = _OF_TODAY[as_far_as_known] if names is NAMES else _Readers(names, as_far_as_known)
        return readers.of(kind)(value)  # type: ignore[no-any-return]  # built from `kind`
    except (TypeError, ValueError, KeyError) as fault:
        message = f"not a saved {getattr(kind, '__name__', kind)}: {fault}"
        raise Unreadable(message) from None


_Read = Callable[[Any], Any]


class _Readers:
    """What reads each type, made once: most of what is decoded are the same few types, again and again."""

    def __init__(self, names: Table, lenient: bool) -> None:  # noqa: FBT001 - as `decode` has it
        """Made for one table; nothing is read yet."""
        self._names, self._lenient = names, lenient
        self._made: dict[Any, _Read] = {}

    def of(self, kind: Any) -> _Read:  # noqa: ANN401 - a type hint
        """What reads a value of this type; it raises ValueError, TypeError or KeyError where the value does not fit."""
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return self._made[kind]

    def _make(self, kind: Any) -> _Read:  # noqa: ANN401, PLR0911 - one line for each shape a type can have
        origin = get_origin(kind)
        if kind in (Any, object):
            return lambda value: value
        if origin in (Union, types.UnionType):
            return self._union(kind)
        if origin is Literal:
            words, lenient = get_args(kind), self._lenient
            return lambda value: _require(value, value in words or (lenient and isinstance(value, str)))
        if origin in (tuple, frozenset):
            one = self.of(get_args(kind)[0])
            return lambda value: origin(map(one, _require(value, isinstance(value, list))))
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(self.of(get_args(kind)[1]))
        if dataclasses.is_dataclass(kind):
            return self._dataclass(kind)
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            members = {stored: kind[name] for name, stored in names_of(kind, self._names).parts.items()}
            return lambda value: members[value]
        return lambda value: _require(value, type(value) is kind)

    @staticmethod
    def _mapping(one: _Read) -> _Read:
        def read(value: Any) -> Any:  # noqa: ANN401 - JSON
            items = _require(value, isinstance(value, dict)).items()
            return types.MappingProxyType({key: one(part) for key, part in items})

        return read

    def _dataclass(self, kind: Any) -> _Read:  # noqa: ANN401 - any dataclass
        known, lenient = names_of(kind, self._names).parts, self._lenient
        fields: tuple[tuple[str, str, _Read], ...] | None = None

        def read(value: Any) -> Any:  # noqa: ANN401 - JSON
            nonlocal fields
            if fields is None:  # only now: a type may be a part of itself
                hints = get_type_hints(kind)
                fields = tuple((name, stored, self.of(hints[name])) for name, stored in known.items())
            _require(value, isinstance(value, dict))
            parts, taken = {}, 0
            for name, stored, one in fields:
                if stored in value:
                    taken += 1
                    try:
                        parts[name] = one(value[stored])
                    except (TypeError, ValueError, KeyError):
                        if not lenient:
                            raise
            if taken < len(value):
                unknown = {key: one for key, one in value.items() if key not in known.values()}
                parts["unknown_keys"] = types.MappingProxyType(unknown)
            return kind(**parts)

        return read

    def _union(self, kind: Any) -> _Read:  # noqa: ANN401 - a union
        readers = [self.of(one) for one in get_args(kind)]

        def read(value: Any) -> Any:  # noqa: ANN401 - one of them
            for one in readers:
                try:
                    return one(value)
                except (TypeError, ValueError, KeyError):
                    continue
            message = f"fits none of {kind}"
            raise ValueError(message)

        return read


_OF_TODAY = {lenient: _Readers(NAMES, lenient) for lenient in (False, True)}


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

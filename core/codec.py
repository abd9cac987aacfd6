"""Frozen dataclasses to JSON and back by their type hints: what is saved is what comes back, or it does not load."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Unreadable(Exception):  # noqa: N818 - reads as the sentence it is
    """Stored JSON does not fit the type it was saved from."""


def encode(value: object) -> Any:  # noqa: ANN401 - JSON
    """JSON for a value made of dataclasses, enums, tuples, frozensets, mappings and JSON scalars."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        saved = {name: getattr(value, name) for name in _saved(type(value))}
        later = _later(type(value))
        return {name: encode(one) for name, one in saved.items() if name not in later or one != later[name]}
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, frozenset):
        return sorted(encode(one) for one in value)
    if isinstance(value, tuple | list):
        return [encode(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): encode(one) for key, one in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    message = f"cannot be saved: {type(value).__name__}"
    raise TypeError(message)


def decode(kind: type[T], value: object) -> T:
    """The value of type `kind` that `value` was encoded from; raises Unreadable."""
    try:
        return _decode(kind, value)  # type: ignore[no-any-return]  # built from `kind`
    except (TypeError, ValueError, KeyError) as fault:
        message = f"not a saved {getattr(kind, '__name__', kind)}: {fault}"
        raise Unreadable(message) from None


def _decode(kind: Any, value: Any) -> Any:  # noqa: ANN401, PLR0911 - one line for each shape a type can have
    origin = get_origin(kind)
    if kind in (Any, object):
        return value
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value)
    if origin is Literal:
        return _require(value, value in get_args(kind))
    if origin is tuple:
        return tuple(_decode(get_args(kind)[0], one) for one in _require(value, isinstance(value, list)))
    if origin is frozenset:
        return frozenset(_decode(get_args(kind)[0], one) for one in _require(value, isinstance(value, list)))
    if origin is not None and issubclass(origin, Mapping):
        of = get_args(kind)[1]
        items = _require(value, isinstance(value, dict)).items()
        return types.MappingProxyType({key: _decode(of, one) for key, one in items})
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, _require(value, isinstance(value, dict)))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind[value]
    return _require(value, type(value) is kind or (kind is type(None) and value is None))


def _decode_dataclass(kind: Any, value: dict[str, Any]) -> Any:  # noqa: ANN401 - any dataclass
    hints = _hints(kind)
    unknown = value.keys() - set(_saved(kind))
    if unknown:
        message = f"unknown {sorted(unknown)}"
        raise ValueError(message)
    return kind(**{name: _decode(hints[name], one) for name, one in value.items()})


def _decode_union(kinds: tuple[Any, ...], value: object) -> Any:  # noqa: ANN401 - one of `kinds`
    for kind in kinds:
        try:
            return _decode(kind, value)
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


LATER = types.MappingProxyType({"later": True})
"""Metadata of a field that came after a release: left out at its default, so that older seals and readers still fit."""


@functools.cache
def _later(kind: type) -> Mapping[str, object]:
    return {
        one.name: one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
        for one in dataclasses.fields(kind)
        if one.metadata.get("later")
    }


@functools.cache
def _saved(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(kind) if one.metadata.get("saved", True))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)

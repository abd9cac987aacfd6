"""terraform/record.json: the columns of an announced incident in BigQuery, read off the code's own record."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record

ANY_KEY = "any key"
WORDS = {"surface": "service"}  # fields whose text is looked up somewhere, and so must be one that exists
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def filled(kind: Any) -> Any:  # noqa: ANN401, PLR0911 - one value of any type, one line for each form of type
    """A value of this type with every optional part there, so that its record has every field."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return filled(max(parts, key=_size))
    if origin is typing.Literal:
        return parts[0]
    if origin in (tuple, frozenset):
        return origin([filled(parts[0])])
    if origin is collections.abc.Mapping:
        return {ANY_KEY: filled(parts[1])}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        names = [one.name for one in dataclasses.fields(kind) if one.init and not one.kw_only]
        return kind(**{name: WORDS.get(name) or filled(hints[name]) for name in names})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    return "any text" if kind in (Any, str) else kind(1)


def _size(kind: Any) -> int:  # noqa: ANN401 - a type
    """Of a union the part that says most is taken: the one with the most fields, and anything rather than nothing."""
    if kind is type(None):
        return -1
    return len(dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else 0


def columns(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """One column for each text, number or time; lists, and objects of any keys, stay JSON."""
    for key, one in value.items():
        here = (*path, key)
        if isinstance(one, dict) and ANY_KEY not in one:
            yield from columns(one, here)
        else:
            yield {"name": "_".join(here), "path": f"$.{'.'.join(here)}", "type": type_of(one)}


def type_of(value: object) -> str:
    """BigQuery's type for a value of the record."""
    if isinstance(value, list | dict):
        return "JSON"
    if isinstance(value, bool):
        return "BOOL"
    if isinstance(value, int):
        return "INT64"
    return "TIMESTAMP" if _INSTANT.fullmatch(str(value)) else "STRING"


def whole_record() -> dict[str, Any]:
    """The record of an incident that has everything."""
    return record(dataclasses.replace(filled(Incident), phase="waiting"))


def text() -> str:
    """The whole file, one column a line."""
    return "[\n" + ",\n".join(f"  {json.dumps(one)}" for one in columns(whole_record())) + "\n]\n"

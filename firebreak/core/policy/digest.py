"""One digest for everything that decides, blind to comments, layout and the order of keys."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from firebreak.core.policy.condition import AllOf, AnyOf, NoneOf
from firebreak.core.policy.policy import Config, Policy, PolicySet

_SPEAKS_TO_PEOPLE_ONLY = ("at", "examples", "sets", "routing")
_CAME_LATER = ("drill", "shadow", "ceilings")
"""Keys without which a policy set keeps the digest that it had before there were such."""


def digest_of(policies: Iterable[Policy], config: Config) -> str:
    """SHA-256 in hex digits. The order of policies and steps counts; that of clauses does not."""
    charter = _plain(config)
    content = {"charter": charter, "policies": [_plain(policy) for policy in policies]}
    return hashlib.sha256(_text(content).encode()).hexdigest()


def policy_set(policies: tuple[Policy, ...], config: Config) -> PolicySet:
    """Policies and config under their digest."""
    return PolicySet(policies, config, digest_of(policies, config))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a policy is made of, as JSON
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, AllOf | AnyOf | NoneOf):
        return [type(value).__name__, sorted((_plain(part) for part in value.parts), key=_text)]
    if dataclasses.is_dataclass(value):
        names = [one.name for one in dataclasses.fields(value) if _decides(one) and not _is_unset(value, one)]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, frozenset):
        return sorted(_plain(one) for one in value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _decides(one: dataclasses.Field[Any]) -> bool:
    """What does not count when two are compared, such as how a length of time is written, decides nothing either."""
    return one.compare and one.name not in _SPEAKS_TO_PEOPLE_ONLY


def _is_unset(value: Any, one: dataclasses.Field[Any]) -> bool:  # noqa: ANN401
    return one.name in _CAME_LATER and getattr(value, one.name) == one.default


def _text(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

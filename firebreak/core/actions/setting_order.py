"""How far each setting opens a door: the one order by which no edit ever loosens anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.scaling import read_scaling
from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    CANCELLED,
    DEFAULT_URI_DISABLED,
    DISABLED,
    EXECUTION,
    INGRESS,
    INVOKER_CHECK_OFF,
    POOL_INSTANCES,
    POOL_SPLIT,
    SCALING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.workload import references

_INGRESSES = ("none", "internal", "internal-and-cloud-load-balancing", "all")
_Value = Setting | None
_WIDEST = len(_INGRESSES)
_ENDLESS = float("inf")


def narrower_ingress(now: _Value, wanted: str) -> str:
    """The wanted ingress, or the one there is where that lets in less."""
    return wanted if now is None or _admits(wanted) <= _admits(now) else str(now)


def _admits(ingress: _Value) -> int:
    """How much an ingress lets in: unset is all, and a word of which nothing is known lets in more than any other."""
    word = "all" if ingress is None else str(ingress)
    return _INGRESSES.index(word) if word in _INGRESSES else _WIDEST


def _ingress(before: _Value, after: _Value) -> bool:
    return _admits(after) <= _admits(before) and _admits(after) < _WIDEST


def _scaling(before: _Value, after: _Value) -> bool:
    return all(now <= was for now, was in zip(_instances(after), _instances(before), strict=True))


def _instances(scaling: _Value) -> tuple[float, float]:
    """The least and the most instances there may be; without limits where nothing is said."""
    if scaling is None:
        return 0, _ENDLESS
    read = read_scaling(str(scaling))
    if read.manual is not None:
        return read.manual, read.manual
    return read.least, _ENDLESS if read.most is None else read.most


def _count(before: _Value, after: _Value) -> bool:
    return isinstance(after, int) and (not isinstance(before, int) or after <= before)


ORDERS: Mapping[str, Callable[[_Value, _Value], bool]] = MappingProxyType(
    {
        INGRESS: _ingress,
        DEFAULT_URI_DISABLED: lambda before, after: after is True or before is not True,
        INVOKER_CHECK_OFF: lambda before, after: after is not True or before is True,
        SCALING: _scaling,
        POOL_INSTANCES: _count,
        TAG: lambda before, after: after is None or before is not None,
        SPLIT: lambda before, after: True,  # noqa: ARG005 - shares are ordered by suspects alone, see `loosened_settings`
        POOL_SPLIT: lambda before, after: True,  # noqa: ARG005 - as above
        "service_iam.": lambda before, after: after is None,  # noqa: ARG005 - no grant, nor other condition, is added
        "job_iam.": lambda before, after: after is None,  # noqa: ARG005 - as above
        EXECUTION: lambda before, after: after == CANCELLED,  # noqa: ARG005 - nothing starts to run
        ACCOUNT: lambda before, after: after == DISABLED,  # noqa: ARG005 - no account is enabled
    }
)
"""By the setting's key, or its beginning: whether the second of two different values opens no more than the first."""


def loosened_settings(before: State, after: State, case: EditContext) -> tuple[str, ...]:
    """The settings that are more open in `after`; no suspect may gain a share, a tag or a place in the split."""
    doors = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    wider = {key for key in doors if (order := order_of(key)) and not order(before.get(key), after.get(key))}
    was, now = references(before, case.latest), references(after, case.latest)
    for name in case.suspects & now.keys():
        if name not in was or now[name].percent > was[name].percent or not {*now[name].tags} <= {*was[name].tags}:
            wider.add(f"what leads to {name}")
    return tuple(sorted(wider))


def order_of(key: str) -> Callable[[_Value, _Value], bool] | None:
    """The order that a setting has; None if it has none."""
    return next(
        (order for name, order in ORDERS.items() if key == name or (name[-1] == "." and key.startswith(name))), None
    )

"""Containment actions, one module each: the module's name is the action's name in policies."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from core.action import Responder


def discover() -> Mapping[str, Responder]:
    """Every action in this package, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return MappingProxyType({name: cast("Responder", module.action) for name, module in modules.items()})

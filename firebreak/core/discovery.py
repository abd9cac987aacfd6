"""Finding plug-ins: one module each in a package. One that does not load is named, and leaves the others working."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from firebreak.core.code_location import kind_and_place

NONE_BROKEN: Mapping[str, str] = MappingProxyType({})
"""No reasons at all, because every module loads; else from a module (`responders.suspend`) to why it does not."""


@dataclass(frozen=True, slots=True)
class Found:
    """Plug-ins by their modules' names, and by the same names why some are not among them."""

    working: Mapping[str, Any]
    broken: Mapping[str, str]


def find(package: str, folders: Iterable[str], attribute: str, declares: Iterable[str]) -> Found:
    """Each module's `attribute`, where the module can be imported and the attribute has all that it has to declare."""
    working: dict[str, Any] = {}
    broken: dict[str, str] = {}
    for name in modules(folders):
        try:
            plugin = getattr(importlib.import_module(f"{package}.{name}"), attribute, None)
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - whatever a module does when it is imported is its own fault
            within = fault.with_traceback(fault.__traceback__ and fault.__traceback__.tb_next)  # not the line above
            broken[name] = f"{package}/{name}.py cannot be imported ({kind_and_place(within)})"
            continue
        lacking = [one for one in declares if not hasattr(plugin, one)]
        if plugin is None:
            broken[name] = f"{package}/{name}.py has no `{attribute}`"
        elif lacking:
            broken[name] = f"`{attribute}` in {package}/{name}.py does not declare {', '.join(lacking)}"
        else:
            working[name] = plugin
    return Found(MappingProxyType(working), MappingProxyType(broken))


def modules(folders: Iterable[str]) -> tuple[str, ...]:
    """The names of the modules in a package's folders; nothing is imported."""
    return tuple(sorted(one.name for one in pkgutil.iter_modules(folders)))


def load(package: str, name: str, attribute: str) -> Any:  # noqa: ANN401 - whatever the package is made of
    """One module's `attribute`; nothing else of the package is imported. Raises ImportError."""
    return getattr(importlib.import_module(f"{package}.{name}"), attribute)

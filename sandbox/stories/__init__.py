"""Stories told on a sandbox with the real function: one module each, with a `TITLE` and a `tell(stage)`."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from types import ModuleType

from sandbox.stories.narrator import Narrator
from sandbox.stories.stage import Stage

_FRAME = frozenset({"narrator", "stage"})


def stories() -> dict[str, ModuleType]:
    """Every story of this folder, by name, in the order in which they are told."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _FRAME)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {module.__name__.rpartition(".")[2].split("_", 1)[1]: module for module in modules}


def run(scenario: str | None, *, listing: bool, as_json: bool) -> int:
    """Tell one story or all; 0 if everything was as it should be, 1 if anything differed, 2 for no such story."""
    known = stories()
    if listing:
        print(json.dumps({name: one.TITLE for name, one in known.items()}) if as_json else _list(known))
        return 0
    if scenario is not None and scenario not in known:
        print(f"there is no story {scenario}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    narrator = Narrator(silent=as_json)
    for name, one in known.items():
        if scenario in (None, name):
            narrator.begin(name, one.TITLE)
            with Stage(narrator) as stage:
                one.tell(stage)
    return narrator.end()


def _list(known: dict[str, ModuleType]) -> str:
    return "\n".join(f"{name:16} {one.TITLE}" for name, one in known.items())

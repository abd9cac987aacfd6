"""Stories told on a sandbox with the real function: one module each, with a `TITLE` and a `tell(stage)`.

One that another policy than the shipped ones decides has it as `POLICY`.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from types import ModuleType

from firebreak.cli.ending import leave_in_order
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.story import CannotGoOn, Narrator
from sandbox.stories.stage import Stage

_FRAME = frozenset({"stage", "telling"})
BY_DEFAULT = ("known_malware", "person_asked")
"""What is told where no story is asked for; `all` tells every one."""


def stories() -> dict[str, ModuleType]:
    """Every story of this folder, by name, in the order in which they are told."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in _FRAME]
    names.sort(key=lambda name: int(name.partition("_")[0].removeprefix("s")))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {module.__name__.rpartition(".")[2].split("_", 1)[1]: module for module in modules}


def run(scenario: str | None, *, listing: bool, as_json: bool) -> int:
    """Tell one story, all, or the first ones: 0 if all was as it should be, 1 if not, 2 for no such story.

    Raises NotStarted where the function does not come up.
    """
    known = stories()
    if scenario not in (None, "all", *known):
        print(f"there is no story {scenario!r}; there are: {', '.join(known)}, all", file=sys.stderr)
        return 2
    wanted = known if scenario == "all" else [scenario] if scenario else known if listing else BY_DEFAULT
    told = {name: story for name, story in known.items() if name in wanted}
    if listing:
        print(json.dumps({name: one.TITLE for name, one in told.items()}, indent=2) if as_json else _list(told))
        return 0
    leave_in_order()
    narrator = Narrator(None if as_json else stdout())
    for name, story in told.items():
        narrator.begin(name, story.TITLE)
        _tell(story, narrator)
    return narrator.end()


def _tell(story: ModuleType, narrator: Narrator) -> None:
    """One story on a stage of its own; where it cannot go on, the function's last words say why."""
    with Stage(narrator, policy=getattr(story, "POLICY", None)) as stage:
        try:
            story.tell(stage)
        except CannotGoOn as difference:
            narrator.step(f"The story ends here: {difference}", *stage.last_words())


def _list(told: dict[str, ModuleType]) -> str:
    return "\n".join(f"{name:16} {one.TITLE}" for name, one in told.items())

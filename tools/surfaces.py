"""Every state of an incident as each surface tells it, side by side with what serves: for people to look at.

`python -m tools.surfaces` runs the scenes of tests/surfaces on the sandbox; names of scenes narrow it down.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.response.harness import Lines
from tests.surfaces.scenes import SCENES
from tests.surfaces.surfaces import Seen, play

_LINES = {"show": 14, "list": 3, "text": 7, "topic": 5}
"""How much of a surface is shown: its head. What Slack and Google Chat show is the text in other clothes."""


def main() -> int:
    """Print the table; 2 for a scene that does not exist."""
    names = sys.argv[1:] or [*SCENES]
    if unknown := [name for name in names if name not in SCENES]:
        print(f"no scene {', '.join(unknown)}; there are {', '.join(SCENES)}", file=sys.stderr)
        return 2
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            scene = SCENES[name]
            with Lines(Path(folder))(scene.world(), policy=scene.policy, config=scene.config) as on:
                seen = play(on, scene)
        print("\n".join(_told(name, seen)), flush=True)
    return 0


def _told(name: str, seen: Seen) -> Iterator[str]:
    yield f"\n══ {name} ══"
    yield f"in truth   suspects that can be reached: {', '.join(sorted(seen.open_suspects)) or 'none'}"
    yield f"           {'it holds the target' if seen.held else 'it holds nothing'}"
    changed = sorted({*seen.settings.items()} ^ {*seen.before.items()})
    keys = sorted({key for key, _ in changed})
    for place, key in keys:
        was, now = (one.get((place, key), "(not set)") for one in (seen.before, seen.settings))
        yield f"           {place}: {key} was {was} and is {now}"
    for surface, most in _LINES.items():
        for number, line in enumerate(seen.surfaces[surface].splitlines()[:most]):
            yield f"{surface if number == 0 else '':<11}{line}"


if __name__ == "__main__":
    sys.exit(main())

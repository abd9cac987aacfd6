"""Firebreak's line in one process, with the real clients over the wire of the sandbox, on a ledger of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from sandbox.world import World
from tests.response.harness import ALWAYS, Line, Lines

LIMITS = "ceiling: enforce\nlimits: {per_project_per_hour: 5, per_hour: 20}"
WIDE = "ceiling: enforce\nlimits: {per_project_per_hour: 100000, per_hour: 100000}"

NOTHING: Mapping[str, str] = MappingProxyType({})


@contextmanager
def line(config: str = WIDE, world: World | None = None, environment: Mapping[str, str] = NOTHING) -> Iterator[Line]:
    """A line that contains whatever it is told of, in a folder that is thrown away."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Lines(Path(folder))(world, policy=ALWAYS, config=config, **environment) as on,
    ):
        yield on

"""How far Firebreak may go, ordered so that the lower is the safer, and the guards' record of why it did less."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, field
from typing import Literal

from firebreak.core.serialization import UNSAVED
from firebreak.core.storage_names import Stored


class Mode(enum.IntEnum):
    """MONITOR records the plan, APPROVE asks a person, ENFORCE acts."""

    MONITOR = 1
    APPROVE = 2
    ENFORCE = 3

    @property
    def word(self) -> str:
        """The mode as policies and records spell it: `monitor`, `approve` or `enforce`."""
        return self.name.lower()


MODES = {mode.word: mode for mode in Mode}


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest mode in force, and where that comes from: environment, firebreak.yaml, halt, unsafe deployment."""

    mode: Mode
    reason: str
    name: Literal["ceiling", "halt"] = "ceiling"


@dataclass(frozen=True, slots=True)
class Cap(Stored):
    """One guard that lowered the mode: a bar (no approval overrules it) or a caution (an approval answers it).

    `name` is a stable word for programs (`source`, `stale`); `reason` is a sentence for people. `unknown` says that the
    guard lowers only because it could not be told what it asks. `about` is what tells it from another of that name: the
    place that is protected, who else uses an account.
    """

    name: str
    kind: Literal["bar", "caution"]
    reason: str
    about: str = ""
    unknown: bool = field(default=False, compare=False, metadata=UNSAVED)

    @property
    def key(self) -> str:
        """What an approval answers: this caution about this, however its sentence reads today."""
        return f"{self.name}:{self.about}" if self.about else self.name

    @property
    def mode(self) -> Mode:
        """The highest mode this cap leaves."""
        return Mode.MONITOR if self.kind == "bar" else Mode.APPROVE


@functools.lru_cache(maxsize=512)
def made_cap(name: str, kind: Literal["bar", "caution"], reason: str, about: str = "", *, unknown: bool = False) -> Cap:
    """The cap; the same again is not made anew, since guards say the same of most findings."""
    return Cap(name, kind, reason, about, unknown=unknown)


def capped(mode: Mode, caps: tuple[Cap, ...]) -> Mode:
    """The mode that is left when every cap has been applied: never higher than `mode`."""
    return min((mode, *(cap.mode for cap in caps)))

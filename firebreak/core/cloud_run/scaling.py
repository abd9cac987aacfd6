"""How many instances a service may have, as one setting: `automatic 0-100`, or `manual 0`, which is none at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNSET = "unset"
SUSPENDED = "manual 0"
_AUTOMATIC = re.compile(r"automatic (\d+)-(\d+|unset)")
_MANUAL = re.compile(r"manual (\d+)")


@dataclass(frozen=True, slots=True)
class Scaling:
    """`manual` is the fixed number of instances, or None; `most` is None where no upper limit is set."""

    manual: int | None = None
    least: int = 0
    most: int | None = None

    @property
    def text(self) -> str:
        """The canonical text."""
        if self.manual is not None:
            return f"manual {self.manual}"
        return f"automatic {self.least}-{UNSET if self.most is None else self.most}"


def read_scaling(text: str) -> Scaling:
    """The scaling that a text stands for; raises ValueError for any other text."""
    if manual := _MANUAL.fullmatch(text):
        return Scaling(manual=int(manual[1]))
    automatic = _AUTOMATIC.fullmatch(text)
    if automatic is None:
        message = f"{text!r} is no scaling"
        raise ValueError(message)
    return Scaling(least=int(automatic[1]), most=None if automatic[2] == UNSET else int(automatic[2]))

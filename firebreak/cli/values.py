"""What may be typed as a value: each function reads one kind, or says what is wrong with it."""

from __future__ import annotations

import argparse
import difflib
import re
from dataclasses import dataclass
from typing import get_args

from firebreak.core.incidents.phase import Phase
from firebreak.core.timestamps import NANOS, parse_instant


def count(text: str) -> int:
    """A number of incidents."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        message = f"{text!r} is not a number of incidents from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def phases(text: str) -> tuple[str, ...]:
    """Phases, with commas between."""
    known, given = get_args(Phase), tuple(dict.fromkeys(text.split(",")))
    for one in given:
        if one not in known:
            near = difflib.get_close_matches(one, known, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            message = f"{one!r} is no phase; {meant}"
            raise argparse.ArgumentTypeError(message)
    return given


def age(text: str) -> int:
    """A time span in nanoseconds."""
    units = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    if not (found := re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text)):
        message = f"{text!r} is no age; give a number and m, h, d or w, such as 24h or 7d"
        raise argparse.ArgumentTypeError(message)
    return int(found[1]) * units[found[2]] * NANOS


def moment(text: str) -> int:
    """A day, which begins in UTC, or a moment of RFC 3339, in nanoseconds since 1970."""
    try:
        return parse_instant(text if "T" in text.upper() else f"{text}T00:00:00Z")
    except ValueError:
        message = f"{text!r} is no time; give a day such as 2026-12-01, or 2026-12-01T09:00:00Z"
        raise argparse.ArgumentTypeError(message) from None


def digest(text: str) -> str:
    """A digest, or its beginning."""
    if not re.fullmatch(r"[0-9a-f]{8,64}", text.lower()):
        message = "give the first 8 to 64 hex digits of the digest that was shown"
        raise argparse.ArgumentTypeError(message)
    return text.lower()


def setting_key(text: str) -> str:
    """A setting by its key, without what chat puts between the characters of what it shows."""
    key = text.replace("\u2060", "").strip()
    if not key or "\n" in key:
        message = "give a setting by its key, such as service.ingress"
        raise argparse.ArgumentTypeError(message)
    return key


def project_id(text: str) -> str:
    """A project's id."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", text):
        message = f"{text!r} is not the id of a project"
        raise argparse.ArgumentTypeError(message)
    return text


def number(text: str) -> str:
    """The number of an organization."""
    if not re.fullmatch(r"[0-9]{1,20}", text):
        message = f"{text!r} is not the number of an organization"
        raise argparse.ArgumentTypeError(message)
    return text


def place(text: str) -> str:
    """A project or a folder, by its resource name."""
    if not re.fullmatch(r"projects/[a-z][a-z0-9-]{4,28}[a-z0-9]|folders/[0-9]{1,20}", text):
        message = f"{text!r} is neither projects/ID nor folders/NUMBER"
        raise argparse.ArgumentTypeError(message)
    return text


def words(text: str) -> str:
    """Words that say something: an empty reason would be none, and an empty halt is how a halt is lifted."""
    if not text.strip():
        message = "give at least one word"
        raise argparse.ArgumentTypeError(message)
    return text.strip()


BOUNDED = ("contained", "enforced", "asked", "recorded", "aside", "wrong", "changed", "worse", "unread")
"""What `--fail-if` may bound."""
OF_A_CHANGE = ("changed", "worse")
"""What of it is nothing without `--against`."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that there may be of something."""

    name: str
    most: int

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.name}>{self.most}"

    def is_beyond(self, count: int) -> bool:
        """Whether there is more."""
        return count > self.most


def bounds(text: str) -> tuple[Bound, ...]:
    """Bounds, with commas between: `enforced>0,asked>20`."""
    found = []
    for one in text.replace(" ", "").split(","):
        name, sign, most = one.partition(">")
        if name not in BOUNDED or not sign or not re.fullmatch(r"[0-9]{1,9}", most):
            message = f"{one!r} is no bound; write enforced>0 or asked>20, of {', '.join(BOUNDED)}"
            raise argparse.ArgumentTypeError(message)
        found.append(Bound(name, int(most)))
    return tuple(found)

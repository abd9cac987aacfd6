"""The recipe as values: every finding of the year in the order of its time, and the sets of policies that decided.

Nothing is drawn by chance: what has to look random is made from the seed by a hash, so that it is the same everywhere.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RECIPE = Path(__file__).with_name("recipe.yaml")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a finding, `after` seconds after the step before; `found` is what it was closed as."""

    word: str
    after: int
    found: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of the year.

    Attributes:
        story: the story that it belongs to.
        number: which of the story's findings it is, from 0.
        at: when it happened, UTC.
        place: `project/region/kind in a path/name`.
        policy_set: key of the set that decided; `scc` where Firebreak was not there yet.
        policy: which policy decided; empty where none did.
        wanted: the mode that it asked for; empty where none decided.
        alone: whether limits of the hour leave it to be contained alone.
        life: what became of it.
        told: the story as the recipe has it.
    """

    story: str
    number: int
    at: dt.datetime
    place: str
    policy_set: str
    policy: str
    wanted: str
    alone: bool
    life: tuple[Step, ...]
    told: Mapping[str, Any]

    def hexadecimal(self, what: str, digits: int, of: str = "") -> str:
        """So many hex digits, by default of this finding's own."""
        named = f"{self.told['seed']}/{what}/{of or f'{self.story}/{self.number}'}"
        return hashlib.sha256(named.encode()).hexdigest()[:digits]


def read_recipe(path: Path = RECIPE) -> dict[str, Any]:
    """The recipe as it is written down."""
    recipe: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return recipe


def findings(recipe: Mapping[str, Any]) -> list[Found]:
    """Every finding, the earliest first."""
    found = (one for story in recipe["stories"] for one in _of_story(story, recipe))
    return sorted(found, key=lambda one: (one.at, one.story, one.number))


def seconds(text: str) -> int:
    """`80s`, `10m`, `6h` or `2d`, in seconds; raises ValueError."""
    if not (told := re.fullmatch(r"([0-9]+)([smhd])", text)):
        message = f"{text!r} is no span of time"
        raise ValueError(message)
    return int(told[1]) * _UNITS[told[2]]


def begin_of(week: int, recipe: Mapping[str, Any]) -> dt.datetime:
    """When a week begins, counted from 1."""
    begins = dt.datetime.combine(recipe["begins"], dt.time(), dt.UTC)
    return begins + dt.timedelta(weeks=week - 1)


def _of_story(story: Mapping[str, Any], recipe: Mapping[str, Any]) -> Iterator[Found]:
    number, told = 0, {**story, "seed": recipe["seed"]}
    for week in _weeks(story["weeks"]):
        of_set = "scc" if "scc" in story["lives"] else _set_of(week, recipe)
        for at in _times(story, begin_of(week, recipe)):
            for turn in range(story["each"]):
                alone = turn < story.get("alone", story["each"])
                lives = _of(story["lives"], of_set if alone else "over")
                yield Found(
                    story["name"],
                    number,
                    at + dt.timedelta(seconds=turn * seconds(story.get("apart", "0s"))),
                    _in_turn(story["where"], turn).replace("*", str(turn + 1)),
                    of_set,
                    _in_turn(_of(story.get("policy", {"all": ""}), of_set), turn),
                    _of(story.get("wanted", {"all": ""}), of_set),
                    alone,
                    tuple(map(_step, _in_turn(lives, turn))),
                    told,
                )
                number += 1


def _weeks(told: str | list[int]) -> list[int]:
    if isinstance(told, list):
        return told
    first, last = map(int, told.split("-"))
    return list(range(first, last + 1))


def _times(story: Mapping[str, Any], week: dt.datetime) -> Iterator[dt.datetime]:
    hour, minute = map(int, story["at"].split(":"))
    for day in story["days"]:
        yield week + dt.timedelta(days=_DAYS.index(day), hours=hour, minutes=minute)


def _set_of(week: int, recipe: Mapping[str, Any]) -> str:
    return str(max((one["from"], key) for key, one in recipe["sets"].items() if one["from"] <= week)[1])


def _of(told: Mapping[str, Any], of_set: str) -> Any:  # noqa: ANN401 - as the recipe has it
    return told.get(of_set, told.get("all"))


def _in_turn(told: Any, turn: int) -> Any:  # noqa: ANN401 - as above
    return told[turn % len(told)] if isinstance(told, list) else told


def _step(text: str) -> Step:
    word, after, *found = text.split()
    return Step(word, seconds(after), *found)

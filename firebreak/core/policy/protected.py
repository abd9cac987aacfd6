"""Places, compared as parsed parts: what is never contained without a person, and where ceilings hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firebreak.core.diagnostics import Location
from firebreak.core.glob import glob_matches
from firebreak.core.mode import Mode
from firebreak.core.ternary import Truth, every, some, truth


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word to compare with: the very same, or, where `glob` is set, one that fits it."""

    text: str
    glob: bool = False

    def fits(self, word: str) -> bool:
        """Whether the whole word fits; letter case counts."""
        return glob_matches(self.text, word) if self.glob else self.text == word

    @property
    def may_be_number(self) -> bool:
        """Whether some run of digits would fit."""
        fixed = self.text.replace("*", "").replace("?", "") if self.glob else self.text
        return all(char in "0123456789" for char in fixed)

    @property
    def may_be_name(self) -> bool:
        """Whether something other than a run of digits would fit."""
        return self.glob or not self.may_be_number


@dataclass(frozen=True, slots=True)
class Protected:
    """One entry of the config's list; it holds when all its parts do, and a part that is None asks nothing."""

    project: Pattern | None = None
    service: Pattern | None = None
    folder: str | None = None
    labels: tuple[tuple[str, Pattern], ...] = ()

    def __str__(self) -> str:
        """As a person names it, by what may be asked of a place: `project shop-dev in folder 456`."""
        words = [f"project {self.project.text}"] if self.project else []
        return " in ".join([*words, *([f"folder {self.folder}"] if self.folder else [])])


@dataclass(frozen=True, slots=True)
class PlacedCeiling:
    """The highest mode at a place; `at` is where in firebreak.yaml it stands."""

    place: Protected
    mode: Mode
    at: Location = field(default=Location("", 1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workload is; None is unknown, while an empty set or mapping says that there are none."""

    project: str | None = None
    project_number: str | None = None
    service: str | None = None
    folders: frozenset[str] | None = None
    labels: Mapping[str, str] | None = None


def protects(entry: Protected, place: Place) -> Truth:
    """Whether the entry covers the place; unknown where that hangs on a part of the place that is unknown."""
    return every(
        (
            Truth.TRUE if entry.project is None else _project(entry.project, place),
            Truth.TRUE if entry.service is None else _word(entry.service, place.service),
            Truth.TRUE if entry.folder is None else _folder(entry.folder, place.folders),
            every(_label(name, wanted, place.labels) for name, wanted in entry.labels),
        )
    )


def _project(wanted: Pattern, place: Place) -> Truth:
    by_name = _word(wanted, place.project) if wanted.may_be_name else Truth.FALSE
    by_number = _word(wanted, place.project_number) if wanted.may_be_number else Truth.FALSE
    return some((by_name, by_number))


def _word(wanted: Pattern, word: str | None) -> Truth:
    return truth(None if word is None else wanted.fits(word))


def _folder(wanted: str, folders: frozenset[str] | None) -> Truth:
    return truth(None if folders is None else wanted in folders)


def _label(name: str, wanted: Pattern, labels: Mapping[str, str] | None) -> Truth:
    if labels is None:
        return Truth.UNKNOWN
    return truth(name in labels and wanted.fits(labels[name]))

"""A story told step by step, to people as it happens or to programs at its end, with a count of what differed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record


class CannotGoOn(Exception):
    """Something that the rest of the story needs is not as it should be; the difference is told."""


@dataclass
class Narrator:
    """Tells to a screen, or keeps everything for the JSON where there is none."""

    screen: Screen | None
    failed: int = 0
    stories: list[dict[str, Any]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _story: float = 0.0

    def begin(self, name: str, title: str) -> None:
        """A new story."""
        self.stories.append({"story": name, "title": title, "steps": [], "checks": []})
        self._story = time.monotonic()
        if self.screen:
            self.screen.heading(f"== {title} ==")

    def step(self, title: str, *lines: str, data: object = None) -> None:
        """One thing that happened, with its time since the story began."""
        at = round(time.monotonic() - self._story, 2)
        self.stories[-1]["steps"].append({"at": at, "step": title, "lines": [], "data": data})
        if self.screen:
            self.screen.heading(f"[{at:5.2f} s] {title}")
        for text in lines:
            self.add(text)

    def add(self, text: str, style: str = "", hang: int = 2) -> None:
        """A further line of the present step."""
        self.stories[-1]["steps"][-1]["lines"].append(text)
        if self.screen:
            self.screen.line(text, style, indent=2, hang=hang)

    def show(self, shown: Callable[[Screen, Record], None], record: Record) -> None:
        """A part of a record, as its own screen shows it; programs have it as the step's data."""
        if self.screen:
            shown(self.screen, record)

    def check(self, what: str, found: object, wanted: object = True) -> bool:  # noqa: FBT002 - what most checks want
        """Whether the world is as it should be; a difference is told and counted."""
        right = found == wanted
        self.failed += not right
        self.stories[-1]["checks"].append({"check": what, "right": right, "found": found, "wanted": wanted})
        if self.screen:
            differs = "" if right else f": found {found}, wanted {wanted}"
            mark, style = ("✓", "good") if right else ("✗", "bad")
            self.screen.line(f"{mark} {what}{differs}", style, indent=2, hang=2)
        return right

    def require(self, what: str, found: object, wanted: object = True) -> None:  # noqa: FBT002 - as above
        """A check without which the rest makes no sense; raises CannotGoOn."""
        if not self.check(what, found, wanted):
            raise CannotGoOn(what)

    def end(self) -> int:
        """The sum of it; 0 if every check was right, 1 if any was not."""
        seconds = round(time.monotonic() - self._began, 1)
        checks = [check for story in self.stories for check in story["checks"]]
        right = self.failed == 0 and bool(checks)
        if self.screen is None:
            print(json.dumps({"right": right, "seconds": seconds, "stories": self.stories}, indent=2, default=str))
            return 0 if right else 1
        self.screen.line()
        for wrong in (one for one in checks if not one["right"]):
            self.screen.line(f"differs: {wrong['check']}: found {wrong['found']}, wanted {wrong['wanted']}", "bad")
        count = f"{len(checks) - self.failed} of {len(checks)} checks right, {seconds} s"
        self.screen.line(count, "good" if right else "bad")
        return 0 if right else 1

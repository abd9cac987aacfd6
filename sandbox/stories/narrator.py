"""Tells a story step by step, on a terminal or as JSON, and keeps count of what differed from what it should be."""

from __future__ import annotations

import json
import time
from typing import Any

from rich.text import Text

from screens.console import heading, line, stdout


class Narrator:
    """Lines for people as they happen; for programs one JSON object at the end."""

    def __init__(self, *, silent: bool) -> None:
        """`silent` keeps everything for the JSON."""
        self.silent = silent
        self.console = stdout()
        self.stories: list[dict[str, Any]] = []
        self.failed = 0
        self._began = time.monotonic()

    def begin(self, name: str, title: str) -> None:
        """A new story."""
        self.stories.append({"story": name, "title": title, "steps": [], "checks": []})
        self._story = time.monotonic()
        if not self.silent:
            self.console.print()
            self.console.print(Text(f"━━ {title} ━━" if self.console.is_terminal else f"== {title} ==", style="bold"))

    def step(self, title: str, *lines: str, data: object = None) -> None:
        """One thing that happened, with its time since the story began."""
        at = round(time.monotonic() - self._story, 2)
        self.stories[-1]["steps"].append({"at": at, "step": title, "lines": list(lines), "data": data})
        if not self.silent:
            heading(self.console, f"[{at:5.2f} s] {title}")
            for text in lines:
                line(self.console, text)

    def add(self, text: str, style: str = "") -> None:
        """A further line of the present step."""
        self.stories[-1]["steps"][-1]["lines"].append(text)
        if not self.silent:
            line(self.console, text, style)

    def check(self, what: str, found: object, wanted: object) -> None:
        """Whether the world is as it should be; a difference is told and counted."""
        right = found == wanted
        self.failed += not right
        self.stories[-1]["checks"].append({"check": what, "right": right, "found": str(found), "wanted": str(wanted)})
        if not self.silent:
            differs = "" if right else f": found {found}, wanted {wanted}"
            line(self.console, f"{'✓' if right else '✗'} {what}{differs}", "green" if right else "bold red")

    def end(self) -> int:
        """The sum of it; 0 if every check was right."""
        seconds = round(time.monotonic() - self._began, 1)
        checks = sum(len(story["checks"]) for story in self.stories)
        right = self.failed == 0 and checks > 0
        if self.silent:
            print(json.dumps({"right": right, "seconds": seconds, "stories": self.stories}, indent=2, default=str))
        else:
            self.console.print()
            text = f"{checks - self.failed} of {checks} checks right, {seconds} s"
            self.console.print(Text(text, style="bold green" if right else "bold red"))
        return 0 if right else 1

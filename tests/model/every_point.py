"""One thing done from its beginning to its end, with one thing going wrong in it: at every point of it in turn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.model.clock import MINUTE, played_on
from tests.model.history import Violated
from tests.model.invariants.decided import settle
from tests.model.invariants.everything import check_everything
from tests.model.scc import Event
from tests.model.stage import Stage
from tests.model.world import ModelGround

DOINGS = ("message", "approve", "release")
WRONG = ("die", "lose", "halt", "made anew", "deploy", "to_latest", "halve", "tag_newest", "make_private", "protect")
_MOST = 60
_LEASE = 31.0


@dataclass
class EveryPoint:
    """What is done, to what; how many histories were played, and what was broken at which points."""

    doing: str
    place: str
    names: str
    category: str
    played: int = 0
    before: int = 0
    broken: dict[str, list[str]] = field(default_factory=dict)

    def play(self) -> None:
        """At each point in turn each of the things that go wrong."""
        for wrong in WRONG:
            for point in range(1, _MOST):
                if not self._played(wrong, point):
                    break

    @property
    def report(self) -> str:
        """What was broken, and at which points first."""
        return "\n".join(f"{what}: {', '.join(where[:6])}" for what, where in sorted(self.broken.items()))

    def _played(self, wrong: str, point: int) -> bool:
        """Play it once; whether there is such a point at all."""
        self.played += 1
        ground = ModelGround()
        with played_on(lambda: ground.state.clock):
            stage = Stage(ground, (check_everything,))
            stage.sweep()
            self.before = stage.faults.passed
            try:
                self._do(stage, wrong, point)
                reached = stage.faults.passed - self.before >= point
                stage.wait(_LEASE)
                settle(stage)
            except Violated as broken:
                reached = stage.faults.passed - self.before >= point
                what = re.sub(r"fb-[0-9a-f]{16}", "the incident", str(broken))
                self.broken.setdefault(what, []).append(f"{wrong} at {point}")
        return reached

    def _do(self, stage: Stage, wrong: str, point: int) -> None:
        """Do what leads there, and then what is looked at, of which `before` is where its points begin."""
        stage.happen(Event("f1", stage.now_ns() - MINUTE, self.place, self.names, category=self.category))
        for doing in DOINGS[: DOINGS.index(self.doing) + 1]:
            if doing == self.doing:
                self._plan(stage, wrong, point)
            self.before = stage.faults.passed
            if not self._done(stage, doing):
                return

    def _done(self, stage: Stage, doing: str) -> bool:
        """Whether there was anything to do."""
        if doing == "message":
            stage.deliver()
            return True
        incident = stage.history.incidents[0]
        if doing == "approve" and incident.phase != "waiting":
            return self.doing == "release"
        stage.command(doing, incident.id, incident)
        return True

    def _plan(self, stage: Stage, wrong: str, point: int) -> None:
        if wrong == "die":
            stage.die_at(point)
        elif wrong == "lose":
            stage.lose_at(point)
        elif wrong == "halt":
            stage.meanwhile(point, wrong, stage.halt_now)
        elif wrong == "made anew":
            stage.meanwhile(point, wrong, lambda: stage.recreate_now(self.place))
        else:
            stage.meanwhile(point, wrong, lambda: stage.edit_now(self.place, wrong))

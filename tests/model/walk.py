"""Every order of a few happenings in a small world, walked on from each state that was not seen before."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from firebreak.core.cloud_run.setting_names import SPLIT
from tests.model.clock import MINUTE, SECOND, played_on
from tests.model.history import Violated
from tests.model.invariants.decided import settle
from tests.model.invariants.everything import check_everything
from tests.model.scc import ASKED_ELSE_CONTAINED, Event
from tests.model.scenery import ACCOUNT_OF_CHECKOUT, CHECKOUT
from tests.model.stage import Saved, Stage
from tests.model.world import ModelGround

_TIME = re.compile(r"\b1[0-9]{18}\b")
_IDS = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b")
_COUNTED = re.compile(r'"counter": ?\d+|\\?"floors\\?": ?{[^}]*}')
"""How often each was saved, which nobody looks at where nobody tampers."""
Happening = Callable[[Stage], None]


def small_ground() -> ModelGround:
    """One service, whose two newest revisions share the traffic."""
    ground = ModelGround((CHECKOUT, ACCOUNT_OF_CHECKOUT))
    service = ground.state.cloud.resources[CHECKOUT]
    ground.put(CHECKOUT, service.with_settings({SPLIT: "checkout-7=50,checkout-8=50"}).served())
    return ground


def small_stage(ground: ModelGround) -> Stage:
    """Firebreak is deployed there."""
    stage = Stage(ground, (check_everything,))
    stage.sweep()
    return stage


def _event(names: str) -> Happening:
    def happens(stage: Stage) -> None:
        event = Event("f1", stage.now_ns() - MINUTE, CHECKOUT, names=names, category=ASKED_ELSE_CONTAINED)
        stage.happen(event)
        stage.deliver(-1)

    return happens


def _answer(stage: Stage) -> None:
    """A person approves the question that is open."""
    for incident in stage.history.incidents:
        if incident.phase == "waiting":
            stage.command("approve", incident.id, incident)


def _expiry(stage: Stage) -> None:
    """The question expires, and the scheduler has its turn."""
    stage.wait(31 * MINUTE / SECOND)
    stage.sweep()


HAPPENINGS: Mapping[str, Happening] = {
    "first event": _event("checkout-8"),
    "second event": _event("checkout-7"),
    "answer": _answer,
    "expiry": _expiry,
    "halt": lambda stage: _told(stage, "halt", reason="a drill"),
    "resume": lambda stage: _told(stage, "resume"),
}
"""What happens once each, in every order in which nobody resumes before the halt."""


def _told(stage: Stage, verb: str, **given: str) -> None:
    stage.command(verb, "", None, **given)


@dataclass
class Walk:
    """What was walked so far. `broken` are the invariants that do not hold, each with its shortest history."""

    stage: Stage
    deaths: int
    states: int = 0
    histories: int = 0
    endings: int = 0
    broken: dict[str, tuple[str, ...]] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    _seen: dict[tuple[str, frozenset[str]], int] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)

    def all(self, happenings: tuple[str, ...]) -> None:
        """Walk every order of these."""
        self._from(self.stage.save(), happenings, self.deaths, ())

    @property
    def report(self) -> str:
        """Every invariant that was broken, how often, and in which history first."""
        found = sorted(self.broken.items(), key=lambda one: len(one[1]))
        return "\n".join(f"{self.times[what]} times, first by {' → '.join(by)}: {what}" for what, by in found)

    def _from(self, here: Saved, left: tuple[str, ...], deaths: int, so_far: tuple[str, ...]) -> None:
        known = self._fingerprint(here)
        if self._seen.get((known, frozenset(left)), -1) >= deaths:
            return  # where one may die, all goes well too
        self._seen[known, frozenset(left)] = deaths
        self.states += 1
        if known not in self._ended:
            self._ended.add(known)
            self._end(here, so_far)
        for name in left:
            if name == "resume" and "halt" in left:
                continue
            rest = tuple(one for one in left if one != name)
            for died, reached in self._outcomes(here, name, deaths, so_far):
                self._from(reached, rest, deaths - died, (*so_far, f"{name}, which dies" if died else name))

    def _outcomes(self, here: Saved, name: str, deaths: int, so_far: tuple[str, ...]) -> Iterator[tuple[int, Saved]]:
        """What it comes to where all goes well, and, where one may die, where it dies at each of its points."""
        self.stage.restore(here)
        points = self.stage.points() if deaths else []
        self.histories += 1
        if self._played(lambda: HAPPENINGS[name](self.stage), (*so_far, name)):
            yield 0, self.stage.save()
        for point in points:
            self.histories += 1
            if self._played(partial(self.stage.die_there, point), (*so_far, f"{name}, which dies")):
                yield 1, self.stage.save()

    def _end(self, here: Saved, so_far: tuple[str, ...]) -> None:
        """If nothing more happened than that time passes, everything would be decided."""
        self.stage.restore(here)
        self.endings += 1
        self._played(lambda: settle(self.stage), so_far)

    def _played(self, what: Callable[[], None], history: tuple[str, ...]) -> bool:
        try:
            what()
        except Violated as broken:
            found = re.sub(r"fb-[0-9a-f]{16}", "the incident", str(broken))
            self.times[found] += 1
            if found not in self.broken or len(self.broken[found]) > len(history):
                self.broken[found] = history
            return False
        return True

    def _fingerprint(self, here: Saved) -> str:
        """What tells two states apart: all that is stored, with times as minutes from now, and what was done so far."""
        state, history = here.ground, here.history
        now_ns = state.clock.now_ns

        def moment(found: re.Match[str]) -> str:
            return str(round((int(found[0]) - now_ns) / MINUTE))

        rows = sorted(
            (place, _COUNTED.sub("", _IDS.sub("", _TIME.sub(moment, row.text))))
            for place, row in state.rows.by_place.items()
        )
        resources = [
            (one.place, one.settings, one.effective, one.reconciling) for one in state.cloud.resources.values()
        ]
        done = [(one.place, one.changed) for one in history.writes]
        told = [(one.command.verb, one.done) for one in history.told]
        looks = [[one.incident.phase for one in found] for found in history.looks.values()]
        waits = len(here.undelivered), len(here.unanswered), history.halted_at(history.seq + 1)
        whole = repr((rows, resources, done, told, looks, waits, sorted(state.scc.held)))
        return hashlib.sha256(whole.encode()).hexdigest()


def walked(deaths: int, happenings: tuple[str, ...] = tuple(HAPPENINGS)) -> Walk:
    """A walk through the small world, from its beginning to all of its ends."""
    ground = small_ground()
    with played_on(lambda: ground.state.clock):
        walk = Walk(small_stage(ground), deaths)
        walk.all(happenings)
    return walk

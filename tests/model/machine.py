"""Histories drawn at random: whatever can happen happens in any order, and each step is followed by all checks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from firebreak.core.incidents.incident import Incident
from tests.model import draws
from tests.model.clock import MINUTE, SECOND, Clock
from tests.model.cloud import LONG, QUICK
from tests.model.draws import Evidence
from tests.model.ground import KEY, KEY_BEFORE, Ground
from tests.model.invariants.decided import settle
from tests.model.invariants.everything import check_everything
from tests.model.scc import ENFORCED, FOREIGN, Event
from tests.model.stage import Stage
from tests.model.world import ModelGround

T = TypeVar("T")
_NEW = 30 * SECOND


class ResponseMachine(RuleBasedStateMachine):
    """Every rule is one step, or plans what goes wrong in the next; `playing` is the machine whose turn it is."""

    playing: ClassVar[ResponseMachine]
    clock_of_now: ClassVar[Callable[[], Clock]] = Clock

    def __init__(self) -> None:
        super().__init__()
        self.ground = self.new_ground()
        self.stage = Stage(self.ground, (check_everything,))
        ResponseMachine.playing = self

    def new_ground(self) -> Ground:
        """A world for one history, on a clock that is the product's from now on."""
        ground = ModelGround()
        ResponseMachine.clock_of_now = lambda: ground.state.clock
        return ground

    @classmethod
    def clock(cls) -> Clock:
        """The clock of the history that is played now."""
        return ResponseMachine.clock_of_now()

    def teardown(self) -> None:
        """Whatever passes passes, and then everything is decided; a history that was broken off is left as it is."""
        if sys.exc_info()[0] is None and not self.stage.broken:
            settle(self.stage)

    @initialize(
        category=draws.BEGINNING,
        found=draws.BEGUN,
        evidence=draws.EVIDENCE,
        traffic=draws.TRAFFIC,
        answered=st.sampled_from((0, 1)),
    )
    def deployed(self, category: str, found: str, evidence: Evidence, traffic: str, answered: int) -> None:
        """Firebreak is deployed; perhaps something is found, and a person has said yes."""
        self.stage.sweep()
        if traffic:
            self.stage.edit(found, traffic)
        if category:
            self._comes(self._event(found, evidence, category))
        if answered and self._asked:
            self.stage.command("approve", self._asked[0].id, self._asked[0])

    # What SCC finds, and what others say that it has found.

    @rule(found=draws.FOUND, evidence=draws.EVIDENCE, category=draws.CATEGORY, ago=draws.AGE)
    def a_finding_comes(self, found: str, evidence: Evidence, category: str, ago: int) -> None:
        """SCC finds something, and its message arrives."""
        self._comes(self._event(found, evidence, category, ago))

    @precondition(lambda self: self.stage.held())
    @rule(which=draws.ANY, evidence=draws.EVIDENCE)
    def more_is_found(self, which: int, evidence: Evidence) -> None:
        """A later event of a finding, whose message arrives."""
        self._comes(self._later(which, evidence))

    @rule(how=draws.ASTRAY, found=draws.FOUND, evidence=draws.EVIDENCE, which=draws.ANY, ago=draws.AGE)
    def a_message_goes_astray(self, how: str, found: str, evidence: Evidence, which: int, ago: int) -> None:
        """A message is late or lost, or forged, or of a source that is not allowed."""
        # Until SCC is asked by its own order of updates, what is lost is found by the time of its event.
        event = self._event(found, evidence, ENFORCED, _NEW if how == "lost" else ago)
        if how == "late by number" and event:
            event = event.with_parts(spelled="number")
        if how == "foreign":
            self._comes(event and event.with_parts(source=FOREIGN))
        elif how.startswith("forged"):
            event = self._later(which, evidence) if how != "forged" else event
            if event:
                self.stage.forge(event)
                self.stage.deliver(-1)
        elif event:
            self.stage.happen(event, published=how != "lost")

    @precondition(lambda self: self.stage.undelivered)
    @rule(which=draws.ANY)
    def a_message_arrives(self, which: int) -> None:
        self.stage.deliver(which)

    @precondition(lambda self: self.stage.history.came)
    @rule(which=draws.ANY)
    def a_message_arrives_again(self, which: int) -> None:
        self.stage.undelivered.append(_one(self.stage.history.came, which).event)
        self.stage.deliver(-1)

    @precondition(lambda self: self.stage.held())
    @rule(which=draws.ANY, what=draws.JUDGED, lost=st.sampled_from((0, 1)))
    def a_finding_is_judged(self, which: int, what: str, lost: int) -> None:
        """An analyst, or a rule of theirs, mutes or resolves it, or takes that back."""
        mute = {"mute": "MUTED", "unmute": "UNMUTED"}.get(what, "")
        state = {"resolve": "INACTIVE", "reopen": "ACTIVE"}.get(what, "")
        self.stage.say(_one(sorted(self.stage.held()), which), mute=mute, state=state, published=not lost)

    def _comes(self, event: Event | None) -> None:
        if event:
            self.stage.happen(event)
            self.stage.deliver(-1)

    def _later(self, which: int, evidence: Evidence) -> Event | None:
        """A later event of a finding that SCC holds; None where it holds none, or its workload is gone."""
        if not self.stage.held():
            return None
        before = self.stage.held()[_one(sorted(self.stage.held()), which)]
        event = self._event(before.place, evidence, before.category)
        return event and event.with_parts(finding=before.finding, source=before.source, spelled=before.spelled)

    def _event(self, place: str, evidence: Evidence, category: str, ago: int = _NEW) -> Event | None:
        """The first event of a finding, at a time that no other has; None where the workload is gone."""
        resource = self.stage.look(place)
        if resource is None or not resource.revisions:
            return None
        newest, second, oldest = resource.revisions[-1], resource.revisions[-2:][0], resource.revisions[0]
        names = {"newest": newest.name, "second": second.name, "oldest": oldest.name}
        images = {"image of newest": newest, "image of second": second}
        image = 99 if evidence == "unknown image" else None
        if evidence in images:
            image = int(min(images[evidence].digests).removeprefix("sha256:"))
        number = len(self.stage.script)
        at_ns = self.stage.now_ns() - ago + number
        return Event(f"f{number}", at_ns, place, names.get(evidence, ""), image, category=category)

    # People.

    @rule(edit=draws.EDIT)
    def somebody_edits(self, edit: tuple[str, str]) -> None:
        self.stage.edit(*edit)

    @rule(place=draws.PLACE, anew=st.sampled_from(("gone", "anew", "alike", "alike")))
    def somebody_deletes(self, place: str, anew: str) -> None:
        """The resource is deleted, and perhaps made anew under the same name, or even alike."""
        if anew != "gone":
            self.stage.recreate(place, alike=anew == "alike")
        elif self.stage.look(place):
            self.stage.delete(place)

    @property
    def _asked(self) -> list[Incident]:
        return [one for one in self._incidents if one.phase == "waiting" and one.question]

    @property
    def _incidents(self) -> list[Incident]:
        return sorted(self.stage.history.incidents, key=lambda one: (one.created_ns, one.id))

    @precondition(lambda self: self._asked)
    @rule(which=draws.ANY)
    def a_person_approves(self, which: int) -> None:
        """A yes to what is asked now."""
        seen = _one(self._asked, which)
        self.stage.command("approve", seen.id, seen)

    @precondition(lambda self: self._cards)
    @rule(which=draws.ANY, verb=st.sampled_from(("approve", "reject")))
    def a_person_answers_a_card(self, which: int, verb: str) -> None:
        """An answer to any card that was ever shown, the newest first."""
        seen = _one(self._cards[::-1], which)
        self.stage.command(verb, seen.id, seen)

    @property
    def _cards(self) -> list[Incident]:
        looks = [one.incident for found in self.stage.history.looks.values() for one in found]
        return [one for one in looks if one.phase == "waiting" and one.question]

    @precondition(lambda self: self.stage.history.writes and self.stage.history.looks)
    @rule(which=draws.ANY)
    def a_person_releases(self, which: int) -> None:
        self.stage.command("release", _one(self._incidents, which).id)

    @precondition(lambda self: self.stage.history.looks)
    @rule(which=draws.ANY, verb=st.sampled_from(("retry", "close", "review", "release")))
    def an_incident_is_spoken_of(self, which: int, verb: str) -> None:
        """A person closes, reviews or releases it, or has it decided anew."""
        incident = _one(self._incidents, which)
        self.stage.command(verb, incident.id, incident)

    @rule(verb=st.sampled_from(("halt", "resume", "resume")))
    def somebody_halts_or_resumes(self, verb: str) -> None:
        self.stage.command(verb, reason="a drill" if verb == "halt" else "")

    @precondition(lambda self: self.stage.unanswered)
    @rule()
    def a_command_arrives_again(self) -> None:
        self.stage.again()

    # Time, and what goes wrong.

    @rule()
    def the_scheduler_sweeps(self) -> None:
        self.stage.sweep()

    @rule(seconds=draws.PAUSE)
    def time_passes(self, seconds: float) -> None:
        """Where it is more than a minute, the scheduler has its turn after it."""
        self.stage.wait(seconds)
        if seconds > MINUTE / SECOND:
            self.stage.sweep()

    @rule(what=draws.UNLUCKY, point=draws.POINT, edit=draws.EDIT)
    def the_next_call_is_unlucky(self, what: str, point: int, edit: tuple[str, str]) -> None:
        """It dies, loses an answer, or somebody halts or edits between its reading and its writing."""
        if what == "die":
            self.stage.die_at(point)
        elif what == "lose":
            self.stage.lose_at(point)
        elif what == "halt":
            self.stage.meanwhile(point, "halt", self.stage.halt_now)
        else:
            self.stage.meanwhile(point, " at ".join(reversed(edit)), lambda: self.stage.edit_now(*edit))

    @rule(what=draws.AWAY)
    def something_is_away(self, what: str) -> None:
        """It does not answer from now on; or SCC answers once as if it held nothing."""
        if what == "SCC once":
            self.stage.faults.scc_empty = 1
        else:
            self.stage.away(what)

    @rule(place=draws.PLACE, what=st.sampled_from(("read", "write", "policy")))
    def something_is_denied(self, place: str, what: str) -> None:
        self.stage.deny(f"{what} {place}")

    @precondition(lambda self: self.stage.faults.any)
    @rule()
    def everything_answers_again(self) -> None:
        self.stage.back()

    @rule(ending=draws.ENDING, seconds=st.sampled_from((QUICK, LONG)))
    def the_next_operation_goes_so(self, ending: Any, seconds: float) -> None:
        self.stage.next_operation(ending, seconds)

    @rule(change=draws.CHANGE)
    def the_deployment_changes(self, change: str) -> None:
        """A ceiling, seal keys that are rotated or dropped too early, what the API or an organization policy takes."""
        what, _, word = change.partition(" ")
        if what == "ceiling":
            self.stage.deploy_policies(word)  # type: ignore[arg-type]  # one of the words that are drawn
        elif what == "keys":
            self.stage.use_key(*{"rotated": (KEY_BEFORE, KEY), "dropped": (KEY_BEFORE,), "first": (KEY,)}[word])
        else:
            self.stage.take_less(word)

    @precondition(lambda self: self.ground.records())
    @rule(how=draws.TAMPERED, which=draws.ANY, place=st.integers(0, 40))
    def somebody_tampers(self, how: str, which: int, place: int) -> None:
        """Somebody who can write the ledger, and has no key."""
        self.stage.tamper(how, _one(self.ground.records(), place), which)


def _one(of: Sequence[T], which: int) -> T:
    return of[which % len(of)]

"""Histories drawn at random: whatever can happen happens in any order, and each step is followed by all checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from firebreak.core.incidents.incident import Incident
from tests.model.clock import HOUR, MINUTE, SECOND, Clock
from tests.model.cloud import LONG, QUICK
from tests.model.ground import KEY, KEY_BEFORE, Ground
from tests.model.invariants.decided import settle
from tests.model.invariants.everything import check_everything
from tests.model.people import EDITS_OF
from tests.model.scc import ALLOWED, ASKED, ASKED_ELSE_CONTAINED, CATEGORIES, ENFORCED, FOREIGN, Event
from tests.model.scenery import CART, CART_IN_US, CHECKOUT, INDEXER, NIGHTLY, OWN, PAY, SHARED
from tests.model.stage import Stage
from tests.model.watch import DEPENDENCIES
from tests.model.world import ModelGround

Evidence = Literal["newest", "second", "image of newest", "image of second", "unknown image", "nothing"]
EVIDENCE: tuple[Evidence, ...] = (
    "newest",
    "second",
    "image of newest",
    "image of second",
    "unknown image",
    "nothing",
)
FOUND = st.sampled_from((CHECKOUT, CHECKOUT, CART, CART, CART_IN_US, INDEXER, NIGHTLY, PAY, OWN))
EDITED = (CHECKOUT, CHECKOUT, CART, CART_IN_US, INDEXER, NIGHTLY, SHARED)
PLACES = st.sampled_from(EDITED)
EDIT = st.sampled_from([(place, one.__name__) for place in EDITED for one in EDITS_OF[place.split("/")[2]]])
AGES = st.sampled_from((30 * SECOND, 30 * SECOND, 10 * MINUTE, 2 * HOUR, 26 * HOUR))
PAUSES = st.sampled_from((60.0, 60.0, 1860.0, 4200.0, 5 * 3600.0, 25 * 3600.0))
SOURCES = st.sampled_from((ALLOWED, ALLOWED, ALLOWED, FOREIGN))
KINDS_OF_FINDING = st.sampled_from((ENFORCED, ENFORCED, ENFORCED, ASKED, ASKED_ELSE_CONTAINED, *CATEGORIES))
SPELLINGS: st.SearchStrategy[Any] = st.sampled_from(("id", "id", "number"))
ENDINGS: st.SearchStrategy[Any] = st.sampled_from(("well", "in an error", "in an error, and in effect"))
CHANGES = (
    *("ceiling monitor", "ceiling approve", "ceiling enforce"),
    *("keys rotated", "keys dropped", "keys first"),
    *("without ingress none", "without public members"),
)
TAMPERED = st.sampled_from(("put back", "put back", "delete", "change a word", "forge an answer"))
POINTS = st.integers(1, 16)
ANY = st.integers(0, 7)


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
        """Whatever passes passes, and then everything is decided; what was broken before stays what is told."""
        if not self.stage.broken:
            settle(self.stage)

    @initialize()
    def deployed(self) -> None:
        """Firebreak is deployed: from now on the scheduler sweeps."""
        self.stage.sweep()

    # What SCC finds, and what others say that it has found.

    @rule(found=FOUND, evidence=st.sampled_from(EVIDENCE), category=KINDS_OF_FINDING, which=ANY, source=SOURCES)
    def a_finding_comes(self, found: str, evidence: Evidence, category: str, which: int, source: str) -> None:
        """SCC finds something, or finds more of it, and its message arrives."""
        if event := self._event(found, evidence, category, which, source):
            self.stage.happen(event)
            self.stage.deliver(-1)

    @rule(found=FOUND, evidence=st.sampled_from(EVIDENCE), category=KINDS_OF_FINDING, ago=AGES, spelled=SPELLINGS)
    def a_finding_is_published(
        self, found: str, evidence: Evidence, category: str, ago: int, spelled: Literal["id", "number"]
    ) -> None:
        """SCC finds something, and its message is on its way."""
        if event := self._event(found, evidence, category, 0, ALLOWED, ago, spelled):
            self.stage.happen(event)

    @rule(found=FOUND, evidence=st.sampled_from(EVIDENCE), which=ANY)
    def a_message_is_lost(self, found: str, evidence: Evidence, which: int) -> None:
        """SCC finds something, and nobody hears of it."""
        if event := self._event(found, evidence, ENFORCED, which, ALLOWED):
            self.stage.happen(event, published=False)

    @rule(found=FOUND, evidence=st.sampled_from(EVIDENCE), which=ANY, ago=AGES, source=SOURCES)
    def a_message_is_forged(self, found: str, evidence: Evidence, which: int, ago: int, source: str) -> None:
        """Somebody publishes an event of a finding that SCC does not hold so, or not at all."""
        if event := self._event(found, evidence, ENFORCED, which, source, ago):
            self.stage.forge(event)
            self.stage.deliver(-1)

    @precondition(lambda self: self.stage.undelivered)
    @rule(which=ANY)
    def a_message_arrives(self, which: int) -> None:
        self.stage.deliver(which)

    @precondition(lambda self: self.stage.history.came)
    @rule(which=ANY)
    def a_message_arrives_again(self, which: int) -> None:
        came = self.stage.history.came
        self.stage.undelivered.append(came[which % len(came)].event)
        self.stage.deliver(-1)

    @precondition(lambda self: self.stage.held())
    @rule(which=ANY, what=st.sampled_from(("mute", "unmute", "resolve", "reopen")), lost=st.integers(0, 1))
    def a_finding_is_judged(self, which: int, what: str, lost: int) -> None:
        """An analyst, or a rule of theirs, mutes or resolves it, or takes that back."""
        key = sorted(self.stage.held())[which % len(self.stage.held())]
        mute = {"mute": "MUTED", "unmute": "UNMUTED"}.get(what, "")
        state = {"resolve": "INACTIVE", "reopen": "ACTIVE"}.get(what, "")
        self.stage.say(key, mute=mute, state=state, published=not lost)

    def _event(
        self,
        place: str,
        evidence: Evidence,
        category: str,
        which: int,
        source: str,
        ago: int = 30 * SECOND,
        spelled: Literal["id", "number"] = "id",
    ) -> Event | None:
        """An event of a new finding, or, for some numbers, a later one of a finding that SCC holds."""
        held = [self.stage.held()[key] for key in sorted(self.stage.held())]
        resource = self.stage.look(place)
        later = which % 2 and held
        if later:
            before = held[which % len(held)]
            place, category, source = before.place, before.category, before.source
            resource = self.stage.look(place)
        names = [one.name for one in resource.revisions] if resource else []
        if not names or resource is None:
            return None
        known = {"newest": names[-1], "second": names[-2:][0]}
        images = {"image of newest": resource.revisions[-1], "image of second": resource.revisions[-2:][0]}
        image = 99 if evidence == "unknown image" else None
        if evidence in images:
            image = int(min(images[evidence].digests).removeprefix("sha256:"))
        finding = held[which % len(held)].finding if later else f"f{len(self.stage.script)}"
        at_ns = self.stage.now_ns() - ago + len(self.stage.script)
        return Event(finding, at_ns, place, known.get(evidence, ""), image, source, category, spelled)

    # People.

    @rule(edit=EDIT)
    def somebody_edits(self, edit: tuple[str, str]) -> None:
        self.stage.edit(*edit)

    @rule(place=PLACES, anew=st.sampled_from(("gone", "anew", "anew")))
    def somebody_deletes(self, place: str, anew: str) -> None:
        """The resource is deleted, and perhaps made anew under the same name."""
        if anew == "anew":
            self.stage.recreate(place)
        elif self.stage.look(place):
            self.stage.delete(place)

    @precondition(lambda self: self.stage.history.looks)
    @rule(which=ANY, verb=st.sampled_from(("approve", "approve", "approve", "reject")), old_card=ANY)
    def a_question_is_answered(self, which: int, verb: str, old_card: int) -> None:
        """A person answers what they saw, which may be an old card."""
        asked = [one for one in self._incidents() if self._cards(one)]
        if asked:
            incident = asked[which % len(asked)]
            cards = self._cards(incident)
            seen = cards[old_card % len(cards)] if old_card == 1 else cards[-1]
            self.stage.command(verb, incident.id, seen)

    def _cards(self, incident: Incident) -> list[Incident]:
        looks = [one.incident for one in self.stage.history.looks[incident.id]]
        return [one for one in looks if one.phase == "waiting" and one.question]

    def _incidents(self) -> list[Incident]:
        return sorted(self.stage.history.incidents, key=lambda one: (one.created_ns, one.id))

    @precondition(lambda self: self.stage.history.looks)
    @rule(which=ANY, verb=st.sampled_from(("release", "release", "release", "retry", "close", "review")))
    def an_incident_is_spoken_of(self, which: int, verb: str) -> None:
        """A person releases, closes or reviews it, or has it decided anew."""
        incidents = self._incidents()
        incident = incidents[which % len(incidents)]
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

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: float) -> None:
        """Where it is more than a minute, the scheduler has its turn after it."""
        self.stage.wait(seconds)
        if seconds > MINUTE / SECOND:
            self.stage.sweep()

    @rule(what=st.sampled_from(("die", "lose", "lose", "halt", "edit", "edit")), point=POINTS, edit=EDIT)
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

    @rule(what=st.sampled_from((*DEPENDENCIES, "SCC once")))
    def something_is_away(self, what: str) -> None:
        """It does not answer from now on; or SCC answers once as if it held nothing."""
        if what == "SCC once":
            self.stage.faults.scc_empty = 1
        else:
            self.stage.away(what)

    @rule(place=PLACES, what=st.sampled_from(("read", "write", "policy")))
    def something_is_denied(self, place: str, what: str) -> None:
        self.stage.deny(f"{what} {place}")

    @precondition(lambda self: self.stage.faults.any)
    @rule()
    def everything_answers_again(self) -> None:
        self.stage.back()

    @rule(ending=ENDINGS, seconds=st.sampled_from((QUICK, LONG)))
    def the_next_operation_goes_so(self, ending: Any, seconds: float) -> None:
        self.stage.next_operation(ending, seconds)

    @rule(change=st.sampled_from(CHANGES))
    def the_deployment_changes(self, change: str) -> None:
        """A ceiling, seal keys that are rotated or dropped too early, what the API or an organization policy takes."""
        what, _, word = change.partition(" ")
        if what == "ceiling":
            self.stage.deploy_policies(word)  # type: ignore[arg-type]  # one of the words above
        elif what == "keys":
            self.stage.use_key(*{"rotated": (KEY_BEFORE, KEY), "dropped": (KEY_BEFORE,), "first": (KEY,)}[word])
        else:
            self.stage.take_less(word)

    @rule(how=TAMPERED, which=ANY, place=st.integers(0, 40))
    def somebody_tampers(self, how: str, which: int, place: int) -> None:
        """Somebody who can write the ledger, and has no key."""
        if records := self.ground.records():
            self.stage.tamper(how, records[place % len(records)], which)

"""The stage of a history: everything that can happen, one step each, and what is looked at after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from firebreak.core.errors import Malformed, Transient
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.core.incidents.incident import Incident
from firebreak.core.signing import Seal
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import NotActedOn
from firebreak.ledger.sealed import Floors
from firebreak.response import pipeline
from firebreak.response.app import App
from tests.model.cloud import Ending, Resource
from tests.model.ground import KEY, KEY_BEFORE, Ground
from tests.model.history import Came, Did, History, Look, Swept, Tampered, Told, Violated
from tests.model.people import EDITS, made_alike, recreated
from tests.model.policies import Word, policies_under
from tests.model.scc import Event, Key, message_of
from tests.model.watch import Died, Faults, die, lose, same_floors, watched

T = TypeVar("T")
_BETWEEN = 0.01
"""Seconds between two steps, at the least."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One moment of a history; `rest` is what is still to do of the step under way, with what the product answers."""

    ground: Any
    history: History
    faults: Faults
    ceiling: Word
    keys: tuple[bytes, ...]
    undelivered: list[Event]
    unanswered: list[Command]
    script: list[str]
    floors: Floors
    rest: Callable[[Any], None]


Check = Callable[["Stage"], None]


@dataclass
class Stage:
    """One world, the product in it, and the history so far."""

    ground: Ground
    checks: tuple[Check, ...] = ()
    history: History = field(default_factory=History)
    faults: Faults = field(default_factory=Faults)
    trigger: str = ""
    ceiling: Word = "enforce"
    keys: tuple[bytes, ...] = (KEY,)
    signed: set[bytes] = field(default_factory=lambda: {KEY})
    undelivered: list[Event] = field(default_factory=list)
    unanswered: list[Command] = field(default_factory=list)
    script: list[str] = field(default_factory=list)
    floors: Floors = field(default_factory=Floors)
    broken: bool = False
    rewired: Callable[[App], App] = lambda app: app
    rest: Callable[[Any], None] = lambda _: None

    def __post_init__(self) -> None:
        self._raw = self.ground.app(self._log)
        self._watched = watched(self._raw, self)
        self.history.first = dict(self.ground.resources())

    def save(self) -> Saved:
        """This moment, to come back to."""
        lists = list(self.undelivered), list(self.unanswered), list(self.script)
        parts = (*lists, same_floors(self.floors), self.rest)
        return Saved(self.ground.save(), self.history.copy(), self.faults.copy(), self.ceiling, self.keys, *parts)

    def restore(self, saved: Saved) -> None:
        """Go on from that moment, as often as wanted."""
        self.ground.restore(saved.ground)
        self.history, self.faults = saved.history.copy(), saved.faults.copy()
        self.ceiling, self.keys = saved.ceiling, saved.keys
        self.undelivered, self.unanswered = list(saved.undelivered), list(saved.unanswered)
        self.script, self.floors, self.rest = list(saved.script), same_floors(saved.floors), saved.rest

    def points(self) -> list[Saved]:
        """From now until something is restored: each point that the product comes to, in the middle of its step."""
        found: list[Saved] = []
        self.faults.at_each = lambda: found.append(self.save())
        return found

    def die_there(self, point: Saved) -> None:
        """The process is gone at that point: nothing of the product's is done any more, and the step ends so."""
        self.restore(point)
        self.script.append("(it dies there)")
        self.floors = Floors()
        self._finish(None)

    # What the watch asks.

    def now_ns(self) -> int:
        return self.ground.now_ns()

    def spend(self, seconds: float) -> None:
        self.ground.spend(seconds)

    def look(self, place: str) -> Resource | None:
        return self.ground.look(place)

    def resources(self) -> Mapping[str, Resource]:
        return self.ground.resources()

    def held(self) -> Mapping[Key, Event]:
        return self.ground.scc.held

    def stored(self, incident: str) -> Incident | None:
        held = self._ledger.read(incident)
        return held.incident if held else None

    @property
    def _ledger(self) -> Ledger:
        """For others than the product: it remembers nothing."""
        return replace(self._raw.ledger, seal=Seal(self.keys), floors=Floors())

    def _log(self, *_: object, **__: object) -> None:
        return

    @property
    def has_all_keys(self) -> bool:
        """Whether every key that ever signed is still deployed."""
        return self.signed <= set(self.keys)

    @property
    def app(self) -> App:
        """The product as it is deployed now."""
        app = self._watched
        ledger = replace(app.ledger, seal=Seal(self.keys), floors=self.floors)
        return self.rewired(replace(app, policies=policies_under(self.ceiling), ledger=ledger))

    def _step(self, trigger: str, work: Callable[[], T], rest: Callable[[T | None], None]) -> T | None:
        """One call of the product, and the rest of the step; None where it is to come again, or died."""
        self.trigger, self.rest = trigger, rest
        result = self._called(trigger, work)
        self._finish(result)
        return result

    def _finish(self, result: object) -> None:
        """What follows a call of the product, in which everything may have been saved."""
        self.faults.planned.clear()
        self.faults.at_each = lambda: None
        for incident in sorted(self.history.saved):
            self._look_again(incident)
        self.rest(result)
        self._end()

    def _called(self, trigger: str, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except Died:
            self.floors = Floors()
            return None
        except (Transient, Malformed, NotActedOn):
            return None
        except Violated:
            raise
        except Exception as fault:
            self.broken = True
            what = f"{type(fault).__name__} in {trigger}: {fault}"
            raise Violated(0, what) from fault

    def _look_again(self, incident: str) -> None:
        """The incident as it is stored now; where it is gone nothing is known of it any more."""
        if stored := self.stored(incident):
            self.history.looks.setdefault(incident, []).append(Look(self.history.step, self.now_ns(), stored))
        else:
            self.history.looks.pop(incident, None)

    def _begin(self, what: str) -> int:
        self.ground.spend(_BETWEEN)
        self.history.begin(self.now_ns())
        self.script.append(what)
        return self.history.next()

    def _end(self) -> None:
        self.ground.remember()
        try:
            for check in self.checks:
                check(self)
        except Violated as broken:
            self.broken = True
            broken.add_note("\n".join(self.script))
            raise

    # SCC and whoever publishes to its topic.

    def happen(self, event: Event, *, published: bool = True) -> None:
        """SCC holds the event from now on; its message may get lost."""
        self._begin(f"SCC holds {event}{'' if published else ', and its message is lost'}")
        self.ground.hold(event)
        if published:
            self.undelivered.append(event)
        self._end()

    def forge(self, event: Event) -> None:
        """Somebody publishes what SCC does not hold."""
        self._begin(f"somebody publishes {event}")
        self.undelivered.append(event)
        self._end()

    def say(self, key: Key, *, state: str = "", mute: str = "", published: bool = True) -> None:
        """Somebody resolves or mutes the finding, or takes that back."""
        self._begin(f"finding {key[1]} is {state}{mute}{'' if published else ', unpublished'}")
        event = self.ground.scc.held[key]
        event = replace(event, state=state or event.state, mute=mute or event.mute)
        self.ground.hold(event)
        if published:
            self.undelivered.append(event)
        self._end()

    def deliver(self, which: int = 0) -> Any:
        """One of the messages that wait is delivered."""
        event = self.undelivered[which % len(self.undelivered)]
        seq = self._begin(f"the message of {event.finding} at {event.at_ns} ({event.names or event.image}) comes")

        def delivered(held: object) -> None:
            if held is not None:
                self.undelivered.remove(event)
            came = Came(seq, self.history.step, self.history.began_ns, event, acked=held is not None)
            self.history.came.append(came)

        return self._step("message", lambda: pipeline.respond(self.app, message_of(event)), delivered)

    # People and the scheduler.

    def command(
        self, verb: str, incident: str = "", seen: Incident | None = None, **given: str
    ) -> CommandResult | None:
        """A person gives a command, who has seen that of the incident; the result, or None where it comes again."""
        if verb in ("approve", "reject", "close") and seen and seen.question:
            given = {"digest": seen.question.digest, **given}
        number = len(self.history.told) + len(self.unanswered)
        order = Command(f"c{number}-{self.history.seq}", verb, "ada", incident, sent_ns=self.now_ns(), **given)
        return self._obey(order)

    def again(self) -> CommandResult | None:
        """A command that found no answer is delivered again."""
        return self._obey(self.unanswered.pop(0))

    def _obey(self, order: Command) -> CommandResult | None:
        seq = self._begin(f"{order.verb} {order.incident} {order.leave}".strip())
        if order.verb in ("halt", "resume"):
            self.history.halts.append((self.history.next(), None))
        before = self.history.last(order.incident)

        def obeyed(result: CommandResult | None) -> None:
            self.history.told.append(Told(seq, self.history.step, self.history.began_ns, order, before, result))
            if result is None:
                self.unanswered.append(order)
            elif order.verb in ("halt", "resume") and result.done:
                self.history.halts.append((self.history.next(), order.verb == "halt"))
            elif order.verb == "resume":
                self.history.halts.append((self.history.next(), self.history.halted_at(seq)))

        return self._step(order.verb, lambda: pipeline.execute(self.app, order), obeyed)

    def sweep(self) -> Any:
        """One turn of the scheduler."""
        seq = self._begin("sweep")
        clean = not self.faults.any

        def swept(result: object) -> None:
            ended = clean and result is not None
            self.history.sweeps.append(Swept(seq, self.history.step, self.now_ns(), ended))

        return self._step("sweep", lambda: pipeline.sweep(self.app), swept)

    # The world.

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self._begin(f"{seconds:.0f} s pass")
        self.ground.spend(seconds)
        self._end()

    def edit(self, place: str, name: str) -> bool:
        """A person or a pipeline edits the resource; False where there is nothing to edit."""
        self._begin(f"{name} at {place}")
        done = self.edit_now(place, name)
        self._end()
        return done

    def edit_now(self, place: str, name: str) -> bool:
        """The same in the middle of a step."""
        before = self.look(place)
        after = EDITS[name](before, self.now_ns()) if before else None
        if after is None:
            return False
        self._did(place, name, before, after)
        return True

    def delete(self, place: str) -> None:
        """A person deletes the resource."""
        self._begin(f"{place} is deleted")
        self._did(place, "delete", self.look(place), None)
        self._end()

    def recreate(self, place: str, *, alike: bool = False) -> None:
        """A person deletes the resource and makes it anew under the same name; `alike` in every setting."""
        self._begin(f"{place} is made anew")
        before = self.look(place) or next(one.before for one in reversed(self.history.did) if one.place == place)
        if before:
            uid = self.ground.new_uid()
            anew = made_alike(before, self.now_ns(), uid) if alike else recreated(before, self.now_ns(), uid)
            self._did(place, "recreate", before, anew)
        self._end()

    def recreate_now(self, place: str) -> None:
        """A person makes it anew, alike in every setting, in the middle of a step."""
        if before := self.look(place):
            self._did(place, "recreate", before, made_alike(before, self.now_ns(), self.ground.new_uid()))

    def _did(self, place: str, what: str, before: Resource | None, after: Resource | None) -> None:
        self.ground.put(place, after)
        history = self.history
        history.did.append(Did(history.next(), history.step, self.now_ns(), place, what, before, after))

    def halt_now(self) -> None:
        """Somebody sets the halt in the middle of a step."""
        self._ledger.halt("a drill", "bob")
        self.history.halts.append((self.history.next(), True))

    def take_less(self, what: str) -> None:
        """From now on the API does not take `ingress none`, or `public members`."""
        self._begin(f"the API does not take {what}")
        self.ground.take_less(what)
        self._end()

    def deploy_policies(self, ceiling: Word) -> None:
        """The policies are deployed under that ceiling."""
        self._begin(f"the ceiling is {ceiling}")
        self.ceiling = ceiling
        self.history.ceilings.append((self.now_ns(), ceiling))
        self._end()

    def finish_operations(self) -> None:
        """Every operation ends."""
        self._begin("operations end")
        self.ground.finish_operations()
        self._end()

    def next_operation(self, ending: Ending, seconds: float) -> None:
        """The next write by Firebreak takes so long, and ends so."""
        self.script.append(f"(the next operation takes {seconds:.0f} s and ends {ending})")
        self.ground.next_operation(ending, seconds)

    def use_key(self, *keys: bytes) -> None:
        """The product is deployed with these seal keys; the first one signs."""
        self._begin(f"keys: {len(keys)}")
        self.keys = keys
        self.signed.add(keys[0])
        self._end()

    def keep_key(self) -> None:
        """Every key that ever signed is known again."""
        self.use_key(KEY, KEY_BEFORE)

    def tamper(self, how: str, place: tuple[str, str], which: int = 0) -> bool:
        """Somebody without the key changes a record; False where there is nothing to change."""
        seq = self._begin(f"{how} {' '.join(place)} ({which})")
        known = self.history.last(place[1])
        finding = (known.finding.name.source, known.finding.name.finding) if known else None
        done = self.ground.tamper(how, place, which)
        if done:
            self.history.tampered.append(Tampered(seq, self.history.step, *place, how, finding))
        if done and place[0] == "incident":
            self._look_again(place[1])
        self._end()
        return done

    # What goes wrong.

    def away(self, *names: str) -> None:
        """These do not answer from now on."""
        self._begin(f"{', '.join(names)} away")
        self.faults.away |= dict.fromkeys(names, self.history.step)
        self._end()

    def back(self) -> None:
        """Everything answers again, and is allowed again."""
        self._begin("everything answers")
        self.faults.away.clear()
        self.faults.denied.clear()
        self.faults.planned.clear()
        self.faults.scc_empty = 0
        self._end()

    def deny(self, *what: str) -> None:
        """Firebreak's identity lacks these permissions from now on: `read PLACE`, `write PLACE`, `policy PLACE`."""
        self._begin(f"denied: {', '.join(what)}")
        self.faults.denied |= set(what)
        self._end()

    def die_at(self, point: int) -> None:
        """The next call of the product dies at that point, if it gets so far."""
        self.script.append(f"(the next dies at point {point})")
        self.faults.plan(point, die)

    def lose_at(self, point: int) -> None:
        """At that point of the next call an answer is lost, or a call does not come through."""
        self.script.append(f"(the next loses an answer at point {point})")
        self.faults.plan(point, lose)

    def meanwhile(self, point: int, what: str, happens: Callable[[], object]) -> None:
        """Somebody does that while the next call is at that point."""
        self.script.append(f"(meanwhile, at point {point}: {what})")
        self.faults.plan(point, lambda: (happens(), None)[1])

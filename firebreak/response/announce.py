"""The outbox: what an incident has to tell is saved with it, sent, and marked; nothing is lost, little is doubled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from queue import SimpleQueue
from types import MappingProxyType

from firebreak.core.code_location import kind_and_place
from firebreak.core.errors import Missing, Refused, Transient
from firebreak.core.incidents.announcement import Announcement
from firebreak.core.incidents.incident import REFUSED_ANNOUNCEMENT, Incident
from firebreak.core.incidents.log_line import headline, summary
from firebreak.core.incidents.record import attributes, record
from firebreak.core.messages.composing import workload_labels
from firebreak.core.secrets.redaction import safe
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Save
from firebreak.ledger.records import StoredIncident
from firebreak.ports.chat import Busy
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.limits import tells_of_the_storm
from firebreak.response.notify import OWN, notify

_PROGRAMS = frozenset({"log", "topic", "marks"})
"""Channels that others go by: an outage of one has the message delivered again."""
_FIRST_PAUSE = 60.0
_MOST_DOUBLED = 6
"""So that an hour is about the longest pause between two tries."""
_LONGEST_REFUSAL = 300
_LONGEST = 10.0
"""Seconds for all that one chat is told at a time: shorter than a lease, which nothing extends meanwhile."""


def channels(app: App, incident: Incident) -> tuple[str, ...]:
    """Where announcements go: the log always, the others where they are configured, and lead to this incident."""
    configured = {
        "log": True,
        "topic": app.settings.incidents_topic is not None,
        "marks": app.marks,
        "slack": app.settings.slack_webhook is not None,
        "chat": app.settings.chat_webhook is not None,
    }
    return (*(name for name, on in configured.items() if on), *routed(app, incident))


def save_and_tell(app: App, held: StoredIncident, incident: Incident, *others: Save) -> StoredIncident:
    """Save the incident with its phase to be announced everywhere, others in the same commit; raises as a save does."""
    return app.ledger.save(held, incident.with_announcements(channels(app, incident)), *others)


def tell_question(app: App, incident: Incident, within_ns: int) -> Incident:
    """The incident with its question to be told, and told again while nobody answers it.

    Of all questions that a used-up limit raises in a project within an hour people get the first, and nobody is called
    about the others: a hundred messages would bury the one that has to be read. Programs still get every record.
    """
    caps, names = incident.decision.caps if incident.decision else (), channels(app, incident)
    people = all(cap.name != "blast_radius" for cap in caps) or tells_of_the_storm(app.ledger, incident)
    told = names if people else tuple(name for name in names if not is_for_people(app, name))
    asking = incident.with_announcements(told)
    return with_reminders(app, asking, names, within_ns) if people else asking


def tell_of_answers(app: App, incident: Incident, sources: frozenset[str]) -> Incident:
    """The incident with what these sources have answered since it was told, to be told where that is no second news.

    Programs go by the record. To people it is told where it joins the message that they have, and else not.
    """
    came = "; ".join(
        f"{one.source}: {safe(one.gap or 'answered', _LONGEST_REFUSAL)}"
        for one in incident.evidence
        if one.source in sources
    )
    joins = tuple(
        name
        for name in channels(app, incident)
        if name != "marks" and (incident.threads.get(name) or not is_for_people(app, name))
    )
    return incident.with_history(app.now_ns(), "firebreak", f"came later: {came}").with_announcements(joins)


def routed(app: App, incident: Incident) -> tuple[str, ...]:
    """The channels of `firebreak.yaml` for this incident: its policy's, its owner's, and those that were told of it."""
    routing, labels = app.policies.config.routing, incident.decision.notify if incident.decision else ()
    told = routing.told(labels, workload_labels(incident), incident.finding.contacts) if routing.channels else ()
    return tuple(dict.fromkeys((*told, *(name for name in incident.threads if name in routing.channels))))


def is_for_people(app: App, name: str) -> bool:
    """Whether people read this channel."""
    place = app.policies.config.routing.channels.get(name)
    return name in OWN or (place is not None and place.people)


def with_reminders(app: App, incident: Incident, channels: tuple[str, ...], within_ns: int) -> Incident:
    """The incident with its question to be told again while nobody answers; `within_ns`: how long each answer takes.

    On the channels that were told of it, counted from now; on those of each escalation, from when it was first put. The
    outbox keeps them, so that each is told at least once, by the sweep, and none of what is not asked any more.
    """
    routing, question = app.policies.config.routing, incident.question
    if question is None:
        return incident
    again = tuple(name for name in channels if name in OWN or name in routing.channels)
    if routing.remind_after:
        incident = incident.with_reminder(1, again, question.asked_ns + routing.remind_after * NANOS)
    first_ns = question.expires_ns - (question.escalated + 1) * within_ns
    for level, step in enumerate(routing.escalate, 2):
        incident = incident.with_reminder(level, step.to, first_ns + step.after * NANOS)
    return incident


class Unsent(Transient):
    """A channel that programs rely on could not be reached; what it is to tell stays in the outbox."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """One attempt: why it was not sent, or what later messages of the incident join there."""

    one: Announcement
    fault: Exception | None
    thread: str | None


def flush(app: App, held: StoredIncident, deadline: Deadline) -> StoredIncident:
    """Send what is unsent and due, all channels at the same time; whatever becomes of one, no other waits for it.

    A channel without which the work counts as undone raises Unsent, after all the others, where it cannot be reached;
    chat is tried again by the sweep. What a channel refuses stays in the outbox until a sweep has counted it.
    """
    unreachable = unsaved = None
    over = [one for one in held.incident.outbox if not one.sent and _is_over(app, held.incident, one)]
    held = app.ledger.save(held, reduce(Incident.mark_sent, over, held.incident)) if over else held
    for tried in _side_by_side(app, held.incident, deadline):
        if isinstance(tried.fault, Transient) and tried.one.channel in _PROGRAMS:
            unreachable = Unsent(str(tried.fault))
        after = _after(app, held.incident, tried)
        try:
            held, unsaved = app.ledger.save(held, after), None
        except Transient as fault:  # the others are sent meanwhile: what became of them is not to be lost as well
            held, unsaved = replace(held, incident=after), fault
    if unsaved is not None:
        held = app.ledger.save_again(held)
    if unreachable is not None:
        raise unreachable
    return held


def _is_over(app: App, incident: Incident, one: Announcement) -> bool:
    """Whether it tells nothing: a reminder of what is not asked any more, or people what a later message tells too."""
    if one.level or not is_for_people(app, one.channel):
        return one.again_ns <= app.now_ns() and incident.is_overtaken(one)
    newer = (two for two in incident.outbox if two.channel == one.channel and two.number > one.number)
    return any(not two.refused and (not two.level or two.again_ns <= app.now_ns()) for two in newer)


def _after(app: App, incident: Incident, tried: _Tried) -> Incident:
    """The incident with what became of an attempt."""
    one, fault = tried.one, tried.fault
    if fault is None:
        return _with_thread(app, incident, one, tried.thread).mark_sent(one)
    if app.hung is not None and isinstance(fault, Transient) and not isinstance(fault, Busy):
        app.hung.add(one.channel)  # once in a sweep is enough to wait for it, whatever else it is to be told
    if isinstance(fault, Refused):
        return _refused(app, incident, one, fault)
    return incident if isinstance(fault, Transient) and one.channel in _PROGRAMS else _later(app, incident, one, fault)


def _side_by_side(app: App, incident: Incident, deadline: Deadline) -> Iterator[_Tried]:
    """What became of each message, as soon as it is known; the messages of one channel go in their order."""
    queues = dict[str, list[Announcement]]()
    for one in incident.outbox:
        if not (one.sent or one.channel in (app.hung or ()) or one.again_ns > app.now_ns() or _for_good(app, one)):
            queues.setdefault(one.channel, []).append(one)
    if not queues:
        return
    over = SimpleQueue[Future[list[_Tried]]]()
    with ThreadPoolExecutor(len(queues), thread_name_prefix="tell") as pool:
        for queue in queues.values():
            pool.submit(_sent_in_order, app, incident, queue, deadline).add_done_callback(over.put)
        for _ in queues:
            yield from over.get().result()


def _sent_in_order(app: App, incident: Incident, queue: list[Announcement], deadline: Deadline) -> list[_Tried]:
    """One channel's messages, up to the first that it does not take, within one time for all of them."""
    program, done = queue[0].channel in _PROGRAMS, list[_Tried]()
    until = deadline if program else deadline.sooner(_LONGEST)
    for one in queue:
        if until.passed and not program:
            break
        try:
            thread = SENDERS.get(one.channel, notify)(app, incident, one, until)
        except Exception as fault:  # noqa: BLE001 - one channel's fault must not keep the others from being told
            done.append(_Tried(one, fault, None))
            break
        incident = _with_thread(app, incident, one, thread)
        done.append(_Tried(one, None, thread))
    return done


def _with_thread(app: App, incident: Incident, one: Announcement, thread: str | None) -> Incident:
    """The incident that knows this channel was told of it, if the channel is one of `firebreak.yaml`."""
    if one.channel not in app.policies.config.routing.channels:
        return incident
    return replace(incident, threads={**incident.threads, one.channel: thread or ""})


def _later(app: App, incident: Incident, one: Announcement, fault: Exception) -> Incident:
    """Leave it to the sweep: after the pause that was asked for, else after ever longer ones."""
    asked = fault.seconds if isinstance(fault, Busy) else None
    pause = _FIRST_PAUSE * 2 ** min(one.tries, _MOST_DOUBLED) if asked is None else asked
    ours = not isinstance(fault, Transient)
    if one.channel != "log":  # which could not be told of itself
        what = f"a fault in Firebreak itself: {kind_and_place(fault)}" if ours else str(fault)
        tried = f"{one.channel} is tried again by the sweep in {pause:.0f} s or later: {what}"
        app.log("ERROR" if ours else "WARNING", tried, incident=incident.id, untold=_id(incident, one))
    again_ns = app.now_ns() + round(pause * NANOS)
    return incident.replace_announcement(one, replace(one, again_ns=again_ns, tries=one.tries + 1))


def _refused(app: App, incident: Incident, one: Announcement, fault: Refused) -> Incident:
    """It is told once that it waits; the sweep counts it, and sends it where that can be mended."""
    what = f"{one.channel}{REFUSED_ANNOUNCEMENT}{fault}"
    app.log("ERROR", what, incident=incident.id, untold=_id(incident, one))
    known = any(entry.what == what for entry in incident.history)
    told = incident if known else incident.with_history(app.now_ns(), "firebreak", what)
    return told.replace_announcement(one, replace(one, refused=safe(str(fault), _LONGEST_REFUSAL)))


def _for_good(app: App, one: Announcement) -> bool:
    """Whether a refusal stands: a topic may be granted any day, and those who follow it must miss nothing."""
    return bool(one.refused) and (one.channel != "topic" or app.settings.incidents_topic is None)


def count_refused(app: App, held: StoredIncident) -> tuple[StoredIncident, tuple[str, ...]]:
    """Give up what was refused for good, which so is counted once; what was refused, in words."""
    refused = tuple(one for one in held.incident.outbox if one.refused and not one.sent)
    gone = [one for one in refused if _for_good(app, one)]
    held = app.ledger.save(held, reduce(Incident.mark_sent, gone, held.incident)) if gone else held
    return held, tuple(f"announcement {_id(held.incident, one)} was refused: {one.refused}" for one in refused)


def _id(incident: Incident, one: Announcement) -> str:
    return f"{incident.id}/{one.number}/{one.channel}"


def _to_log(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:  # noqa: ARG001 - one shape
    caps = incident.decision.caps if incident.decision else ()
    given_up = one.phase == "declined" and incident.waits is not None and one.number > 1
    alert = one.phase == "failed" or any(cap.name in ("unverified", "seal") for cap in caps if not given_up)
    severity = "ERROR" if alert else "WARNING" if one.phase == "waiting" else "NOTICE"
    app.log(
        severity,
        headline(incident),
        incident=incident.id,
        phase=one.phase,
        announcement=_id(incident, one),
        record=summary(incident),
        **_took(incident, one),
    )


def _took(incident: Incident, one: Announcement) -> Mapping[str, float]:
    """From the first sight of the finding to its containment, where that is the first thing told: nobody was asked."""
    seconds = round((incident.updated_ns - incident.created_ns) / NANOS, 3)
    return {"seconds_to_contain": seconds} if one.phase == "contained" and one.number == 1 else {}


def _to_topic(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:
    topic = app.settings.incidents_topic
    if topic is None:
        message = "no incidents topic is configured any more"
        raise Refused(message)
    data = json.dumps(record(incident), ensure_ascii=False).encode()
    app.publisher.publish(topic, data, {**attributes(incident), "announcement": _id(incident, one)}, deadline)


def _to_marks(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:
    if not incident.counting:
        return  # only a message told of it: whoever can publish one could have any finding marked
    marks = {"firebreak_state": one.phase, "firebreak_incident": incident.id}
    if incident.decision and incident.decision.policy:
        marks["firebreak_policy"] = incident.decision.policy
    with suppress(Missing):  # what SCC does not hold any more carries no mark
        app.scc.mark(incident.finding, marks, deadline.sooner(10))


SENDERS: Mapping[str, Callable[[App, Incident, Announcement, Deadline], str | None]] = MappingProxyType(
    {"log": _to_log, "topic": _to_topic, "marks": _to_marks, "slack": notify, "chat": notify}
)

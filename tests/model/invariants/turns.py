"""The eighth invariant: everything that is due has its turn."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.incidents.incident import Incident
from tests.model.history import History, Swept, Violated
from tests.model.policies import OWN_PROJECT, said_of
from tests.model.reference import is_found_late, key_of
from tests.model.scc import ALLOWED, ORGANIZATION
from tests.model.stage import Stage

TURNS = 3
"""Sweeps to their end, with everything answering, within which whatever is due is dealt with."""
_WORKING = frozenset({"received", "containing"})
_TOLD = frozenset({"waiting", "contained", "failed", "released"})


def check_turns(stage: Stage) -> None:
    """Every item of the sweep has its turn within a bounded number of sweeps, whatever the others do."""
    history = stage.history
    sweeps = history.sweeps[-TURNS:]
    if len(sweeps) < TURNS or sweeps[-1].step != history.step or not all(one.clean for one in sweeps):
        return
    if stopped(stage, sweeps[0]):
        return
    for what in (
        *_questions(stage, sweeps[0]),
        *_work(stage, sweeps[0]),
        *_lost(stage, sweeps[0]),
        *_untold(stage, sweeps[0]),
    ):
        message = f"{TURNS} sweeps have come and gone over {what}"
        raise Violated(8, message)


def stopped(stage: Stage, since: Swept) -> bool:
    """Whether a halt stood meanwhile, or may have, or nothing is to be contained at all, or not all can be read."""
    if any(one.takes_back for one in stage.history.tampered) or not stage.has_all_keys:
        return True
    changed = any(seq > since.seq for seq, _ in stage.history.halts)
    return changed or stage.history.halted_at(since.seq) is not False or stage.ceiling != "enforce"


def _unchanged(history: History, since: Swept) -> Iterator[Incident]:
    """Incidents as they were when the first of these sweeps began, if nobody held a lease on them then."""
    for incident in history.looks:
        before = history.before_step(incident, since.step)
        if before is None or history.is_tampered(incident):
            continue
        if before.lease_until_ns < since.at_ns:
            yield before


def _questions(stage: Stage, since: Swept) -> Iterator[str]:
    """A question that had expired when the first began is not the open one any more."""
    for before in _unchanged(stage.history, since):
        now = stage.history.last(before.id)
        expired = before.phase == "waiting" and before.question and before.question.expires_ns < since.at_ns
        if expired and now and now.phase == "waiting" and now.question == before.question:
            yield f"the expired question of {before.id}"


def _work(stage: Stage, since: Swept) -> Iterator[str]:
    """Work that was left lying, under a lease that is over, is not left any more."""
    for before in _unchanged(stage.history, since):
        now = stage.history.last(before.id)
        if before.phase in _WORKING and now and (now.phase, now.history) == (before.phase, before.history):
            yield f"{before.id}, which is {before.phase}"


def _lost(stage: Stage, since: Swept) -> Iterator[str]:
    """A finding that SCC held when the first began, wanted and allowed, has an incident."""
    known = {key_of(one) for one in stage.history.incidents}
    for when, event in stage.ground.scc.history:
        held = stage.held().get(event.key)
        ours = (
            event.source == ALLOWED
            and event.organization == ORGANIZATION
            and said_of(event.category, event.place) is not None
            and not is_found_late(event, when)
        )
        there = event.place in stage.resources() and not event.place.startswith(OWN_PROJECT)
        if when < since.at_ns and held == event and event.wanted and ours and there and event.key not in known:
            yield f"finding {event.finding}, which has no incident"


def _untold(stage: Stage, since: Swept) -> Iterator[str]:
    """What an incident came to before the first began has been told on the topic."""
    told = set(stage.ground.told())
    for before in _unchanged(stage.history, since):
        now = stage.history.last(before.id)
        if before.phase in _TOLD and now and now.phase == before.phase and (before.id, before.phase) not in told:
            yield f"{before.id}, of which nobody was told that it is {before.phase}"

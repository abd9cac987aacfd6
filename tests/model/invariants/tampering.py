"""The seventh invariant: who can write the ledger, and has no key, causes nothing."""

from __future__ import annotations

from tests.model.history import Violated, Wrote
from tests.model.invariants.kinds_of_writes import is_containing, is_held_by_others, puts_back, releases_under_way
from tests.model.reference import theirs
from tests.model.stage import Stage


def check_nothing_without_the_key(stage: Stage) -> None:
    """Whoever can write the ledger but has no seal key cannot cause a write that policies and SCC would not.

    That containing writes have all that the first three invariants ask for is checked from outside, whatever the
    ledger says; here it is what is taken back, which only a person may cause, and only to what people had set.
    """
    for wrote in stage.history.this_step():
        if is_containing(stage.history, wrote):
            continue
        for found in (_asked(stage, wrote), _origin(stage, wrote)):
            if found:
                message = f"{found}: {wrote}"
                raise Violated(7 if stage.history.tampered else 6, message)


def _asked(stage: Stage, wrote: Wrote) -> str:
    """A person asked for the release, or what failed in this very step is put back."""
    if releases_under_way(stage.history, wrote):
        return ""
    earlier = [one for one in stage.history.writes if one.place == wrote.place and one.seq < wrote.seq]
    undone = bool(earlier) and puts_back(stage.history, wrote) and not _held(stage, wrote)
    return "" if undone else "nobody asked for a release"


def _held(stage: Stage, wrote: Wrote) -> bool:
    """Whether the incident that wrote last was contained before this step: then nothing of it had failed."""
    last = [one for one in stage.history.writes if one.place == wrote.place and one.seq < wrote.seq][-1]
    before = stage.history.before_step(last.incident.id, wrote.step) if last.incident else None
    return before is not None and before.phase == "contained"


def _origin(stage: Stage, wrote: Wrote) -> str:
    """Where nobody else holds the place, each setting goes back to what people set."""
    if is_held_by_others(stage.history, wrote):
        return ""
    people = theirs(stage.history, wrote.place, wrote.seq)
    wrong = [key for key, (_, after) in wrote.changed.items() if after != people.get(key)]
    if not wrong or puts_back(stage.history, wrote):
        return ""
    return f"{', '.join(wrong)} was never set so by anybody"

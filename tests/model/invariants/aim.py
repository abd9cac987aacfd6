"""Whom a containing write is aimed at: only suspects lose what leads to them, and no suspect takes over."""

from __future__ import annotations

from firebreak.core.cloud_run.setting_names import CANCELLED, EXECUTION, POOL_INSTANCES, SCALING
from tests.model.clock import DAY
from tests.model.history import Violated, Wrote
from tests.model.invariants.kinds_of_writes import approval_of, is_containing
from tests.model.reference import may_be_suspect, place_of_incident, wished_for
from tests.model.scc import ALLOWED
from tests.model.stage import Stage
from tests.model.watch import RELATED, SCC


def check_aim(stage: Stage) -> None:
    """No message that SCC does not confirm changes what others lead to; and no suspect is a refuge."""
    for wrote in stage.history.this_step():
        if not is_containing(stage.history, wrote):
            continue
        approved = approval_of(stage.history, wrote) is not None
        if not approved and (innocent := _closed(wrote) - _suspects(stage, wrote)):
            message = f"nothing that SCC has held makes {', '.join(sorted(innocent))} suspect: {wrote}"
            raise Violated(5, message)
        if unfit := _unfit(stage, wrote, approved=approved):
            message = f"{unfit}: {wrote}"
            raise Violated(1, message)


def _suspects(stage: Stage, wrote: Wrote) -> frozenset[str]:
    return may_be_suspect(stage.ground.scc, wrote.before, wrote.resources, wrote.at_ns)


def _closed(wrote: Wrote) -> frozenset[str]:
    """The revisions that lose what leads to them, and the runs that are cancelled; who stops all aims at nobody."""
    changed = wrote.changed
    if SCALING in changed or POOL_INSTANCES in changed:
        return frozenset()
    if wrote.change.surface == "executions":
        return frozenset(key.removeprefix(EXECUTION) for key, (_, after) in changed.items() if after == CANCELLED)
    return wished_for(wrote.before) - wished_for(wrote.after)


def _unfit(stage: Stage, wrote: Wrote, *, approved: bool) -> str:
    """Why a revision that gets more of the traffic than before is no refuge."""
    if wrote.change.surface not in ("service", "worker_pool"):
        return ""
    before, after = wrote.before.wished[0], wrote.after.wished[0]
    for name in sorted(name for name, percent in after.items() if percent > before.get(name, 0)):
        revision = next((one for one in wrote.before.revisions if one.name == name), None)
        if revision is None or revision.fault is not None or revision.gen1:
            return f"{name} takes over, which is not ready"
        if _is_named(stage, wrote, name) and not (approved and {SCC, RELATED} & wrote.away.keys()):
            return f"{name} takes over, which another finding names"
    return ""


def _is_named(stage: Stage, wrote: Wrote, name: str) -> bool:
    """Whether SCC held, before this step began, a wanted finding of an allowed source that names the revision.

    In a further region only what other incidents suspect while they are open is no refuge.
    """
    began_ns = stage.history.began_ns
    if wrote.incident is None or wrote.place != place_of_incident(wrote.incident):
        return False
    for event in wrote.held.values():
        since_ns = min(when for when, one in stage.ground.scc.history if one == event)
        known = since_ns < began_ns and wrote.at_ns - event.at_ns < DAY and began_ns - wrote.at_ns < DAY
        if known and event.wanted and event.source == ALLOWED and (event.place, event.names) == (wrote.place, name):
            return True
    return False

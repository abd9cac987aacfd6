"""The first invariant: what must have held at each containing write, guard by guard, for every target of its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.model.history import Violated, Wrote
from tests.model.invariants.guards import NEEDS
from tests.model.invariants.kinds_of_writes import approval_of, is_containing
from tests.model.policies import OWN_PROJECT, said_of
from tests.model.reference import is_same_service, key_of, place_of_incident, said_lately
from tests.model.scc import ALLOWED, ORGANIZATION
from tests.model.stage import Stage
from tests.model.watch import SCC


def check_gate(stage: Stage) -> None:
    """No containing write without a gate that passed on fresh facts, for every target of the plan."""
    for wrote in stage.history.this_step():
        if not is_containing(stage.history, wrote):
            continue
        for bar in BARS:
            if against := bar(stage, wrote):
                message = f"{against}: {wrote}"
                raise Violated(1, message)
        approval = approval_of(stage.history, wrote)
        for caution, why in needs_of(stage, wrote):
            if approval is None:
                message = f"{why}, and no person approved it: {wrote}"
                raise Violated(1, message)
            if caution and caution not in approval.cautions:
                message = f"{why}, and the question that was approved did not say so: {wrote}"
                raise Violated(1, message)


def needs_of(stage: Stage, wrote: Wrote) -> Iterator[tuple[str, str]]:
    """Each caution that a person has to have answered, empty where it is the policy itself that asks; and why."""
    for caution, need in NEEDS:
        if why := need(stage, wrote):
            yield caution, why


def _recorded(_: Stage, wrote: Wrote) -> str:
    return "" if wrote.incident else "nothing was saved before it"


def _halt(stage: Stage, wrote: Wrote) -> str:
    if wrote.halt is None:
        return "the halt was not read for it"
    seq, read = wrote.halt
    if read != "none":
        return f"the halt was {read}"
    return "a halt stood, whatever its record said" if stage.history.halted_at(seq) else ""


def _ceiling(_: Stage, wrote: Wrote) -> str:
    return "the ceiling was monitor" if wrote.ceiling == "monitor" else ""


def _source(_: Stage, wrote: Wrote) -> str:
    assert wrote.incident
    source = key_of(wrote.incident)[0]
    return "" if source == ALLOWED else f"source {source} is not allowed"


def _self(_: Stage, wrote: Wrote) -> str:
    return "it is Firebreak's own project" if wrote.place.startswith(f"{OWN_PROJECT}/") else ""


def _policy(_: Stage, wrote: Wrote) -> str:
    assert wrote.incident
    said = said_of(wrote.incident.finding.category, place_of_incident(wrote.incident))
    return "" if said and said.mode != "monitor" else "no policy wants more than to watch"


def _finding(stage: Stage, wrote: Wrote) -> str:
    """SCC holds it, ACTIVE and not muted, for this workload and category; where SCC is away a person has to know."""
    assert wrote.incident
    if wrote.away.get(SCC, wrote.step) < wrote.step:
        return ""
    lately = list(said_lately(stage.ground.scc, key_of(wrote.incident), wrote.at_ns))
    if not lately:
        return "SCC does not hold the finding"
    place, category = place_of_incident(wrote.incident), wrote.incident.finding.category
    if not any(one.wanted for one in lately):
        return "SCC holds the finding resolved or muted"
    same = [one for one in lately if (one.place, one.category, one.organization) == (place, category, ORGANIZATION)]
    return "" if same else "SCC holds the finding for something else"


def _target(_: Stage, wrote: Wrote) -> str:
    """The write is to the finding's own workload, to the same service in another region, or to an account of theirs."""
    assert wrote.incident
    place = place_of_incident(wrote.incident)
    own = [one for one in wrote.resources.values() if is_same_service(one.place, place)]
    accounts = {one.account for one in own} | {run.service_account for one in own for run in one.revisions}
    reached = is_same_service(wrote.place, place) or wrote.before.target.name in accounts
    return "" if reached else "the finding is not about it"


BARS: tuple[Callable[[Stage, Wrote], str], ...] = (
    _recorded,
    _halt,
    _ceiling,
    _source,
    _self,
    _policy,
    _finding,
    _target,
)
"""Each says why nothing may be written at all; empty where it may."""

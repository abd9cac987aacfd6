"""What a containment leaves open, said plainly: nothing here is closed by wishing."""

from __future__ import annotations

from core.case import Case
from core.workload import DEFAULT_URI_DISABLED, INGRESS, Workload, references


def still_open(workload: Workload, case: Case) -> tuple[str, ...]:
    """Sentences on every way in which a suspect, or the hole it came through, is still within reach."""
    return (*_doors(workload, case), *_lives(workload, case), *_beyond(workload))


def _doors(workload: Workload, case: Case) -> list[str]:
    found = []
    uses = references(workload.state, workload.latest)
    for name in sorted(case.suspects & workload.reachable):
        percent = max(workload.effective.get(name, 0), uses[name].percent if name in uses else 0)
        tags = [tag for tag, at in sorted(workload.effective_tags.items()) if at == name]
        ways = [f"{percent} % of the traffic"] if percent else []
        ways += [f"tag {tag}" for tag in tags] or ([] if percent else ["a tag"])
        found.append(f"suspect {name} can still be reached by {' and '.join(ways)}{_closed_by_ingress(workload)}")
    if workload.state.get(INGRESS) == "internal":
        found.append("ingress internal still admits the project's own networks, schedulers, queues and events")
    if workload.state.get(INGRESS) != "none" and not workload.state.get(DEFAULT_URI_DISABLED):
        found.append("the service still takes requests; an added binary came in through a hole that every revision has")
    return found


def _closed_by_ingress(workload: Workload) -> str:
    return ", but ingress admits no request" if workload.state.get(INGRESS) == "none" else ""


def _lives(workload: Workload, case: Case) -> list[str]:
    found = []
    listed = references(workload.state, workload.latest)
    for name in sorted(case.suspects):
        revision = workload.revision(name)
        if revision is None:
            continue
        longest = revision.max_request_seconds
        bound = f" for up to {longest} s" if longest else ""
        found.append(f"instances of {name} finish requests under way{bound}, and idle ones may live on for minutes")
        if revision.min_instances and name in listed:
            found.append(f"{name} keeps {revision.min_instances} instances up while traffic or a tag refers to it")
    return found


def _beyond(workload: Workload) -> list[str]:
    found = []
    others = sorted(set(workload.regions) - {workload.target.location})
    if others:
        found.append(f"the service also runs in {', '.join(others)}")
    if workload.service_account:
        found.append(f"credentials of {workload.service_account} that were taken stay valid: rotate them")
    if workload.function:
        found.append("this is a Cloud Functions service: its next deployment sends all traffic to the new revision")
    return found

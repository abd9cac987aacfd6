"""What a containment leaves open, said plainly: nothing here is closed by wishing."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.residual_exposure_jobs import of_job, of_pool
from firebreak.core.cloud_run.exposure import exposure_paths, reach_lines
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS, INVOKER_CHECK_OFF
from firebreak.core.cloud_run.workload import Workload, references


def still_open(workload: Workload, case: EditContext, covered: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Sentences on every way in which a suspect, or the hole it came through, is still within reach.

    `covered` are regions in which the service was looked after by itself, and service accounts that were.
    """
    if workload.target.kind == "service_account":
        return ()
    if workload.target.kind == "worker_pool":
        return (*of_pool(workload, case), *_beyond(workload, covered))
    if workload.target.kind == "job":
        return (*of_job(workload, case), *_beyond(workload, covered))
    return (*_doors(workload, case), *_lives(workload, case), *_beyond(workload, covered))


def _doors(workload: Workload, case: EditContext) -> Iterator[str]:
    ways = exposure_paths(workload)
    yield from reach_lines(frozenset(way for way in ways if way.revision in case.suspects))
    if workload.state.get(INGRESS) == "internal":
        yield "ingress internal still admits the project's own networks, schedulers, queues and events"
    if not ways:
        return
    yield "the service still takes requests; an added binary came in through a hole that every revision has"
    if workload.state.get(DEFAULT_URI_DISABLED):
        yield "load balancers and domain mappings, if the service has any, do not need the direct URL that is off"
    if not workload.state.get(INVOKER_CHECK_OFF):
        yield "grants that come from the project, a folder or the organization are not read: who has one can still call"


def _lives(workload: Workload, case: EditContext) -> Iterator[str]:
    listed = references(workload.state, workload.latest)
    for name in sorted(case.suspects):
        revision = workload.revision(name)
        if revision is None:
            continue
        longest = revision.max_request_seconds
        bound = f" for up to {longest} s" if longest else ""
        yield f"instances of {name} finish requests under way{bound}, and idle ones may live on for minutes"
        if revision.min_instances and name in listed:
            yield f"{name} keeps {revision.min_instances} instances up while traffic or a tag refers to it"


def _beyond(workload: Workload, covered: frozenset[str]) -> Iterator[str]:
    others = sorted(set(workload.regions) - {workload.target.location} - covered)
    if others:
        yield f"the service is also set to run in {', '.join(others)}, where nothing was closed: contain it there too"
    elif workload.regions:
        yield "the next deployment of a service in several regions may set its traffic anew in all of them"
    if workload.service_account and workload.service_account not in covered:
        yield f"credentials of {workload.service_account} that were taken stay valid: rotate them"
    if workload.function:
        yield "this is a Cloud Functions service: its next deployment sends all traffic to the new revision"

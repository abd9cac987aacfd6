"""Residual exposure: every path to a suspect that a containment does not close, as sentences for people."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.residual_exposure_jobs import of_job, of_pool
from firebreak.core.cloud_run.exposure import exposure_paths, exposure_sentences
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS, INVOKER_CHECK_OFF
from firebreak.core.cloud_run.workload import Workload, references


def still_open(workload: Workload, case: EditContext, covered: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """One sentence for each path by which a suspect, or the hole that it came through, can still be reached.

    `covered` are the regions and the service accounts that this incident contains as further targets.
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
    yield from exposure_sentences(frozenset(way for way in ways if way.revision in case.suspects))
    if workload.state.get(INGRESS) == "internal":
        yield "ingress internal still admits the project's own networks, schedulers, queues and events"
    if not ways:
        return
    yield "the service still accepts requests; if malware was added at run time, every revision has the same hole"
    if workload.state.get(DEFAULT_URI_DISABLED):
        yield "load balancers and domain mappings, if the service has any, work without the direct URL that is off"
    if not workload.state.get(INVOKER_CHECK_OFF):
        yield "grants on the project, a folder or the organization are not read: whoever has one can still call"


def _lives(workload: Workload, case: EditContext) -> Iterator[str]:
    listed = references(workload.state, workload.latest)
    for name in sorted(case.suspects):
        revision = workload.revision(name)
        if revision is None:
            continue
        longest = revision.max_request_seconds
        bound = f" for up to {longest} s" if longest else ""
        yield f"instances of {name} finish requests under way{bound}, and idle ones may stay for minutes"
        if revision.min_instances and name in listed:
            yield f"{name} keeps {revision.min_instances} instances running while traffic or a tag refers to it"


def _beyond(workload: Workload, covered: frozenset[str]) -> Iterator[str]:
    others = sorted(set(workload.regions) - {workload.target.location} - covered)
    if others:
        yield f"the service also runs in {', '.join(others)}, where nothing was contained: contain it there too"
    elif workload.regions:
        yield "the next deployment of a multi-region service may reset its traffic in all regions"
    if workload.service_account and workload.service_account not in covered:
        yield f"credentials of {workload.service_account} stay valid if they were stolen: rotate them"
    if workload.function:
        yield "this is a Cloud Functions service: its next deployment sends all traffic to the new revision"

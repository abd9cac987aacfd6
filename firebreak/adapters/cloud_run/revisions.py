"""Revisions of services and worker pools: listed whole, and read into what decisions look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.cloud.run_v2 import types as run_v2

from firebreak.adapters.google.calls import pages_of
from firebreak.core.cloud_run.workload import Revision
from firebreak.core.errors import Transient
from firebreak.core.timestamps import nanos_of
from firebreak.ports.deadline import Deadline

_MOST = 1000
_READY = run_v2.Condition.State.CONDITION_SUCCEEDED
_GEN1 = run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN1


def with_all_that_serve(
    revisions: list[run_v2.Revision], serving: Iterable[str], again: Callable[[], list[run_v2.Revision]]
) -> list[run_v2.Revision]:
    """The list, read once more where it lacks what gets traffic: that exists. Raises Transient if it lacks it still."""
    served = {short(one) for one in serving if one}
    if not _lost(served, revisions):
        return revisions
    found = again()
    if lost := _lost(served, found):
        message = f"the list of revisions lacks {', '.join(sorted(lost))}, to which traffic goes: it is not whole"
        raise Transient(message)
    return found


def _lost(served: set[str], listed: list[run_v2.Revision]) -> set[str]:
    """What serves and is not listed, where the list was read to its end."""
    return set() if len(listed) >= _MOST else served - {short(one.name) for one in listed}


def list_revisions(client: Any, parent: str, deadline: Deadline) -> list[run_v2.Revision]:  # noqa: ANN401 - Google's client
    """Every revision of the service or worker pool."""
    request = run_v2.ListRevisionsRequest(parent=parent, page_size=100)
    found: list[run_v2.Revision] = []
    for page in pages_of(client.list_revisions, deadline, request):
        found += page.revisions
        if len(found) >= _MOST:
            break
    return found


def revision_of(revision: run_v2.Revision) -> Revision:
    """What decisions look at of one revision."""
    return Revision(
        name=short(revision.name),
        created_ns=nanos(revision.create_time),
        fault=_fault(revision),
        gen1=revision.execution_environment == _GEN1,
        digests=frozenset(digest for one in revision.containers if (digest := digest_of(one.image))),
        service_account=revision.service_account,
        min_instances=revision.scaling.min_instance_count,
        max_request_seconds=_seconds(revision.timeout),
        by_tag=not all(digest_of(one.image) for one in revision.containers),
        creator=revision.creator,
    )


def is_settled(resource: Any) -> bool:  # noqa: ANN401 - a Service or a WorkerPool
    """Whether Cloud Run has finished with the last change."""
    return bool(not resource.reconciling and resource.generation == resource.observed_generation)


def told_to_serve(resource: Any, statuses: Sequence[Any], wished: Sequence[Any]) -> Sequence[Any]:  # noqa: ANN401
    """What Cloud Run reports to serve; of what it reports nothing, what was wished for, once that is over and well.

    What has failed, or never served, reports nothing as well (run_v2.Service docstring, `reconciling`).
    """
    failed = resource.terminal_condition.state == run_v2.Condition.State.CONDITION_FAILED
    return statuses or (wished if is_settled(resource) and not failed else ())


def newest_ready(revisions: list[run_v2.Revision]) -> str | None:
    """Short name of the newest Ready revision, which LATEST means where the service does not say; None if none is."""
    ready = [one for one in revisions if _fault(one) is None]
    return short(max(ready, key=lambda one: nanos(one.create_time)).name) if ready else None


def _fault(revision: run_v2.Revision) -> str | None:
    """Why the revision cannot serve, or None. Only the condition Ready counts.

    A healthy revision that serves nothing reports other conditions as false or unknown.
    """
    ready = next((one for one in revision.conditions if one.type_ == "Ready"), None)
    if ready is None:
        return "its readiness is not known"
    if revision.reconciling:
        return "it is still being made ready"
    if ready.state == _READY:
        return None
    reason = ready.revision_reason or ready.reason
    return getattr(reason, "name", "") or ready.message[:100] or "Ready is not true"


def digest_of(image: str) -> str | None:
    """The digest that an image is named by, if it is named by one."""
    _, at, digest = image.rpartition("@")
    return digest if at and digest.startswith("sha256:") else None


def short(name: str) -> str:
    """The last part of a resource name."""
    return name.rpartition("/")[2]


def nanos(moment: Any) -> int:  # noqa: ANN401 - proto-plus DatetimeWithNanoseconds or None
    """Nanoseconds since the epoch; 0 where there is no moment."""
    if moment is None:
        return 0
    return nanos_of(moment) // 1000 * 1000 + getattr(moment, "nanosecond", 0) % 1000


def _seconds(duration: Any) -> int:  # noqa: ANN401 - proto-plus gives a timedelta, or None
    return int(duration.total_seconds()) if duration else 0

"""Which Cloud Run workloads run as a service account: a few lists, and in plain words what they do not show."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from google.cloud.run_v2 import types as run_v2
from google.cloud.run_v2.services.jobs import JobsClient
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.services import ServicesClient
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.worker_pools import WorkerPoolsClient
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport

from firebreak.adapters.google.calls import client_of, pages_of
from firebreak.core.cloud_run.account_usage import NEVER_SEEN, Users
from firebreak.core.cloud_run.service_account import kind_of
from firebreak.core.cloud_run.target import Target
from firebreak.core.errors import Missing, Refused, Transient, Unsupported
from firebreak.core.first_few import first_few
from firebreak.ports.deadline import Deadline

_SECONDS = 8.0
_MOST = 2000
_MOST_NAMED = 20
_EVERYWHERE = "-"


@dataclass(frozen=True, slots=True)
class _List:
    """One kind of workload: how it is listed, and the identity that one of its items runs as."""

    noun: str
    collection: str
    call: Callable[..., Any]
    request: type[Any]
    identity: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class _Listed:
    """The identity that each workload found runs as, by its name from the location on; and what is not known of it."""

    found: tuple[tuple[str, str], ...] = ()
    unseen: tuple[str, ...] = ()


class ServiceAccountUsers:
    """Asks Cloud Run only. What it cannot list is named as not checked, never taken for "no other users"."""

    permissions = frozenset({"run.services.list", "run.jobs.list", "run.workerpools.list"})

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local Cloud Run, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _lists(self) -> tuple[_List, ...]:
        services = client_of(ServicesClient, ServicesGrpcTransport, self._emulator)
        jobs = client_of(JobsClient, JobsGrpcTransport, self._emulator)
        pools = client_of(WorkerPoolsClient, WorkerPoolsGrpcTransport, self._emulator)
        return (
            _List("service", "services", services.list_services, run_v2.ListServicesRequest, _template_account),
            _List("job", "jobs", jobs.list_jobs, run_v2.ListJobsRequest, _task_account),
            _List(
                "worker pool", "workerPools", pools.list_worker_pools, run_v2.ListWorkerPoolsRequest, _template_account
            ),
        )

    def users_of(self, account: Target, near: Target, deadline: Deadline) -> Users:
        """Workloads other than `near` that run as the account, in both their projects; never raises."""
        until = deadline.sooner(_SECONDS)
        places = [near] if account.project_spellings & near.project_spellings else [near, _in_project(near, account)]
        asked = [(place, one) for place in places for one in self._lists]
        with ThreadPoolExecutor(max_workers=len(asked), thread_name_prefix="users") as pool:
            answers = list(pool.map(lambda pair: _list_workloads(pair[0], pair[1], near, until), asked))
        names = [
            f"{one.noun} {name.rpartition('/')[2]} in {_region(name)}{_project_suffix(place, near)}"
            for (place, one), answer in zip(asked, answers, strict=True)
            for name, identity in answer.found
            if (place, name) != (near, _below(near))
            if identity == account.name or (not identity and kind_of(account.name) == "default")
        ]
        unseen = tuple(dict.fromkeys(text for answer in answers for text in answer.unseen))
        return Users(first_few(sorted(names), _MOST_NAMED), (*unseen, *NEVER_SEEN))


def _list_workloads(place: Target, one: _List, near: Target, deadline: Deadline) -> _Listed:
    """All regions at once if Cloud Run accepts that, else the region of `near`; a failed list is named in `unseen`."""
    where = f"the {one.noun}s of {place.project}"
    try:
        listed = _pages(place, one, _EVERYWHERE, deadline)
    except (Unsupported, Missing):
        try:
            listed = _pages(place, one, near.location, deadline)
        except (Refused, Transient) as fault:
            return _Listed(unseen=(f"{where}, which could not be listed: {fault}",))
        return replace(listed, unseen=(*listed.unseen, f"{where} outside {near.location}"))
    except (Refused, Transient) as fault:
        return _Listed(unseen=(f"{where}, which could not be listed: {fault}",))
    if place == near and one.collection == _collection(near) and _below(near) not in dict(listed.found):
        # It exists: a list without it leaves out others too.
        return replace(listed, unseen=(*listed.unseen, f"some of {where}: the list leaves out {near.name} itself"))
    return listed


def _pages(place: Target, one: _List, location: str, deadline: Deadline) -> _Listed:
    request = one.request(parent=f"projects/{place.project}/locations/{location}", page_size=500)
    found: list[tuple[str, str]] = []
    unseen: list[str] = []
    for page in pages_of(one.call, deadline, request):
        items = getattr(page, {"workerPools": "worker_pools"}.get(one.collection, one.collection))
        found += [(item.name.partition("/locations/")[2], one.identity(item)) for item in items]
        unseen += [f"the {one.noun}s of {place.project} in {region}" for region in getattr(page, "unreachable", ())]
        if len(found) >= _MOST:
            unseen.append(f"the {one.noun}s of {place.project} beyond the first {_MOST}")
            break
    return _Listed(tuple(found), tuple(unseen))


def _in_project(near: Target, account: Target) -> Target:
    return replace(near, project=account.project, project_id=account.project_id, project_number=account.project_number)


def _below(target: Target) -> str:
    return target.resource.partition("/locations/")[2]


def _collection(target: Target) -> str:
    return _below(target).split("/")[1]


def _region(name: str) -> str:
    return name.partition("/")[0]


def _project_suffix(place: Target, near: Target) -> str:
    return "" if place == near else f" of {place.project}"


def _template_account(item: Any) -> str:  # noqa: ANN401 - a Service or a WorkerPool
    return str(item.template.service_account)


def _task_account(item: Any) -> str:  # noqa: ANN401 - a Job
    return str(item.template.template.service_account)

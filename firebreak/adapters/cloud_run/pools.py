"""Worker pools: no address, no tags; a split of instances over revisions, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from google.cloud.run_v2 import types as run_v2
from google.cloud.run_v2.services.revisions import RevisionsClient
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.worker_pools import WorkerPoolsClient
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport
from google.protobuf.unknown_fields import UnknownFieldSet

from firebreak.adapters.cloud_run.revisions import (
    is_settled,
    list_revisions,
    nanos,
    newest_ready,
    revision_of,
    short,
    told_to_serve,
    with_all_that_serve,
)
from firebreak.adapters.google.calls import call_read, call_write, client_of
from firebreak.adapters.google.operations import raise_if_failed, wait_for
from firebreak.adapters.google.originals import message_json
from firebreak.core.cloud_run.setting_names import AUTOMATIC, LATEST, POOL_INSTANCES, POOL_SPLIT
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.traffic_status import split_in_force
from firebreak.core.cloud_run.workload import Workload, split_of, split_text
from firebreak.core.containment.plan import Change, apply_change
from firebreak.ports.deadline import Deadline

_TYPE = run_v2.InstanceSplitAllocationType
_LATEST = _TYPE.INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST
_MODE, _BY_ITSELF = 5, 1
"""The number of WorkerPoolScaling.scaling_mode, and of AUTOMATIC, as gcloud's own client has them: a pool may scale by
its CPU (cloud.google.com: run/docs/configuring/workerpools/cpu-autoscaling), and the library's types do not say so."""


class WorkerPools:
    """Reads worker pools, and is the surface `worker_pool`."""

    permissions = frozenset(
        {
            "run.workerpools.get",
            "run.revisions.list",
            "run.workerpools.update",
            "run.operations.get",
            "iam.serviceAccounts.actAs",
        }
    )

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local Cloud Run, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _pools(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        return client_of(WorkerPoolsClient, WorkerPoolsGrpcTransport, self._emulator)

    @cached_property
    def _revisions(self) -> Any:  # noqa: ANN401
        return client_of(RevisionsClient, RevisionsGrpcTransport, self._emulator)

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The pool with its revisions; raises Missing, Denied or Transient."""
        name = target.resource
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="cloud-run") as pool:
            found = pool.submit(call_read, self._pools.get_worker_pool, deadline, name=name)
            revisions = pool.submit(list_revisions, self._revisions, name, deadline)
            serving = (one.revision for one in found.result().instance_split_statuses if one.percent)
            again = partial(list_revisions, self._revisions, name, deadline)
            return pool_of(target, found.result(), with_all_that_serve(revisions.result(), serving, again))

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Write exactly what the change names, never a template; returns the operation's name."""
        fields, paths = sparse(change.after, apply_change(workload.state, change))
        pool = run_v2.WorkerPool(name=workload.target.resource, etag=workload.etags["worker_pool"], **fields)
        request = run_v2.UpdateWorkerPoolRequest(worker_pool=pool, update_mask={"paths": paths})
        operation = call_write(self._pools.update_worker_pool, deadline, request=request).operation
        if operation.done:
            raise_if_failed(operation)
        return str(operation.name)

    def wait(self, operation: str, deadline: Deadline) -> None:
        """Until the operation has ended; raises Failed, or Unfinished at the deadline."""
        wait_for(self._pools.get_operation, operation, deadline)

    def in_force(self, workload: Workload, change: Change) -> bool:
        """Whether instances go where the settings say."""
        return split_in_force(workload, change.after)


def pool_of(target: Target, pool: run_v2.WorkerPool, revisions: list[run_v2.Revision]) -> Workload:
    """The pool as it is wished for and as it runs."""
    latest = short(pool.latest_ready_revision) or newest_ready(revisions)
    effective: dict[str, int] = {}
    for one in told_to_serve(pool, pool.instance_split_statuses, pool.instance_splits):
        name = one.revision or latest or LATEST
        effective[name] = effective.get(name, 0) + one.percent
    return Workload(
        target=target,
        state=MappingProxyType(_state(pool)),
        etags=MappingProxyType({"worker_pool": pool.etag}),
        revisions=tuple(revision_of(one) for one in revisions),
        latest=latest,
        effective=MappingProxyType(effective),
        effective_tags=MappingProxyType({}),
        settled=is_settled(pool),
        created_ns=nanos(pool.create_time),
        updated_ns=nanos(pool.update_time),
        last_modifier=pool.last_modifier,
        labels=MappingProxyType(dict(pool.labels)),
        service_account=pool.template.service_account,
        uid=pool.uid,
        originals=lambda: {
            "worker_pool": message_json(pool),
            "revisions": [message_json(one) for one in revisions],
        },
    )


def _state(pool: run_v2.WorkerPool) -> dict[str, Setting]:
    split: dict[str, int] = {}
    for one in pool.instance_splits:
        name = LATEST if one.type_ == _LATEST or not one.revision else one.revision
        split[name] = split.get(name, 0) + one.percent
    state: dict[str, Setting] = {POOL_SPLIT: split_text(split or {LATEST: 100})}
    scaling = run_v2.WorkerPoolScaling.pb(pool.scaling)
    if _scales_by_itself(scaling):
        state[POOL_INSTANCES] = AUTOMATIC
    elif scaling.HasField("manual_instance_count"):
        state[POOL_INSTANCES] = scaling.manual_instance_count
    return state


def _scales_by_itself(scaling: Any) -> bool:  # noqa: ANN401 - the plain message, untyped
    """Whether its mode is AUTOMATIC, also once the library knows that field."""
    unknown: Any = UnknownFieldSet(scaling)
    said = [one.data for one in unknown if one.field_number == _MODE]
    return bool([getattr(scaling, "scaling_mode", 0), *said][-1] == _BY_ITSELF)


def sparse(changed: Mapping[str, Setting | None], state: State) -> tuple[dict[str, Any], list[str]]:
    """The fields of a WorkerPool that these settings live in, and their mask; a count that is unset is cleared."""
    fields: dict[str, Any] = {}
    paths: list[str] = []
    if POOL_SPLIT in changed:
        fields["instance_splits"] = [_split(name, percent) for name, percent in sorted(split_of(state).items())]
        paths.append("instance_splits")
    if POOL_INSTANCES in changed:
        count = state.get(POOL_INSTANCES)
        given = {} if count is None else {"manual_instance_count": int(count)}
        fields["scaling"] = run_v2.WorkerPoolScaling(**given)
        paths.append("scaling.manual_instance_count")
    return fields, paths


def _split(name: str, percent: int) -> run_v2.InstanceSplit:
    if name == LATEST:
        return run_v2.InstanceSplit(type_=_LATEST, percent=percent)
    return run_v2.InstanceSplit(type_=_TYPE.INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, revision=name, percent=percent)

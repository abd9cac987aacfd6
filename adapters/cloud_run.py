"""Cloud Run Admin API v2: one reading of a service, one masked and etagged write, and polling of its operation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from google.cloud import run_v2
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport

from adapters.cloud_run_reading import ingress_number, workload_of
from adapters.deadline import Deadline
from adapters.google_calls import client_of, pages_of, reading, writing
from core.action import Setting, State
from core.effect import traffic_in_force
from core.errors import Failed, Refused, Transient, Unfinished, Unsupported
from core.plan import Change, overlaid
from core.target import Target
from core.workload import DEFAULT_URI_DISABLED, INGRESS, LATEST, Workload, split_of, tags_of

_MOST_REVISIONS = 1000
_POLICY_SECONDS = 4.0  # it tells one fact and shapes no plan: the rest does not wait for it


class CloudRunServices:
    """Reads services, and is the surface `service`. Clients are made on first use, after any fork."""

    permissions = frozenset(
        {
            "run.services.get",
            "run.revisions.list",
            "run.services.getIamPolicy",
            "run.services.update",
            "run.operations.get",
            "iam.serviceAccounts.actAs",
        }
    )

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local Cloud Run, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _services(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        return client_of(run_v2.ServicesClient, ServicesGrpcTransport, self._emulator)

    @cached_property
    def _revisions(self) -> Any:  # noqa: ANN401
        return client_of(run_v2.RevisionsClient, RevisionsGrpcTransport, self._emulator)

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The service with its revisions and IAM policy; raises Missing, Denied or Transient.

        A policy that cannot be read leaves `invokers` unknown; service and revisions are required.
        """
        name = target.resource
        with ThreadPoolExecutor(max_workers=3, thread_name_prefix="cloud-run") as pool:
            service = pool.submit(reading, self._services.get_service, deadline, name=name)
            revisions = pool.submit(self._list_revisions, name, deadline)
            policy = pool.submit(self._policy, name, deadline)
            return workload_of(target, service.result(), revisions.result(), policy.result())

    def _list_revisions(self, parent: str, deadline: Deadline) -> list[run_v2.Revision]:
        request = run_v2.ListRevisionsRequest(parent=parent, page_size=100)
        found: list[run_v2.Revision] = []
        for page in pages_of(self._revisions.list_revisions, deadline, request):
            found += page.revisions
            if len(found) >= _MOST_REVISIONS:
                break
        return found

    def _policy(self, resource: str, deadline: Deadline) -> Any | None:  # noqa: ANN401 - google.iam.v1 Policy
        request = {"resource": resource, "options": {"requested_policy_version": 3}}
        try:
            return reading(self._services.get_iam_policy, deadline, at_most=_POLICY_SECONDS, request=request)
        except (Refused, Transient):
            return None

    def refuses(self, change: Change, workload: Workload, deadline: Deadline) -> str | None:
        """The `key=value` of this change that the API would not take, asked with validate_only; None if it takes it."""
        if change.after.get(INGRESS) != "none":
            return None
        try:
            self._update({INGRESS: "none"}, {**workload.state, INGRESS: "none"}, workload, deadline, validate=True)
        except Unsupported:
            return f"{INGRESS}=none"
        return None

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Write exactly what the change names, under the etag just read; returns the operation's name.

        Raises Drifted when the etag is stale, Unsupported, Denied, Missing or Transient.
        """
        return self._update(change.after, overlaid(workload.state, change), workload, deadline)

    def _update(
        self,
        changed: Mapping[str, Setting | None],
        state: State,
        workload: Workload,
        deadline: Deadline,
        *,
        validate: bool = False,
    ) -> str:
        fields = sparse(changed, state)
        service = run_v2.Service(name=workload.target.resource, etag=workload.etags["service"], **fields)
        request = run_v2.UpdateServiceRequest(
            service=service, update_mask={"paths": sorted(fields)}, validate_only=validate
        )
        operation = writing(self._services.update_service, deadline, request=request).operation
        if operation.done:
            _raise_if_failed(operation)
        return str(operation.name)

    def in_force(self, workload: Workload, change: Change) -> bool:
        """Whether traffic goes where the settings say."""
        return traffic_in_force(workload, change.after)

    def wait(self, operation: str, deadline: Deadline) -> None:
        """Poll an operation to its end; raises Failed with its error, or Unfinished when the time is up.

        Where polling itself is refused, that says nothing of the operation: this returns, and what serves decides.
        """
        pause = 0.1
        while True:
            try:
                polled = reading(self._services.get_operation, deadline, request={"name": operation})
            except Refused:
                return
            except Transient:
                polled = None
            if polled is not None and polled.done:
                _raise_if_failed(polled)
                return
            if deadline.remaining() <= pause:
                time.sleep(deadline.remaining())
                raise Unfinished(operation)
            time.sleep(pause)
            pause = min(pause * 1.5, 2.0)


def _raise_if_failed(operation: Any) -> None:  # noqa: ANN401 - google.longrunning Operation, which has no stubs
    if operation.HasField("error"):
        message = f"the operation ended in an error ({operation.error.code}): {operation.error.message[:500]}"
        raise Failed(message)


def sparse(changed: Mapping[str, Setting | None], state: State) -> dict[str, Any]:
    """The fields of a Service that these settings live in, with the values that the whole state gives them."""
    fields: dict[str, Any] = {}
    if any(key.startswith("service.traffic.") for key in changed):
        fields["traffic"] = traffic_targets(state)
    if INGRESS in changed:
        fields["ingress"] = ingress_number(str(state.get(INGRESS, "all")))
    if DEFAULT_URI_DISABLED in changed:
        fields["default_uri_disabled"] = bool(state.get(DEFAULT_URI_DISABLED, False))
    return fields


def traffic_targets(state: State) -> list[run_v2.TrafficTarget]:
    """The traffic list of a state: never empty, because Cloud Run reads an empty list as all to LATEST."""
    tags = tags_of(state)
    listed: list[run_v2.TrafficTarget] = []
    for name, percent in sorted(split_of(state).items()):
        tag = next((tag for tag, entry in sorted(tags.items()) if entry == name), "")
        tags.pop(tag, None)
        listed.append(_traffic_target(name, percent, tag))
    return listed + [_traffic_target(name, 0, tag) for tag, name in sorted(tags.items())]


def _traffic_target(name: str, percent: int, tag: str) -> run_v2.TrafficTarget:
    allocation = run_v2.TrafficTargetAllocationType
    if name == LATEST:
        return run_v2.TrafficTarget(type_=allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST, percent=percent, tag=tag)
    return run_v2.TrafficTarget(
        type_=allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, revision=name, percent=percent, tag=tag
    )

"""Cloud Run Admin API v2: one reading of a service, one masked and etagged write, and polling of its operation."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any

from google.cloud.run_v2 import types as run_v2
from google.cloud.run_v2.services.revisions import RevisionsClient
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services import ServicesClient
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport

from firebreak.adapters.cloud_run.access import ServiceAccess
from firebreak.adapters.cloud_run.reading import ingress_number, workload_of
from firebreak.adapters.cloud_run.revisions import list_revisions, with_all_that_serve
from firebreak.adapters.google.calls import call_read, call_write, client_of
from firebreak.adapters.google.iam_policies import read_policy
from firebreak.adapters.google.operations import raise_if_failed, wait_for
from firebreak.core.cloud_run.scaling import Scaling, read_scaling
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS, INVOKER_CHECK_OFF, LATEST, SCALING
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.traffic_status import split_in_force
from firebreak.core.cloud_run.workload import Workload, split_of, tags_of
from firebreak.core.containment.plan import Change, apply_change
from firebreak.core.errors import Refused, Transient, Unsupported
from firebreak.ports.deadline import Deadline

_POLICY_SECONDS = 4.0  # most plans rest on nothing in it: the others say that it could not be read
_DEFAULT_MOST = 100
"""Cloud Run's upper limit of instances where none is set (run_v2.ServiceScaling docstring)."""


class CloudRunServices:
    """Reads services, and is the surface `service`. Clients are made on first use, after any fork."""

    permissions = frozenset(
        {
            "run.services.get",
            "run.revisions.list",
            "run.services.getIamPolicy",
            "run.services.update",
            "run.services.create",
            "run.services.setIamPolicy",
            "run.operations.get",
            "iam.serviceAccounts.actAs",
        }
    )

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local Cloud Run, or None for Google's."""
        self._emulator = emulator
        self.access = ServiceAccess(lambda: self.client)

    @cached_property
    def client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        """Google's client of services; made on first use, after any fork."""
        return client_of(ServicesClient, ServicesGrpcTransport, self._emulator)

    @cached_property
    def _revisions(self) -> Any:  # noqa: ANN401
        return client_of(RevisionsClient, RevisionsGrpcTransport, self._emulator)

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The service with its revisions and IAM policy; raises Missing, Denied or Transient.

        A policy that cannot be read leaves `service_iam` unread; service and revisions are required.
        """
        name = target.resource
        with ThreadPoolExecutor(max_workers=3, thread_name_prefix="cloud-run") as pool:
            service = pool.submit(call_read, self.client.get_service, deadline, name=name)
            revisions = pool.submit(list_revisions, self._revisions, name, deadline)
            policy = pool.submit(self._policy, name, deadline)
            serving = (one.revision for one in service.result().traffic_statuses if one.percent or one.tag)
            again = partial(list_revisions, self._revisions, name, deadline)
            whole = with_all_that_serve(revisions.result(), serving, again)
            return workload_of(target, service.result(), whole, policy.result())

    def _policy(self, resource: str, deadline: Deadline) -> Any:  # noqa: ANN401 - google.iam.v1 Policy, or why not
        try:
            return read_policy(self.client.get_iam_policy, resource, deadline.sooner(_POLICY_SECONDS))
        except (Refused, Transient) as fault:
            return fault

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Write exactly the fields that the change names, under the etag just read; returns the operation's name.

        Only a sparse Service with an update mask is sent: without a mask Cloud Run replaces the whole Service and
        refuses its own template (googleapis/google-cloud-python issue 11870). Raises Drifted if the etag is stale
        (Cloud Run answers ABORTED), else Unsupported, Denied, Missing or Transient.
        """
        fields = sparse(change.after, apply_change(workload.state, change))
        service = run_v2.Service(name=workload.target.resource, etag=workload.etags["service"], **fields)
        request = run_v2.UpdateServiceRequest(service=service, update_mask={"paths": sorted(fields)})
        try:
            operation = call_write(self.client.update_service, deadline, request=request).operation
        except Unsupported as fault:
            # Whether it takes ingress none is not documented; it does not say which of the fields it refuses.
            refused = f"{INGRESS}=none" if change.after.get(INGRESS) == "none" else None
            raise Unsupported(str(fault), refused) from None
        if operation.done:
            raise_if_failed(operation)
        return str(operation.name)

    def in_force(self, workload: Workload, change: Change) -> bool:
        """Whether traffic goes where the settings say."""
        return split_in_force(workload, change.after)

    def wait(self, operation: str, deadline: Deadline) -> None:
        """Until the operation has ended; raises Failed, or Unfinished at the deadline."""
        wait_for(self.client.get_operation, operation, deadline)


def sparse(changed: Mapping[str, Setting | None], state: State) -> dict[str, Any]:
    """The fields of a Service that these settings live in, with the values that the whole state gives them."""
    fields: dict[str, Any] = {}
    if any(key.startswith("service.traffic.") for key in changed):
        fields["traffic"] = traffic_targets(state)
    if INGRESS in changed:
        fields["ingress"] = ingress_number(str(state.get(INGRESS, "all")))
    if DEFAULT_URI_DISABLED in changed:
        fields["default_uri_disabled"] = bool(state.get(DEFAULT_URI_DISABLED, False))
    if INVOKER_CHECK_OFF in changed:
        fields["invoker_iam_disabled"] = bool(state.get(INVOKER_CHECK_OFF, False))
    if SCALING in changed:
        fields["scaling"] = service_scaling(str(state.get(SCALING, Scaling().text)))
    return fields


def service_scaling(text: str) -> run_v2.ServiceScaling:
    """The scaling that a setting names; raises ValueError for a text that is no scaling.

    In automatic mode both limits are always sent: a service that returns from manual scaling without them inherits the
    manual instance count (cloud.google.com: run/docs/configuring/services/manual-scaling).
    """
    scaling = read_scaling(text)
    if scaling.manual is not None:
        return run_v2.ServiceScaling(
            scaling_mode=run_v2.ServiceScaling.ScalingMode.MANUAL, manual_instance_count=scaling.manual
        )
    most = _DEFAULT_MOST if scaling.most is None else scaling.most
    return run_v2.ServiceScaling(
        scaling_mode=run_v2.ServiceScaling.ScalingMode.AUTOMATIC,
        min_instance_count=scaling.least,
        max_instance_count=most,
    )


def traffic_targets(state: State) -> list[run_v2.TrafficTarget]:
    """The traffic list of a state, never empty.

    Cloud Run reads an empty list as 100 % to the latest Ready revision (run_v2.Service docstring, `traffic`), which is
    usually the compromised one.
    """
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

"""The product's ports to Cloud Run and IAM, over the model cloud: as the adapters fulfil them, without a wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from firebreak.core.cloud_run.account_usage import NEVER_SEEN, Users
from firebreak.core.cloud_run.iam_grants import grants_of
from firebreak.core.cloud_run.setting_names import CANCELLED, EXECUTION, INGRESS
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.traffic_status import split_in_force
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.plan import Change, apply_change, has_settings
from firebreak.core.errors import Drifted, Failed, Missing, Transient, Unfinished, Unsupported
from firebreak.ports.deadline import Deadline
from tests.model.clock import SECOND
from tests.model.cloud import Cloud, Resource, place_of

_LATENCY = 0.02
"""Seconds that a call takes."""
Clouds = Callable[[], Cloud]


def workload_of(resource: Resource, target: Target) -> Workload:
    """What a reading of the resource says."""
    return Workload(
        target=target,
        state=MappingProxyType(dict(resource.settings)),
        etags=MappingProxyType({surface: f'"{number}"' for surface, number in resource.etags.items()}),
        revisions=resource.revisions,
        latest=resource.latest,
        effective=MappingProxyType(dict(resource.effective)),
        effective_tags=MappingProxyType(dict(resource.tags)),
        settled=not resource.reconciling and not resource.behind,
        created_ns=resource.created_ns,
        updated_ns=resource.updated_ns,
        last_modifier=resource.modifier,
        labels=MappingProxyType(dict(resource.labels)),
        service_account=resource.account,
        invokers=_invokers(resource),
        regions=resource.regions,
        uid=resource.uid,
    )


def _invokers(resource: Resource) -> frozenset[str] | None:
    surface = {"service": "service_iam", "job": "job_iam"}.get(resource.target.kind)
    return frozenset(grant.member for _, grant in grants_of(resource.settings, surface)) if surface else None


@dataclass(frozen=True, slots=True)
class ModelReader:
    """Reads resources of every kind."""

    cloud: Clouds

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The target as it is; raises Missing or Transient."""
        return workload_of(found(self.cloud(), target, deadline), target)


def found(cloud: Cloud, target: Target, deadline: Deadline) -> Resource:
    """The resource; a call takes a while, and has no answer once the deadline has passed."""
    cloud.clock.pass_by(deadline.remaining(_LATENCY))
    if deadline.passed:
        message = "could not be reached in time"
        raise Transient(message)
    resource = cloud.at(place_of(target))
    if resource is None:
        message = f"NOT_FOUND: there is no {target.resource}"
        raise Missing(message)
    return resource


@dataclass(frozen=True, slots=True)
class ModelSurface:
    """Writes one surface, under the etag of the reading where the surface has one."""

    cloud: Clouds
    name: str

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Make the change; the operation's name, empty where there is none to wait for."""
        cloud, target = self.cloud(), workload.target
        resource = found(cloud, target, deadline)
        self._refuse(resource, change, workload)
        if change.after.get(INGRESS) == "none" and (workload.regions or not cloud.takes_ingress_none):
            message = "INVALID_ARGUMENT: ingress"
            raise Unsupported(message, f"{INGRESS}=none")
        after = apply_change(workload.state, change) if self.name in resource.etags else {}
        traffic = [key for key in change.after if key.startswith("service.traffic.")]
        # The traffic is one field: all of it is sent, as the reading and the change make it.
        whole = {key: after.get(key) for key in {*resource.settings, *after} if key.startswith("service.traffic.")}
        return cloud.write(resource, self.name, {**(whole if traffic else {}), **change.after})

    def _refuse(self, resource: Resource, change: Change, workload: Workload) -> None:
        if self.name in resource.etags and workload.etags.get(self.name) != f'"{resource.etags[self.name]}"':
            message = "ABORTED: the etag does not match the latest one"
            raise Drifted(message)
        if self.name == "service_account" and not has_settings(resource.settings, change.before):
            message = "somebody changed the service account since it was read"
            raise Drifted(message)
        if self.name == "executions" and any(value != CANCELLED for value in change.after.values()):
            message = "a cancelled run cannot be resumed"
            raise Unsupported(message)
        cloud = self.cloud()
        if change.after.get(INGRESS) == "none" and not cloud.takes_ingress_none:
            message = "INVALID_ARGUMENT: ingress: INGRESS_TRAFFIC_NONE is not supported"
            raise Unsupported(message)
        public = any(key.endswith(("|allUsers", "|allAuthenticatedUsers")) and on for key, on in change.after.items())
        if public and not cloud.takes_public_members:
            message = "FAILED_PRECONDITION: an organization policy does not allow this member"
            raise Unsupported(message)

    def wait(self, operation: str, deadline: Deadline) -> None:
        """Until the operation has ended; raises Failed, or Unfinished at the deadline."""
        cloud = self.cloud()
        for name in operation.split():
            one = cloud.operations.get(name)
            if one is None:
                continue
            left = max(0.0, (one.ends_ns - cloud.clock.now_ns) / SECOND)
            cloud.clock.pass_by(min(left, deadline.remaining()))
            cloud.at(one.place)
            if not cloud.operations[name].over:
                raise Unfinished(operation)
            if cloud.operations[name].failed:
                message = "the operation ended in an error (13): Internal error encountered."
                raise Failed(message)

    def in_force(self, workload: Workload, change: Change) -> bool:
        """Whether what serves is what the settings of this change say, as far as it can be read."""
        if self.name in ("service", "worker_pool"):
            return split_in_force(workload, change.after)
        if self.name == "executions":
            return not any(workload.effective.get(key.removeprefix(EXECUTION)) for key in change.after)
        return True


@dataclass(frozen=True, slots=True)
class ModelAccountUsage:
    """Who runs as an account, by the templates of everything there is."""

    cloud: Clouds

    def users_of(self, account: Target, near: Target, deadline: Deadline) -> Users:  # noqa: ARG002 - the port's
        """Every other workload whose template names the account."""
        users = (
            f"{one.target.kind} {one.target.name} in {one.target.location}"
            for one in self.cloud().resources.values()
            if one.account == account.name and one.place != place_of(near)
        )
        return Users(tuple(sorted(users)), NEVER_SEEN)


def readers(cloud: Clouds) -> Any:
    """A reader for each kind of target."""
    return dict.fromkeys(("service", "worker_pool", "job", "service_account"), ModelReader(cloud))


def surfaces(cloud: Clouds) -> Any:
    """Every surface by its name."""
    names = ("service", "service_iam", "worker_pool", "executions", "job_iam", "service_account")
    return {name: ModelSurface(cloud, name) for name in names}

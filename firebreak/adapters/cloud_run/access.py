"""The IAM policies of services and jobs: who may send requests, who may start a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from firebreak.adapters.google.calls import call_read
from firebreak.adapters.google.iam_policies import write_policy
from firebreak.core.cloud_run.iam_grants import region_of
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.plan import Change
from firebreak.core.errors import AnotherResource
from firebreak.ports.deadline import Deadline


class PolicySurface:
    """The IAM policies of one kind of resource. A write starts no operation and is done when it is answered.

    It takes effect within "typically 2 minutes, potentially 7 minutes or longer" (cloud.google.com:
    iam/access-change-propagation).
    """

    name: str
    get: str
    """Google's method that reads the resource itself."""

    def __init__(self, client: Callable[[], Any]) -> None:
        """`client` gives Google's client of the resource, which gets and sets its policy."""
        self._client = client

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Read, amend and set each policy under the etag of the reading; there is no operation to wait for.

        A policy names no uid, and was read beside the resource: the uid is looked at once more, after the etag was.
        """
        client = self._client()
        if call_read(getattr(client, self.get), deadline, name=workload.target.resource).uid != workload.uid:
            message = f"{workload.target.place} was deleted, and another one made in its place"
            raise AnotherResource(message)
        by_region: dict[str, dict[str, Any]] = {}
        for key, after in change.after.items():
            by_region.setdefault(region_of(key), {})[key] = (change.before.get(key), after)
        for region, changed in sorted(by_region.items()):
            place = replace(workload.target, location=region) if region else workload.target
            etag = workload.etags[f"{self.name}@{region}" if region else self.name]
            write_policy(client.get_iam_policy, client.set_iam_policy, place.resource, etag, changed, deadline)
        return ""

    def wait(self, operation: str, deadline: Deadline) -> None:
        """There is no operation."""

    def in_force(self, workload: Workload, change: Change) -> bool:  # noqa: ARG002
        """Always true: Google does not report when a policy takes effect."""
        return True


class ServiceAccess(PolicySurface):
    """The surface `service_iam`: who may send requests to a service."""

    name = "service_iam"
    get = "get_service"
    permissions = frozenset({"run.services.get", "run.services.getIamPolicy", "run.services.setIamPolicy"})


class JobAccess(PolicySurface):
    """The surface `job_iam`: who may run a job."""

    name = "job_iam"
    get = "get_job"
    permissions = frozenset({"run.jobs.get", "run.jobs.getIamPolicy", "run.jobs.setIamPolicy"})

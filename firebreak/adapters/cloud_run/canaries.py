"""Deploys, lists and deletes the canaries of drills: services that are theirs by name and label, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.cloud.run_v2 import types as run_v2

from firebreak.adapters.cloud_run.services import CloudRunServices
from firebreak.adapters.google.calls import call_read, call_write, pages_of
from firebreak.adapters.google.operations import raise_if_failed
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.canary import CANARY, LABEL, PREFIX
from firebreak.core.errors import Drifted, Missing, Transient, Unsupported
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline

_MOST_INSTANCES = 1
_SECOND = "SECOND"


class Canaries:
    """Canaries, by the clients that read services."""

    def __init__(self, services: CloudRunServices) -> None:
        """Nothing is asked yet."""
        self.services = services

    def deploy(self, target: Target, image: str, account: str, deadline: Deadline) -> Workload:
        """A private service with two revisions of one image, the second of which gets all requests.

        It never runs more than one instance, and none while nobody calls it. Raises Refused and its kin, Transient, or
        Unfinished where Cloud Run did not get ready in time.
        """
        service = run_v2.Service(
            labels={LABEL: CANARY},
            ingress=run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL,
            template=_template(image, account, {}),
        )
        parent = target.resource.partition("/services/")[0]
        request = run_v2.CreateServiceRequest(parent=parent, service=service, service_id=target.name)
        self._done(call_write(self.services.client.create_service, deadline, request=request), deadline)
        second = run_v2.Service(name=target.resource, template=_template(image, account, {_SECOND: "revision"}))
        update = run_v2.UpdateServiceRequest(service=second, update_mask={"paths": ["template"]})
        self._done(call_write(self.services.client.update_service, deadline, request=update), deadline)
        return self.read(target, deadline)

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The canary as it is; raises Missing, Denied or Transient."""
        return self.services.read(target, deadline)

    def found(self, project: str, region: str, deadline: Deadline) -> Iterator[tuple[Target, int]]:
        """The canaries in a region, `-` for all, each with when it was made, nanoseconds since 1970.

        Raises Unsupported where Cloud Run does not list all regions at once, Denied, or Transient, also where it leaves
        one out.
        """
        request = run_v2.ListServicesRequest(parent=f"projects/{project}/locations/{region}")
        for page in pages_of(self.services.client.list_services, deadline, request):
            if page.unreachable:
                left_out = ", ".join(sorted(page.unreachable))
                message = f"Cloud Run could not list {left_out}: give the --region of the drill, or try again"
                raise Transient(message)
            for one in page.services:
                parts = one.name.split("/")
                if _is_canary(one):
                    place = Target(project, parts[3], "service", parts[5], project_id=project)
                    yield place, run_v2.Service.pb(one).create_time.ToNanoseconds()

    def delete(self, target: Target, deadline: Deadline) -> bool:
        """Delete a canary, whatever is still being done to it; False where there is none. Raises Refused, Transient."""
        backoff = Backoff(deadline, longest=4.0)
        while True:
            try:
                return self._delete(target, deadline)
            except Missing:
                return False
            except (Transient, Drifted, Unsupported):  # it is being changed at this very moment
                if not backoff.wait():
                    raise

    def _delete(self, target: Target, deadline: Deadline) -> bool:
        found = call_read(self.services.client.get_service, deadline, name=target.resource)
        if not _is_canary(found):
            message = f"{target.resource} does not have the name and the label of a canary, and is not touched"
            raise Drifted(message)
        request = run_v2.DeleteServiceRequest(name=target.resource, etag=found.etag)
        self._done(call_write(self.services.client.delete_service, deadline, request=request), deadline)
        return True

    def _done(self, started: Any, deadline: Deadline) -> None:  # noqa: ANN401 - Google's operation
        operation = started.operation
        if operation.done:
            raise_if_failed(operation)
        else:
            self.services.wait(operation.name, deadline)


def _is_canary(service: run_v2.Service) -> bool:
    return service.name.rpartition("/")[2].startswith(PREFIX) and service.labels.get(LABEL) == CANARY


def _template(image: str, account: str, environment: dict[str, str]) -> run_v2.RevisionTemplate:
    variables = [run_v2.EnvVar(name=name, value=value) for name, value in environment.items()]
    return run_v2.RevisionTemplate(
        service_account=account,
        containers=[run_v2.Container(image=image, env=variables)],
        scaling=run_v2.RevisionScaling(max_instance_count=_MOST_INSTANCES),
        execution_environment=run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2,
    )

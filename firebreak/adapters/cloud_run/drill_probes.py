"""Puts to Google, on a drill's canary, what its documentation leaves open; each probe gives back what it changed."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from google.cloud import iam_admin_v1, run_v2
from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport

from firebreak.adapters.cloud_run.services import CloudRunServices
from firebreak.adapters.google.calls import call_read, call_write, client_of, pages_of
from firebreak.adapters.google.iam_policies import read_policy
from firebreak.adapters.google.operations import raise_if_failed
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.canary import PREFIX
from firebreak.core.drills.probed import Probed
from firebreak.core.errors import Denied, Failed, Refused, Transient
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline

_SECONDS = 120.0
_LAG_SECONDS = 90.0
_HTTP_SECONDS = 10.0
_ACT_AS = "iam.serviceAccounts.actAs"
_ROLE = "roles/run.viewer"
_TAG = "probe"
_UNKNOWN = "not known"
_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_NAMED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
_MODE = run_v2.ServiceScaling.ScalingMode
_CLOSED = 404
"""What Google's front end answers where no service is reached; a private one is answered with 401 or 403."""


@dataclass(slots=True)
class Asking:
    """One probe under way.

    Attributes:
        services: reads and writes the canary.
        target: the canary.
        account: service account that it was deployed with; empty for the project's default.
        emulators: `host:port` of a local Cloud Run and IAM, or None for Google's.
        deadline: of this probe.
        sent: what was sent so far.
        came_back: what came back so far, in the same order.
    """

    services: CloudRunServices
    target: Target
    account: str
    emulators: tuple[str | None, str | None]
    deadline: Deadline
    sent: list[str] = field(default_factory=list)
    came_back: list[str] = field(default_factory=list)

    def service(self) -> run_v2.Service:
        """The canary as it is."""
        found: run_v2.Service = call_read(self.services.client.get_service, self.deadline, name=self.target.resource)
        return found

    def update(
        self, what: str, fields: Mapping[str, Any], *, etag: str = "", wait: bool = True, validate: bool = False
    ) -> str:
        """One update masked to these fields; what came back, which begins with `accepted` where it was."""
        self.sent.append(what)
        service = run_v2.Service(name=self.target.resource, etag=etag, **fields)
        mask = {"paths": sorted(fields)}
        request = run_v2.UpdateServiceRequest(service=service, update_mask=mask, validate_only=validate)
        try:
            operation = call_write(self.services.client.update_service, self.deadline, request=request).operation
            if operation.done:
                raise_if_failed(operation)
            elif wait:
                self.services.wait(operation.name, self.deadline)
            said = "accepted" + (", and its operation ended well" if wait else "")
        except Failed as fault:
            said = f"accepted, and then: {fault}"
        except (Refused, Transient) as fault:
            said = f"{type(fault).__name__}: {fault}"
        self.came_back.append(said)
        return said

    def note(self, sent: str, came_back: object) -> None:
        """One more pair."""
        self.sent.append(sent)
        self.came_back.append(str(came_back))


def _ingress_none(asking: Asking) -> str:
    tried = asking.update("ingress=NONE, validate_only", {"ingress": 4}, wait=False, validate=True)
    said = asking.update("ingress=NONE", {"ingress": 4})
    asking.note("GetService", f"ingress={asking.service().ingress.name}")
    asking.update("ingress=ALL", {"ingress": 1})
    same = "" if tried.startswith("accepted") == said.startswith("accepted") else "; validate_only says otherwise"
    return ("accepted" if said.startswith("accepted") else "refused") + same


def _while_reconciling(asking: Asking) -> str:
    first = min(_revisions(asking))
    to_first = [run_v2.TrafficTarget(type_=_NAMED, revision=first, percent=100)]
    asking.update(f"traffic=100 % to {first}, not waited for", {"traffic": to_first}, wait=False)
    between = asking.service()
    asking.note("GetService", f"reconciling={between.reconciling}")
    said = asking.update("traffic=100 % to LATEST, under that etag", {"traffic": _to_latest()}, etag=between.etag)
    if not between.reconciling:
        return f"{_UNKNOWN}: the first update had ended by then"
    return "accepted" if said.startswith("accepted") else "refused"


def _scaling_back(asking: Asking) -> str:
    limits = {"scaling_mode": _MODE.AUTOMATIC, "min_instance_count": 0, "max_instance_count": 7}
    asking.update("scaling=AUTOMATIC, 0 to 7", {"scaling": run_v2.ServiceScaling(**limits)})
    zero = run_v2.ServiceScaling(scaling_mode=_MODE.MANUAL, manual_instance_count=0)
    stopped = asking.update("scaling=MANUAL, 0", {"scaling": zero})
    asking.update("scaling=AUTOMATIC, 0 to 7", {"scaling": run_v2.ServiceScaling(**limits)})
    now = asking.service().scaling
    read = f"{now.scaling_mode.name}, {now.min_instance_count} to {now.max_instance_count or 'no limit'}"
    asking.note("GetService", read)
    if not stopped.startswith("accepted"):
        return "MANUAL with 0 is refused"
    return "it comes back with both limits" if read == "AUTOMATIC, 0 to 7" else f"it comes back as {read}"


def _act_as(asking: Asking) -> str:
    account = asking.account or asking.service().template.service_account
    request = {"resource": f"projects/-/serviceAccounts/{account}", "permissions": [_ACT_AS]}
    try:
        holds = _ACT_AS in call_read(_iam(asking).test_iam_permissions, asking.deadline, request=request).permissions
        asking.note(f"TestIamPermissions {_ACT_AS} on {account}", "held" if holds else "not held")
    except (Refused, Transient) as fault:
        asking.note(f"TestIamPermissions {_ACT_AS} on {account}", fault)
        return f"{_UNKNOWN}: it cannot be told whether you hold actAs"
    said = asking.update("traffic=100 % to LATEST", {"traffic": _to_latest()})
    if holds:
        return f"{_UNKNOWN}: you hold actAs, so that nothing was tried without it; have it taken away and ask again"
    return "not needed" if said.startswith("accepted") else "needed"


def _tag_address(asking: Asking) -> str:
    first = min(_revisions(asking))
    tagged = [*_to_latest(), run_v2.TrafficTarget(type_=_NAMED, revision=first, tag=_TAG)]
    off = {"traffic": tagged, "default_uri_disabled": True}
    asking.update(f"tag {_TAG} on {first}, default URL off", off)
    now = asking.service()
    tags = [one.uri for one in now.traffic_statuses if one.tag == _TAG]
    asking.note(
        "GetService", f"tag's URL {tags[0] if tags and tags[0] else 'none'}, URLs {', '.join(now.urls) or 'none'}"
    )
    status = _status_of(tags[0]) if tags and tags[0] else None
    asking.note("GET the tag's URL, without credentials", status or "no answer")
    asking.update("no tag, default URL on", {"traffic": _to_latest(), "default_uri_disabled": False})
    if status is None:
        return _UNKNOWN if tags and tags[0] else "the tag has no URL then"
    return "closed with it" if status == _CLOSED else "it still leads there"


def _lists_everywhere(asking: Asking) -> str:
    cloud_run, _ = asking.emulators
    parent = f"projects/{asking.target.project}/locations/-"
    jobs = client_of(run_v2.JobsClient, JobsGrpcTransport, cloud_run)
    pools = client_of(run_v2.WorkerPoolsClient, WorkerPoolsGrpcTransport, cloud_run)
    asked: dict[str, tuple[Callable[..., Any], Any]] = {
        "services": (asking.services.client.list_services, run_v2.ListServicesRequest(parent=parent)),
        "jobs": (jobs.list_jobs, run_v2.ListJobsRequest(parent=parent)),
        "worker_pools": (pools.list_worker_pools, run_v2.ListWorkerPoolsRequest(parent=parent)),
    }
    taken = []
    for name, (call, request) in asked.items():
        try:
            pages = [*pages_of(call, asking.deadline, request)]
        except (Refused, Transient) as fault:
            asking.note(f"list {name} of {parent}", f"{type(fault).__name__}: {fault}")
        else:
            count = sum(len(getattr(one, name)) for one in pages)
            asking.note(f"list {name} of {parent}", f"{count} in all regions")
            taken.append(name.replace("_", " "))
    return f"taken for {', '.join(taken)}" if taken else "refused for all"


def _under_disabled_account(asking: Asking) -> str:
    if not asking.account.startswith(PREFIX.rstrip("-")):
        return f"{_UNKNOWN}: only tried where --service-account is the drill's own, named {PREFIX.rstrip('-')}…"
    name = {"name": f"projects/-/serviceAccounts/{asking.account}"}
    iam = _iam(asking)
    try:
        call_write(iam.disable_service_account, asking.deadline, request=name)
    except (Refused, Transient) as fault:
        asking.note(f"disable {asking.account}", fault)
        return f"{_UNKNOWN}: you may not disable the account"
    try:
        asking.note(f"disable {asking.account}", "done")
        said = asking.update("traffic=100 % to LATEST", {"traffic": _to_latest()})
    finally:
        enabled = _enabled(asking, iam, name)
    if not enabled:
        return f"{_UNKNOWN}, and {asking.account} is still disabled: enable it"
    return f"{'accepted' if said.startswith('accepted') else 'refused'}, asked at once: it may take minutes to be felt"


def _enabled(asking: Asking, iam: Any, name: Mapping[str, str]) -> bool:  # noqa: ANN401 - Google's client
    """Give the account back, for as long as that takes; whether it is."""
    backoff = Backoff(Deadline.after(_SECONDS), longest=8.0)
    while True:
        try:
            call_write(iam.enable_service_account, Deadline.after(_SECONDS), request=name)
        except (Refused, Transient) as fault:
            if not backoff.wait():
                asking.note(f"enable {asking.account}", fault)
                return False
        else:
            asking.note(f"enable {asking.account}", "done")
            return True


def _policy_lag(asking: Asking) -> str:
    account = asking.account or asking.service().template.service_account
    client, member = asking.services.client, f"serviceAccount:{account}"

    def granted() -> bool:
        policy = read_policy(client.get_iam_policy, asking.target.resource, asking.deadline)
        return any(one.role == _ROLE and member in one.members for one in policy.bindings)

    took = []
    for grant in (True, False):
        policy = read_policy(client.get_iam_policy, asking.target.resource, asking.deadline)
        del policy.bindings[:]
        if grant:
            policy.bindings.add(role=_ROLE, members=[member])
        what = f"{'grant' if grant else 'take'} {_ROLE} {'to' if grant else 'from'} {member}"
        try:
            request = {"resource": asking.target.resource, "policy": policy}
            call_write(client.set_iam_policy, asking.deadline, request=request)
        except (Refused, Transient) as fault:
            asking.note(what, f"{type(fault).__name__}: {fault}")
            return f"{_UNKNOWN}: you may not set the policy" if isinstance(fault, Denied) else _UNKNOWN
        began, backoff = time.monotonic(), Backoff(asking.deadline.sooner(_LAG_SECONDS), longest=1.0)
        while granted() != grant and backoff.wait():
            pass
        took.append(time.monotonic() - began)
        asking.note(what, f"read back after {took[-1]:.1f} s")
    return f"reads lag by {max(took):.1f} s at most, of two"


PROBES: tuple[tuple[str, Callable[[Asking], str]], ...] = (
    ("Is ingress none accepted?", _ingress_none),
    ("Is an update accepted while the one before it is still reconciled?", _while_reconciling),
    ("Does scaling come back after a fixed number of 0?", _scaling_back),
    ("Does an update of traffic alone need actAs?", _act_as),
    ("Does a tag's URL answer where the default URL is disabled?", _tag_address),
    ("Are lists of all regions at once taken (locations/-)?", _lists_everywhere),
    ("Is an update accepted while the canary's account is disabled?", _under_disabled_account),
    ("How long do reads of an IAM policy lag?", _policy_lag),
)


def probe(
    services: CloudRunServices, target: Target, account: str, emulators: tuple[str | None, str | None]
) -> Iterator[Probed]:
    """Every question, one after the other; `emulators` are those of Cloud Run and IAM, or None for Google's."""
    for question, ask in PROBES:
        asking = Asking(services, target, account, emulators, Deadline.after(_SECONDS))
        try:
            answer = ask(asking)
        except (Refused, Transient) as fault:
            asking.came_back.append(f"{type(fault).__name__}: {fault}")
            answer = _UNKNOWN
        yield Probed(question, tuple(asking.sent), tuple(asking.came_back), answer)


def _iam(asking: Asking) -> Any:  # noqa: ANN401 - Google's client
    return client_of(iam_admin_v1.IAMClient, IAMGrpcTransport, asking.emulators[1])


def _to_latest() -> list[run_v2.TrafficTarget]:
    return [run_v2.TrafficTarget(type_=_LATEST, percent=100)]


def _revisions(asking: Asking) -> list[str]:
    return [one.name for one in asking.services.read(asking.target, asking.deadline).revisions]


def _status_of(url: str) -> int | None:
    """What an unauthenticated GET is answered with; None where nobody answers."""
    request = urllib.request.Request(url)  # noqa: S310 - Cloud Run's own https address
    with suppress(OSError, ValueError):
        try:
            with urllib.request.urlopen(request, timeout=_HTTP_SECONDS) as answer:  # noqa: S310 - as above
                return int(answer.status)
        except urllib.error.HTTPError as fault:
            return int(fault.code)
    return None

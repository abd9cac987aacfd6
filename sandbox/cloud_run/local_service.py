"""A service of a local world: what is wished for, and what comes of it once it settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from google.rpc import status_pb2

from sandbox.policies import first_version

_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
READY = run_v2.Condition(type_="Ready", state=run_v2.Condition.State.CONDITION_SUCCEEDED)
"""The condition that a service or a worker pool ends in when all went well."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors as they are, which settings that were only wished for have not moved."""

    ingress: int = 1
    default_uri_disabled: bool = False
    invoker_iam_disabled: bool = False


@dataclass
class LocalService:
    """A Cloud Run service of the sandbox.

    Attributes:
        service: the service as the API shows it.
        revisions: oldest first.
        policy: its IAM policy.
        policy_version: grows with every write of the policy; the etag is made of it.
        policy_etag: takes the place of that etag; None for the etag made of the version.
        effective: ingress and access as they are in force, while new settings are only requested.
    """

    service: run_v2.Service
    revisions: list[run_v2.Revision]
    policy: policy_pb2.Policy
    policy_version: int = field(default_factory=first_version)
    policy_etag: bytes | None = None
    effective: Doors = field(default_factory=Doors)

    @property
    def resource(self) -> run_v2.Service:
        """What an operation on it is about."""
        return self.service

    def settle(self) -> None:
        """Make the settings effective: LATEST is the newest ready revision, and statuses follow the wish."""
        service = self.service
        service.latest_ready_revision = newest_ready(self.revisions)
        service.latest_created_revision = self.revisions[-1].name
        service.reconciling = False
        service.observed_generation = service.generation
        service.terminal_condition = READY
        # UNSPECIFIED is the default, which is all.
        self.effective = Doors(int(service.ingress) or 1, service.default_uri_disabled, service.invoker_iam_disabled)
        latest = service.latest_ready_revision.rpartition("/")[2]
        service.traffic_statuses = [
            run_v2.TrafficTargetStatus(
                type_=one.type_,
                revision=latest if one.type_ == _LATEST else one.revision,
                percent=one.percent,
                tag=one.tag,
                uri=f"https://{one.tag}---{service.name.rpartition('/')[2]}.run.test" if one.tag else "",
            )
            for one in service.traffic
        ]

    def give_up(self) -> None:
        """The wish stays a wish."""
        self.service.reconciling = False
        self.service.observed_generation = self.service.generation

    def fault(self) -> status_pb2.Status | None:
        """The error an operation ends in when the traffic names a revision that does not exist."""
        named = (one.revision for one in self.service.traffic if one.type_ != _LATEST)
        return missing_revision(named, self.revisions, "traffic")

    def why_kept(self, short: str) -> str | None:
        """Why Cloud Run does not delete this revision, or None if it does."""
        wished = [one.revision for one in self.service.traffic if one.percent or one.tag]
        served = [one.revision for one in self.service.traffic_statuses if one.percent or one.tag]
        return why_kept(short, self.revisions, wished + served)


def traffic_target(given: Mapping[str, Any]) -> run_v2.TrafficTarget:
    """A traffic target from a world's words."""
    latest = bool(given.get("latest"))
    return run_v2.TrafficTarget(
        type_=_LATEST if latest else _REVISION,
        revision="" if latest else given["revision"],
        percent=given.get("percent", 0),
        tag=given.get("tag", ""),
    )


def newest_ready(revisions: list[run_v2.Revision]) -> str:
    """The name of the newest revision that is ready; revisions come oldest first."""
    ready = [one.name for one in revisions if is_ready(one)]
    return ready[-1] if ready else ""


def is_ready(revision: run_v2.Revision) -> bool:
    """Whether its Ready condition holds."""
    return any(
        one.type_ == "Ready" and one.state == run_v2.Condition.State.CONDITION_SUCCEEDED for one in revision.conditions
    )


def missing_revision(named: Any, revisions: list[run_v2.Revision], what: str) -> status_pb2.Status | None:  # noqa: ANN401
    """The error for the first of the named revisions that is not among those that exist."""
    known = {one.name.rpartition("/")[2] for one in revisions}
    for name in named:
        if name not in known:
            text = f"Revision '{name}' does not exist or is deleted. Update all {what} to route to currently available "
            return status_pb2.Status(code=13, message=text + "revisions.")
    return None


def why_kept(short: str, revisions: list[run_v2.Revision], used: list[str]) -> str | None:
    """Why a revision has to stay, or None; `used` are those that are to serve something, or do."""
    if len(revisions) == 1:
        return "it is the only revision there is."
    if revisions[-1].name.rpartition("/")[2] == short:
        return "it is the latest revision."
    return "it is able to receive traffic." if short in used else None

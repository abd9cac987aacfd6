"""The workload as it serves: revisions, effective traffic, tags, doors, identity, images, labels."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from firebreak.core.cloud_run.iam_grants import PUBLIC
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS, INVOKER_CHECK_OFF
from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.cloud_run.workload import Gone, Workload
from firebreak.core.errors import Missing, Refused, Transient
from firebreak.core.facts import Catalogue, Evidence, Fact, FactType, FactValue
from firebreak.core.findings.finding import Finding
from firebreak.core.secrets.redaction import safe
from firebreak.core.timestamps import format_instant
from firebreak.ports.enrichment import EnrichmentClients

_UNREAD = {"service_iam": "the IAM policy", "job_iam": "the IAM policy"}
_ENVIRONMENT = ("environment", "env", "stage")
_FROM_OUTSIDE = frozenset({"all", "internal-and-cloud-load-balancing"})


class WorkloadSource:
    """What Cloud Run says of the target itself. Project, name and place come from the finding and need no answer."""

    facts: Catalogue = MappingProxyType(
        {
            "workload.project": Fact(FactType.TEXT, "The project's id."),
            "workload.location": Fact(FactType.TEXT, "The region."),
            "workload.name": Fact(FactType.TEXT, "The service's, job's or worker pool's short name."),
            "workload.kind": Fact(FactType.TEXT, "What it is.", ("service", "job", "worker_pool", "instance")),
            "workload.public": Fact(
                FactType.BOOL, "Whether anybody on the internet may send it requests, or run the job."
            ),
            "workload.ingress": Fact(
                FactType.TEXT, "Its ingress setting: all, internal, none and so on; none for what takes no requests."
            ),
            "workload.labels": Fact(FactType.TEXTS, "Its labels, each as key=value.", pairs=True),
            "workload.service_account": Fact(FactType.TEXT, "The identity it runs as."),
            "workload.environment": Fact(
                FactType.TEXT, f"What its label says of its environment: the first of {', '.join(_ENVIRONMENT)}."
            ),
            "workload.created": Fact(FactType.TIME, "When it was first deployed under this name."),
            "workload.deployed": Fact(
                FactType.TIME, "When the revision of the finding was deployed; of a job, when the run was started."
            ),
            "workload.deployed_by": Fact(FactType.TEXT, "Who deployed that revision, or started that run."),
        }
    )
    permissions = frozenset(
        {
            "run.services.get",
            "run.revisions.list",
            "run.services.getIamPolicy",
            "run.workerpools.get",
            "run.jobs.get",
            "run.executions.list",
            "run.jobs.getIamPolicy",
        }
    )
    deadline = 10.0
    shapes_plan = True

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:
        """The workload's facts; if it cannot be read, those that the finding itself states."""
        target = finding.target
        if isinstance(target, NotATarget):
            return Evidence("workload", gap=target.reason)
        own: dict[str, FactValue] = {
            "workload.location": target.location,
            "workload.name": target.name,
            "workload.kind": target.kind,
        }
        if target.project_id:
            own["workload.project"] = target.project_id
        try:
            workload = sources.workloads.read(target, self.deadline)
        except Missing as fault:
            return Evidence("workload", own, gap=f"it does not exist: {fault}", detail=Gone(str(fault)))
        except (Refused, Transient) as fault:
            return Evidence("workload", own, gap=str(fault))
        unread = [f"{_UNREAD.get(surface, surface)} could not be read" for surface in sorted(workload.unread)]
        gap = "; ".join(unread) or None
        facts, shown = own | facts_of(workload) | deployment_of(finding, workload), _shown(workload)
        return Evidence("workload", facts, gap, detail=workload, shown=shown, originals=workload.originals)


def facts_of(workload: Workload) -> dict[str, FactValue]:
    """The workload's facts. One that takes no requests has ingress `none`; anybody may run a public job."""
    facts: dict[str, FactValue] = {
        "workload.ingress": str(workload.state.get(INGRESS, "none")),
        "workload.labels": tuple(f"{key}={value}" for key, value in sorted(workload.labels.items())),
    }
    facts["workload.environment"] = next(filter(None, map(workload.labels.get, _ENVIRONMENT)), "")
    if workload.created_ns:
        facts["workload.created"] = format_instant(workload.created_ns)
    if workload.service_account:
        facts["workload.service_account"] = workload.service_account
    public = _public(workload)
    return facts if public is None else facts | {"workload.public": public}


def deployment_of(finding: Finding, workload: Workload) -> dict[str, FactValue]:
    """When and by whom the finding's revision was deployed: the one it names, else those in use that carry its image.

    Of several only what holds of them all is known.
    """
    target = finding.target
    named = None if isinstance(target, NotATarget) else target.revision or target.execution
    in_use = [one for one in workload.revisions if one.name in workload.reachable]
    carrying = [one for one in in_use if one.digests & finding.digests] if finding.digests else in_use
    meant = [one for one in workload.revisions if one.name == named] if named else carrying
    times, creators = {one.created_ns for one in meant}, {one.creator for one in meant}
    facts: dict[str, FactValue] = {}
    if len(times) == 1 and 0 not in times:
        facts["workload.deployed"] = format_instant(times.pop())
    if len(creators) == 1 and "" not in creators:
        facts["workload.deployed_by"] = safe(creators.pop())
    return facts


def _public(workload: Workload) -> bool | None:
    """Whether anybody may send requests; None without the IAM policy that says so. Not past Identity-Aware Proxy."""
    if workload.target.kind != "job" and workload.state.get(INGRESS, "none") not in _FROM_OUTSIDE:
        return False
    if workload.iap:
        return False
    if workload.state.get(INVOKER_CHECK_OFF):
        return True
    return None if workload.invokers is None else bool(workload.invokers & PUBLIC)


def _shown(workload: Workload) -> dict[str, Any]:
    off = workload.state.get(DEFAULT_URI_DISABLED)
    return {
        **({} if off is None else {"direct_url": "off" if off else "on"}),
        **({"identity_aware_proxy": "on"} if workload.iap else {}),
        "traffic": dict(workload.effective),
        "tags": [{"tag": tag, "revision": of} for tag, of in sorted(workload.effective_tags.items())],
        "latest": workload.latest or "",
        "last_modifier": workload.last_modifier,
        "revisions": [
            {
                "name": one.name,
                "created": format_instant(one.created_ns),
                "ready": one.fault or "ready",
                "digests": sorted(one.digests),
            }
            for one in workload.revisions[:10]
        ],
    }


source = WorkloadSource()

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
from firebreak.core.timestamps import format_instant
from firebreak.ports.enrichment import EnrichmentClients

_UNREAD = {"service_iam": "the IAM policy", "job_iam": "the IAM policy"}
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
        facts, shown = own | facts_of(workload), _shown(workload)
        return Evidence("workload", facts, gap, detail=workload, shown=shown, originals=workload.originals)


def facts_of(workload: Workload) -> dict[str, FactValue]:
    """The workload's facts. One that takes no requests has ingress `none`; anybody may run a public job."""
    facts: dict[str, FactValue] = {
        "workload.ingress": str(workload.state.get(INGRESS, "none")),
        "workload.labels": tuple(f"{key}={value}" for key, value in sorted(workload.labels.items())),
    }
    if workload.service_account:
        facts["workload.service_account"] = workload.service_account
    public = _public(workload)
    return facts if public is None else facts | {"workload.public": public}


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

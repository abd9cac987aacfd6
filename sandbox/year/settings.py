"""What each workload of the year was like when something was found on it, as records keep it for backtests."""

from __future__ import annotations

from typing import Any

from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.rested_on import Looked, RestedOn, Settings
from firebreak.core.findings.finding import Finding
from firebreak.core.serialization import encode
from firebreak.core.timestamps import NANOS
from sandbox.year.recipe import Found

_DAY_NS = 86_400 * NANOS
_WHOLE: dict[str, dict[str, Setting]] = {
    "service": {"service.traffic.split": "LATEST=100", "service.ingress": "all"},
    "worker_pool": {"worker_pool.split": "LATEST=100", "worker_pool.instances": 2},
}


def good_revision(one: Found, target: Target) -> str:
    """The revision from before the one on which something was found."""
    return f"{target.name}-00007-{one.hexadecimal('good', 3, one.place)}"


def runner_of(target: Target) -> str:
    """The setting that lets a job's scheduler run it."""
    return f"job_iam.roles/run.invoker||serviceAccount:scheduler@{target.project}.iam.gserviceaccount.com"


def rested_on(one: Found, finding: Finding, target: Target, now_ns: int) -> dict[str, Any]:
    """As JSON: the newest revision, or a job's only run, carries the finding's image, and the one before another."""
    uid = one.hexadecimal("uid", 32, one.place)
    images = frozenset(container.digest for container in finding.containers if container.digest)
    bad = f"{target.name}-00008-{one.hexadecimal('bad', 3, one.place)}"
    other = frozenset({f"sha256:{one.hexadecimal('earlier', 64, one.place)}"})
    newest = Revision(bad, finding.event_ns - 2 * _DAY_NS, None, gen1=False, digests=images)
    earlier = Revision(good_revision(one, target), newest.created_ns - 9 * _DAY_NS, None, gen1=False, digests=other)
    is_job = target.kind == "job"
    settings = Settings(
        state={f"executions.{bad}": "running", runner_of(target): True} if is_job else _WHOLE[target.kind],
        revisions=(newest,) if is_job else (newest, earlier),
        latest=None if is_job else bad,
        effective={bad: 100},
        created_ns=earlier.created_ns,
        updated_ns=newest.created_ns,
        uid=uid,
    )
    suspicion = Suspicion("digest", frozenset({bad}), f"{bad} carries the image of the finding", images)
    looked = Looked(target, Standing(target.key, uid=uid), settings, suspicion)
    kept = RestedOn((looked,), "confirmed", "", now_ns=now_ns, age_ns=now_ns - finding.event_ns, uids={target.key: uid})
    encoded: dict[str, Any] = encode(kept)
    return encoded

"""Every form of a secret, planted in message, finding and each kind of workload, is looked for in all outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.scc.notifications import notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.world import World
from tests.faults.secret_forms import LISTS, NAMED, TELLING, TOKENS
from tests.faults.test_taint import Outputs
from tests.laws.grounds import GROUNDS, JOB, POOL
from tests.response.harness import ALWAYS, SERVICE, Lines, world_of
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK

ARGS = [word for words in LISTS for word in words] + list(NAMED) + [token for token, _ in TOKENS.values()]
SECRET = (*TELLING, *(body[:5] for _, body in TOKENS.values()))
HEX = "9f86d"
"""What hex tokens begin with, and no digest or hash of this world."""


def service() -> World:
    world = world_of(logs=[{"of": SERVICE, "at": "-2m", "text": text} for text in NAMED])
    local: Any = world.service("checkout")
    for holder in (local.service.template, *local.revisions):
        holder.containers[0].args = ARGS
    return world


def pool() -> World:
    world = GROUNDS["worker_pool"].world()
    local: Any = world.pools[POOL]
    for holder in local.revisions:
        holder.containers[0].args = ARGS
    return world


def job() -> World:
    world = GROUNDS["job"].world()
    local: Any = world.jobs[JOB]
    local.job.template.template.containers[0].args = ARGS
    for one in local.executions.values():
        one.execution.template.containers[0].args = ARGS
    return world


@pytest.mark.parametrize(
    ("world", "policy", "workload"),
    [
        (service, ALWAYS, "services/checkout"),
        (pool, ALWAYS, "workerPools/indexer"),
        (job, STOP_AND_BLOCK, "jobs/nightly"),
    ],
    ids=["service", "pool", "job"],
)
def test_no_form_of_a_secret_comes_out_anywhere(
    world: Callable[[], World],
    policy: str,
    workload: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Record, topic, log, chat, screen, marks, the ledger's bytes, and the vault's copies."""
    with Lines(tmp_path)(world(), policy=policy) as line:
        outputs = Outputs(line, tmp_path, capsys)
        pair = line.finding(held=False, workload=workload)
        pair["finding"]["processes"] = [{"args": list(one), "binary": {"path": "/x"}} for one in LISTS] + [
            {"args": ["sh", "-c", text], "binary": {"path": text}} for text in NAMED[:40]
        ]
        pair["finding"]["description"] = " ".join(NAMED[40:])
        put_finding(line.world, pair["finding"], pair["resource"])
        incident = line.respond(notification_v2(pair))

        assert incident.phase in ("contained", "waiting", "failed", "monitored")
        for place, text in outputs.with_history(incident, monkeypatch):
            assert [told for told in SECRET if told in text and told != HEX] == [], place

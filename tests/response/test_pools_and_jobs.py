"""Worker pools and jobs through the whole line: what is suspect there, and what is written in which order."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.blueprint import pool_scaling
from sandbox.world import World
from tests.laws.grounds import GROUNDS, JOB, POOL
from tests.response.harness import ALWAYS, PIN_ONLY, Line, Lines

STOP_AND_BLOCK = """
id: stop-and-block
mode: enforce
when: {finding.category: "Execution: Added Malicious Binary Executed"}
then:
  - action: block_runs
  - {action: cancel_executions, accept_irreversible: true}
examples:
  - {given: {}, expect: {mode: enforce}}
  - {given: {finding.category: "Reverse Shell"}, expect: nothing}
"""
A_WRITE_TAKES = 5.0
"""Far less than the seconds that something is given to take effect."""
CANCEL_ONLY = STOP_AND_BLOCK.replace("  - action: block_runs\n", "")


def running(world: World) -> set[str]:
    world.settle_operations()
    return {name for name, one in world.jobs[JOB].executions.items() if one.execution.running_count}


def methods(on: Line) -> list[str]:
    names = [call.method.rpartition(".")[2] for call in on.sandbox.wire.calls]
    return [name for name in names if name.startswith(("Executions/Cancel", "Jobs/Set", "WorkerPools/Update"))]


def pool_that_scales_itself() -> World:
    world = GROUNDS["worker_pool"].world()
    world.edit_pool("indexer", scaling=pool_scaling("auto"))
    return world


def split(world: World) -> dict[str, int]:
    return {one.revision: one.percent for one in world.pools[POOL].pool.instance_split_statuses}


def test_only_the_execution_that_the_finding_names_is_cancelled(line: Lines) -> None:
    """Others with its image run on: nothing says that they are bad."""
    with line(GROUNDS["job"].world(), policy=CANCEL_ONLY) as on:
        incident = on.respond(on.finding(workload="jobs/nightly/executions/nightly-two"))

        assert incident.phase == "contained"
        assert running(on.world) == {"nightly-bad", "nightly-other"}


def test_without_a_name_the_executions_with_the_findings_image_are_cancelled(line: Lines) -> None:
    """One with another image runs on; of one that has ended nothing is written."""
    with line(GROUNDS["job"].world(), policy=CANCEL_ONLY) as on:
        incident = on.respond(on.finding(workload="jobs/nightly"))
        change = on.shown(incident)["plan"]["changes"][0]

        assert running(on.world) == {"nightly-other"}
        assert change["after"] == {"executions.nightly-bad": "cancelled", "executions.nightly-two": "cancelled"}


def test_a_job_is_blocked_before_its_runs_are_cancelled_where_the_policy_says_so(line: Lines) -> None:
    """Else whoever starts it would start it again in between."""
    with line(GROUNDS["job"].world(), policy=STOP_AND_BLOCK) as on:
        incident = on.respond(on.finding(workload="jobs/nightly"))

        assert incident.phase == "contained"
        assert methods(on) == ["Jobs/SetIamPolicy", "Executions/CancelExecution", "Executions/CancelExecution"]
        assert not any("can be run again" in text for text in incident.still_open)
        assert any("whoever has one can still run it" in text for text in incident.still_open)


def test_a_job_that_nobody_was_let_run_anyway_has_its_runs_cancelled_at_once_and_is_contained(line: Lines) -> None:
    """There is nothing to block, and that suspects run is no sign that something has not come true yet."""
    world = GROUNDS["job"].world()
    del world.jobs[JOB].policy.bindings[:]
    with line(world, policy=STOP_AND_BLOCK) as on:
        began = on.clock.skipped
        incident = on.respond(on.finding(workload="jobs/nightly"))

        assert incident.phase == "contained"
        assert running(on.world) == {"nightly-other"}
        assert on.clock.skipped - began < A_WRITE_TAKES


@pytest.mark.parametrize("image", [8, None], ids=["digest", "neither"])
def test_where_executions_name_their_image_by_tag_a_digest_is_on_none_of_them(line: Lines, image: int | None) -> None:
    """Where images are known and others a person is asked; knowing less convicts nobody either.

    Without a digest all from before the event are suspect.
    """
    world = GROUNDS["job"].world()
    for one in world.jobs[JOB].executions.values():
        one.execution.template.containers[0].image = "registry.test/app:latest"
    with line(world, policy=CANCEL_ONLY) as on:
        incident = on.respond(on.finding(workload="jobs/nightly", image=image))

        assert incident.decision is not None
        if image is None:
            assert incident.phase == "contained"
            assert "from before the event" in incident.decision.suspects_because
            assert running(on.world) == set()
        else:
            assert incident.phase == "waiting"
            assert "the image of nightly-bad" in incident.decision.suspects_because
            assert len(running(on.world)) == 3


def test_an_image_that_no_execution_carries_asks_a_person_and_cancels_nothing(line: Lines) -> None:
    """Neither what runs nor what has ended is what the finding tells of."""
    with line(GROUNDS["job"].world(), policy=STOP_AND_BLOCK) as on:
        incident = on.respond(on.finding(workload="jobs/nightly", image=99))

        assert incident.phase == "waiting"
        assert methods(on) == []
        assert len(running(on.world)) == 3


def test_an_execution_that_ends_by_itself_meanwhile_is_no_fault(line: Lines) -> None:
    """The cancellation is refused, and what is read next says that nothing is left to do."""
    with line(GROUNDS["job"].world(settle_seconds=0.05), policy=CANCEL_ONLY, config="ceiling: approve") as on:
        incident = on.respond(on.finding(workload="jobs/nightly/executions/nightly-two"))
        local = on.world.jobs[JOB].executions["nightly-two"]
        local.settle()
        local.execution.cancelled_count, local.execution.conditions = 0, []
        answered = on.approve(incident)

        assert answered is not None
        assert answered.held.incident.phase == "contained"
        assert methods(on) == []


def test_cancelling_asks_a_person_unless_the_policy_accepts_that_it_cannot_be_undone(line: Lines) -> None:
    """Irreversible is a caution."""
    policy = CANCEL_ONLY.replace(", accept_irreversible: true", "")
    with line(GROUNDS["job"].world(), policy=policy) as on:
        incident = on.respond(on.finding(workload="jobs/nightly"))

        assert incident.phase == "waiting"
        assert on.shown(incident)["question"]["cautions"] == ["irreversible"]


def test_a_pool_is_pinned_to_its_newest_good_revision_and_its_count_stays(line: Lines) -> None:
    """One masked and etagged write that carries no template."""
    with line(GROUNDS["worker_pool"].world(), policy=PIN_ONLY) as on:
        incident = on.respond(on.finding(workload="workerPools/indexer"))
        sent = on.sandbox.wire.calls_to("*/UpdateWorkerPool")[0].request

        assert incident.phase == "contained"
        assert split(on.world) == {"indexer-00007": 100}
        assert list(sent.update_mask.paths) == ["instance_splits"]
        assert sent.worker_pool.etag.startswith('"')
        assert not sent.worker_pool.template.containers
        assert on.world.pools[POOL].pool.scaling.manual_instance_count == 3


@pytest.mark.parametrize("workload", ["jobs/nightly", "workerPools/indexer"])
def test_a_step_that_does_not_act_on_the_kind_gives_way_to_its_otherwise(line: Lines, workload: str) -> None:
    """And where that does not act on it either, the record says so and nothing is written."""
    policy = ALWAYS.replace("pin_previous_revision", "revoke_public_access")
    kind: Any = "job" if workload.startswith("jobs") else "worker_pool"
    with line(GROUNDS[kind].world(), policy=policy) as on:
        incident = on.respond(on.finding(workload=workload))
        reasons = [one.reason for one in incident.plan.refusals] if incident.plan else []

        assert incident.phase == "failed"
        assert reasons == [
            f"{action} does not act on a {kind.replace('_', ' ')}" for action in ("revoke_public_access", "cut_traffic")
        ]
        assert methods(on) == []


SUSPEND = PIN_ONLY.replace("pin_previous_revision", "suspend")


def test_a_pool_that_scales_by_itself_is_not_told_as_stopped(line: Lines) -> None:
    """A fixed number beside automatic scaling stops no instance, and nothing would show that they run on."""
    with line(pool_that_scales_itself(), policy=SUSPEND) as on:
        incident = on.respond(on.finding(workload="workerPools/indexer"))

        assert incident.phase != "contained"
        assert methods(on) == []
        assert "Cloud Run decides how many instances the pool has" in incident.history[-1].what


def test_a_pool_that_a_person_lets_scale_by_itself_again_is_told_as_opened(line: Lines) -> None:
    with line(GROUNDS["worker_pool"].world(), policy=SUSPEND) as on:
        incident = on.respond(on.finding(workload="workerPools/indexer"))
        assert incident.phase == "contained"
        on.world.edit_pool("indexer", scaling=pool_scaling("auto"))
        on.wait(3600)
        on.sweep()
        told = on.read(incident)

        assert "worker_pool.instances was 0 and is auto" in str([one.what for one in told.history])


def test_a_pool_that_scales_by_itself_is_pinned_as_any_other(line: Lines) -> None:
    with line(pool_that_scales_itself(), policy=PIN_ONLY) as on:
        incident = on.respond(on.finding(workload="workerPools/indexer"))

        assert incident.phase == "contained"
        assert split(on.world) == {"indexer-00007": 100}

"""What a release cannot bring back is gone: that is said, it is let go of, and nobody wishes for what is not there."""

from __future__ import annotations

import pytest

from firebreak.core.incidents.incident import Incident
from tests.laws.grounds import GROUNDS, JOB, POOL, grants
from tests.response.harness import BAD, GOOD, REVISIONS, SERVICE, Line, Lines, revision, world_of
from tests.response.releases import (
    ACCOUNT,
    ACCOUNT_KEY,
    BLOCK,
    CUT,
    DIRECT,
    DISABLE,
    ELSEWHERE,
    FIX,
    HERE,
    INGRESS,
    OTHER_BAD,
    OTHER_GOOD,
    PIN,
    PUBLIC,
    REVOKE,
    SPLIT,
    THERE,
    contained,
    doors,
    fix_deployed_and_bad_revision_deleted,
    in_two_regions,
    is_public,
    phase,
    policy,
    results,
    running_as,
    serving,
    tags,
    wished,
    writes,
)

pytestmark = pytest.mark.thorough

BY_NAME = ({"revision": BAD, "percent": 100},)
WORSE = "checkout-00009-worse"
CANARY, BLUE = "service.traffic.tag.canary", "service.traffic.tag.blue"


def test_after_the_bad_revision_was_deleted_a_release_serves_the_fix_that_was_deployed(line: Lines) -> None:
    """Traffic went to LATEST before, and LATEST is the fix now."""
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        fix_deployed_and_bad_revision_deleted(on)
        answered = on.release(incident)

        assert answered.done, answered.says
        assert wished(on) == {"LATEST": 100}
        assert serving(on) == {FIX["name"]: 100}
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "restored"}


def test_a_split_that_names_a_deleted_revision_is_gone_and_the_traffic_stays_as_it_is(line: Lines) -> None:
    """No wish is left that names what does not exist; the first release says so, and is the last."""
    with line(world_of(traffic=BY_NAME), policy=policy(PIN)) as on:
        incident = contained(on)
        fix_deployed_and_bad_revision_deleted(on)
        answered = on.release(incident)
        again = on.release(incident)

        assert answered.done, answered.says
        assert not again.done
        assert wished(on) == serving(on) == {GOOD: 100}
        assert len(on.updates) == 1
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "gone"}


def test_beside_a_split_that_is_gone_everything_else_is_restored(line: Lines) -> None:
    with line(world_of(traffic=BY_NAME), policy=policy(PIN, CUT, REVOKE)) as on:
        incident = contained(on)
        fix_deployed_and_bad_revision_deleted(on)
        on.release(incident)

        assert serving(on) == {GOOD: 100}
        assert doors(on) == (1, False)
        assert is_public(on)
        assert phase(on, incident) == "released"
        assert results(on, incident) == {
            SPLIT: "gone",
            INGRESS: "restored",
            DIRECT: "restored",
            PUBLIC: "restored",
        }


def test_a_tag_of_a_deleted_revision_is_gone_and_the_split_is_restored(line: Lines) -> None:
    traffic = ({"latest": True, "percent": 100}, {"revision": BAD, "tag": "canary"})
    with line(world_of(traffic=traffic), policy=policy(PIN)) as on:
        incident = contained(on)
        fix_deployed_and_bad_revision_deleted(on)
        on.release(incident)

        assert serving(on) == {FIX["name"]: 100}
        assert tags(on) == {}
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "restored", CANARY: "gone"}


def test_a_split_whose_remaining_shares_are_not_the_whole_is_gone_and_the_tags_come_back(line: Lines) -> None:
    """Two revisions were suspect and one was deleted: 40 in a hundred is no split, so that it stays as it is."""
    revisions = (*REVISIONS, revision(WORSE, 8, "-2h"))
    traffic = (
        {"revision": BAD, "percent": 60, "tag": "canary"},
        {"revision": WORSE, "percent": 40, "tag": "blue"},
    )
    with line(world_of(revisions, traffic), policy=policy(PIN)) as on:
        incident = contained(on)
        pinned = serving(on), tags(on)
        on.world.delete(f"{SERVICE}/revisions/{BAD}")
        on.release(incident)

        assert pinned == ({GOOD: 100}, {})
        assert serving(on) == {GOOD: 100}
        assert tags(on) == {"blue": WORSE}
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "gone", CANARY: "gone", BLUE: "restored"}


def deployed_and_deleted_in_pool(on: Line) -> None:
    on.world.deploy_pool("indexer", revision("indexer-00009", 9, "-1s"))
    on.world.delete(f"{POOL}/revisions/indexer-00008")


def running(on: Line) -> dict[str, int]:
    return {one.revision: one.percent for one in on.world.pools[POOL].pool.instance_split_statuses}


def test_a_pool_whose_split_named_a_deleted_revision_stays_as_it_is(line: Lines) -> None:
    world = GROUNDS["worker_pool"].world()
    world.edit_pool("indexer", instance_splits=[{"type_": 2, "revision": "indexer-00008", "percent": 100}])
    with line(world, policy=policy(PIN)) as on:
        incident = contained(on, workload="workerPools/indexer")
        deployed_and_deleted_in_pool(on)
        answered = on.release(incident)

        assert answered.done, answered.says
        assert running(on) == {"indexer-00007": 100}
        assert writes(on) == ["UpdateWorkerPool"]
        assert phase(on, incident) == "released"
        assert results(on, incident) == {"worker_pool.split": "gone"}


def test_a_pool_that_ran_its_latest_runs_the_fix_after_the_release(line: Lines) -> None:
    with line(GROUNDS["worker_pool"].world(), policy=policy(PIN)) as on:
        incident = contained(on, workload="workerPools/indexer")
        deployed_and_deleted_in_pool(on)
        on.release(incident)

        assert running(on) == {"indexer-00009": 100}
        assert phase(on, incident) == "released"
        assert results(on, incident) == {"worker_pool.split": "restored"}


def test_what_is_gone_in_one_region_is_restored_in_the_other(line: Lines) -> None:
    with line(in_two_regions(), policy=policy(PIN)) as on:
        on.world.set_traffic(ELSEWHERE, {"revision": OTHER_BAD, "percent": 100})
        incident = contained(on)
        on.world.deploy(ELSEWHERE, revision("checkout-00003-usf", 9, "-1s"))
        on.world.delete(f"{ELSEWHERE}/revisions/{OTHER_BAD}")
        on.release(incident)

        assert serving(on) == {BAD: 100}
        assert serving(on, ELSEWHERE) == {OTHER_GOOD: 100}
        assert phase(on, incident) == "released"
        assert results(on, incident, HERE) == {SPLIT: "restored"}
        assert results(on, incident, THERE) == {SPLIT: "gone"}


def test_two_holds_on_a_split_that_is_gone_are_both_let_go_of(line: Lines) -> None:
    with line(world_of(traffic=BY_NAME), policy=policy(PIN)) as on:
        first = contained(on, minutes_ago=5)
        second = contained(on, minutes_ago=4, finding_id="second")
        fix_deployed_and_bad_revision_deleted(on)
        for incident in (first, second):
            on.release(incident)

        assert [phase(on, one) for one in (first, second)] == ["released", "released"]
        assert wished(on) == {GOOD: 100}
        assert len(on.updates) == 1


def test_an_account_that_was_deleted_is_gone_and_the_service_is_restored(line: Lines) -> None:
    with line(running_as(), policy=policy(DISABLE, PIN)) as on:
        incident = contained(on)
        on.world.delete(ACCOUNT)
        on.release(incident)

        assert serving(on) == {BAD: 100}
        assert phase(on, incident) == "released"
        assert results(on, incident) == {ACCOUNT_KEY: "gone", SPLIT: "restored"}


def test_runs_that_were_cancelled_are_not_called_restored(line: Lines) -> None:
    """Whoever may run the job may do so again; the runs themselves do not come back."""
    cancel = "{action: cancel_executions, accept_irreversible: true}"
    with line(GROUNDS["job"].world(), policy=policy(BLOCK, cancel)) as on:
        before = grants(on.world.jobs[JOB].policy)
        incident = contained(on, workload="jobs/nightly")
        on.release(incident)
        became = results(on, incident)

        assert grants(on.world.jobs[JOB].policy) == before
        assert phase(on, incident) == "released"
        assert {became[key] for key in became if key.startswith("job_iam.")} == {"restored"}
        assert {became.get(f"executions.{name}", "gone") for name in ("nightly-bad", "nightly-two")} == {"gone"}


def released_with_a_gone_split(on: Line) -> Incident:
    incident = contained(on)
    fix_deployed_and_bad_revision_deleted(on)
    on.release(incident)
    return incident


def test_when_all_is_released_the_sweep_has_nothing_to_tell(line: Lines) -> None:
    """Neither that the split is not what it was, nor what a person makes of it afterwards."""
    with line(world_of(traffic=BY_NAME), policy=policy(PIN)) as on:
        incident = released_with_a_gone_split(on)
        announced = len(on.announced)
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        on.wait(600)
        on.sweep()

        assert serving(on) == {FIX["name"]: 100}
        assert phase(on, incident) == "released"
        assert len(on.announced) == announced

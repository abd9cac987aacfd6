"""A resource is known by its uid: what was made anew under its name is neither restored, nor written, nor joined."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from firebreak.core.errors import Transient
from sandbox.cloud_run.local_service import LocalService
from sandbox.wire import Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS, JOB, POOL, grants
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line, Lines, revision, world_of
from tests.response.releases import (
    ACCOUNT,
    ACCOUNT_KEY,
    BLOCK,
    CUT,
    DIRECT,
    DISABLE,
    ELSEWHERE,
    HERE,
    INGRESS,
    OTHER_GOOD,
    PAY,
    PIN,
    PUBLIC,
    REVOKE,
    SPLIT,
    SUSPEND,
    THERE,
    approve,
    contained,
    doors,
    in_two_regions,
    is_disabled,
    is_public,
    made_anew,
    policy,
    results,
    running_as,
    serving,
    writes,
)


def test_a_private_service_made_anew_is_not_made_public_by_releasing_the_old_incident(line: Lines) -> None:
    with line(policy=policy(REVOKE)) as on:
        incident = contained(on)
        made_anew(on, public=False)
        answered = on.release(incident)

        assert not is_public(on)
        assert writes(on) == ["SetIamPolicy"]
        assert answered.done, answered.says
        assert on.read(incident).phase == "released"
        assert results(on, incident) == {PUBLIC: "gone"}


def test_doors_that_somebody_shut_on_a_service_made_anew_stay_shut(line: Lines) -> None:
    """They read just as Firebreak left those of the old one."""
    with line(policy=policy(CUT)) as on:
        incident = contained(on)
        made_anew(on, ingress="none", default_uri_disabled=True)
        on.release(incident)

        assert doors(on) == (4, True)
        assert on.read(incident).phase == "released"
        assert results(on, incident) == {INGRESS: "gone", DIRECT: "gone"}


def test_the_traffic_of_a_service_made_anew_is_left_as_it_is(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        made_anew(on, traffic=[{"revision": GOOD, "percent": 100}])
        on.release(incident)

        assert serving(on) == {GOOD: 100}
        assert on.read(incident).phase == "released"
        assert results(on, incident) == {SPLIT: "gone"}


def test_a_service_that_was_deleted_and_not_made_anew_is_gone_too(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        on.world.delete(SERVICE)
        answered = on.release(incident)

        assert answered.done, answered.says
        assert on.read(incident).phase == "released"
        assert results(on, incident) == {SPLIT: "gone", PUBLIC: "gone"}


def test_an_account_made_anew_is_not_enabled_by_releasing_the_old_incident(line: Lines) -> None:
    """Somebody keeps it disabled for a reason of their own."""
    with line(running_as(), policy=policy(DISABLE)) as on:
        incident = contained(on)
        on.world.delete(ACCOUNT)
        on.world.add_account({"email": PAY, "disabled": True})
        on.release(incident)

        assert is_disabled(on)
        assert writes(on) == ["DisableServiceAccount"]
        assert on.read(incident).phase == "released"
        assert results(on, incident) == {ACCOUNT_KEY: "gone"}


def test_beside_an_account_made_anew_the_service_gets_its_traffic_back(line: Lines) -> None:
    with line(running_as(), policy=policy(DISABLE, PIN)) as on:
        incident = contained(on)
        on.world.delete(ACCOUNT)
        on.world.add_account({"email": PAY})
        on.release(incident)

        assert serving(on) == {BAD: 100}
        assert "EnableServiceAccount" not in writes(on)
        assert on.read(incident).phase == "released"
        assert results(on, incident) == {ACCOUNT_KEY: "gone", SPLIT: "restored"}


def test_a_job_made_anew_gets_none_of_the_grants_of_the_old_one(line: Lines) -> None:
    with line(GROUNDS["job"].world(), policy=policy(BLOCK)) as on:
        incident = contained(on, workload="jobs/nightly")
        on.world.delete(JOB)
        on.world.add_job({"name": JOB})
        on.release(incident)

        assert grants(on.world.jobs[JOB].policy) == set()
        assert on.read(incident).phase == "released"
        assert list(results(on, incident).values()) == ["gone", "gone"]


@pytest.mark.parametrize(
    ("step", "pool", "key"),
    [
        (PIN, {"splits": [{"revision": "indexer-00007", "percent": 100}], "instances": 3}, "worker_pool.split"),
        (SUSPEND, {"instances": 0}, "worker_pool.instances"),
    ],
    ids=["pinned", "suspended"],
)
def test_a_pool_made_anew_keeps_its_split_and_its_count(
    line: Lines, step: str, pool: Mapping[str, Any], key: str
) -> None:
    with line(GROUNDS["worker_pool"].world(), policy=policy(step)) as on:
        incident = contained(on, workload="workerPools/indexer")
        again_made(on, POOL, **pool)
        before = str(on.world.pools[POOL].pool)
        on.release(incident)

        assert str(on.world.pools[POOL].pool) == before
        assert on.read(incident).phase == "released"
        assert results(on, incident) == {key: "gone"}


def test_the_region_in_which_it_was_made_anew_is_left_and_the_other_one_restored(line: Lines) -> None:
    with line(in_two_regions(), policy=policy(PIN)) as on:
        incident = contained(on)
        there = on.world.service(ELSEWHERE)
        on.world.delete(ELSEWHERE)
        on.world.add_service(
            {"name": ELSEWHERE, "revisions": [revision(OTHER_GOOD, 7, "-1s")], "regions": [HERE, THERE]}
        )
        on.release(incident)

        assert on.world.service(ELSEWHERE) is not there
        assert serving(on) == {BAD: 100}
        assert serving(on, ELSEWHERE) == {OTHER_GOOD: 100}
        assert on.read(incident).phase == "released"
        assert results(on, incident, HERE) == {SPLIT: "restored"}
        assert results(on, incident, THERE) == {SPLIT: "gone"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))), ids=str)
def test_two_incidents_of_the_old_service_are_both_released_and_write_nothing_on_the_new_one(
    line: Lines, order: tuple[int, ...]
) -> None:
    with line(policy=policy(PIN)) as on:
        incidents = [contained(on, minutes_ago=5), contained(on, minutes_ago=4, finding_id="second")]
        made_anew(on, traffic=[{"revision": GOOD, "percent": 100}])
        for number in order:
            on.release(incidents[number])

        assert [on.read(one).phase for one in incidents] == ["released", "released"]
        assert serving(on) == {GOOD: 100}
        assert len(on.updates) == 1


def again_made(on: Line, name: str, **given: Any) -> None:
    """Somebody deletes it and makes it again, as the world had it unless told otherwise."""
    if name == SERVICE:
        made_anew(on, **given)
    elif name == POOL:
        on.world.delete(POOL)
        revisions = [revision(f"indexer-0000{number}", number, f"-{9 - number}s") for number in (6, 7, 8)]
        on.world.add_pool({"name": POOL, "revisions": revisions, "instances": 3, **given})
    else:
        before = on.world.jobs[JOB].policy
        on.world.delete(JOB)
        again = on.world.add_job({"name": JOB, "executions": [{"name": "nightly-bad", "image": 8}], **given})
        again.policy.CopyFrom(before)


KINDS: Mapping[str, tuple[str, str, Callable[[], World]]] = {
    SERVICE: ("services/checkout", PIN, world_of),
    POOL: ("workerPools/indexer", PIN, GROUNDS["worker_pool"].world),
    JOB: ("jobs/nightly", BLOCK, GROUNDS["job"].world),
}


@pytest.mark.parametrize("name", KINDS, ids=["service", "worker pool", "job"])
def test_an_approval_is_not_of_what_was_made_anew_in_its_place(line: Lines, name: str) -> None:
    """It reads just as it did; a person is asked anew, and the old answer is worth nothing."""
    workload, step, world = KINDS[name]
    with line(world(), policy=policy(step, mode="approve")) as on:
        incident = on.respond(on.finding(workload=workload))
        asked = on.shown(incident)["question"]["digest"]
        again_made(on, name)
        answered = approve(on, incident)
        anew = on.read(incident)
        said_again = on.command("approve", incident, digest=asked)

        assert not answered.done
        assert not said_again.done
        assert writes(on) == []
        assert anew.phase == "waiting"
        assert on.shown(anew)["question"]["digest"] != asked


def test_an_approval_is_not_of_an_account_made_anew(line: Lines) -> None:
    with line(running_as(), policy=policy(DISABLE)) as on:
        incident = on.respond(on.finding())
        on.world.delete(ACCOUNT)
        on.world.add_account({"email": PAY})
        answered = approve(on, incident)

        assert not answered.done
        assert writes(on) == []
        assert not is_disabled(on)
        assert on.read(incident).phase == "waiting"


def test_an_expiry_contains_nothing_that_was_made_anew(line: Lines) -> None:
    """Only what was shown the whole time."""
    expiring = policy(PIN, mode="approve", more="approve_within: 30m\non_expiry: contain")
    with line(policy=expiring) as on:
        incident = on.respond(on.finding())
        made_anew(on)
        on.wait(1801)
        on.sweep()

        assert on.updates == ()
        assert serving(on) == {BAD: 100}
        assert on.read(incident).phase == "waiting"


def test_a_delivery_that_died_before_its_write_writes_nothing_on_what_was_made_anew(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "UNAVAILABLE", times=None))
        with contextlib.suppress(Transient):
            on.respond(pair)
        on.sandbox.wire.clear_faults()
        tried = len(on.updates)
        made_anew(on)
        on.wait(31)
        incident = on.respond(pair)

        assert tried > 0
        assert len(on.updates) == tried
        assert serving(on) == {BAD: 100}
        assert incident.phase == "waiting"


def test_a_refuge_deployed_anew_while_the_question_waited_is_asked_about(line: Lines) -> None:
    """Traffic that was to go to a revision does not go to another one of its name."""
    with line(world_of(traffic=({"revision": BAD, "percent": 100},)), policy=policy(PIN, mode="approve")) as on:
        incident = on.respond(on.finding())
        on.world.delete(f"{SERVICE}/revisions/{GOOD}")
        on.world.deploy("checkout", revision(GOOD, 8, "-1s"))
        answered = approve(on, incident)

        assert not answered.done
        assert on.updates == ()
        assert on.read(incident).phase == "waiting"


def test_the_sweep_neither_writes_nor_calls_contained_what_was_made_anew_open(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        made_anew(on)
        on.wait(60)
        on.sweep()

        assert len(on.updates) == 1
        assert serving(on) == {BAD: 100}
        assert on.read(incident).phase == "waiting"


def local(on: Line) -> LocalService:
    return on.world.service(SERVICE)


def test_a_new_finding_on_what_was_made_anew_does_not_join_the_hold_of_the_old_one(line: Lines) -> None:
    """It is contained by itself, and its release ends at what the new one was like."""
    with line(policy=policy(PIN)) as on:
        first = contained(on, minutes_ago=5)
        made_anew(on, traffic=[{"revision": BAD, "percent": 100}, {"revision": GOOD, "tag": "stable"}])
        origin = str(local(on).service.traffic)
        second = contained(on, finding_id="second")
        closed = serving(on)
        on.release(second)
        on.release(first)

        assert closed == {GOOD: 100}
        assert str(local(on).service.traffic) == origin
        assert [on.read(one).phase for one in (first, second)] == ["released", "released"]


def test_a_new_finding_on_an_account_made_anew_asks_about_it(line: Lines) -> None:
    """The hold on the old one says nothing about this one."""
    with line(running_as(), policy=policy(DISABLE)) as on:
        contained(on, minutes_ago=5)
        on.world.delete(ACCOUNT)
        on.world.add_account({"email": PAY})
        second = on.respond(on.finding(finding_id="second"))
        approve(on, second)

        assert second.phase == "waiting"
        assert is_disabled(on)
        assert on.read(second).phase == "contained"

"""What somebody made anew or changed between Firebreak's look and its write is not Firebreak's to write."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from firebreak.core.errors import Transient
from sandbox.wire import Fault, Meanwhile
from sandbox.world import World
from tests.laws.grounds import GROUNDS, JOB, POOL, grants
from tests.response.harness import GOOD, OLD, SERVICE, Line, Lines, revision, world_of
from tests.response.releases import (
    ACCOUNT,
    BLOCK,
    CUT,
    DIRECT,
    DISABLE,
    INGRESS,
    PAY,
    PIN,
    REVOKE,
    SPLIT,
    SUSPEND,
    approve,
    contained,
    doors,
    is_disabled,
    made_anew,
    phase,
    policy,
    results,
    running_as,
    serving,
    wished,
    writes,
)

pytestmark = pytest.mark.thorough

AWAY = ("error", "UNAVAILABLE")
REFUSED = ("error", "FAILED_PRECONDITION")


@dataclass(frozen=True)
class Way:
    """A step, the call that takes it back, and the same resource made anew so that it reads as Firebreak left it."""

    step: str
    call: str
    anew: Callable[[Line], object]
    now: Callable[[Line], str]
    world: Callable[[], World] = world_of
    workload: str = "services/checkout"


def _service(on: Line) -> str:
    local = on.world.service(SERVICE)
    return f"{local.service.traffic} {doors(on)} {local.service.scaling} {sorted(grants(local.policy))}"


def _pool_anew(on: Line) -> None:
    on.world.delete(POOL)
    revisions = [revision(f"indexer-0000{number}", number, f"-{9 - number}s") for number in (6, 7, 8)]
    splits = [{"revision": "indexer-00007", "percent": 100}]
    on.world.add_pool({"name": POOL, "revisions": revisions, "instances": 3, "splits": splits})


def _job_anew(on: Line) -> None:
    on.world.delete(JOB)
    on.world.add_job({"name": JOB})


def _account_anew(on: Line) -> None:
    on.world.delete(ACCOUNT)
    on.world.add_account({"email": PAY, "disabled": True})


WAYS: Mapping[str, Way] = {
    "traffic": Way(
        PIN, "*/UpdateService", lambda on: made_anew(on, traffic=[{"revision": GOOD, "percent": 100}]), _service
    ),
    "doors": Way(CUT, "*/UpdateService", lambda on: made_anew(on, ingress="none", default_uri_disabled=True), _service),
    "scaling": Way(SUSPEND, "*/UpdateService", lambda on: made_anew(on, scaling={"manual": 0}), _service),
    "grants": Way(REVOKE, "*/SetIamPolicy", lambda on: made_anew(on, public=False), _service),
    "a pool": Way(
        PIN,
        "*/UpdateWorkerPool",
        _pool_anew,
        lambda on: str(on.world.pools[POOL].pool),
        GROUNDS["worker_pool"].world,
        "workerPools/indexer",
    ),
    "a job": Way(
        BLOCK,
        "*/SetIamPolicy",
        _job_anew,
        lambda on: str(sorted(grants(on.world.jobs[JOB].policy))),
        GROUNDS["job"].world,
        "jobs/nightly",
    ),
    "an account": Way(
        DISABLE,
        "*/EnableServiceAccount",
        _account_anew,
        lambda on: str(on.world.accounts[PAY].account.disabled),
        running_as,
    ),
}


@pytest.mark.parametrize("answer", [AWAY, REFUSED], ids=["away", "refused"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_is_made_anew_while_its_release_is_written_is_left_as_it_is(
    line: Lines, way: Way, answer: tuple[str, str]
) -> None:
    """The first write gets no answer, or a refusal; what follows it finds another resource that reads just the same."""
    with line(way.world(), policy=policy(way.step)) as on:
        incident = contained(on, workload=way.workload)
        anew = list[str]()

        def others() -> None:
            way.anew(on)
            anew.append(way.now(on))

        on.sandbox.wire.meanwhile(Meanwhile(way.call, others))
        on.sandbox.wire.inject(Fault(way.call, "error", answer[1]))
        on.release(incident)
        for _ in range(2):
            on.wait(301)
            on.sweep()

        assert [way.now(on)] == anew
        if answer == AWAY:
            assert phase(on, incident) == "released"
            assert set(results(on, incident).values()) == {"gone"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_is_made_anew_just_before_its_release_is_written_is_left_as_it_is(line: Lines, way: Way) -> None:
    """Settings without an etag of their own are read once more; the others are written under the one that was read."""
    with line(way.world(), policy=policy(way.step)) as on:
        incident = contained(on, workload=way.workload)
        anew = list[str]()

        def others() -> None:
            way.anew(on)
            anew.append(way.now(on))

        looks = {"*/SetIamPolicy": ("*/GetIamPolicy", 1), "*/EnableServiceAccount": ("*/GetServiceAccount", 2)}
        call, skip = looks.get(way.call, (way.call, 0))
        on.sandbox.wire.meanwhile(Meanwhile(call, others, skip=skip))
        on.release(incident)

        assert [way.now(on)] == anew
        assert phase(on, incident) == "released"
        assert set(results(on, incident).values()) == {"gone"}


def test_a_door_that_a_person_moves_while_the_release_is_written_stays_and_the_other_comes_back(
    line: Lines,
) -> None:
    with line(policy=policy(CUT)) as on:
        incident = contained(on)
        on.sandbox.wire.meanwhile(Meanwhile("*/UpdateService", lambda: on.world.edit(SERVICE, ingress=3)))
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "UNAVAILABLE"))
        on.release(incident)

        assert doors(on) == (3, False)
        assert phase(on, incident) == "released"
        assert results(on, incident) == {INGRESS: "a person's", DIRECT: "restored"}


def test_traffic_that_a_person_moves_while_the_release_is_written_stays_and_the_doors_come_back(line: Lines) -> None:
    with line(policy=policy(PIN, CUT)) as on:
        incident = contained(on)
        moved = Meanwhile(
            "*/UpdateService", lambda: on.world.set_traffic("checkout", {"revision": OLD, "percent": 100})
        )
        on.sandbox.wire.meanwhile(moved)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "UNAVAILABLE"))
        on.release(incident)

        assert (serving(on), doors(on)) == ({OLD: 100}, (1, False))
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "a person's", INGRESS: "restored", DIRECT: "restored"}


def test_what_is_made_anew_while_its_containment_fails_is_not_put_back(line: Lines) -> None:
    """Its owner shut one of the two doors, as Firebreak had just asked of the one before."""
    with line(policy=policy(CUT)) as on:
        on.world.fail_next_operation()
        shut = Meanwhile("*/UpdateService", lambda: made_anew(on, ingress="none"), "after")
        on.sandbox.wire.meanwhile(shut)
        incident = on.respond(on.finding())

        assert doors(on) == (4, False)
        assert len(on.updates) == 1
        assert phase(on, incident) == "waiting"


def test_what_is_made_anew_while_its_release_fails_is_not_put_back(line: Lines) -> None:
    with line(policy=policy(CUT)) as on:
        incident = contained(on)
        on.world.fail_next_operation()
        on.sandbox.wire.meanwhile(Meanwhile("*/UpdateService", lambda: made_anew(on, ingress="all"), "after"))
        on.release(incident)

        assert doors(on) == (1, False)
        assert len(on.updates) == 2
        assert phase(on, incident) == "released"
        assert results(on, incident) == {INGRESS: "gone", DIRECT: "gone"}


def test_what_is_made_anew_just_as_it_was_contained_is_not_called_contained(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        anew = Meanwhile(
            "*/UpdateService", lambda: made_anew(on, traffic=[{"revision": GOOD, "percent": 100}]), "after"
        )
        on.sandbox.wire.meanwhile(anew)
        pair = on.finding()
        with contextlib.suppress(Transient):
            on.respond(pair)
        on.wait(301)
        on.sweep()
        incident = on.respond(pair)

        assert phase(on, incident) == "declined"
        assert incident.outcomes == ()


def test_a_release_whose_bearer_died_is_over_when_it_is_seen_in_effect(line: Lines) -> None:
    """Its write was accepted and came to nothing: the settings read as restored, and what serves is the refuge."""
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        for _ in range(3):
            on.world.fail_next_operation()
        on.sandbox.wire.inject(Fault("*/GetService", "error", "UNAVAILABLE", skip=2, times=None))
        on.lose_answer("*/UpdateService")
        with contextlib.suppress(Transient):
            on.release(incident)
        on.sandbox.wire.clear_faults()
        on.wait(301)
        on.sweep()

        assert serving(on) == {GOOD: 100}
        assert results(on, incident) == {SPLIT: "refused"}
        assert wished(on) == {GOOD: 100}


def test_an_account_made_anew_just_before_it_is_disabled_is_asked_about_and_not_disabled(line: Lines) -> None:
    """It has no etag: what is read directly before the write tells."""
    with line(running_as(), policy=policy(DISABLE)) as on:
        incident = on.respond(on.finding())

        def others() -> None:
            on.world.delete(ACCOUNT)
            on.world.add_account({"email": PAY})

        on.sandbox.wire.meanwhile(Meanwhile("*/GetServiceAccount", others, skip=1))
        answered = approve(on, incident)

        assert not answered.done
        assert not is_disabled(on)
        assert writes(on) == []
        assert phase(on, incident) == "waiting"

"""The one gate before jobs, worker pools and service accounts, on every road to a write; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from sandbox.wire import Meanwhile
from sandbox.world import World
from tests.laws.grounds import GROUNDS, JOB
from tests.response.answers import agreed, cautions, now, phase, yes
from tests.response.deployments import deployed
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines, revision, world_of
from tests.response.roads import OF_SERVICES, ROADS, Happens
from tests.response.test_one_gate import LABELLED
from tests.response.test_pools_and_jobs import running, split
from tests.response.test_service_accounts import BASKET, PAY, PAYMENTS, SAME_NAME, STEP, disabled, made, policy
from tests.response.test_service_accounts import world_of as with_accounts

pytestmark = pytest.mark.thorough

THEN = "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]"
STOPS = "{action: cancel_executions, accept_irreversible: true}"
BANK_IS_PROTECTED = "ceiling: enforce\nprotected: [{project: bank-prod}]"
CRITICAL = {"tier": "critical"}
WEB = "web@shop-prod.iam.gserviceaccount.com"
OTHERS_ACCOUNT = "pay@bank-prod.iam.gserviceaccount.com"


def with_steps(text: str, *steps: str) -> str:
    return text.replace(THEN, f"then: [{', '.join(steps)}]")


@dataclass(frozen=True)
class Kind:
    """A workload of one kind, the steps that contain it, a person's label, and whether anything of it is closed."""

    workload: str
    world: Callable[[], World]
    steps: tuple[str, ...]
    label: Happens
    closed: Callable[[Line], bool]


def job_is_closed(on: Line) -> bool:
    callers = {member for one in on.world.jobs[JOB].policy.bindings for member in one.members}
    return len(running(on.world)) < 3 or not any(one.startswith("serviceAccount:cron@") for one in callers)


KINDS: Mapping[str, Kind] = {
    "worker pool": Kind(
        "workerPools/indexer",
        GROUNDS["worker_pool"].world,
        ("{action: pin_previous_revision}",),
        lambda on: on.world.edit_pool("indexer", labels=CRITICAL),
        lambda on: split(on.world) != {"indexer-00008": 100},
    ),
    "job": Kind(
        "jobs/nightly",
        GROUNDS["job"].world,
        ("{action: block_runs}", STOPS),
        lambda on: on.world.jobs[JOB].edit(labels=CRITICAL),
        job_is_closed,
    ),
}


@pytest.mark.parametrize("road", [name for name in ROADS if name not in OF_SERVICES])
@pytest.mark.parametrize("kind", KINDS)
def test_a_workload_that_becomes_protected_is_asked_about_on_every_road(line: Lines, kind: str, road: str) -> None:
    """And contained by the yes to the question that says so."""
    one = KINDS[kind]
    with line(one.world(), policy=with_steps(ROADS[road].policy, *one.steps), config=LABELLED) as on:
        incident = ROADS[road].walk(on, on.finding(workload=one.workload), one.label)
        between = (phase(on, incident), one.closed(on))
        warned = cautions(on, incident)
        yes(on, incident)

        assert between == ("waiting", False)
        assert "protected" in warned
        assert phase(on, incident) == "contained"
        assert one.closed(on)


@pytest.mark.parametrize("road", ["a redelivery", "a sweep after a death", "an approval", "an expiry"])
def test_a_pool_that_a_person_rolled_back_is_theirs_on_every_road(line: Lines, road: str) -> None:
    """By its digest nothing of it is suspect any more; what they set stays."""
    pool = KINDS["worker pool"]
    with line(pool.world(), policy=with_steps(ROADS[road].policy, *pool.steps)) as on:
        theirs = GROUNDS["worker_pool"].meddle
        incident = ROADS[road].walk(on, on.finding(workload=pool.workload), lambda on: theirs(on.world))
        agreed(on, incident)

        assert split(on.world) == {"indexer-00006": 100}
        assert all(one.status != "OK" for one in on.sandbox.wire.calls_to("*/UpdateWorkerPool"))


def test_a_run_that_ends_by_itself_between_two_cancellations_is_not_cancelled(line: Lines) -> None:
    """Runs have no etag: each is read again directly before it would be cancelled."""
    with line(GROUNDS["job"].world(), policy=with_steps(ALWAYS, STOPS)) as on:
        cancelled: list[str] = []

        def ended() -> None:
            for name, one in on.world.jobs[JOB].executions.items():
                if name in ("nightly-bad", "nightly-two") and one.execution.running_count:
                    one.settle()
                    one.execution.cancelled_count, one.execution.conditions = 0, []
                    cancelled.append(name)

        on.sandbox.wire.meanwhile(Meanwhile("*/CancelExecution", ended, "after"))
        incident = on.respond(on.finding(workload="jobs/nightly"))

        assert len(cancelled) == 1
        assert phase(on, incident) == "contained"
        assert [one.status for one in on.sandbox.wire.calls_to("*/CancelExecution")] == ["OK"]
        assert running(on.world) == {"nightly-other"}


def of_another_project() -> World:
    """The service runs as an account of another project."""
    return world_of(service={"service_account": OTHERS_ACCOUNT}, service_accounts=[{"email": OTHERS_ACCOUNT}])


def test_an_account_in_a_protected_project_is_asked_about_as_protected(line: Lines) -> None:
    """The service is not; its identity lies elsewhere, and so does what it would stop."""
    with line(of_another_project(), policy=policy(STEP), config=BANK_IS_PROTECTED) as on:
        incident = on.respond(on.finding())
        warned, before = cautions(on, incident), disabled(on)
        yes(on, incident)

        assert warned >= {"shared", "protected"}
        assert before == set()
        assert disabled(on) == {OTHERS_ACCOUNT}


def test_an_account_whose_project_becomes_protected_while_a_question_waits_is_asked_about_anew(line: Lines) -> None:
    with line(of_another_project(), policy=policy(STEP)) as on:
        incident = on.respond(on.finding())
        deployed(on, policy(STEP), config=BANK_IS_PROTECTED)
        answered = yes(on, incident)

        assert not answered.done
        assert disabled(on) == set()
        assert phase(on, incident) == "waiting"
        assert cautions(on, incident) >= {"shared", "protected"}


def test_an_account_that_comes_to_be_used_by_others_while_a_question_waits_is_asked_about_anew(line: Lines) -> None:
    """Who agreed had been told that nobody else stops with it."""
    with line(with_accounts(), policy=policy(STEP)) as on:
        incident = on.respond(on.finding())
        on.world.add_service(
            {"name": BASKET, "service_account": PAY, "revisions": [revision("basket-00001", 5, "-3h")]}
        )
        first = yes(on, incident)
        between = disabled(on)
        told = str([now(on, incident)["decision"]["caps"], now(on, incident)["history"][-1]])
        second = yes(on, incident)

        assert not first.done
        assert between == set()
        assert "basket" in told
        assert second.done, second.says
        assert disabled(on) == {PAY}


def test_an_account_that_a_person_released_today_is_asked_about_as_that_from_another_service_too(line: Lines) -> None:
    world = with_accounts()
    world.add_service(
        {"name": BASKET, "service_account": PAY, "updated": "-3h", "revisions": [revision("basket-00001", 8, "-3h")]}
    )
    with line(world, policy=policy(STEP)) as on:
        first = agreed(on, on.respond(on.finding()))
        on.release(first)
        second = on.respond(on.finding(finding_id="second", workload="services/basket"))

        assert phase(on, first) == "released"
        assert phase(on, second) == "waiting"
        assert cautions(on, second) >= {"shared", "released"}
        assert made(on) == 1
        assert disabled(on) == set()


@pytest.mark.parametrize("road", ["an approval", "an expiry"])
def test_an_account_that_a_new_suspect_brings_while_a_question_waits_is_asked_about_first(
    line: Lines, road: str
) -> None:
    """The bad image is deployed once more, and runs as another account, which was shown to nobody."""
    revisions = (revision(GOOD, 7, "-10d", service_account=WEB), revision(BAD, 8, "-3h", service_account=PAY))
    accounts = [{"email": one} for one in (PAY, PAYMENTS, WEB)]
    world = world_of(revisions, service={"service_account": WEB}, service_accounts=accounts)
    with line(world, policy=with_steps(ROADS[road].policy, "{action: pin_previous_revision}", STEP)) as on:
        again = revision("checkout-00009-bad", 8, "-1s", service_account=PAYMENTS)
        incident = ROADS[road].walk(on, on.finding(), lambda on: on.world.deploy("checkout", again))
        between = (phase(on, incident), disabled(on))
        shown = {change["target"].rpartition("/")[2] for change in now(on, incident)["plan"]["changes"]}
        agreed(on, incident)

        assert between == ("waiting", set())
        assert PAYMENTS in shown
        assert phase(on, incident) == "contained"
        assert PAYMENTS in disabled(on)
        assert set(on.reachable) == {GOOD}


@pytest.mark.parametrize("road", ["an approval", "an expiry"])
def test_an_account_of_firebreaks_own_that_a_new_suspect_brings_bars_what_was_agreed_to(line: Lines, road: str) -> None:
    """No yes overrules that, and the rest of the plan is not written either."""
    own = "//run.googleapis.com/projects/shop-test/locations/europe-west1/services/firebreak"
    revisions = (revision(GOOD, 7, "-10d", service_account=WEB), revision(BAD, 8, "-3h", service_account=PAY))
    accounts = [{"email": one} for one in (PAY, SAME_NAME, WEB)]
    world = world_of(revisions, service={"service_account": WEB}, service_accounts=accounts)
    steps = with_steps(ROADS[road].policy, "{action: pin_previous_revision}", STEP)
    with line(world, policy=steps, FIREBREAK_SELF=own) as on:
        again = revision("checkout-00009-bad", 8, "-1s", service_account=SAME_NAME)
        incident = ROADS[road].walk(on, on.finding(), lambda on: on.world.deploy("checkout", again))
        if road == "an expiry":
            yes(on, incident)

        assert on.updates == ()
        assert disabled(on) == set()
        assert phase(on, incident) == "monitored"
        assert "self" in {cap["name"] for cap in now(on, incident)["decision"]["caps"]}

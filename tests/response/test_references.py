"""What comes to lead to a suspect while a question waits, a plan is written or others are: drift, and never open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from firebreak.core.errors import Failed
from firebreak.core.incidents.incident import Incident
from sandbox.world import World
from tests.laws.grounds import GROUNDS, JOB
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line, Lines, world_of
from tests.response.test_pools_and_jobs import CANCEL_ONLY, STOP_AND_BLOCK, running
from tests.response.test_several_regions import APPROVED, ELSEWHERE, OTHER_BAD, OTHER_GOOD, THERE_TOO
from tests.response.test_several_regions import world_of as two_regions

pytestmark = pytest.mark.thorough

ON_BAD, ON_GOOD = {"revision": BAD, "percent": 100}, {"revision": GOOD, "percent": 100}
REVOKE = APPROVED.replace("pin_previous_revision, otherwise: [{action: cut_traffic}]", "revoke_public_access")


@dataclass
class Meddling:
    """A surface that writes, and as soon as it has written its first change to a region somebody else does too."""

    surface: Any
    region: str
    meddle: Callable[[], object]
    done: list[bool] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.surface, name)

    def write(self, change: Any, *rest: Any) -> str:
        operation = str(self.surface.write(change, *rest))
        if self.region in change.target.resource and not self.done:
            self.done.append(True)
            self.meddle()
        return operation


def meddling(on: Line, surface: str, region: str, meddle: Callable[[], object]) -> None:
    there: Any = Meddling(on.app.surfaces[surface], region, meddle)
    on.app = replace(on.app, surfaces={**on.app.surfaces, surface: there})


def tag(on: Line, service: str, revision: str, name: str = "late") -> Callable[[], None]:
    """Somebody gives one more tag, and leaves all else as it is."""

    def act() -> None:
        local = on.world.service(service)
        kept = [
            {"revision": one.revision, "percent": one.percent, "tag": one.tag}
            if one.revision
            else {"latest": True, "percent": one.percent, "tag": one.tag}
            for one in local.service.traffic
        ]
        on.world.set_traffic(service, *kept, {"revision": revision, "tag": name})

    return act


def answered(on: Line, incident: Incident) -> Incident:
    on.approve(incident)
    return on.read(incident)


def tags_of(on: Line, service: str) -> list[str]:
    return [one.tag for one in on.world.service(service).service.traffic_statuses if one.tag]


GROWS: Mapping[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "a tag of the suspect comes": ((ON_BAD,), (ON_BAD, {"revision": BAD, "tag": "late"})),
    "a tag that follows LATEST comes": ((ON_BAD,), (ON_BAD, {"latest": True, "tag": "late"})),
    "a tag moves to the suspect": (
        (ON_BAD, {"revision": GOOD, "tag": "blue"}),
        (ON_BAD, {"revision": BAD, "tag": "blue"}),
    ),
    "a suspect with a tag alone gets a share": (
        (ON_GOOD, {"revision": BAD, "tag": "blue"}),
        ({"revision": GOOD, "percent": 90}, {"revision": BAD, "percent": 10}, {"revision": BAD, "tag": "blue"}),
    ),
}


@pytest.mark.parametrize("case", GROWS)
def test_what_comes_to_lead_to_a_suspect_while_a_question_waits_is_asked_about_and_closed(
    line: Lines, case: str
) -> None:
    before, after = GROWS[case]
    with line(world_of(traffic=before), policy=APPROVED) as on:
        incident = on.respond(on.finding(workload=f"services/checkout/revisions/{BAD}"))
        on.world.set_traffic("checkout", *after)
        again = answered(on, incident)
        between = len(on.updates)
        contained = answered(on, again)

        assert (incident.phase, again.phase, between) == ("waiting", "waiting", 0)
        assert contained.phase == "contained"
        assert BAD not in on.reachable


def test_a_tag_of_a_revision_that_is_not_suspect_is_no_drift(line: Lines) -> None:
    """Nothing leads to a suspect that did not before."""
    with line(world_of(traffic=(ON_BAD, {"revision": GOOD, "tag": "blue"})), policy=APPROVED) as on:
        incident = on.respond(on.finding())
        tag(on, "checkout", GOOD)()

        assert answered(on, incident).phase == "contained"
        assert on.reachable == {GOOD: {"percent", "tag blue", "tag late"}}


@pytest.mark.parametrize("settle", [0.0, 0.3], ids=["at once", "later"])
def test_a_tag_that_comes_while_the_write_takes_effect_is_closed_before_it_is_called_contained(
    line: Lines, settle: float
) -> None:
    with line(world_of(settle_seconds=settle), policy=ALWAYS) as on:
        meddling(on, "service", "", tag(on, "checkout", BAD))
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert any(entry.what.startswith("drafted anew") for entry in incident.history)
        assert on.reachable == {GOOD: {"percent"}}


def test_a_tag_in_another_region_while_a_question_waits_is_asked_about(line: Lines) -> None:
    with line(two_regions(*THERE_TOO), policy=APPROVED) as on:
        incident = on.respond(on.finding())
        tag(on, ELSEWHERE, OTHER_BAD)()
        again = answered(on, incident)
        contained = answered(on, again)

        assert again.phase == "waiting"
        assert contained.phase == "contained"
        assert tags_of(on, ELSEWHERE) == []


@pytest.mark.parametrize(("service", "revision"), [(SERVICE, BAD), (ELSEWHERE, OTHER_BAD)], ids=["here", "there"])
def test_a_tag_between_two_writes_of_one_plan_is_closed_in_whichever_region(
    line: Lines, service: str, revision: str
) -> None:
    """In the region that was verified already, and in the one that is just being written."""
    with line(two_regions(*THERE_TOO), policy=ALWAYS) as on:
        meddling(on, "service", "us-east1", tag(on, service, revision))
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert tags_of(on, service) == []


def test_a_tag_in_a_region_that_was_left_alone_is_closed_there_too(line: Lines) -> None:
    """Nothing led to the suspect's image there when the plan was drawn."""
    with line(two_regions(*THERE_TOO), policy=ALWAYS) as on:
        on.world.set_traffic(ELSEWHERE, {"revision": OTHER_GOOD, "percent": 100})
        meddling(on, "service", "europe-west1", tag(on, ELSEWHERE, OTHER_BAD))
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert tags_of(on, ELSEWHERE) == []


def test_a_public_grant_that_comes_while_a_question_waits_is_asked_about_and_taken_out(line: Lines) -> None:
    """It is no setting of the plan that was shown, yet what the step is there to close."""
    with line(policy=REVOKE) as on:
        incident = on.respond(on.finding())
        local = on.world.service("checkout")
        local.policy.bindings.add(role="roles/run.admin", members=["allUsers"])
        local.policy_version += 1
        again = answered(on, incident)
        contained = answered(on, again)

        assert (incident.phase, again.phase, contained.phase) == ("waiting", "waiting", "contained")
        assert "allUsers" not in {member for one in local.policy.bindings for member in one.members}


def _runs(world: World) -> Callable[[], None]:
    def act() -> None:
        world.run_job(world.jobs[JOB], {"name": "nightly-late", "image": 8})

    return act


def _grants(world: World) -> Callable[[], None]:
    def act() -> None:
        world.jobs[JOB].policy.bindings.add(role="roles/run.jobsExecutor", members=["user:eve@shop.example"])
        world.jobs[JOB].policy_version += 1

    return act


def test_a_suspect_run_that_starts_while_others_are_cancelled_is_cancelled_too(line: Lines) -> None:
    with line(GROUNDS["job"].world(), policy=CANCEL_ONLY) as on:
        meddling(on, "executions", "", _runs(on.world))
        incident = on.respond(on.finding(workload="jobs/nightly"))

        assert incident.phase == "contained"
        assert running(on.world) == {"nightly-other"}


def test_whoever_may_run_a_job_since_the_plan_was_written_loses_it_too(line: Lines) -> None:
    with line(GROUNDS["job"].world(), policy=STOP_AND_BLOCK) as on:
        meddling(on, "job_iam", "", _grants(on.world))
        incident = on.respond(on.finding(workload="jobs/nightly"))
        members = {member for one in on.world.jobs[JOB].policy.bindings for member in one.members}

        assert incident.phase == "contained"
        assert "user:eve@shop.example" not in members


@dataclass
class EndsInAnError:
    """A surface whose writes take effect, while their operation says that they failed."""

    surface: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.surface, name)

    def wait(self, operation: str, deadline: Any) -> None:
        self.surface.wait(operation, deadline)
        raise Failed("INTERNAL: another revision is not ready")  # noqa: TRY003 - what an adapter says


def test_a_change_that_is_in_effect_is_no_failure_however_its_operation_ended(line: Lines) -> None:
    """No `otherwise` follows, and the service is not cut."""
    with line(policy=ALWAYS) as on:
        there: Any = EndsInAnError(on.app.surfaces["service"])
        on.app = replace(on.app, surfaces={**on.app.surfaces, "service": there})
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert on.reachable == {GOOD: {"percent"}}
        assert on.world.service("checkout").service.ingress == 1

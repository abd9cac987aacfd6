"""What passes is not final, and evidence aims nothing wrong, on jobs, worker pools and in further regions too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from firebreak.core.errors import Transient
from sandbox.blueprint import digest_of
from sandbox.scc.security_center import mute
from sandbox.wire import Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS, POOL
from tests.response.answers import now, phase, yes
from tests.response.conversation import asking, doing, story, writes
from tests.response.deployments import APPROVED, deployed, for_severity
from tests.response.harness import ALWAYS, Lines, revision
from tests.response.releases import running_as
from tests.response.test_missed import incidents, swept
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK, split
from tests.response.test_related_findings import MANY, many
from tests.response.test_several_regions import THERE, THERE_TOO
from tests.response.test_several_regions import world_of as two_regions
from tests.response.test_suspects_and_refuge import app, containers

pytestmark = pytest.mark.thorough


@dataclass(frozen=True)
class Kind:
    """A world, the finding's workload in it, and a policy that contains it."""

    world: Callable[[], World]
    workload: str
    policy: str


KINDS = {
    "regions": Kind(lambda: two_regions(*THERE_TOO), "services/checkout", ALWAYS),
    "pool": Kind(GROUNDS["worker_pool"].world, GROUNDS["worker_pool"].workload, ALWAYS),
    "job": Kind(GROUNDS["job"].world, GROUNDS["job"].workload, STOP_AND_BLOCK),
}
on_each = pytest.mark.parametrize("kind", KINDS)


@on_each
def test_a_mute_for_a_moment_spends_an_approval_and_ends_nothing(line: Lines, kind: str) -> None:
    on_ = KINDS[kind]
    with line(on_.world(), policy=asking(on_.policy)) as on:
        pair = on.finding(workload=on_.workload)
        incident = on.respond(pair)
        mute(on.world, pair["finding"]["name"])
        yes(on, incident)
        during = phase(on, incident), writes(on)
        mute(on.world, pair["finding"]["name"], "UNMUTED")
        on.wait(301)
        on.sweep()
        asked_anew = phase(on, incident)
        yes(on, incident)

        assert during == ("deferred", [])
        assert asked_anew == "waiting"
        assert phase(on, incident) == "contained"


@on_each
def test_what_was_rejected_is_decided_anew_where_a_person_says_retry(line: Lines, kind: str) -> None:
    on_ = KINDS[kind]
    with line(on_.world(), policy=asking(on_.policy)) as on:
        incident = on.respond(on.finding(workload=on_.workload))
        on.reject(incident)
        on.retry(incident, "bob")
        anew = phase(on, incident)
        yes(on, incident)

        assert anew == "waiting"
        assert phase(on, incident) == "contained"


@on_each
def test_a_lost_finding_is_found(line: Lines, kind: str) -> None:
    on_ = KINDS[kind]
    with line(on_.world(), policy=on_.policy) as on:
        on.finding(workload=on_.workload)
        counts = swept(on)

        assert counts["missed findings answered"] == 1
        assert [one.phase for one in incidents(on)] == ["contained"]


def test_service_accounts_that_are_away_are_named_as_such(line: Lines) -> None:
    """Whoever is asked looks for what is broken, and Cloud Run answers."""
    with line(running_as(), policy=doing("{action: pin_previous_revision}", "{action: disable_service_account}")) as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault("*/GetServiceAccount", "error", code="UNAVAILABLE", times=None))
        with pytest.raises(Transient, match="IAM's service accounts cannot be reached"):
            on.respond(pair)
        on.wait(601)
        incident = on.respond(pair)

        assert incident.phase == "waiting"
        assert "IAM's service accounts cannot be reached" in story(on, incident)
        assert "Cloud Run cannot" not in story(on, incident)


def test_a_further_region_that_is_away_for_twelve_seconds_costs_a_delivery_and_nothing_else(line: Lines) -> None:
    with line(two_regions(*THERE_TOO), policy=ALWAYS) as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault("*/GetService", "error", code="INTERNAL", times=None, routed=f"*{THERE}*"))
        with pytest.raises(Transient):
            on.respond(pair)
        during = writes(on)
        on.sandbox.wire.clear_faults()
        on.wait(12)
        incident = on.respond(pair)

        assert during == []
        assert (incident.phase, len(writes(on))) == ("contained", 2)


def sidecars() -> World:
    """Every revision of the pool has the same one, and each of two runs half of the instances."""
    revisions = [
        revision(f"indexer-0000{number}", number, age, sidecars=[3])
        for number, age in ((6, "-30d"), (7, "-10d"), (8, "-3h"))
    ]
    halves = [{"revision": f"indexer-0000{number}", "percent": 50} for number in (7, 8)]
    given: dict[str, Any] = {"name": POOL, "instances": 4, "revisions": revisions, "splits": halves}
    return World.load({"projects": {"shop-prod": {"number": "424242424242"}}, "worker_pools": [given]})


def test_a_sidecar_that_every_revision_of_a_pool_has_convicts_none_of_them(line: Lines) -> None:
    with line(sidecars(), policy=ALWAYS) as on:
        shared = {"name": "proxy", "imageId": digest_of(3)}
        incident = on.respond(containers(on, app(8), shared, workload="workerPools/indexer"))

        assert incident.phase == "contained"
        assert now(on, incident)["decision"]["suspects"] == ["indexer-00008"]
        assert set(split(on.world)) == {"indexer-00007"}


def test_an_image_s_digest_in_its_address_is_not_shadowed_by_the_id_on_a_pool_either(line: Lines) -> None:
    with line(GROUNDS["worker_pool"].world(), policy=ALWAYS) as on:
        given = {"name": "app", "imageId": f"sha256:{'c0' * 32}", "uri": f"registry.test/app@{digest_of(8)}"}
        incident = on.respond(containers(on, given, workload="workerPools/indexer"))

        assert incident.phase == "contained"
        assert set(split(on.world)) == {"indexer-00007"}


def test_what_was_found_true_of_a_pool_s_revision_is_no_refuge(line: Lines) -> None:
    ground = GROUNDS["worker_pool"]
    with line(ground.world(), policy=ALWAYS) as on:
        deployed(on, for_severity("CRITICAL", ALWAYS), for_severity("LOW", APPROVED))
        good = f"{ground.workload}/revisions/indexer-00007"
        other = on.respond(on.finding(workload=good, finding_id="other", severity="LOW", minutes_ago=4, image=None))
        on.close(other, "true_positive")
        mute(on.world, on.world.findings[0]["finding"]["name"])
        incident = on.respond(on.finding(workload=ground.workload))

        assert incident.phase == "contained"
        assert set(split(on.world)) == {"indexer-00006"}


def test_a_job_is_stopped_though_not_all_related_findings_can_be_read(line: Lines) -> None:
    """Nothing is turned to anything there: whatever else is suspect, those runs are."""
    ground = GROUNDS["job"]
    with line(ground.world(), policy=STOP_AND_BLOCK) as on:
        many(on, "jobs/nightly/executions/nightly-bad", MANY, source="5678")
        incident = on.respond(on.finding(workload=ground.workload))

        assert incident.phase == "contained", story(on, incident)


@pytest.mark.parametrize(
    ("kind", "anybody", "public"), [("job", True, True), ("job", False, False), ("pool", True, False)]
)
def test_whether_it_is_public_is_told_by_who_may_run_a_job_and_a_pool_never_is(
    line: Lines, kind: str, *, anybody: bool, public: bool
) -> None:
    on_ = KINDS[kind]
    with line(on_.world(), policy=on_.policy) as on:
        for job in on.world.jobs.values():
            del job.policy.bindings[:]
            job.policy.bindings.add(role="roles/run.invoker", members=["allUsers"] if anybody else ["user:a@b.example"])
        incident = on.respond(on.finding(workload=on_.workload))
        (workload,) = (one for one in now(on, incident)["evidence"] if one["source"] == "workload")

        assert workload["facts"]["workload.public"] is public

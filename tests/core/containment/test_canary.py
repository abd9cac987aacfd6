"""What the drill's source may reach, asked of the guard alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.canary import Canary, beyond_the_canary
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.policy.policy import Config, Drill
from tests.core.containment.guard_situations import FINDING, OWN_SEEN, TARGET, bar, said

NOW = 1_000
CANARY = Canary("uid-1", TARGET, "9999", "ada", NOW + 1)
DRILL = Drill("9999", frozenset({TARGET.project}))
SEEN = replace(OWN_SEEN, workload=replace(OWN_SEEN.workload, uid="uid-1")) if OWN_SEEN.workload else OWN_SEEN
ELSEWHERE = Target(TARGET.project, "us-central1", "service", "other")
NOT_ANNOUNCED = "this is not the canary of a drill that was announced"


def plan_on(*targets: Target, fallback: tuple[Target, ...] = ()) -> Plan:
    made = [Change(one, "service", {}, {}, {}, ()) for one in (*targets, *fallback)]
    return Plan(tuple(made[: len(targets)]), (), fallback=tuple(made[len(targets) :]))


def test_the_very_canary_and_nothing_else_is_within_reach() -> None:
    assert beyond_the_canary(CANARY, DRILL, (SEEN,), plan_on(TARGET, fallback=(TARGET,)), NOW) == ""
    assert beyond_the_canary(CANARY, DRILL, (SEEN,), None, NOW) == ""


@pytest.mark.parametrize(
    ("canary", "why"),
    [
        (None, NOT_ANNOUNCED),
        (replace(CANARY, uid="uid-2"), NOT_ANNOUNCED),
        (replace(CANARY, source="8888"), NOT_ANNOUNCED),
        (replace(CANARY, expires_ns=NOW), "this canary was made more than an hour ago"),
    ],
)
def test_another_canary_or_an_old_one_is_none(canary: Canary | None, why: str) -> None:
    assert beyond_the_canary(canary, DRILL, (SEEN,), plan_on(TARGET), NOW) == why


def test_a_resource_whose_uid_is_not_known_is_no_canary() -> None:
    assert beyond_the_canary(replace(CANARY, uid=""), DRILL, (OWN_SEEN,), None, NOW) == NOT_ANNOUNCED
    assert beyond_the_canary(CANARY, DRILL, (), None, NOW) == NOT_ANNOUNCED


def test_a_project_that_is_taken_from_the_list_ends_its_drills() -> None:
    found = beyond_the_canary(CANARY, replace(DRILL, projects=frozenset({"other"})), (SEEN,), plan_on(TARGET), NOW)

    assert found == f"firebreak.yaml does not list {TARGET.project} among the projects of drills"


@pytest.mark.parametrize("plan", [plan_on(TARGET, ELSEWHERE), plan_on(TARGET, fallback=(ELSEWHERE,))])
def test_a_plan_with_any_change_elsewhere_is_stopped_whole(plan: Plan) -> None:
    assert beyond_the_canary(CANARY, DRILL, (SEEN,), plan, NOW) == (
        "the plan could reach more than its canary: us-central1"
    )


def test_a_target_that_was_only_looked_at_stops_it_too() -> None:
    beside = replace(SEEN, target=ELSEWHERE)

    assert beyond_the_canary(CANARY, DRILL, (SEEN, beside), plan_on(TARGET), NOW).endswith("its canary: us-central1")


def test_the_drill_s_source_stays_bound_to_its_canary_also_where_it_is_listed_with_the_others() -> None:
    source = FINDING.name.source
    config = Config(sources=frozenset({source}), drill=Drill(source, DRILL.projects))

    assert said(config=config) == bar("source", f"SCC source {source} is the drill's, and {NOT_ANNOUNCED}")


def test_the_drill_s_source_is_no_bar_on_its_canary_and_one_on_all_else() -> None:
    drills = Config(drill=replace(DRILL, source=FINDING.name.source))
    canary = replace(CANARY, source=FINDING.name.source)

    assert said(plan_on(TARGET), config=drills, canary=canary, seen=(SEEN,), now_ns=NOW) == []
    assert [name for name, _, _ in said(plan_on(TARGET), config=drills, seen=(SEEN,), now_ns=NOW)] == ["source"]

"""A backtest draws the plan that the function drew, with the same policy, mode and reasons: over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from firebreak.backtest.deciding import Verdict, verdict_on
from firebreak.backtest.past import past_in
from firebreak.core.incidents.record import record
from sandbox.wire import Fault
from sandbox.world import World
from tests.backtest.test_same_as_the_function import rules
from tests.laws.grounds import GROUNDS
from tests.response.deployments import APPROVED
from tests.response.harness import ALWAYS, BAD, GOOD, PIN_ONLY, Line, Lines, revision, world_of
from tests.response.test_service_accounts import PAY, policy
from tests.response.test_service_accounts import world_of as with_account
from tests.response.test_several_regions import THERE_TOO
from tests.response.test_several_regions import world_of as two_regions


@dataclass(frozen=True)
class Case:
    """A world, a policy for it, what happens first, and the finding."""

    world: Callable[[], World] = world_of
    policy: str = ALWAYS
    before: Callable[[Line], object] = lambda _: None
    scene: dict[str, Any] = field(default_factory=dict)
    config: str = "ceiling: enforce"


@pytest.fixture
def line(tmp_path: Path) -> Lines:
    """Call it with a world to get the whole line on it."""
    return Lines(tmp_path)


def denied(method: str) -> Callable[[Line], object]:
    return lambda on: on.sandbox.wire.inject(Fault(method, "error", code="PERMISSION_DENIED", times=None))


def another_stands(on: Line) -> None:
    on.respond(on.finding(finding_id="before", minutes_ago=3))


def one_was_released(on: Line) -> None:
    on.release(on.respond(on.finding(finding_id="before", minutes_ago=3)))


def another_suspects_the_refuge(on: Line) -> None:
    other = on.finding(finding_id="before", workload=f"services/checkout/revisions/{GOOD}", image=None, minutes_ago=5)
    on.reject(on.respond(other))


CASES = {
    "a service": Case(),
    "asked about": Case(policy=APPROVED),
    "by name": Case(scene={"workload": f"services/checkout/revisions/{BAD}", "image": None}),
    "by age alone": Case(scene={"image": None}),
    "changed since": Case(lambda: world_of(service={"updated": "-1s"}), scene={"image": None, "minutes_ago": 30}),
    "nothing to go back to": Case(lambda: world_of((revision(BAD, 8, "-3h"),))),
    "nothing to go back to, and nothing else": Case(lambda: world_of((revision(BAD, 8, "-3h"),)), PIN_ONLY),
    "an image that is nowhere": Case(scene={"image": 77}),
    "nothing leads to it": Case(scene={"image": 6}),
    "a worker pool": Case(GROUNDS["worker_pool"].world, scene={"workload": "workerPools/indexer"}),
    "a job": Case(GROUNDS["job"].world, policy("{action: block_runs}"), scene={"workload": "jobs/nightly"}),
    "runs of a job": Case(
        GROUNDS["job"].world, policy("{action: cancel_executions}"), scene={"workload": "jobs/nightly"}
    ),
    "a shared account": Case(lambda: with_account(PAY), policy("{action: disable_service_account}")),
    "two regions": Case(lambda: two_regions(*THERE_TOO)),
    "two regions, one of which cannot be told": Case(lambda: two_regions(*THERE_TOO), scene={"image": None}),
    "a region that is denied": Case(
        lambda: two_regions(*THERE_TOO),
        before=lambda on: on.sandbox.wire.inject(
            Fault("*/GetService", "error", code="PERMISSION_DENIED", times=None, routed="*us-east1*")
        ),
    ),
    "grants that are denied": Case(policy=policy("{action: revoke_public_access}"), before=denied("*/GetIamPolicy")),
    "a workload that is denied": Case(before=denied("*/GetService")),
    "related findings that are denied": Case(before=denied("*/ListFindings"), scene={"image": None}),
    "contained already": Case(before=another_stands),
    "contained already, with another suspect": Case(
        before=another_stands, scene={"workload": f"services/checkout/revisions/{GOOD}", "image": None}
    ),
    "released within the day": Case(before=one_was_released),
    "a refuge that another suspects": Case(before=another_suspects_the_refuge),
    "of a source that is not listed": Case(scene={"source": "77"}),
    "protected": Case(config="ceiling: enforce\nprotected: [{service: checkout}]"),
}
MOVES = {
    "contained": {"contain"},
    "waiting": {"ask"},
    "monitored": {"record"},
    "declined": {"nothing to contain"},
    "failed": {"nothing can be done"},
}


def replayed(on: Line, shown: dict[str, Any]) -> Verdict:
    """What the backtest makes of the record, as it stands in a file."""
    (past,) = past_in(json.loads(json.dumps(shown)))
    return verdict_on(past, rules(on.app.policies))


def steps(shown: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Each change of a recorded plan."""
    changes = (shown["plan"] or {"changes": []})["changes"]
    return [(one["target"], one["surface"], one["before"], one["after"], one["actions"]) for one in changes]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_of_what_was_recorded_the_same_is_decided_and_drawn(line: Lines, case: Case) -> None:
    with line(case.world(), policy=case.policy, config=case.config) as on:
        case.before(on)
        incident = on.respond(on.finding(**case.scene))
        shown = record(incident)
        verdict = replayed(on, shown)

        decision = shown["decision"]
        assert verdict.mode is not None
        assert (verdict.policy, verdict.mode.word) == (decision["policy"], decision["mode"])
        assert [(one.name, one.reason) for one in verdict.caps] == [
            (one["name"], one["reason"]) for one in decision["caps"]
        ]
        assert verdict.plan is not None
        again = [
            (one.target.resource, one.surface, dict(one.before), dict(one.after), list(one.actions))
            for one in verdict.plan.changes
        ]
        assert again == steps(shown)
        assert [(one.action, one.reason) for one in verdict.plan.refusals] == [
            (one["action"], one["reason"]) for one in shown["plan"]["refusals"]
        ]
        assert verdict.move in MOVES[incident.phase]
        assert len(json.dumps(shown["rested_on"])) < 8_000

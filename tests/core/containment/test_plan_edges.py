"""Plans, piece by piece: what each step adds, what follows when one fails, and what belongs to which target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.actions.case import EditContext, basis_of
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.actions.words import RefusalKind
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.drafting import draft, fold, settings_still_to_close
from firebreak.core.containment.plan import Change, HeldStep, Plan, StepRefusal, apply_change, has_settings
from firebreak.core.policy.policy import Step

NONE: frozenset[str] = frozenset()
TARGET = Target("p", "l", "service", "svc")
ELSEWHERE = replace(TARGET, location="m")
ACCOUNT = Target("p", "global", "service_account", "run@p.iam.gserviceaccount.com")
CASE = EditContext(TARGET, Suspicion("named", frozenset({"r-1"}), "why"), (), None, NONE)
OPEN: State = {"service.ingress": "all", "service_iam.all": True, "service.other": 1}


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets one setting, or unsets it; refuses where another setting says so."""

    key: str
    value: Setting | None
    surfaces: frozenset[str]
    kinds: frozenset[str] = frozenset({"service"})
    params: type = NoParams

    def edit(self, before: State, case: EditContext, params: object) -> State | Refusal:  # noqa: ARG002 - it is a fixed edit
        if before.get("service.refuses") == self.key:
            return Refusal("refused", cast("RefusalKind", before.get("service.kind", "cannot")))
        kept = {key: value for key, value in before.items() if key != self.key}
        return kept if self.value is None else {**kept, self.key: self.value}


KINDS = ("cannot", "nothing_suspect")
SERVICE, IAM, IDENTITY = frozenset({"service"}), frozenset({"service_iam"}), frozenset({"service_account"})
ACTIONS = cast(
    "Mapping[str, Responder]",
    {
        "close": Sets("service.ingress", "none", SERVICE),
        "reopen": Sets("service.ingress", "all", SERVICE),
        "revoke": Sets("service_iam.all", None, IAM),
        "mark": Sets("service.mark", 1, SERVICE),
        "both": Sets("service.ingress", "none", SERVICE | IAM),
        "jobs": Sets("executions.e", "cancelled", frozenset({"executions"}), frozenset({"job", "worker_pool"})),
        "watch": Sets("service.watched", 1, SERVICE, frozenset({"instance"})),
        "disable": Sets(f"service_account.{ACCOUNT.name}", "disabled", IDENTITY),
    },
)


KNOWN = replace(CASE, uids={TARGET.key: "u-1"})
"""The same, of a resource whose own identity is known."""


def step(action: str, *otherwise: Step) -> Step:
    return Step(action, NoParams(), otherwise)


def drawn(*steps: Step, state: State = OPEN, case: EditContext = CASE, **others: Any) -> Plan:
    return draft(steps, state, case, ACTIONS, **others)


def told(changes: tuple[Change, ...]) -> list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...]]]:
    return [(one.surface, dict(one.before), dict(one.after), one.actions) for one in changes]


def test_surfaces_are_written_in_the_order_in_which_the_steps_name_them() -> None:
    plan = drawn(step("revoke"), step("mark"), step("close"), case=KNOWN, policy_set="abc")

    assert told(plan.changes) == [
        ("service_iam", {"service_iam.all": True}, {"service_iam.all": None}, ("revoke",)),
        (
            "service",
            {"service.ingress": "all", "service.mark": None},
            {"service.ingress": "none", "service.mark": 1},
            ("mark", "close"),
        ),
    ]
    assert plan.steps == (HeldStep("revoke", {}), HeldStep("mark", {}), HeldStep("close", {}))
    assert (plan.refusals, plan.fallback, plan.policy_set) == ((), (), "abc")
    assert {one.target for one in plan.changes} == {TARGET}
    assert plan.changes[0].basis == {"uid": "u-1", "suspects": ["r-1"]}


def test_what_is_so_already_is_a_change_without_settings_to_be_verified() -> None:
    plan = drawn(step("reopen"))

    assert told(plan.changes) == [("service", {}, {}, ("reopen",))]
    assert not plan.writes
    assert drawn(step("close")).writes


def test_what_refuses_is_replaced_by_its_otherwise_and_both_are_told() -> None:
    plan = drawn(step("close", step("mark"), step("revoke")), state={**OPEN, "service.refuses": "service.ingress"})

    assert plan.refusals == (StepRefusal("close", "refused"),)
    assert [one.action for one in plan.steps] == ["mark", "revoke"]


def test_refusals_within_an_otherwise_come_after_those_above_them() -> None:
    refusing = {**OPEN, "service.refuses": "service.ingress"}
    plan = drawn(step("revoke"), step("close", step("both"), step("mark")), state=refusing)

    assert [one.action for one in plan.refusals] == ["close", "both"]
    assert [one.action for one in plan.steps] == ["revoke", "mark"]


def test_an_action_that_does_not_act_on_such_a_target_refuses_in_words() -> None:
    pool = replace(CASE, target=replace(TARGET, kind="worker_pool"))

    assert drawn(step("jobs")).refusals == (StepRefusal("jobs", "jobs does not act on a service"),)
    assert drawn(step("close"), case=pool).refusals == (StepRefusal("close", "close does not act on a worker pool"),)


def test_an_action_whose_surfaces_could_not_be_read_refuses_with_each_reason() -> None:
    unread = replace(CASE, unread={"service_iam": "denied", "service": "gone", "job_iam": "nobody asks"})
    reason = "service could not be read: gone; service_iam could not be read: denied"

    assert drawn(step("both"), case=unread).refusals == (StepRefusal("both", reason, "unread"),)


def test_an_otherwise_follows_where_an_edit_cannot_be_made_and_neither_what_is_unread_nor_that_nothing_is_suspect() -> (
    None
):
    unread = replace(CASE, unread={"service_iam": "denied"})
    cannot, nothing = ({**OPEN, "service.refuses": "service.mark", "service.kind": kind} for kind in KINDS)

    assert drawn(step("both", step("close")), case=unread).changes == ()
    assert drawn(step("mark", step("close")), state=nothing).changes == ()
    assert [one.actions for one in drawn(step("mark", step("close")), state=cannot).changes] == [("close",)]


def test_a_plan_that_would_loosen_anything_draws_nothing_and_says_what() -> None:
    shut = {**OPEN, "service.ingress": "internal"}
    plan = drawn(step("reopen"), step("mark"), state=shut)
    reason = "it would loosen service.ingress"

    assert plan == Plan((), (), (StepRefusal("reopen", reason), StepRefusal("mark", reason)))
    assert drawn(step("mark", step("reopen")), state=shut).fallback == ()


def test_what_the_steps_would_still_close_has_come_since_the_draft() -> None:
    (change,) = drawn(step("revoke")).changes
    held = (HeldStep("both", {}), HeldStep("revoke", {}))
    by_then = {**OPEN, "service_iam.all": True, "service_iam.more": True}
    actions = {**ACTIONS, "revoke": cast("Responder", Sets("service_iam.more", None, IAM))}

    assert settings_still_to_close(change, held, OPEN, CASE, actions) == ()
    assert settings_still_to_close(change, held, by_then, CASE, actions) == ("service_iam.more",)
    assert settings_still_to_close(replace(change, surface="job_iam"), held, by_then, CASE, actions) == ()


def test_steps_that_undo_each_other_draw_nothing_and_say_which() -> None:
    refusing = {**OPEN, "service.refuses": "service.mark"}
    plan = drawn(step("mark"), step("close"), step("reopen"), state=refusing, policy_set="abc")
    undone = StepRefusal("close", "a later step of the policy undoes it; nothing is written")

    assert plan == Plan((), (), (StepRefusal("mark", "refused"), undone), (), "abc")


def test_a_step_that_failed_before_gives_way() -> None:
    plan = drawn(step("close", step("mark")), failed=frozenset({"close"}))

    assert plan.refusals == (StepRefusal("close", "it failed before"),)
    assert [one.action for one in plan.steps] == ["mark"]


def test_the_fallback_is_the_plan_in_which_steps_with_an_otherwise_give_way() -> None:
    plan = drawn(step("close", step("mark")), step("revoke"))

    assert told(plan.fallback) == [
        ("service", {"service.mark": None}, {"service.mark": 1}, ("mark",)),
        ("service_iam", {"service_iam.all": True}, {"service_iam.all": None}, ("revoke",)),
    ]
    assert plan.fallback[0].target == TARGET


def test_there_is_no_fallback_without_an_otherwise_or_without_a_write() -> None:
    assert drawn(step("close")).fallback == ()
    assert drawn(step("reopen", step("reopen"))).fallback == ()


def test_a_fallback_whose_steps_undo_each_other_is_none() -> None:
    plan = drawn(step("mark", step("reopen")), step("close"))

    assert plan.writes
    assert plan.fallback == ()


def test_what_failed_before_stays_failed_in_the_fallback() -> None:
    plan = drawn(step("revoke", step("both", step("mark"))), step("close", step("mark")), failed=frozenset({"revoke"}))

    assert [one.actions for one in plan.changes] == [("both", "close"), ("both",)]
    assert [one.actions for one in plan.fallback] == [("mark", "mark")]


def test_a_change_to_an_account_is_its_own_targets_and_comes_last_whatever_the_steps_say() -> None:
    """It holds its own setting alone. What runs as a disabled account may take no update, so that is disabled last."""
    case = replace(CASE, accounts=(ACCOUNT,))
    mine, other = f"service_account.{ACCOUNT.name}", "service_account.other@p"
    plan = drawn(step("disable"), step("close"), state={**OPEN, mine: "enabled", other: "enabled"}, case=case)

    assert [(one.target, dict(one.after)) for one in plan.changes] == [
        (TARGET, {"service.ingress": "none"}),
        (ACCOUNT, {mine: "disabled"}),
    ]
    assert drawn(step("disable")).changes == ()


def test_a_change_to_where_revisions_are_rests_on_what_was_known_of_them_and_any_other_on_the_suspects_alone() -> None:
    case = replace(KNOWN, latest="r-2", reachable=frozenset({"r-2", "r-1"}), unsupported=frozenset({"x=y"}))
    service, access = drawn(step("close"), step("revoke"), case=case).changes

    assert service.basis == {
        "uid": "u-1",
        "latest": "r-2",
        "reachable": ["r-1", "r-2"],
        "suspects": ["r-1"],
        "references": {},
        "ready": {},
        "unsupported": ["x=y"],
    }
    assert access.basis == {"uid": "u-1", "suspects": ["r-1"]}


def test_a_change_rests_on_every_tag_and_share_that_still_leads_to_a_suspect_once_it_is_made() -> None:
    case = replace(CASE, latest="r-1")
    tags = {"service.traffic.tag.next": "LATEST", "service.traffic.tag.bad": "r-1", "service.traffic.tag.ok": "r-2"}
    leading = {"service.traffic.tag.bad": "r-1", "service.traffic.tag.next": "r-1"}
    shares = {"service.traffic.split": "r-1=0,r-2=100"}, {"service.traffic.split": "LATEST=1,r-2=99"}
    listed, served = (drawn(step("close"), state={**OPEN, **tags, **one}, case=case).changes[0] for one in shares)

    assert listed.basis["references"] == leading
    assert served.basis["references"] == {"service.traffic.split": "r-1", **leading}


def test_the_basis_of_cancelled_runs_is_which_suspects_would_run_on() -> None:
    target = replace(TARGET, kind="job")
    job = replace(CASE, target=target, uids={target.key: "u-2"})
    state = {"executions.r-1": "running", "executions.r-2": "running"}

    assert basis_of(job, target, state, "executions") == {"uid": "u-2", "suspects": ["r-1"], "references": ["r-1"]}
    assert basis_of(job, target, {**state, "executions.r-1": "cancelled"}, "executions")["references"] == []


def test_a_kind_of_target_without_surfaces_has_nothing_to_change() -> None:
    instance = replace(CASE, target=replace(TARGET, kind="instance"))

    assert drawn(step("watch"), case=instance).changes == ()


def test_a_plan_is_of_no_policy_set_unless_it_is_told() -> None:
    assert drawn(step("close")).policy_set == ""


def change(target: Target, *actions: str) -> Change:
    return Change(target, "service", {}, {"service.mark": 1}, {}, actions)


def test_each_target_has_its_own_changes_and_steps() -> None:
    steps = (HeldStep("close", {}), HeldStep("mark", {}), HeldStep("revoke", {}))
    plan = Plan((change(TARGET, "close"), change(ELSEWHERE, "mark"), change(TARGET, "revoke")), steps)

    assert plan.targets == (TARGET, ELSEWHERE)
    assert plan.changes_to(ELSEWHERE) == (change(ELSEWHERE, "mark"),)
    assert plan.steps_on(TARGET) == (steps[0], steps[2])
    assert plan.steps_on(ELSEWHERE) == (steps[1],)


def test_plans_of_several_targets_stand_beside_each_other_with_the_place_in_each_further_refusal() -> None:
    close, mark = HeldStep("close", {}), HeldStep("mark", {})
    own = Plan((change(TARGET, "close"),), (close,), (StepRefusal("jobs", "no"),), (change(TARGET, "mark"),), "abc")
    other = Plan(
        (change(ELSEWHERE, "close"),),
        (close, mark),
        (StepRefusal("revoke", "why"),),
        (change(ELSEWHERE, "mark"),),
        "not taken",
    )

    assert own.combined_with(other, "m") == Plan(
        (change(TARGET, "close"), change(ELSEWHERE, "close")),
        (close, mark),
        (StepRefusal("jobs", "no"), StepRefusal("revoke", "m: why")),
        (change(TARGET, "mark"), change(ELSEWHERE, "mark")),
        "abc",
    )


def test_the_digest_covers_what_runs_and_nothing_else() -> None:
    plan = Plan((change(TARGET, "close"),), (HeldStep("close", {}),), (), (change(TARGET, "mark"),), "abc")
    other = [
        replace(plan, changes=(change(ELSEWHERE, "close"),)),
        replace(plan, changes=(replace(plan.changes[0], before={"service.mark": 2}),)),
        replace(plan, changes=(replace(plan.changes[0], after={"service.mark": 2}),)),
        replace(plan, changes=(replace(plan.changes[0], basis={"ready": {}}),)),
        replace(plan, changes=(change(TARGET, "mark"),)),
        replace(plan, fallback=()),
        replace(plan, policy_set="abd"),
    ]

    assert len({plan.digest, *(one.digest for one in other)}) == len(other) + 1
    assert replace(plan, refusals=(StepRefusal("jobs", "no"),), steps=()).digest == plan.digest


def test_a_digest_does_not_hang_on_the_order_in_which_settings_were_read() -> None:
    settings: dict[str, Setting | None] = {"service.b": 1, "service.a": 2}
    plan = Plan((Change(TARGET, "service", {}, settings, {}, ("close",)),), ())
    turned = Plan((Change(TARGET, "service", {}, dict(reversed(settings.items())), {}, ("close",)),), ())

    assert plan.digest == turned.digest


def test_a_change_laid_over_the_settings_leaves_what_it_does_not_name() -> None:
    made = Change(TARGET, "service", {}, {"service.ingress": "none", "service.other": None}, {}, ())

    assert apply_change(OPEN, made) == {"service.ingress": "none", "service_iam.all": True}


@pytest.mark.parametrize(
    ("settings", "stands"),
    [({}, True), ({"x": 1, "y": None}, True), ({"x": 2}, False), ({"x": None}, False), ({"x": 1, "z": 0}, False)],
)
def test_settings_stand_where_each_of_them_does(settings: dict[str, Setting | None], *, stands: bool) -> None:
    assert has_settings({"x": 1}, settings) is stands


def test_a_fold_of_no_steps_is_what_was_there() -> None:
    folded = fold((), OPEN, CASE, ACTIONS, NONE)

    assert (folded.state, folded.steps, folded.refusals) == (OPEN, (), ())

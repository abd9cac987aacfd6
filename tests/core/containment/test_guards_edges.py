"""Each guard at its edge, alone: the last that passes, the first that does not, and the reason word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.guards import CLOCKS_APART, caps_for
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import StepRefusal
from firebreak.core.mode import Cap, Ceiling, Mode
from firebreak.core.policy.policy import Config, Drill
from firebreak.core.policy.protected import Pattern, Protected
from tests.core.containment.guard_situations import (
    ACTIONS,
    EVENT,
    FINDING,
    NONE,
    OWN,
    SECOND,
    TARGET,
    WRITES,
    bar,
    case,
    caution,
    keys_of,
    said,
    seen,
    situation,
    step,
    workload,
)


def test_where_nothing_is_wrong_nothing_is_capped() -> None:
    assert said() == []
    assert said(plan=None, seen=seen(workload=None, case=None)) == []


def test_every_ceiling_below_enforce_is_named_and_bars_come_before_cautions() -> None:
    ceilings = (
        Ceiling(Mode.APPROVE, "from firebreak.yaml"),
        Ceiling(Mode.ENFORCE, "nowhere"),
        Ceiling(Mode.MONITOR, "halted", "halt"),
        Ceiling(Mode.MONITOR, "from the environment"),
    )

    assert said(ceilings=ceilings) == [
        ("halt", "bar", "halted"),
        ("ceiling", "bar", "from the environment"),
        ("ceiling", "caution", "from firebreak.yaml"),
    ]
    assert caps_for(situation(ceilings=ceilings[:2]), WRITES, ACTIONS) == (
        Cap("ceiling", "caution", "from firebreak.yaml"),
    )


def test_a_source_that_is_not_listed_is_barred_by_its_id() -> None:
    reason = f"SCC source {FINDING.name.source} is not listed in firebreak.yaml"

    assert said(config=Config(sources=frozenset({"another"}))) == bar("source", reason)


def test_a_finding_of_a_listed_source_is_no_drill_s_because_there_are_drills() -> None:
    drills = replace(situation().config, drill=Drill("another", NONE))

    assert said(config=drills) == []


@pytest.mark.parametrize("trust", ["missing", "older", "differs"])
def test_what_scc_does_not_hold_as_told_is_barred(trust: str) -> None:
    assert said(trust=trust, trust_reason="why") == bar("unverified", "why")


def test_what_scc_could_not_be_asked_about_is_cautioned() -> None:
    assert said(trust="unreachable", trust_reason="why") == caution("unconfirmed", "not confirmed by SCC: why")


@pytest.mark.parametrize("spelling", ["shop", "1"])
def test_the_project_of_firebreak_itself_is_barred_by_id_and_by_number(spelling: str) -> None:
    reason = "shop is the project that Firebreak itself runs in"

    assert said(own=(OWN.format("other"), OWN.format(spelling))) == bar("self", reason)


def test_a_project_that_is_known_to_be_another_is_not_firebreaks() -> None:
    """What is no Cloud Run resource names no project."""
    assert said(own=(OWN.format("other"), OWN.format("2"), "nonsense")) == []


@pytest.mark.parametrize(
    ("spelling", "known"), [("other", {"project_number": "1"}), ("2", {"project_id": "shop"})], ids=["id", "number"]
)
def test_where_only_one_spelling_is_known_on_each_side_the_project_may_be_firebreaks_and_is_barred(
    spelling: str, known: dict[str, str]
) -> None:
    reason = "it is not known whether this is the project that Firebreak itself runs in"
    target = Target("p", "l", "service", "svc", None, None, known.get("project_id"), known.get("project_number"))

    assert said(own=(OWN.format(spelling),), seen=seen(target=target)) == bar("self", reason)


def test_a_further_target_in_firebreaks_project_is_barred_once() -> None:
    account = replace(TARGET, project="ops", project_id="ops", project_number="3")
    further = tuple(
        Seen(one, workload(), case(), Standing(one.key)) for one in (account, replace(account, location="m"))
    )
    reason = "ops is the project that Firebreak itself runs in"

    assert said(own=(OWN.format("ops"),), seen=(*seen(), *further)) == bar("self", reason)


@pytest.mark.parametrize(
    "entry",
    [
        Protected(project=Pattern("shop")),
        Protected(project=Pattern("1")),
        Protected(service=Pattern("svc")),
        Protected(folder="7"),
        Protected(labels=(("tier", Pattern("critical")),)),
    ],
)
def test_each_part_of_a_protected_entry_is_compared_with_what_it_is_about(entry: Protected) -> None:
    config = replace(situation().config, protected=(Protected(service=Pattern("another")), entry))

    assert said(config=config, seen=seen(workload=workload(tier="critical"))) == caution(
        "protected", "firebreak.yaml protects this workload"
    )


@pytest.mark.parametrize(
    ("entry", "changes"),
    [
        (Protected(folder="8"), {"finding": replace(FINDING, folders=None)}),
        (Protected(labels=(("tier", Pattern("critical")),)), {"seen": seen(workload=None)}),
    ],
)
def test_a_protected_entry_about_something_unknown_is_cautioned_too(entry: Protected, changes: dict[str, Any]) -> None:
    config = replace(situation().config, protected=(entry,))

    assert said(config=config, **changes) == caution(
        "protected", "it is not known whether firebreak.yaml protects this workload"
    )
    assert said(config=config) == []


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (-CLOCKS_APART, None),
        (-CLOCKS_APART - 1, "the event is dated 10 minutes after it arrived"),
        (3_600, None),
        (3_601, "the event was 60 minutes old when it was taken up"),
        (7_199, "the event was 119 minutes old when it was taken up"),
        (7_200, "the event was 2 hours old when it was taken up"),
        (48 * 3_600 - 1, "the event was 47 hours old when it was taken up"),
        (48 * 3_600, "the event was 2 days old when it was taken up"),
    ],
)
def test_an_event_may_be_an_hour_old_and_ten_minutes_ahead(age: int, reason: str | None) -> None:
    assert said(age_ns=age * SECOND) == (caution("stale", reason) if reason else [])


def test_an_age_below_two_minutes_is_told_in_minutes_too() -> None:
    soon = replace(situation().config, stale_after=30)

    assert said(config=soon, age_ns=60 * SECOND) == caution("stale", "the event was 1 minutes old when it was taken up")


def test_a_part_of_a_second_makes_nothing_stale() -> None:
    assert said(age_ns=3_601 * SECOND - 1) == []


def test_sources_that_an_action_needs_are_named_also_behind_otherwise() -> None:
    steps = (step("plain", step("plain", step("needy"))),)

    assert said(steps=steps, gaps=("logs", "attack", "virustotal")) == [
        *caution("evidence", "needed sources without an answer: attack"),
        *caution("evidence", "needed sources without an answer: logs"),
    ]
    assert said(steps=steps, gaps=("virustotal",)) == []
    first = (step("needy", step("plain")),)
    assert said(steps=first, gaps=("logs",)) == caution("evidence", "needed sources without an answer: logs")


def test_what_cannot_be_placed_is_cautioned_with_its_reason() -> None:
    assert said(seen=seen(case=case("unplaced"))) == caution("unplaced", "by rule unplaced")


def test_what_cannot_be_placed_holds_nothing_up_where_others_give_a_suspect_that_something_leads_to() -> None:
    """It is asked about after that; where nothing leads there, or nothing is held yet, it is asked about at once."""
    beside = replace(case(), suspicion=replace(case().suspicion, unplaced="nowhere"))
    served = replace(beside, reachable=frozenset({"r-1"}))
    held = Standing("k", holds=(Hold("fb-1", (), NONE, 1),))

    assert said(plan=None, seen=seen(case=beside)) == caution("unplaced", "nowhere")
    assert said(plan=None, seen=seen(case=served)) == []
    assert said(plan=None, seen=seen(case=beside, standing=held)) == []


CHANGED = "suspects are inferred, and the service has changed since the event"


HELD = (Hold("fb-1", (), NONE, 1),)


@pytest.mark.parametrize(
    ("updated_ns", "standing", "changed"),
    [
        (EVENT, Standing("k"), False),
        (EVENT + 1, Standing("k"), True),
        (EVENT + 1, Standing("k", changed_ns=EVENT + 1), False),
        (EVENT + 2, Standing("k", changed_ns=EVENT + 1), True),
        (EVENT, Standing("k", holds=HELD, origin_changed_ns=EVENT + 1), True),
        (EVENT, Standing("k", holds=HELD, origin_changed_ns=EVENT), False),
        (EVENT, Standing("k", holds=HELD), False),
        (EVENT, Standing("k", origin_changed_ns=EVENT + 1), False),
        (EVENT + 2, Standing("k", holds=HELD, changed_ns=EVENT + 1), True),
        (EVENT + 1, Standing("k", holds=HELD, changed_ns=EVENT + 1), False),
        (EVENT + 1, Standing("k", holds=HELD, changed_ns=EVENT - 1), True),
        (EVENT + 2, Standing("k", holds=HELD, changed_ns=EVENT + 1, pending={"x": 1}), False),
        (EVENT + 2, Standing("k", holds=HELD), False),
        (EVENT + 1, None, True),
    ],
)
def test_inferred_suspects_on_a_service_that_others_changed_since_are_cautioned(
    updated_ns: int, standing: Standing | None, *, changed: bool
) -> None:
    unbelieved = [] if standing else caution("seal", "")
    stands = {"workload": workload(updated_ns), "standing": standing}

    asks = caution("changed", CHANGED) if changed else []
    assert said(plan=None, seen=seen(case=case("older"), **stands)) == [*asks, *unbelieved]
    assert said(plan=None, seen=seen(case=case("digest"), **stands)) == unbelieved


def test_inferred_suspects_of_an_action_that_goes_by_related_findings_need_these() -> None:
    steps = (step("plain", step("guessing")),)
    reason = "suspects are inferred, and related findings are not known"

    older = seen(case=case("older"))

    assert said(seen=older, steps=steps, related_known=False) == caution("inferred", reason)
    assert said(seen=older, steps=steps) == []
    assert said(seen=older, related_known=False) == []
    assert said(steps=steps, related_known=False) == []


def test_suspects_can_be_inferred_on_a_changed_service_and_without_related_findings_at_once() -> None:
    changed = seen(case=case("older"), workload=workload(EVENT + 1))
    both = said(seen=changed, steps=(step("guessing"),), related_known=False)

    assert [name for name, _, _ in both] == ["changed", "inferred"]


def test_where_the_workload_is_not_known_nothing_is_said_of_its_suspects() -> None:
    """Nothing can be drawn then, which is said elsewhere."""
    assert said(seen=seen(case=case("unplaced"), workload=None)) == said(seen=seen(case=None)) == []


def test_every_action_that_needs_a_person_is_named_once_wherever_a_policy_has_it() -> None:
    caps = said(steps=(step("final"), step("shared"), step("final", step("shared"))))

    assert [reason for _, _, reason in caps] == [
        "final cannot be undone",
        "shared affects other workloads too",
    ]


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"config": replace(situation().config, protected=(Protected(folder="7"),))}, {"protected": False}),
        (
            {
                "config": replace(situation().config, protected=(Protected(folder="7"),)),
                "finding": replace(FINDING, folders=None),
            },
            {"protected": True},
        ),
        ({"steps": (step("needy"),), "gaps": ("logs",)}, {"evidence": True}),
        (
            {
                "seen": seen(case=case("older"), workload=workload(EVENT + 1)),
                "steps": (step("guessing"),),
                "related_known": False,
            },
            {"changed": False, "inferred": True},
        ),
    ],
)
def test_a_caution_says_whether_it_stands_only_because_something_is_not_known(
    changes: dict[str, Any], unknown: dict[str, bool]
) -> None:
    assert {cap.name: cap.unknown for cap in caps_for(situation(**changes), WRITES, ACTIONS)} == unknown


def test_what_cannot_be_undone_is_cautioned_unless_the_policy_accepts_it() -> None:
    assert said(steps=(step("plain", step("final")),)) == caution("irreversible", "final cannot be undone")
    assert said(steps=(step("final", accept=True),)) == []
    assert said(steps=(step("plain", accept=True), step("final"))) == caution("irreversible", "final cannot be undone")


def test_what_others_share_is_cautioned_whatever_the_policy_accepts() -> None:
    assert said(steps=(step("shared", accept=True),)) == caution("shared", "shared affects other workloads too")


def test_who_shares_what_is_reached_is_told_account_by_account() -> None:
    users = {"a@p": Users(("services/one",), ("keys",)), "b@p": Users((), ("keys",))}
    reason = (
        "shared affects other workloads too: a@p is also the identity of services/one; not checked: keys; "
        "b@p is not used by any other workload that was found; not checked: keys"
    )

    assert said(steps=(step("shared"),), users=users) == caution("shared", reason)


def test_regions_that_could_not_be_read_are_named() -> None:
    assert said(unread_regions=("m: why", "n: why not")) == [
        *caution("regions", "the service also runs elsewhere: m: why"),
        *caution("regions", "the service also runs elsewhere: n: why not"),
    ]


def test_an_answer_about_one_region_or_source_is_none_about_another() -> None:
    steps = (step("needy"),)
    regions, others = keys_of(unread_regions=("m could not be read",)), keys_of(unread_regions=("n, where it is not",))

    assert (regions, others) == ({"regions:m"}, {"regions:n"})
    assert keys_of(steps=steps, gaps=("logs",)) == {"evidence:logs"}


def test_what_scc_confirms_and_somebody_settled_meanwhile_is_barred() -> None:
    (muted,) = said(finding=replace(FINDING, mute="MUTED"))

    assert muted[:2] == ("settled", "bar")


def test_what_was_waited_for_in_vain_is_named_each_by_itself_as_unknown() -> None:
    caps = caps_for(situation(away=("SCC", "IAM")), WRITES, ACTIONS)

    assert [(cap.name, cap.reason, cap.about, cap.unknown) for cap in caps] == [
        ("away", "SCC cannot be reached", "SCC", True),
        ("away", "IAM cannot be reached", "IAM", True),
    ]


def test_a_refuge_that_others_dispute_or_nobody_vouches_for_asks() -> None:
    disputed = replace(WRITES, refusals=(StepRefusal("plain", "r-0 is disputed", "disputed"),))
    cannot = replace(WRITES, refusals=(StepRefusal("plain", "no", "cannot"),))
    reason = "it is not known whether SCC holds a threat on r-0"

    assert said(disputed) == caution("disputed", "r-0 is disputed")
    assert said(cannot) == said(None) == []
    assert said(unvouched=("r-0",)) == caution("refuge", reason)


def test_what_the_finding_is_about_and_cannot_be_read_asks_a_person() -> None:
    unread = replace(FINDING, target=NotATarget("why", "n"))

    assert said(None, finding=unread, seen=()) == caution("name", "what the finding is about cannot be read: why (n)")


def test_an_action_that_failed_itself_asks_about_what_is_left_of_the_plan() -> None:
    broken = replace(WRITES, refusals=(StepRefusal("plain", "why", "fault"), StepRefusal("final", "cannot")))

    assert said(broken) == caution("action", "a fault in Firebreak itself: plain: why")


def test_what_somebody_opened_again_asks() -> None:
    assert said(drift="r-1 gets traffic again") == caution("drift", "r-1 gets traffic again")

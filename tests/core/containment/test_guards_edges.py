"""Each guard at its edge, alone: the last that passes, the first that does not, and the reason word for word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest

from firebreak.core.actions.action import Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.actions.words import Rule
from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.guards import CLOCKS_APART, DAY_NS, caps_for
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.findings.finding import parse_notification
from firebreak.core.mode import Ceiling, Mode
from firebreak.core.policy.policy import Config, Step
from firebreak.core.policy.protected import Pattern, Protected

SECOND = 1_000_000_000
EVENT = 10_000 * SECOND
NONE: frozenset[str] = frozenset()
FINDING = replace(
    parse_notification((Path(__file__).parents[2] / "findings" / "v2.json").read_bytes()).finding,
    event_ns=EVENT,
    folders=("7",),
)
TARGET = Target("shop", "l", "service", "svc", project_id="shop", project_number="1")
ELSEWHERE = replace(TARGET, location="m")
OWN = "//run.googleapis.com/projects/{}/locations/l/services/firebreak"


@dataclass(frozen=True, slots=True)
class Declared:
    """As much of an action as guards look at."""

    reversible: bool = True
    reach: str = "workload"
    needs: frozenset[str] = NONE
    needs_if_inferred: frozenset[str] = NONE


ACTIONS = cast(
    "Mapping[str, Responder]",
    {
        "plain": Declared(),
        "final": Declared(reversible=False),
        "shared": Declared(reach="shared"),
        "needy": Declared(needs=frozenset({"logs", "attack"})),
        "guessing": Declared(needs_if_inferred=frozenset({"related"})),
    },
)


def step(action: str, *otherwise: Step, accept: bool = False) -> Step:
    return Step(action, None, otherwise, accept_irreversible=accept)


def change(target: Target, value: str | None) -> Change:
    settings: Mapping[str, Any] = {} if value is None else {"service.ingress": value}
    return Change(target, "service", {}, MappingProxyType(settings), {}, ("plain",))


WRITES = Plan((change(TARGET, "none"),), ())


def case(rule: Rule = "named") -> EditContext:
    return EditContext(TARGET, Suspicion(rule, frozenset({"r-1"}), f"by rule {rule}"), (), None, NONE)


def workload(updated_ns: int = 0, uid: str = "", **labels: str) -> Workload:
    return Workload(TARGET, {}, {}, (), None, {}, {}, settled=True, updated_ns=updated_ns, labels=labels, uid=uid)


FINE = Seen(TARGET, workload(), case(), Standing(TARGET.key))


def situation(further: tuple[Seen, ...] = (), **changes: Any) -> GuardInput:
    """One in which nothing is wrong but what is named: of what was seen of the finding's own target, or else."""
    parts = {name: changes.pop(name) for name in ("target", "workload", "case", "standing", "fault") if name in changes}
    fine = GuardInput(
        finding=FINDING,
        trust="confirmed",
        trust_reason="",
        ceilings=(Ceiling(Mode.ENFORCE, "enforced"),),
        config=Config(sources=frozenset({FINDING.name.source})),
        own=(),
        now_ns=EVENT,
        age_ns=0,
        seen=(replace(FINE, **parts), *further),
        related_known=True,
        steps=(step("plain"),),
        incident="fb-1",
    )
    return replace(fine, **changes)


def said(plan: Plan | None = WRITES, **changes: Any) -> list[tuple[str, str, str]]:
    return [(cap.name, cap.kind, cap.reason) for cap in caps_for(situation(**changes), plan, ACTIONS)]


def caution(name: str, reason: str) -> list[tuple[str, str, str]]:
    return [(name, "caution", reason)]


def bar(name: str, reason: str) -> list[tuple[str, str, str]]:
    return [(name, "bar", reason)]


def test_where_nothing_is_wrong_nothing_is_capped() -> None:
    assert said() == []
    assert said(plan=None, workload=None, case=None) == []


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
    assert said(ceilings=ceilings[:2]) == caution("ceiling", "from firebreak.yaml")


def test_a_source_that_is_not_listed_is_barred_by_its_id() -> None:
    reason = f"SCC source {FINDING.name.source} is not listed in firebreak.yaml"

    assert said(config=Config(sources=frozenset({"another"}))) == bar("source", reason)


@pytest.mark.parametrize("trust", ["missing", "older", "differs"])
def test_what_scc_does_not_hold_as_told_is_barred(trust: str) -> None:
    assert said(trust=trust, trust_reason="why") == bar("unverified", "why")


@pytest.mark.parametrize(
    ("judged", "reason"),
    [({"mute": "MUTED"}, "the finding is muted in SCC"), ({"state": "INACTIVE"}, "the finding is INACTIVE in SCC")],
)
def test_what_scc_has_settled_is_barred(judged: dict[str, str], reason: str) -> None:
    """As SCC holds it: where it could not be asked, the message's word on that bars nothing."""
    finding = replace(FINDING, **judged)  # type: ignore[arg-type]

    assert said(finding=finding) == bar("settled", reason)
    assert [name for name, _, _ in said(finding=finding, trust="unreachable")] == ["unconfirmed"]


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
def test_where_only_one_spelling_is_known_on_each_side_the_project_may_be_firebreaks(
    spelling: str, known: dict[str, str]
) -> None:
    reason = "it is not known whether this is the project that Firebreak itself runs in"
    target = Target("p", "l", "service", "svc", None, None, known.get("project_id"), known.get("project_number"))

    assert said(target=target, own=(OWN.format(spelling),)) == bar("self", reason)


def test_a_further_target_in_firebreaks_project_is_barred_once() -> None:
    account = replace(TARGET, project="ops", project_id="ops", project_number="3")
    further = tuple(
        Seen(one, workload(), case(), Standing(one.key)) for one in (account, replace(account, location="m"))
    )
    reason = "ops is the project that Firebreak itself runs in"

    assert said(own=(OWN.format("ops"),), further=further) == bar("self", reason)


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

    assert said(config=config, workload=workload(tier="critical")) == caution(
        "protected", "firebreak.yaml protects this workload"
    )


@pytest.mark.parametrize(
    ("entry", "changes"),
    [
        (Protected(folder="8"), {"finding": replace(FINDING, folders=None)}),
        (Protected(labels=(("tier", Pattern("critical")),)), {"workload": None}),
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


def test_a_part_of_a_second_makes_nothing_stale() -> None:
    assert said(age_ns=3_601 * SECOND - 1) == []


def test_sources_that_an_action_needs_are_named_also_behind_otherwise() -> None:
    steps = (step("plain", step("plain", step("needy"))),)

    assert said(steps=steps, gaps=("logs", "attack", "virustotal")) == caution(
        "evidence", "needed sources without an answer: attack, logs"
    )
    assert said(steps=steps, gaps=("virustotal",)) == []


def test_what_cannot_be_placed_is_cautioned_with_its_reason() -> None:
    assert said(case=case("unplaced")) == caution("unplaced", "by rule unplaced")


CHANGED = "suspects are inferred, and the service has changed since the event"


@pytest.mark.parametrize(
    ("updated_ns", "standing", "changed"),
    [
        (EVENT, Standing("k"), False),
        (EVENT + 1, Standing("k"), True),
        (EVENT + 1, Standing("k", changed_ns=EVENT + 1), False),
        (EVENT + 2, Standing("k", changed_ns=EVENT + 1), True),
        (EVENT, Standing("k", holds=(Hold("fb-1", (), NONE, 1),), origin_changed_ns=EVENT + 1), True),
        (EVENT, Standing("k", holds=(Hold("fb-1", (), NONE, 1),), origin_changed_ns=EVENT), False),
        (EVENT, Standing("k", holds=(Hold("fb-1", (), NONE, 1),)), False),
        (EVENT + 2, Standing("k", holds=(Hold("fb-1", (), NONE, 1),), changed_ns=EVENT + 1), True),
        (EVENT + 2, Standing("k", holds=(Hold("fb-1", (), NONE, 1),), changed_ns=EVENT + 2), False),
        (EVENT + 2, Standing("k", {}, {}, {"x": 1}, (Hold("fb-1", (), NONE, 1),), changed_ns=EVENT + 1), False),
        (EVENT, Standing("k", origin_changed_ns=EVENT + 1), False),
    ],
)
def test_inferred_suspects_on_a_service_that_others_changed_since_are_cautioned(
    updated_ns: int, standing: Standing, *, changed: bool
) -> None:
    seen = workload(updated_ns)

    assert said(case=case("older"), workload=seen, standing=standing) == (
        caution("changed", CHANGED) if changed else []
    )
    assert said(case=case("digest"), workload=seen, standing=standing) == []


def test_inferred_suspects_of_an_action_that_goes_by_related_findings_need_these() -> None:
    steps = (step("plain", step("guessing")),)
    reason = "suspects are inferred, and related findings are not known"

    assert said(case=case("older"), steps=steps, related_known=False) == caution("inferred", reason)
    assert said(case=case("older"), steps=steps) == []
    assert said(case=case("older"), related_known=False) == []
    assert said(case=case("named"), steps=steps, related_known=False) == []


def test_suspects_can_be_inferred_on_a_changed_service_and_without_related_findings_at_once() -> None:
    both = said(case=case("older"), workload=workload(EVENT + 1), steps=(step("guessing"),), related_known=False)

    assert [name for name, _, _ in both] == ["changed", "inferred"]


def test_where_the_workload_is_not_known_nothing_is_said_of_its_suspects() -> None:
    """Nothing can be drawn then, which is said elsewhere."""
    assert said(case=case("unplaced"), workload=None) == said(case=None) == []


def test_every_action_that_needs_a_person_is_named_once() -> None:
    caps = said(steps=(step("final"), step("shared"), step("final", step("shared"))))

    assert [reason for _, _, reason in caps] == [
        "final cannot be undone",
        "shared affects other workloads too",
    ]


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"target": Target("p", "l", "service", "svc", project_id="p"), "own": (OWN.format("2"),)}, {"self": False}),
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
                "case": case("older"),
                "workload": workload(EVENT + 1),
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
    assert said(unread_regions=("m: why", "n: why not")) == caution(
        "regions", "the service also runs elsewhere: m: why; n: why not"
    )


def test_what_stands_and_is_not_believed_asks_whatever_else_is_known() -> None:
    assert said(plan=None, standing=None, fault="broken") == caution("seal", "broken")


CONTAINED = caution("contained", "the target is contained already, and the plan would close more")
RELEASED = caution("released", "a person released this target within the last 24 hours")
HELD = Standing(TARGET.key, holds=(Hold("fb-2", (), NONE, 1),))


def test_what_is_contained_already_is_not_closed_further_alone() -> None:
    mine = replace(HELD, holds=(Hold("fb-1", (), NONE, 2),))
    both = replace(HELD, holds=(*HELD.holds, *mine.holds))

    assert said(standing=HELD) == said(standing=both) == CONTAINED
    assert said(standing=mine) == []
    assert said(standing=mine, contained_before=True) == CONTAINED
    assert said(standing=mine, incident="") == CONTAINED
    assert said(standing=HELD, plan=None) == said(standing=HELD, plan=Plan((change(TARGET, None),), ())) == []


@pytest.mark.parametrize(("ago", "caps"), [(0, RELEASED), (DAY_NS - 1, RELEASED), (DAY_NS, [])])
def test_what_a_person_released_stays_theirs_for_a_day(ago: int, caps: list[tuple[str, str, str]]) -> None:
    assert said(standing=Standing(TARGET.key, released_ns=EVENT - ago)) == caps


def test_a_further_target_counts_where_something_would_be_written_to_it() -> None:
    there = replace(HELD, target=ELSEWHERE.key, released_ns=EVENT)
    further = (Seen(ELSEWHERE, replace(workload(), target=ELSEWHERE), case(), there),)
    verified = Plan((*WRITES.changes, change(ELSEWHERE, None)), ())
    written = Plan((*WRITES.changes, change(ELSEWHERE, "none")), ())

    assert said(plan=verified, further=further) == []
    assert said(plan=written, further=further) == CONTAINED + RELEASED
    assert said(plan=written, further=further, standing=HELD) == CONTAINED * 2 + RELEASED
    assert said(plan=written, further=further, standing=Standing(TARGET.key, released_ns=EVENT)) == (
        RELEASED + CONTAINED + RELEASED
    )


def test_what_was_contained_and_made_anew_is_asked_about() -> None:
    """Another resource has the name now; where either is not known by a uid, nothing is said of it."""
    standing = replace(HELD, holds=(Hold("fb-1", (), NONE, 1),), uid="one")

    assert said(standing=standing, workload=workload(uid="two")) == caution(
        "made_anew", "what was contained is gone: another resource has its name now"
    )
    assert said(standing=standing, workload=workload(uid="one")) == []
    assert said(standing=standing) == []
    assert said(standing=replace(standing, holds=()), workload=workload(uid="two")) == []


def test_what_somebody_opened_again_is_asked_about_in_the_words_of_who_saw_it() -> None:
    assert said(drift="it was opened") == caution("drift", "it was opened")

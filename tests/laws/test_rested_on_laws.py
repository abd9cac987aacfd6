"""What a decision rested on, as its record shows it, is enough to draw the same plan and to ask every guard again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import responders
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.actions.words import Rule
from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Kind
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.guards import caps_for
from firebreak.core.containment.observation import Around, Seen
from firebreak.core.containment.plan import HeldStep
from firebreak.core.containment.rested_on import MOST_REVISIONS, read_rested_on, rested_on
from firebreak.core.containment.whole_plan import plan_for
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.core.policy.policy import Config, Step
from tests.core.containment.guard_situations import EVENT, FINDING, SECOND, situation
from tests.laws.worlds_of_settings import situations

ACTIONS = responders.discover()
LABELS = {"tier": "critical"}
KINDS: tuple[Kind, ...] = ("service", "worker_pool", "job")
STEPS = st.lists(st.sampled_from(sorted(ACTIONS)), min_size=1, max_size=3, unique=True).map(
    lambda names: tuple(Step(one, ACTIONS[one].params()) for one in names)
)
WORDS = st.sampled_from(["", "checkout-token-00001", "it was denied: PERMISSION_DENIED"])
CONFIG = Config(sources=frozenset({FINDING.name.source}))


@st.composite
def standings(draw: st.DrawFn, key: str, state: State, case: EditContext) -> Standing | None:
    """Nothing, a record that is not believed, a release, or holds of this and of another incident."""
    if draw(st.booleans()):
        return draw(st.sampled_from([None, Standing(key), Standing(key, released_ns=EVENT - SECOND)]))
    who = draw(st.lists(st.sampled_from(["fb-1", "fb-2"]), min_size=1, unique=True))
    holds = tuple(Hold(one, (HeldStep("cut_traffic", {}),), case.own_suspects, EVENT) for one in who)
    applied = {name: value for name, value in state.items() if draw(st.booleans())}
    return Standing(key, origin=dict(state), applied=applied, holds=holds, uid="u-1", changed_ns=EVENT)


@st.composite
def seen(draw: st.DrawFn, kind: Kind) -> Seen:
    """One target, read or not, with all that a case may hold."""
    state, case = draw(situations(kind))
    own = {key: value for key, value in state.items() if not key.startswith("service_account.")}
    rules: tuple[Rule, ...] = ("named", "digest", "older")
    rule = draw(st.sampled_from(rules))
    names = [one.name for one in case.revisions]
    suspicion = replace(case.suspicion, rule=rule, unplaced=draw(st.sampled_from(["", "it cannot be told"])))
    disputed = draw(st.dictionaries(st.sampled_from(names), st.just("is suspect in fb-2"), max_size=2))
    case = replace(case, suspicion=suspicion, disputed=disputed, accounts=())
    workload = Workload(
        case.target,
        own,
        {},
        case.revisions,
        case.latest,
        {name: 50 for name in names if draw(st.booleans())},
        {"token": names[0]} if draw(st.booleans()) else {},
        settled=True,
        updated_ns=draw(st.sampled_from([0, EVENT - SECOND, EVENT + SECOND])),
        labels=LABELS,
        uid=draw(st.sampled_from(["", "u-1", "u-2"])),
    )
    standing = draw(standings(case.target.key, own, case))
    if draw(st.integers(0, 9)) == 0:
        return Seen(case.target, None, None, standing, draw(WORDS), away=draw(st.booleans()))
    return Seen(case.target, workload, replace(case, reachable=workload.reachable), standing, draw(WORDS))


@settings(max_examples=25)
@given(st.sampled_from(KINDS).flatmap(seen), STEPS, st.data())
def test_the_plan_and_every_guard_s_reasons_come_out_of_the_record_as_they_were(
    one: Seen, steps: tuple[Step, ...], data: st.DataObject
) -> None:
    around = Around((one,), data.draw(st.sampled_from([(), ("us-east1: it was denied",)])))
    incident = Incident("fb-1", "received", EVENT, EVENT, FINDING)
    plan = plan_for(steps, around, incident, ACTIONS, "digest")
    looked: dict[str, Any] = {
        "trust": data.draw(st.sampled_from(["confirmed", "unreachable", "differs"])),
        "own": data.draw(st.sampled_from([(), ("//run.googleapis.com/projects/shop-prod/locations/l/services/s",)])),
        "age_ns": data.draw(st.sampled_from([0, 7200 * SECOND])),
        "contained_before": data.draw(st.booleans()),
        "users": data.draw(st.sampled_from([{}, {"a@b.iam": Users(("shop/one",))}])),
        "away": data.draw(st.sampled_from([(), ("Cloud Run",)])),
        "uids": data.draw(st.sampled_from([{}, {one.target.key: "u-1"}])),
        "unvouched": data.draw(st.sampled_from([(), ("checkout-00001",)])),
    }
    given_then = situation(seen=around.seen, steps=steps, config=CONFIG, unread_regions=around.unread_regions, **looked)
    told = record(replace(incident, rested_on=rested_on(given_then, around.seen)))["rested_on"]
    kept = read_rested_on(json.loads(json.dumps(told)))
    again = kept.around(LABELS)
    given_now = situation(
        seen=again.seen,
        steps=steps,
        config=CONFIG,
        unread_regions=kept.unread_regions,
        **{name: getattr(kept, name) for name in looked},
    )

    assert plan_for(steps, again, incident, ACTIONS, "digest") == plan
    assert caps_for(given_now, plan, ACTIONS) == caps_for(given_then, plan, ACTIONS)
    assert again.unreferred("fb-1") == around.unreferred("fb-1")


@settings(max_examples=15)
@given(situations("service"), st.integers(1, 200))
def test_of_many_revisions_those_are_kept_that_serve_are_suspect_or_could_take_over(
    drawn: tuple[State, EditContext], count: int
) -> None:
    state, case = drawn
    last = max(case.revisions, key=lambda one: one.created_ns)
    newer = tuple(replace(last, name=f"later-{number:05d}", created_ns=10**9 + number) for number in range(count))
    workload = Workload(case.target, state, {}, (*case.revisions, *newer), case.latest, {}, {}, settled=True)
    suspicion = Suspicion("named", case.own_suspects, "drawn")
    one = Seen(case.target, workload, replace(case, suspicion=suspicion, revisions=workload.revisions), Standing("a"))
    kept = read_rested_on(rested_on(situation(), (one,))).seen[0].settings

    assert kept is not None
    assert len(kept.revisions) + kept.left_out == len(workload.revisions)
    assert len(kept.revisions) <= MOST_REVISIONS
    first = min(one.created_ns for one in case.revisions if one.name in case.own_suspects)
    older = {one.name for one in case.revisions if one.created_ns < first}
    serving = workload.reachable & {one.name for one in workload.revisions}
    assert older | case.own_suspects | serving <= {one.name for one in kept.revisions}

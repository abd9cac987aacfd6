"""Whether anything leads to a suspect at all, and whether a plan does no more than was shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.cloud_run.setting_names import SPLIT, TAG
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.observation import Around, Seen, accounts_of
from firebreak.core.containment.plan import Plan
from firebreak.core.containment.whole_plan import differences, follows_what_was_shown
from firebreak.core.incidents.incident import Incident
from tests.core.containment.guard_situations import ELSEWHERE, FINDING, NONE, OWN_SEEN, TARGET, case, change, workload


def seen(state: State, latest: str | None = None) -> Seen:
    """A service of which r-1 is suspect."""
    return replace(OWN_SEEN, workload=replace(workload(), state=state, latest=latest))


AWAY_FROM_IT = seen({SPLIT: "r-2=100,r-1=0"})


@pytest.mark.parametrize(
    ("state", "latest", "unreferred"),
    [
        ({SPLIT: "r-2=100"}, None, "r-1"),
        ({SPLIT: "r-2=100,r-1=0"}, None, "r-1"),
        ({SPLIT: "r-2=99,r-1=1"}, None, ""),
        ({SPLIT: "r-2=100", f"{TAG}canary": "r-1"}, None, ""),
        ({SPLIT: "LATEST=100"}, "r-1", ""),
    ],
    ids=["nothing", "a share of nothing", "a share", "a tag", "LATEST"],
)
def test_a_suspect_is_referred_to_by_share_tag_or_latest(state: State, latest: str | None, unreferred: str) -> None:
    assert Around((seen(state, latest),)).unreferred("fb-1") == unreferred


def test_what_another_region_suspects_is_not_about_nothing() -> None:
    there = replace(AWAY_FROM_IT, target=ELSEWHERE)
    nobody = replace(there, case=replace(case(), suspicion=replace(case().suspicion, revisions=NONE)))

    assert Around((AWAY_FROM_IT, there)).unreferred("fb-1") == ""
    assert Around((AWAY_FROM_IT, nobody)).unreferred("fb-1") == "r-1"


def test_what_stands_is_joined_and_what_is_not_known_is_not_called_nothing() -> None:
    mine, theirs = (Standing(TARGET.key, holds=(Hold(one, (), NONE, 1),)) for one in ("fb-1", "fb-2"))
    begun = replace(mine, pending={"x": 1})
    found = [replace(AWAY_FROM_IT, standing=one) for one in (mine, theirs, None, begun)]

    assert [Around((one,)).unreferred("fb-1") for one in found] == ["", "", "", "r-1"]
    assert Around((replace(AWAY_FROM_IT, workload=None),)).unreferred("fb-1") == ""
    assert Around((replace(AWAY_FROM_IT, target=replace(TARGET, kind="job")),)).unreferred("fb-1") == ""


def test_a_write_of_its_own_that_is_there_already_is_joined_and_one_on_a_resource_that_is_gone_is_not() -> None:
    begun = Standing(TARGET.key, holds=(Hold("fb-1", (), NONE, 1),), pending={SPLIT: "r-2=100,r-1=0"}, uid="u-1")
    mine = replace(AWAY_FROM_IT, standing=begun)
    anew = replace(mine, workload=replace(mine.workload, uid="u-2")) if mine.workload else mine

    assert [Around((one,)).unreferred("fb-1") for one in (mine, anew)] == ["", "r-1"]


def test_a_hold_of_others_is_for_a_person_though_their_write_is_not_there_yet() -> None:
    theirs = Standing(TARGET.key, holds=(Hold("fb-2", (), NONE, 1),), pending={"x": 1})

    assert Around((replace(AWAY_FROM_IT, standing=theirs),)).unreferred("fb-1") == ""


def test_of_a_pool_too_and_only_where_there_are_suspects_something_can_be_unreferred() -> None:
    pool = replace(AWAY_FROM_IT, target=replace(TARGET, kind="worker_pool"))
    nobody = replace(AWAY_FROM_IT, case=case("unplaced"))

    assert Around((pool,)).unreferred("fb-1") == "r-1"
    assert Around((nobody,)).unreferred("fb-1") == Around((replace(AWAY_FROM_IT, case=None),)).unreferred("fb-1") == ""
    assert Around((AWAY_FROM_IT, replace(AWAY_FROM_IT, target=ELSEWHERE, case=None))).unreferred("fb-1") == "r-1"


def test_accounts_are_no_regions_and_each_target_is_found_by_itself() -> None:
    account = replace(OWN_SEEN, target=TARGET.account("a@shop.iam.gserviceaccount.com"), case=None)
    there = replace(OWN_SEEN, target=ELSEWHERE, case=case("unplaced"))
    around = Around((OWN_SEEN, there, account))

    assert (around.regions, around.accounts) == ((there,), (account.target,))
    assert [around.seen_of(one.target) for one in around.seen] == [OWN_SEEN, there, account]
    assert around.seen_of(replace(TARGET, name="another")) is None
    assert around.suspects == {TARGET.key: ("r-1",)}


def test_suspects_run_as_their_own_account_or_as_the_service_s() -> None:
    service = replace(workload(), service_account="svc@shop.iam.gserviceaccount.com")
    made = [
        Revision(name, 0, None, gen1=False, digests=NONE, service_account=email)
        for name, email in (("r-1", "own@shop.iam.gserviceaccount.com"), ("r-2", ""), ("r-3", "other@x"))
    ]
    both = replace(case(), revisions=tuple(made)).with_suspects(frozenset({"r-1", "r-2"}))

    assert [one.name for one in accounts_of(service, both)] == [
        "own@shop.iam.gserviceaccount.com",
        "svc@shop.iam.gserviceaccount.com",
    ]
    assert accounts_of(workload(), replace(case(), revisions=(replace(made[1], name="r-1"),))) == ()


@pytest.mark.parametrize(
    ("plan", "failed_on", "follows"),
    [
        ([(TARGET, "none"), (ELSEWHERE, "none")], [], True),
        ([(ELSEWHERE, "none")], [], True),
        ([(TARGET, "internal")], [], False),
        ([(TARGET, "internal"), (ELSEWHERE, "none")], [TARGET], True),
        ([(TARGET, "none")], [TARGET], False),
        ([(TARGET, "internal"), (ELSEWHERE, "internal")], [TARGET], False),
        ([(TARGET, None)], [], True),
    ],
    ids=[
        "the plan",
        "a part of it",
        "its fallback where nothing failed",
        "its fallback where it failed",
        "what failed, again",
        "its fallback where another failed",
        "nothing is written",
    ],
)
def test_a_plan_follows_what_was_shown_where_it_does_no_more(
    plan: list[tuple[Target, str | None]], failed_on: list[Target], *, follows: bool
) -> None:
    both = (TARGET, ELSEWHERE)
    shown = Plan(tuple(change(one, "none") for one in both), (), (), tuple(change(one, "internal") for one in both))
    now = Plan(tuple(change(one, value) for one, value in plan), ())

    assert follows_what_was_shown(shown, now, failed_on) is follows


@pytest.mark.parametrize(
    ("there", "now"),
    [
        (replace(AWAY_FROM_IT, target=ELSEWHERE), "r-2=100,r-1=0"),
        (replace(AWAY_FROM_IT, target=ELSEWHERE, workload=workload()), "not set"),
        (replace(AWAY_FROM_IT, target=ELSEWHERE, workload=None), "not known"),
        (None, "gone"),
    ],
    ids=["as it is", "unset", "not read", "gone"],
)
def test_what_a_plan_does_not_change_any_more_is_told_as_it_is_now(there: Seen | None, now: str) -> None:
    incident = Incident("fb-1", "waiting", 0, 0, replace(FINDING, target=TARGET))
    around = Around((seen({SPLIT: "r-1=100"}), *([there] if there else [])))
    shown = {f"m: {SPLIT}": "r-1=100 to r-2=100", SPLIT: "r-1=50,r-2=50 to r-2=100"}

    assert list(differences(shown, {}, around, incident)) == [
        f"m: {SPLIT}: r-1=100 to r-2=100, now {now}",
        f"{SPLIT}: r-1=50,r-2=50 to r-2=100, now r-1=100",
    ]

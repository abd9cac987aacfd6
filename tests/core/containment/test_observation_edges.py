"""Whether anything leads to a suspect at all, and whether a plan does no more than was shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.cloud_run.setting_names import SPLIT, TAG
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.observation import Around, Seen
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

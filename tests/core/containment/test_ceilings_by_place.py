"""Ceilings at a project or a folder: the lowest that applies, by either spelling, closed where that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.guards import caps_for
from firebreak.core.mode import Mode
from firebreak.core.policy.protected import Pattern, PlacedCeiling, Protected
from tests.core.containment.guard_situations import (
    ACTIONS,
    FINDING,
    TARGET,
    WRITES,
    change,
    keys_of,
    said,
    seen,
    situation,
)


def under(*entries: tuple[Protected, Mode]) -> dict[str, Any]:
    ceilings = tuple(PlacedCeiling(place, mode) for place, mode in entries)
    return {"config": replace(situation().config, ceilings=ceilings)}


ID, NUMBER, OTHER = (Protected(project=Pattern(one)) for one in ("shop", "1", "pay"))
FOLDER = Protected(folder="7")


@pytest.mark.parametrize("place", [ID, NUMBER, Protected(project=Pattern("sh*", glob=True)), FOLDER])
def test_a_ceiling_holds_at_its_place_alone(place: Protected) -> None:
    elsewhere = replace(place, folder="8") if place is FOLDER else replace(place, project=Pattern("pay"))

    assert keys_of(**under((place, Mode.APPROVE))) == {f"ceiling:{TARGET.key}"}
    assert keys_of(**under((place, Mode.ENFORCE), (elsewhere, Mode.MONITOR))) == set()


def test_each_below_enforce_is_named_and_the_lowest_is_a_bar() -> None:
    assert said(**under((FOLDER, Mode.APPROVE), (ID, Mode.MONITOR), (OTHER, Mode.MONITOR))) == [
        ("ceiling", "bar", "the ceiling of project shop in firebreak.yaml is monitor"),
        ("ceiling", "caution", "the ceiling of folder 7 in firebreak.yaml is approve"),
    ]


def test_a_project_in_a_folder_is_both() -> None:
    both = Protected(project=Pattern("shop"), folder="8")

    assert said(**under((both, Mode.MONITOR))) == []


UNSURE = "the ceiling of {} in firebreak.yaml is monitor, and it is not known whether this workload lies there"


def test_where_the_folders_are_not_known_each_ceiling_of_a_folder_holds() -> None:
    found = said(finding=replace(FINDING, folders=None), **under((FOLDER, Mode.MONITOR)))

    assert found == [("ceiling", "bar", UNSURE.format("folder 7"))]


@pytest.mark.parametrize(
    ("target", "place"),
    [(replace(TARGET, project_number=None), "9"), (replace(TARGET, project_id=None), "pay")],
    ids=["number", "id"],
)
def test_where_a_spelling_of_the_project_is_not_known_a_ceiling_by_that_spelling_holds(
    target: Target, place: str
) -> None:
    found = said(seen=seen(target=target), **under((Protected(project=Pattern(place)), Mode.MONITOR)))

    assert found == [("ceiling", "bar", UNSURE.format(f"project {place}"))]


def test_a_ceiling_that_may_hold_is_kept_as_one_of_which_that_is_unknown() -> None:
    known, unsure = (
        caps_for(situation(finding=one, **under((FOLDER, Mode.APPROVE))), WRITES, ACTIONS)
        for one in (FINDING, replace(FINDING, folders=None))
    )

    assert [cap.unknown for cap in (*known, *unsure)] == [False, True]


def account(project: str, number: str) -> Target:
    return Target(project, "", "service_account", f"a@{project}", project_id=project, project_number=number)


def beside(other: Target, **changes: Any) -> list[str]:
    """What is said of an account of which nothing could be read, where the plan would change it."""
    both = (*seen(), replace(seen()[0], target=other, workload=None, case=None))
    changing = replace(WRITES, changes=(*WRITES.changes, change(other, "x")))
    caps = caps_for(situation(seen=both, **changes), changing, ACTIONS)
    return [cap.reason for cap in caps if cap.name in ("ceiling", "protected") and cap.about == other.key]


def test_it_is_asked_of_every_target_that_the_plan_would_change() -> None:
    there = account("pay", "2")
    both = (*seen(), replace(seen()[0], target=there, workload=None, case=None))

    assert said(seen=both, **under((OTHER, Mode.MONITOR))) == []
    assert beside(there, **under((OTHER, Mode.MONITOR))) == ["the ceiling of project pay in firebreak.yaml is monitor"]


@pytest.mark.parametrize("folder", ["7", "8"])
def test_the_folders_that_a_finding_names_are_those_of_its_own_project_alone(folder: str) -> None:
    """In another project an account may lie in any folder."""
    own, there, in_folder = account("shop", "1"), account("pay", "2"), under((Protected(folder=folder), Mode.APPROVE))
    holds = f"the ceiling of folder {folder} in firebreak.yaml is approve"

    assert beside(own, **in_folder) == ([holds] if folder == "7" else [])
    assert beside(there, **in_folder) == [f"{holds}, and it is not known whether {there.place} lies there"]


@pytest.mark.parametrize(
    "entry",
    [Protected(labels=(("tier", Pattern("*", glob=True)),)), Protected(service=Pattern("a@*", glob=True))],
    ids=["labels", "service"],
)
def test_an_account_has_no_labels_and_is_no_service(entry: Protected) -> None:
    protected = replace(situation().config, protected=(entry,))

    assert beside(account("shop", "1"), config=protected) == []

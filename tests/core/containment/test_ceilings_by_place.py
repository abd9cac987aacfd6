"""Ceilings at a project or a folder: the lowest that applies, by either spelling, closed where that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.mode import Mode
from firebreak.core.policy.protected import Pattern, PlacedCeiling, Protected
from tests.core.containment.guard_situations import (
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


def test_it_is_asked_of_every_target_that_the_plan_would_change() -> None:
    account = Target("pay", "", "service_account", "a@pay", project_id="pay", project_number="2")
    both = (*seen(), replace(seen()[0], target=account, workload=None, case=None))
    changing = replace(WRITES, changes=(*WRITES.changes, change(account, "x")))

    assert said(seen=both, **under((OTHER, Mode.MONITOR))) == []
    assert [name for name, _, _ in said(changing, seen=both, **under((OTHER, Mode.MONITOR)))] == ["ceiling"]

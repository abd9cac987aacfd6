"""One sentence says what is so now, and each change what became of it: wherever an incident is shown."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import get_args

import pytest

from firebreak.cli.arguments import arguments
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.record import record
from firebreak.core.incidents.release import Release, ReleasedKey
from firebreak.core.incidents.setting_states import SIGNS, Became
from firebreak.core.incidents.so_now import so_now
from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from tests.cli.commands import MADE, NOW, incident

FORTH, BACK = "LATEST=100 → checkout-00007-good=100", "checkout-00007-good=100 → LATEST=100"
TELLING = {"undone": BACK, "not done": "was LATEST=100; checkout-00007-good=100 was planned"}
"""An arrow leads where a setting went, or is to go, and nowhere else."""
FAILED = replace(MADE[0], status="Failure", detail="it was not taken")


def chat(one: Incident) -> str:
    return plain_text(compose(one))


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (incident("waiting"), "planned"),
        (incident("monitored"), "not done"),
        (incident("rejected"), "not done"),
        (incident("verifying"), "being made"),
        (incident("contained"), "done"),
        (incident("failed", outcomes=(FAILED,)), "not done"),
        (incident("released"), "undone"),
        (incident("closed"), "undone"),
    ],
    ids=lambda one: one if isinstance(one, str) else one.phase,
)
def test_each_setting_of_the_plan_says_what_became_of_it(one: Incident, word: Became) -> None:
    shown = record(one)["plan"]["changes"]

    assert [change["became"] for change in shown] == [word]
    assert f"\n{SIGNS[word]} {word}: service.traffic.split: {TELLING.get(word, FORTH)}\n" in chat(one)


@pytest.mark.parametrize("phase", get_args(Phase))
def test_chat_and_record_say_the_same_sentence(phase: str) -> None:
    one = incident(phase)

    assert record(one)["now"] == so_now(one)
    assert f"\nnow: {so_now(one)}\n" in chat(one)


@pytest.mark.parametrize("phase", ["waiting", "deferred", "failed"])
def test_what_was_contained_before_is_never_told_as_untouched(phase: str) -> None:
    before, partly = incident(phase, done=incident().plan), incident(phase, outcomes=MADE)

    assert "Nothing has been changed" in so_now(incident(phase)) or phase == "failed"
    assert "Nothing has been changed" not in so_now(before) + so_now(partly)


def test_contained_is_not_said_over_what_others_opened() -> None:
    one = incident("contained", done=incident().plan, reopened=("checkout-00008-bad",))

    assert so_now(one) == "WAS CONTAINED, and others have opened it since: checkout-00008-bad can be reached."


def test_a_release_in_part_names_what_is_back_and_what_is_still_held() -> None:
    target = incident().targets[0]
    keys = (ReleasedKey(target, "service.ingress", "none", "all", "restored"),)
    under_way = incident("releasing", release=Release("ada", (), NOW, keys))
    refused = ReleasedKey(target, "service.traffic.split", "a=100", "b=100", "refused", "not taken")
    rests = incident("releasing", release=Release("ada", (), NOW, (*keys, refused)))

    assert so_now(under_way) == "The release is under way: settings are given back one by one."
    assert so_now(rests) == ("PARTLY TAKEN BACK: service.ingress is all again; service.traffic.split is still a=100.")


NEW = "received waiting deferred".split()
"""Where something new is decided, or waits, of what was contained before."""


@pytest.mark.parametrize("phase", NEW)
def test_what_was_released_for_whom_something_new_came_is_told_as_taken_back(phase: str) -> None:
    over = incident(phase, outcomes=MADE, release=Release("ada", (), NOW, (), over=True))

    assert so_now(over).startswith("What was contained before was taken back; ")


@pytest.mark.parametrize("phase", NEW)
def test_what_is_half_released_is_told_as_that_also_where_something_new_came(phase: str) -> None:
    target = incident().targets[0]
    keys = (
        ReleasedKey(target, "service.ingress", "none", "all", "restored"),
        ReleasedKey(target, "service.traffic.split", "a=100", "b=100", "refused", "not taken"),
    )
    rests = incident(phase, done=incident().plan, release=Release("ada", (), NOW, keys, rests=True))

    assert so_now(rests).startswith(
        "PARTLY TAKEN BACK: service.ingress is all again; service.traffic.split is still a=100; "
    )
    assert so_now(rests) != so_now(replace(rests, phase="releasing"))
    assert ("service.traffic.split: refused" in chat(rests)) is (phase != "waiting")


@pytest.mark.parametrize("phase", NEW)
def test_what_is_planned_beside_what_was_done_is_not_told_as_done(phase: str) -> None:
    """An outcome is that of the plan that it names."""
    before = replace(MADE[0], target=incident().targets[0].key, plan="f" * 64)
    one = incident(phase, outcomes=(before,), done=incident().plan)

    assert [change["became"] for change in record(one)["plan"]["changes"]] == ["planned"]
    assert "\n? planned: service.traffic.split" in chat(one)
    assert "undo: firebreak incident release fb-" in chat(one)


def test_the_very_same_plan_drawn_again_is_planned_again() -> None:
    plan = incident().plan
    assert plan is not None
    made = replace(MADE[0], target=incident().targets[0].key, plan=plan.digest)
    again = incident("waiting", outcomes=(made,)).with_plan(plan)

    assert [change["became"] for change in record(again)["plan"]["changes"]] == ["planned"]


def test_what_is_not_as_it_should_be_is_told_first_and_single_tags_last() -> None:
    target = incident().targets[0]
    results = {"service.traffic.tag.a": "restored", "service.ingress": "restored", "service.traffic.split": "refused"}
    keys = tuple(ReleasedKey(target, key, "a", "b", one) for key, one in results.items())  # type: ignore[arg-type]
    shown = record(incident("releasing", release=Release("ada", (), NOW, keys)))["settings"]

    assert [one["key"] for one in shown] == ["service.traffic.split", "service.ingress", "service.traffic.tag.a"]


def test_what_was_filed_says_so_while_it_stands_and_no_longer() -> None:
    stands = incident("contained", done=incident().plan, closed_as="true_positive")

    assert so_now(stands).endswith(" Filed as true positive; its containment stays.")
    assert "Filed" not in so_now(replace(stands, phase="released"))


@pytest.mark.parametrize("phase", get_args(Phase))
def test_there_is_always_something_to_type_and_it_is_what_the_command_takes(phase: str) -> None:
    steps = record(incident(phase))["next"]

    assert steps
    for step in steps:
        words = shlex.split(step["command"].replace("WHAT", "benign").replace("WHY", "'a reason'"))
        assert words[0] == "firebreak"
        assert arguments().parse_args(words[1:]).run is not None

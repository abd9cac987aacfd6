"""A mistyped command, option, choice or id: the answer says what was meant, and nothing is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backtest.histories import POLICY, lines, policies_in, recorded
from tests.cli.commands import Told

TYPED = [
    ("approve fb-12", "firebreak incident approve"),
    ("aprove fb-12", "firebreak incident approve"),
    ("incidents", "firebreak incident"),
    ("incident aprove fb-12", "firebreak incident approve"),
    ("incident fb-12", "firebreak incident show fb-12"),
    ("fb-12", "firebreak incident show fb-12"),
    ("lint", "firebreak policy lint"),
    ("hlt --reason why", "firebreak halt"),
    ("incident close fb-12 --as true-positive", "true_positive"),
    ("incident evidence fb-12 --verfy", "--verify"),
    ("incident list --serivce=checkout", "--service"),
]


@pytest.mark.parametrize(("typed", "meant"), TYPED)
def test_a_mistyped_word_is_answered_with_the_one_that_is_meant(firebreak: Told, typed: str, meant: str) -> None:
    told = firebreak(*typed.split())

    assert told.code == 2
    assert told.err.endswith(f"; did you mean `{meant}`?\n")


def test_a_word_that_is_like_none_gets_the_list_and_no_guess(firebreak: Told) -> None:
    told = firebreak("xyzzy")

    assert told.code == 2
    assert "(choose from 'incident', 'policy', " in told.err
    assert "did you mean" not in told.err


@pytest.mark.parametrize("typed", ["policy stats --since 1d", "policy log --limit 3"])
def test_options_are_not_alike_by_their_hyphens(firebreak: Told, typed: str) -> None:
    assert "did you mean" not in firebreak(*typed.split()).err


def test_what_may_be_left_out_is_not_called_required(firebreak: Told) -> None:
    assert firebreak("policy", "promote").err.endswith("error: the following arguments are required: POLICY\n")


def test_a_word_too_many_is_answered_with_the_usage_of_the_command_that_it_stood_behind(firebreak: Told) -> None:
    told = firebreak("incident", "list", "checkout")

    assert told.err.startswith("usage: firebreak incident list ")
    assert told.err.endswith("error: unrecognized arguments: checkout\n")


@pytest.mark.parametrize(
    "typed",
    [
        "policy promote malware HISTORY --to enforce OTHER",
        "policy promote --to enforce malware HISTORY OTHER",
        "policy promote malware --to enforce HISTORY --json OTHER",
    ],
)
def test_files_may_stand_before_options_and_behind_them(firebreak: Told, tmp_path: Path, typed: str) -> None:
    shadow = POLICY.replace("mode: enforce\nwhen", "mode: enforce\nshadow: true\nwhen")
    folder = policies_in(tmp_path / "policies", shadow)
    files = {"HISTORY": recorded(1), "OTHER": recorded(2)}
    for name, one in files.items():
        (tmp_path / name).write_text(lines(one | {"decision": {"policy": "wide", "mode": "monitor"}}))
    words = [str(tmp_path / word) if word in files else word for word in typed.split()]
    told = firebreak(*words, "--policies", folder, *(() if "--json" in words else ("--json",)))

    assert told.json["incidents"] == 2


def test_folders_may_stand_before_options_and_behind_them(firebreak: Told, tmp_path: Path) -> None:
    first, second = (policies_in(tmp_path / name) for name in ("first", "second"))
    told = firebreak("policy", "lint", first, "--json", second, "--strict")

    assert told.json["folders"] == [first, second]

"""Numbers and durations that load and make no sense are warned of, and those that do are not."""

from __future__ import annotations

import pytest

from firebreak.core.policy.policy import Limits
from firebreak.policy_language.lint.amounts import odd_config, odd_durations, out_of_range
from firebreak.policy_language.lint.conditions import never_matching
from firebreak.policy_language.reading.elsewhere import duration
from firebreak.policy_language.reading.policies import read_policies
from tests.policy_language.test_lint import ACTIONS, WORLD, policy

CONFIG = 'organization: "1"\n'
NOTIFY = "notify:\n  channels: {a: {kind: slack, secret: FIREBREAK_NOTIFY_A}}\n  "


def of_config(text: str) -> list[tuple[str, int, str]]:
    read = read_policies({"firebreak.yaml": CONFIG + text}, WORLD.catalogue, ACTIONS)
    assert read.faults == ()
    return [(one.rule.code, one.at.line, one.message) for one in odd_config(read.config)]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("per_hour: 0, per_project_per_hour: 0", ["without a person", "without a person"]),
        ("per_project_per_hour: 0", ["without a person"]),
        ("per_hour: 1000000", ["holds nothing back"]),
        ("per_project_per_hour: 50", ["no project ever comes to"]),
        ("per_hour: 3, per_project_per_hour: 3", []),
        ("per_hour: 3", []),
        ("per_hour: 200, per_project_per_hour: 200", []),
    ],
)
def test_a_limit_of_none_or_of_more_than_there_can_be_is_warned_of(limits: str, said: list[str]) -> None:
    told = of_config(f"limits: {{{limits}}}\n")

    assert [(code, line) for code, line, _ in told] == [("FB506", 2)] * len(said)
    assert all(one in message for one, (*_, message) in zip(said, told, strict=True))


def test_limits_that_nobody_has_written_are_not_warned_of() -> None:
    assert of_config("") == []
    assert Limits().per_project_per_hour <= Limits().per_hour


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stale_after: 1s\n", "`stale_after` is less than 10m"),
        ("stale_after: 366d\n", "`stale_after` is more than 7d"),
        (f"{NOTIFY}remind_after: 1s\n", "`remind_after` is less than 5m"),
        (f"{NOTIFY}remind_after: 8d\n", "`remind_after` is more than 7d"),
        ("stale_after: 7d\n", ""),
        (f"{NOTIFY}remind_after: 15m\n", ""),
    ],
)
def test_a_duration_that_holds_for_everything_or_for_nothing_is_warned_of(text: str, said: str) -> None:
    told = of_config(text)

    assert [code for code, *_ in told] == (["FB507"] if said else [])
    assert all(message.startswith(said) for *_, message in told)


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ("approve_within: 1s", ["FB314"]),
        ("approve_within: 8d", ["FB314"]),
        ("review_after: 9m", ["FB314"]),
        ("review_after: 31d", ["FB314"]),
        ("release_after: 1h", ["FB315"]),
        ("release_after: 4h", []),
        ("review_after: 1h\nrelease_after: 1h", []),
        ("approve_within: 5m\nreview_after: 10m", []),
        ("approve_within: 7d\nreview_after: 30d", []),
    ],
)
def test_a_duration_that_nobody_can_keep_or_that_comes_to_nothing_is_warned_of(keys: str, codes: list[str]) -> None:
    (read,) = read_policies({"a.yaml": policy("workload.public: true") + keys}, WORLD.catalogue, ACTIONS).policies

    assert [one.rule.code for one in odd_durations(read, WORLD)] == codes


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("finding.hour: {at_least: 24}", "from 0 to 23, so that this never holds"),
        ("finding.hour: {at_most: 23}", "from 0 to 23, so that this holds for every number of it"),
        ("finding.hour: {in: [22, 24, 25]}", "from 0 to 23, so that it is never 24, 25"),
        ("finding.hour: -1", "from 0 to 23, so that it is never -1"),
        ("virustotal.malicious: {at_least: 0}", "0 or more, so that this holds for every number of it"),
        ("virustotal.malicious: {at_most: -1}", "0 or more, so that this never holds"),
        ("related.count: {not_in: [-1]}", "0 or more, so that it is never -1"),
        ("virustotal.score: {at_least: 101}", "from 0 to 100, so that this never holds"),
        ("finding.hour: {at_least: 22}", None),
        ("finding.hour: {in: [0, 23]}", None),
        ("virustotal.malicious: {at_most: 0}", None),
        ("virustotal.malicious: {exists: true}", None),
        ("virustotal.score: 100", None),
    ],
)
def test_a_number_that_a_fact_never_has_is_warned_of(clause: str, said: str | None) -> None:
    (read,) = read_policies({"a.yaml": policy(clause)}, WORLD.catalogue, ACTIONS).policies
    told = [one.message.partition("` is ")[2] for one in out_of_range(read, WORLD)]

    assert told == ([said] if said else [])


def test_every_number_says_where_it_begins() -> None:
    """One that says nothing would have no comparison of it warned of."""
    numbers = {name: fact for name, fact in WORLD.catalogue.items() if fact.type.value == "number"}

    assert numbers
    assert [name for name, fact in numbers.items() if fact.least is None] == []


def test_what_is_newer_than_all_time_can_match() -> None:
    (read,) = read_policies(
        {"a.yaml": policy("virustotal.first_seen: {newer_than: 36500d}")}, WORLD.catalogue, ACTIONS
    ).policies

    assert list(never_matching(read, WORLD)) == []


@pytest.mark.parametrize(
    ("text", "meant"), [("0.5h", "30m"), ("1.5 hours", "90m"), ("1y", "365d"), ("2 weeks", "14d"), ("0h", None)]
)
def test_a_duration_as_people_say_it_is_answered_with_the_one_that_is_meant(text: str, meant: str | None) -> None:
    assert duration(text) == meant

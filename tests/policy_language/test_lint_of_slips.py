"""What somebody who is new to this writes: each slip is told at its place, with the word that was meant."""

from __future__ import annotations

import pytest

from firebreak.core.diagnostics import Fault, nearest_word
from firebreak.policy_language.lint.lint import lint
from firebreak.policy_language.reading.policies import read_policies
from tests.policy_language.test_lint import ACTIONS, WORLD

POLICY = """\
id: ticketing-shell
mode: approve
when:
  finding.category: "Unexpected Child Shell"
  workload.project: {in_set: ticketing}
  workload.kind: service
then:
  - action: pin_previous_revision
notify: [rail-oncall]
examples:
  - {expect: {mode: approve}}
  - {given: {workload.kind: job}, expect: nothing}
  - {given: {workload.project: rail-hr}, expect: nothing}
"""
CONFIG = """\
organization: "889900112233"
ceiling: approve
sets:
  ticketing: [rail-tickets, rail-fares]
limits: {per_project_per_hour: 2, per_hour: 6}
"""


def told(policy: str, config: str = CONFIG) -> list[Fault]:
    """Everything that lint says of the two files."""
    files = {"a.yaml": policy, "firebreak.yaml": config}
    read = read_policies(files, WORLD.catalogue, ACTIONS)
    faulty = frozenset(one.at.file for one in read.faults)
    found = lint(read.faultless, read.config, files, ACTIONS, WORLD, faulty=faulty)
    return [*read.faults, *found.failing, *found.warnings]


def places(faults: list[Fault]) -> list[str]:
    return [f"{one.at.file.partition('.')[0]}:{one.at.line}:{one.at.column} {one.rule.code}" for one in faults]


def test_the_policy_and_its_configuration_have_nothing_wrong() -> None:
    assert told(POLICY) == []


@pytest.mark.parametrize(
    ("right", "slip", "place", "said"),
    [
        ("mode: approve\n", "mode: [approve]\n", "a:2:7 FB108", "write approve without brackets"),
        ("mode: approve\n", "mode: shadow\n", "a:2:7 FB109", "write `shadow: true` beside the mode"),
        ("mode: approve\n", "mode:\u00a0approve\n", "a:2:6 FB101", "this blank is no plain space"),
        ("{in_set: ticketing}", "{in_set: [ticketing]}", "a:5:30 FB108", "write ticketing without brackets"),
        ("{in_set: ticketing}", "{in_set: ticketing", "a:5:21 FB101", "this `{` is not closed"),
        ("[rail-oncall]", "[rail-oncall", "a:9:9 FB101", "this `[` is not closed"),
        ("[rail-oncall]", "[rail-oncall,,]", "a:9:22 FB101", "two commas stand beside each other"),
        ("[rail-oncall]", "[on call]", "a:9:10 FB109", "did you mean `on-call`?"),
        ("{in_set: ticketing}", "{in: [a] not_in: [b]}", "a:5:30 FB101", "a comma belongs before this"),
        (": service", ": cloud_run_service", "a:6:18 FB109", "did you mean `service`?"),
        (": service", ": Cloud Run Job", "a:6:18 FB109", "did you mean `job`?"),
        ("pin_previous_revision", "rollback", "a:8:13 FB112", "did you mean `pin_previous_revision`?"),
        ("pin_previous_revision", "Isolate", "a:8:13 FB112", "did you mean `cut_traffic`?"),
        (": service", ": service\n  workload.severity: HIGH", "a:7:3 FB110", "did you mean `finding.severity`?"),
        ("notify", "sources: []\nnotify", "a:9:1 FB105", "it belongs to firebreak.yaml"),
        ("expect: {mode", "result: {mode", "a:11:6 FB105", "did you mean `expect`?"),
        ("id:", 'description: "C:\\d"\nid:', "a:1:17 FB101", "use '…'"),
        ("notify", "on_expiry: enforce\nnotify", "a:9:12 FB109", "did you mean `contain`?"),
        ("notify", 'approve_within: "30"\nnotify', "a:9:17 FB108", "say of what, as 30s, 30m or 30h"),
        ("notify", "approve_within: 30\nnotify", "a:9:17 FB108", "say of what, as 30s, 30m or 30h"),
        ("notify", "approve_within: 0m\nnotify", "a:9:17 FB108", "it has to be longer than nothing"),
        ("notify", "approve_within: -1h\nnotify", "a:9:17 FB108", "it has to be longer than nothing"),
        ("notify", "approve_within: 1 month\nnotify", "a:9:17 FB108", "did you mean `30d`?"),
        ('"Unexpected Child Shell"', "CLOUD_RUN_UNEXPECTED_CHILD_SHELL", "a:4:3 FB204", "`Unexpected Child Shell`?"),
    ],
)
def test_a_slip_in_a_policy_is_told_alone_with_what_was_meant(right: str, slip: str, place: str, said: str) -> None:
    faults = told(POLICY.replace(right, slip, 1))

    assert places(faults) == [place]
    assert said in faults[0].said


@pytest.mark.parametrize(
    ("right", "slip", "place", "said"),
    [
        ("limits", "ceilings: [{project: dev, mode: monitor}]\nlimits", "firebreak:5:27 FB105", "`ceiling`?"),
        ("[rail-tickets, rail-fares]", "rail-tickets", "firebreak:4:14 FB108", "write [rail-tickets]"),
        ("  ticketing:", "  - ticketing:", "firebreak:4:3 FB108", "leave out the `- ` before its members"),
        ("[rail-tickets, rail-fares]", "[rail-tickets, rail-*]", "a:5:3 FB207", "write {glob: rail-*} here"),
    ],
)
def test_a_slip_in_the_configuration_is_told_alone_and_of_no_policy_anything_follows_from_it(
    right: str, slip: str, place: str, said: str
) -> None:
    """A set that could not be read has members that nobody knows, and makes no policy one that never matches."""
    faults = told(POLICY, CONFIG.replace(right, slip, 1))

    assert places(faults)[:1] == [place]
    assert said in faults[0].said
    assert {one.at.file for one in faults} == {faults[0].at.file}


def test_a_channel_with_its_secret_in_the_file_is_told_where_secrets_belong() -> None:
    notify = "notify: {channels: {rail: {type: slack, webhook: somewhere}}}\n"
    faults = told(POLICY, CONFIG + notify)

    assert [one.at.line for one in faults] == [6] * len(faults)
    assert "did you mean `kind`?" in faults[0].said
    assert "it is a secret: write `secret`, the name of the variable that has it" in faults[1].said


def test_a_set_that_a_faulty_policy_may_use_is_not_said_to_be_unused() -> None:
    """Who believed that would take it out, and have one fault more."""
    assert places(told(POLICY.replace("mode: approve\n", "mode: approved\n", 1))) == ["a:2:7 FB109"]


def test_hours_that_span_midnight_are_told_how_they_are_written() -> None:
    night = POLICY.replace(": service", ": service\n  finding.hour: {at_least: 22, at_most: 6}")
    (never,) = (one for one in told(night) if one.rule.code == "FB201")

    assert never.said.endswith(
        "never hold together: past midnight write any_of, of `finding.hour at_least 22` and `finding.hour at_most 6`"
    )


def test_a_variable_where_a_set_is_meant_is_warned_of() -> None:
    faults = told(POLICY.replace("{in_set: ticketing}", "$ticketing"))

    assert "a set is named as {in_set: ticketing}" in faults[0].said


@pytest.mark.parametrize(("word", "near"), [("cloud-run-job", "job"), ("in_set", None), ("kinds", None)])
def test_a_word_is_meant_that_is_a_part_of_what_was_written(word: str, near: str | None) -> None:
    assert nearest_word(word, ("in", "job", "service")) == near

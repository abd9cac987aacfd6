"""Comments that say of a warning that it is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.diagnostics import Location
from firebreak.policy_language.lint.conditions import LintWarning
from firebreak.policy_language.lint.lint import lint
from firebreak.policy_language.lint.rules import MISSING_EXAMPLE, NOBODY_TOLD, RULES
from firebreak.policy_language.lint.silences import judged
from firebreak.policy_language.reading.policies import read_policies
from tests.policy_language.test_lint import ACTIONS, WORLD, linted, places, policy

ALLOW = "# firebreak: allow FB308 because ops watch the topic"


def quiet(notify: str) -> str:
    """A policy that tells nobody, with `notify` as it is given."""
    return policy(notify="[]").replace("notify: []", notify)


@pytest.mark.parametrize(
    "notify",
    [
        f"notify: [] {ALLOW}",
        f"{ALLOW}\nnotify: []",
        f"{ALLOW}\n# another remark\n\nnotify: []",
        f"notify: [] # for now {ALLOW}",
        f"notify: [] {ALLOW}\r",
        "notify: [] #firebreak:allow  FB308  because  ops watch the topic  ",
        "notify: [] # firebreak: allow FB308, FB308 because ops watch the topic",
    ],
)
def test_a_comment_with_a_reason_silences_its_line_or_the_next(notify: str) -> None:
    found = linted(quiet(notify))

    assert found.warnings == ()
    assert {(one.fault.rule, one.reason) for one in found.silenced} == {(NOBODY_TOLD, "ops watch the topic")}


def told(notify: str) -> list[tuple[str, str]]:
    found = linted(quiet(notify))
    assert found.silenced == ()
    return sorted((one.rule.code, one.message) for one in found.warnings)


UNHEARD = ("FB308", linted(policy(notify="[]")).warnings[0].message)


@pytest.mark.parametrize(
    ("comment", "code", "said"),
    [
        ("allow FB308", "FB602", "FB308 is silenced only with a reason: add because REASON"),
        ("allow FB308 because", "FB602", "FB308 is silenced only with a reason: add because REASON"),
        ("allow FB308 because   ", "FB602", "FB308 is silenced only with a reason: add because REASON"),
        ("allow FB999 because x", "FB603", "there is no rule `FB999`, and so nothing is silenced"),
        ("allow fb308 because x", "FB603", "there is no rule `fb308`, and so nothing is silenced"),
        ("allow FB404 because x", "FB604", "FB404 (missing-example) cannot be silenced: mend it"),
        ("allow FB402 because x", "FB604", "FB402 (failing-example) cannot be silenced: mend it"),
        ("allow FB105 because x", "FB604", "FB105 (unknown-key) cannot be silenced: mend it"),
        ("allow FB605 because x", "FB604", "FB605 (idle-silence) cannot be silenced: mend it"),
        ("allow FB203 because x", "FB605", "there is no FB203 here to silence: leave this out"),
        ("allow because x", "FB601", "this silences nothing: write # firebreak: allow CODE because REASON"),
        ("disable FB308", "FB601", "this silences nothing: write # firebreak: allow CODE because REASON"),
        ("", "FB601", "this silences nothing: write # firebreak: allow CODE because REASON"),
        ("allow FB308 for now", "FB601", "this silences nothing: write # firebreak: allow CODE because REASON"),
    ],
)
def test_a_comment_that_silences_nothing_is_told_and_so_is_the_warning(comment: str, code: str, said: str) -> None:
    assert told(f"notify: [] # firebreak: {comment}") == sorted([UNHEARD, (code, said)])


@pytest.mark.parametrize(
    "notify",
    [
        f"notify: []\n{ALLOW}",
        f"{ALLOW}\nreview_after: 2h\nnotify: []",
        f"review_after: 2h {ALLOW}\nnotify: []",
    ],
)
def test_a_comment_elsewhere_silences_nothing(notify: str) -> None:
    assert [code for code, _ in told(notify)] == ["FB308", "FB605"]


@pytest.mark.parametrize(
    "text",
    [
        f'description: "{ALLOW}"\nnotify: []',
        f"description: |\n  {ALLOW}\nnotify: []",
        f"description: >-\n  a\n  {ALLOW}\n\nnotify: []",
        f'description: "a\n  {ALLOW}"\nnotify: []',
        f"description: 'it''s {ALLOW}'\nnotify: []",
        f"description: a text with{ALLOW.replace(' ', '_')}\nnotify: []",
    ],
)
def test_what_stands_in_a_text_is_no_comment(text: str) -> None:
    assert told(text) == [UNHEARD]


@pytest.mark.parametrize(
    "notify",
    [
        f"description: |\n  a text\n{ALLOW}\nnotify: []",
        f"description: |\n  a text\n\n{ALLOW}\n\nnotify: []",
        f"description: >\n  a text\n  # of two lines\n{ALLOW}\nnotify: []",
    ],
)
def test_a_comment_below_a_text_is_one(notify: str) -> None:
    assert linted(quiet(notify)).warnings == ()


def test_a_comment_beside_the_mark_of_a_text_is_one() -> None:
    found = told(f"description: | {ALLOW}\n  a text\nnotify: []")

    assert [code for code, _ in found] == ["FB308", "FB605"]


def test_a_fault_stays_whatever_a_comment_says() -> None:
    kept = policy().partition("examples:")[0]
    text = f"{kept}examples: # firebreak: allow FB402 because it is new\n  - expect: {{mode: approve}}"
    text = f"# firebreak: allow FB404 because it is new\n{text} # firebreak: allow FB402 because it is new\n"
    found = linted(text)

    assert [one.rule.code for one in found.failing] == ["FB404", "FB402"]
    assert [one.rule.code for one in found.warnings] == ["FB604", "FB604", "FB604"]


def test_each_of_several_warnings_on_one_line_needs_its_own_word() -> None:
    text = policy(
        "workload.project: {glob: core, exists: true}", given="workload.project: core", no="workload.kind: job"
    )
    comment = "# firebreak: allow FB205, FB202 because the name is whole"
    found = linted(text.replace("\nthen:", f" {comment}\nthen:"))

    assert [one.fault.rule.code for one in found.silenced] == ["FB205"]
    assert [one.rule.code for one in found.warnings] == ["FB605"]


def test_a_set_is_silenced_in_the_configuration() -> None:
    found = linted(
        policy(), config="sets:\n  spare: [a]  # firebreak: allow FB503 because it comes with the next change"
    )

    assert found.warnings == ()
    assert [one.fault.rule.code for one in found.silenced] == ["FB503"]


def test_where_a_file_does_not_load_no_comment_is_called_idle() -> None:
    """The policy above that shadows this one may stand in it."""
    text = policy().replace("id: x", "id: x # firebreak: allow FB203 because the one above is on trial")
    files = {"0.yaml": "a: [", "1.yaml": text}
    read = linted(text)
    assert [one.rule.code for one in read.warnings] == ["FB605"]

    some = read_policies(files, WORLD.catalogue, ACTIONS)
    assert lint(some.faultless, some.config, files, ACTIONS, WORLD, faulty=frozenset({"0.yaml"})).warnings == ()


def test_a_hundred_warnings_and_one_are_silenced_like_one() -> None:
    one = policy(notify="[]").replace("notify: []", f"notify: [] {ALLOW}")
    text = "".join("- " + one.replace("id: x", f"id: x{at}").strip().replace("\n", "\n  ") + "\n" for at in range(130))
    found = linted(text)

    assert sum(silenced.fault.rule is NOBODY_TOLD for silenced in found.silenced) == 130
    assert {fault.rule.code for fault in found.warnings} == {"FB203"}


def test_the_silenced_warning_keeps_its_place_and_its_line() -> None:
    (silenced,) = linted(quiet(f"notify: [] {ALLOW}")).silenced

    assert places((silenced.fault,)) == [(5, 9, UNHEARD[1])]
    assert silenced.fault.line_text == f"notify: [] {ALLOW}"


@given(
    st.lists(
        st.sampled_from(["#", " ", "firebreak:", "allow", "FB308", "FB404", ",", "because", "x", "\t", "# firebreak: "])
    ).map("".join)
)
def test_whatever_a_comment_says_nothing_that_must_be_mended_is_silenced(comment: str) -> None:
    text = f"a: 1 # {comment}\n"
    remarks = [LintWarning(rule, Location("a.yaml", 1, 1), "x") for rule in RULES]
    left = judged(remarks, {"a.yaml": text}, "lint")

    assert {one.fault.rule for one in left.silenced} <= {NOBODY_TOLD}
    assert MISSING_EXAMPLE in {one.rule for one in left.told}
    assert len(left.told) + len(left.silenced) == len(remarks)

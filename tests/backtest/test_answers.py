"""What people made of each policy's decisions, counted from records alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from firebreak.backtest.answers import Book
from firebreak.backtest.sets import SetLog
from firebreak.core.reports.answers import Answers
from tests.backtest.histories import lines, policies_in, recorded
from tests.cli.commands import Told, run


def decided(number: int, mode: str, *said: str, policy: str = "malware", **more: Any) -> dict[str, Any]:
    """A record of that mode; what is said is by ada, and what begins with `asks` by Firebreak."""
    history = [{"who": "firebreak" if one.startswith("asks") else "ada", "what": one} for one in said]
    return recorded(number, decision={"policy": policy, "mode": mode}, history=history, **more)


ASKED = ("asks a person: the policy asks", "rejected: it is ours")
RECORDS = (
    decided(1, "approve", *ASKED),
    decided(2, "approve", *ASKED, closed_as="benign"),
    decided(3, "approve", "asks a person: stale", "approved 0123456789ab", closed_as="true_positive"),
    decided(4, "approve", "asks a person: stale"),
    decided(5, "enforce", policy="strict", closed_as="false_positive"),
    decided(6, "monitor", policy="strict"),
    recorded(7),  # declined: no policy decided it
)


def counted(*records: dict[str, Any]) -> dict[str, Answers]:
    book = Book()
    for one in records:
        book.add(one)
    return book.by_policy()


def test_questions_answers_and_what_it_was_are_counted_by_policy() -> None:
    assert counted(*RECORDS) == {
        "malware": Answers(decided=4, asked=4, approved=1, rejected=2, real=1, nothing=1),
        "strict": Answers(decided=2, enforced=1, nothing=1, enforced_nothing=1),
    }


def test_the_newest_record_of_an_incident_counts_in_whatever_order_they_come() -> None:
    old, new = (
        decided(1, "approve", updated="2026-01-01T00:00:00Z"),
        decided(1, "enforce", updated="2026-01-02T00:00:00Z"),
    )

    assert counted(new, old) == counted(old, new) == {"malware": Answers(decided=1, enforced=1)}


def test_what_firebreak_says_itself_is_nobody_s_answer() -> None:
    record = decided(1, "approve")
    record["history"] = [{"who": "firebreak", "what": "approved late: it is decided anew"}]

    assert counted(record)["malware"].approved == 0


@pytest.mark.parametrize(
    ("answers", "begins"),
    [
        (Answers(approved=1, rejected=13), "13 of 14 answers were no"),
        (Answers(approved=7, rejected=7), ""),
        (Answers(rejected=2), ""),
        (Answers(enforced=3, real=1, nothing=2, enforced_nothing=1), "2 of 3 that people judged were nothing"),
        (Answers(enforced=3, real=2, nothing=1, enforced_nothing=1), ""),
        (Answers(enforced=1, nothing=1, enforced_nothing=1), ""),
    ],
)
def test_a_proposal_needs_answers_enough_that_say_so(answers: Answers, begins: str) -> None:
    assert answers.proposal.startswith(begins)
    assert bool(answers.proposal) is bool(begins)


def judged(number: int, closed_as: str, *labels: str) -> dict[str, Any]:
    return decided(number, "enforce", closed_as=closed_as, labels=list(labels))


DEV, WEB = "tier=dev", "team=web"


@pytest.mark.parametrize(
    ("records", "clause"),
    [
        (
            [judged(1, "true_positive", WEB), *(judged(number, "benign", DEV, WEB) for number in (2, 3, 4))],
            'none_of: [{workload.labels: {contains: "tier=dev"}}]',
        ),
        (
            [judged(1, "true_positive", WEB), *(judged(number, "benign", WEB) for number in (2, 3, 4))],
            "a clause that leaves these out",
        ),
        ([judged(number, "benign", DEV) for number in (2, 3, 4)], "a clause that leaves these out"),
        (
            [judged(1, "true_positive", WEB), *(judged(number, "benign", f"run=r{number}") for number in (2, 3, 4))],
            "a clause that leaves these out",
        ),
    ],
    ids=["what these had alone", "what others had too", "no other to tell them from", "each another"],
)
def test_the_clause_proposed_is_about_what_most_in_vain_had_and_none_rightly(
    records: list[dict[str, Any]], clause: str
) -> None:
    assert clause in counted(*records)["malware"].proposal


def test_a_clause_is_proposed_by_no_secret() -> None:
    secret = "owner=ghp_abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - made up
    records = [judged(1, "true_positive", WEB), *(judged(number, "benign", secret) for number in (2, 3, 4))]

    assert counted(*records)["malware"].apart is None


@pytest.fixture
def firebreak(capsys: pytest.CaptureFixture[str]) -> Told:
    return lambda *words: run(capsys, *words)


def test_files_are_read_as_backtests_read_them(firebreak: Told, tmp_path: Path) -> None:
    wrapped = [{"data": json.dumps(one)} for one in RECORDS]
    (tmp_path / "history.jsonl").write_text(lines(*wrapped) + "not json\n")
    shown = firebreak("policy", "stats", str(tmp_path / "history.jsonl"), "--json").json["policies"]
    said = firebreak("policy", "stats", str(tmp_path / "history.jsonl")).out

    assert {name: one["decided"] for name, one in shown.items()} == {"malware": 4, "strict": 2}
    assert [*said.splitlines()[1].split()] == ["malware", "4", "0", "4", "1", "2", "1", "1"]
    assert "no: a clause that leaves these out, or mode monitor" in said


def test_sets_of_policies_come_in_the_order_in_which_they_began_to_decide() -> None:
    log = SetLog()
    days = {1: ("aaa", "03"), 2: ("bbb", "01"), 3: ("aaa", "02"), 4: ("bbb", "04")}
    for number, (named, day) in days.items():
        record = decided(number, "approve", created=f"2026-06-{day}T00:00:00Z")
        record["decision"] |= {"policy_set": named, "version": "1"}
        log.add(record)
    log.add(recorded(9))
    told = [(one.policy_set, one.first[8:10], one.last[8:10], one.modes["approve"]) for one in log.in_order()]

    assert told == [("bbb", "01", "04", 2), ("aaa", "02", "03", 2)]


def test_policies_that_have_decided_nothing_yet_are_said_to_be_so(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBREAK_POLICIES", policies_in(tmp_path / "policies"))
    (tmp_path / "history.jsonl").write_text(lines(decided(1, "approve")))
    new = firebreak("policy", "log", str(tmp_path / "history.jsonl"))
    here = firebreak("policy", "log", str(tmp_path / "history.jsonl"), "--json").json["here"]
    known = decided(1, "approve")
    known["decision"]["policy_set"] = here
    (tmp_path / "history.jsonl").write_text(lines(known))
    old = firebreak("policy", "log", str(tmp_path / "history.jsonl"))

    assert "have decided nothing yet" in new.out
    assert old.out.splitlines()[0].endswith("approve 1, the policies that lie here")
    assert "nothing yet" not in old.out

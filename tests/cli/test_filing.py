"""Saying what an incident was found to be, also while its containment stands; and why a no is a no."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from firebreak.core.incidents.command import Command
from firebreak.response import pipeline
from tests.cli.commands import Terminal, Told
from tests.cli.test_answers import UNKNOWN_FILE, at_work
from tests.response.harness import BAD, Line, Lines
from tests.response.releases import contained


@pytest.fixture
def on(line: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    with at_work(line, monkeypatch) as on:
        yield on


def test_a_true_positive_is_filed_while_its_containment_stands_and_can_be_released_later(
    firebreak: Told, on: Line
) -> None:
    incident = contained(on)
    told = firebreak("incident", "close", incident.id, "--keep", "--reason", "a miner", "--by", "ada")
    filed, reachable = on.read(incident), on.reachable
    shown, listed = firebreak("incident", "show", incident.id).out, firebreak("incident", "list").out
    firebreak("incident", "release", incident.id)

    assert told.code == 0, told.err
    assert f"  undo  firebreak incident release {incident.id}\n" in told.out
    assert (filed.phase, filed.closed_as, BAD in reachable) == ("contained", "true_positive", False)
    assert filed.history[-1].what == "filed as true positive; its containment stays: a miner"
    for text in (shown, listed):
        assert (
            "the plan is in force, read back from what serves. Filed as true positive; its containment stays." in text
        )
    assert "--keep" not in shown
    assert (on.read(incident).phase, on.read(incident).closed_as) == ("released", "true_positive")
    assert "Filed" not in firebreak("incident", "show", incident.id).out.split("\nFinding\n")[0]


def test_closing_it_without_a_word_after_its_release_keeps_what_it_was_found_to_be(firebreak: Told, on: Line) -> None:
    """What it suspected is no refuge for 90 days, for that reason."""
    incident = contained(on)
    for words in (("close", "--keep"), ("release",), ("close",)):
        firebreak("incident", words[0], incident.id, *words[1:])

    assert (on.read(incident).phase, on.read(incident).closed_as) == ("closed", "true_positive")


def test_a_slip_in_what_it_was_closed_as_is_corrected_for_a_reason(firebreak: Told, on: Line) -> None:
    """By it later policies decide, suspects are no refuge, and every figure says who was right."""
    incident = contained(on)
    firebreak("incident", "release", incident.id)
    firebreak("incident", "close", incident.id, "--as", "benign", "--reason", "a drill")
    bare = firebreak("incident", "close", incident.id, "--as", "true_positive")
    kept = on.read(incident)
    mended = firebreak("incident", "close", incident.id, "--as", "true_positive", "--reason", "no drill was on")
    again = firebreak("incident", "close", incident.id, "--as", "true_positive", "--reason", "no drill was on")
    now = on.read(incident)

    assert (bare.code, kept.closed_as) == (1, "benign")
    assert "closed as benign already: if that was a slip, say so with --reason WHY" in bare.err
    assert (mended.code, again.code, now.phase, now.closed_as) == (0, 0, "closed", "true_positive")
    assert now.history[-1].what == "closed as true positive, not benign: no drill was on"
    assert len(now.history) == len(kept.history) + 1


def test_an_order_from_before_it_was_closed_corrects_nothing(firebreak: Told, on: Line) -> None:
    """Messages come more than once, and late: what somebody corrected stays so."""
    incident = contained(on)
    firebreak("incident", "release", incident.id)
    late = Command("late", "close", "ada", incident.id, "a drill", closed_as="benign", sent_ns=on.app.now_ns())
    on.wait(60)
    firebreak("incident", "close", incident.id, "--as", "true_positive", "--reason", "no drill was on")
    told = pipeline.execute(on.app, late)

    assert (told.done, told.says) == (False, "closed as true positive already")
    assert on.read(incident).closed_as == "true_positive"


def test_what_is_filed_is_announced_by_no_review_until_others_open_it_again(firebreak: Told, on: Line) -> None:
    incident = contained(on)
    firebreak("incident", "close", incident.id, "--keep")
    before = len(on.read(incident).history)
    for _ in range(2):
        on.wait(4 * 3600 + 1)
        on.sweep()
    quiet = on.read(incident)
    on.world.set_traffic("checkout", {"latest": True, "percent": 100})
    on.wait(301)
    on.sweep()

    assert len(quiet.history) == before
    assert quiet.next_ns is not None, "it is still looked at: its release may come by itself"
    assert on.read(incident).phase == "waiting"


def test_filing_it_once_more_changes_nothing(firebreak: Told, on: Line) -> None:
    incident = contained(on)
    first, again = (firebreak("incident", "close", incident.id, "--keep", "--as", "true_positive") for _ in "12")

    assert (first.code, again.code) == (0, 0)
    assert "stays already" in again.out
    assert [one.what for one in on.read(incident).history].count("filed as true positive; its containment stays") == 1


def test_what_is_filed_is_listed_after_what_waits_for_somebody(firebreak: Told, on: Line) -> None:
    incident = contained(on)
    other = on.respond(on.finding(finding_id="another", workload="services/elsewhere"))
    firebreak("incident", "close", incident.id, "--keep")
    told = firebreak("incident", "list").out

    assert told.index(other.id) < told.index(incident.id)


def test_nothing_is_kept_where_nothing_stands_or_where_it_was_no_attack(firebreak: Told, on: Line) -> None:
    asked = on.respond(on.finding(sha256=UNKNOWN_FILE))
    nothing = firebreak("incident", "close", asked.id, "--keep")
    benign = firebreak("incident", "close", asked.id, "--keep", "--as", "benign")

    assert (nothing.code, benign.code) == (1, 2)
    assert "there is no containment to keep: the incident is waiting" in nothing.err
    assert "release it" in benign.err
    assert (on.read(asked).phase, on.read(asked).closed_as) == ("waiting", "")


@pytest.mark.parametrize(("typed", "code", "phase"), [("a test of ours\n", 0, "rejected"), ("\n", 1, "waiting")])
def test_on_a_terminal_a_no_is_asked_for_its_reason(
    firebreak: Told, on: Line, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, phase: str
) -> None:
    asked = on.respond(on.finding(sha256=UNKNOWN_FILE))
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    told = firebreak("incident", "reject", asked.id, "--by", "ada")
    history = [one.what for one in on.read(asked).history]

    assert told.code == code
    assert "Why not? " in told.err
    assert on.read(asked).phase == phase
    assert ("rejected: a test of ours" in history) is (code == 0)


def test_a_reason_that_was_given_is_not_asked_for(firebreak: Told, on: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = on.respond(on.finding(sha256=UNKNOWN_FILE))
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    told = firebreak("incident", "reject", asked.id, "--reason", "a test of ours")

    assert (told.code, "Why not?" in told.err) == (0, False)

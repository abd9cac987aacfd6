"""Figures of what was done, from the ledger that real runs leave, and weekly on the topic."""

from __future__ import annotations

import json

import pytest

from firebreak.backtest.answers import Book
from firebreak.core.facts import Evidence
from firebreak.core.incidents.evidence_record import evidence_record
from firebreak.core.incidents.incident import Incident
from firebreak.core.reports.report import Report, Times, report
from firebreak.core.timestamps import NANOS
from firebreak.ledger.figures import figures_of
from firebreak.ledger.records import StoredIncident
from sandbox.wire import Fault
from tests.cli.commands import NOW, incident
from tests.response.harness import ALWAYS, TOPIC, Line, Lines

HOUR = 3600 * NANOS
ASKS = ALWAYS.replace("mode: enforce", "mode: approve").replace("{mode: enforce}", "{mode: approve}")
WEEK = 7 * 24 * 3600


def figures(on: Line) -> Report:
    return figures_of(on.app.ledger, on.app.now_ns() - 24 * HOUR, on.app.now_ns())


def a_day(on: Line) -> None:
    """One contained and called false, one approved after five minutes, one rejected, one that waits."""
    first = on.respond(on.finding(finding_id="a", minutes_ago=90))
    on.wait(300)
    on.approve(first)
    on.release(on.read(first))
    on.close(on.read(first), "false_positive")
    on.reject(on.respond(on.finding(finding_id="b")), "a drill")
    on.respond(on.finding(finding_id="c"))


def test_what_was_asked_answered_and_called_false_is_counted(line: Lines) -> None:
    with line(policy=ASKS) as on:
        a_day(on)
        found = figures(on)

    assert (found.incidents, found.open, found.waiting, found.asked) == (3, 1, 1, 3)
    assert (found.enforced, found.approved, found.unanswered) == (0, 1, 0)
    assert dict(found.phases) == {"closed": 1, "rejected": 1, "waiting": 1}
    assert [(one.policy, one.contained, one.false) for one in found.policies] == [("always", 1, 1)]
    assert found.workloads == (("shop-prod/europe-west1/service/checkout", 3),)
    assert found.to_contain == Times(0)
    assert found.to_answer.count == 2
    assert found.to_answer.most is not None
    assert 300 <= found.to_answer.most < 320


def test_the_report_and_the_statistics_of_policies_have_the_same_figures(line: Lines) -> None:
    book = Book()
    with line(policy=ASKS) as on:
        a_day(on)
        found = figures(on)
        for one in on.app.ledger.listed(10):
            assert isinstance(one, StoredIncident)
            book.add(on.shown(one.incident))

    assert {one.policy: one.answers for one in found.policies} == book.by_policy()
    assert (found.policies[0].answers.asked, found.policies[0].answers.rejected) == (3, 1)


def test_what_was_contained_without_a_question_is_told_with_how_long_it_took(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.respond(on.finding())
        found = figures(on)

    assert (found.enforced, found.approved, found.asked) == (1, 0, 0)
    assert found.to_contain.count == 1
    assert found.to_contain.most is not None
    assert 0 < found.to_contain.most < 30


def test_what_began_before_is_open_and_nothing_else() -> None:
    before = incident("waiting", created_ns=NOW - 48 * HOUR)
    found = report([before], NOW - 24 * HOUR, NOW)

    assert (found.incidents, found.open, found.asked, found.workloads) == (0, 1, 0, ())


def taking(seconds: int) -> Incident:
    one = incident("contained", history=())
    return one.with_history(one.created_ns + seconds * NANOS, "firebreak", "contained by pin_previous_revision")


@pytest.mark.parametrize(
    ("took", "times"),
    [
        (range(1, 11), Times(10, 1.0, 5.0, 9.0, 10.0)),
        ((7,), Times(1, 7.0, 7.0, 7.0, 7.0)),
        ((3, 1), Times(2, 1.0, 1.0, 3.0, 3.0)),
    ],
)
def test_times_are_told_as_a_distribution(took: tuple[int, ...], times: Times) -> None:
    assert report(map(taking, took), 0, NOW).to_contain == times


def weekly(on: Line) -> list[dict[str, object]]:
    messages = on.world.topics.get(TOPIC, [])
    return [json.loads(one["data"]) for one in messages if one["attributes"].get("report") == "weekly"]


def test_once_a_week_the_sweep_publishes_them_and_again_where_the_topic_was_away(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.sweep()
        on.respond(on.finding())
        on.wait(WEEK - 60)
        on.sweep()
        early = weekly(on)
        on.wait(120)
        on.sandbox.wire.inject(Fault("*/Publish", "error", code="UNAVAILABLE", times=4))
        away = on.sweep()
        missed = weekly(on)
        on.sweep()
        on.sweep()
        (told,) = weekly(on)

        assert early == missed == []
        assert away.later
        assert told["incidents"] == told["enforced"] == 1


def test_the_clause_that_is_proposed_is_by_what_was_read_of_the_workloads() -> None:
    def closed(number: int, closed_as: str, *labels: str) -> Incident:
        facts = {"workload.labels": labels}
        evidence = (evidence_record(Evidence("workload", facts)),)
        return incident("closed", id=f"fb-{number:016x}", closed_as=closed_as, evidence=evidence)

    found = report(
        [closed(0, "true_positive", "team=web"), *(closed(number, "benign", "tier=dev") for number in (1, 2, 3))],
        NOW - 24 * HOUR,
        NOW,
    )

    assert found.policies[0].answers.apart == ("workload.labels", "tier=dev")

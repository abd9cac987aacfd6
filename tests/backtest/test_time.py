"""What one finding comes to beside the others: open questions, what stands, answers, releases and halts of then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firebreak.backtest.course import course_of
from firebreak.backtest.timeline import joined
from firebreak.core.incidents.record import record
from tests.backtest.histories import CONFIG, POLICY, found, instant, recorded, said
from tests.backtest.test_figures import told
from tests.response.deployments import for_severity
from tests.response.harness import ALWAYS, GOOD, Lines

DAY = 24 * 60
ASKS = POLICY.replace("mode: enforce\nwhen", "mode: approve\nwhen")
CONTAINS = ASKS.replace("mode: approve\nwhen", "mode: approve\non_expiry: contain\nwhen")


def went(folder: Path, *history: dict[str, Any], policy: str = POLICY, config: str = CONFIG) -> dict[str, int]:
    shown: dict[str, int] = told(folder, *history, config=config, policy=policy)["went"]
    return shown


def test_a_further_event_of_a_finding_puts_its_open_question_anew_and_asks_no_second_one(tmp_path: Path) -> None:
    first, second, later = (found(1, minutes) for minutes in (0, 20, 3 * 60))

    assert went(tmp_path, first, second, later, found(2, 21), policy=ASKS) == {"asked": 3, "put anew": 1, "expired": 3}


def test_what_nobody_answers_is_contained_only_where_the_policy_says_so_and_nothing_else_asked(tmp_path: Path) -> None:
    assert went(tmp_path, recorded(1), policy=ASKS) == {"asked": 1, "expired": 1}
    assert went(tmp_path, recorded(1), policy=CONTAINS) == {"asked": 1, "contained after no answer": 1}
    assert went(tmp_path, recorded(1, malicious=None), policy=CONTAINS) == {"asked": 1, "expired": 1}


def test_what_is_contained_for_want_of_an_answer_is_held_to_the_limits_of_that_hour(tmp_path: Path) -> None:
    config = f"{CONFIG}limits: {{per_project_per_hour: 1, per_hour: 1}}\n"

    assert went(tmp_path, recorded(1), recorded(2, 10), policy=CONTAINS, config=config) == {
        "asked": 2,
        "contained after no answer": 1,
        "expired": 1,
    }


@pytest.mark.parametrize(
    ("answer", "comes"), [("approved 0123456789ab", "approved"), ("rejected: it is ours", "rejected")]
)
def test_a_question_has_the_answer_that_people_gave_then(tmp_path: Path, answer: str, comes: str) -> None:
    answered = recorded(1, history=said((7, "ada", answer)))

    assert went(tmp_path, answered, policy=CONTAINS) == {"asked": 1, comes: 1}


def test_what_people_approved_stands_and_takes_no_slot(tmp_path: Path) -> None:
    config = f"{CONFIG}limits: {{per_project_per_hour: 1, per_hour: 1}}\nprotected: [{{service: one}}]\n"
    yes = recorded(1, service="one", history=said((7, "ada", "approved 0123456789ab")))
    again, other = recorded(2, 9, service="one"), recorded(3, 10)

    assert went(tmp_path, yes, again, other, config=config) == {"asked": 1, "approved": 1, "joined": 1, "contained": 1}


def test_a_containment_stands_until_it_was_released_then_and_for_a_day_a_person_is_asked(tmp_path: Path) -> None:
    released = recorded(1, service="one", history=said((60, "ada", "released")))
    before, after, later = (recorded(number, at, service="one") for number, at in ((2, 50), (3, 70), (4, DAY + 61)))
    shown = told(tmp_path, released, before, after, later)

    assert shown["went"] == {"contained": 2, "joined": 1, "asked": 1, "expired": 1}
    assert shown["held_back_by"] == {"released": 1}


def test_a_containment_that_still_stood_when_it_was_recorded_stands_until_then(tmp_path: Path) -> None:
    long = recorded(1, service="one", stands=True, updated=instant(9 * DAY))

    assert went(tmp_path, long, recorded(2, 5 * DAY, service="one")) == {"contained": 1, "joined": 1}
    assert went(tmp_path, recorded(1, service="one"), recorded(2, 5 * DAY, service="one")) == {"contained": 2}


def test_while_all_was_halted_nothing_is_done_and_what_came_then_is_done_once_it_was_lifted(tmp_path: Path) -> None:
    config = f"{CONFIG}limits: {{per_project_per_hour: 1, per_hour: 1}}\n"
    halted = recorded(
        1, history=said((0.1, "firebreak", "deferred: halted by ada: a drill"), (55, "firebreak", "policy malware"))
    )
    shown = told(tmp_path, halted, found(2, 30), recorded(3, 100), recorded(4, 120), config=config)

    assert shown["went"]["waited for a halt"] == 2
    assert shown["went"]["contained"] == 2  # at 55 and at 120; the one at 100 is within the hour of the first
    assert shown["held_back_by"]["blast_radius"] == 1


def test_a_halt_that_nobody_lifted_leaves_what_came_after_it_undone(tmp_path: Path) -> None:
    halted = recorded(1, 10, history=said((10.1, "firebreak", "deferred: halted by ada: a drill")))
    shown = told(tmp_path, recorded(2), halted, recorded(3, 600))

    assert shown["by_mode"] == {"enforce": 1, "approve": 0, "monitor": 2, "nothing": 0}
    assert shown["held_back_by"] == {"halt": 2}


def test_spans_that_meet_are_one() -> None:
    assert joined([(5, 9), (1, 3), (2, 4), (9, 12), (20, None), (30, 40)]) == [(1, 4), (5, 12), (20, None)]


def test_in_time_records_come_to_what_the_function_did(tmp_path: Path) -> None:
    """Contained; joined by what closes nothing new; asked about by what would close more."""
    policy = for_severity("CRITICAL", ALWAYS)
    with Lines(tmp_path)(policy=policy) as on:
        incidents = [on.respond(on.finding(minutes_ago=3))]
        on.wait(1)
        incidents.append(on.respond(on.finding(finding_id="like", minutes_ago=2)))
        on.wait(1)
        more = on.finding(finding_id="more", workload=f"services/checkout/revisions/{GOOD}", image=None)
        incidents.append(on.respond(more))
        history = [record(one) for one in incidents]

    assert [one["phase"] for one in history] == ["contained", "contained", "waiting"]
    assert went(tmp_path, *history, policy=policy) == {"contained": 1, "joined": 1, "asked": 1, "expired": 1}
    # Where the first is asked about nothing stands later: the second is asked about too, the third leads nowhere.
    asks = policy.replace("mode: enforce\nwhen", "mode: approve\nwhen")
    assert went(tmp_path, *history, policy=asks) == {"asked": 2, "expired": 2, "nothing to contain": 1}
    # Of which the history tells nothing stands: the second closes it itself.
    assert went(tmp_path, history[1], policy=policy) == {"contained": 1}


def test_a_person_s_words_release_nothing() -> None:
    """What Firebreak released by itself ends in this word; so may the reason for a no."""
    words = "rejected: as we said: released"

    assert course_of({"history": said((7, "ada", words))}).released_ns is None
    assert course_of({"history": said((7, "firebreak", "the finding is INACTIVE: released"))}).released_ns is not None

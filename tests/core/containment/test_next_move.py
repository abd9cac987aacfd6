"""What follows from what the gate says of a plan: wait, record, ask, write, or nothing that can be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from firebreak.core.actions.words import RefusalKind
from firebreak.core.containment.gate import Ruling
from firebreak.core.containment.next_move import Move, next_move
from firebreak.core.containment.observation import Around, Seen
from firebreak.core.containment.plan import Plan, StepRefusal
from firebreak.core.mode import Cap, Mode
from tests.core.containment.guard_situations import ELSEWHERE, OWN_SEEN, TARGET, WRITES, change, situation

Word = Literal["go", "ask", "wait", "stop"]
NO_PLAN = Plan((), ())
VERIFIES = Plan((change(TARGET, None),), ())
UNREAD = replace(OWN_SEEN, workload=None)


def follows(word: Word, plan: Plan, *seen: Seen, caps: tuple[str, ...] = (), unreferred: str = "") -> Move:
    ruling = Ruling(word, Mode.ENFORCE, tuple(Cap(name, "caution", "why") for name in caps), situation())
    return next_move(ruling, plan, Around(seen or (OWN_SEEN,)), unreferred)


def refusing(plan: Plan, kind: RefusalKind) -> Plan:
    return replace(plan, refusals=(StepRefusal("plain", "why", kind),))


def test_a_bar_comes_before_all_that_could_be_done_or_asked() -> None:
    assert follows("wait", WRITES, unreferred="r-1") == "wait"
    assert follows("stop", WRITES, unreferred="r-1") == "record"


@pytest.mark.parametrize("word", ["go", "ask"])
def test_where_nothing_leads_to_a_suspect_nothing_is_written_and_nobody_asked(word: Word) -> None:
    assert follows(word, WRITES, unreferred="r-1") == "nothing to contain"


def test_a_plan_that_may_go_is_carried_out_and_another_one_asked_about() -> None:
    assert follows("go", WRITES) == "contain"
    assert follows("ask", WRITES) == "ask"
    assert follows("go", NO_PLAN) == follows("ask", NO_PLAN) == "nothing can be done"


@pytest.mark.parametrize(("kind", "move"), [("fault", "ask"), ("disputed", "ask"), ("cannot", "contain")])
def test_a_plan_that_only_verifies_needs_no_answer_unless_a_part_of_it_is_missing(
    kind: RefusalKind, move: Move
) -> None:
    assert follows("ask", VERIFIES) == "contain"
    assert follows("ask", refusing(VERIFIES, kind)) == move


@pytest.mark.parametrize("kind", ["disputed", "unread"])
def test_what_is_disputed_or_unread_is_asked_about_though_there_is_no_plan(kind: RefusalKind) -> None:
    assert follows("ask", refusing(NO_PLAN, kind)) == follows("go", refusing(NO_PLAN, kind)) == "ask"
    assert follows("go", refusing(WRITES, kind)) == "contain"
    assert follows("go", refusing(NO_PLAN, "cannot")) == "nothing can be done"


@pytest.mark.parametrize(("cap", "move"), [("evidence", "ask"), ("unplaced", "ask"), ("stale", "nothing can be done")])
def test_what_a_person_may_know_better_is_asked_though_there_is_no_plan(cap: str, move: Move) -> None:
    assert follows("ask", NO_PLAN, caps=(cap,)) == move


@pytest.mark.parametrize(
    ("seen", "move"),
    [
        ((replace(UNREAD, away=True),), "ask"),
        ((UNREAD,), "nothing can be done"),
        ((replace(UNREAD, away=True, gone=True),), "nothing can be done"),
        ((OWN_SEEN, replace(OWN_SEEN, target=ELSEWHERE, gone=True)), "nothing can be done"),
    ],
    ids=["away", "denied", "gone", "gone elsewhere"],
)
def test_no_answer_helps_where_the_target_is_gone_or_denied(seen: tuple[Seen, ...], move: Move) -> None:
    assert follows("ask", refusing(NO_PLAN, "unread"), *seen) == move

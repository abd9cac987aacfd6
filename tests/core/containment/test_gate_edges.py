"""What the gate says of a plan: write it, ask a person, wait for what may pass, or stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.containment.gate import Ruling, gate
from firebreak.core.containment.plan import Plan
from firebreak.core.incidents.question import Answer, question_digest, shown_digest
from firebreak.core.mode import Ceiling, Mode
from firebreak.core.policy.policy import Config
from tests.core.containment.guard_situations import ACTIONS, ELSEWHERE, FINDING, WRITES, change, situation

HALT = (Ceiling(Mode.MONITOR, "halted", "halt"),)
ASKS = (Ceiling(Mode.APPROVE, "from firebreak.yaml"),)
APPROVED = Answer("q", "ada", 1, ("ceiling",), "as shown")


def ruled(wanted: Mode = Mode.ENFORCE, answer: Answer | None = None, **changes: Any) -> Ruling:
    return gate(situation(**changes), WRITES, ACTIONS, wanted, answer, "as shown")


@pytest.mark.parametrize(
    ("wanted", "changes", "word"),
    [
        (Mode.ENFORCE, {}, "go"),
        (Mode.APPROVE, {}, "ask"),
        (Mode.MONITOR, {}, "stop"),
        (Mode.ENFORCE, {"ceilings": ASKS}, "ask"),
        (Mode.ENFORCE, {"ceilings": HALT}, "wait"),
        (Mode.APPROVE, {"ceilings": HALT}, "wait"),
        (Mode.MONITOR, {"ceilings": HALT}, "stop"),
        (Mode.ENFORCE, {"trust": "missing"}, "wait"),
        (Mode.ENFORCE, {"trust": "older"}, "wait"),
        (Mode.ENFORCE, {"trust": "differs"}, "stop"),
        (Mode.ENFORCE, {"trust": "unreachable"}, "ask"),
        (Mode.ENFORCE, {"finding": replace(FINDING, mute="MUTED")}, "wait"),
        (Mode.ENFORCE, {"config": Config(sources=frozenset())}, "stop"),
        (Mode.ENFORCE, {"config": Config(sources=frozenset()), "ceilings": HALT}, "stop"),
    ],
)
def test_only_bars_that_may_all_pass_are_waited_for(wanted: Mode, changes: dict[str, Any], word: str) -> None:
    assert ruled(wanted, **changes).word == word


def test_an_approval_answers_the_cautions_that_its_question_named_and_no_others() -> None:
    told = ruled(answer=APPROVED, ceilings=ASKS)
    more = ruled(answer=APPROVED, ceilings=ASKS, unread_regions=("m: why",))
    fewer = ruled(Mode.APPROVE, answer=APPROVED)

    assert (told.word, more.word, fewer.word) == ("go", "ask", "go")
    assert (told.cautions, fewer.cautions) == (("ceiling",), ())
    assert set(more.cautions) == {"ceiling", "regions:m"}


def test_an_approval_is_of_what_was_shown_alone_and_overrules_no_bar() -> None:
    other = replace(APPROVED, shown="something else")

    assert ruled(answer=other, ceilings=ASKS).word == "ask"
    assert ruled(answer=APPROVED, ceilings=HALT).word == "wait"


@pytest.mark.parametrize(("answer", "slots"), [(APPROVED, False), (replace(APPROVED, by=""), True), (None, True)])
def test_what_no_person_approved_needs_slots(answer: Answer | None, *, slots: bool) -> None:
    """Nobody's answer, where the policy says to contain then, is no person's."""
    ruling = ruled(answer=answer)

    assert (ruling.word, ruling.mode, ruling.caps, ruling.slots) == ("go", Mode.ENFORCE, (), slots)


def test_a_question_s_digest_covers_plan_suspects_events_and_cautions_in_no_order() -> None:
    suspects = {"a": ("r-1", "r-2")}
    shown = shown_digest(WRITES, suspects, ("e-1", "e-2"))
    others = [
        shown_digest(Plan((change(ELSEWHERE, "none"),), ()), suspects, ("e-1", "e-2")),
        shown_digest(WRITES, {"a": ("r-1",)}, ("e-1", "e-2")),
        shown_digest(WRITES, suspects, ("e-1",)),
    ]

    assert len({shown, *others}) == 4
    assert shown == shown_digest(WRITES, {"a": ("r-2", "r-1")}, ("e-2", "e-1"))
    assert question_digest(shown, ("a", "b")) == question_digest(shown, ("b", "a")) != question_digest(shown, ("a",))

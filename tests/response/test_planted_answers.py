"""An answer to a command is repeated only where Firebreak gave it: what somebody wrote into the ledger is none."""

from __future__ import annotations

from firebreak.core.incidents.command import Command
from firebreak.response import pipeline
from tests.response.harness import BAD, GOOD, PIN_ONLY, Lines
from tests.response.intruder import Intruder


def test_a_planted_answer_is_not_told_and_the_command_is_carried_out(line: Lines) -> None:
    with line(policy=PIN_ONLY) as on:
        incident = on.respond(on.finding())
        order = Command("c-1", "release", "ada", incident.id, sent_ns=on.app.now_ns())
        planted = {"done": True, "says": "released", "incident": incident.id}
        begun = {"verb": "release", "by": "ada", "incident": incident.id, "at_ns": 1}
        on.app.ledger.documents.create("command", "c-1", {**begun, "answer": planted})
        contained = set(on.reachable)
        told = pipeline.execute(on.app, order)

        assert contained == {GOOD}
        assert told.done, told.says
        assert set(on.reachable) == {BAD}


def test_an_answer_that_was_given_is_given_again_and_nothing_is_done_twice(line: Lines) -> None:
    with line(policy=PIN_ONLY) as on:
        incident = on.respond(on.finding())
        order = Command("c-1", "release", "ada", incident.id, sent_ns=on.app.now_ns())
        first, before = pipeline.execute(on.app, order), len(on.updates)
        (document,) = Intruder(on).finds("command")
        again = pipeline.execute(on.app, order)

        assert again == first
        assert len(on.updates) == before
        assert isinstance(document.body["seal"], str)


def test_an_answer_to_an_earlier_command_is_none_to_one_that_says_the_same(line: Lines) -> None:
    """Whoever writes the ledger may copy it, seal and all, to where a command is to be carried out once more."""
    with line(policy=PIN_ONLY) as on:
        pipeline.execute(on.app, Command("c-1", "halt", "ada", reason="game day", sent_ns=on.app.now_ns()))
        (earlier,) = Intruder(on).finds("command")
        on.resume()
        on.app.ledger.documents.create("command", "c-2", earlier.body)
        told = pipeline.execute(on.app, Command("c-2", "halt", "ada", reason="an intruder", sent_ns=on.app.now_ns()))

        assert told.done, told.says
        assert on.app.ledger.halt_reason()

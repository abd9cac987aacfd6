"""An order that was carried out, and whose bearer died before it was answered, is one order when it comes again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.incidents.command import Command, CommandResult
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.documents import NO_INDEX, Document, Index
from firebreak.response import pipeline
from tests.response.answers import A_LEASE, phase
from tests.response.deployments import APPROVED
from tests.response.harness import ALWAYS, BAD, Line, Lines


class Died(BaseException):
    """The process is gone."""


class DiesAnswering:
    """A ledger whose process dies as a command's answer is to be kept."""

    def __init__(self, on: Line) -> None:
        self._documents = on.app.ledger.documents

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    def replace(self, document: Document, body: Mapping[str, Any], index: Index = NO_INDEX) -> Document:
        if document.kind == "command":
            raise Died
        found: Document = self._documents.replace(document, body, index)
        return found


def dies(on: Line, verb: str, incident: Incident) -> Command:
    """The order, which was carried out, and of which nobody knows."""
    given = Command(f"of-{verb}", verb, "ada", incident.id, sent_ns=on.app.now_ns())
    whole, on.app = on.app, replace(on.app, ledger=replace(on.app.ledger, documents=DiesAnswering(on)))
    with pytest.raises(Died):
        pipeline.execute(on.app, given)
    on.app = whole
    on.wait(A_LEASE)
    return given


def again(on: Line, given: Command) -> CommandResult:
    return pipeline.execute(on.app, given)


def test_a_release_that_was_carried_out_is_answered_with_yes(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        answered = again(on, dies(on, "release", incident))

        assert answered.done, answered.says
        assert answered.says == "released"
        assert set(on.reachable) == {BAD}


def test_what_another_person_released_is_still_no_release_of_ours(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        on.release(incident, by="bob")
        answered = on.release(incident, by="ada")

        assert not answered.done
        assert "released already" in answered.says


def test_what_a_retry_had_decided_anew_is_decided_once(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        given = dies(on, "retry", incident)
        told = len(on.announced)
        answered = again(on, given)

        assert answered.done, answered.says
        assert len(on.announced) == told
        assert len([one for one in on.read(incident).history if one.who == "ada"]) == 1


def test_a_retry_delivered_again_does_not_go_against_a_no_said_meanwhile(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        given = dies(on, "retry", incident)
        on.reject(incident, by="bob")
        again(on, given)

        assert phase(on, incident) == "rejected"


def test_another_retry_is_another_one(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        on.retry(incident)
        on.wait(1)
        on.retry(incident)

        assert len([one for one in on.read(incident).history if one.who == "ada"]) == 2

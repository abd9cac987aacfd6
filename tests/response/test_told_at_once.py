"""What is in effect is told before the answers that it does not rest on, and once more with them, as no second news."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.response import pipeline
from firebreak.response.observe import NOT_YET
from sandbox.wire import Call
from tests.response.answers import A_LEASE
from tests.response.harness import ALWAYS, KNOWN, Line, Lines, world_of
from tests.response.test_channels import on_channels

pytestmark = pytest.mark.thorough

PATIENCE = 8.0


@contextmanager
def virustotal_held_back(on: Line, until: threading.Event) -> Iterator[list[bool]]:
    """VirusTotal answers once that has come, or when its time is nearly up; whether it came."""
    came: list[bool] = []

    def hold(_: Call) -> None:
        came.append(until.wait(PATIENCE))

    on.sandbox.wire.watch("virustotal/*", hold)
    yield came
    until.set()


def of_virustotal(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in record["evidence"] if one["source"] == "virustotal")
    return found


def when_published(on: Line) -> threading.Event:
    told = threading.Event()
    on.sandbox.wire.watch("*/Publish", lambda _: told.set())
    return told


def test_a_containment_is_told_while_virustotal_is_silent_and_says_so(line: Lines) -> None:
    with line(policy=ALWAYS) as on, virustotal_held_back(on, when_published(on)) as came:
        incident = on.respond(on.finding())
        first, then = on.announced

        assert came == [True], "the first message did not wait for VirusTotal"
        assert (first["phase"], first["vault"]) == ("contained", None)
        assert of_virustotal(first)["gap"] == NOT_YET
        assert (then["phase"], of_virustotal(then)["facts"]["virustotal.malicious"]) == ("contained", 48)
        assert then["history"][-1]["what"] == "came later: virustotal: answered"
        assert then["vault"]["manifest"]
        assert incident.unsent == 0


def test_it_counts_as_one_containment(line: Lines) -> None:
    """By its number, the time that it took, and the marks: those are as they were."""
    with line(policy=ALWAYS) as on, virustotal_held_back(on, when_published(on)):
        incident = on.respond(on.finding())
        told = [one for one in on.logged if one.get("phase") == "contained"]

        assert ["seconds_to_contain" in one for one in told] == [True, False]
        assert [one["announcement"] for one in told] == [f"{incident.id}/1/log", f"{incident.id}/2/log"]
        assert len(on.sandbox.wire.calls_to("*/UpdateSecurityMarks")) == 1


def test_people_are_told_once_or_in_the_message_that_they_have(line: Lines) -> None:
    with on_channels(line, ALWAYS, "  routes: {default: [soc, team, payments, siem]}") as (on, state):
        with virustotal_held_back(on, when_published(on)):
            on.respond(on.finding())
        (message, *thread) = next(iter(state.slack_messages.values()))

        assert [method for method, _ in state.slack_calls] == ["chat.postMessage", "chat.update", "chat.postMessage"]
        assert NOT_YET in str(state.slack_calls[0])
        assert "48 malicious" in str(message)
        assert len(thread) == 1
        assert (len(state.slack_webhook), sum(map(len, state.threads.values()))) == (1, 1)
        assert NOT_YET in str(state.slack_webhook)
        assert len(state.hooked) == 2


def test_what_never_answers_is_told_of_as_well(line: Lines) -> None:
    with line(world_of(hashes={KNOWN: {"error": "500:ServerError"}}), policy=ALWAYS) as on:
        on.sandbox.wire.delay("virustotal/*", 1.5)
        incident = on.respond(on.finding())

        assert virustotal_s(incident) != NOT_YET
        assert incident.history[-1].what == f"came later: virustotal: {virustotal_s(incident)}"


def virustotal_s(incident: Incident) -> str | None:
    return next(one.gap for one in incident.evidence if one.source == "virustotal")


def test_what_answers_on_the_way_is_told_with_the_rest(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.delay("virustotal/*", 0.3)
        on.respond(on.finding())

        assert [of_virustotal(one)["gap"] for one in on.announced] == [None]


def test_a_question_waits_for_what_whoever_answers_it_should_know(line: Lines) -> None:
    asks = ALWAYS.replace("mode: enforce", "mode: approve").replace("{mode: enforce}", "{mode: approve}")
    with line(policy=asks) as on:
        on.sandbox.wire.delay("virustotal/*", 1.5)
        on.respond(on.finding())

        assert [(one["phase"], of_virustotal(one)["gap"]) for one in on.announced] == [("waiting", None)]


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize(("dies_at", "came_later"), [("Collecting.finish", [False, True]), ("flush", [False])])
def test_what_answers_after_the_process_died_is_brought_up_to_date_by_the_next_delivery(
    line: Lines, dies_at: str, came_later: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Died

    with line(policy=ALWAYS) as on:
        pair = on.finding()
        with virustotal_held_back(on, threading.Event()) as _, monkeypatch.context() as patched:
            patched.setattr(f"{pipeline.__name__}.{dies_at}", dies)
            with pytest.raises(Died):
                on.respond(pair)
        on.wait(A_LEASE)
        incident = on.respond(pair)

        assert [one.gap for one in incident.evidence if one.gap == NOT_YET] == []
        assert virustotal_s(incident) is None
        assert ["came later" in one["history"][-1]["what"] for one in on.announced] == came_later
        assert of_virustotal(on.announced[-1])["facts"]["virustotal.malicious"] == 48

"""What is told: each channel for itself, chat by the sweep's patience, and nothing that is refused in silence."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.timestamps import NANOS
from firebreak.response import announce, pipeline
from sandbox.scc.notifications import notification_v2
from sandbox.wire import Fault
from tests.adapters.servers import Received, dripping, serving
from tests.response.harness import ALWAYS, Line, Lines

pytestmark = pytest.mark.thorough

CHANNELS = ("log", "topic", "marks", "slack", "chat")


@pytest.fixture
def chat() -> Iterator[Received]:
    with serving() as asked:
        yield asked


def webhooks(chat: Received) -> dict[str, Any]:
    return {"FIREBREAK_SLACK_WEBHOOK": f"{chat.origin}/slack", "FIREBREAK_CHAT_WEBHOOK": f"{chat.origin}/chat"}


def unsent(incident: Incident) -> set[str]:
    return {one.channel for one in incident.outbox if not one.sent}


def due_in(incident: Incident, on: Line) -> float:
    assert incident.due_ns is not None
    return (incident.due_ns - on.app.now_ns()) / NANOS


@pytest.mark.parametrize(
    "answer",
    [(429, {"Retry-After": "900"}), (503, {"Retry-After": "900"}), (429, {}), (500, {}), (502, {}), (408, {})],
)
def test_a_busy_chat_is_tried_again_by_the_sweep_and_the_finding_is_answered(
    line: Lines, chat: Received, answer: tuple[int, dict[str, str]]
) -> None:
    with line(policy=ALWAYS, **webhooks(chat)) as on:
        chat.next = {"/slack": [answer]}
        pair = on.finding()
        incident = on.respond(pair)
        again = on.respond(pair)
        early = pipeline.sweep(on.app)
        asked_for = 900 if answer[1] else 60
        at_first = due_in(on.read(incident), on)
        on.skipped_ns = (asked_for + 1) * NANOS
        late = pipeline.sweep(on.app)

        assert incident.phase == again.phase == "contained"
        assert unsent(incident) == unsent(again) == {"slack"}
        assert asked_for - 10 < at_first <= asked_for
        assert sorted(path for _, path in chat.came) == ["/chat", "/slack", "/slack"]
        assert "announcements sent" not in early.done
        assert late.done["announcements sent"] == 1
        assert (early.refused, late.refused) == ((), ())
        assert unsent(on.read(incident)) == set()


def test_retry_after_may_be_a_date(line: Lines, chat: Received) -> None:
    with line(policy=ALWAYS, **webhooks(chat)) as on:
        at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=20)
        chat.next = {"/slack": [(429, {"Retry-After": format_datetime(at, usegmt=True)})]}

        assert 1150 < due_in(on.respond(on.finding()), on) <= 1200


FAR = "Fri, 31 Dec 99999999999999 23:59:59 GMT"


@pytest.mark.parametrize("after", ["", "soon", "-5", "1e9", "9" * 5000, "Thu, 99 Nov 2026 00:00:00 GMT", "٣", FAR])
def test_a_retry_after_that_says_nothing_costs_a_minute_and_never_more_than_a_day(
    line: Lines, chat: Received, after: str
) -> None:
    with line(policy=ALWAYS, **webhooks(chat)) as on:
        chat.next = {"/slack": [(429, {"Retry-After": after.encode().decode("latin-1")})]}

        assert 0 < due_in(on.respond(on.finding()), on) <= 86_400
        assert not [one for one in on.logged if "a fault in Firebreak itself" in one["message"]]


@pytest.mark.thorough
def test_a_chat_whose_answer_drips_costs_the_delivery_no_more_than_its_time(line: Lines) -> None:
    """Each byte comes in time, the last one does not: the time for an answer is for all of it."""
    with dripping(0.2) as origin, line(policy=ALWAYS, FIREBREAK_CHAT_WEBHOOK=f"{origin}/chat") as on:
        body = notification_v2(on.finding())
        began = time.monotonic()
        incident = pipeline.respond(on.app, body, budget=4.0).incident

        assert time.monotonic() - began < 6.0
        assert incident.phase == "contained"
        assert unsent(incident) == {"chat"}
        assert any("chat is tried again by the sweep" in one["message"] for one in on.logged)


def test_a_chat_that_stays_away_is_asked_less_and_less_often(line: Lines, chat: Received) -> None:
    """It takes ever less of the sweep's time; and it is told once it is back."""
    with line(policy=ALWAYS, FIREBREAK_SLACK_WEBHOOK=f"{chat.origin}/slack") as on:
        chat.status = 503
        incident = on.respond(on.finding())
        pauses = []
        for _ in range(9):
            pauses.append(round(due_in(on.read(incident), on), -1))
            on.skipped_ns += round(pauses[-1] + 10) * NANOS
            pipeline.sweep(on.app)
        chat.status = 200
        on.skipped_ns += 4000 * NANOS
        pipeline.sweep(on.app)

        assert pauses[:7] == [60, 120, 240, 480, 960, 1920, 3840]
        assert max(pauses) <= 3840
        assert unsent(on.read(incident)) == set()


def test_a_question_that_expires_before_the_chat_is_tried_again_is_seen_in_time(line: Lines, chat: Received) -> None:
    with line(policy=ALWAYS, FIREBREAK_SLACK_WEBHOOK=f"{chat.origin}/slack") as on:
        chat.next = {"/slack": [(429, {"Retry-After": "80000"})]}
        incident = on.respond(on.finding(minutes_ago=90))
        assert incident.question is not None

        assert incident.phase == "waiting"
        assert incident.due_ns == incident.next_ns == incident.question.expires_ns


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_what_a_chat_refuses_for_good_is_counted_by_one_sweep(line: Lines, chat: Received, status: int) -> None:
    with line(policy=ALWAYS, **webhooks(chat)) as on:
        chat.next = {"/slack": [(status, {"Location": f"{chat.origin}/elsewhere"})]}
        incident = on.respond(on.finding())
        first, second = pipeline.sweep(on.app), pipeline.sweep(on.app)

        assert incident.phase == "contained"
        assert sorted(path for _, path in chat.came) == ["/chat", "/slack"]
        assert first.done["announcements refused"] == 1
        assert len(first.refused) == 1
        assert f"announcement {incident.id}/1/slack was refused: the chat webhook at 127.0.0.1" in first.refused[0]
        assert f"answered {status}" in first.refused[0]
        assert "announcements refused" not in second.done
        assert second.refused == ()
        assert unsent(on.read(incident)) == set()


def test_a_mark_that_scc_refuses_is_counted_once_and_not_tried_again(line: Lines) -> None:
    with line(policy=ALWAYS, FIREBREAK_SCC_MARKS="on") as on:
        on.sandbox.wire.inject(Fault("*/UpdateSecurityMarks", "error", code="PERMISSION_DENIED", times=None))
        incident = on.respond(on.finding())
        first, second = pipeline.sweep(on.app), pipeline.sweep(on.app)

        assert len(on.sandbox.wire.calls_to("*/UpdateSecurityMarks")) == 1
        assert [len(first.refused), len(second.refused)] == [1, 0]
        assert f"{incident.id}/1/marks" in first.refused[0]


def test_a_finding_that_scc_holds_no_more_is_not_marked_and_rings_no_other_alert(line: Lines) -> None:
    with line(policy=ALWAYS, FIREBREAK_SCC_MARKS="on") as on:
        on.command("halt", reason="a drill")
        incident = on.respond(on.finding())
        on.world.findings.clear()
        on.resume()
        on.wait(301)
        swept = on.sweep()
        on.close(incident)
        rung = [one["message"] for one in on.logged if one["severity"] == "ERROR" and "announcement" not in one]

        assert len(on.sandbox.wire.calls_to("*/UpdateSecurityMarks")) >= 2
        assert (rung, swept.refused) == ([], ())


def test_a_webhook_that_is_not_configured_any_more_is_given_up(line: Lines, chat: Received) -> None:
    with line(policy=ALWAYS, FIREBREAK_SLACK_WEBHOOK=f"{chat.origin}/slack") as on:
        chat.next = {"/slack": [(503, {})]}
        incident = on.respond(on.finding())
        on.app = replace(on.app, settings=replace(on.app.settings, slack_webhook=None))
        on.skipped_ns = 100 * NANOS
        swept = pipeline.sweep(on.app)

        assert "no such webhook is configured any more" in swept.refused[0]
        assert unsent(on.read(incident)) == set()


class Odd(Exception):
    """No fault of any kind that the pipeline knows."""


@pytest.fixture(params=[Odd("odd"), UnicodeError("label too long"), ValueError("x"), OSError(5, "gone"), KeyError("k")])
def fault(request: pytest.FixtureRequest) -> Exception:
    found: Exception = request.param
    return found


@pytest.mark.parametrize("broken", CHANNELS)
def test_one_channel_s_fault_of_any_type_stops_neither_the_others_nor_the_delivery(
    line: Lines, chat: Received, broken: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise fault

    with line(policy=ALWAYS, FIREBREAK_SCC_MARKS="on", **webhooks(chat)) as on:
        with monkeypatch.context() as patched:
            patched.setattr(announce, "SENDERS", {**announce.SENDERS, broken: fails})
            incident = on.respond(on.finding())
        on.skipped_ns = 61 * NANOS
        swept = pipeline.sweep(on.app)

        assert incident.phase == "contained"
        assert unsent(incident) == {broken}
        assert swept.done["announcements sent"] == 1
        assert unsent(on.read(incident)) == set()
        ours = [one for one in on.logged if "a fault in Firebreak itself" in one["message"]]
        assert len(ours) == (broken != "log")


def test_a_fault_of_a_channel_does_not_keep_a_person_from_the_answer(line: Lines, chat: Received) -> None:
    """The webhook's host has a label that no name may have."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        webhook = f"https://{'x' * 70}.example/hook"
        on.app = replace(
            on.app, settings=replace(on.app.settings, slack_webhook=webhook, chat_webhook=f"{chat.origin}/c")
        )
        answered = on.release(incident, "ada")

        assert answered is not None
        assert answered.done
        assert unsent(answered.held.incident) == {"slack"}
        assert [path for _, path in chat.came] == ["/c"]


def test_an_unreachable_topic_is_delivered_again_after_the_chat_was_told(line: Lines, chat: Received) -> None:
    with line(policy=ALWAYS, **webhooks(chat)) as on:
        on.sandbox.wire.inject(Fault("*/Publish", "error", code="UNAVAILABLE"))
        pair = on.finding()
        with pytest.raises(Transient):
            on.respond(pair)
        told = {path for _, path in chat.came}
        on.respond(pair)

        assert told == {"/slack", "/chat"}
        assert len(chat.came) == 2
        assert len(on.announced) == 1


def test_a_line_about_a_channel_is_not_taken_for_an_announcement_by_alerts(line: Lines, chat: Received) -> None:
    """An alert takes an announcement at ERROR for a broken seal."""
    with line(policy=ALWAYS, **webhooks(chat)) as on:
        chat.next = {"/slack": [(404, {})], "/chat": [(429, {})]}
        on.respond(on.finding())
        about: list[dict[str, Any]] = [
            one for one in on.logged if "slack" in one["message"] or "chat" in one["message"]
        ]

        assert len(about) == 2
        assert [one.keys() & {"announcement", "phase", "seconds_to_contain"} for one in about] == [set(), set()]
        assert all(one["untold"].startswith(one["incident"]) for one in about)

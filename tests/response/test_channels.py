"""Who is told where, over the wire: routes, owners, one thread an incident, reminders, and channels that fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.messages.delivery import Request
from firebreak.ports.deadline import Deadline
from sandbox.chat.server import CHANNEL, ROUTING_KEY, TOKEN, WEBHOOK_KEY, Chats, chats
from sandbox.scc.finding_store import put_finding
from tests.response.harness import ALWAYS, Line, Lines, world_of

pytestmark = pytest.mark.thorough

ASKS = ALWAYS.replace("mode: enforce", "mode: approve").replace("{mode: enforce}", "{mode: approve}")
LABELLED = "\nnotify: [security-oncall]\n"


@contextmanager
def on_channels(line: Lines, policy: str, routing: str, **more: Any) -> Iterator[tuple[Line, Chats]]:
    """A line whose channels are all on one double; `routing` is what follows the channels."""
    now: list[Line] = []
    with chats(lambda: now[0].app.now_ns() / 1e9 if now else 0) as on_wire:
        table = f"""ceiling: enforce
notify:
  channels:
    team: {{kind: slack, secret: FIREBREAK_NOTIFY_TEAM}}
    soc: {{kind: slack_bot, secret: FIREBREAK_NOTIFY_SOC, channel: {CHANNEL}, url: "{on_wire.origin}/api"}}
    payments: {{kind: google_chat, secret: FIREBREAK_NOTIFY_PAYMENTS}}
    pager: {{kind: pagerduty, secret: FIREBREAK_NOTIFY_PAGER, url: "{on_wire.origin}/pagerduty"}}
    siem: {{kind: webhook, secret: FIREBREAK_NOTIFY_SIEM, url: "{on_wire.origin}/hook"}}
{routing}"""
        secrets = {
            "FIREBREAK_NOTIFY_TEAM": f"{on_wire.origin}/slack",
            "FIREBREAK_NOTIFY_SOC": TOKEN,
            "FIREBREAK_NOTIFY_PAYMENTS": f"{on_wire.origin}/chat?key=k&token=t",
            "FIREBREAK_NOTIFY_PAGER": ROUTING_KEY,
            "FIREBREAK_NOTIFY_SIEM": WEBHOOK_KEY,
        }
        world = more.pop("world", None)
        with line(world, policy=policy + LABELLED, config=table, **{**secrets, **more}) as on:
            now.append(on)
            yield on, on_wire
        assert on_wire.refused == [], "the double took everything that it was sent"


def sent(incident: Incident) -> set[str]:
    return {one.channel for one in incident.outbox if one.sent} - {"log", "topic", "marks"}


def told(state: Chats) -> dict[str, int]:
    """How many messages came where."""
    counts = {
        "team": len(state.slack_webhook),
        "soc": len(state.slack_calls),
        "payments": sum(map(len, state.threads.values())),
        "pager": sum(len(one.events) for one in state.alerts.values()),
        "siem": len(state.hooked),
    }
    return {name: count for name, count in counts.items() if count}


def test_a_policy_s_label_leads_to_its_channels_and_what_has_none_to_the_default(line: Lines) -> None:
    with on_channels(line, ALWAYS, "  routes: {security-oncall: [team, siem], default: [soc]}") as (on, state):
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert told(state) == {"team": 1, "siem": 1}
        assert sent(incident) == {"team", "siem"}
    with on_channels(line, ALWAYS, "  routes: {others: [team], default: [soc]}") as (on, state):
        on.respond(on.finding(finding_id="another"))

        assert told(state) == {"soc": 1}


def test_an_owner_is_told_of_what_their_workloads_labels_name_and_of_nothing_else(line: Lines) -> None:
    routing = "  owners: {labels: [squad, team], channels: {payments: [payments], search: [team]}}"
    for labels, channels in (({"squad": "payments"}, {"payments": 1}), ({"team": "other"}, {}), ({}, {})):
        world = world_of(service={"labels": labels})
        with on_channels(line, ALWAYS, routing, world=world) as (on, state):
            on.respond(on.finding(finding_id=f"of{len(labels)}{labels.get('team', '')}"))

            assert told(state) == channels
            assert ("squad payments" in str(state.threads)) is bool(channels), "the message names the owner"


def test_an_essential_contact_leads_to_its_channel_as_a_label_does(line: Lines) -> None:
    """Security Command Center names an address with the finding; how it is written there makes no difference."""
    for address, channels in (("Checkout-Oncall@shop.example", {"payments": 1}), ("others@shop.example", {})):
        with on_channels(line, ALWAYS, f"  owners: {{channels: {{{address}: [payments]}}}}") as (on, state):
            on.respond(on.finding(finding_id=f"of{len(address)}"))

            assert told(state) == channels


def test_no_text_of_an_intruder_keeps_a_slack_message_from_being_brought_up_to_date(line: Lines) -> None:
    """Where an update is too long for Slack, nobody there learns what became of the question."""
    with on_channels(line, ASKS, "  routes: {default: [soc]}") as (on, state):
        pair = on.finding(held=False)
        finding = pair["finding"]
        finding["processes"][0]["binary"]["path"] = "/opt/" + "&" * 1000
        finding["containers"] = [{**finding["containers"][0], "name": "&" * 300}]
        finding["contacts"] = {"security": {"contacts": [{"email": f"{'&' * 250}@shop.example"}]}}
        put_finding(on.world, finding, pair["resource"])
        incident = on.respond(pair)
        on.approve(incident, "ada")

        assert on.read(incident).phase == "contained"
        assert [method for method, _ in state.slack_calls][1:] == ["chat.update", "chat.postMessage"]


def test_slack_has_one_message_an_incident_brought_up_to_date_and_locked_with_who_answered(line: Lines) -> None:
    with on_channels(line, ASKS, "  routes: {default: [soc]}") as (on, state):
        incident = on.respond(on.finding())
        asked = str(state.slack_messages)
        on.approve(incident, "ada")
        on.release(on.read(incident), "bob")
        (first, *thread) = next(iter(state.slack_messages.values()))

        assert len(state.slack_messages) == 1
        assert "incident approve" in asked
        assert [method for method, _ in state.slack_calls] == [
            "chat.postMessage",
            *("chat.update", "chat.postMessage"),
            *("chat.update", "chat.postMessage"),
        ]
        assert "incident approve" not in str(first)
        assert "bob: " in str(first)
        assert [one["text"].partition(":")[0] for one in thread] == ["CONTAINED", "RELEASED"]
        assert "ada: approved" in thread[0]["text"]
        assert [one["reply_broadcast"] for one in thread] == [False, False]


def test_a_message_that_somebody_deleted_is_written_anew(line: Lines) -> None:
    with on_channels(line, ALWAYS, "  routes: {default: [soc]}") as (on, state):
        incident = on.respond(on.finding())
        state.slack_messages.clear()
        on.release(incident)

        assert len(state.slack_messages) == 1
        assert "RELEASED" in str(state.slack_messages)
        assert on.read(incident).threads["soc"] in state.slack_messages


def test_an_answer_that_is_lost_doubles_one_message_at_most_and_loses_none(line: Lines) -> None:
    """What was sent and is not known to have been sent is sent again; from then on there is one message again."""
    with on_channels(line, ASKS, "  routes: {default: [soc, siem]}") as (on, state):
        post, lost = on.app.post, list[Request]()

        def sent_and_lost(request: Request, deadline: Deadline) -> bytes:
            answer = post(request, deadline)
            if len(lost) < 2:
                lost.append(request)
                message = "the answer was lost"
                raise Transient(message)
            return answer

        on.app = replace(on.app, post=sent_and_lost)
        incident = on.respond(on.finding())
        on.wait(61)
        on.sweep()
        on.reject(on.read(incident), "a drill")

        assert told(state) == {"soc": 2 + 2, "siem": 2 + 1}
        assert [one["id"] for one in state.hooked] == [f"{incident.id}/{number}/siem" for number in (1, 1, 2)]
        assert len(state.slack_messages[on.read(incident).threads["soc"]]) == 2
        assert on.read(incident).unsent == 0


def test_google_chat_has_one_thread_an_incident(line: Lines) -> None:
    with on_channels(line, ASKS, "  routes: {default: [payments]}") as (on, state):
        incident = on.respond(on.finding())
        on.approve(incident)

        assert {key: len(cards) for key, cards in state.threads.items()} == {incident.id: 2}


def test_pagerduty_is_triggered_by_a_question_acknowledged_by_its_answer_and_resolved_by_its_end(line: Lines) -> None:
    with on_channels(line, ASKS, "  routes: {default: [pager]}") as (on, state):
        incident = on.respond(on.finding())
        (alert,) = state.alerts.values()
        asked = alert.status
        on.approve(incident)
        answered = alert.status
        on.release(on.read(incident))

        assert incident.question is not None
        assert list(state.alerts) == [f"firebreak/{incident.id}/{incident.question.digest[:12]}"]
        assert (asked, answered, alert.status) == ("triggered", "acknowledged", "resolved")
        assert [one["event_action"] for one in alert.events] == ["trigger", "acknowledge", "resolve"]
        assert alert.events[0]["payload"]["severity"] == "critical"


def test_an_alert_whose_first_answer_was_empty_is_resolved_by_the_incident_s_end(line: Lines) -> None:
    with on_channels(line, ASKS, "  routes: {default: [pager]}") as (on, state):
        post, empty = on.app.post, [b"{}"]

        def empty_at_first(request: Request, deadline: Deadline) -> bytes:
            answer = post(request, deadline)
            return empty.pop() if empty else answer

        on.app = replace(on.app, post=empty_at_first)
        incident = on.respond(on.finding())
        on.wait(61)
        on.sweep()
        on.reject(on.read(incident), "a drill")

        assert [alert.status for alert in state.alerts.values()] == ["resolved"]


def test_what_is_opened_again_pages_again_though_its_first_alert_was_acknowledged(line: Lines) -> None:
    """PagerDuty notifies nobody of an event on an alert that is acknowledged."""
    with on_channels(line, ASKS, "  routes: {default: [pager]}") as (on, state):
        incident = on.respond(on.finding())
        on.approve(incident)
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        on.sweep()
        first, second = state.alerts.values()

        assert on.read(incident).phase == "waiting"
        assert [one["event_action"] for one in first.events] == ["trigger", "acknowledge", "resolve"]
        assert [one["event_action"] for one in second.events] == ["trigger"]
        assert "OPENED AGAIN" in second.events[0]["payload"]["summary"]


def test_nobody_is_paged_for_what_is_only_recorded(line: Lines) -> None:
    with on_channels(line, ALWAYS.replace("enforce", "monitor"), "  routes: {default: [pager, siem]}") as (on, state):
        incident = on.respond(on.finding())

        assert incident.phase == "monitored"
        assert told(state) == {"siem": 1}
        assert state.dropped == []


@pytest.mark.parametrize("answer", [(429, {"Retry-After": "120"}), (500, {}), (503, {})])
def test_a_channel_that_is_busy_delays_no_other_and_is_told_by_the_sweep(
    line: Lines, answer: tuple[int, dict[str, str]]
) -> None:
    with on_channels(line, ALWAYS, "  routes: {default: [pager, soc, siem]}") as (on, state):
        state.next["/pagerduty"] = [answer]
        incident = on.respond(on.finding())
        at_first = told(state)
        on.wait(121)
        on.sweep()

        assert incident.phase == "contained"
        assert at_first == {"soc": 1, "siem": 1}
        assert told(state) == {"soc": 1, "siem": 1, "pager": 1}
        assert on.read(incident).unsent == 0


def test_no_channel_waits_for_one_that_hangs(line: Lines) -> None:
    """Each is told while the first of them still has not answered; then that one is given up until the sweep."""
    others_told = threading.Event()
    with on_channels(line, ALWAYS, "  routes: {default: [pager, soc, siem, team]}") as (on, state):
        post, waited = on.app.post, list[bool]()

        def hangs(request: Request, deadline: Deadline) -> bytes:
            if "pagerduty" in request.url:
                waited.append(others_told.wait(deadline.remaining(20)))
                message = "it hung"
                raise Transient(message)
            answer = post(request, deadline)
            if told(state).keys() == {"soc", "siem", "team"}:
                others_told.set()
            return answer

        on.app = replace(on.app, post=hangs)
        incident = on.respond(on.finding())

        assert waited == [True]
        assert sent(incident) == {"soc", "siem", "team"}


def test_a_secret_that_is_not_set_is_named_and_counted_once(line: Lines) -> None:
    with on_channels(line, ALWAYS, "  routes: {default: [soc, siem]}", FIREBREAK_NOTIFY_SOC="") as (on, state):
        incident = on.respond(on.finding())
        swept, again = on.sweep(), on.sweep()

        assert told(state) == {"siem": 1}
        assert [one for one in swept.refused if "FIREBREAK_NOTIFY_SOC is not set" in one]
        assert again.refused == ()
        assert on.read(incident).unsent == 0


def test_the_webhook_s_signature_is_over_the_time_and_the_body(line: Lines) -> None:
    """The double takes no other signature, and none that is older than five minutes."""
    with on_channels(line, ALWAYS, "  routes: {default: [siem]}") as (on, state):
        incident = on.respond(on.finding())
        (body,) = state.hooked

        assert (body["version"], body["incident"], body["phase"]) == ("v1", incident.id, "contained")
        assert body["id"] == f"{incident.id}/1/siem"
    with on_channels(line, ALWAYS, "  routes: {default: [siem]}", FIREBREAK_NOTIFY_SIEM="another-key") as (on, state):
        on.respond(on.finding(finding_id="another"))

        assert state.refused == ["the signature is another"]
        state.refused.clear()


WAITS = (
    "  routes: {default: [team]}\n  remind_after: 5m\n  escalate: [{after: 10m, to: [pager]}, {after: 40m, to: [soc]}]"
)


def test_a_question_that_waits_is_reminded_then_escalated_each_once(line: Lines) -> None:
    with on_channels(line, ASKS, WAITS) as (on, state):
        incident = on.respond(on.finding())
        came = []
        for minutes in (4, 2, 5, 3):
            on.wait(minutes * 60)
            on.sweep()
            on.sweep()
            came.append(told(state))

        assert came == [{"team": 1}, {"team": 2}, {"team": 2, "pager": 1}, {"team": 2, "pager": 1}]
        assert "STILL NO ANSWER" in str(state.slack_webhook[1])
        on.approve(incident)
        assert told(state) == {"team": 3, "pager": 2}
        assert next(iter(state.alerts.values())).status == "acknowledged"
        on.wait(3600)
        on.sweep()
        assert told(state) == {"team": 3, "pager": 2}, "nobody is asked about what was answered"


@pytest.mark.parametrize(("route", "first"), [("[siem]", {"siem": 1}), ("[]", {})])
def test_a_question_whose_route_leads_to_nobody_is_reminded_and_escalated_like_any_other(
    line: Lines, route: str, first: dict[str, int]
) -> None:
    with on_channels(line, ASKS, WAITS.replace("[team]", route)) as (on, state):
        on.respond(on.finding())
        came = [told(state)]
        for minutes in (6, 5):
            on.wait(minutes * 60)
            on.sweep()
            came.append(told(state))

        assert came == [first, dict.fromkeys(first, 2), dict.fromkeys(first, 2) | {"pager": 1}]


def test_an_escalation_counts_from_when_the_question_was_first_put(line: Lines) -> None:
    """It expires after half an hour and is put again: who is told after forty minutes is told ten minutes later."""
    with on_channels(line, ASKS, WAITS) as (on, state):
        on.respond(on.finding())
        for minutes in (6, 5, 20):
            on.wait(minutes * 60)
            on.sweep()
        again = told(state)
        on.wait(10 * 60)
        on.sweep()

        assert again == {"team": 3, "pager": 2}, "put again, and the pager is told of it like everybody"
        assert told(state) == {"team": 4, "pager": 3, "soc": 1}, "and reminded like everybody who was told"


def test_a_question_that_a_further_event_puts_anew_keeps_the_time_of_its_escalation(line: Lines) -> None:
    with on_channels(line, ASKS, WAITS) as (on, state):
        first = on.respond(on.finding())
        on.wait(4 * 60)
        again = on.respond(on.finding(minutes_ago=0.5))
        put_anew = told(state)
        on.wait(3 * 60)
        on.sweep()
        reminded = told(state)
        on.wait(4 * 60)
        on.sweep()

        assert (again.id, again.phase, again.question == first.question) == (first.id, "waiting", False)
        assert put_anew == reminded == {"team": 2}, "the reminder of the question that was withdrawn is not sent"
        assert told(state) == {"team": 3, "pager": 1}


def test_a_reminder_that_its_channel_does_not_take_is_sent_later_and_keeps_nothing_else(line: Lines) -> None:
    with on_channels(line, ASKS, WAITS) as (on, state):
        on.respond(on.finding())
        state.next["/slack"] = [(503, {})]
        on.wait(6 * 60)
        on.sweep()
        on.wait(6 * 60)
        on.sweep()

        assert told(state) == {"team": 2, "pager": 1}


def test_the_webhooks_of_the_environment_need_no_table_and_are_told_beside_one(line: Lines) -> None:
    with chats(lambda: 0.0) as state:
        slack, chat = f"{state.origin}/slack", f"{state.origin}/chat"
        with line(policy=ALWAYS, FIREBREAK_SLACK_WEBHOOK=slack, FIREBREAK_CHAT_WEBHOOK=chat) as on:
            on.respond(on.finding())

        assert told(state) == {"team": 1, "payments": 1}
        assert state.refused == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("on_expiry: contain", "If nobody answers, it is contained then, as the policy says"),
        ("on_expiry: escalate", "If nobody answers, nothing is changed, and you are asked again"),
    ],
)
def test_what_happens_if_nobody_answers_is_what_the_policy_says_and_what_then_happens(
    line: Lines, more: str, says: str
) -> None:
    with on_channels(line, f"{ASKS}\n{more}", "  routes: {default: [siem]}") as (on, state):
        incident = on.respond(on.finding())
        on.wait(31 * 60)
        on.sweep()

        assert says in state.hooked[0]["until"]
        assert (on.read(incident).phase == "contained") is ("it is contained then" in says)


def test_a_containment_that_may_be_released_by_itself_says_so(line: Lines) -> None:
    with on_channels(line, f"{ALWAYS}\nrelease_after: 1h", "  routes: {default: [siem]}") as (on, state):
        on.respond(on.finding())

        assert "or by itself, as the policy says" in state.hooked[0]["until"]


def test_a_storm_pages_once_and_programs_get_every_message(line: Lines) -> None:
    waits = "  remind_after: 5m\n  escalate: [{after: 5m, to: [team]}]\n"
    limits = "limits: {per_project_per_hour: 0, per_hour: 0}"
    with on_channels(line, ALWAYS, f"  routes: {{default: [pager, siem]}}\n{waits}{limits}") as (on, state):
        for number in range(3):
            on.respond(on.finding(finding_id=f"one{number}"))

        assert told(state) == {"pager": 1, "siem": 3}
        on.wait(6 * 60)
        on.sweep()
        assert told(state) == {"pager": 2, "siem": 4, "team": 1}, "the one that people were told of, and no other"

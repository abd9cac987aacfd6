"""Somebody who sees one message and nothing else: each kind answers what has to be answered, wherever it is shown."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from firebreak.core.channels import channel, kinds
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.incidents.incident import Incident, Wait
from firebreak.core.incidents.phase import Phase
from firebreak.core.messages.composing import compose
from firebreak.core.messages.delivery import Address
from firebreak.core.messages.limits import LIMITS
from firebreak.core.messages.message import Row
from firebreak.core.messages.plain_text import lines
from firebreak.core.mode import Mode
from sandbox.chat.rules import google_chat_faults, pagerduty_faults, slack_faults, slack_update_faults
from sandbox.chat.server import ROUTING_KEY
from tests.cli.commands import NOW, incident
from tests.core.message_kinds import KINDS, reopened
from tests.faults.secrets_planted import TAINT

FAULTS = {
    "slack": slack_faults,
    "slack_bot": slack_faults,
    "google_chat": google_chat_faults,
    "pagerduty": pagerduty_faults,
}
GROWING = '"<🔥\\\\'
INVISIBLE = "\u2060\u200b\u200c\u200d\ufeff\u00ad"


CHANGED = {
    "asked": "Nothing has been changed",
    "contained": "Contained: the plan is in force",
    "contained in part": "CONTAINED IN PART: revoke_public_access was not done; the rest is in force.",
    "changed by others": "Contained, but changed by eve@shop.example: service.ingress was all and is internal.",
    "drifted": "WAS CONTAINED, and opened again since by eve@shop.example: checkout-00008-bad can be reached.",
    "released with one key refused": "PARTLY TAKEN BACK: service.traffic.split is LATEST=100 again; service",
    "failed": "NOT CONTAINED",
    "deferred": "Nothing has been changed",
    "expired": "Nothing was changed",
    "review": "Contained: the plan is in force",
}
ASKED = {
    "asked": "Look at what is planned (pin_previous_revision), and answer yes or no",
    "contained": "if it is wrong, release it",
    "contained in part": "Close by hand what was not done, or remove what was in the way and retry",
    "changed by others": "Look at what others changed since; if the containment is wrong, release it",
    "drifted": "answer yes or no",
    "released with one key refused": "remove what was in the way and release again, or leave it",
    "failed": "Contain it by hand",
    "deferred": "Lift the halt once that is safe (firebreak resume)",
    "expired": "Answer late",
    "review": "if it is wrong, release it",
}
UNTIL = {
    "asked": "2026-09-21 14:42 UTC. If nobody answers, nothing is changed, and you are asked again, up to 3",
    "contained": "It stays contained until a person releases it",
    "contained in part": "As soon as possible: what was not done stays open until somebody closes it",
    "changed by others": "It stays contained until a person releases it",
    "drifted": "2026-09-21 14:42 UTC. If nobody answers, nothing is changed",
    "released with one key refused": "What was refused stays held until somebody asks again",
    "failed": "nothing more happens by itself",
    "deferred": "It waits until the halt is lifted, however long that takes",
    "expired": "Nothing more happens by itself",
    "review": "It stays contained until a person releases it",
}
UNDO = {
    "asked": "Nothing to undo yet",
    "failed": "There is nothing to undo",
    "deferred": "There is nothing to undo",
    "expired": "Nothing to undo yet",
}


def texts_in(body: Any) -> Iterator[str]:
    """Every text of a JSON body as its reader gets it."""
    if isinstance(body, str):
        yield body
    for one in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from texts_in(one)


def bodies(kind: str, one: Incident, **how: Any) -> list[Any]:
    to = Address(ROUTING_KEY if kind == "pagerduty" else "https://chat.invalid/x", url="https://hook.invalid/x", at_s=1)
    return [json.loads(one.body) for one in channel(kind).requests(compose(one, f"{one.id}/1/{kind}", **how), to)]


def read(kind: str, one: Incident, **how: Any) -> str:
    """What somebody reads there, without markup."""
    text = "\n".join(text for body in bodies(kind, one, **how) for text in texts_in(body))
    return text.replace("<br>", "\n").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", KINDS)
def test_each_message_answers_what_has_to_be_answered(name: str, kind: str) -> None:
    one, seen = KINDS[name], read(kind, KINDS[name])

    assert "Execution: Added Malicious Binary Executed" in seen, "what happened"
    assert "projects/shop-prod/locations/europe-west1/services/checkout" in seen, "where"
    assert "checkout-oncall@shop.example" in seen, "to whom"
    assert CHANGED[name] in seen, "is anything changed"
    assert ASKED[name] in seen, "what is asked"
    assert UNTIL[name] in seen, "until when, and what happens if nobody answers"
    assert UNDO.get(name, f"firebreak incident release {one.id}") in seen, "how to undo it"
    assert f"firebreak incident show {one.id}" in seen
    assert "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2" in seen
    assert "https://www.virustotal.com/gui/file/f2ca" in seen
    assert [letter for letter in INVISIBLE if letter in seen] == []


@pytest.mark.parametrize("kind", kinds())
def test_what_virustotal_counts_and_who_owns_the_workload_is_said(kind: str) -> None:
    seen = read(kind, KINDS["contained"])

    assert "48 malicious, 0 suspicious, 12 undetected, trojan.xmrig" in seen
    assert "team payments, checkout-oncall@shop.example" in seen
    assert "policy known-malware-on-service, enforce" in seen


@pytest.mark.parametrize("name", KINDS)
def test_the_title_alone_tells_the_kinds_apart(name: str) -> None:
    word = compose(KINDS[name]).title.partition(":")[0]

    assert [other for other, one in KINDS.items() if compose(one).title.startswith(f"{word}:")] == [name]


def test_what_lowered_the_mode_is_said_and_nothing_else_of_the_guards() -> None:
    asked = compose(incident("waiting")).why
    acted = incident("contained")
    assert acted.decision is not None
    alone = replace(acted.decision, mode=acted.decision.wanted, caps=())

    assert asked == "policy known-malware-on-service, approve: the event was 90 minutes old when it arrived"
    assert compose(replace(acted, decision=alone)).why == "policy known-malware-on-service, enforce"


@pytest.mark.parametrize(("escalated", "says"), [(2, "once more"), (3, "This was the last time: if nobody answers")])
def test_how_often_it_is_asked_again_is_counted(escalated: int, says: str) -> None:
    one = incident("waiting")
    assert one.question is not None

    assert says in compose(replace(one, question=replace(one.question, escalated=escalated))).until


def test_a_policy_that_contains_what_nobody_answers_is_told_so_where_nothing_but_it_asks() -> None:
    doubted = incident("waiting")
    assert doubted.decision is not None
    assert doubted.question is not None
    decision = replace(doubted.decision, wanted=Mode.APPROVE, caps=())
    sure = replace(doubted, decision=decision, question=replace(doubted.question, cautions=()))
    then = "it is contained then, as the policy says"

    assert then in compose(sure, contains=True).until
    assert then not in compose(sure, contains=False).until
    assert then not in compose(doubted, contains=True).until


def test_a_question_says_its_reasons_once() -> None:
    why = "the event was 90 minutes old when it arrived"
    told = incident("waiting").with_history(NOW, "firebreak", f"asks a person: {why}; the plan is another: x is new")
    same = incident("waiting").with_history(NOW, "firebreak", f"asks a person: {why}")

    assert "\n".join(lines(compose(told))).count(why) == 1
    assert compose(told).last == "asks a person: the plan is another: x is new"
    assert compose(same).last == ""


def test_what_is_contained_in_part_needs_somebody_until_a_person_has_filed_it() -> None:
    one = KINDS["contained in part"]

    assert compose(one).urgency == "act"
    assert compose(replace(one, closed_as="true_positive")).urgency == "look"
    assert compose(KINDS["changed by others"]).urgency == "look"


def test_what_wrote_nothing_itself_promises_to_give_nothing_back() -> None:
    one = incident("contained")
    assert one.plan is not None
    plan = Plan(tuple(replace(change, before={}, after={}) for change in one.plan.changes), ())
    message = compose(replace(one, plan=plan, done=plan))

    assert message.undo_by.startswith("It wrote nothing itself: firebreak incident release ")
    assert message.undo == ()


def test_what_waits_for_something_else_than_a_halt_ends_after_a_day() -> None:
    message = compose(incident("deferred", waits=Wait("inactive", "SCC holds it muted", NOW)))

    assert "What has not passed after a day is recorded" in message.until
    assert "Nothing yet" in message.asked


def test_what_others_opened_and_nobody_is_asked_about_is_not_told_as_contained() -> None:
    message = compose(replace(reopened(), phase="contained"))

    assert message.title.startswith("OPENED AGAIN BY OTHERS")
    assert message.urgency == "act"
    assert message.until == "No deadline. Firebreak closes it no more by itself, and announces it again meanwhile."
    assert "close it by hand" in message.asked


def test_that_a_policy_matches_whose_name_is_there_is_not_said_again() -> None:
    one = incident("waiting")
    assert one.decision is not None
    reasons = (f"policy {one.decision.policy} (approve) matches",)
    decision = replace(one.decision, wanted=Mode.APPROVE, caps=(), reasons=reasons)

    assert compose(replace(one, decision=decision)).why == "policy known-malware-on-service, approve"


def test_a_policy_that_releases_by_itself_is_told_so() -> None:
    assert "or by itself, as the policy says" in compose(incident("contained"), releases=True).until


def test_an_answered_question_says_who_answered_and_asks_nothing_more() -> None:
    one = incident("rejected").with_history(NOW, "ada", "rejected: a drill")
    message = compose(one)

    assert message.answered == "ada: rejected: a drill (2026-09-21 14:13 UTC)"
    assert message.last == "", "what was done before a person spoke is no news, and their word is not said twice"
    assert [step.word for step in message.steps] == ["anew", "file", "look"]


@functools.cache
def huge(phase: str = "waiting") -> Incident:
    """49 tags on each of six targets; everywhere long texts of letters that grow as JSON, as entities, as bytes."""
    one = incident(phase)
    own, plan = one.targets[0], one.plan
    assert plan is not None
    tags = {f"service.traffic.tag.canary-{number:02}": "checkout-00008-bad" for number in range(49)}
    before = {"service.traffic.split": "LATEST=100", **tags}
    after = {"service.traffic.split": "checkout-00007-good=100", **dict.fromkeys(tags)}
    regions = ("europe-west1", "us-east1", "us-west1", "asia-east1", "asia-east2", "europe-north1")
    changes = tuple(
        Change(own.in_region(one), "service", before, after, {}, ("pin_previous_revision",)) for one in regions
    )
    finding = replace(one.finding, contacts=tuple(f"{GROWING * 200}{number}@shop.example" for number in range(9)))
    return replace(
        one,
        finding=finding,
        plan=Plan(changes, ()),
        done=Plan(changes, ()) if phase == "contained" else None,
        further=tuple(own.in_region(one) for one in regions[1:]),
        still_open=tuple(f"{TAINT} {GROWING * 900}" for _ in range(9)),
    ).with_history(NOW, "<!channel> *eve* `x` <https://evil.example|click>", f"rejected: {GROWING * 900}")


EVERY = {**KINDS, **{f"phase {one}": incident(one) for one in get_args(Phase)}}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("one", [*EVERY.values(), huge(), huge("contained")], ids=[*EVERY, "huge", "huge contained"])
def test_a_message_keeps_to_what_its_place_documents(kind: str, one: Incident) -> None:
    assert [fault for body in bodies(kind, one) for fault in FAULTS[kind](body)] == []


@pytest.mark.parametrize("letter", ["&", "<", "é", "🔥"])
def test_what_slack_took_once_can_be_brought_up_to_date(letter: str) -> None:
    """An update's text may be far shorter than a message's, and is counted as it is written."""
    message = replace(compose(KINDS["asked"]), facts=(Row("binary", letter * 300),) * 8)
    (sent,) = (json.loads(one.body) for one in channel("slack_bot").requests(message, Address("token")))

    assert slack_update_faults(sent) == []
    assert f"firebreak incident approve {message.incident}" in sent["text"]


@pytest.mark.parametrize("part", ["facts", "changes", "still_open", "undo"])
@pytest.mark.parametrize("kind", ["slack", "slack_bot", "google_chat"])
def test_what_does_not_fit_is_left_out_and_what_is_asked_never_is(kind: str, part: str) -> None:
    """A message larger than any that is composed: whoever composes more of something need not think of each place."""
    long = [GROWING * 60 for _ in range(120)]
    more = {part: tuple(Row("word", one) for one in long) if part == "facts" else tuple(long)}
    message = replace(compose(KINDS["asked"], "fb-1/1/x"), **more)  # type: ignore[arg-type]  # one part of four
    to = Address("https://chat.invalid/x", channel="C0123456789")
    (sent,) = (json.loads(one.body) for one in channel(kind).requests(message, to))

    assert FAULTS[kind](sent) == []
    assert f"firebreak incident approve {message.incident}" in "\n".join(
        texts_in(sent.get("blocks") or sent["cardsV2"])
    )


@pytest.mark.parametrize("kind", kinds())
def test_the_largest_message_says_what_is_asked_and_what_to_type(kind: str) -> None:
    one = huge()
    seen = read(kind, one)

    assert one.question is not None
    assert f"firebreak incident approve {one.id} --digest {one.question.digest[:12]}" in seen
    assert f"firebreak incident reject {one.id} --digest {one.question.digest[:12]} --reason WHY" in seen
    assert "and 5 more resources" in seen
    assert all(region in seen for region in ("us-east1", "asia-east2", "europe-north1")), "each target has its line"


@pytest.mark.parametrize("kind", kinds())
def test_a_line_to_undo_by_hand_is_whole_or_not_there(kind: str) -> None:
    seen = [line for text in read(kind, huge("contained")).split("\n") for line in [text.strip()] if "gcloud" in line]

    assert all(line.endswith(("=LATEST=100", "-bad")) and "…" not in line for line in seen)
    assert "more: firebreak incident show" in read(kind, huge("contained"))


@pytest.mark.parametrize("kind", ["slack", "google_chat", "slack_bot"])
def test_nothing_that_comes_from_outside_is_markup(kind: str) -> None:
    """The double refuses what could be a tag, a link or a mention; the text is there as it was."""
    hostile = "<!channel> <https://evil.example|click> <b>x</b> *y*"
    one = incident("rejected").with_history(NOW, "eve", f"rejected: {hostile}")
    sent = bodies(kind, one)

    assert [fault for body in sent for fault in FAULTS[kind](body)] == []
    assert hostile in read(kind, one)


def test_every_limit_names_its_source() -> None:
    assert [name for name, one in LIMITS.items() if not one.source.startswith("https://") or one.most < 1] == []

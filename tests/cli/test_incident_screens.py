"""Incidents as people see them."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.cli.screens.incident_list import Count, show_list
from firebreak.cli.screens.incident_show import show
from firebreak.cli.screens.question import show_question
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import REFUSED_ANNOUNCEMENT, Wait
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.record import record
from firebreak.core.messages.composing import compose
from firebreak.core.mode import Cap, Mode
from firebreak.core.timestamps import NANOS
from sandbox.scc.notifications import Scene
from tests.cli.commands import MADE, NOW, incident, looked_at, recorded, told

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
COPIED = (
    "gcloud ",
    "anew ",
    "lift ",
    "keep ",
    "file ",
    "image ",
    "digest ",
    "https://",
    "sha256 ",
    "organizations/",
    "yes ",
    "no ",
    "undo ",
    "look ",
)
HOSTILE = st.text(st.characters() | st.sampled_from("\x1b\x9b\r\n\x07\u202e\u2066\u200b\x00[]"), max_size=60)


def shown(**more: Any) -> str:
    return told(show, recorded(**more), NOW)


def decision(**more: Any) -> Decision:
    return replace(incident().decision, **more)  # type: ignore[type-var, return-value]  # it has one


def test_a_waiting_incident_begins_with_how_it_stands_and_the_words_to_type() -> None:
    one = recorded("waiting")
    begin = told(show, one, NOW).split("\nFinding\n")[0]

    assert begin.startswith("WAITING  Execution: Added Malicious Binary Executed\n")
    assert "service checkout, project shop-prod, europe-west1" in begin
    assert "Nothing has been changed" in begin
    assert "because: the event was 90 minutes old when it arrived" in begin
    assert "to be answered within 29 min" in begin
    assert "? planned: service.traffic.split: LATEST=100 → checkout-00007-good=100\n" in begin
    assert f"firebreak incident approve {one['id']} --digest {one['question']['digest'][:12]}\n" in begin
    assert f"firebreak incident reject {one['id']} --digest {one['question']['digest'][:12]} --reason WHY\n" in begin


def test_an_expired_question_says_so() -> None:
    text = told(show, recorded("waiting"), NOW + 3600 * NANOS)

    assert "expired 31 min ago" in text


def test_a_contained_incident_says_what_stays_open_and_how_to_release_it() -> None:
    one = recorded("contained")
    text = told(show, one, NOW)

    assert f"firebreak incident release {one['id']}\n" in text.split("\nFinding\n")[0]
    assert "1 thing is still open" in text
    assert "! credentials stay valid if they were stolen: rotate them" in text
    assert "incident approve" not in text


def test_a_failed_incident_says_that_nothing_is_contained() -> None:
    text = shown(phase="failed")

    assert "NOT CONTAINED. A person is needed now." in text.split("\nFinding\n")[0]


@pytest.mark.parametrize("phase", get_args(Phase))
def test_every_phase_is_explained(phase: str) -> None:
    lines = shown(phase=phase).splitlines()

    assert lines[0].startswith(phase.upper())
    assert lines[4].endswith(".")


def test_what_others_opened_is_not_headed_as_contained_and_can_be_decided_anew() -> None:
    one = incident("contained", done=incident().plan, reopened=("checkout-00008-bad",))
    lines = told(show, record(one), NOW).splitlines()

    assert lines[0] == "OPENED AGAIN  Execution: Added Malicious Binary Executed"
    assert lines[4].startswith("WAS CONTAINED, and others have opened it since: ")
    assert lines[5] == "asked of you: Look at what others have opened, and close it by hand where it should be closed."
    assert lines[6] == f"  anew  firebreak incident retry {one.id}"


def test_what_failed_while_something_stands_says_both() -> None:
    begin = shown(phase="failed", done=incident().plan).split("\nFinding\n")[0]

    assert "NOT CONTAINED AS PLANNED. What could be done stands" in begin
    assert "firebreak incident release fb-" in begin
    assert "firebreak incident retry fb-" in begin


def test_an_incident_that_waits_says_for_what_and_for_how_long() -> None:
    begin = shown(phase="deferred", waits=Wait("halt", "halted by ada: a drill", NOW - 3 * 3600 * NANOS))

    assert "waits for: halted by ada: a drill, for 3 h now\n" in begin


def test_what_cannot_be_reached_is_told_with_since_when() -> None:
    assert "Cloud Run could not be reached for 5 min now\n" in shown(away={"Cloud Run": NOW - 300 * NANOS})


def test_several_events_are_told_with_what_scc_says_of_each_and_what_it_made_suspect() -> None:
    here = incident().targets[0].key
    events = (
        Event("fb-1", NOW - 600 * NANOS, NOW, "counts", decided=True, suspects={here: ("checkout-00008-bad",)}),
        Event("fb-2", NOW - 60 * NANOS, NOW, "unconfirmed"),
    )
    text = shown(events=events).partition("\nEvents\n")[2]

    assert "UTC: confirmed by SCC; suspects: checkout-00008-bad\n" in text
    assert "UTC: SCC does not hold it; not decided yet\n" in text
    assert "\nEvents\n" not in shown(events=events[:1])


def test_the_finding_leads_to_virustotal() -> None:
    sha256 = "ab" * 32
    text = shown(scene=Scene(sha256=sha256))

    assert "CRITICAL, event at 2026-10-01 10:00:00 UTC" in text
    assert "/tmp/.cache/kdevtmpfsi\n" in text  # noqa: S108 - text only
    assert f"https://www.virustotal.com/gui/file/{sha256}\n" in text


def test_a_source_that_did_not_answer_is_told_with_the_time_it_took() -> None:
    assert "virustotal (10000 ms): unknown: no answer within 10 s" in shown()


def test_a_lowered_mode_tells_from_what_and_why() -> None:
    text = shown()

    assert "Decision: approve, lowered from enforce, policy known-malware-on-service" in text
    assert "caution stale: the event was 90 minutes old when it arrived" in text


def test_a_policy_that_did_not_match_shows_only_what_kept_it_from_matching() -> None:
    clauses = (
        {"fact": "workload.kind", "operator": "equals", "wanted": "service", "value": "service", "truth": "true"},
        {"fact": "virustotal.malicious", "operator": "at_least", "wanted": 10, "value": 9, "truth": "false"},
    )
    trace = ({"policy": "p", "mode": "enforce", "truth": "false", "clauses": clauses},)
    text = shown(decision=decision(trace=trace))

    assert "p does not match\n    false   virustotal.malicious at_least 10: it is 9\n" in text
    assert "workload.kind" not in text


def test_a_plan_is_a_diff() -> None:
    text = shown()

    assert "service.traffic.tag.canary\n      - checkout-00008-bad\n      + (not set)\n" in text


def test_the_timeline_has_both_times_and_who() -> None:
    lines = shown().splitlines()

    assert any(re.fullmatch(r" +\d\d:\d\d:\d\d +\+1 min  firebreak: asks a person", line) for line in lines)


def test_it_ends_with_the_way_back_by_hand() -> None:
    end = shown(phase="contained").partition("To undo it by hand\n")[2]

    assert end.splitlines() == [f"  {line}" for line in recorded("contained")["undo"]]
    assert "gcloud run services update-traffic checkout" in end


@pytest.mark.parametrize("phase", ["waiting", "monitored", "rejected", "expired", "deferred"])
def test_where_nothing_was_done_it_ends_with_how_to_do_it_by_hand(phase: str) -> None:
    text = shown(phase=phase)

    there = "  gcloud run services update-traffic checkout --project=shop-prod --region=europe-west1"
    assert text.partition("To do it by hand\n")[2].splitlines() == [
        f"{there} --to-revisions=checkout-00007-good=100",
        f"{there} --remove-tags=canary",
    ]
    assert "To undo it by hand" not in text


def test_what_failed_has_both_ways_by_hand() -> None:
    failed = replace(MADE[0], status="Failure", detail="it was not taken")
    text = shown(phase="failed", outcomes=(failed,))

    assert "To undo it by hand\n  gcloud " in text
    assert "To do it by hand\n  gcloud " in text


def test_what_was_released_needs_no_way_by_hand() -> None:
    assert shown(phase="released").endswith("Nothing of it stands: there is nothing to undo by hand\n")


def test_where_it_ran_is_told_by_container_and_image() -> None:
    text = shown()

    assert "  container checkout-1\n    image europe-docker.pkg.dev/shop-prod/apps/checkout:latest\n" in text
    assert "\n    digest sha256:" in text


def test_the_policies_that_decided_are_named_by_their_digest() -> None:
    assert "\n  by the policy set 000000000000, Firebreak 0\n" in shown()


@pytest.mark.parametrize("truth", ["true", "false", "unknown"])
def test_each_clause_carries_how_it_went(truth: str) -> None:
    clause = {"fact": "workload.kind", "operator": "equals", "wanted": "job", "value": "service", "truth": truth}
    trace = ({"policy": "p", "mode": "enforce", "truth": truth, "clauses": ({**clause, "within": "any_of"},)},)

    assert f"    {truth:<8}any_of: workload.kind equals job: it is service\n" in shown(decision=decision(trace=trace))


@pytest.fixture
def in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows another time than UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_kolkata")
def test_the_time_of_this_machine_stands_beside_utc() -> None:
    text = shown()

    assert "event at 2026-10-01 10:00:00 UTC (15:30:00 IST), " in text
    assert "to be answered within 29 min, by 2026-09-21 14:42:20 UTC (20:12:20 IST)\n" in text
    assert "Timeline (UTC, IST; now 14:13:20, 19:43:20)\n" in text
    assert re.search(r"^  14:12:20  19:42:20    \+1 min  firebreak: asks a person$", text, re.MULTILINE)


def test_where_the_clock_shows_utc_no_other_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    assert "event at 2026-10-01 10:00:00 UTC, " in shown()


def test_a_halt_is_told_on_every_screen() -> None:
    halted = "halted by ada: an incident of our own"

    assert "HALTED, nothing is written: " + halted in told(show, recorded(), NOW, halted)
    assert "HALTED, nothing is written: " + halted in told(show_list, [], NOW, halted, Count(0))


def test_a_broken_seal_is_told_at_once_and_at_the_way_back() -> None:
    text = told(show, {**recorded("contained"), "seal": "broken"}, NOW)

    assert "changed by somebody without the seal key" in text.split("\nFinding\n")[0]
    assert "unverified" in text.partition("To undo it by hand\n")[2]


def test_a_seal_that_is_not_verified_here_is_no_broken_one() -> None:
    seal = "not verified here: FIREBREAK_SEAL_KEY is not set"
    shown, asked = (told(screen, {**recorded("contained"), "seal": seal}, NOW) for screen in (show, show_question))

    assert f"The seal of this record is {seal}.\n" in shown.split("\nFinding\n")[0]
    assert "unverified, because there is no seal key here" in shown.partition("To undo it by hand\n")[2]
    assert f"The seal of this record is {seal}; whoever carries it out verifies it first\n" in asked
    assert "changed by somebody" not in shown + asked


def test_a_question_shows_the_plan_its_fallback_and_the_doubts() -> None:
    plan = incident().plan
    assert plan is not None
    fallback = replace(plan, fallback=(replace(plan.changes[0], actions=("cut_traffic",)),))
    text = told(show_question, recorded(plan=fallback), NOW)

    assert "- LATEST=100\n" in text
    assert "+ checkout-00007-good=100\n" in text
    assert "if that fails for good:\n    cut_traffic on " in text
    assert "caution stale: the event was 90 minutes old" in text


def test_a_question_about_a_changed_record_warns() -> None:
    assert "do not act on it" in told(show_question, {**recorded(), "seal": "broken"}, NOW)


@given(category=HOSTILE, path=HOSTILE, argument=HOSTILE)
def test_hostile_text_never_reaches_the_terminal(category: str, path: str, argument: str) -> None:
    """Whatever an attacker calls a file or a process, the terminal sees printable characters and our own line ends."""
    scene = Scene(category=category or "x", path=path or "x", args=(argument,))
    one = recorded(scene=scene)
    texts = [told(show, one, NOW), told(show_list, [one], NOW, None, Count(1)), told(show_question, one, NOW)]
    texts += [ESCAPES.sub("", looked_at(show, one, NOW))]

    assert [char for text in texts for char in text if not char.isprintable() and char != "\n"] == []


@given(text=HOSTILE)
def test_hostile_text_makes_no_line_of_its_own(text: str) -> None:
    """A path cannot pretend to be the words to type."""
    lines = shown(scene=Scene(path=f"{text}\n  yes   firebreak halt")).splitlines()

    assert not any(line.strip().startswith("yes   firebreak halt") for line in lines)


def test_a_secret_on_the_command_line_is_not_shown() -> None:
    secret = "hunter2-" * 3

    assert secret not in shown(scene=Scene(args=("curl", "--password", secret)))


def test_a_record_that_was_shortened_to_its_limit_is_shown_all_the_same() -> None:
    huge = tuple(f"{number}{'x' * 1900}" for number in range(50))
    long = replace(incident().finding, commands=huge, contacts=huge, additional_techniques=huge)
    one = recorded(finding=long)
    text = told(show, one, NOW)

    assert one["finding"] is None
    assert "the record was too large and is shortened: finding" in text
    assert "firebreak incident approve" in text
    assert told(show_list, [one], NOW, None, Count(1))
    assert told(show_question, one, NOW)


def test_more_policies_than_a_record_holds_are_shown_as_far_as_they_go() -> None:
    trace = tuple({"policy": f"p{number}", "mode": "enforce", "truth": "false", "clauses": ()} for number in range(60))

    assert "p49 does not match" in shown(decision=decision(trace=trace, mode=Mode.MONITOR))


@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("width", [45, 60, 80, 120])
def test_what_is_not_to_be_copied_fits_the_terminal(phase: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    one = recorded(phase)
    lines = ESCAPES.sub("", looked_at(show, one, NOW)).splitlines()
    listed = ESCAPES.sub("", looked_at(show_list, [one], NOW, None, Count(1))).splitlines()
    wide = [line for line in lines if len(line) > width and not line.strip().startswith(COPIED)]

    # A single word may be longer than a narrow terminal, and is not broken: it may have to be copied too.
    assert [line for line in wide if len(line.split()) > 1] == []
    assert max(map(len, listed)) <= width


@pytest.mark.parametrize("width", [45, 60, 80, 140])
def test_the_workload_s_name_is_whole_on_a_narrow_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    listed = ESCAPES.sub("", looked_at(show_list, [recorded()], NOW, None, Count(1)))

    assert re.search(r"/checkout(  Execution: Added Malicious Binary Executed)?$", listed, re.MULTILINE)


def test_what_is_to_be_copied_is_one_line_on_any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    one = recorded("contained")
    lines = [line.strip() for line in ESCAPES.sub("", looked_at(show, one, NOW)).splitlines()]

    assert set(one["undo"]) <= set(lines)
    assert f"https://www.virustotal.com/gui/file/{one['finding']['binaries'][0]['sha256']}" in lines


def test_in_a_pipe_nothing_is_coloured_wrapped_or_boxed() -> None:
    long = "x " * 400
    text = shown(still_open=(long.strip(),))

    assert "\x1b" not in text
    assert not re.search("[\u2500-\u257f]", text)
    assert f"! {long.strip()}\n" in text


def test_a_terminal_gets_colour_unless_it_asks_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = looked_at(show, recorded("failed"), NOW)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = looked_at(show, recorded("failed"), NOW)

    assert "31m" in coloured
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", plain)


def test_without_rich_a_terminal_gets_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    text = looked_at(show, recorded(), NOW)

    assert "\x1b" not in text
    assert "WAITING  Execution" in text


def test_the_list_tells_who_waits() -> None:
    """Of all that were looked through, not of the rows."""
    count = Count(226, "", 226, 226, phases={"waiting": 78, "failed": 1, "contained": 147})
    text = told(show_list, [recorded("waiting"), recorded("failed"), recorded("contained")], NOW, None, count)

    assert "3 of 226 incidents." in text
    assert "78 waiting for an answer, 1 failed: firebreak incident show ID" in text
    assert re.search(
        r"^fb-\w{16}  waiting +2 min  shop-prod/europe-west1/checkout: Execution: Added Malicious Binary Executed: "
        r"Until 2026-09-21 14:42 UTC: Nothing has been changed\. A person is asked for a yes or a no\. "
        r"known-malware-on-service \(approve\): asks a person$",
        text,
        re.MULTILINE,
    )


@pytest.mark.parametrize(
    ("count", "shown", "said"),
    [
        (Count(0), 0, "No incidents."),
        (Count(1), 1, "1 incident."),
        (Count(226), 50, "50 of 226 incidents."),
        (Count(226, "in phase waiting", 78, 226), 50, "50 of 78 in phase waiting, of 226 incidents."),
        (Count(226, "in phase waiting", 3, 226), 3, "3 in phase waiting, of 226 incidents."),
        (Count(0, "in phase waiting"), 0, "No incidents."),
        (
            Count(5000, "in phase failed", 0, 1000, "/a b"),
            0,
            "None in phase failed, of 5000 incidents in the ledger /a b, looked for among the 1000 last touched.",
        ),
    ],
)
def test_the_count_is_of_what_there_is(count: Count, shown: int, said: str) -> None:
    assert count.told(shown) == said


def test_an_empty_list_says_so() -> None:
    assert told(show_list, [], NOW, None, Count(0)) == "No incidents.\n"


STALE = Cap("stale", "caution", "the event was 90 minutes old when it arrived")
CEILING = Cap("ceiling", "caution", "the ceiling in firebreak.yaml is approve")
UNKNOWN = {"policy": "a", "truth": "unknown", "clauses": [{"fact": "virustotal.malicious", "truth": "unknown"}]}


@pytest.mark.parametrize(
    ("wanted", "caps", "trace", "because"),
    [
        (Mode.ENFORCE, (CEILING,), (), "the ceiling in firebreak.yaml is approve"),
        (Mode.APPROVE, (CEILING,), (), "the policy asks"),
        (Mode.APPROVE, (CEILING, STALE), (), "the policy asks; the event was 90 minutes old when it arrived"),
        (Mode.APPROVE, (CEILING,), (UNKNOWN,), "virustotal: no answer within 10 s"),
        (Mode.APPROVE, (STALE,), (UNKNOWN,), "virustotal: no answer within 10 s; the event was 90 minutes old when it"),
    ],
)
def test_a_question_says_what_asks_and_no_ceiling_that_leaves_it_as_it_is(
    wanted: Mode, caps: tuple[Cap, ...], trace: tuple[Any, ...], because: str
) -> None:
    decision = incident().decision
    assert decision is not None
    text = shown(decision=replace(decision, wanted=wanted, caps=caps, trace=trace))

    assert f"because: {because}" in text
    assert ("caution ceiling" in text) is (wanted is Mode.ENFORCE)
    assert ("policy known-malware-on-service (enforce) matches" in text) is (wanted is Mode.APPROVE)


def test_the_history_says_that_the_policy_asks_and_not_the_ceiling() -> None:
    decision = incident().decision
    assert decision is not None

    assert replace(decision, wanted=Mode.APPROVE, caps=(CEILING, STALE)).because == (
        "policy known-malware-on-service (enforce) matches; the event was 90 minutes old when it arrived"
    )
    assert replace(decision, caps=(CEILING,)).because == "the ceiling in firebreak.yaml is approve"


@pytest.mark.parametrize(
    ("wanted", "caps", "cautions", "may_contain"),
    [
        (Mode.APPROVE, (), (), True),
        (Mode.APPROVE, (STALE,), (), False),
        (Mode.APPROVE, (), ("stale",), False),
        (Mode.ENFORCE, (STALE,), (), False),
    ],
)
def test_a_question_says_what_happens_if_nobody_answers(
    wanted: Mode, caps: tuple[Cap, ...], cautions: tuple[str, ...], *, may_contain: bool
) -> None:
    one = incident()
    assert one.decision is not None
    assert one.question is not None
    decision, question = replace(one.decision, wanted=wanted, caps=caps), replace(one.question, cautions=cautions)
    text = shown(decision=decision, question=question)

    assert "If nobody answers, nothing is changed, and you are asked again, up to 3 times more." in text
    assert ("If the policy says on_expiry: contain, it is contained then instead." in text) is may_contain


def test_what_a_channel_refused_is_not_what_came_last() -> None:
    one = incident("contained")
    told_twice = one.with_history(NOW, "firebreak", "contained by pin_previous_revision").with_history(
        NOW, "firebreak", f"soc{REFUSED_ANNOUNCEMENT}FIREBREAK_NOTIFY_SOC is not set"
    )

    assert "last: contained by pin_previous_revision\n" in told(show, record(told_twice), NOW)
    assert compose(told_twice).last == "contained by pin_previous_revision"


def test_what_waits_for_a_halt_to_end_says_first_how_it_is_lifted() -> None:
    text = shown(phase="deferred", waits=Wait("halt", "halted by ada: a drill", NOW))

    assert "  lift  firebreak resume\n" in text
    assert text.index("firebreak resume") < text.index("firebreak incident retry")


def test_what_is_filed_is_not_offered_to_be_filed_nor_said_to_be_announced_again() -> None:
    standing, filed = (shown(phase="contained", done=incident().plan, closed_as=one) for one in ("", "true_positive"))

    assert "incident close" in standing
    assert "and is announced again meanwhile" in standing
    assert "incident close" not in filed
    assert "asked of you: Nothing: a person has filed it.\n" in filed
    assert "until: No deadline. It stays contained until a person releases it.\n" in filed

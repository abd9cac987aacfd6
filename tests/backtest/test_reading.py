"""Every form in which the past is kept, and what cannot be read of it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import enrichment
import responders
from firebreak.backtest import files
from firebreak.backtest.deciding import Rules
from firebreak.backtest.files import pieces_of
from firebreak.backtest.past import Past, past_in
from firebreak.backtest.run import run
from firebreak.core.errors import Malformed
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.policy_folder import read_folder, read_yaml_policies
from tests.backtest.histories import found, lines, policies_in, recorded
from tests.core.findings.test_finding import READABLE, told


def read(path: Path) -> list[Past]:
    return [one for piece in pieces_of([str(path)]) for one in past_in(json.loads(piece.text))]


def packed(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


ROWS = [found(1), found(2)]
FORMS: dict[str, Callable[[], bytes]] = {
    "lines": lambda: "\n".join(map(json.dumps, ROWS)).encode(),
    "lines with a blank one": lambda: "\n\n".join(map(json.dumps, ROWS)).encode() + b"\n",
    "what gcloud lists": lambda: json.dumps(ROWS, indent=2).encode(),
    "a list on one line": lambda: json.dumps(ROWS).encode(),
    "an answer of the API": lambda: json.dumps({"listFindingsResults": ROWS}, indent=1).encode(),
    "packed": lambda: gzip.compress("\n".join(map(json.dumps, ROWS)).encode()),
    "messages": lambda: "\n".join(json.dumps({"message": {"data": packed(one)}}) for one in ROWS).encode(),
    "with a byte order mark": lambda: b"\xef\xbb\xbf" + json.dumps(ROWS).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_findings_are_read_in_every_form(tmp_path: Path, form: str) -> None:
    (tmp_path / "past").write_bytes(FORMS[form]())

    assert [one.finding.name.finding[-1] for one in read(tmp_path / "past")] == ["1", "2"]


INCIDENT = recorded(
    7, closed_as="benign", events=[{"event_time": "2026-06-01T09:00:00Z", "seen": "2026-06-01T09:02:00Z"}]
)


@pytest.mark.parametrize(
    "row",
    [
        INCIDENT,
        {"data": json.dumps(INCIDENT), "subscription_name": "s", "message_id": "1"},
        {"data": INCIDENT, "attributes": {}},
        {"message": {"data": packed(INCIDENT), "attributes": {}}},
        {"data": packed(INCIDENT), "messageId": "1"},
    ],
    ids=["topic", "BigQuery", "BigQuery, read", "delivery", "message"],
)
def test_incidents_are_read_as_topic_and_table_have_them(row: dict[str, Any]) -> None:
    (past,) = past_in(row)

    assert (past.incident, past.closed_as, past.age_ns) == (INCIDENT["id"], "benign", 120 * 10**9)
    assert past.evidence["virustotal"].facts == {"virustotal.malicious": 40}


def test_what_is_over_in_scc_by_now_is_taken_as_it_was_when_it_was_made() -> None:
    row = found(1, state="INACTIVE", eventTime="2026-08-01T00:00:00Z")
    (past,) = past_in(row)
    (message,) = past_in(row | {"notificationConfigName": "organizations/1/notificationConfigs/c"})

    assert (past.finding.state, past.settled_later) == ("ACTIVE", True)
    assert past.finding.event_ns < message.finding.event_ns
    assert (message.finding.state, message.settled_later) == ("INACTIVE", False)


@pytest.mark.parametrize(("muted", "mute"), [("2026-06-01T09:00:05Z", "MUTED"), ("2026-06-03T00:00:00Z", "UNMUTED")])
def test_a_mute_counts_where_it_was_there_at_once(muted: str, mute: str) -> None:
    (past,) = past_in(found(1, mute="MUTED", muteUpdateTime=muted))

    assert past.finding.mute == mute


def test_a_bad_piece_is_named_by_file_and_line_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "past").write_text(f"{json.dumps(ROWS[0])}\nnot json\n{json.dumps(ROWS[1])}\n")
    pieces = list(pieces_of([str(tmp_path / "past")]))

    assert [(one.line, one.text[:3]) for one in pieces] == [(1, b'{"f'), (2, b"not"), (3, b'{"f')]


@pytest.mark.parametrize("value", [{}, [], 3, "x", {"finding": {}}, {"phase": "x", "finding": {"name": "no"}}])
def test_what_holds_nothing_of_the_past_is_said_to_be_so(value: object) -> None:
    if value == []:
        assert list(past_in(value)) == []
        return
    with pytest.raises(Malformed):
        list(past_in(value))


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_a_list_that_is_cut_short_gives_what_is_whole_and_says_so(tmp_path: Path, cut: int) -> None:
    (tmp_path / "past").write_bytes(json.dumps(ROWS, indent=1).encode()[:-cut] if cut > 0 else b"[1")
    *_, last = pieces_of([str(tmp_path / "past")])

    assert "cut short" in last.fault


def test_a_number_that_is_too_long_hides_nothing_of_a_list(tmp_path: Path) -> None:
    rows = [json.dumps(one) for one in ROWS]
    (tmp_path / "past").write_text(f'[{rows[0]}, {{"size": {"9" * 5000}}}, {rows[1]}]')

    assert [one.text[:3] for one in pieces_of([str(tmp_path / "past")])] == [b'{"f', b'{"s', b'{"f']


SEEN_NOTHING = {"seen": [], "trust": "confirmed", "trust_reason": ""}


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (found(2, eventTime="1960-01-01T00:00:00Z"), "the finding's eventTime is before 1970"),
        (found(2, eventTime="2500-01-01T00:00:00Z"), "it is of a time at which nothing can have happened"),
        (recorded(2, updated="9998-01-01T00:00:00Z"), "it is of a time at which nothing can have happened"),
        (recorded(2, rested_on=SEEN_NOTHING), "a fault in Firebreak itself: ValueError at firebreak/core/containment/"),
    ],
    ids=["before all time", "dated by its source", "a record's time", "no settings at all"],
)
@pytest.mark.parametrize("page", [False, True], ids=["lines", "a page"])
def test_one_piece_that_nothing_can_be_made_of_keeps_no_other_from_being_decided(
    tmp_path: Path, odd: dict[str, Any], why: str, *, page: bool
) -> None:
    rows = [found(1), odd, found(3)]
    (tmp_path / "past").write_text(json.dumps({"listFindingsResults": rows}) if page else lines(*rows))
    policies = read_yaml_policies(read_folder(Path(policies_in(tmp_path / "policies"))))
    rules = Rules(policies, responders.discover(), enrichment.discover())
    ran = run([str(tmp_path / "past")], (rules,), lambda _: None, 1)

    assert (ran.tally.findings, ran.unread.count) == (2, 1)
    assert why in ran.unread.shown[0]


def test_a_packed_file_that_is_cut_short_or_damaged_is_said_to_be_so(tmp_path: Path) -> None:
    for odd in (FORMS["packed"]()[:-12], FORMS["packed"]()[:-8] + b"12345678", FORMS["packed"]() + b"more"):
        (tmp_path / "past").write_bytes(odd)
        *_, last = pieces_of([str(tmp_path / "past")])

        assert last.fault == "the packed file is cut short, or damaged"


@pytest.mark.parametrize(
    "text", [b" " * 1000, b"0" * 1000, json.dumps("x" * 900).encode() + b"\n"], ids=["blanks", "digits", "lines"]
)
@pytest.mark.parametrize("begun", [b"", b"["], ids=["lines", "a list"])
def test_a_packed_file_that_unpacks_to_more_than_any_history_is_not_read_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, begun: bytes
) -> None:
    """A few kilobytes may be packed so that reading them takes days."""
    monkeypatch.setattr(files, "_UNPACKED_ANYHOW", 1 << 20)
    (tmp_path / "past").write_bytes(gzip.compress(lines(ROWS[0]).encode() * (not begun) + begun + text * 9000))
    pieces = list(pieces_of([str(tmp_path / "past")]))

    assert pieces[-1].fault.startswith("the packed file unpacks to more than 200 times its size, and no history does")
    assert sum(len(one.text) for one in pieces) < 6 << 20


@pytest.mark.parametrize("name", READABLE)
def test_a_record_tells_the_same_facts_as_the_finding_that_it_is_of(name: str) -> None:
    """Processes, containers and time too: what a policy decides by is in the record of the decision."""
    finding = told(name)
    shown = record(Incident(finding.incident_id, "monitored", 0, 0, finding))

    assert [one.finding.facts() for one in past_in(shown)] == [finding.facts()]

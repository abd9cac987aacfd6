"""What is left of each part of a record that is far too large, to the last item."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from firebreak.core.findings.container import Container
from firebreak.core.findings.finding import Binary
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.announcement import Announcement
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.evidence_record import EvidenceRecord
from firebreak.core.incidents.incident import Entry, Incident
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.core.mode import Mode
from firebreak.core.secrets.redaction import LARGEST_RECORD, safe
from firebreak.core.serialization import encode

FINDING = parse_notification((Path(__file__).parent.parent / "findings" / "v2.json").read_bytes()).finding
LONG = "\N{BLACK SQUARE}" * 1_000
SHORT = safe(LONG, 200)
TRACE = tuple({"policy": f"p{at}", "truth": ("false", "unknown", "true")[at % 3], "clauses": LONG} for at in range(60))
DECISION = Decision("p1", Mode.APPROVE, Mode.ENFORCE, (), TRACE, ("because",), "digest", "1.0")


def plain() -> Incident:
    return Incident("fb-1", "received", 1, 1, FINDING)


def size(one: Incident) -> int:
    return len(json.dumps(encode(one), ensure_ascii=False).encode())


def full() -> Incident:
    """Too large in every part, so that no reduction is spared."""
    finding = replace(
        FINDING,
        binaries=(Binary(LONG, "file", "a" * 64, whole=True),),
        containers=(Container(LONG, LONG, f"sha256:{1:064x}"),),
        commands=tuple(f"{at}{LONG}" for at in range(50)),
        contacts=tuple(f"{at}@example.com" for at in range(50)),
        description=LONG,
    )
    return replace(
        plain(),
        finding=finding,
        evidence=(EvidenceRecord("workload", {"workload.kind": "service"}, None, 7, {"lines": LONG}),),
        decision=DECISION,
        history=tuple(Entry(at, "ada", f"{at} {LONG}") for at in range(100)),
        outbox=tuple(Announcement(at, "log" * 200, "contained", sent=at not in (5, 50)) for at in range(400)),
    )


def test_where_nothing_less_is_enough_every_part_keeps_its_first_and_last_and_what_is_unsent() -> None:
    before, after = full(), fit_to_size_limit(full())[0]

    assert size(after) <= LARGEST_RECORD < size(before)
    assert after == replace(
        before,
        cut=("evidence", "finding", "history", "outbox", "trace"),
        evidence=(replace(before.evidence[0], shown={}),),
        decision=replace(DECISION, trace=tuple(one for one in TRACE if one["truth"] != "false")[:10]),
        finding=replace(
            before.finding,
            binaries=(Binary(SHORT, "file", "a" * 64, whole=True),),
            containers=(Container(SHORT, SHORT, f"sha256:{1:064x}"),),
            commands=tuple(safe(one, 200) for one in before.finding.commands[:10]),
            contacts=before.finding.contacts[:10],
            description=SHORT,
        ),
        history=tuple(replace(one, what=safe(one.what, 200)) for one in (*before.history[:10], *before.history[-30:])),
        outbox=(before.outbox[5], before.outbox[50], *before.outbox[-10:]),
    )


def test_an_undecided_incident_is_cut_too_its_short_history_is_told_once_and_what_was_cut_before_stays_told() -> None:
    before = replace(full(), decision=None, history=full().history[:25], cut=("something",))
    after = fit_to_size_limit(before)[0]

    assert size(after) <= LARGEST_RECORD
    assert after.decision is None
    assert [one.at_ns for one in after.history] == list(range(25))
    assert after.cut == ("evidence", "finding", "history", "outbox", "something", "trace")


def test_a_record_of_exactly_200_kilobytes_fits_and_one_byte_more_does_not() -> None:
    room = LARGEST_RECORD - size(replace(plain(), finding=replace(FINDING, description="")))
    exact, more = (replace(plain(), finding=replace(FINDING, description="x" * length)) for length in (room, room + 1))

    assert size(exact) == LARGEST_RECORD
    assert fit_to_size_limit(exact)[0] == exact
    assert "finding" in fit_to_size_limit(more)[0].cut

"""Records stay within 200 kB, whatever a finding carries, and what is executed is never touched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from firebreak.core.findings.container import Container
from firebreak.core.findings.finding import Binary, Finding
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.announcement import Announcement
from firebreak.core.incidents.evidence_record import EvidenceRecord
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.core.secrets.redaction import LARGEST_RECORD
from firebreak.core.serialization import encode

FINDING = parse_notification((Path(__file__).parent.parent / "findings" / "v2.json").read_bytes()).finding
HUGE = "\N{BLACK SQUARE}" * 2000


def incident(finding: Finding = FINDING) -> Incident:
    return Incident("fb-1", "received", 1, 1, finding)


def size(one: Incident) -> int:
    return len(json.dumps(encode(one), ensure_ascii=False).encode())


def test_what_fits_is_left_as_it_is() -> None:
    assert fit_to_size_limit(incident()) == (incident(), encode(incident()))


def grown() -> dict[str, Incident]:
    files = tuple(Binary(f"{number}{HUGE}", "file", None if number else "a" * 64, whole=True) for number in range(50))
    containers = tuple(Container(HUGE, HUGE, f"sha256:{number:064x}") for number in range(50))
    asked = tuple(EvidenceRecord(f"source{number}", {}, None, 1, {"lines": [HUGE] * 50}) for number in range(3))
    told = incident()
    for number in range(150):
        told = told.with_history(number, "ada", HUGE)
    told = replace(told, outbox=tuple(Announcement(number, "log", "contained", sent=True) for number in range(3000)))
    return {
        "finding": incident(replace(FINDING, binaries=files, containers=containers, commands=(HUGE,) * 50)),
        "evidence": replace(incident(), evidence=asked),
        "history": told,
    }


@pytest.mark.parametrize("name", grown())
def test_what_is_too_large_loses_what_only_tells_and_says_so(name: str) -> None:
    """Hashes, digests and the target stay."""
    before = grown()[name]
    after = fit_to_size_limit(before)[0]

    assert size(before) > LARGEST_RECORD >= size(after)
    assert name in after.cut
    assert after.finding.whole_hashes == before.finding.whole_hashes
    assert after.finding.digests == before.finding.digests
    assert after.finding.target == before.finding.target
    assert after.finding.incident_id == before.finding.incident_id
    assert set(record(after)["cut"]) >= set(after.cut)
    assert len(json.dumps(record(after), ensure_ascii=False).encode()) <= LARGEST_RECORD

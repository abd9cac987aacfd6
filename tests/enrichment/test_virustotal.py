"""Which facts a finding's files give, through the real client and a local VirusTotal, and when they stay unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment import discover
from enrichment.virustotal import evidence_of, source
from firebreak.adapters.virustotal import VirusTotal, connect
from firebreak.core.facts import Evidence, FactType
from firebreak.core.findings.file_report import VERDICTS, FileReport, NoReport
from firebreak.core.findings.finding import Binary, Finding
from firebreak.core.findings.notification import parse_notification
from firebreak.ports.enrichment import EnrichmentClients, FileReports
from sandbox.virustotal import server as virustotal
from sandbox.wire import Wire
from sandbox.world import World

NOW = 1_790_848_800
DAY = 86_400
FIRST, SECOND = "ab" * 32, "cd" * 32
NOBODY = cast("Any", None)


@dataclass(frozen=True)
class Local:
    """A VirusTotal that knows `world.hashes`, what reached it, and a client of it."""

    world: World
    wire: Wire
    client: VirusTotal


@pytest.fixture(scope="module")
def server() -> Iterator[virustotal.VirusTotalServer]:
    server, _ = virustotal.start(World(), Wire())
    yield server
    server.stop()


@pytest.fixture
def local(server: virustotal.VirusTotalServer) -> Iterator[Local]:
    server.world, server.wire = World(), Wire()
    client = connect("local-key", f"http://127.0.0.1:{server.server_address[1]}")
    yield Local(server.world, server.wire, client)
    client.close()


def finding(*whole: str, partial: tuple[str, ...] = (), unhashed: int = 0) -> Finding:
    """A finding with these files, whole ones first."""
    text = (Path(__file__).parent.parent / "findings" / "v2.json").read_bytes()
    files = [Binary(f"/tmp/{one[:8]}", "binary", one, whole=True) for one in whole]  # noqa: S108 - a path SCC saw
    files += [Binary(f"/opt/{one[:8]}", "file", one, whole=False) for one in partial]
    files += [Binary(f"/lib/{number}.so", "library", None, whole=False) for number in range(unhashed)]
    return replace(parse_notification(text).finding, binaries=tuple(files))


def enrich(of: Finding, files: FileReports | None) -> Evidence:
    return source.enrich(of, EnrichmentClients(NOBODY, NOBODY, files, NOBODY, NOBODY))


def report(verdict: str, malicious: int | None, sha256: str = FIRST, **others: Any) -> FileReport:
    return FileReport(sha256, cast("Any", verdict), (f"it is {verdict}",), malicious, **others)


def test_a_known_file_gives_every_fact(local: Local) -> None:
    local.world.hashes[FIRST] = {
        "malicious": 48,
        "suspicious": 2,
        "undetected": 12,
        "harmless": 1,
        "label": "miner.xmrig/kinsing",
        "families": ["xmrig", "kinsing"],
        "gti": "VERDICT_MALICIOUS",
        "gti_score": 91,
        "first_seen": NOW,
    }
    evidence = enrich(finding(FIRST), local.client)

    assert evidence.gap is None
    assert evidence.facts == {
        "virustotal.malicious": 48,
        "virustotal.suspicious": 2,
        "virustotal.undetected": 12,
        "virustotal.harmless": 1,
        "virustotal.verdict": "malicious",
        "virustotal.label": "miner.xmrig/kinsing",
        "virustotal.families": ("xmrig", "kinsing"),
        "virustotal.score": 91,
        "virustotal.first_seen": "2026-10-01T10:00:00Z",
        "virustotal.stale": False,
    }
    assert evidence.facts.keys() == source.facts.keys()


def test_what_the_report_does_not_say_stays_unknown(local: Local) -> None:
    gone = dict.fromkeys(("first_submission_date", "last_analysis_date", "popular_threat_classification"))
    local.world.hashes[FIRST] = {"malicious": 0, "undetected": 60, "attributes": gone}
    evidence = enrich(finding(FIRST), local.client)

    assert evidence.facts == {
        "virustotal.malicious": 0,
        "virustotal.suspicious": 0,
        "virustotal.undetected": 60,
        "virustotal.harmless": 0,
        "virustotal.verdict": "undetected",
    }


def test_people_are_shown_each_file_with_its_reasons_and_a_link(local: Local) -> None:
    local.world.hashes[FIRST] = {"malicious": 48}
    evidence = enrich(finding(FIRST, SECOND), local.client)
    known, unknown = evidence.shown["files"]

    assert known["link"] == f"https://www.virustotal.com/gui/file/{FIRST}"
    assert known["result"].startswith("malicious: ")
    assert "48 engines say malicious" in known["reasons"]
    assert (unknown["sha256"], unknown["link"]) == (SECOND, f"https://www.virustotal.com/gui/file/{SECOND}")
    assert unknown["result"] == "VirusTotal does not know the file, which does not make it clean"
    assert json.loads(json.dumps(evidence.shown)) == evidence.shown


def test_the_worst_of_several_files_speaks_for_all(local: Local) -> None:
    local.world.hashes |= {FIRST: {"malicious": 0}, SECOND: {"malicious": 48}}
    evidence = enrich(finding(FIRST, SECOND), local.client)

    assert (evidence.facts["virustotal.verdict"], evidence.facts["virustotal.malicious"]) == ("malicious", 48)


@pytest.mark.parametrize("missing", [None, {"error": "403:ForbiddenError"}, {"answer": "html"}])
def test_malware_does_not_hide_behind_a_second_file(missing: dict[str, Any] | None, local: Local) -> None:
    """One harmless file beside one without an answer says nothing about the second."""
    local.world.hashes[FIRST] = {"malicious": 0}
    if missing is not None:
        local.world.hashes[SECOND] = missing
    evidence = enrich(finding(FIRST, SECOND), local.client)

    assert evidence.facts == {}
    assert evidence.gap is not None
    assert evidence.gap.startswith(SECOND[:12])


def test_known_malware_is_enough_whatever_the_other_files_are(local: Local) -> None:
    local.world.hashes[FIRST] = {"malicious": 48}
    evidence = enrich(finding(FIRST, SECOND), local.client)

    assert evidence.facts["virustotal.verdict"] == "malicious"
    assert evidence.gap is not None
    assert evidence.gap.startswith(SECOND[:12])


def test_malware_does_not_hide_behind_five_other_files(local: Local) -> None:
    """Only five are asked about, and the sixth is not taken for harmless."""
    hashes = [f"{number:064x}" for number in range(7)]
    local.world.hashes |= {one: {"malicious": 0} for one in hashes}
    evidence = enrich(finding(*hashes), local.client)

    assert evidence.facts == {}
    assert evidence.gap is not None
    assert "more than 5 files" in evidence.gap
    assert len(local.wire.calls) == 5


def test_malware_does_not_hide_in_a_file_too_large_to_be_hashed_whole(local: Local) -> None:
    local.world.hashes[FIRST] = {"malicious": 0}
    evidence = enrich(finding(FIRST, partial=(SECOND,)), local.client)

    assert evidence.facts == {}
    assert evidence.gap == f"{SECOND[:12]}…: SCC hashed only the beginning of the file"
    assert [call.request for call in local.wire.calls] == [f"/api/v3/files/{FIRST}"]
    assert evidence.shown["files"][1]["link"] == "", "no page is about the beginning of a file"


def test_a_partial_hash_is_never_sent(local: Local) -> None:
    evidence = enrich(finding(partial=(FIRST, SECOND)), local.client)

    assert evidence.gap == "SCC hashed only the beginning of the file"
    assert (evidence.facts, local.wire.calls) == ({}, ())


def test_without_a_hash_nothing_is_asked(local: Local) -> None:
    evidence = enrich(finding(unhashed=2), local.client)

    assert evidence.gap == "the finding has no file hash"
    assert (evidence.facts, local.wire.calls) == ({}, ())


def test_files_without_any_hash_do_not_silence_the_others(local: Local) -> None:
    """SCC lists libraries without one; else hardly any finding would have facts."""
    local.world.hashes[FIRST] = {"malicious": 3}

    assert enrich(finding(FIRST, unhashed=3), local.client).facts["virustotal.verdict"] == "suspicious"


def test_without_a_key_the_links_are_shown_all_the_same() -> None:
    evidence = enrich(finding(FIRST), None)

    assert evidence.gap == "no VirusTotal key is configured"
    assert evidence.facts == {}
    assert evidence.shown["files"][0]["link"].endswith(FIRST)


def test_files_are_asked_about_in_parallel_and_once_each(local: Local) -> None:
    hashes = [f"{number:064x}" for number in range(5)]
    local.world.hashes |= {one: {"malicious": 48} for one in hashes}
    enrich(finding(*hashes, hashes[0]), local.client)

    assert sorted(call.request[-64:] for call in local.wire.calls) == hashes


def test_the_gap_names_a_few_files_and_counts_the_rest() -> None:
    evidence = evidence_of([NoReport(f"{number:064x}", "rate", "later") for number in range(50)], NOW)

    assert evidence.gap is not None
    assert evidence.gap.count("later") == 5
    assert evidence.gap.endswith("and 45 more")
    assert len(evidence.shown["files"]) == 10


def test_a_file_from_the_future_has_no_age() -> None:
    assert "virustotal.first_seen" not in evidence_of([report("malicious", 48, first_seen=1 << 52)], NOW).facts


def test_an_old_silence_is_called_stale() -> None:
    assert evidence_of([report("undetected", 0, last_analysis=NOW - 31 * DAY)], NOW).facts["virustotal.stale"] is True


def test_the_package_finds_the_source_with_no_permission_to_ask_for() -> None:
    assert discover()["virustotal"] is source
    assert source.permissions == frozenset()
    assert source.facts["virustotal.verdict"].choices == VERDICTS
    assert source.facts["virustotal.verdict"].ordered


REPORTS = st.builds(
    report,
    st.sampled_from(VERDICTS),
    st.none() | st.integers(0, 90),
    first_seen=st.none() | st.integers(0, 1 << 53),
    last_analysis=st.none() | st.integers(0, 1 << 53),
    families=st.lists(st.text(max_size=5), max_size=3).map(tuple),
)
MISSING = st.builds(NoReport, st.just(SECOND), st.sampled_from(["not_found", "quota", "hung"]), st.just("no answer"))
PYTHON_TYPE: dict[FactType, tuple[type, ...]] = {
    FactType.TEXT: (str,),
    FactType.TIME: (str,),
    FactType.NUMBER: (int,),
    FactType.BOOL: (bool,),
    FactType.TEXTS: (tuple,),
}


@given(st.lists(REPORTS | MISSING, max_size=8))
def test_facts_are_of_the_types_that_the_catalogue_promises(answers: list[FileReport | NoReport]) -> None:
    facts = evidence_of(answers, NOW).facts

    assert all(type(value) in PYTHON_TYPE[source.facts[name].type] for name, value in facts.items())


@given(st.lists(REPORTS | MISSING, min_size=1, max_size=8), MISSING)
def test_one_answer_fewer_never_makes_files_look_better(answers: list[FileReport | NoReport], gone: NoReport) -> None:
    """Facts either stay as they are or become unknown, and only malware is still told."""
    whole, less = evidence_of(answers, NOW), evidence_of([*answers, gone], NOW)

    assert less.facts in ({}, whole.facts)
    assert less.facts.get("virustotal.verdict") in (None, "malicious")
    assert less.gap

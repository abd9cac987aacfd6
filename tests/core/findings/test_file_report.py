"""One verdict from a file object of which every field is optional and of any type."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.findings.file_report import VERDICTS, FileReport, NoReport, judge, read_report
from sandbox.virustotal.file import file_object

SHA256 = "ab" * 32
DAY = 86_400
NOW = 1_790_848_800
FIELDS = (
    "last_analysis_stats last_analysis_date first_submission_date threat_verdict threat_severity gti_assessment tags "
    "popular_threat_classification sandbox_verdicts crowdsourced_yara_results"
).split()
INNER = "malicious suspicious undetected harmless value verdict threat_score count category confidence".split()
WORDS = st.sampled_from(["VERDICT_MALICIOUS", "VERDICT_SUSPICIOUS", "SEVERITY_HIGH", "malicious", "\ud800", "\u202e"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(INNER) | st.text(), inner, max_size=4),
    max_leaves=12,
)
HOSTILE = st.dictionaries(st.sampled_from(FIELDS), ANYTHING)
NAMED = st.sampled_from(["VERDICT_MALICIOUS", "VERDICT_SUSPICIOUS", "VERDICT_UNDETECTED", "VERDICT_BENIGN", ""])


def stats(malicious: int, **others: int) -> dict[str, Any]:
    return {"last_analysis_stats": {"malicious": malicious, "undetected": 60, **others}}


def gti(verdict: str) -> dict[str, Any]:
    return {"gti_assessment": {"verdict": {"value": verdict}}}


def sandbox(category: str, confidence: object) -> dict[str, Any]:
    return {"sandbox_verdicts": {"Zenbox Linux": {"category": category, "confidence": confidence}}}


def family(count: object) -> dict[str, Any]:
    return {"popular_threat_classification": {"popular_threat_name": [{"value": "xmrig", "count": count}]}}


YARA = {"crowdsourced_yara_results": [{"rule_name": "miner"}]}


@pytest.mark.parametrize(
    ("attributes", "verdict", "rule"),
    [
        (gti("VERDICT_MALICIOUS"), "malicious", "Google Threat Intelligence says malicious"),
        (gti("VERDICT_SUSPICIOUS"), "suspicious", "Google Threat Intelligence says suspicious"),
        ({"threat_verdict": "VERDICT_MALICIOUS"}, "malicious", "VirusTotal's own verdict is malicious"),
        ({"threat_verdict": "VERDICT_SUSPICIOUS"}, "suspicious", "VirusTotal's own verdict is suspicious"),
        (gti("VERDICT_MALICIOUS") | stats(48), "malicious", "Google Threat Intelligence says malicious"),
        (gti("VERDICT_SUSPICIOUS") | stats(48), "malicious", "48 engines say malicious"),
        (gti("VERDICT_BENIGN") | stats(48), "malicious", "48 engines say malicious"),
        (stats(10), "malicious", "10 engines say malicious"),
        (stats(9), "suspicious", "9 engines say malicious"),
        (
            stats(9) | sandbox("malicious", 70),
            "malicious",
            "9 engines say malicious, and the sandbox Zenbox Linux agrees",
        ),
        (stats(5) | YARA, "malicious", "5 engines say malicious, and a YARA rule matches"),
        (stats(5) | family(3), "malicious", "5 engines say malicious, and they agree on the family"),
        (stats(5) | sandbox("malicious", 69), "suspicious", "5 engines say malicious"),
        (stats(5) | sandbox("harmless", 99), "suspicious", "5 engines say malicious"),
        (stats(5) | family(2), "suspicious", "5 engines say malicious"),
        (stats(4) | YARA | family(4) | sandbox("malicious", 99), "suspicious", "4 engines say malicious"),
        (stats(2), "suspicious", "2 engines say malicious"),
        (stats(1), "undetected", "1 engine says malicious, and no other agrees"),
        (stats(0), "undetected", "no engine says malicious, which does not make it clean"),
        (stats(0) | YARA, "undetected", "no engine says malicious, which does not make it clean"),
    ],
)
def test_the_rule_that_decides_names_itself(attributes: dict[str, Any], verdict: str, rule: str) -> None:
    found, reasons = judge(attributes)

    assert (found, reasons[0]) == (verdict, rule)


def test_the_voices_that_did_not_decide_are_heard_too() -> None:
    """A person wants to see who else said what."""
    _, reasons = judge(gti("VERDICT_SUSPICIOUS") | {"threat_verdict": "VERDICT_MALICIOUS"} | stats(3))

    assert reasons == (
        "VirusTotal's own verdict is malicious",
        "Google Threat Intelligence says suspicious",
        "3 engines say malicious",
    )


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"last_analysis_stats": {}},
        {"last_analysis_stats": {"malicious": 0, "suspicious": 0, "undetected": 0, "harmless": 0, "failure": 7}},
        {"last_analysis_stats": {"type-unsupported": 70, "timeout": 2}},
        {"last_analysis_stats": {"malicious": "48", "undetected": True}},
        {"last_analysis_stats": {"undetected": 60}},
        {"threat_verdict": "VERDICT_UNDETECTED", **gti("VERDICT_BENIGN")},
    ],
)
def test_a_file_that_nobody_judged_has_no_verdict(attributes: dict[str, Any]) -> None:
    """Zeros before the first analysis are not sixty engines that found nothing."""
    report = read_report(SHA256, attributes)

    assert isinstance(report, NoReport)
    assert report.kind == "no_verdict"


def test_counts_that_mean_nothing_are_not_reported() -> None:
    report = read_report(SHA256, gti("VERDICT_MALICIOUS") | {"last_analysis_stats": {"malicious": 0, "harmless": 0}})

    assert isinstance(report, FileReport)
    assert (report.verdict, report.malicious, report.harmless) == ("malicious", None, None)


def test_a_whole_file_object_is_read_whole() -> None:
    known = {"malicious": 48, "suspicious": 1, "families": ["kinsing"], "gti": "VERDICT_MALICIOUS", "gti_score": 91}
    data = file_object(SHA256, {**known, "first_seen": NOW - 9 * DAY, "analysed": NOW - DAY}, NOW)
    report = read_report(SHA256, json.loads(json.dumps(data["attributes"])))

    assert isinstance(report, FileReport)
    assert (report.malicious, report.suspicious, report.harmless) == (48, 1, 0)
    assert (report.label, report.families, report.score) == ("trojan.kinsing", ("kinsing",), 91)
    assert (report.severity, report.tags) == ("HIGH", ("64bits", "elf", "upx"))
    assert (report.first_seen, report.last_analysis) == (NOW - 9 * DAY, NOW - DAY)
    assert report.link == f"https://www.virustotal.com/gui/file/{SHA256}"


@pytest.mark.parametrize(
    ("engines", "analysed", "stale"),
    [(0, NOW - 31 * DAY, True), (0, NOW - 29 * DAY, False), (48, NOW - 400 * DAY, False), (0, None, None)],
)
def test_only_old_silence_is_stale(engines: int, analysed: int | None, stale: bool | None) -> None:  # noqa: FBT001
    report = read_report(SHA256, {**stats(engines), "last_analysis_date": analysed})

    assert isinstance(report, FileReport)
    assert report.stale(NOW) is stale


def test_texts_are_cut_and_lose_what_would_deceive_the_reader() -> None:
    named = {"suggested_threat_label": "\u202etrojan\x1b[2J\ud800" + "x" * 900}
    report = read_report(SHA256, stats(48) | {"popular_threat_classification": named})

    assert isinstance(report, FileReport)
    assert report.label is not None
    assert report.label.startswith("trojan[2Jx")
    assert report.label.endswith("more characters)")
    assert len(report.label) < 240


def test_a_score_beyond_the_scale_is_no_score() -> None:
    report = read_report(SHA256, stats(48) | {"gti_assessment": {"threat_score": {"value": 101}}})

    assert isinstance(report, FileReport)
    assert report.score is None


@given(HOSTILE)
def test_fields_of_any_type_are_read_or_left_out(attributes: dict[str, Any]) -> None:
    report = read_report(SHA256, attributes)

    if isinstance(report, FileReport):
        assert report.verdict in VERDICTS
        assert report.reasons
        assert report.score is None or 0 <= report.score <= 100
        texts = (report.label or "", *report.families, *report.tags, *report.reasons)
        assert all(text.isprintable() for text in texts)
        assert all(isinstance(text.encode(), bytes) for text in texts)


@given(st.integers(0, 80), st.integers(1, 20), NAMED, NAMED)
def test_more_engines_never_lower_a_verdict(engines: int, more: int, assessed: str, own: str) -> None:
    voices = gti(assessed) | {"threat_verdict": own}
    before, after = (judge(stats(count) | voices)[0] for count in (engines, engines + more))

    assert before is not None
    assert after is not None
    assert VERDICTS.index(before) <= VERDICTS.index(after)


@given(st.integers(0, 80), NAMED, NAMED)
def test_no_voice_talks_a_file_down(engines: int, assessed: str, own: str) -> None:
    alone, _ = judge(stats(engines))
    together, _ = judge(stats(engines) | gti(assessed) | {"threat_verdict": own})

    assert alone is not None
    assert together is not None
    assert VERDICTS.index(alone) <= VERDICTS.index(together)

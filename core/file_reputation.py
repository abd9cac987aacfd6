"""What VirusTotal says of a file, judged by one rule that names itself. Never "clean": knowing nothing bad is not that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

VerdictWord = Literal["undetected", "suspicious", "malicious"]
VERDICTS: tuple[VerdictWord, ...] = ("undetected", "suspicious", "malicious")
LINK = "https://www.virustotal.com/gui/file/"
_STALE_SECONDS = 30 * 86_400
_SURE, _LIKELY, _SOME = 10, 5, 2
_SANDBOX_CONFIDENCE, _FAMILY_COUNT = 70, 3


@dataclass(frozen=True, slots=True)
class FileReport:
    """One known file. Counts are engines; times are epoch seconds; None is what VirusTotal did not say."""

    sha256: str
    verdict: VerdictWord
    rule: str
    malicious: int | None
    suspicious: int | None
    undetected: int | None
    harmless: int | None
    label: str | None = None
    families: tuple[str, ...] = ()
    score: int | None = None
    first_seen: int | None = None
    last_analysis: int | None = None

    @property
    def link(self) -> str:
        """The page for people; made from the hash, never taken from outside."""
        return LINK + self.sha256

    def stale(self, now: float) -> bool:
        """Whether the analysis is over 30 days old and found nothing bad."""
        return self.verdict != "malicious" and (self.last_analysis or 0) < now - _STALE_SECONDS


@dataclass(frozen=True, slots=True)
class NoReport:
    """Why there is no answer about a file; `kind` is one word for programs, `reason` a sentence for people."""

    sha256: str
    kind: str
    reason: str


def judge(sha256: str, attributes: Mapping[str, Any]) -> FileReport | NoReport:
    """Read a file object's attributes, every field optional and of any type."""
    stats = _mapping(attributes.get("last_analysis_stats"))
    counts = {name: _count(stats.get(name)) for name in ("malicious", "suspicious", "undetected", "harmless")}
    popular = _mapping(attributes.get("popular_threat_classification"))
    verdict = _verdict(attributes, counts["malicious"], popular)
    if verdict is None:
        return NoReport(sha256, "no_verdict", "VirusTotal knows the file, but no engine has judged it")
    assessed = _mapping(attributes.get("gti_assessment"))
    return FileReport(
        sha256=sha256,
        verdict=verdict[0],
        rule=verdict[1],
        malicious=counts["malicious"],
        suspicious=counts["suspicious"],
        undetected=counts["undetected"],
        harmless=counts["harmless"],
        label=_text(popular.get("suggested_threat_label")),
        families=tuple(_families(popular)),
        score=_count(_mapping(assessed.get("threat_score")).get("value")),
        first_seen=_count(attributes.get("first_submission_date")),
        last_analysis=_count(attributes.get("last_analysis_date")),
    )


def _verdict(
    attributes: Mapping[str, Any], engines: int | None, popular: Mapping[str, Any]
) -> tuple[VerdictWord, str] | None:
    """The first rule that has something to say."""
    gti = _text(_mapping(_mapping(attributes.get("gti_assessment")).get("verdict")).get("value")) or ""
    own = _text(attributes.get("threat_verdict")) or ""
    if gti == "VERDICT_MALICIOUS":
        return "malicious", "Google Threat Intelligence says malicious"
    if own == "VERDICT_MALICIOUS":
        return "malicious", "VirusTotal's own verdict is malicious"
    if engines is not None and engines >= _SURE:
        return "malicious", f"{engines} engines say malicious"
    second = _second_opinion(attributes, popular)
    if engines is not None and engines >= _LIKELY and second:
        return "malicious", f"{engines} engines say malicious, and {second}"
    if "VERDICT_SUSPICIOUS" in (gti, own):
        return "suspicious", "VirusTotal's verdict is suspicious"
    if engines is None:
        return None
    if engines >= _SOME:
        return "suspicious", f"{engines} engines say malicious"
    return "undetected", f"{engines} engines say malicious, which is not proof of anything"


def _second_opinion(attributes: Mapping[str, Any], popular: Mapping[str, Any]) -> str | None:
    for name, one in _mapping(attributes.get("sandbox_verdicts")).items():
        sandbox = _mapping(one)
        confident = (_count(sandbox.get("confidence")) or 0) >= _SANDBOX_CONFIDENCE
        if sandbox.get("category") == "malicious" and confident:
            return f"the sandbox {str(name)[:40]} agrees"
    if _list(attributes.get("crowdsourced_yara_results")):
        return "a YARA rule matches"
    names = [_count(_mapping(one).get("count")) or 0 for one in _list(popular.get("popular_threat_name"))]
    return "they agree on the family" if max(names, default=0) >= _FAMILY_COUNT else None


def _families(popular: Mapping[str, Any]) -> list[str]:
    names = [_text(_mapping(one).get("value")) for one in _list(popular.get("popular_threat_name"))]
    return [name for name in names if name][:10]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None

"""What VirusTotal says of a file, judged by rules that name themselves. Never "clean": silence proves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from firebreak.core.secrets.redaction import safe
from firebreak.core.serialization import UNSAVED

VerdictWord = Literal["undetected", "suspicious", "malicious"]
VERDICTS: tuple[VerdictWord, ...] = ("undetected", "suspicious", "malicious")
LINK = "https://www.virustotal.com/gui/file/"
_STALE_SECONDS = 30 * 86_400
_SURE, _LIKELY, _SOME = 10, 5, 2
_SANDBOX_CONFIDENCE, _FAMILY_COUNT = 70, 3
_TOP_SCORE = 100
_MANY, _LONG = 20, 200
_COUNTED = ("malicious", "suspicious", "undetected", "harmless")
_SEVERITIES = frozenset({"NONE", "LOW", "MEDIUM", "HIGH"})
_WORDS: Mapping[object, VerdictWord] = {"VERDICT_MALICIOUS": "malicious", "VERDICT_SUSPICIOUS": "suspicious"}


@dataclass(frozen=True, slots=True)
class FileReport:
    """VirusTotal's report on one known file. None means that VirusTotal did not say.

    Attributes:
        sha256: of the whole file, in hex.
        verdict: the verdict that `judge` reached.
        reasons: the rule that decided the verdict, then the other rules that fired.
        malicious: engines that call the file malicious.
        suspicious: engines that call it suspicious.
        undetected: engines that found nothing.
        harmless: engines that call it harmless.
        label: VirusTotal's suggested threat label, such as `trojan.mirai`.
        families: malware families, the most frequent first.
        tags: VirusTotal's tags.
        score: threat score of Google Threat Intelligence, 0 to 100.
        severity: NONE, LOW, MEDIUM or HIGH.
        first_seen: first submission, seconds since 1970.
        last_analysis: last analysis, seconds since 1970.
        original: VirusTotal's whole answer; None where this was not read just now.
    """

    sha256: str
    verdict: VerdictWord
    reasons: tuple[str, ...]
    malicious: int | None = None
    suspicious: int | None = None
    undetected: int | None = None
    harmless: int | None = None
    label: str | None = None
    families: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    score: int | None = None
    severity: str | None = None
    first_seen: int | None = None
    last_analysis: int | None = None
    original: Mapping[str, Any] | None = field(default=None, repr=False, compare=False, metadata=UNSAVED)

    @property
    def link(self) -> str:
        """The page for people; made from the hash, never taken from outside."""
        return LINK + self.sha256

    def stale(self, now: float) -> bool | None:
        """Whether the analysis is over 30 days old and did not find malware; None where its age is not known."""
        if self.verdict == "malicious":
            return False
        return None if self.last_analysis is None else self.last_analysis < now - _STALE_SECONDS


@dataclass(frozen=True, slots=True)
class NoReport:
    """Why there is no answer about a file; `kind` is one word for programs, `reason` a sentence for people."""

    sha256: str
    kind: str
    reason: str


def read_report(sha256: str, attributes: Mapping[str, Any]) -> FileReport | NoReport:
    """Read a file object's attributes, every field optional and of any type; never raises."""
    verdict, reasons = judge(attributes)
    if verdict is None:
        return NoReport(sha256, "no_verdict", "VirusTotal knows the file, but nobody there has judged it")
    popular = _mapping(attributes.get("popular_threat_classification"))
    score = _count(_at(attributes, "gti_assessment", "threat_score", "value"))
    return FileReport(
        sha256=sha256,
        verdict=verdict,
        reasons=reasons,
        **_counts(attributes),
        label=_text(popular.get("suggested_threat_label")),
        families=_texts(_mapping(one).get("value") for one in _list(popular.get("popular_threat_name"))),
        tags=_texts(iter(_list(attributes.get("tags")))),
        score=score if score is not None and score <= _TOP_SCORE else None,
        severity=_severity(attributes),
        first_seen=_count(attributes.get("first_submission_date")),
        last_analysis=_count(attributes.get("last_analysis_date")),
        original=None,
    )


def judge(attributes: Mapping[str, Any]) -> tuple[VerdictWord | None, tuple[str, ...]]:
    """The worst that any rule says, with the deciding rule first among the reasons; None where no rule can say a word.

    More evidence never lowers a verdict, so that no single voice can talk a file down.
    """
    said = list(_opinions(attributes))
    if not said:
        return None, ()
    worst = max(said, key=lambda one: VERDICTS.index(one[0]))
    return worst[0], tuple(dict.fromkeys((worst[1], *(reason for _, reason in said))))


def _opinions(attributes: Mapping[str, Any]) -> Iterator[tuple[VerdictWord, str]]:
    """Strongest source first. Verdicts other than malicious and suspicious are the absence of an opinion."""
    if assessed := _word(_at(attributes, "gti_assessment", "verdict", "value")):
        yield assessed, f"Google Threat Intelligence says {assessed}"
    if own := _word(attributes.get("threat_verdict")):
        yield own, f"VirusTotal's own verdict is {own}"
    counts = _counts(attributes)
    if counts["malicious"] is not None:
        yield _by_engines(counts["malicious"], _second_opinion(attributes))


def _by_engines(engines: int, second: str | None) -> tuple[VerdictWord, str]:
    """By absolute count: engines that cannot read the file's type would distort a ratio."""
    said = f"{engines} engines say malicious"
    if engines >= _SURE:
        return "malicious", said
    if engines >= _LIKELY and second:
        return "malicious", f"{said}, and {second}"
    if engines >= _SOME:
        return "suspicious", said
    if engines:
        return "undetected", "1 engine says malicious, and no other agrees"
    return "undetected", "no engine says malicious, which does not make it clean"


def _second_opinion(attributes: Mapping[str, Any]) -> str | None:
    for name, one in _mapping(attributes.get("sandbox_verdicts")).items():
        sandbox = _mapping(one)
        confident = (_count(sandbox.get("confidence")) or 0) >= _SANDBOX_CONFIDENCE
        if sandbox.get("category") == "malicious" and confident:
            return f"the sandbox {(_text(name) or 'without a name')[:40]} agrees"
    if _list(attributes.get("crowdsourced_yara_results")):
        return "a YARA rule matches"
    names = _list(_at(attributes, "popular_threat_classification", "popular_threat_name"))
    agreeing = max((_count(_mapping(one).get("count")) or 0 for one in names), default=0)
    return "they agree on the family" if agreeing >= _FAMILY_COUNT else None


def _counts(attributes: Mapping[str, Any]) -> dict[str, int | None]:
    """Engines by what they say; nothing at all where no engine has judged, because zeros would look like an answer."""
    stats = _mapping(attributes.get("last_analysis_stats"))
    counts = {name: _count(stats.get(name)) for name in _COUNTED}
    return counts if any(counts.values()) else dict.fromkeys(_COUNTED)


def _severity(attributes: Mapping[str, Any]) -> str | None:
    words = (
        _at(attributes, "gti_assessment", "severity", "value"),
        _at(attributes, "threat_severity", "threat_severity_level"),
    )
    known = (word.removeprefix("SEVERITY_") for word in words if isinstance(word, str))
    return next((word for word in known if word in _SEVERITIES), None)


def _word(value: object) -> VerdictWord | None:
    return _WORDS.get(value) if isinstance(value, str) else None


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = _mapping(value).get(key)
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(values: Iterator[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in map(_text, values) if text))[:_MANY]


def _text(value: object) -> str | None:
    """Without control characters, half surrogates and marks that turn the writing around: people will read it."""
    if not isinstance(value, str):
        return None
    return safe("".join(letter for letter in value if letter.isprintable()).strip(), _LONG) or None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None

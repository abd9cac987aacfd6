"""A VirusTotal file object, complete and consistent, grown from the few numbers that a test or a demo cares about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any

STATS = (
    "malicious",
    "suspicious",
    "undetected",
    "harmless",
    "timeout",
    "confirmed-timeout",
    "failure",
    "type-unsupported",
)
# fmt: off
_ENGINES = (
    "ALYac", "AVG", "Acronis", "AhnLab-V3", "Alibaba", "Antiy-AVL", "Arcabit", "Avast", "Avast-Mobile", "Avira",
    "Baidu", "BitDefender", "BitDefenderFalx", "Bkav", "CAT-QuickHeal", "CMC", "CTX", "ClamAV", "CrowdStrike",
    "Cylance", "Cynet", "DeepInstinct", "DrWeb", "ESET-NOD32", "Elastic", "Emsisoft", "F-Secure", "Fortinet", "GData",
    "Google", "Gridinsoft", "Huorong", "Ikarus", "Jiangmin", "K7AntiVirus", "K7GW", "Kaspersky", "Kingsoft", "Lionic",
    "Malwarebytes", "MaxSecure", "McAfeeD", "MicroWorld-eScan", "Microsoft", "NANO-Antivirus", "Paloalto", "Panda",
    "Rising", "SUPERAntiSpyware", "Sangfor", "SentinelOne", "Skyhigh", "Sophos", "Symantec", "SymantecMobileInsight",
    "TACHYON", "Tencent", "Trapmine", "TrellixENS", "TrendMicro", "TrendMicro-HouseCall", "Trustlook", "VBA32",
    "VIPRE", "Varist", "VirIT", "ViRobot", "Webroot", "WithSecure", "Xcitium", "Yandex", "Zillya", "ZoneAlarm",
    "Zoner", "alibabacloud", "tehtris",
)
# fmt: on
_KEYS = frozenset(
    (*STATS, "label", "families", "verdict", "gti", "gti_score", "sandbox", "first_seen", "analysed", "attributes")
) | {"answer", "seconds", "location"}
_MANY = 10
_FEW = 2
_DAY = 86_400
_LEVELS = {"VERDICT_MALICIOUS": "HIGH", "VERDICT_SUSPICIOUS": "MEDIUM"}


def file_object(sha256: str, known: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The `data` of an answer about a file; `now` is in epoch seconds.

    `known` may give any of STATS (how many engines), `label`, `families`, `verdict` (threat_verdict), `gti` (a verdict;
    without it there is no gti_assessment), `gti_score`, `sandbox` (a category), `first_seen` and `analysed` (epoch
    seconds), and `attributes`, which replace what was made up (None removes one). Raises ValueError for other keys.
    """
    if unknown := known.keys() - _KEYS:
        message = f"a file cannot be described by {', '.join(sorted(unknown))}"
        raise ValueError(message)
    attributes = {**_attributes(sha256, known, now), **known.get("attributes", {})}
    return {
        "id": sha256,
        "type": "file",
        "links": {"self": f"https://www.virustotal.com/api/v3/files/{sha256}"},
        "attributes": {key: value for key, value in attributes.items() if value is not None},
    }


def _attributes(sha256: str, known: Mapping[str, Any], now: int) -> dict[str, Any]:
    stats = _stats(known)
    verdict = known.get("verdict") or _verdict(stats)
    first_seen = int(known.get("first_seen", now - 90 * _DAY))
    analysed = int(known.get("analysed", now - _DAY))
    return {
        "sha256": sha256,
        "md5": sha256[:32],
        "sha1": sha256[:40],
        "size": 1_437_704,
        "magic": "ELF 64-bit LSB executable, x86-64, version 1 (SYSV), statically linked, stripped",
        "type_description": "ELF",
        "type_tag": "elf",
        "type_extension": "so",
        "type_tags": ["executable", "linux", "elf"],
        "tags": ["64bits", "elf", "upx"],
        "names": ["kdevtmpfsi", "/tmp/kdevtmpfsi", f"{sha256[:12]}.elf"],  # noqa: S108 - a name, not a path in use
        "meaningful_name": "kdevtmpfsi",
        "reputation": -stats["malicious"],
        "total_votes": {"harmless": 0, "malicious": stats["malicious"] // 10},
        "times_submitted": 41,
        "unique_sources": 37,
        "first_submission_date": first_seen,
        "last_submission_date": max(first_seen, analysed),
        "last_modification_date": analysed + 3600,
        "last_analysis_date": analysed,
        "last_analysis_stats": stats,
        "last_analysis_results": dict(_results(stats, _families(known, stats))),
        "threat_verdict": verdict,
        "threat_severity": _severity(verdict, stats),
        "popular_threat_classification": _classification(known, stats),
        "sandbox_verdicts": _sandboxes(known, stats),
        "gti_assessment": _assessment(known),
        "sigma_analysis_stats": {"critical": 0, "high": 0, "medium": 0, "low": 0},
        "crowdsourced_ids_stats": {"high": 0, "medium": 0, "low": 0, "info": 0},
    }


def _stats(known: Mapping[str, Any]) -> dict[str, int]:
    stats = {name: int(known.get(name, 0)) for name in STATS}
    if "type-unsupported" not in known:
        stats["type-unsupported"] = min(9, max(0, len(_ENGINES) - sum(stats.values())))
    if "undetected" not in known:
        stats["undetected"] = max(0, len(_ENGINES) - sum(stats.values()))
    return stats


def _verdict(stats: Mapping[str, int]) -> str:
    if stats["malicious"] >= _MANY:
        return "VERDICT_MALICIOUS"
    return "VERDICT_SUSPICIOUS" if stats["malicious"] >= _FEW else "VERDICT_UNDETECTED"


def _severity(verdict: str, stats: Mapping[str, int]) -> dict[str, Any]:
    level = _LEVELS.get(verdict, "NONE")
    return {
        "version": "5",
        "threat_severity_level": f"SEVERITY_{level}",
        "level_description": f"Severity {level} because of {stats['malicious']} detections.",
        "last_analysis_date": "1790848800",
        "threat_severity_data": {"num_gav_detections": stats["malicious"], "popular_threat_category": "miner"},
    }


def _results(stats: Mapping[str, int], families: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    engines = iter((*_ENGINES, *(f"Engine{number}" for number in range(1000))))
    named = cycle(families or ["generic"])
    for category in STATS:
        for engine in islice(engines, stats[category]):
            found = f"Trojan.Linux.{next(named).capitalize()}.A" if category in ("malicious", "suspicious") else None
            yield (
                engine,
                {
                    "method": "blacklist",
                    "engine_name": engine,
                    "engine_version": "1.0",
                    "engine_update": "20260930",
                    "category": category,
                    "result": found,
                },
            )


def _families(known: Mapping[str, Any], stats: Mapping[str, int]) -> list[str]:
    """What engines call it: as given, else a miner if many of them call it malicious."""
    return list(known.get("families", ["xmrig", "coinminer"] if stats["malicious"] >= _MANY else []))


def _classification(known: Mapping[str, Any], stats: Mapping[str, int]) -> dict[str, Any] | None:
    families, count = _families(known, stats), stats["malicious"]
    if not families:
        return None
    return {
        "suggested_threat_label": known.get("label", f"trojan.{'/'.join(families)}"),
        "popular_threat_category": [{"value": "trojan", "count": count}, {"value": "miner", "count": count // 2}],
        "popular_threat_name": [
            {"value": family, "count": max(1, count // (place + 2))} for place, family in enumerate(families)
        ],
    }


def _sandboxes(known: Mapping[str, Any], stats: Mapping[str, int]) -> dict[str, Any] | None:
    category = known.get("sandbox") or ("malicious" if stats["malicious"] >= _MANY else None)
    if category is None:
        return None
    return {
        "Zenbox Linux": {
            "category": category,
            "confidence": 92,
            "sandbox_name": "Zenbox Linux",
            "malware_classification": ["MALWARE", "MINER"],
            "malware_names": ["Xmrig"],
        }
    }


def _assessment(known: Mapping[str, Any]) -> dict[str, Any] | None:
    if "gti" not in known:
        return None
    level = _LEVELS.get(known["gti"], "NONE")
    return {
        "verdict": {"value": known["gti"]},
        "severity": {"value": f"SEVERITY_{level}"},
        "threat_score": {"value": int(known.get("gti_score", 90 if level == "HIGH" else 10))},
        "contributing_factors": {"mandiant_confidence_score": 90},
        "description": "An assessment by Google Threat Intelligence.",
    }

"""What Firebreak knows of MITRE ATT&CK, offline: the techniques that SCC can name, and what they mean on Cloud Run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from firebreak.core.findings.detectors import CATEGORIES, listed_name

_SITE = "https://attack.mitre.org"
_NAMELESS = frozenset({"", "TECHNIQUE_UNSPECIFIED", "TACTIC_UNSPECIFIED"})
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Tactic:
    """What an attacker is after. For a name that ATT&CK's data lacks, `id` and `url` are None."""

    enum: str
    id: str | None
    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Measure:
    """Advice for Cloud Run, with the ATT&CK mitigation it carries out; three Nones where the advice is ours alone."""

    advice: str
    id: str | None
    name: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique of MITRE ATT&CK. All texts are safe to show.

    Attributes:
        enum: SCC's name for it.
        id: ATT&CK's id, such as `T1059.004`; None for a name that Firebreak's copy of ATT&CK lacks.
        name: ATT&CK's name, else SCC's.
        tactics: the tactics that it serves; empty for an unknown name.
        url: its page at attack.mitre.org; None for an unknown name.
        on_cloud_run: what it means on Cloud Run, as a sentence.
        countered_by: what to do about it on Cloud Run.
        parent: name of the technique that a sub-technique belongs to; None for a technique.
    """

    enum: str
    id: str | None
    name: str
    tactics: tuple[Tactic, ...]
    url: str | None
    on_cloud_run: str
    countered_by: tuple[Measure, ...]
    parent: str | None = None

    @property
    def title(self) -> str:
        """Id and full name as ATT&CK writes it, such as `T1059.004 Command and Scripting Interpreter: Unix Shell`."""
        name = f"{self.parent}: {self.name}" if self.parent else self.name
        return f"{self.id} {name}" if self.id else name


def techniques_of(primary: Sequence[str], additional: Sequence[str]) -> tuple[Technique, ...]:
    """The techniques a finding names, each once, primary ones first; an unknown name is kept, cut and made safe.

    Only SCC's way of naming none (an empty or UNSPECIFIED name) is left out.
    """
    named = dict.fromkeys((*primary, *additional))
    return tuple(TECHNIQUES.get(enum) or _unknown(enum) for enum in named if enum not in _NAMELESS)


def tactic_of(enum: str) -> Tactic | None:
    """The tactic with SCC's name; an unknown name is kept, cut and made safe. None where SCC names none."""
    if enum in _NAMELESS:
        return None
    return TACTICS.get(enum) or Tactic(_safe(enum), None, _safe(enum), None)


def by_detector(category: str, module: str = "") -> tuple[str, ...]:
    """SCC's names of the techniques a detector reports, for a finding that names none; empty if we know of none."""
    detector = CATEGORIES.get(listed_name(category, module))
    return tuple(_ENUM_OF[technique] for technique in detector.techniques) if detector else ()


def _unknown(enum: str) -> Technique:
    meaning = f"Firebreak's copy of ATT&CK ({VERSION}) does not hold this technique; look it up by its name."
    return Technique(_safe(enum), None, _safe(enum), (), None, meaning, ())


def _safe(name: str) -> str:
    return _UNSAFE.sub("?", name[:_LONGEST_NAME])


def _read(name: str) -> Any:  # noqa: ANN401 - our own data, whose shape the tests hold
    return json.loads(Path(__file__).with_name(name).read_bytes())


def _technique(enum: str, fact: Mapping[str, Any]) -> Technique:
    tactics = tuple(_TACTIC_BY_ID[tactic["id"]] for tactic in fact["tactics"])
    guidance = _GUIDANCE["techniques"].get(fact["id"]) or _GUIDANCE["tactics"][tactics[0].id]
    measures = tuple(_measure(measure["mitigation"], measure["advice"]) for measure in guidance["measures"])
    return Technique(
        enum, fact["id"], fact["name"], tactics, fact["url"], guidance["meaning"], measures, fact.get("parent")
    )


def _measure(mitigation: str | None, advice: str) -> Measure:
    if mitigation is None:
        return Measure(advice, None, None, None)
    return Measure(advice, mitigation, _FACTS["mitigations"][mitigation], f"{_SITE}/mitigations/{mitigation}")


_FACTS = _read("attack_techniques.json")
_GUIDANCE = _read("attack_guidance.json")

VERSION: str = _FACTS["version"]
"""The release of ATT&CK that every fact here comes from; show it beside the names."""

TACTICS: Mapping[str, Tactic] = MappingProxyType(
    {enum: Tactic(enum, fact["id"], fact["name"], fact["url"]) for enum, fact in _FACTS["tactics"].items()}
)
_TACTIC_BY_ID = {tactic.id: tactic for tactic in TACTICS.values()}

TECHNIQUES: Mapping[str, Technique] = MappingProxyType(
    {enum: _technique(enum, fact) for enum, fact in _FACTS["techniques"].items()}
)
"""Every technique that SCC's v2 enum can name, by that name."""

_ENUM_OF = {technique.id: enum for enum, technique in TECHNIQUES.items()}

"""One workload in three notations: policies as Firebreak reads them, as Cloud Custodian does, and as plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.core.findings.detectors import CATEGORIES
from sandbox.scc.notifications import Pair, Scene, malicious_binary_finding

_CATEGORIES = tuple(CATEGORIES)[:8]
_SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
_PROJECTS = ("shop-prod", "shop-test", "core-pay", "core-web", "lab-1")
_KINDS = ("service", "job", "worker_pool")
_LABELS = ("tier=critical", "tier=low", "team=pay", "team=shop")

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One finding as SCC publishes it (about 3 kB of JSON), and what sources say of it, flat."""

    pair: Pair
    facts: Facts

    @property
    def resource(self) -> dict[str, Any]:
        """As Cloud Custodian sees a resource: nested mappings, the sources' facts beside the finding."""
        nested: dict[str, Any] = {"finding": self.pair["finding"], "resource": self.pair["resource"]}
        for name, value in self.facts.items():
            source, _, fact = name.partition(".")
            if source != "finding":
                nested.setdefault(source, {})[fact] = value
        return nested


@dataclass(frozen=True, slots=True)
class Rule:
    """Five conditions that must all hold, and the same as one function."""

    name: str
    category: str
    severities: tuple[str, ...]
    malicious: int
    kind: str
    project: str
    plain: Callable[[Facts], bool]

    @property
    def firebreak(self) -> str:
        """The policy's YAML."""
        return f"""\
- id: {self.name}
  mode: enforce
  when:
    finding.category: "{self.category}"
    finding.severity: {{in: [{", ".join(self.severities)}]}}
    virustotal.malicious: {{at_least: {self.malicious}}}
    workload.kind: {self.kind}
    workload.project: {{glob: "{self.project}"}}
  then: [{{action: cut_traffic}}]
  examples: [{{expect: nothing}}]
"""

    @property
    def custodian(self) -> dict[str, Any]:
        """The policy as c7n loads it."""
        filters = [
            {"type": "value", "key": "finding.category", "value": self.category},
            {"type": "value", "key": "finding.severity", "op": "in", "value": list(self.severities)},
            {"type": "value", "key": "virustotal.malicious", "op": "gte", "value": self.malicious},
            {"type": "value", "key": "workload.kind", "value": self.kind},
            {"type": "value", "key": "workload.project", "op": "glob", "value": self.project},
        ]
        return {"name": self.name, "resource": "gcp.function", "filters": filters}


def rules(count: int, seed: int = 1) -> tuple[Rule, ...]:
    """So many rules; the first ten are about the categories that findings have, the others about others."""
    draw = random.Random(seed)  # noqa: S311 - the same workload every time
    return tuple(_rule(number, draw) for number in range(count))


def _rule(number: int, draw: random.Random) -> Rule:
    category = _CATEGORIES[number % len(_CATEGORIES)] if number < 10 else f"Another {number // 10}"  # noqa: PLR2004
    severities = tuple(draw.sample(_SEVERITIES, 3))
    malicious, kind, prefix = draw.randint(0, 30), draw.choice(_KINDS), draw.choice(("shop-", "core-", ""))

    def plain(facts: Facts) -> bool:
        return (
            facts["finding.category"] == category
            and facts["finding.severity"] in severities
            and facts["virustotal.malicious"] >= malicious
            and facts["workload.kind"] == kind
            and facts["workload.project"].startswith(prefix)
        )

    return Rule(f"rule-{number}", category, severities, malicious, kind, f"{prefix}*", plain)


def cases(count: int, seed: int = 2) -> tuple[Case, ...]:
    """So many findings, each with what is known of it."""
    draw = random.Random(seed)  # noqa: S311 - as above
    return tuple(_case(draw) for _ in range(count))


def _case(draw: random.Random) -> Case:
    category, severity, project = draw.choice(_CATEGORIES), draw.choice(_SEVERITIES), draw.choice(_PROJECTS)
    pair = malicious_binary_finding(Scene(category=category, severity=severity, project_id=project))
    facts = {
        "finding.category": category,
        "finding.severity": severity,
        "virustotal.malicious": draw.randint(0, 60),
        "workload.kind": draw.choice(_KINDS),
        "workload.project": project,
        "workload.public": draw.choice((True, False)),
        "workload.labels": tuple(sorted(draw.sample(_LABELS, 2))),
    }
    return Case(pair, facts)

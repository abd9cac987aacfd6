"""Histories that tests write down: findings of SCC and records of incidents, as files have them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from sandbox.scc.notifications import Scene, malicious_binary_finding

CONFIG = 'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n'
POLICY = """
id: malware
description: A service ran malware.
mode: enforce
when:
  finding.category: "Execution: Added Malicious Binary Executed"
  virustotal.malicious: {at_least: 10}
then:
  - action: pin_previous_revision
examples:
  - given: {}
    expect: {mode: enforce}
  - given: {virustotal.malicious: 1}
    expect: nothing
"""
MONDAY = dt.datetime(2026, 6, 1, 9, tzinfo=dt.UTC)


def policies_in(folder: Path, policy: str = POLICY, config: str = CONFIG) -> str:
    """A folder of one policy."""
    folder.mkdir(exist_ok=True)
    (folder / "10.yaml").write_text(policy)
    (folder / "firebreak.yaml").write_text(config)
    return str(folder)


def instant(minutes: float) -> str:
    return (MONDAY + dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def found(number: int, minutes: float = 0, *, project: str = "shop-prod", **more: Any) -> dict[str, Any]:
    """A row of SCC's list: the finding of that number, on a service of its own unless told otherwise."""
    scene = Scene(
        finding_id=f"{number:032x}",
        workload=more.pop("workload", f"services/s{number}"),
        project_id=project,
        event_time=instant(minutes),
        create_time=instant(minutes),
    )
    pair = malicious_binary_finding(scene)
    pair["finding"].update(more)
    return pair


def recorded(
    number: int, minutes: float = 0, *, malicious: int | None = 40, closed_as: str | None = None, **more: Any
) -> dict[str, Any]:
    """The record of an incident, as the incidents topic has it, so far as a backtest reads it."""
    service = more.pop("service", f"s{number}")
    project, labels = more.pop("project", "shop-prod"), more.pop("labels", [])
    facts = {} if malicious is None else {"virustotal.malicious": malicious}
    known = {"workload.kind": "service", "workload.ingress": "all", "workload.labels": labels}
    return {
        "id": f"fb-{number:016x}",
        "phase": "closed" if closed_as else "contained",
        "updated": instant(minutes + 30),
        "finding": {
            "name": f"organizations/123456789012/sources/5678/locations/global/findings/{number:032x}",
            "event_time": instant(minutes),
            "category": "Execution: Added Malicious Binary Executed",
            "severity": "CRITICAL",
            "state": "ACTIVE",
            "class": "THREAT",
            "folders": [],
            "target": {
                "resource": f"projects/{project}/locations/europe-west1/services/{service}",
                "project_id": project,
            },
            "contacts": ["oncall@shop.example"],
        },
        "evidence": [
            {"source": "virustotal", "facts": facts, "gap": None if facts else "it did not answer"},
            {"source": "workload", "facts": known, "gap": None},
            {"source": "related", "facts": {}, "gap": None},
        ],
        "closed_as": closed_as,
        **more,
    }


def said(*lines: tuple[float, str, str]) -> list[dict[str, str]]:
    """A record's history: after how many minutes, by whom, what."""
    return [{"at": instant(minutes), "who": who, "what": what} for minutes, who, what in lines]


def lines(*values: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in values)

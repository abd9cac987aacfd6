"""The backtest decides as the function does on the same evidence: over the wire, and on findings and facts as drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import enrichment
import responders
from firebreak.backtest.deciding import Rules, verdict_on
from firebreak.backtest.past import Past, past_in
from firebreak.bootstrap import build
from firebreak.core.findings.input_formats import read_findings
from firebreak.core.findings.notification import Notification
from firebreak.core.mode import capped
from firebreak.core.policy.policy import PolicySet
from firebreak.core.signing import Seal
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.policy_language.reading.assumptions import Assumed
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.explain.explain import explain
from firebreak.response.explain.unwritten import Unwritten
from firebreak.settings import read_settings
from tests.response.harness import Lines, world_of
from tests.response.test_explain import SHADOWED

ROOT = Path(__file__).resolve().parents[2]
CORPUS = sorted((ROOT / "tests" / "findings").glob("*.json"))
CONFIGS = (
    'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\nprotected: [{project: core-prod}]\n',
    'organization: "123456789012"\nsources: ["5678"]\nceiling: approve\nprotected: [{service: checkout}]\n',
    'organization: "99"\nsources: ["1"]\nceiling: monitor\n',
)


@pytest.fixture
def line(tmp_path: Path) -> Lines:
    return Lines(tmp_path)


def rules(policies: PolicySet, assumed: Assumed | None = None) -> Rules:
    return Rules(policies, responders.discover(), enrichment.discover(), assumed or Assumed())


def decided(record: dict[str, Any], policies: PolicySet) -> tuple[object, ...]:
    """What the backtest makes of a record, as it stands in a file."""
    (past,) = past_in(json.loads(json.dumps(record)))
    verdict = verdict_on(past, rules(policies))
    mode = verdict.mode.word if verdict.mode else None
    return verdict.policy, mode, sorted(cap.name for cap in verdict.caps)


def told(record: dict[str, Any]) -> tuple[object, ...]:
    decision = record["decision"]
    return decision["policy"], decision["mode"], sorted(cap["name"] for cap in decision["caps"])


@pytest.mark.parametrize(
    ("config", "scene", "mode"),
    [
        ("ceiling: enforce", {}, "enforce"),
        ("ceiling: approve", {}, "approve"),
        ("ceiling: enforce\nprotected: [{label: {tier: critical}}]", {}, "approve"),
        ("ceiling: enforce", {"sha256": "e" * 64}, "approve"),
        ("ceiling: enforce", {"minutes_ago": 90}, "approve"),
        ("ceiling: enforce", {"source": "77"}, "monitor"),
        ("ceiling: enforce", {"image": 77}, "approve"),
        ('ceiling: enforce\nceilings: [{project: "424242424242", ceiling: monitor}]', {}, "monitor"),
        ('ceiling: enforce\nceilings: [{folder: "7001", ceiling: approve}]', {}, "approve"),
    ],
    ids=["enforced", "ceiling", "protected", "unknown file", "stale", "source", "unplaced", "project", "folder"],
)
def test_a_record_decided_anew_by_the_same_policies_comes_to_the_same(
    line: Lines, config: str, scene: dict[str, Any], mode: str
) -> None:
    with line(world_of(service={"labels": {"tier": "critical"}}), config=config) as on:
        record = on.shown(on.respond(on.finding(**scene)))

        assert record["decision"]["mode"] == mode
        assert decided(record, on.app.policies) == told(record)


@pytest.mark.parametrize(
    ("config", "scene", "told"),
    [
        ("ceiling: enforce", {}, ("strict", "enforce", "enforce", False)),
        ("ceiling: approve", {}, ("strict", "approve", "enforce", False)),
        ("ceiling: enforce", {"sha256": "e" * 64}, ("strict", "approve", "approve", True)),
    ],
    ids=["enforced", "ceiling", "unknown file"],
)
def test_what_a_policy_in_shadow_would_have_decided_comes_to_the_same(
    line: Lines, config: str, scene: dict[str, Any], told: tuple[str, str, str, bool]
) -> None:
    with line(policy=SHADOWED, config=config) as on:
        record = on.shown(on.respond(on.finding(**scene)))
        (past,) = past_in(json.loads(json.dumps(record)))
        verdict = verdict_on(past, rules(on.app.policies))
    (shadow,) = record["decision"]["shadow"]

    assert (shadow["by"], shadow["mode"], shadow["wanted"], shadow["truth"] == "unknown") == told
    assert verdict.shadow == (("strict", *told),)


@cache
def policies_with(config: str) -> PolicySet:
    files = {Path(name).name: text for name, text in read_folder(ROOT / "policies").items()}
    return read_yaml_policies(files | {"firebreak.yaml": config})


@cache
def silent(config: str) -> App:
    settings = read_settings({"FIREBREAK_CEILING": "enforce"})
    return build(settings, policies_with(config), lambda *_, **__: None, Unwritten(None), Seal(()))


FACTS = st.fixed_dictionaries(
    {},
    optional={
        "virustotal.malicious": st.integers(0, 60),
        "virustotal.verdict": st.sampled_from(["undetected", "suspicious", "malicious"]),
        "workload.kind": st.sampled_from(["service", "job", "worker_pool"]),
        "workload.public": st.booleans(),
    },
)
UNKNOWN = st.sets(st.sampled_from(["virustotal", "related", "logs"])).map(frozenset)


@given(st.sampled_from(CORPUS), st.sampled_from(CONFIGS), FACTS, UNKNOWN)
def test_drawn_facts_come_to_what_the_function_s_own_explanation_says(
    path: Path, config: str, facts: dict[str, Any], unknown: frozenset[str]
) -> None:
    (notification,) = read_findings(path.read_bytes())
    policies, assumed = (
        policies_with(config),
        Assumed({k: v for k, v in facts.items() if k.partition(".")[0] not in unknown}, unknown),
    )
    app = silent(config)
    finding = notification.finding
    explained = explain(
        _at(app, finding.event_ns),
        Notification(finding, notification.deleted),
        assumed,
        (policies,),
        Deadline.after(9),
        None,
    )
    view = explained.views[0]
    verdict = verdict_on(Past(finding, notification.deleted), rules(policies, assumed))

    if view.declined or view.decision is None:
        assert verdict.policy is None
    else:
        assert verdict.wanted is not None
        caps = tuple(cap for cap in verdict.caps if not cap.unknown)
        assert (verdict.policy, verdict.wanted) == (view.decision.policy, view.decision.wanted)
        assert capped(verdict.wanted, caps) is view.decision.mode
        assert {cap.name for cap in caps} == {cap.name for cap in view.decision.caps}


def _at(app: App, now_ns: int) -> App:
    return replace(app, now_ns=lambda: now_ns)

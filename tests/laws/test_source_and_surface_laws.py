"""Laws that every discovered source of evidence and every surface keep, and those of the guards."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import enrichment
import responders
from firebreak.bootstrap import build
from firebreak.core.errors import Denied, Transient
from firebreak.core.facts import Evidence, source_of
from firebreak.core.findings.notification import parse_notification
from firebreak.core.findings.verdict import assess
from firebreak.core.mode import Cap, Mode, capped
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config
from firebreak.core.policy.selection import choose
from firebreak.policy_language.reading.policies import parse_policies
from firebreak.ports.enrichment import EnrichmentClients, answer_of
from firebreak.settings import read_settings
from tests.laws.law_failures import broken

ENRICHERS = enrichment.discover()
ACTIONS = responders.discover()
ROOT = Path(__file__).resolve().parents[2]
SURFACES = build(
    read_settings({"HOME": "/nonexistent", "FIREBREAK_SEAL_KEY": "0123456789abcdef"}), policy_set((), Config())
).surfaces
FINDING = parse_notification((ROOT / "tests" / "findings" / "v2.json").read_bytes()).finding
POLICIES = parse_policies(
    {path.name: path.read_text() for path in (ROOT / "policies").glob("*.yaml")}, enrichment.catalogue(), ACTIONS
).policies
every_source = pytest.mark.parametrize("name", sorted(ENRICHERS))


class Silent:
    """A collaborator that fails in one way, whatever it is asked."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object) -> object:
            raise self.fault

        return fail


@every_source
def test_a_source_declares_itself(name: str) -> None:
    """Facts under its own name, a deadline of at most ten seconds, permissions, whether plans rest on it."""
    source = ENRICHERS[name]

    assert source.facts
    assert {source_of(fact) for fact in source.facts} == {name}
    assert all(fact.meaning.endswith(".") for fact in source.facts.values())
    assert 0 < source.deadline <= 10
    assert isinstance(source.permissions, frozenset)
    assert isinstance(source.shapes_plan, bool)


@every_source
@pytest.mark.parametrize("fault", [Transient("down"), Denied("no"), RuntimeError("secret text"), TimeoutError()])
def test_a_source_that_fails_is_a_named_gap(name: str, fault: Exception) -> None:
    """Whatever its collaborators raise: no exception, no foreign text, and only facts of its own."""
    broken: Any = Silent(fault)
    evidence = answer_of(name, ENRICHERS[name], FINDING, EnrichmentClients(broken, broken, broken, broken, broken))

    assert evidence.source == name
    assert evidence.gap or evidence.facts
    assert "secret text" not in str(evidence.gap)
    assert set(evidence.facts) <= set(ENRICHERS[name].facts)


@every_source
def test_a_sources_absence_is_never_clean(name: str) -> None:
    """Without it the verdict is no better, and the mode no higher than a question."""
    everything = tuple(Evidence(one, _worst(one)) for one in ENRICHERS)
    without = tuple(
        dataclasses.replace(one, facts={}, gap="silent") if one.source == name else one for one in everything
    )
    full, less = (choose(POLICIES, _facts(evidence)) for evidence in (everything, without))

    assert assess(FINDING, without).id not in ("Benign", "False Positive", "Disregard")
    assert (less.mode or Mode.MONITOR) <= max(Mode.APPROVE, full.mode or Mode.MONITOR)
    assert (less.mode or Mode.MONITOR) >= min(Mode.APPROVE, full.mode or Mode.MONITOR)


def _worst(source: str) -> dict[str, Any]:
    known: dict[str, Any] = {
        "virustotal.malicious": 60,
        "virustotal.verdict": "malicious",
        "workload.kind": "service",
        "workload.public": True,
    }
    return {fact: value for fact, value in known.items() if source_of(fact) == source}


def _facts(evidence: tuple[Evidence, ...]) -> dict[str, Any]:
    return FINDING.facts() | {fact: value for one in evidence for fact, value in one.facts.items()}


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_action_edits_only_surfaces_that_exist_and_declares_what_they_need(action: str) -> None:
    """Its permissions are among those of its surfaces, so that none is granted in vain and none is missing."""
    declared = ACTIONS[action]
    writable = frozenset[str]().union(*(SURFACES[name].permissions for name in declared.surfaces & SURFACES.keys()))
    for member, words, known in (
        ("surfaces", declared.surfaces, frozenset(SURFACES)),
        ("needs", declared.needs, frozenset(ENRICHERS)),
        ("needs_if_inferred", declared.needs_if_inferred, frozenset(ENRICHERS)),
        ("permissions", declared.permissions, writable),
    ):
        assert words <= known, broken(
            declared, member, f"names {sorted(words - known)}; expected only of {sorted(known)}"
        )


@pytest.mark.parametrize("name", sorted(SURFACES))
def test_a_surface_declares_permissions(name: str) -> None:
    """Each as Google spells them."""
    assert SURFACES[name].permissions
    assert all(one.count(".") == 2 for one in SURFACES[name].permissions)


caps = st.lists(
    st.builds(Cap, st.text(max_size=5), st.sampled_from(["bar", "caution"]), st.text(max_size=5)), max_size=5
)


@given(mode=st.sampled_from(list(Mode)), some=caps, more=caps)
def test_no_set_of_guards_raises_the_mode_and_more_of_them_never_do(
    mode: Mode, some: list[Cap], more: list[Cap]
) -> None:
    """Guards can only lower."""
    assert capped(mode, tuple(some)) <= mode
    assert capped(mode, (*some, *more)) <= capped(mode, tuple(some))

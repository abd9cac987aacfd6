"""A policy in shadow: what it would have decided is on record beside what decides, and nothing follows from it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.facts import Catalogue, Evidence
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.decision import Shadowed
from firebreak.core.mode import Mode
from firebreak.ports.enrichment import Enricher, EnrichmentClients
from firebreak.response import shadow
from firebreak.response.shadow import MOST
from sandbox.wire import Fault
from tests.response.deployments import deployed
from tests.response.harness import ALWAYS, BAD, OLD, Line, Lines

MALWARE = "Execution: Added Malicious Binary Executed"


def policy(name: str, mode: str, *, shadow: bool = True, when: str = "", action: str = "pin_previous_revision") -> str:
    """One policy of a list."""
    text = f"""
id: {name}
mode: {mode}
{"shadow: true" if shadow else ""}
when: {{finding.category: "{MALWARE}"{when and f", {when}"}}}
then: [{{action: {action}}}]
examples:
  - {{given: {{}}, expect: {{mode: {mode}}}}}
  - {{given: {{finding.category: "Reverse Shell"}}, expect: nothing}}
"""
    return f"-{indent(text.strip(), '  ')[1:]}\n"


DECIDES = policy("decides", "monitor", shadow=False)
KNOWN_BAD = "virustotal.malicious: {at_least: 10}"


@pytest.fixture
def line(tmp_path: Path) -> Lines:
    return Lines(tmp_path)


def told(line: Lines, policies: str, **more: Any) -> tuple[str | None, Mode, list[Shadowed]]:
    """What decided a finding and in which mode, and what is on record of policies in shadow."""
    with line(policy=policies, **more) as on:
        incident = on.read(on.respond(on.finding()))
        wrote = bool(on.updates)
    assert incident.decision is not None
    assert wrote is (incident.decision.mode is Mode.ENFORCE)
    return incident.decision.policy, incident.decision.mode, list(incident.decision.shadow)


def test_it_takes_no_finding_away_by_naming_the_detector_as_google_spells_it_by_now(line: Lines) -> None:
    """What decides knows the detector by its listed name, as if the policy in shadow were not there."""
    spelt = MALWARE.removeprefix("Execution: ")
    shadow = policy("spelt", "enforce").replace(MALWARE, spelt)
    with line(policy=shadow + policy("decides", "enforce", shadow=False)) as on:
        incident = on.read(on.respond(on.finding(category=spelt)))
        wrote = len(on.updates)

    assert incident.decision is not None
    assert (incident.phase, incident.decision.policy, wrote) == ("contained", "decides", 1)
    assert [(one.policy, one.by) for one in incident.decision.shadow] == [("spelt", "spelt")]


def test_it_takes_no_finding_away_and_its_own_decision_is_on_record(line: Lines) -> None:
    found = told(line, policy("strict", "enforce", when=KNOWN_BAD) + DECIDES)

    assert found == (
        "decides",
        Mode.MONITOR,
        [Shadowed("strict", "true", "strict", Mode.ENFORCE, Mode.ENFORCE, (), ("pin_previous_revision",))],
    )


def test_what_lowers_it_is_asked_of_the_same_guards(line: Lines) -> None:
    _, _, (one,) = told(
        line, policy("strict", "enforce") + DECIDES, config="ceiling: enforce\nprotected: [{service: checkout}]"
    )

    assert (one.wanted, one.mode, one.caps) == (Mode.ENFORCE, Mode.APPROVE, ("protected",))


@pytest.mark.parametrize(
    ("action", "revision", "told"),
    [
        ("cut_traffic", BAD, ("cut_traffic",)),
        ("cut_traffic", OLD, ()),
        ("disable_service_account", BAD, ("disable_service_account",)),
    ],
    ids=["drawn", "nothing leads to the suspect", "accounts were not read"],
)
def test_its_actions_are_those_of_a_plan_on_what_was_read(
    line: Lines, action: str, revision: str, told: tuple[str, ...]
) -> None:
    with line(policy=policy("strict", "enforce", action=action) + DECIDES) as on:
        incident = on.read(on.respond(on.finding(workload=f"services/checkout/revisions/{revision}")))

    assert incident.decision is not None
    assert [one.actions for one in incident.decision.shadow] == [told]


def test_of_one_below_what_decides_the_record_says_who_would_still_decide(line: Lines) -> None:
    _, _, (one,) = told(line, DECIDES + policy("strict", "enforce"))

    assert (one.policy, one.truth, one.by, one.mode) == ("strict", "true", "decides", Mode.MONITOR)


def test_one_that_does_not_match_is_not_on_record(line: Lines) -> None:
    assert told(line, policy("strict", "enforce", when="workload.kind: job") + DECIDES)[2] == []


def test_an_answer_that_is_missing_makes_it_ask(line: Lines) -> None:
    _, _, (one,) = told(line, policy("strict", "enforce", when=KNOWN_BAD) + DECIDES, VIRUSTOTAL_API_KEY="")

    assert (one.truth, one.by, one.wanted) == ("unknown", "strict", Mode.APPROVE)


def test_a_finding_that_only_a_policy_in_shadow_names_is_declined_with_its_record(line: Lines) -> None:
    with line(policy=policy("strict", "enforce")) as on:
        incident = on.read(on.respond(on.finding()))
        wrote = on.updates

    assert (incident.phase, wrote) == ("declined", ())
    assert incident.decision is not None
    assert incident.decision.policy is None
    assert [one.policy for one in incident.decision.shadow] == ["strict"]


@dataclass
class _Late:
    """A source that answers once the service was written to, or nobody writes."""

    line: Line
    source: Enricher
    facts: Catalogue
    permissions: frozenset[str] = frozenset()
    deadline: float = 10.0
    shapes_plan: bool = False
    written_before: bool = False

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:
        until = time.monotonic() + 5
        while not self.written_before and time.monotonic() < until:
            time.sleep(0.02)
            self.written_before = bool(self.line.updates)
        return self.source.enrich(finding, sources)


def test_a_source_that_only_it_asks_is_not_waited_for_before_the_write_and_is_known_on_record(line: Lines) -> None:
    always = f"-{indent(ALWAYS.strip(), '  ')[1:]}\n"
    with line(policy=policy("strict", "enforce", when=KNOWN_BAD) + always) as on:
        source = on.app.enrichers["virustotal"]
        late = _Late(on, source, source.facts)
        on.app = replace(on.app, enrichers={**on.app.enrichers, "virustotal": late})
        incident = on.read(on.respond(on.finding()))

    assert incident.phase == "contained"
    assert late.written_before
    assert incident.decision is not None
    assert [(one.policy, one.truth) for one in incident.decision.shadow] == [("strict", "true")]


def test_what_is_known_of_it_stays_on_record_where_a_delivery_ends_before_its_containment(line: Lines) -> None:
    always = f"-{indent(ALWAYS.strip(), '  ')[1:]}\n"
    with line(policy=policy("strict", "enforce", when="workload.kind: service") + always) as on:
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="UNAVAILABLE", times=4))
        pair = on.finding()
        with pytest.raises(Transient):
            on.respond(pair)
        incident = on.respond(pair)
        incident = on.read(incident)

    assert incident.phase == "contained"
    assert incident.decision is not None
    assert [(one.policy, one.mode) for one in incident.decision.shadow] == [("strict", Mode.ENFORCE)]


def test_an_answer_to_a_policy_that_is_in_shadow_by_now_carries_nothing_out(line: Lines) -> None:
    asks = policy("asks", "approve", shadow=False)
    with line(policy=asks) as on:
        incident = on.respond(on.finding())
        deployed(on, policy("asks", "approve") + DECIDES)
        on.approve(incident)
        after = on.read(incident)
        wrote, decides = on.updates, on.app.policy_of(incident)

    assert (incident.phase, after.phase, wrote, decides) == ("waiting", "monitored", (), None)
    assert after.decision is not None
    assert [(one.policy, one.mode) for one in after.decision.shadow] == [("asks", Mode.APPROVE)]


def test_a_fault_in_it_is_said_and_is_on_record_and_what_decides_contains(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        message = "secret"
        raise RuntimeError(message)

    monkeypatch.setattr(shadow, "plan_for", broken)
    always = f"-{indent(ALWAYS.strip(), '  ')[1:]}\n"
    with line(policy=policy("strict", "enforce") + always) as on:
        incident = on.read(on.respond(on.finding()))
        said = {one["message"] for one in on.logged if one["severity"] == "ERROR"}

    assert incident.phase == "contained"
    assert incident.decision is not None
    assert [(one.policy, one.fault.partition(" ")[0]) for one in incident.decision.shadow] == [
        ("strict", "RuntimeError")
    ]
    (sentence,) = said
    assert "strict, which is in shadow: RuntimeError" in sentence
    assert "secret" not in sentence


def test_of_very_many_so_many_are_on_record_and_the_log_says_how_many_there_were(line: Lines) -> None:
    many = "".join(policy(f"strict-{number}", "enforce") for number in range(MOST + 3))
    with line(policy=many + DECIDES) as on:
        incident = on.read(on.respond(on.finding()))
        warned = {one["message"] for one in on.logged if "in shadow" in one["message"]}

    assert incident.decision is not None
    assert len(incident.decision.shadow) == MOST
    assert warned == {f"of {MOST + 3} policies in shadow that match, {MOST} are on the record"}


def test_the_record_that_others_read_has_it(line: Lines) -> None:
    with line(policy=policy("strict", "enforce") + DECIDES) as on:
        incident = on.read(on.respond(on.finding()))
        shown = on.shown(incident)["decision"]["shadow"]

    assert shown == [
        {
            "policy": "strict",
            "truth": "true",
            "by": "strict",
            "mode": "enforce",
            "wanted": "enforce",
            "caps": [],
            "actions": ["pin_previous_revision"],
            "fault": "",
        }
    ]

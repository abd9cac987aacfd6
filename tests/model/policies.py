"""The policies of the model's worlds, and beside them what they say, written apart and in the plainest way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import enrichment
import responders
from firebreak.core.policy.policy import PolicySet
from firebreak.policy_language.reading.policies import parse_policies
from tests.model.clock import HOUR, MINUTE
from tests.model.scc import ALLOWED, ASKED, ASKED_ELSE_CONTAINED, ENFORCED, IDENTITY, ORGANIZATION, WATCHED

Word = Literal["monitor", "approve", "enforce"]
ORDER: tuple[Word, ...] = ("monitor", "approve", "enforce")
PER_PROJECT, IN_ALL = 3, 4
STALE_NS, APPROVE_NS, RELEASED_NS = HOUR, 30 * MINUTE, 24 * HOUR
PROTECTED_LABEL = ("tier", "critical")
PROTECTED_PROJECT = "payments-prod"
OWN_PROJECT = "firebreak-ops"
SELF = f"//run.googleapis.com/projects/{OWN_PROJECT}/locations/europe-west1/services/firebreak"
REVIEW_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True)
class Said:
    """What the policy of one category says.

    Attributes:
        mode: its mode.
        kinds: kinds of workload that it is about.
        contains_on_expiry: whether an unanswered question of its own is followed by the containment.
        irreversible: whether a step cannot be undone and is not accepted.
        shared: whether a step touches what others use.
    """

    mode: Word
    kinds: frozenset[str] = frozenset({"service"})
    contains_on_expiry: bool = False
    irreversible: bool = False
    shared: bool = False


SAID: Mapping[str, Said] = {
    ENFORCED: Said("enforce", frozenset({"service", "worker_pool", "job"})),
    ASKED: Said("approve"),
    ASKED_ELSE_CONTAINED: Said("approve", contains_on_expiry=True),
    IDENTITY: Said("enforce", frozenset({"service", "worker_pool", "job"}), shared=True),
    WATCHED: Said("monitor"),
}


def said_of(category: str, place: str) -> Said | None:
    """What the policies say of such a finding on such a workload; None where none of them is about it."""
    said = SAID.get(category)
    return said if said and place.split("/")[2] in said.kinds else None


_POLICIES = f"""
- id: malware-on-service
  mode: enforce
  when: {{finding.category: "{ENFORCED}", workload.kind: service}}
  then: [{{action: pin_previous_revision, otherwise: [{{action: cut_traffic}}]}}]
  examples:
    - {{given: {{}}, expect: {{mode: enforce}}}}
    - {{given: {{workload.kind: job}}, expect: nothing}}
- id: malware-on-pool
  mode: enforce
  when: {{finding.category: "{ENFORCED}", workload.kind: worker_pool}}
  then: [{{action: pin_previous_revision, otherwise: [{{action: suspend}}]}}]
  examples:
    - {{given: {{}}, expect: {{mode: enforce}}}}
    - {{given: {{workload.kind: job}}, expect: nothing}}
- id: malware-on-job
  mode: enforce
  when: {{finding.category: "{ENFORCED}", workload.kind: job}}
  then: [{{action: block_runs}}, {{action: cancel_executions, accept_irreversible: true}}]
  examples:
    - {{given: {{}}, expect: {{mode: enforce}}}}
    - {{given: {{workload.kind: service}}, expect: nothing}}
- id: shell-on-service
  mode: approve
  when: {{finding.category: "{ASKED}", workload.kind: service}}
  then: [{{action: pin_previous_revision, otherwise: [{{action: cut_traffic}}]}}, {{action: revoke_public_access}}]
  examples:
    - {{given: {{}}, expect: {{mode: approve}}}}
    - {{given: {{workload.kind: job}}, expect: nothing}}
- id: library-on-service
  mode: approve
  on_expiry: contain
  when: {{finding.category: "{ASKED_ELSE_CONTAINED}", workload.kind: service}}
  then: [{{action: pin_previous_revision, otherwise: [{{action: cut_traffic}}]}}]
  examples:
    - {{given: {{}}, expect: {{mode: approve}}}}
    - {{given: {{workload.kind: job}}, expect: nothing}}
- id: shell-uses-its-identity
  mode: enforce
  when: {{finding.category: "{IDENTITY}"}}
  then: [{{action: disable_service_account}}]
  examples:
    - {{given: {{}}, expect: {{mode: enforce}}}}
    - {{given: {{finding.category: "{ASKED}"}}, expect: nothing}}
- id: python-is-watched
  mode: monitor
  when: {{finding.category: "{WATCHED}", workload.kind: service}}
  then: [{{action: pin_previous_revision}}]
  examples:
    - {{given: {{}}, expect: {{mode: monitor}}}}
    - {{given: {{workload.kind: job}}, expect: nothing}}
"""


def config_of(ceiling: Word) -> str:
    """firebreak.yaml below its organization and sources."""
    name, value = PROTECTED_LABEL
    return (
        f"ceiling: {ceiling}\n"
        f"protected: [{{label: {{{name}: {value}}}}}, {{project: {PROTECTED_PROJECT}}}]\n"
        f"limits: {{per_project_per_hour: {PER_PROJECT}, per_hour: {IN_ALL}}}\n"
    )


def policy_text() -> str:
    """The policies, as one file."""
    return _POLICIES


@cache
def policies_under(ceiling: Word) -> PolicySet:
    """The policies under that ceiling."""
    config = f'organization: "{ORGANIZATION}"\nsources: ["{ALLOWED}"]\n{config_of(ceiling)}'
    files = {"firebreak.yaml": config, "10-policies.yaml": _POLICIES}
    return parse_policies(files, enrichment.catalogue(), responders.discover())

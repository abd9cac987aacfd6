"""The schemas that editors go by: they take what loads, and refuse what a schema can refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import enrichment
import responders
from firebreak.cli.screens.catalogue import TELLING, example_of
from firebreak.policy_language.reading.policies import parse_policies
from firebreak.policy_language.schema.config import config_schema
from firebreak.policy_language.schema.policies import policy_schema
from tests.policy_language.vocabulary import ACTIONS, CATALOGUE, ROOT

BROKEN = sorted((ROOT / "tests" / "policy_language" / "broken_policies").glob("*.yaml"))
POLICIES = jsonschema.Draft202012Validator(policy_schema(CATALOGUE, ACTIONS))
CONFIGS = jsonschema.Draft202012Validator(config_schema())

# What the loader refuses and a schema cannot, by what it is that a schema does not see.
BEYOND_A_SCHEMA = {
    "how a value is written: of the YAML only values are left": (
        "anchor_and_alias base_60 directive hex infinity line_separator lone_carriage_return long_number merge_key"
        " octal placeholder reversing_mark tag typographic_quotes_around_a_word underscored_number"
    ),
    "that a key was there before: readers keep one of them": (
        "charter_duplicate_key charter_set_twice duplicate_fact duplicate_key two_modes"
    ),
    "what stands in another place, or in another file": (
        "action_twice charter_notify_unlisted duplicate_id example_both example_policy set_of_a_list_unknown"
        " set_unknown"
    ),
    "what only code can tell": (
        "approve_within_long charter_notify_url choice_glob glob_of_choices newer_than_long parameter_refused"
    ),
}


def value_of(path: Path) -> Any:
    """The file as an editor reads it; None where it cannot be read at all."""
    try:
        return yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def is_refused(path: Path) -> bool:
    validator = CONFIGS if path.stem.startswith("charter_") else POLICIES
    return not validator.is_valid(value_of(path))


def test_the_schemas_are_schemas() -> None:
    for validator in (POLICIES, CONFIGS):
        jsonschema.Draft202012Validator.check_schema(validator.schema)


@pytest.mark.parametrize("path", sorted((ROOT / "policies").rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_file_is_taken_by_the_schema_that_it_names(path: Path) -> None:
    first = path.read_text().partition("\n")[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=((?:\.\./\.\./)?schema/\w+\.json)", first)
    assert named is not None
    schema = json.loads((path.parent / named[1]).read_text())

    jsonschema.Draft202012Validator(schema).validate(value_of(path))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_is_refused_but_for_what_no_schema_sees(path: Path) -> None:
    beyond = " ".join(BEYOND_A_SCHEMA.values()).split()

    assert is_refused(path) is (path.stem not in beyond)


def test_every_clause_that_is_shown_as_an_example_loads_and_is_taken() -> None:
    catalogue, actions = enrichment.catalogue(), responders.discover()
    config = 'organization: "1"\nsets: {payment_projects: [pay-a]}\n'
    text = "id: x\nmode: enforce\nwhen:\n"
    text += "".join(f"  {example_of(name, fact)}\n" for name, fact in catalogue.items())
    text += "then:\n" + "".join(f"  - {action.example}\n" for action in actions.values())
    text += "examples: [{expect: nothing}]\n"
    validator = jsonschema.Draft202012Validator(policy_schema(catalogue, actions))
    loaded = parse_policies({"a.yaml": text, "firebreak.yaml": config}, catalogue, actions)

    assert len(loaded.policies) == 1
    assert list(validator.iter_errors(yaml.safe_load(text))) == []
    assert TELLING.keys() <= catalogue.keys()


LOADS = """
- id: a
  mode: approve
  when:
    finding.severity: {at_least: HIGH, exists: true}
    virustotal.first_seen: {newer_than: 30d, at_least: "2025-01-31T09:00:00.5+01:00"}
    workload.labels: {contains: {tier: critical, team: {glob: "pay-*"}}, contains_all: [a=b], not_in_set: some}
    any_of: [{workload.public: true}, {none_of: [{virustotal.malicious: {in: [1, 2.5]}}]}]
  then:
    - {action: quarantine, depth: 1, regions: [a], how: hard, otherwise: [{action: cut_traffic}]}
  release_after: 7d
  on_expiry: contain
  notify: [security-oncall]
  examples:
    - given: {virustotal: unknown, workload.labels: [a=b], workload.project: ""}
      finding: findings/a.json
      expect: {mode: approve, actions: [quarantine]}
    - {given: {virustotal.first_seen: 2h ago}, expect: nothing}
"""


def test_what_loads_is_taken() -> None:
    parse_policies({"a.yaml": LOADS, "firebreak.yaml": 'organization: "1"\nsets: {some: [a=b]}\n'}, CATALOGUE, ACTIONS)

    assert list(POLICIES.iter_errors(yaml.safe_load(LOADS))) == []


CONFIG_FILE = """
organization: "123456789012"
sources: ["5678"]
ceiling: enforce
protected:
  - {project: payments-prod}
  - {project: {glob: "core-*"}, service: checkout}
  - {project: "424242424242", label: {tier: {glob: "crit*"}}}
  - {folder: "456"}
limits: {per_project_per_hour: 0}
stale_after: 90s
sets: {payment_projects: [a, b]}
"""


def test_a_configuration_that_loads_is_taken() -> None:
    parse_policies({"firebreak.yaml": CONFIG_FILE}, CATALOGUE, ACTIONS)

    assert list(CONFIGS.iter_errors(yaml.safe_load(CONFIG_FILE))) == []

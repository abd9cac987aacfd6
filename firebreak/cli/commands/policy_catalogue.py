"""What policies may say: the JSON Schema for editors, and the catalogues of facts and actions."""

from __future__ import annotations

import argparse

import enrichment
import responders
from firebreak.cli.commands import EXIT_OK, print_json
from firebreak.cli.screens.catalogue import actions_json, facts_json, show_actions, show_facts
from firebreak.cli.screens.console import stdout
from firebreak.policy_language.schema.config import config_schema
from firebreak.policy_language.schema.policies import policy_schema


def run_schema(parsed: argparse.Namespace) -> int:
    """JSON Schema 2020-12 of policies, or of firebreak.yaml."""
    print_json(config_schema() if parsed.config else policy_schema(enrichment.catalogue(), responders.discover()))
    return EXIT_OK


def run_facts(parsed: argparse.Namespace) -> int:
    """Every fact that policies may name, source by source."""
    if parsed.json:
        print_json(facts_json(enrichment.catalogue()))
    else:
        show_facts(stdout(), enrichment.catalogue())
    return EXIT_OK


def run_actions(parsed: argparse.Namespace) -> int:
    """Every action that policies may take."""
    if parsed.json:
        print_json(actions_json(responders.discover()))
    else:
        show_actions(stdout(), responders.discover())
    return EXIT_OK

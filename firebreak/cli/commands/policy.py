"""`firebreak policy`: what the policies say, before they ever act."""

from __future__ import annotations

import argparse
from pathlib import Path

from firebreak.cli.commands import declare
from firebreak.cli.commands.policy_catalogue import run_actions, run_facts, run_schema
from firebreak.cli.commands.policy_explain import add_explain, run_explain
from firebreak.cli.commands.policy_lint import run_lint
from firebreak.cli.commands.policy_test import run_test
from firebreak.cli.screens.reports import REPORTS


def add_policy_commands(parser: argparse.ArgumentParser) -> None:
    """Declare every `policy` command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    doubts = "every fault and every doubt about policies, each in its place"
    lint = declare(commands, "lint", run_lint, doubts, REPORTS)
    _paths(lint, "warnings are a no, too")
    add_explain(declare(commands, "explain", run_explain, "one finding through the policies, clause by clause"))
    examples = "run the examples that policies carry, and name what they leave untried"
    test = declare(commands, "test", run_test, examples, REPORTS)
    _paths(test, "a clause left untried is a no, too")
    test.set_defaults(reads_policies=True)
    schema = declare(commands, "schema", run_schema, "JSON Schema of policies, for editors and other checks")
    schema.add_argument("--config", "--charter", action="store_true", help="of firebreak.yaml")
    declare(commands, "facts", run_facts, "every fact that policies may name, and what the operators mean")
    declare(commands, "actions", run_actions, "every action that policies may take")


def _paths(parser: argparse.ArgumentParser, strict: str) -> None:
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="folders or files (FIREBREAK_POLICIES)")
    parser.add_argument("--strict", action="store_true", help=strict)
    parser.add_argument("--show-silenced", action="store_true", help="tell what comments silence too, with the reason")

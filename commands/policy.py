"""`firebreak policy`: what the policies say, before they ever act."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands import NO, YES, Nothing, declare, print_json, require_folder
from commands.policy_explain import add_explain, run_explain
from commands.policy_lint import run_lint
from core.policy import PolicySet
from screens.console import stdout
from screens.policy_test import examples_json, show_examples
from settings import read_settings


def add_policy_commands(parser: argparse.ArgumentParser) -> None:
    """Declare every `policy` command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lint = declare(commands, "lint", run_lint, "every fault and every doubt about policies, each in its place")
    lint.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="folders or files (FIREBREAK_POLICIES)")
    lint.add_argument("--strict", action="store_true", help="warnings are a no, too")
    add_explain(declare(commands, "explain", run_explain, "one finding through the policies, clause by clause"))
    test = declare(commands, "test", _test, "run the examples that the policies carry")
    test.add_argument("path", nargs="?", type=Path, help="a folder of policies (FIREBREAK_POLICIES)")
    test.set_defaults(reads_policies=True)


def _policies(parsed: argparse.Namespace) -> tuple[Path, PolicySet]:
    """The folder asked for and what it says; raises Faults, and Nothing for a folder without a policy."""
    from policy_folder import load_policies  # noqa: PLC0415 - other commands start sooner without what comes with it

    folder = parsed.path if parsed.path is not None else read_settings().policies
    require_folder(folder)
    policies = load_policies(folder)
    if not policies.policies:
        message = f"{folder}: there is no policy in this folder"
        raise Nothing(message)
    return folder, policies


def _test(parsed: argparse.Namespace) -> int:
    import enrichment  # noqa: PLC0415 - see `_policies`
    from core.policy_examples import run_examples  # noqa: PLC0415 - see `_policies`

    results = run_examples(_policies(parsed)[1].policies, enrichment.catalogue())
    if parsed.json:
        print_json(examples_json(results))
    else:
        show_examples(stdout(), results)
    return YES if all(one.passed for one in results) else NO

"""`firebreak policy`: what the policies say, before they ever act."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands import NO, YES, Nothing, declare, print_json, require_folder
from core.faults import Faults
from core.policy import PolicySet
from screens.console import stdout
from screens.policy_lint import clean_json, show_clean
from screens.policy_test import examples_json, show_examples
from settings import read_settings


def add_policy_commands(parser: argparse.ArgumentParser) -> None:
    """Declare every `policy` command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, about in (
        ("lint", _lint, "every fault of every policy and of firebreak.yaml, each in its place"),
        ("test", _test, "run the examples that the policies carry"),
    ):
        command = declare(commands, name, run, about)
        command.add_argument("path", nargs="?", type=Path, help="a folder of policies (FIREBREAK_POLICIES)")
        command.set_defaults(reads_policies=True)


def _policies(parsed: argparse.Namespace) -> tuple[Path, PolicySet]:
    """The folder asked for and what it says; raises Faults, and Nothing for a folder without a policy."""
    from app import load_policies  # noqa: PLC0415 - Google's clients come with it, and not every command needs them

    folder = parsed.path if parsed.path is not None else read_settings().policies
    require_folder(folder)
    policies = load_policies(folder)
    if not policies.policies:
        message = f"{folder}: there is no policy in this folder"
        raise Nothing(message)
    return folder, policies


def _lint(parsed: argparse.Namespace) -> int:
    import enrichment  # noqa: PLC0415 - see `_policies`
    from app import read_folder  # noqa: PLC0415 - see `_policies`
    from core.policy_examples import lint  # noqa: PLC0415 - see `_policies`

    folder, policies = _policies(parsed)
    if faults := lint(policies.policies, enrichment.catalogue(), read_folder(folder)):
        raise Faults(faults)
    if parsed.json:
        print_json(clean_json(policies))
    else:
        show_clean(stdout(), policies)
    return YES


def _test(parsed: argparse.Namespace) -> int:
    import enrichment  # noqa: PLC0415 - see `_policies`
    from core.policy_examples import run_examples  # noqa: PLC0415 - see `_policies`

    results = run_examples(_policies(parsed)[1].policies, enrichment.catalogue())
    if parsed.json:
        print_json(examples_json(results))
    else:
        show_examples(stdout(), results)
    return YES if all(one.passed for one in results) else NO

"""`firebreak policy test`: the examples that policies carry, and what they leave untried."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands import NO, YES, Nothing, print_json
from commands.policy_paths import asked_about, is_meant
from core.example_coverage import untried
from core.policy_examples import run_examples
from screens.console import stdout
from screens.policy_test import Tested, show_tested, tested_json


def run_test(parsed: argparse.Namespace) -> int:
    """Run the examples of the files that are meant; with `--strict`, a clause left untried is a no."""
    tested = [_tested(folder, meant) for folder, meant in asked_about(parsed.paths)]
    whole = Tested(
        tuple(result for one in tested for result in one.results), tuple(gap for one in tested for gap in one.untried)
    )
    doubtful = bool(whole.untried) and parsed.strict
    code = YES if all(one.passed for one in whole.results) and not doubtful else NO
    if parsed.json:
        print_json(tested_json(whole, ok=code == YES))
    else:
        show_tested(stdout(), whole)
    return code


def _tested(folder: Path, meant: frozenset[Path] | None) -> Tested:
    import enrichment  # noqa: PLC0415 - other commands start sooner without it, and what comes with it
    from policy_folder import load_policies  # noqa: PLC0415 - as above
    from stages.example_findings import findings_of  # noqa: PLC0415 - as above

    policies = [one for one in load_policies(folder).policies if is_meant(one.at.file, meant)]
    if not policies:
        message = (
            f"{folder}: there is no policy in this folder" if meant is None else "there is no policy in these files"
        )
        raise Nothing(message)
    results = run_examples(policies, enrichment.catalogue(), findings_of(policies, Path()))
    return Tested(results, tuple(untried(policies, results)))

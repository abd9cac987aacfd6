"""`firebreak policy test`: the examples that policies carry, and what they leave untried."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import enrichment
import responders
from firebreak.cli.commands import EXIT_NO, EXIT_OK, NothingFound, print_json
from firebreak.cli.commands.policy_paths import asked_about, is_meant, looked_at
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.faults import counted
from firebreak.cli.screens.policy_test import Tested, show_tested, sum_of, tested_cases, tested_json
from firebreak.cli.screens.reports import REPORTS, Report, cases_of
from firebreak.core.diagnostics import Faults, in_order
from firebreak.policy_folder import read_folder
from firebreak.policy_language.lint.conditions import LintContext
from firebreak.policy_language.lint.lint import in_full, lint_tests
from firebreak.policy_language.lint.steps import failing_in_use
from firebreak.policy_language.reading.policies import parse_policies
from firebreak.policy_language.testing.coverage import untried
from firebreak.policy_language.testing.example_findings import findings_of
from firebreak.policy_language.testing.examples import run_examples

_COMMAND = "firebreak policy test"


def run_test(parsed: argparse.Namespace) -> int:
    """Run the examples of the files that are meant; with `--strict`, a clause left untried is a no."""
    asked = asked_about(parsed.paths)
    try:
        tested = [_tested(folder, meant) for folder, meant in asked]
    except Faults as faults:
        if parsed.format not in REPORTS:
            raise
        summary = f"{counted(len(faults.faults), 'fault')}: this does not load"
        report = Report(_COMMAND, faults.faults, (), cases_of(faults.faults, (), ()), summary)
        print(REPORTS[parsed.format](report, Path.cwd()))
        return EXIT_NO
    whole = _together(tested)
    doubtful = bool(whole.untried or whole.idle_silences) and parsed.strict
    code = EXIT_OK if whole.passed and not doubtful else EXIT_NO
    if parsed.json:
        print_json({**tested_json(whole, ok=code == EXIT_OK), **looked_at(asked)})
    elif parsed.format in REPORTS:
        cases, summary = tested_cases(whole), sum_of(whole)
        report = Report(_COMMAND, whole.faults, whole.silenced, cases, summary, parsed.strict)
        print(REPORTS[parsed.format](report, Path.cwd()))
    else:
        show_tested(stdout(), whole, silenced=parsed.show_silenced)
    return code


def _tested(folder: Path, meant: frozenset[Path] | None) -> Tested:
    files, catalogue, actions = read_folder(folder), enrichment.catalogue(), responders.discover()
    read = parse_policies(files, catalogue, actions).policies
    policies = [one for one in read if is_meant(one.at.file, meant)]
    if not policies:
        message = (
            f"{folder}: there is no policy in this folder: policies are its files NAME.yaml"
            if meant is None
            else "there is no policy in these files"
        )
        raise NothingFound(message)
    results = run_examples(policies, catalogue, findings_of(policies, Path(), enrichment.discover()))
    gaps = tuple(untried(policies, results))
    texts = {file: text for file, text in files.items() if is_meant(file, meant)}
    judged = lint_tests(results, gaps, texts)
    allowed = {one.fault.at for one in judged.silenced}
    left = tuple(gap for gap in gaps if gap.clause.at not in allowed)
    steps = in_full(failing_in_use(policies, actions, LintContext(catalogue, time.time_ns())), texts)
    return Tested(results, left, judged.silenced, in_order(in_full(judged.told, texts), judged.wrong, steps))


def _together(tested: list[Tested]) -> Tested:
    return Tested(
        results=tuple(result for one in tested for result in one.results),
        untried=tuple(gap for one in tested for gap in one.untried),
        silenced=tuple(silenced for one in tested for silenced in one.silenced),
        faults=tuple(fault for one in tested for fault in one.faults),
    )

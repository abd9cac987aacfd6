"""`firebreak policy lint`: every fault and warning at once."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import enrichment
import responders
from firebreak.cli.commands import EXIT_NO, EXIT_OK, NothingFound, print_json
from firebreak.cli.commands.policy_paths import asked_about, is_meant, looked_at
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.policy_lint import Linted, lint_json, show_lint, sum_of
from firebreak.cli.screens.reports import REPORTS, Report, cases_of
from firebreak.core.diagnostics import Fault, in_order
from firebreak.policy_folder import broken_plugins, read_folder
from firebreak.policy_language.lint.conditions import LintContext
from firebreak.policy_language.lint.lint import lint
from firebreak.policy_language.reading.policies import read_policies
from firebreak.policy_language.testing.example_findings import findings_of


def run_lint(parsed: argparse.Namespace) -> int:
    """Look at folders and files of policies; a file is read together with the folder around it."""
    asked = asked_about(parsed.paths)
    linted = _together([_lint(folder, files) for folder, files in asked])
    doubtful = bool(linted.warnings) and parsed.strict
    code = EXIT_NO if linted.faults or linted.failing or doubtful else EXIT_OK
    if parsed.json:
        print_json({**lint_json(linted, ok=code == EXIT_OK), **looked_at(asked)})
    elif parsed.format in REPORTS:
        print(REPORTS[parsed.format](_report(linted, strict=parsed.strict), Path.cwd()))
    else:
        show_lint(stdout(), linted, silenced=parsed.show_silenced)
    return code


def _report(linted: Linted, *, strict: bool) -> Report:
    faults = in_order(linted.faults, linted.failing, linted.warnings)
    cases = cases_of(faults, linted.silenced, (one.at.file for one in linted.policies))
    return Report("firebreak policy lint", faults, linted.silenced, cases, sum_of(linted), strict)


def _lint(folder: Path, meant: frozenset[Path] | None) -> Linted:
    files, catalogue, actions = read_folder(folder), enrichment.catalogue(), responders.discover()
    read = read_policies(files, catalogue, actions, broken_plugins())
    if not read.policies and not read.faults:
        message = f"{folder}: there is no policy in this folder: policies are its files NAME.yaml"
        raise NothingFound(message)
    found = lint(
        read.faultless,
        read.config,
        files,
        actions,
        LintContext(catalogue, time.time_ns()),
        findings_of(read.faultless, Path(), enrichment.discover()),
        frozenset(fault.at.file for fault in read.faults),
    )
    policies = tuple(one for one in read.policies if is_meant(one.at.file, meant))
    return Linted(
        _in(meant, read.faults),
        _in(meant, found.failing),
        _in(meant, found.warnings),
        policies,
        (read.config,),
        tuple(one for one in found.silenced if is_meant(one.fault.at.file, meant)),
    )


def _in(meant: frozenset[Path] | None, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(fault for fault in faults if is_meant(fault.at.file, meant))


def _together(linted: Sequence[Linted]) -> Linted:
    return Linted(
        faults=in_order(*(one.faults for one in linted)),
        failing=tuple(fault for one in linted for fault in one.failing),
        warnings=tuple(fault for one in linted for fault in one.warnings),
        policies=tuple(policy for one in linted for policy in one.policies),
        configs=tuple(config for one in linted for config in one.configs),
        silenced=tuple(silenced for one in linted for silenced in one.silenced),
    )

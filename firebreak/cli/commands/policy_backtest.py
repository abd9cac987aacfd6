"""`firebreak policy backtest`: what policies would have done about past findings; nobody is asked, nothing written."""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any

import enrichment
import responders
from firebreak.backtest.deciding import Rules
from firebreak.backtest.files import Far
from firebreak.backtest.own_file import NotOwn
from firebreak.backtest.page import page
from firebreak.backtest.report import report
from firebreak.backtest.reports import KeptReports
from firebreak.backtest.run import Backtest, run
from firebreak.cli.commands import EXIT_NO, EXIT_OK, NothingFound, UsageError, print_json, require_folder
from firebreak.cli.commands.enriching import enriched
from firebreak.cli.commands.policy_paths import folder_of_settings
from firebreak.cli.commands.policy_revisions import files_at, is_revision
from firebreak.cli.screens.console import advancing, paged
from firebreak.cli.screens.policy_backtest import show_backtest
from firebreak.cli.values import OF_A_CHANGE, Bound
from firebreak.core.diagnostics import Faults
from firebreak.core.policy.policy import Files, PolicySet
from firebreak.core.secrets.redaction import safe
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.policy_language.reading.assumptions import Assumed, NotAnAssumption, read_assumptions


def run_backtest(parsed: argparse.Namespace) -> int:
    """Replay the history; with `--fail-if` a count beyond its bound is a no."""
    folder = parsed.policies or folder_of_settings()
    _require_usable(parsed, folder)
    assumed = _assumed(parsed.assume)
    new = read_yaml_policies(read_folder(folder))
    old, unread = _before(folder, parsed.against) if parsed.against else (None, "")
    try:
        reports, asking = enriched(parsed) if parsed.enrich else (None, None)
        ran = _ran(parsed, tuple(_rules(one, assumed, reports) for one in (new, old) if one is not None))
    except NotOwn as fault:
        raise UsageError(str(fault)) from None
    shown = report(ran, new, parsed.against if old else None)
    if unread:
        shown["not_compared"] = safe(f"{unread}; so nothing is compared with them{_untested(parsed.fail_if)}")
    if asking is not None:
        shown["enriched"] = dataclasses.asdict(asking)
    counts = _counts(shown)
    beyond = {str(one): counts[one.name] for one in parsed.fail_if if one.is_beyond(counts[one.name])}
    shown |= {"failed": list(beyond), "beyond": beyond}
    if not ran.tally.findings and ran.unread.count:
        message = f"nothing could be read: {ran.unread.shown[0]}"
        raise NothingFound(message)
    if parsed.html:
        parsed.html.touch(mode=0o600)  # as a history: it tells where there are holes
        parsed.html.write_text(page(shown), encoding="utf-8")
    if parsed.json:
        print_json(shown)
    else:
        with paged() as screen:
            show_backtest(screen, shown)
    return EXIT_NO if shown["failed"] else EXIT_OK


def _require_usable(parsed: argparse.Namespace, folder: Path) -> None:
    """Whatever can be said before anything is read; raises UsageError."""
    require_folder(folder)
    for file in parsed.history:
        if file != "-" and not Path(file).is_file():
            message = f"{file}: there is no such file"
            raise UsageError(message)
    if parsed.html and not parsed.html.parent.is_dir():
        message = f"{parsed.html}: there is no folder for it"
        raise UsageError(message)
    if not parsed.against and (idle := _of_a_change(parsed.fail_if)):
        message = f"--fail-if {idle} is about a change: say with --against what it is a change of"
        raise UsageError(message)
    if parsed.resume and "-" in parsed.history:
        message = "--resume goes on in files, which standard input is not: name a file"
        raise UsageError(message)


def _ran(parsed: argparse.Namespace, sets: tuple[Rules, ...]) -> Backtest:
    """With `--resume` from where an interrupted run of the very same ended."""
    far = Far(parsed.history)
    with advancing("replaying", "findings", lambda: far.share) as step:
        ran = run(parsed.history, sets, step, far=far, state=str(parsed.resume or ""))
    if parsed.resume:
        parsed.resume.unlink()
    return ran


def _before(folder: Path, against: str) -> tuple[PolicySet | None, str]:
    """What is compared with; where that is a revision whose policies do not load, which nobody can mend, none and why.

    A folder with such policies raises Faults.
    """
    texts = _against(folder, against)
    try:
        return read_yaml_policies(texts), ""
    except Faults as faults:
        if Path(against).is_dir():
            raise
        first = faults.faults[0]
        return None, f"{against}: the policies of then do not load ({first.at}: {first.said})"


def _untested(bounds: tuple[Bound, ...]) -> str:
    idle = _of_a_change(bounds)
    return f", and --fail-if {idle} is not tested" if idle else ""


def _of_a_change(bounds: tuple[Bound, ...]) -> str:
    return ",".join(str(one) for one in bounds if one.name in OF_A_CHANGE)


def _against(folder: Path, against: str) -> Files:
    """The policies in another folder, or in this one at another revision."""
    if not Path(against).is_dir():
        return files_at(folder, against)
    if is_revision(folder, against):  # which of them a change is compared with is not for the change to say
        message = f"{against}: there is such a folder, and git knows such a revision: write ./{against} for the folder"
        raise UsageError(message)
    return read_folder(Path(against))


def _rules(policies: PolicySet, assumed: Assumed, reports: KeptReports | None) -> Rules:
    return Rules(policies, responders.discover(), enrichment.discover(), assumed, reports)


def _assumed(texts: list[str]) -> Assumed:
    try:
        return read_assumptions(texts, enrichment.catalogue(), time.time_ns())
    except NotAnAssumption as fault:
        message = f"--assume: {fault}"
        raise UsageError(message) from None


def _counts(shown: dict[str, Any]) -> dict[str, int]:
    """Every word of `--fail-if` with its count."""
    modes, wrong, changes, unread = (shown.get(key) or {} for key in ("by_mode", "wrong", "changes", "unread"))
    return {
        "contained": shown["contained"],
        "enforced": modes["enforce"],
        "asked": shown["asked"],
        "recorded": modes["monitor"],
        "aside": modes["nothing"],
        "wrong": wrong["count"],
        "changed": changes.get("count", 0),
        "worse": changes.get("worse", 0),
        "unread": unread["count"],
    }

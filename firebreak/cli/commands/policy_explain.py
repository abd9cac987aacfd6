"""`firebreak policy explain`: one finding through the policies, by the function's own stages; nothing is written."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import enrichment
import responders
from enrichment import catalogue
from firebreak.adapters.storage.key_file import keys_at_hand
from firebreak.adapters.storage.ledger_store import documents_to_read
from firebreak.bootstrap import build
from firebreak.cli.commands import EXIT_NO, EXIT_OK, NothingFound, UsageError, print_json, require_folder
from firebreak.cli.commands.in_process import quiet
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.screens.console import paged, working
from firebreak.cli.screens.explanation import explanation_json
from firebreak.cli.screens.faults import counted
from firebreak.cli.screens.policy_explain import show_explanation
from firebreak.core.diagnostics import Faults
from firebreak.core.errors import Malformed
from firebreak.core.findings.finding import FindingName, parse_finding_name
from firebreak.core.findings.input_formats import LARGEST, read_findings
from firebreak.core.findings.notification import Notification
from firebreak.core.first_few import first_few
from firebreak.core.policy.policy import PolicySet
from firebreak.core.secrets.redaction import safe
from firebreak.core.signing import Seal
from firebreak.core.timestamps import parse_instant
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.policy_language.lint.conditions import LintContext
from firebreak.policy_language.lint.lint import in_full
from firebreak.policy_language.lint.steps import always_undoing
from firebreak.policy_language.reading.assumptions import Assumed, NotAnAssumption, read_assumptions
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.explain.explain import explain
from firebreak.response.explain.unwritten import Unwritten
from firebreak.settings import read_settings

_BUDGET_SECONDS = 100.0
_MOST_NAMED = 5
_EVENT = "event"


def run_explain(parsed: argparse.Namespace) -> int:
    """Explain, and with `--against` say whether anything differs."""
    folders = tuple(filter(None, (parsed.policies or read_settings().policies, parsed.against)))
    for folder in folders:
        require_folder(folder)
    sets = tuple(map(_policies, folders))
    app, deadline = _app(parsed, folders[0], sets[0]), Deadline.after(_BUDGET_SECONDS)
    told = _told(parsed.finding, parsed.pick, app, deadline)
    app = _at(app, parsed.at, told)
    assumed = _assumed(parsed.assume, app)
    with working("asking the sources") if parsed.live and not parsed.json else nullcontext():
        explained = explain(app, told, assumed, sets, deadline, app.sources if parsed.live else None)
    shown = explanation_json(explained, tuple(map(str, folders)), live=parsed.live)
    shown["ledger"] = parsed.ledger and safe(parsed.ledger)
    if parsed.json:
        print_json(shown)
    else:
        with paged() as screen:
            show_explanation(screen, shown)
    return EXIT_NO if shown["different"] else EXIT_OK


def _policies(folder: Path) -> PolicySet:
    """From the YAML, which people are at; raises Faults, also where steps undo each other whatever the target is."""
    files = read_folder(folder)
    read = read_yaml_policies(files)
    world = LintContext(enrichment.catalogue(), time.time_ns())
    if undoing := list(always_undoing(read.policies, responders.discover(), world)):
        raise Faults(in_full(undoing, files))
    return read


def _app(parsed: argparse.Namespace, folder: Path, policies: PolicySet) -> App:
    """The application as the function has it, but silent; with `--live` on a ledger that it can only read."""
    settings = replace(chosen(parsed), policies=folder)
    documents = documents_to_read(settings) if parsed.live and settings.ledger_named else None
    parsed.ledger = settings.ledger.removeprefix("sqlite:///") if documents else None
    return build(settings, policies, quiet, Unwritten(documents), Seal(keys_at_hand(settings)))


def _told(finding: str, pick: str | None, app: App, deadline: Deadline) -> Notification:
    """The finding as the file or SCC has it."""
    if name := parse_finding_name(finding):
        return _in_scc(name, app, deadline)
    try:
        found = read_findings(_text(finding))
    except Malformed as fault:
        message = f"{finding}: {fault}"
        raise UsageError(message) from None
    fitting = [one for one in found if pick is None or one.finding.name.finding.startswith(pick)]
    if len(fitting) == 1:
        return fitting[0]
    ids = ", ".join(first_few([one.finding.name.finding for one in fitting or found], _MOST_NAMED))
    held = f"it holds {counted(len(found), 'finding')}, of which {len(fitting)} fit"
    message = f"{finding}: {held}; choose one with --pick ID: {ids}"
    raise UsageError(message)


def _text(finding: str) -> bytes:
    """At most as much as is read of a finding, and a byte."""
    if finding == "-":
        return sys.stdin.buffer.read(LARGEST + 1)
    path = Path(finding)
    if not path.exists() or path.is_dir():
        what = "a folder" if path.is_dir() else "there is no such file"
        shows = (
            f"; what an incident was decided by: firebreak incident show {finding}" if finding.startswith("fb-") else ""
        )
        message = f"{finding}: {what}, and it is not the name of a finding in SCC{shows}"
        raise UsageError(message)
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _in_scc(name: FindingName, app: App, deadline: Deadline) -> Notification:
    found = app.scc.find(name, app.organization(name), deadline.sooner(10))
    if found is None:
        message = f"SCC does not hold {name.spellings[0]}, so nothing was explained"
        raise NothingFound(message)
    return Notification(found, deleted=False)


def _at(app: App, at: str | None, told: Notification) -> App:
    """The application at another time, for ages and for what is stale."""
    if at is None:
        return app
    try:
        now_ns = told.finding.event_ns if at == _EVENT else parse_instant(at)
    except ValueError:
        message = f"--at {at}: a time such as 2026-01-31T09:00:00Z, or {_EVENT}"
        raise UsageError(message) from None
    return replace(app, now_ns=lambda: now_ns)


def _assumed(texts: list[str], app: App) -> Assumed:
    try:
        return read_assumptions(texts, catalogue(), app.now_ns())
    except NotAnAssumption as fault:
        message = f"--assume: {fault}"
        raise UsageError(message) from None

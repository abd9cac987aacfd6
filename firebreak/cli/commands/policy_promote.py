"""`firebreak policy promote`: what a policy did in shadow, or in its mode, and the edit that lets it do more."""

from __future__ import annotations

import argparse
import difflib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import enrichment
from firebreak.backtest.trial import Trial, Trials
from firebreak.cli.commands import EXIT_OK, NothingFound, UsageError, named, print_json, require_folder
from firebreak.cli.commands.policy_paths import folder_of_settings
from firebreak.cli.commands.policy_stats import Recorded
from firebreak.cli.screens.console import stdout, working
from firebreak.cli.screens.policy_promote import show_promotion
from firebreak.core.diagnostics import nearest_word, quoted
from firebreak.core.mode import MODES, Mode
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Files, Policy, PolicySet
from firebreak.core.secrets.redaction import safe_texts
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.policy_language.editing.promotion import NotEditable, promoted
from firebreak.policy_language.lint.conditions import LintContext, shadowed
from firebreak.policy_language.testing.example_findings import findings_of
from firebreak.policy_language.testing.examples import run_examples


def run_promote(parsed: argparse.Namespace) -> int:
    """Show its record and the edit; with `--write` make the edit, whatever the record says."""
    folder = parsed.policies or folder_of_settings()
    require_folder(folder)
    files = read_folder(folder)
    before = read_yaml_policies(files)
    policy = _policy_of(before, parsed.policy)
    mode = _wanted(policy, MODES[parsed.to] if parsed.to else None)
    file = policy.at.file
    edited = {**files, file: _edited(files[file], policy, mode)}
    after = _read_again(before, edited, policy, mode)
    trials, recorded = Trials(policy.id, before.digest), Recorded(parsed)
    with working("reading what was recorded"):
        for record in recorded:
            trials.add(record)
    trial = trials.trial()
    shown = promotion_json(trial, policy, mode) | {
        "edit": {"file": file, "diff": _diff(file, files[file], edited[file])},
        "caveats": [*recorded.doubts, *_of_before(trial), *_caveats(before, after, mode), *_outdated(policy, after)],
        "written": parsed.edits,
        **named(parsed),
    }
    shown = safe_texts(shown)
    if parsed.edits:
        Path(file).write_bytes(edited[file].encode("utf-8", errors="surrogateescape"))
    if parsed.json:
        print_json(shown)
    else:
        show_promotion(stdout(), shown)
    return EXIT_OK


def promotion_json(trial: Trial, policy: Policy, mode: Mode) -> dict[str, Any]:
    """The policy, what it is to become, and its record, all of it counts."""
    return {
        "policy": policy.id,
        "shadow": policy.shadow,
        "mode": policy.mode.word,
        "to": mode.word,
        "incidents": trial.incidents,
        **trial.as_json,
    }


def _policy_of(policies: PolicySet, wanted: str) -> Policy:
    found = {one.id: one for one in policies.policies}
    if wanted in found:
        return found[wanted]
    near = nearest_word(wanted, found)
    message = f"there is no policy {wanted}" + (f": did you mean {near}?" if near else "")
    raise UsageError(message)


def _wanted(policy: Policy, to: Mode | None) -> Mode:
    """The mode that it is to have: the next one by default; out of shadow, the one that it has."""
    if policy.shadow:
        return to or policy.mode
    if policy.mode is Mode.ENFORCE:
        message = f"{policy.id} is in force in mode enforce already: there is nothing above it"
        raise NothingFound(message)
    if to is not None and to <= policy.mode:
        message = f"{policy.id} is in mode {policy.mode.word} already: --to {to.word} is not above it; lower it by hand"
        raise UsageError(message)
    return to or Mode(policy.mode + 1)


def _edited(text: str, policy: Policy, mode: Mode) -> str:
    try:
        return promoted(text, policy, mode)
    except NotEditable as fault:
        message = f"{fault}, so make the edit by hand: mode {mode.word}{', no shadow' if policy.shadow else ''}"
        raise NothingFound(message) from None


def _read_again(before: PolicySet, edited: Files, policy: Policy, mode: Mode) -> PolicySet:
    """The policies as edited, of which only this one may be another."""
    after = read_yaml_policies(edited)
    meant = replace(policy, mode=mode, shadow=False)
    wanted = policy_set(tuple(meant if one is policy else one for one in before.policies), before.config)
    if wanted.digest != after.digest:
        message = f"{policy.at.file} cannot be edited safely: make the edit by hand"
        raise NothingFound(message)
    return after


def _diff(file: str, old: str, new: str) -> list[str]:
    lines = difflib.unified_diff(old.split("\n"), new.split("\n"), file, file, lineterm="", n=2)
    return [line.rstrip("\r") for line in lines]


def _outdated(policy: Policy, after: PolicySet) -> list[str]:
    """Of the policy's examples those that passed, and that the edit makes fail."""
    both = policy, next(one for one in after.policies if one.id == policy.id)
    findings = findings_of(both, Path(), enrichment.discover())
    old, new = (run_examples((one,), enrichment.catalogue(), findings) for one in both)
    failing = [now for then, now in zip(old, new, strict=True) if then.passed and not now.passed]
    return [f"{now}: change what it expects, or `firebreak policy test` and `make package` fail" for now in failing]


def _of_before(trial: Trial) -> list[str]:
    """A policy may keep its name and have other clauses."""
    if not trial.otherwise:
        return []
    count = f"{trial.otherwise:,} of {trial.fired:,} are of a time when other policies lay here"
    how = "`firebreak policy log` tells what changed, and `firebreak policy backtest` what these would decide"
    return [f"{count}, perhaps another one by this name: {how}"]


def _caveats(before: PolicySet, after: PolicySet, mode: Mode) -> list[str]:
    """What the edit alone does not say: what else holds it back, and which policies get no turn any more."""
    config, world = after.config, LintContext(enrichment.catalogue(), time.time_ns())
    known = {one.message for one in shadowed(before.policies, world)}
    told = [one.message for one in shadowed(after.policies, world) if one.message not in known]
    if config.ceiling < mode:
        told.append(f"the ceiling in firebreak.yaml is {config.ceiling.word}, which still holds it back")
    if mode > Mode.MONITOR and not config.sources:
        told.append(f"firebreak.yaml lists no {quoted('sources')}, so that nothing goes beyond monitoring")
    return told

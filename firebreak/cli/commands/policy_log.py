"""`firebreak policy log`: which set of policies decided what, when it took the place of another, and who changed it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from firebreak.backtest.sets import Deciding, SetLog
from firebreak.cli.commands import EXIT_OK, named, print_json
from firebreak.cli.commands.policy_paths import folder_of_settings
from firebreak.cli.commands.policy_revisions import Commit, commits_of
from firebreak.cli.commands.policy_stats import Recorded
from firebreak.cli.screens.console import Screen, stdout, working
from firebreak.policy_folder import read_folder, read_yaml_policies

_FEW = 10


def run_log(parsed: argparse.Namespace) -> int:
    """Which sets decided, in their order, and whether the policies that lie here are the last of them."""
    log, recorded, folder = SetLog(), Recorded(parsed), folder_of_settings()
    with working("reading what was recorded"):
        for record in recorded:
            log.add(record)
        here = read_yaml_policies(read_folder(folder)).digest if folder.is_dir() else None
        sets = log.in_order()
        commits = commits_of(folder, {one.policy_set for one in sets} | ({here} if here else set()))
    if parsed.json:
        told = [_set_json(one, commits) | {"here": one.policy_set == here} for one in sets]
        print_json({"sets": told, "here": here, "doubts": recorded.doubts, **named(parsed)})
        return EXIT_OK
    screen = stdout()
    for one in sets:
        modes = ", ".join(f"{mode} {count:,}" for mode, count in one.modes.most_common())
        mark = ", the policies that lie here" if one.policy_set == here else ""
        screen.line(f"{one.policy_set[:12]}  {one.first[:16]} to {one.last[:16]}  {modes}{mark}", hang=2)
        _show_commit(screen, commits.get(one.policy_set))
        screen.line(", ".join(f"{name} {count:,}" for name, count in one.policies.most_common(_FEW)), "dim", indent=2)
    if here and here not in {one.policy_set for one in sets}:
        screen.line(f"{here[:12]}  the policies that lie here: they have decided nothing yet", "caution")
        _show_commit(screen, commits.get(here))
    for doubt in recorded.doubts:
        screen.line(doubt, "caution")
    return EXIT_OK


def _show_commit(screen: Screen, commit: Commit | None) -> None:
    if commit:
        screen.line(f"by {commit.by}, {commit.at[:10]}, {commit.hash[:7]}: {commit.says}", indent=2, hang=2)


def _set_json(one: Deciding, commits: dict[str, Commit]) -> dict[str, Any]:
    commit = commits.get(one.policy_set)
    return {
        "policy_set": one.policy_set,
        "first": one.first,
        "last": one.last,
        "versions": sorted(one.versions),
        "modes": dict(one.modes),
        "policies": dict(one.policies),
        "commit": asdict(commit) if commit else None,
    }

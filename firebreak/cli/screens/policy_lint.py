"""Every fault and warning about the policies in its place, or that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.faults import counted, fault_json, show_fault
from firebreak.core.diagnostics import Fault
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import Config, Policy
from firebreak.policy_language.lint.silences import Silenced


@dataclass(frozen=True, slots=True)
class Linted:
    """What was looked at and found. `faults` keep their folder from loading; `failing` loads and must not be merged."""

    faults: tuple[Fault, ...]
    failing: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    policies: tuple[Policy, ...]
    configs: tuple[Config, ...]
    silenced: tuple[Silenced, ...] = ()


def show_lint(screen: Screen, linted: Linted, *, silenced: bool = False) -> None:
    """From the top of the first file to the end of the last; then all of it in one line.

    What comments silenced is only counted, unless it is to be told too.
    """
    found = [(fault, "fault", "bad") for fault in (*linted.faults, *linted.failing)]
    found += [(fault, "warning", "caution") for fault in linted.warnings]
    for fault, word, style in sorted(found, key=lambda one: one[0].at):
        show_fault(screen, fault, word, style)
    if silenced:
        show_silenced(screen, linted.silenced)
    if found and screen.width is None:
        screen.line()
    elif not found:
        _show_policies(screen, linted)
    _show_sum(screen, linted)


def show_silenced(screen: Screen, silenced: Sequence[Silenced]) -> None:
    """What comments in the files say is meant, each with the reason."""
    for one in silenced:
        show_fault(screen, one.fault, "silenced", "dim", f", allowed because {one.reason}")


def _show_policies(screen: Screen, linted: Linted) -> None:
    for policy in linted.policies:
        actions = ", ".join(policy.actions)
        examples = counted(len(policy.examples), "example")
        mode = f"{policy.mode.word} in shadow" if policy.shadow else policy.mode.word
        screen.line(f"{policy.id}: {mode}, {actions}, {examples}", indent=2, hang=2)
    for config in linted.configs:
        sources = ", ".join(sorted(config.sources)) or "none"
        idle = ": nothing is ever written" if config.ceiling is Mode.MONITOR or not config.sources else ""
        there = "".join(f", {one.mode.word} for {one.place}" for one in config.ceilings)
        screen.line(f"firebreak.yaml: ceiling {config.ceiling.word}{there}, sources {sources}{idle}", indent=2, hang=2)


def _show_sum(screen: Screen, linted: Linted) -> None:
    bad = linted.faults or linted.failing
    screen.line(sum_of(linted), "bad" if bad else "caution" if linted.warnings else "good")


def sum_of(linted: Linted) -> str:
    """All of it in one line."""
    faults, warnings = len(linted.faults) + len(linted.failing), len(linted.warnings)
    counts = f"{counted(len(linted.policies), 'policy')}, {counted(faults, 'fault')}, {counted(warnings, 'warning')}"
    counts += silenced_in_words(linted.silenced)
    verdict = ": this does not load" if linted.faults else ": this loads, and is not right" if linted.failing else ""
    return f"{counts}{verdict}"


def silenced_in_words(silenced: Sequence[Silenced]) -> str:
    """`, 2 silenced`, or nothing."""
    return f", {len(silenced)} silenced" if silenced else ""


def lint_json(linted: Linted, *, ok: bool) -> dict[str, Any]:
    """The same for programs; `ok` is whether the command says yes."""
    named = [
        {"id": one.id, "mode": one.mode.word, "shadow": one.shadow, "actions": list(one.actions)}
        for one in linted.policies
    ]
    return {
        "ok": ok,
        "loads": not linted.faults,
        "faults": [
            *(fault_json(one) for one in linted.faults),
            *(fault_json(one, loads=True) for one in linted.failing),
        ],
        "warnings": [fault_json(one, loads=True) for one in linted.warnings],
        "policies": named,
        "ceilings": [one.ceiling.word for one in linted.configs],
        "ceilings_by_place": [
            {"place": str(one.place), "ceiling": one.mode.word} for config in linted.configs for one in config.ceilings
        ],
    }

"""Policies: every fault in its place, and every example with what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from core.faults import Fault
from core.policy import PolicySet
from core.policy_examples import ExampleResult


def show_faults(console: Console, faults: Sequence[Fault]) -> None:
    """Each fault as file:line:col, with its line and a caret."""
    for fault in faults:
        console.print(Text(str(fault)), soft_wrap=True)
    plural = "" if len(faults) == 1 else "s"
    console.print(Text(f"{len(faults)} fault{plural}", style="bold red"))


def fault_json(fault: Fault) -> dict[str, Any]:
    """A fault for programs."""
    return {
        "file": fault.at.file,
        "line": fault.at.line,
        "column": fault.at.column,
        "message": fault.message,
        "nearest": fault.nearest,
    }


def show_clean(console: Console, policies: PolicySet) -> None:
    """That nothing is wrong, and what was looked at."""
    charter = policies.charter
    console.print(Text(f"{len(policies.policies)} policies, no faults", style="bold green"))
    for policy in policies.policies:
        console.print(Text(f"  {policy.id}: {policy.mode.word}, {', '.join(policy.actions)}"))
    console.print(Text(f"  ceiling {charter.ceiling.word}, sources {', '.join(sorted(charter.sources)) or 'none'}"))


def show_examples(console: Console, results: Sequence[ExampleResult]) -> None:
    """One line an example; one that fails with what was expected, what came, and why."""
    for result in results:
        mark, style = ("ok  ", "green") if result.passed else ("FAIL", "bold red")
        console.print(Text(f"{mark} {result.policy} example {result.index}", style=style))
        if not result.passed:
            console.print(Text(str(result)), soft_wrap=True)
    failed = sum(not result.passed for result in results)
    style = "bold red" if failed else "bold green"
    console.print(Text(f"{len(results) - failed} passed, {failed} failed", style=style))

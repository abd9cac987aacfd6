"""Every fault of the policies in its place, or that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.faults import Fault, printable
from core.policy import PolicySet
from screens.console import Screen


def show_faults(screen: Screen, faults: Sequence[Fault]) -> None:
    """Each fault as `file:line:column`, with the line it is about and a caret."""
    for fault in faults:
        shown = replace(fault, at=replace(fault.at, file=printable(fault.at.file)))
        for number, text in enumerate(str(shown).splitlines()):
            screen.verbatim(text, "" if number == 0 else "dim")
    screen.line(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}", "bad")


def fault_json(fault: Fault) -> dict[str, Any]:
    """A fault for programs."""
    return {
        "file": fault.at.file,
        "line": fault.at.line,
        "column": fault.at.column,
        "message": fault.message,
        "nearest": fault.nearest,
        "quoted": printable(fault.line_text),
    }


def show_clean(screen: Screen, policies: PolicySet) -> None:
    """That nothing is wrong, and what was looked at."""
    charter = policies.charter
    screen.line(f"{len(policies.policies)} policies, no faults", "good")
    for policy in policies.policies:
        examples = len(policy.examples)
        screen.line(f"{policy.id}: {policy.mode.word}, {', '.join(policy.actions)}, {examples} examples", indent=2)
    sources = ", ".join(sorted(charter.sources)) or "none"
    screen.line(f"firebreak.yaml: ceiling {charter.ceiling.word}, sources {sources}", indent=2)


def clean_json(policies: PolicySet) -> dict[str, Any]:
    """The same for programs."""
    named = [{"id": one.id, "mode": one.mode.word, "actions": list(one.actions)} for one in policies.policies]
    return {"faults": [], "policies": named, "ceiling": policies.charter.ceiling.word, "digest": policies.digest}

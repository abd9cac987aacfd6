"""The whole findings that policies' examples name, read from beside the policies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.evidence import Facts
from core.finding import Malformed
from core.finding_forms import LARGEST, read_findings
from core.policy import Policy
from core.policy_examples import finding_path
from stages.unasked import facts_unasked


def findings_of(policies: Iterable[Policy], root: Path) -> dict[str, Facts | str]:
    """For each finding named, the facts that it settles, or why it could not be read. Paths are seen from `root`."""
    named = {finding_path(example) for policy in policies for example in policy.examples}
    return {path: _settled(root / path) for path in named if path is not None}


def _settled(path: Path) -> Facts | str:
    try:
        with path.open("rb") as file:
            found = read_findings(file.read(LARGEST + 1))
    except OSError as fault:
        return f"{path} cannot be read: {fault.strerror}"
    except Malformed as fault:
        return str(fault)
    if len(found) != 1:
        return f"the file holds {len(found)} findings, and one is meant"
    return facts_unasked(found[0].finding)

"""The whole findings that policies' examples name, read from beside the policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from firebreak.core.errors import Malformed
from firebreak.core.facts import Facts
from firebreak.core.findings.input_formats import LARGEST, read_findings
from firebreak.core.policy.policy import Policy
from firebreak.policy_language.testing.examples import finding_path
from firebreak.ports.enrichment import Enricher
from firebreak.ports.offline import offline_facts


def findings_of(policies: Iterable[Policy], root: Path, enrichers: Mapping[str, Enricher]) -> dict[str, Facts | str]:
    """For each finding named, the facts that it settles, or why it could not be read. Paths are seen from `root`."""
    named = {finding_path(example) for policy in policies for example in policy.examples}
    return {path: _settled(root / path, enrichers) for path in named if path is not None}


def _settled(path: Path, enrichers: Mapping[str, Enricher]) -> Facts | str:
    try:
        with path.open("rb") as file:
            found = read_findings(file.read(LARGEST + 1))
    except OSError as fault:
        return f"{path} cannot be read: {fault.strerror}"
    except Malformed as fault:
        return str(fault)
    if len(found) != 1:
        return f"the file holds {len(found)} findings, and one is meant"
    return offline_facts(found[0].finding, enrichers)

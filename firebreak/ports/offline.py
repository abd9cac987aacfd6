"""What every source knows of a finding offline, without a call."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from firebreak.core.errors import Refused
from firebreak.core.facts import Facts, merged
from firebreak.core.findings.file_report import NoReport
from firebreak.core.findings.finding import Finding
from firebreak.ports.enrichment import Enricher, EnrichmentClients, answer_of

NOT_ASKED = "not asked"


class _RefusingClient:
    """A client that refuses every call."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of any collaborator
        """Every question is refused."""

        def refuse(*_: object, **__: object) -> None:
            raise Refused(NOT_ASKED)

        return refuse

    def report(self, sha256: str, deadline: float) -> NoReport:  # noqa: ARG002 - as file reports answer
        """Nothing about the file."""
        return NoReport(sha256, "not_asked", NOT_ASKED)


def offline_clients() -> EnrichmentClients:
    """Clients that refuse every call."""
    silent: Any = _RefusingClient()
    return EnrichmentClients(*(silent for _ in dataclasses.fields(EnrichmentClients)))


def offline_facts(finding: Finding, enrichers: Mapping[str, Enricher]) -> Facts:
    """The facts that are known without a call: the finding's own, and those that sources read from it."""
    silent = offline_clients()
    evidence = tuple(answer_of(name, one, finding, silent) for name, one in enrichers.items())
    return finding.facts() | merged(evidence)

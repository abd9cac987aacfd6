"""Other findings on one workload: those that may be gone by, and those that are only shown."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.findings.finding import Finding


@dataclass(frozen=True, slots=True)
class RelatedFindings:
    """Active, unmuted findings on a workload beside one of its own.

    Attributes:
        allowed: of the sources in firebreak.yaml, whenever they happened, newest first.
        others: some of other sources around the same time, newest first: shown, and gone by in nothing.
        complete: whether those of the allowed sources are all there, in the finding's own location.
        silent: other locations of SCC that did not answer.
    """

    allowed: tuple[Finding, ...] = ()
    others: tuple[Finding, ...] = ()
    complete: bool = True
    silent: tuple[str, ...] = ()

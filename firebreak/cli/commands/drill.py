"""`firebreak drill`: rehearse an incident on a canary of one's own, through the function as it is deployed."""

from __future__ import annotations

import argparse
import sys

from firebreak.cli.commands import EXIT_NO, UsageError, report
from firebreak.cli.commands.answers import confirmed
from firebreak.cli.drill.rehearsal import Rehearsal
from firebreak.cli.drill.stage import Stage
from firebreak.cli.ending import leaving_in_order
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.story import Narrator

COST = (
    "It costs next to nothing: two revisions start once and serve no request, which Cloud Run bills by the second; the "
    "finding, its messages and the lookup at VirusTotal have no price of their own."
)


def drill(parsed: argparse.Namespace) -> int:
    """Rehearse, or take away what an earlier drill left."""
    narrator = Narrator(None if parsed.json else stdout())
    stage = Stage.of(parsed, narrator)
    if not _agreed(parsed, stage):
        return report(parsed, "nothing was done", EXIT_NO)
    narrator.begin("drill", f"A drill on {stage.target.resource}")
    with leaving_in_order():
        Rehearsal(stage).run()
    return narrator.end()


def _agreed(parsed: argparse.Namespace, stage: Stage) -> bool:
    """Say what it does and costs, and ask; raises UsageError where nobody can be asked."""
    if parsed.yes:
        return True
    if parsed.json or not sys.stdin.isatty():
        message = "nobody can be asked here, so nothing was done: say --yes to deploy a canary and have it contained"
        raise UsageError(message)
    screen = stdout()
    screen.line(
        f"This deploys {stage.target.resource} (private, two revisions), has Firebreak contain and release it, and"
        " deletes it."
    )
    screen.line(COST)
    return confirmed("Go on?")

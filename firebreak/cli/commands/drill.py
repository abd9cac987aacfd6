"""`firebreak drill`: rehearse an incident on a canary of one's own, through the function as it is deployed."""

from __future__ import annotations

import argparse
import sys

from firebreak.cli.commands import EXIT_NO, EXIT_OK, INTERRUPTED, UsageError, report
from firebreak.cli.commands.answers import confirmed
from firebreak.cli.drill.probing import tell_probes
from firebreak.cli.drill.rehearsal import Rehearsal
from firebreak.cli.drill.remains import Remains
from firebreak.cli.drill.stage import Stage
from firebreak.cli.ending import leaving_in_order
from firebreak.cli.screens.console import stdout, working
from firebreak.cli.screens.story import Narrator

COST = (
    "It costs next to nothing: two revisions start once and serve no request, which Cloud Run bills by the second; the "
    "finding, its messages and the lookup at VirusTotal have no price of their own."
)


def drill(parsed: argparse.Namespace) -> int:
    """Rehearse, or take away what earlier drills left."""
    narrator = Narrator(None if parsed.json else stdout())
    stage = Stage.of(parsed, narrator)
    if parsed.clean:
        return _cleaned(parsed, stage)
    what = (
        f"This deploys {stage.target.resource} (private, two revisions), has Firebreak contain and release it, and"
        " deletes it."
    )
    if not _agreed(parsed, what, COST):
        return report(parsed, "nothing was done", EXIT_NO)
    narrator.begin("drill", f"A drill on {stage.target.resource}")
    try:
        with leaving_in_order():
            Rehearsal(stage).run(tell_probes if parsed.probe else None)
    except KeyboardInterrupt:
        _interrupted(narrator)
        return INTERRUPTED
    except SystemExit:
        _interrupted(narrator)
        raise
    return narrator.end()


def _interrupted(narrator: Narrator) -> None:
    """The report of what had happened by then."""
    narrator.check("it was not interrupted", found=False)
    narrator.end()


def _cleaned(parsed: argparse.Namespace, stage: Stage) -> int:
    with working("looking for what drills left"):
        remains = Remains.of(stage, parsed.region)
    if not remains.lines():
        return report(parsed, f"no drill has left anything in {stage.target.project}", EXIT_OK)
    if not _agreed(parsed, "This takes away what drills left, also of one that is under way:", *remains.lines()):
        return report(parsed, "nothing was done", EXIT_NO)
    stage.narrator.begin("drill", f"What drills left in {stage.target.project}")
    stage.narrator.step("Found", *remains.lines())
    stage.narrator.step("Taking it away")
    remains.take_away(stage)
    return stage.narrator.end()


def _agreed(parsed: argparse.Namespace, *lines: str) -> bool:
    """Say what is about to happen, and ask; raises UsageError where nobody can be asked."""
    if parsed.yes:
        return True
    if parsed.json or not sys.stdin.isatty():
        message = "nobody can be asked here, so nothing was done: say --yes to go on without being asked"
        raise UsageError(message)
    for line in lines:
        stdout().line(line)
    return confirmed("Go on?")

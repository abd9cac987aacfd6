"""`firebreak incident release`: the way back, setting by setting, and what it would write besides is shown first."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace

from firebreak.cli.commands import report
from firebreak.cli.commands.answers import confirmed
from firebreak.cli.commands.decision import Decided, carried_out, command_of, tell
from firebreak.cli.commands.ledgers import to_decide, who
from firebreak.cli.commands.recorded import found, open_ledger
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.release import show_what_is_due
from firebreak.cli.screens.wording import part
from firebreak.core.signing import Sealed

_SHORT = 12


def release(parsed: argparse.Namespace) -> int:
    """Restore what the containment changed. What another hold needs besides is written only once it was agreed to."""
    name = who(parsed)
    incident = found(open_ledger(to_decide(parsed)), parsed.id).incident
    leave = tuple(dict.fromkeys(parsed.leave))
    command = replace(command_of("release", name, incident.id, digest=parsed.digest or ""), leave="\n".join(leave))
    decided = carried_out(parsed, "restoring", command)
    digest = _to_be_agreed(decided)
    if digest and (parsed.yes or _agreed(parsed, decided, digest)):
        # Said again, with what was shown: should that have changed meanwhile, nothing is written.
        again = replace(command_of("release", name, incident.id, digest=digest), leave=command.leave)
        decided = carried_out(parsed, "restoring", again)
    elif digest and not parsed.json:
        typed = ["firebreak", "incident", "release", incident.id, "--digest", digest[:_SHORT]]
        typed += ["--leave", *leave] if leave else []
        says = f"nothing was changed: if that is meant, say {shlex.join(typed)}"
        return report(parsed, f"{incident.id}: {says}", decided.code)
    return tell(parsed, decided)


def _to_be_agreed(decided: Decided) -> str:
    """Digest of what has to be agreed to first, if that is why nothing was written; else empty."""
    digest = str(part(decided.record.get("release")).get("digest") or "")
    return digest if digest and not decided.result.done and digest[:_SHORT] in decided.result.says else ""


def _agreed(parsed: argparse.Namespace, decided: Decided, digest: str) -> bool:
    """Show what would be written, and ask, where there is somebody to be asked."""
    if parsed.json or decided.record.get("seal") == Sealed.BROKEN.value:
        return False
    show_what_is_due(stdout(), decided.record)
    return sys.stdin.isatty() and confirmed(f"Write this ({digest[:_SHORT]})?")

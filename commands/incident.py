"""`firebreak incident`: look at incidents, answer them, undo them."""

from __future__ import annotations

import argparse
import re
import sys
import time
from typing import get_args

from commands import NO, YES, declare, print_json, say
from commands.decision import decide
from commands.evidence import add_evidence_command
from commands.recorded import ALL, by, found, identity, open_ledger, said, shown, who
from core.command import CLOSED_AS
from core.incident import Phase
from ledger import Held
from records import newer
from screens.console import stdout
from screens.incident_list import show_list
from screens.incident_show import show
from screens.question import show_question


def add_incident_commands(parser: argparse.ArgumentParser) -> None:
    """What stands below `firebreak incident`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = declare(commands, "list", _list, "incidents, last touched first")
    listing.add_argument("--phase", choices=get_args(Phase), metavar="PHASE", help="only those in this phase")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at the most (50)")
    identity(declare(commands, "show", _show, "one incident: what, why, how it stands, how to undo it"))
    add_evidence_command(commands)
    approve = declare(commands, "approve", _approve, "do what was asked; shows it first")
    identity(approve)
    approve.add_argument("--digest", type=_digest, help="only if the question is about this plan (8 digits suffice)")
    approve.add_argument("--yes", action="store_true", help="do not ask again on a terminal")
    by(approve)
    reject = declare(commands, "reject", _reject, "answer the question with no")
    identity(reject)
    reject.add_argument("--reason", type=said, help="why; it stands on the record")
    by(reject)
    for name, run, about in (
        ("release", _release, "put back what this incident's containment set"),
        ("review", _review, "look at what stands now, and announce it again"),
    ):
        command = declare(commands, name, run, about)
        identity(command)
        by(command)
    close = declare(commands, "close", _close, "end an incident, best with what it was found to be")
    identity(close)
    close.add_argument("--as", default="", dest="closed_as", choices=CLOSED_AS, help="what it was found to be")
    close.add_argument("--reason", type=said, help="why; it stands on the record")
    by(close)


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        message = f"{text!r} is not a number of incidents from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8,64}", text.lower()):
        message = "the first 8 to 64 hex digits of a plan's digest"
        raise argparse.ArgumentTypeError(message)
    return text.lower()


def _list(parsed: argparse.Namespace) -> int:
    ledger = open_ledger()
    listed = list(ledger.listed(ALL if parsed.phase else parsed.limit))
    held = (one for one in listed if isinstance(one, Held))
    records = [shown(one) for one in held if parsed.phase in (None, one.incident.phase)][: parsed.limit]
    unread = [one for one in listed if not isinstance(one, Held)]
    if parsed.json:
        print_json([*records, *({"id": one.place.key, "not_acted_on": str(one)} for one in unread)])
    else:
        show_list(stdout(), records, time.time_ns(), ledger.halted())
        for one in unread:
            stdout().line(str(one), "bad")
    return YES


def _show(parsed: argparse.Namespace) -> int:
    ledger = open_ledger()
    record = shown(found(ledger, parsed.id))
    if parsed.json:
        print_json(record)
    else:
        show(stdout(), record, time.time_ns(), ledger.halted())
    return YES


def _approve(parsed: argparse.Namespace) -> int:
    name, held = who(parsed), found(open_ledger(), parsed.id)
    incident, question = held.incident, held.incident.question
    if not held.acts:
        return say(parsed, str(newer(held.document)), NO)
    if incident.phase == "expired":
        return decide(parsed, "approve", "asking anew", incident.id, name)
    if incident.phase != "waiting" or question is None:
        return say(parsed, f"{incident.id}: nothing is asked: the incident is {incident.phase}", NO)
    if parsed.digest and not question.digest.startswith(parsed.digest):
        return say(parsed, f"the question is about plan {question.digest[:12]}, not {parsed.digest[:12]}", NO)
    if not parsed.json:
        show_question(stdout(), shown(held), time.time_ns())
        if not parsed.yes and sys.stdin.isatty() and not _confirmed():
            return say(parsed, "not approved; nothing was written", NO)
    # The digest of what was shown: should the question change meanwhile, this answers nothing.
    return decide(parsed, "approve", "containing", incident.id, name, digest=question.digest)


def _confirmed() -> bool:
    print("Approve? [yes/no] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _identity_of(parsed: argparse.Namespace) -> str:
    return found(open_ledger(), parsed.id).incident.id


def _reject(parsed: argparse.Namespace) -> int:
    return decide(parsed, "reject", "recording", _identity_of(parsed), who(parsed), reason=parsed.reason or "")


def _release(parsed: argparse.Namespace) -> int:
    return decide(parsed, "release", "restoring", _identity_of(parsed), who(parsed))


def _review(parsed: argparse.Namespace) -> int:
    return decide(parsed, "review", "looking", _identity_of(parsed), who(parsed))


def _close(parsed: argparse.Namespace) -> int:
    given = {"closed_as": parsed.closed_as, "reason": parsed.reason or ""}
    return decide(parsed, "close", "recording", _identity_of(parsed), who(parsed), **given)

"""`firebreak incident`: look at incidents, answer them, undo them."""

from __future__ import annotations

import argparse
import re
import sys
import time
from typing import get_args

from firebreak.cli.commands import EXIT_NO, EXIT_OK, UsageError, named, print_json, report
from firebreak.cli.commands.decision import decide
from firebreak.cli.commands.evidence import add_evidence_command
from firebreak.cli.commands.recorded import (
    ALL,
    by,
    chosen,
    found,
    identity,
    on_ledger,
    open_ledger,
    said,
    shown,
    to_decide,
    who,
)
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.incident_list import Count, show_list
from firebreak.cli.screens.incident_show import show
from firebreak.cli.screens.question import show_question
from firebreak.core.incidents.command import CLOSED_AS
from firebreak.core.incidents.incident import Phase
from firebreak.ledger.records import StoredIncident, newer


def add_incident_commands(parser: argparse.ArgumentParser) -> None:
    """What stands below `firebreak incident`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = on_ledger(commands, "list", _list, "incidents, last touched first")
    listing.add_argument("--phase", choices=get_args(Phase), metavar="PHASE", help="only those in this phase")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at the most (50)")
    identity(on_ledger(commands, "show", _show, "one incident: what, why, how it stands, how to undo it"))
    add_evidence_command(commands)
    approve = on_ledger(commands, "approve", _approve, "do what was asked; shows it first")
    identity(approve)
    _of_question(approve)
    approve.add_argument("--yes", action="store_true", help="approve what is asked right now, without asking again")
    by(approve)
    reject = on_ledger(commands, "reject", _reject, "answer the question with no")
    identity(reject)
    _of_question(reject)
    reject.add_argument("--reason", type=said, help="why; it stands on the record")
    by(reject)
    for name, run, about in (
        ("release", _release, "put back what this incident's containment set"),
        ("review", _review, "look at what stands now, and announce it again"),
    ):
        command = on_ledger(commands, name, run, about)
        identity(command)
        by(command)
    close = on_ledger(commands, "close", _close, "end an incident, best with what it was found to be")
    identity(close)
    _of_question(close)
    close.add_argument("--as", default="", dest="closed_as", choices=CLOSED_AS, help="what it was found to be")
    close.add_argument("--reason", type=said, help="why; it stands on the record")
    by(close)


def _of_question(command: argparse.ArgumentParser) -> None:
    command.add_argument("--digest", type=_digest, help="only if the question is about this plan (8 digits suffice)")


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
    ledger = open_ledger(chosen(parsed))
    listed = list(ledger.listed(ALL if parsed.phase else parsed.limit))
    held = [one for one in listed if isinstance(one, StoredIncident)]
    unread = [one for one in listed if not isinstance(one, StoredIncident)]
    fitting = [one for one in held if parsed.phase in (None, one.incident.phase)]
    records = [shown(one) | named(parsed) for one in fitting[: parsed.limit]]
    count = Count(ledger.count(), parsed.phase, len(fitting), len(listed), parsed.ledger)
    if parsed.json:
        print_json([*records, *({"id": one.place.key, "not_acted_on": str(one)} | named(parsed) for one in unread)])
        print(count.told(len(records)), file=sys.stderr)
    else:
        show_list(stdout(), records, time.time_ns(), ledger.halt_reason(), count)
        for one in unread:
            stdout().line(str(one), "bad")
    return EXIT_OK


def _show(parsed: argparse.Namespace) -> int:
    ledger = open_ledger(chosen(parsed))
    record = shown(found(ledger, parsed.id)) | named(parsed)
    if parsed.json:
        print_json(record)
    else:
        show(stdout(), record, time.time_ns(), ledger.halt_reason())
    return EXIT_OK


def _approve(parsed: argparse.Namespace) -> int:
    name, held = who(parsed), found(open_ledger(to_decide(parsed)), parsed.id)
    incident, question = held.incident, held.incident.question
    if not held.acts:
        return report(parsed, str(newer(held.document)), EXIT_NO)
    if incident.phase not in ("waiting", "expired") or question is None:
        return report(parsed, f"{incident.id}: nothing is asked: the incident is {incident.phase}", EXIT_NO)
    if parsed.digest and not question.digest.startswith(parsed.digest):
        return report(parsed, f"the question is about plan {question.digest[:12]}, not {parsed.digest[:12]}", EXIT_NO)
    asks = sys.stdin.isatty() and not parsed.json
    if not (asks or parsed.digest or parsed.yes):
        message = (
            "nobody can be asked here, so nothing was approved: say "
            f"`firebreak incident approve {incident.id} --digest DIGEST`, with the digest that "
            f"`firebreak incident show {incident.id}` prints, or --yes for what is asked right now"
        )
        raise UsageError(message)
    if not parsed.json:
        show_question(stdout(), shown(held), time.time_ns())
    if asks and not parsed.yes and not _confirmed():
        return report(parsed, "not approved; nothing was written", EXIT_NO)
    # The digest of what was shown: should the question change meanwhile, this answers nothing.
    doing = "containing" if incident.phase == "waiting" else "asking anew"
    return decide(parsed, "approve", doing, incident.id, name, digest=question.digest)


def _confirmed() -> bool:
    print("Approve? [yes/no] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _identity_of(parsed: argparse.Namespace) -> str:
    return found(open_ledger(to_decide(parsed)), parsed.id).incident.id


def _seen(parsed: argparse.Namespace) -> tuple[str, str]:
    """The incident, and the digest that is answered: as given, else of the question, which is shown if it is open."""
    held = found(open_ledger(to_decide(parsed)), parsed.id)
    question = held.incident.question
    if question is None or parsed.digest:
        return held.incident.id, parsed.digest or ""
    if held.incident.phase == "waiting" and not parsed.json:
        show_question(stdout(), shown(held), time.time_ns())
    return held.incident.id, question.digest


def _reject(parsed: argparse.Namespace) -> int:
    name, (incident, digest) = who(parsed), _seen(parsed)
    return decide(parsed, "reject", "recording", incident, name, digest=digest, reason=parsed.reason or "")


def _release(parsed: argparse.Namespace) -> int:
    return decide(parsed, "release", "restoring", _identity_of(parsed), who(parsed))


def _review(parsed: argparse.Namespace) -> int:
    return decide(parsed, "review", "looking", _identity_of(parsed), who(parsed))


def _close(parsed: argparse.Namespace) -> int:
    name, (incident, digest) = who(parsed), _seen(parsed)
    given = {"closed_as": parsed.closed_as, "reason": parsed.reason or "", "digest": digest}
    return decide(parsed, "close", "recording", incident, name, **given)

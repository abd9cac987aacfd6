"""What a person decides about incidents: approve, reject, retry, review, close, and the sweep."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

from firebreak.cli.commands import EXIT_NO, UsageError, report
from firebreak.cli.commands.decision import command_of, decide
from firebreak.cli.commands.ledgers import to_decide, who
from firebreak.cli.commands.recorded import found, open_ledger, shown
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.next_steps import show_step
from firebreak.cli.screens.question import show_question
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import NextStep, next_steps
from firebreak.core.signing import Sealed
from firebreak.ledger.records import newer


def approve(parsed: argparse.Namespace) -> int:
    """Do what was asked; it is shown first."""
    name, held = who(parsed), found(open_ledger(to_decide(parsed)), parsed.id)
    incident, question = held.incident, held.incident.question
    if not held.acts:
        return report(parsed, str(newer(held.document)), EXIT_NO)
    if incident.phase not in ("waiting", "expired") or question is None:
        return report(parsed, f"{incident.id}: nothing is asked: {_how_it_stands(incident)}", EXIT_NO)
    doubtful = held.sealed is not Sealed.HOLDS and question.suspects is None
    if (doubtful or held.sealed is Sealed.BROKEN) and not parsed.digest:
        return report(parsed, _not_shown_right(incident), EXIT_NO)
    if parsed.digest and not question.digest.startswith(parsed.digest):
        other = f"the question is {question.digest[:12]}, not {parsed.digest[:12]}"
        return report(parsed, f"{other}; {_look(incident)}", EXIT_NO)
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
    if asks and not parsed.yes and not confirmed("Approve?"):
        return report(parsed, f"not approved; nothing was written; {_look(incident)}", EXIT_NO)
    # The digest of what was shown: should the question change meanwhile, this answers nothing.
    doing = "containing" if incident.phase == "waiting" else "looking anew"
    return decide(parsed, doing, command_of("approve", name, incident.id, digest=question.digest))


def _not_shown_right(incident: Incident) -> str:
    """Why what the record shows is answered by nobody."""
    return (
        f"nothing was approved: the record of {incident.id} is not what the function saved, as far as can be seen here,"
        " so it may show another plan than the one asked about. The message that asked has the digest: say"
        f" firebreak incident approve {incident.id} --digest DIGEST, or look with FIREBREAK_SEAL_KEY set"
    )


def _how_it_stands(incident: Incident) -> str:
    """The phase, what is waited for, and what to type next."""
    waits = f" ({incident.waits.reason})" if incident.waits else ""
    steps = next_steps(incident)
    anew = next((f"to have it decided anew: {one.command}" for one in steps if one.word == "anew"), "")
    return f"the incident is {incident.phase}{waits}; {anew or _look(incident)}"


def _look(incident: Incident) -> str:
    return f"look at it with firebreak incident show {incident.id}"


def confirmed(question: str) -> bool:
    """Whether a person at the terminal says yes."""
    print(f"{question} [yes/no] ", end="", file=sys.stderr, flush=True)
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


def reject(parsed: argparse.Namespace) -> int:
    """Answer the question with no."""
    name, (incident, digest) = who(parsed), _seen(parsed)
    reason = parsed.reason or ""
    if not reason and sys.stdin.isatty() and not parsed.json:
        print("Why not? ", end="", file=sys.stderr, flush=True)
        reason = sys.stdin.readline().strip()
        if not reason:
            return report(parsed, "not rejected: a no needs a reason, which stays on the record", EXIT_NO)
    return decide(parsed, "recording", command_of("reject", name, incident, reason, digest))


def retry(parsed: argparse.Namespace) -> int:
    """Have an incident decided anew, by today's policies and on a fresh look."""
    given = command_of("retry", who(parsed), _identity_of(parsed), parsed.reason or "")
    return decide(parsed, "deciding anew", given)


def review(parsed: argparse.Namespace) -> int:
    """Look at what stands now, and announce it again."""
    return decide(parsed, "looking", command_of("review", who(parsed), _identity_of(parsed)))


def close(parsed: argparse.Namespace) -> int:
    """End an incident, best with what it was found to be."""
    if parsed.keep and parsed.closed_as not in ("", "true_positive"):
        message = f"what was {parsed.closed_as} needs no containment: release it, or leave --keep out"
        raise UsageError(message)
    name, (incident, digest) = who(parsed), _seen(parsed)
    given = command_of("close", name, incident, parsed.reason or "", digest)
    keep = "yes" if parsed.keep else ""
    return decide(parsed, "recording", replace(given, closed_as=parsed.closed_as, keep=keep))


def sweep(parsed: argparse.Namespace) -> int:
    """Carry on what was left, ask again what expired, look at all that stands."""
    code = decide(parsed, "checking all that is due", command_of("sweep", who(parsed)))
    if not parsed.json:
        show_step(stdout(), NextStep("look", "firebreak incident list"))
    return code

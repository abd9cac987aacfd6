"""The `firebreak` command. Exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached."""

from __future__ import annotations

import argparse
import getpass
import io
import logging
import os
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from commands import NO, UNREACHABLE, USAGE, YES, Misused, Nothing, declare, print_json, require_folder, say
from commands.policy import add_policy_commands
from core.codec import Unreadable
from core.errors import Refused, Transient
from core.faults import Faults
from core.incident import Phase
from core.record import record
from core.redaction import safe
from documents import Conflict, Exists
from ledger import Held, Ledger
from screens.console import stdout, working
from screens.incident_list import show_list
from screens.incident_show import show
from screens.policy_lint import fault_json, show_faults
from screens.question import show_question
from settings import Settings, SettingsFault, read_settings

if TYPE_CHECKING:
    from app import App
    from stages.answers import Answered

_ALL = 10_000
_IDENTITY = re.compile(r"[A-Za-z0-9._~-]{1,100}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; whatever a person or an outage can cause ends in a sentence and an exit code."""
    parsed = _parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(parsed)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone; nothing more can be told, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO
    return code


def _run(parsed: argparse.Namespace) -> int:
    try:
        return int(parsed.run(parsed))
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return say(parsed, "interrupted; what was begun is on the record and can be run again", NO)
    except Exception as fault:  # noqa: BLE001 - the outermost place: all that is left becomes an exit code
        return _ended(parsed, fault)


def _ended(parsed: argparse.Namespace, fault: Exception) -> int:
    """What went wrong in words, and the exit code it stands for."""
    if isinstance(fault, Faults):
        return _say_faults(parsed, fault)
    for kinds, code in (((SettingsFault, Misused), USAGE), (Refused, NO), ((Transient, OSError), UNREACHABLE)):
        if isinstance(fault, kinds):
            return say(parsed, str(fault) or type(fault).__name__, code)
    if isinstance(fault, Unreadable):
        return say(parsed, f"the record was saved by another version of Firebreak: {fault}", UNREACHABLE)
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return say(parsed, f"Firebreak could not go on: {type(fault).__name__}: {fault} ({at})", UNREACHABLE)


def _say_faults(parsed: argparse.Namespace, faults: Faults) -> int:
    if parsed.json:
        print_json({"faults": [fault_json(one) for one in faults.faults], "exit": NO})
        return NO
    if not getattr(parsed, "reads_policies", False):
        print("the policies do not load; nothing was done", file=sys.stderr)
    show_faults(stdout(), faults.faults)
    return NO


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firebreak",
        description="Containment of compromised Cloud Run workloads, for the people who answer for it.",
        epilog="exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached",
    )
    groups = parser.add_subparsers(required=True, metavar="COMMAND")
    _incident_parser(groups.add_parser("incident", help="look at incidents, answer them, undo them"))
    add_policy_commands(groups.add_parser("policy", help="check policies and run their examples"))
    halt = declare(groups, "halt", _halt, "no containing write from now on, anywhere")
    halt.add_argument("--reason", required=True, type=_said, help="why; it stands on every record")
    _by(halt)
    _by(declare(groups, "resume", _resume, "lift the halt"))
    demo = declare(groups, "demo", _demo, "from a finding to a contained and restored service, on this machine")
    demo.add_argument("--scenario", metavar="NAME", help="only this story")
    demo.add_argument("--list", action="store_true", help="the stories there are")
    return parser


def _incident_parser(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = declare(commands, "list", _list, "incidents, last touched first")
    listing.add_argument("--phase", choices=get_args(Phase), metavar="PHASE", help="only those in this phase")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at the most (50)")
    _identity(declare(commands, "show", _show, "one incident: what, why, how it stands, how to undo it"))
    approve = declare(commands, "approve", _approve, "do what was asked; shows it first")
    _identity(approve)
    approve.add_argument("--digest", type=_digest, help="only if the question is about this plan (8 digits suffice)")
    approve.add_argument("--yes", action="store_true", help="do not ask again on a terminal")
    _by(approve)
    reject = declare(commands, "reject", _reject, "answer the question with no")
    _identity(reject)
    reject.add_argument("--reason", required=True, type=_said, help="why; it stands on the record")
    _by(reject)
    release = declare(commands, "release", _release, "put back what this incident's containment set")
    _identity(release)
    _by(release)


def _identity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the incident's id, or as much of its beginning as no other has")


def _by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", type=_said, metavar="WHO", help="who you are, recorded as claimed (your login name)")


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        message = f"{text!r} is not a number of incidents from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _said(text: str) -> str:
    """Words that say something: an empty reason would be none, and an empty halt is how a halt is lifted."""
    if not text.strip():
        message = "it must say something"
        raise argparse.ArgumentTypeError(message)
    return safe(text.strip(), 500)


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8,64}", text.lower()):
        message = "the first 8 to 64 hex digits of a plan's digest"
        raise argparse.ArgumentTypeError(message)
    return text.lower()


def _who(parsed: argparse.Namespace) -> str:
    try:
        who = safe(str(parsed.by or getpass.getuser()), 100)
    except (KeyError, OSError):
        message = "it is not known who you are: say so with --by"
        raise Misused(message) from None
    if who.lower() == "firebreak":
        message = "on a record, firebreak is Firebreak itself: say with --by who you are"
        raise Misused(message)
    return who


def _ledger() -> Ledger:
    """What was recorded. Policies, which may be broken just now, are not needed to read it."""
    from adapters.sqlite import SqliteDocuments  # noqa: PLC0415 - with `app`
    from app import seal_keys  # noqa: PLC0415 - Google's clients come with it, and not every command needs them
    from core.seal import Seal  # noqa: PLC0415 - with `app`

    settings = read_settings()
    seal = Seal(seal_keys(settings))
    return Ledger(SqliteDocuments(settings.ledger_path), uuid.uuid4().hex, time.time_ns, seal)


def _app(settings: Settings | None = None) -> App:
    """The application, silent: what it would log is on the record."""
    from app import build  # noqa: PLC0415 - see `_ledger`

    def quiet(severity: str, message: str, **fields: object) -> None:
        """The record has it all."""

    chosen = settings or read_settings()
    require_folder(chosen.policies)
    return build(chosen, quiet)


def _app_for_the_way_back() -> App:
    """The application, also where policies do not load just now: rejecting and releasing do not ask them."""
    try:
        return _app()
    except (Faults, Misused) as fault:
        first = str(fault).partition("\n")[0]
        print(safe(f"the policies do not load, and this goes on without them: {first}"), file=sys.stderr)
    with tempfile.TemporaryDirectory() as empty:
        return _app(replace(read_settings(), policies=Path(empty)))


def _record(held: Held) -> dict[str, Any]:
    shown = record(held.incident)
    return shown if held.sealed else {**shown, "seal": "broken"}


def _found(ledger: Ledger, wanted: str) -> Held:
    """The incident whose id this is, or begins so; raises Nothing if there is none or more than one."""
    if not _IDENTITY.fullmatch(wanted):
        message = f"{wanted!r} is no incident's id"
        raise Nothing(message)
    if held := ledger.read(wanted):
        return held
    begins = (wanted, f"fb-{wanted}")
    known = sorted(one.key for one in ledger.documents.newest("incident", _ALL) if one.key.startswith(begins))
    if len(known) > 1:
        message = f"{wanted} fits {len(known)} incidents: {', '.join(known[:5])}"
        raise Nothing(message)
    held = ledger.read(known[0]) if known else None
    if held is None:
        message = f"there is no incident {wanted}"
        raise Nothing(message)
    return held


def _list(parsed: argparse.Namespace) -> int:
    ledger = _ledger()
    held = list(ledger.newest(_ALL if parsed.phase else parsed.limit))
    records = [_record(one) for one in held if parsed.phase in (None, one.incident.phase)][: parsed.limit]
    if parsed.json:
        print_json(records)
    else:
        show_list(stdout(), records, time.time_ns(), ledger.halted())
    return YES


def _show(parsed: argparse.Namespace) -> int:
    ledger = _ledger()
    shown = _record(_found(ledger, parsed.id))
    if parsed.json:
        print_json(shown)
    else:
        show(stdout(), shown, time.time_ns(), ledger.halted())
    return YES


def _approve(parsed: argparse.Namespace) -> int:
    import pipeline  # noqa: PLC0415 - see `_ledger`

    who, app = _who(parsed), _app()
    incident = (held := _found(app.ledger, parsed.id)).incident
    question = incident.question
    if incident.phase != "waiting" or question is None:
        return say(parsed, f"{incident.id}: nothing is asked: the incident is {incident.phase}", NO)
    if parsed.digest and not question.digest.startswith(parsed.digest):
        return say(parsed, f"the question is about plan {question.digest[:12]}, not {parsed.digest[:12]}", NO)
    if not parsed.json:
        show_question(stdout(), _record(held), time.time_ns())
        if not parsed.yes and sys.stdin.isatty() and not _confirmed():
            return say(parsed, "not approved; nothing was written", NO)
    # The digest of what was shown: should the question change meanwhile, this answers nothing.
    return _answer(parsed, "containing", lambda: pipeline.approve(app, incident.id, who, question.digest))


def _confirmed() -> bool:
    print("Approve? [yes/no] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _reject(parsed: argparse.Namespace) -> int:
    import pipeline  # noqa: PLC0415 - see `_ledger`

    who, app = _who(parsed), _app_for_the_way_back()
    identity = _found(app.ledger, parsed.id).incident.id
    return _answer(parsed, "recording", lambda: pipeline.reject(app, identity, who, parsed.reason))


def _release(parsed: argparse.Namespace) -> int:
    import pipeline  # noqa: PLC0415 - see `_ledger`

    who, app = _who(parsed), _app_for_the_way_back()
    identity = _found(app.ledger, parsed.id).incident.id
    return _answer(parsed, "restoring", lambda: pipeline.release(app, identity, who))


def _answer(parsed: argparse.Namespace, doing: str, act: Callable[[], Answered | None]) -> int:
    """Act, and tell what came of it; a question that was asked again is shown."""
    if parsed.json:
        answered = act()
    else:
        with working(doing):
            answered = act()
    if answered is None:
        return say(parsed, f"there is no incident {parsed.id}", NO)
    code = YES if answered.done else NO
    incident, shown = answered.held.incident, _record(answered.held)
    if parsed.json:
        print_json({"says": safe(answered.says), "exit": code, "incident": shown})
        return code
    say(parsed, f"{incident.id}: {answered.says}", code)
    if answered.done:
        for text in shown.get("still_open") or ():
            stdout().line(f"still open: {text}", "caution", indent=2, hang=2)
    elif incident.phase == "waiting":
        show_question(stdout(), shown, time.time_ns())
    return code


def _halt(parsed: argparse.Namespace) -> int:
    _set_halt(_ledger(), parsed.reason, _who(parsed))
    return say(parsed, "halted: nothing is written until `firebreak resume`; releases by a person still work", YES)


def _resume(parsed: argparse.Namespace) -> int:
    ledger, who = _ledger(), _who(parsed)
    if ledger.halted() is None:
        return say(parsed, "nothing is halted", NO)
    _set_halt(ledger, "", who)
    return say(parsed, "the halt is lifted", YES)


def _set_halt(ledger: Ledger, reason: str, who: str) -> None:
    """Two people may halt at the same moment, and both mean it."""
    for _ in range(3):
        try:
            ledger.halt(reason, who)
        except (Conflict, Exists):
            continue
        return
    message = "somebody else is setting or lifting the halt; look, and try again"
    raise Transient(message)


def _demo(parsed: argparse.Namespace) -> int:
    try:
        from sandbox.stories import run  # noqa: PLC0415 - what it needs is not deployed
    except ModuleNotFoundError as fault:
        return say(parsed, f"the demo needs all that `make setup` installs, and {fault.name} is missing", UNREACHABLE)
    return run(parsed.scenario, listing=parsed.list, as_json=parsed.json)


if __name__ == "__main__":
    sys.exit(main())

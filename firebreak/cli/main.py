"""The `firebreak` command. Exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence

from firebreak.cli.commands import EXIT_NO, EXIT_UNREACHABLE, EXIT_USAGE, INTERRUPTED, UsageError, print_json, report
from firebreak.cli.commands.decision import decide
from firebreak.cli.commands.demo import add_demo_command
from firebreak.cli.commands.incident import add_incident_commands
from firebreak.cli.commands.policy import add_policy_commands
from firebreak.cli.commands.recorded import by, on_ledger, open_ledger, said, to_decide, who
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.policy_lint import fault_json, show_faults
from firebreak.core.code_location import place
from firebreak.core.diagnostics import Faults
from firebreak.core.errors import Refused, Transient
from firebreak.settings import SettingsFault


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
        return EXIT_NO
    return code


def _run(parsed: argparse.Namespace) -> int:
    try:
        return int(parsed.run(parsed))
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return report(parsed, "interrupted; what was begun is on the record and can be run again", INTERRUPTED)
    except Exception as fault:  # noqa: BLE001 - the outermost place: all that is left becomes an exit code
        return _ended(parsed, fault)


def _ended(parsed: argparse.Namespace, fault: Exception) -> int:
    """What went wrong in words, and the exit code it stands for."""
    if isinstance(fault, Faults):
        return _say_faults(parsed, fault)
    for kinds, code in (
        ((SettingsFault, UsageError), EXIT_USAGE),
        (Refused, EXIT_NO),
        ((Transient, OSError), EXIT_UNREACHABLE),
    ):
        if isinstance(fault, kinds):
            return report(parsed, str(fault) or type(fault).__name__, code)
    return report(
        parsed, f"Firebreak could not go on: {type(fault).__name__}: {fault} ({place(fault)})", EXIT_UNREACHABLE
    )


def _say_faults(parsed: argparse.Namespace, faults: Faults) -> int:
    if parsed.json:
        print_json({"faults": [fault_json(one) for one in faults.faults], "exit": EXIT_NO})
        return EXIT_NO
    if not getattr(parsed, "reads_policies", False):
        print("the policies do not load; nothing was done", file=sys.stderr)
    show_faults(stdout(), faults.faults)
    return EXIT_NO


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firebreak",
        description="Containment of compromised Cloud Run workloads, for the people who answer for it.",
        epilog="exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached, 130 interrupted",
    )
    groups = parser.add_subparsers(required=True, metavar="COMMAND")
    add_incident_commands(groups.add_parser("incident", help="look at incidents, answer them, undo them"))
    add_policy_commands(groups.add_parser("policy", help="check policies and run their examples"))
    halt = on_ledger(groups, "halt", _halt, "no containing write from now on, anywhere")
    halt.add_argument("--reason", required=True, type=said, help="why; it stands on every record")
    by(halt)
    by(on_ledger(groups, "resume", _resume, "lift the halt"))
    by(on_ledger(groups, "sweep", _sweep, "carry on what was left, ask again what expired, look at all that stands"))
    add_demo_command(groups)
    return parser


def _halt(parsed: argparse.Namespace) -> int:
    return decide(parsed, "halt", "halting", by=who(parsed), reason=parsed.reason)


def _resume(parsed: argparse.Namespace) -> int:
    name, halt = who(parsed), open_ledger(to_decide(parsed)).read_halt()
    if halt is None:
        return report(parsed, "nothing is halted", EXIT_NO)
    # The halt that stands now, by its name: one that is set from here on is not meant.
    return decide(parsed, "resume", "lifting the halt", by=name, halt=str(halt.at_ns))


def _sweep(parsed: argparse.Namespace) -> int:
    return decide(parsed, "sweep", "looking at all that is due", by=who(parsed))


if __name__ == "__main__":
    sys.exit(main())

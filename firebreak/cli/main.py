"""The `firebreak` command. Exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached."""

from __future__ import annotations

import argparse
import importlib
import io
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from firebreak.cli.arguments import arguments
from firebreak.cli.commands import (
    EXIT_NO,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    INTERRUPTED,
    PIPE_CLOSED,
    UsageError,
    print_json,
    report,
)
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.faults import fault_json, show_faults
from firebreak.core.code_location import place
from firebreak.core.diagnostics import Faults
from firebreak.core.errors import Refused, Transient
from firebreak.settings import SettingsFault

_OURS = frozenset({"firebreak", "enrichment", "responders", "main"})


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; whatever a person or an outage can cause ends in a sentence and an exit code."""
    parsed = arguments().parse(words)
    if parsed.run is None:
        parsed.parser.print_help(sys.stderr)
        return EXIT_USAGE
    logging.disable(logging.CRITICAL)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(parsed)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone; nothing more can be told, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return code


def _run(parsed: argparse.Namespace) -> int:
    try:
        return _function(parsed.run)(parsed)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return report(parsed, "interrupted; what was begun is on the record and can be run again", INTERRUPTED)
    except Exception as fault:  # noqa: BLE001 - the outermost place: all that is left becomes an exit code
        if parsed.traceback:
            traceback.print_exception(fault)
        return _ended(parsed, fault)


def _function(name: str) -> Callable[[argparse.Namespace], int]:
    """The function that carries a command out, imported here and nowhere else."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]  # tests/cli holds each to it


def _ended(parsed: argparse.Namespace, fault: Exception) -> int:
    """What went wrong in words, and the exit code it stands for."""
    if isinstance(fault, Faults):
        return _say_faults(parsed, fault)
    if isinstance(fault, ImportError) and (fault.name or "firebreak").partition(".")[0] not in _OURS:
        return report(parsed, f"{parsed.needs} ({fault.name} is missing)", EXIT_UNREACHABLE)
    for kinds, code in (
        ((SettingsFault, UsageError), EXIT_USAGE),
        (Refused, EXIT_NO),
        ((Transient, OSError), EXIT_UNREACHABLE),
    ):
        if isinstance(fault, kinds):
            return report(parsed, str(fault) or type(fault).__name__, code)
    more = "" if parsed.traceback else "; --traceback shows the whole trace"
    what = f"unexpected error: {type(fault).__name__}: {fault} ({place(fault)}){more}"
    return report(parsed, what, EXIT_UNREACHABLE)


def _say_faults(parsed: argparse.Namespace, faults: Faults) -> int:
    if parsed.json:
        print_json({"faults": [fault_json(one) for one in faults.faults], "exit": EXIT_NO})
        return EXIT_NO
    if not getattr(parsed, "reads_policies", False):
        print("the policies do not load; nothing was done", file=sys.stderr)
    show_faults(stdout(), faults.faults)
    return EXIT_NO


if __name__ == "__main__":
    sys.exit(main())

"""`firebreak demo`: stories told on a local Google Cloud, and one to practise on."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from firebreak.cli.commands import EXIT_OK, EXIT_UNREACHABLE, UsageError, declare, report
from firebreak.settings import read_settings

_SERVICE = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_KNOWN = "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2"
_SCC = "SECURITY_CENTER_EMULATOR_HOST"


def add_demo_command(groups: Any) -> None:  # noqa: ANN401 - argparse's own
    """Declare the command."""
    demo = declare(groups, "demo", _demo, "from a finding to a contained and restored service, on this machine")
    demo.add_argument("--scenario", metavar="NAME", help="this story, or all")
    demo.add_argument("--list", action="store_true", help="the stories there are")
    demo.add_argument("--practice", type=Path, metavar="FOLDER", help="make a folder to practise in, with a cloud")
    demo.add_argument("--attack", metavar="SERVICE", help="there: have malware found on this service")
    demo.add_argument("--sha256", default=_KNOWN, metavar="HASH", help="of that malware (one that VirusTotal knows)")
    demo.add_argument("--save", type=Path, metavar="FILE", help="write that finding to a file, as it is published")


def _demo(parsed: argparse.Namespace) -> int:
    try:
        if parsed.practice or parsed.attack:
            return report(parsed, _practised(parsed), EXIT_OK)
        from sandbox.stories import run  # noqa: PLC0415 - what it needs is not deployed
    except ModuleNotFoundError as fault:
        return report(
            parsed, f"the demo needs all that `make setup` installs, and {fault.name} is missing", EXIT_UNREACHABLE
        )
    return run(parsed.scenario, listing=parsed.list, as_json=parsed.json)


def _practised(parsed: argparse.Namespace) -> str:
    from sandbox.practice import attack, open_practice  # noqa: PLC0415 - what it needs is not deployed

    if parsed.practice:
        return open_practice(parsed.practice)
    host = read_settings().emulators.get(_SCC)
    if host is None:
        message = f"{_SCC} is not set: source the `environment` of a folder that `firebreak demo --practice` made"
        raise UsageError(message)
    if not _SERVICE.fullmatch(parsed.attack) or not re.fullmatch(r"[0-9a-f]{64}", parsed.sha256):
        message = "--attack takes the name of a service, --sha256 64 hex digits"
        raise UsageError(message)
    return attack(host, parsed.attack, sha256=parsed.sha256, save=parsed.save)

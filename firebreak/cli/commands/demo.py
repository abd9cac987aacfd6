"""`firebreak demo`: stories told on a local Google Cloud, and one to practise on."""

from __future__ import annotations

import argparse
import re

from firebreak.cli.commands import EXIT_OK, UsageError, report
from firebreak.settings import read_settings
from sandbox.practice import attack, open_practice
from sandbox.stories import run
from sandbox.year.folder import open_year

_SERVICE = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_SCC = "SECURITY_CENTER_EMULATOR_HOST"


def demo(parsed: argparse.Namespace) -> int:
    """Tell a story, or make or use a folder to practise in."""
    if parsed.year:
        return report(parsed, open_year(parsed.year), EXIT_OK)
    if parsed.practice or parsed.attack:
        return report(parsed, _practised(parsed), EXIT_OK)
    return run(parsed.scenario, listing=parsed.list, as_json=parsed.json)


def _practised(parsed: argparse.Namespace) -> str:
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

"""`firebreak completion SHELL`: the script that lets a shell complete what may be typed."""

from __future__ import annotations

import argparse

from firebreak.cli.arguments import arguments
from firebreak.cli.commands import EXIT_OK, print_json
from firebreak.cli.completion import SCRIPTS, offers


def completion(parsed: argparse.Namespace) -> int:
    """Print the script; it is read once, when the shell starts."""
    script = SCRIPTS[parsed.shell](tuple(offers(arguments())))
    if parsed.json:
        print_json({"shell": parsed.shell, "script": script})
    else:
        print(script)
    return EXIT_OK

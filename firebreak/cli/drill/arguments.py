"""The words of `firebreak drill`."""

from __future__ import annotations

import argparse

from firebreak.cli import values

HELLO = "us-docker.pkg.dev/cloudrun/container/hello"
REGION = "us-central1"


def drill_options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """What may be typed after `firebreak drill`."""
    parser.add_argument(
        "--project", type=values.project_id, required=True, metavar="PROJECT", help="deploy the canary here"
    )
    region = f"in this region; by default {REGION}, and with --clean all"
    parser.add_argument("--region", type=values.words, help=region)
    source = "the drill's own SCC source: organizations/ORGANIZATION/sources/SOURCE; by default that of firebreak.yaml"
    parser.add_argument("--source", metavar="SOURCE", help=source)
    parser.add_argument("--image", default=HELLO, help="the canary's image; by default Google's public hello")
    account = "run the canary as this account, best one without any role; by default the project's own"
    parser.add_argument("--service-account", metavar="EMAIL", help=account)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--probe", action="store_true", help="ask Google, too, what its documentation leaves open")
    left = "take away what earlier drills left in the project, and deploy nothing"
    either.add_argument("--clean", action="store_true", help=left)
    parser.add_argument("--yes", action="store_true", help="begin without asking you")
    return parser

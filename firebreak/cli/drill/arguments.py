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
    parser.add_argument("--region", default=REGION, help=f"in this region; by default {REGION}")
    source = "the drill's own SCC source: organizations/ORGANIZATION/sources/SOURCE; by default that of firebreak.yaml"
    parser.add_argument("--source", metavar="SOURCE", help=source)
    parser.add_argument("--image", default=HELLO, help="the canary's image; by default Google's public hello")
    account = "run the canary as this account, best one without any role; by default the project's own"
    parser.add_argument("--service-account", metavar="EMAIL", help=account)
    parser.add_argument("--yes", action="store_true", help="begin without asking you")
    return parser

"""What commands about the past take."""

from __future__ import annotations

import argparse
from pathlib import Path

from firebreak.cli import values
from firebreak.core.mode import MODES


def backtest_options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """What `policy backtest` takes."""
    files = "files of past findings and incidents, in JSON or JSON Lines, packed by gzip or not; - for standard input"
    parser.add_argument("history", nargs="+", metavar="HISTORY", help=files)
    assume_option(parser)
    now = "ask what it says today about files of which no answer was recorded; kept in a file beside the history"
    parser.add_argument("--enrich", choices=("virustotal",), help=now)
    bound = "ask about so many files at most, the most frequent first; by default 400, of the 500 a day of a free key"
    parser.add_argument("--enrich-limit", type=values.count, default=400, metavar="COUNT", help=bound)
    state = "keep here how far it came, and go on from there after an interruption; removed once the report is made"
    parser.add_argument("--resume", type=Path, metavar="FILE", help=state)
    against = "show what differs from the policies in another folder, or from these at a revision of git, as HEAD~1"
    parser.add_argument("--against", metavar="FOLDER", help=against)
    parser.add_argument(
        "--policies", type=Path, metavar="FOLDER", help="the policies that decide; by default FIREBREAK_POLICIES"
    )
    page = "write the report to this file, too: one HTML file that needs nothing beside it"
    parser.add_argument("--html", type=Path, metavar="FILE", help=page)
    most = "exit with 1 where there is more, for a check in CI: 'enforced>0,asked>20'"
    parser.add_argument("--fail-if", type=values.bounds, default=(), metavar="BOUNDS", help=most)
    return parser


def pull_options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """What `history pull` takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="JSON Lines, to be made or added to")
    parser.add_argument(
        "--since", type=values.age, default="90d", metavar="AGE", help="look back 24h, 30d or 52w; by default 90d"
    )
    number = "of the organization; by default the one that firebreak.yaml names"
    parser.add_argument("--organization", type=values.number, metavar="NUMBER", help=number)
    return parser


def stats_options(parser: argparse.ArgumentParser) -> None:
    """What `policy stats`, `policy log` and `policy promote` take."""
    files = "files with recorded incidents, as backtests read them; by default the ledger is read"
    parser.add_argument("history", nargs="*", default=[], metavar="HISTORY", help=files)


def digest_options(parser: argparse.ArgumentParser) -> None:
    """What `policy digest` takes."""
    folder = "the policies, with the firebreak.yaml beside them; by default FIREBREAK_POLICIES"
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help=folder)
    parser.set_defaults(reads_policies=True)


def promote_options(parser: argparse.ArgumentParser) -> None:
    """What `policy promote` takes."""
    parser.add_argument("policy", metavar="POLICY", help="the policy's id")
    stats_options(parser)
    mode = "the mode that it is to have; by default the next one, and out of shadow the one that it has"
    parser.add_argument("--to", choices=tuple(MODES), metavar="MODE", help=mode)
    parser.add_argument(
        "--policies", type=Path, metavar="FOLDER", help="the folder with the policy; by default FIREBREAK_POLICIES"
    )
    parser.add_argument(
        "--write", dest="edits", action="store_true", help="make the edit; comments and all else stay as they are"
    )


def assume_option(parser: argparse.ArgumentParser) -> None:
    """Suppose answers of sources."""
    parser.add_argument(
        "--assume",
        action="append",
        default=[],
        metavar="FACT=VALUE",
        help="take a fact for granted: virustotal.malicious=40, or SOURCE=unknown",
    )

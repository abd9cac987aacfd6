"""Every command's words in one place: what may be typed, what it means, and which function carries it out.

A command's function is named as `module:function` and imported once it is called (`firebreak/cli/main.py`), so that no
command waits for the libraries of another.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from firebreak import VERSION
from firebreak.cli import past_arguments, values
from firebreak.cli.drill.arguments import drill_options
from firebreak.cli.parser import Parser
from firebreak.core.incidents.phase import CLOSED_AS, Phase

REPORTS = ("junit", "sarif", "github")
"""The formats of `policy lint` and `policy test` for other programs."""
KNOWN_MALWARE = "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2"
_COMMANDS = "firebreak.cli.commands"
_ANSWERS = f"{_COMMANDS}.answers"
_REASON = "the reason; Firebreak writes it on the record"
NEEDS_CLI = "this needs more packages than are installed; in a clone: pipx install --force '.[cli]'"
NEEDS_ALL = (
    "this runs Firebreak itself in this process, and needs all its packages; in a clone: pipx install --force '.[all]'"
)
_EXIT_CODES = "exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached, 130 interrupted"


def arguments() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="firebreak",
        description="Firebreak contains compromised Cloud Run workloads. Here you see what it did, and answer it.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"firebreak {VERSION}")
    parser.set_defaults(traceback=False)
    groups = _group(parser)
    _incident(_group(groups.add_parser("incident", help="show incidents, answer them, undo them")))
    _policy(_group(groups.add_parser("policy", help="check policies and run their examples")))
    added = "add past findings from SCC and incidents from the ledger to a file; said again, it goes on from there"
    past = _group(groups.add_parser("history", help="keep what happened, for backtests"))
    past_arguments.pull_options(_on_ledger(past, "pull", f"{_COMMANDS}.history:pull", added)).set_defaults(
        needs=NEEDS_ALL
    )
    halt = _on_ledger(groups, "halt", f"{_COMMANDS}.halt:halt", "stop every containing write, everywhere, from now on")
    halt.add_argument(
        "--reason", required=True, type=values.words, help="the reason; Firebreak writes it on every record"
    )
    _by(halt)
    _by(_on_ledger(groups, "resume", f"{_COMMANDS}.halt:resume", "lift the halt"))
    due = "continue what was interrupted, ask expired questions again, and check every containment"
    _by(_on_ledger(groups, "sweep", f"{_ANSWERS}:sweep", due))
    about = "print what lets your shell complete these commands"
    completion = _command(groups, "completion", f"{_COMMANDS}.completion:completion", about)
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="your shell")
    _machine(groups)
    what = "rehearse an incident on a harmless service of your own, through Firebreak as it is deployed"
    _by(drill_options(_on_ledger(groups, "drill", f"{_COMMANDS}.drill:drill", what))).set_defaults(needs=NEEDS_ALL)
    figures = "show what was done in a span of time, in figures: open, asked, contained, how fast, how often falsely"
    report = _on_ledger(groups, "report", f"{_COMMANDS}.figures:show", figures)
    report.add_argument(
        "--since", type=values.age, default="7d", metavar="AGE", help="look back 24h, 7d or 4w; by default 7d"
    )
    until = "look back from 2026-12-01 or 2026-12-01T09:00:00Z; by default from now"
    report.add_argument("--until", type=values.moment, metavar="TIME", help=until)
    _demo(groups)
    return parser


def _group(parser: argparse.ArgumentParser) -> Any:  # noqa: ANN401 - argparse has no public name for it
    """Commands below a word. The word alone shows what there is."""
    _traceback(parser)
    parser.set_defaults(run=None, parser=parser)
    return parser.add_subparsers(metavar="COMMAND")


def _traceback(parser: argparse.ArgumentParser) -> None:
    """The option that every word takes. Where it is not given, it must not undo what was given before."""
    parser.add_argument(
        "--traceback", action="store_true", default=argparse.SUPPRESS, help="show Python's traceback of a failure"
    )


class _Format(argparse.Action):
    """`--format`, of which json is `--json` by another name."""

    def __call__(self, _parser: object, space: argparse.Namespace, value: object, _option: str | None = None) -> None:
        """Keep both words in step."""
        space.format, space.json = value, value == "json"


def _command(
    groups: Any,  # noqa: ANN401 - argparse has no public name for it
    name: str,
    run: str,
    about: str,
    formats: Iterable[str] = (),
) -> argparse.ArgumentParser:
    """A command with its sentence. Each one takes `--json`; some know more formats."""
    parser: argparse.ArgumentParser = groups.add_parser(name, help=about, description=about)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON, for programs")
    if formats:
        known = ("text", "json", *formats)
        output.add_argument("--format", action=_Format, choices=known, default="text", help="choose what is printed")
    _traceback(parser)
    parser.set_defaults(run=run, parser=parser, ledger=None, needs=NEEDS_CLI)
    return parser


def _on_ledger(groups: Any, name: str, run: str, about: str) -> argparse.ArgumentParser:  # noqa: ANN401 - as above
    """A command that reads a ledger or decides on it: the one that is named, and no other."""
    parser = _command(groups, name, run, about)
    _local(parser)
    return parser


def _local(parser: argparse.ArgumentParser) -> None:
    help_text = "use this machine's own ledger, in your state folder, and not FIREBREAK_LEDGER"
    parser.add_argument("--local", action="store_true", help=help_text)


def _incident(commands: Any) -> None:  # noqa: ANN401 - as above
    listing = _on_ledger(
        commands,
        "list",
        f"{_COMMANDS}.incident:list_incidents",
        "list incidents, open ones first, then the last changed",
    )
    phases = f"list only those in these phases, with commas between: {', '.join(get_args(Phase))}"
    listing.add_argument("--phase", type=values.phases, default=(), metavar="PHASE", help=phases)
    listing.add_argument("--project", metavar="PROJECT", help="list only those in this project, by its id or number")
    listing.add_argument("--service", metavar="NAME", help="list only those on the service, job or pool of this name")
    listing.add_argument("--policy", metavar="ID", help="list only those that this policy decided")
    listing.add_argument(
        "--since", type=values.age, metavar="AGE", help="list only those of the last 30m, 24h, 7d or 2w"
    )
    listing.add_argument("--search", type=values.words, metavar="TEXT", help="list only those that tell of this")
    listing.add_argument(
        "--limit", type=values.count, default=50, metavar="N", help="list at most so many; by default 50"
    )
    what = "show one incident: what happened, why, what is contained, and how to undo it"
    _identity(_on_ledger(commands, "show", f"{_COMMANDS}.incident_show:show_incident", what))
    kept = _on_ledger(commands, "evidence", f"{_COMMANDS}.evidence:evidence", "list what is kept as evidence")
    _identity(kept)
    kept.add_argument("--verify", action="store_true", help="read all of it again and compare every hash")
    approve = _answer(commands, "approve", "carry out the proposed plan; shows it first")
    approve.add_argument("--yes", action="store_true", help="approve the present question without asking you again")
    reject = _answer(commands, "reject", "decline the proposed plan")
    reject.add_argument("--reason", type=values.words, help=f"{_REASON}; on a terminal you are asked for it")
    _release(commands)
    anew = "decide an incident anew, on a fresh look: also one that was rejected, monitored, declined or has expired"
    retry = _on_ledger(commands, "retry", f"{_ANSWERS}:retry", anew)
    _by(_identity(retry))
    retry.add_argument("--reason", type=values.words, help=_REASON)
    look = "check the containment now, and announce it again"
    _by(_identity(_on_ledger(commands, "review", f"{_ANSWERS}:review", look)))
    close = _answer(commands, "close", "end an incident; say what it was found to be")
    close.add_argument("--as", default="", dest="closed_as", choices=CLOSED_AS, help="what it was found to be")
    keep = "file it as a true positive and leave its containment as it stands"
    close.add_argument("--keep", action="store_true", help=keep)
    close.add_argument("--reason", type=values.words, help=_REASON)


def _release(commands: Any) -> None:  # noqa: ANN401 - as above
    """The way back, setting by setting; said again, it tries only what was refused."""
    about = "restore what the containment of this incident changed; said again, it tries what was refused"
    release = _on_ledger(commands, "release", f"{_COMMANDS}.release:release", about)
    _by(_identity(release))
    given_up = "settings to leave as they are, and hold no longer; all: every one"
    release.add_argument(
        "--leave", type=values.setting_key, nargs="+", action="extend", default=[], metavar="KEY", help=given_up
    )
    agreed = release.add_mutually_exclusive_group()
    shown = "agree to what was shown and has this digest (the first 8 digits suffice)"
    agreed.add_argument("--digest", type=values.digest, help=shown)
    agreed.add_argument("--yes", action="store_true", help="agree to whatever it writes right now")


def _answer(commands: Any, name: str, about: str) -> argparse.ArgumentParser:  # noqa: ANN401 - as above
    """An answer to an incident's question, which may name the question that it is about."""
    command = _on_ledger(commands, name, f"{_ANSWERS}:{name}", about)
    _by(_identity(command))
    of_question = "answer only the question with this digest (the first 8 digits suffice)"
    command.add_argument("--digest", type=values.digest, help=of_question)
    return command


def _identity(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("id", help="the incident's id, or a beginning that no other id has")
    return parser


def _by(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    who = "your name, which Firebreak records as you give it; by default your login at this host"
    parser.add_argument("--by", type=values.words, metavar="WHO", help=who)
    return parser


def _policy(commands: Any) -> None:  # noqa: ANN401 - as above
    lint = _command(
        commands, "lint", f"{_COMMANDS}.policy_lint:run_lint", "name every fault and every warning", REPORTS
    )
    _paths(lint, "exit with 1 for a warning, too")
    what = "show how the policies decide on one finding, clause by clause"
    _explain(_command(commands, "explain", f"{_COMMANDS}.policy_explain:run_explain", what))
    past = "show what the policies would have done about past findings; asks nobody and writes nothing"
    backtest = _command(commands, "backtest", f"{_COMMANDS}.policy_backtest:run_backtest", past)
    past_arguments.backtest_options(backtest).set_defaults(reads_policies=True, needs=NEEDS_ALL)
    people = "show what people made of each policy's decisions: how often it asked, what they answered and closed it as"
    past_arguments.stats_options(_on_ledger(commands, "stats", f"{_COMMANDS}.policy_stats:run_stats", people))
    which = "show which set of policies decided what, and when it took the place of another"
    past_arguments.stats_options(_on_ledger(commands, "log", f"{_COMMANDS}.policy_log:run_log", which))
    name = "print the digest of a set of policies, by which records, `policy log` and the incidents topic name it"
    past_arguments.digest_options(_command(commands, "digest", f"{_COMMANDS}.policy_digest:run_digest", name))
    more = "show what a policy did in shadow, or in its mode, and the edit that lets it do more"
    promote = _on_ledger(commands, "promote", f"{_COMMANDS}.policy_promote:run_promote", more)
    past_arguments.promote_options(promote)
    promote.set_defaults(reads_policies=True)
    examples = "run the examples in the policies, and name the clauses that no example tries"
    test = _command(commands, "test", f"{_COMMANDS}.policy_test:run_test", examples, REPORTS)
    _paths(test, "exit with 1 for a clause that no example tries, too")
    test.set_defaults(reads_policies=True)
    catalogues = f"{_COMMANDS}.policy_catalogue"
    schema = _command(commands, "schema", f"{catalogues}:run_schema", "print the JSON Schema of policies, for editors")
    schema.add_argument("--config", "--charter", action="store_true", help="print that of firebreak.yaml")
    facts = "list every fact that a policy can name, and explain the operators"
    _command(commands, "facts", f"{catalogues}:run_facts", facts)
    _command(commands, "actions", f"{catalogues}:run_actions", "list every action that a policy can take")


def _paths(parser: argparse.ArgumentParser, strict: str) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="folders or files; by default FIREBREAK_POLICIES"
    )
    parser.add_argument("--strict", action="store_true", help=strict)
    silenced = "show also what comments in the policies silence, with the reasons"
    parser.add_argument("--show-silenced", action="store_true", help=silenced)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("finding", help="a file, - for standard input, or the name of a finding in SCC")
    parser.add_argument("--live", action="store_true", help="ask the sources, SCC and the ledger; writes nothing")
    past_arguments.assume_option(parser)
    against = "compare with the policies in this folder; exit with 1 if anything differs"
    parser.add_argument("--against", type=Path, metavar="FOLDER", help=against)
    parser.add_argument(
        "--policies", type=Path, metavar="FOLDER", help="the policies that decide; by default FIREBREAK_POLICIES"
    )
    at = "decide as at that time, in RFC 3339; `event` is the time of the event"
    parser.add_argument("--at", metavar="TIME", help=at)
    parser.add_argument("--pick", metavar="ID", help="of several findings, take the one whose id begins so")
    _local(parser)
    parser.set_defaults(reads_policies=True, needs=NEEDS_ALL)


def _machine(groups: Any) -> None:  # noqa: ANN401 - as above
    """What a person's machine knows of a deployment, and how that deployment is."""
    about = "keep on this machine where a deployment is, from Terraform's output, and say which roles you lack"
    configure = _command(groups, "configure", f"{_COMMANDS}.configure:configure", about)
    source = configure.add_mutually_exclusive_group()
    output = "a file with what `terraform output -json` printed, or - for standard input"
    source.add_argument("output", nargs="?", metavar="FILE", help=output)
    only = "the project's id alone: enough to answer questions, and too little for `firebreak doctor`"
    source.add_argument("--project", type=values.project_id, metavar="PROJECT", help=only)
    configure.add_argument(
        "--name", default="firebreak", metavar="NAME", help="with --project: what the names begin with"
    )
    what = "check the deployment that this machine is configured for; changes nothing"
    doctor = _command(groups, "doctor", f"{_COMMANDS}.doctor:doctor", what)
    packed = "compare with the archive that this firebreak.json describes, and not with the one that was applied"
    doctor.add_argument("--package", type=Path, metavar="FILE", help=packed)
    reach = "say too whether Firebreak reaches this: projects/ID or folders/NUMBER"
    doctor.add_argument("--reaches", type=values.place, action="append", default=[], metavar="PLACE", help=reach)


def _demo(groups: Any) -> None:  # noqa: ANN401 - as above
    about = "show a service being contained and restored, on this machine alone"
    demo = _command(groups, "demo", f"{_COMMANDS}.demo:demo", about)
    demo.add_argument("--scenario", metavar="NAME", help="tell this story, or all")
    demo.add_argument("--list", action="store_true", help="list the stories")
    demo.add_argument("--practice", type=Path, metavar="FOLDER", help="make a folder to practise in, with a cloud")
    year = "make a folder with a year of findings, incidents and policies to look back on"
    demo.add_argument("--year", type=Path, metavar="FOLDER", help=year)
    demo.add_argument("--attack", metavar="SERVICE", help="in that cloud: have malware found on this service")
    malware = "the hash of that malware (one that VirusTotal knows)"
    demo.add_argument("--sha256", default=KNOWN_MALWARE, metavar="HASH", help=malware)
    demo.add_argument("--save", type=Path, metavar="FILE", help="write that finding to a file, as SCC publishes it")
    demo.set_defaults(needs="the demo needs a clone of the repository, and what `make setup` installs there")

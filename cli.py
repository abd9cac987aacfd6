"""The `firebreak` command. Exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import Refused, Transient
from core.faults import Faults
from core.redaction import safe
from settings import SettingsFault, read_settings

if TYPE_CHECKING:
    from app import App
    from ledger import Held
    from pipeline import Answered

YES, NO, USAGE, UNREACHABLE = 0, 1, 2, 3
Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; whatever a person or an outage can cause ends in a sentence and an exit code."""
    parsed = _parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)
    try:
        return int(parsed.run(parsed))
    except Faults as faults:
        from screens.console import stdout  # noqa: PLC0415 - rich is slow, and JSON does without
        from screens.policies import fault_json, show_faults  # noqa: PLC0415

        if parsed.json:
            _print_json({"faults": [fault_json(fault) for fault in faults.faults]})
        else:
            show_faults(stdout(), faults.faults)
        return NO
    except SettingsFault as fault:
        return _say(parsed, str(fault), USAGE)
    except FileNotFoundError as fault:
        return _say(parsed, f"{fault.filename}: there is no such file or folder", USAGE)
    except (Transient, OSError) as fault:
        return _say(parsed, f"{fault}", UNREACHABLE)
    except Refused as fault:
        return _say(parsed, f"{fault}", NO)
    except KeyboardInterrupt:
        return _say(parsed, "interrupted; what was begun is recorded and can be run again", NO)
    except BrokenPipeError:
        sys.stderr.close()
        return NO


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firebreak",
        description="Containment of compromised Cloud Run workloads, for the people who answer for it.",
        epilog="exit codes: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached",
    )
    parser.set_defaults(json=False)
    groups = parser.add_subparsers(required=True, metavar="COMMAND")
    _incident_parser(groups.add_parser("incident", help="look at incidents, answer them, undo them"))
    _policy_parser(groups.add_parser("policy", help="check policies and run their examples"))
    halt = _command(groups, "halt", _halt, "no containing write from now on, anywhere")
    halt.add_argument("--reason", required=True, help="why; it stands on every record")
    _by(halt)
    _by(_command(groups, "resume", _resume, "lift the halt"))
    demo = _command(groups, "demo", _demo, "from a finding to a contained and restored service, on this machine")
    demo.add_argument("--scenario", help="only this story")
    demo.add_argument("--list", action="store_true", help="the stories there are")
    return parser


def _incident_parser(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = _command(commands, "list", _list, "incidents, last touched first")
    listing.add_argument("--phase", help="only those in this phase")
    listing.add_argument("--limit", type=_positive, default=50, help="how many at the most (50)")
    _command(commands, "show", _show, "one incident: what, why, how it stands, how to undo it").add_argument("id")
    approve = _command(commands, "approve", _approve, "do what was asked; shows it first")
    approve.add_argument("id")
    approve.add_argument("--digest", help="only if the question is about this plan (its first digits suffice)")
    approve.add_argument("--yes", action="store_true", help="do not ask again on a terminal")
    _by(approve)
    reject = _command(commands, "reject", _reject, "answer the question with no")
    reject.add_argument("id")
    reject.add_argument("--reason", required=True)
    _by(reject)
    release = _command(commands, "release", _release, "put back what this incident's containment set")
    release.add_argument("id")
    _by(release)


def _policy_parser(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, about in (
        ("lint", _lint, "every fault of every policy and of firebreak.yaml, each in its place"),
        ("test", _test, "run the examples that the policies carry"),
    ):
        command = _command(commands, name, run, about)
        command.add_argument("path", nargs="?", type=Path, help="a folder of policies (FIREBREAK_POLICIES)")


def _command(groups: Any, name: str, run: Command, about: str) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's own
    parser: argparse.ArgumentParser = groups.add_parser(name, help=about, description=about)
    parser.add_argument("--json", action="store_true", help="JSON, for programs")
    parser.set_defaults(run=run)
    return parser


def _by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", default=None, help="who you are, recorded as claimed (your login name)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _say(parsed: argparse.Namespace, sentence: str, code: int) -> int:
    """One sentence: as JSON on standard output for programs, else on standard error unless it is good news."""
    shown = "\n".join(safe(line) for line in sentence.splitlines())
    if parsed.json:
        _print_json({"says": shown, "exit": code})
    else:
        print(shown, file=sys.stdout if code == YES else sys.stderr)
    return code


def _who(parsed: argparse.Namespace) -> str:
    return safe(str(parsed.by or getpass.getuser()), 100)


def _app() -> App:
    """The application, silent: what it would log is on the record."""
    from app import build  # noqa: PLC0415 - Google's clients are slow to import, and not every command needs them

    def quiet(severity: str, message: str, **fields: object) -> None:
        """The record has it all."""

    return build(read_settings(), quiet)


def _records(app: App, held: Held) -> dict[str, Any]:
    from core.record import record  # noqa: PLC0415

    shown = record(held.incident)
    return shown if held.sealed else {**shown, "seal": "broken"}


def _found(app: App, wanted: str) -> Held | None:
    """The incident whose id this is, or begins with this if only one does."""
    if held := app.ledger.read(wanted):
        return held
    known = [document.key for document in app.ledger.documents.newest("incident", 10_000)]
    matching = [key for key in known if key.startswith(wanted)]
    return app.ledger.read(matching[0]) if len(matching) == 1 and wanted else None


def _list(parsed: argparse.Namespace) -> int:
    app = _app()
    held = [one for one in app.ledger.newest(10_000 if parsed.phase else parsed.limit)]
    records = [_records(app, one) for one in held if parsed.phase in (None, one.incident.phase)][: parsed.limit]
    if parsed.json:
        _print_json(records)
        return YES
    from screens.console import stdout  # noqa: PLC0415
    from screens.incident import show_list  # noqa: PLC0415

    show_list(stdout(), list(records))
    return YES


def _show(parsed: argparse.Namespace) -> int:
    app = _app()
    held = _found(app, parsed.id)
    if held is None:
        return _say(parsed, f"there is no incident {parsed.id}", NO)
    if parsed.json:
        _print_json(_records(app, held))
        return YES
    from screens.console import stdout  # noqa: PLC0415
    from screens.incident import show  # noqa: PLC0415

    show(stdout(), _records(app, held))
    return YES


def _approve(parsed: argparse.Namespace) -> int:
    import pipeline  # noqa: PLC0415

    app = _app()
    held = _found(app, parsed.id)
    if held is None:
        return _say(parsed, f"there is no incident {parsed.id}", NO)
    question = held.incident.question
    digest = parsed.digest or (question.digest if question else None)
    if not parsed.json and question is not None and not _confirmed(parsed, _records(app, held)):
        return _say(parsed, "not approved; nothing was written", NO)
    return _answer(parsed, app, "containing", lambda: pipeline.approve(app, held.incident.id, _who(parsed), digest))


def _confirmed(parsed: argparse.Namespace, shown: dict[str, Any]) -> bool:
    """Show what is being approved; on a terminal, ask."""
    from screens.console import heading, line, stdout  # noqa: PLC0415
    from screens.plan import show_changes  # noqa: PLC0415

    console = stdout()
    heading(console, f"To be approved: plan {shown['plan']['digest'][:12]}")
    show_changes(console, shown["plan"]["changes"])
    for cap in shown["decision"]["caps"]:
        line(console, f"{cap['name']}: {cap['reason']}", "yellow")
    if parsed.yes or not sys.stdin.isatty():
        return True
    return input("Approve? [yes/no] ").strip().lower() in ("y", "yes")


def _reject(parsed: argparse.Namespace) -> int:
    import pipeline  # noqa: PLC0415

    app = _app()
    held = _found(app, parsed.id)
    identity = held.incident.id if held else parsed.id
    return _answer(
        parsed, app, "recording", lambda: pipeline.reject(app, identity, _who(parsed), safe(parsed.reason, 500))
    )


def _release(parsed: argparse.Namespace) -> int:
    import pipeline  # noqa: PLC0415

    app = _app()
    held = _found(app, parsed.id)
    identity = held.incident.id if held else parsed.id
    return _answer(parsed, app, "restoring", lambda: pipeline.release(app, identity, _who(parsed)))


def _answer(parsed: argparse.Namespace, app: App, doing: str, act: Callable[[], Answered | None]) -> int:
    if parsed.json:
        answered = act()
    else:
        from screens.console import working  # noqa: PLC0415

        with working(doing):
            answered = act()
    if answered is None:
        return _say(parsed, f"there is no incident {parsed.id}", NO)
    code = YES if answered.done else NO
    if parsed.json:
        _print_json({"says": answered.says, "exit": code, "incident": _records(app, answered.held)})
        return code
    _say(parsed, f"{answered.held.incident.id}: {answered.says}", code)
    for text in answered.held.incident.still_open if answered.done else ():
        print(f"  still open: {safe(text)}")
    return code


def _halt(parsed: argparse.Namespace) -> int:
    _app().ledger.halt(safe(parsed.reason, 500), _who(parsed))
    return _say(parsed, "halted: nothing is written until `firebreak resume`; releases by a person still work", YES)


def _resume(parsed: argparse.Namespace) -> int:
    _app().ledger.halt("", _who(parsed))
    return _say(parsed, "the halt is lifted", YES)


def _folder(parsed: argparse.Namespace) -> Path:
    return parsed.path if parsed.path is not None else read_settings().policies


def _lint(parsed: argparse.Namespace) -> int:
    import enrichment  # noqa: PLC0415
    from app import load_policies, read_folder  # noqa: PLC0415
    from core.policy_examples import lint  # noqa: PLC0415

    folder = _folder(parsed)
    policies = load_policies(folder)
    if faults := lint(policies.policies, enrichment.catalogue(), read_folder(folder)):
        raise Faults(faults)
    if parsed.json:
        _print_json({"faults": [], "policies": [policy.id for policy in policies.policies], "digest": policies.digest})
        return YES
    from screens.console import stdout  # noqa: PLC0415
    from screens.policies import show_clean  # noqa: PLC0415

    show_clean(stdout(), policies)
    return YES


def _test(parsed: argparse.Namespace) -> int:
    import enrichment  # noqa: PLC0415
    from app import load_policies  # noqa: PLC0415
    from core.policy_examples import run_examples  # noqa: PLC0415

    results = run_examples(load_policies(_folder(parsed)).policies, enrichment.catalogue())
    passed = all(one.passed for one in results)
    if parsed.json:
        shown = [{"policy": one.policy, "example": one.index, "passed": one.passed, "says": str(one)} for one in results]
        _print_json({"passed": passed, "examples": shown})
    else:
        from screens.console import stdout  # noqa: PLC0415
        from screens.policies import show_examples  # noqa: PLC0415

        show_examples(stdout(), results)
    return YES if passed else NO


def _demo(parsed: argparse.Namespace) -> int:
    from sandbox.stories import run  # noqa: PLC0415

    return run(parsed.scenario, listing=parsed.list, as_json=parsed.json)


if __name__ == "__main__":
    sys.exit(main())

"""`firebreak policy lint`: every fault and warning at once."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from commands import NO, YES, Misused, Nothing, print_json
from core.faults import Fault
from screens.console import stdout
from screens.policy_lint import Linted, lint_json, show_lint
from settings import read_settings

_ENDINGS = (".yaml", ".yml")


def run_lint(parsed: argparse.Namespace) -> int:
    """Look at folders and files of policies; a file is read together with the folder around it."""
    linted = _together([_lint(folder, files) for folder, files in _asked(parsed.paths)])
    doubtful = bool(linted.warnings) and parsed.strict
    code = NO if linted.faults or linted.failing or doubtful else YES
    if parsed.json:
        print_json(lint_json(linted, ok=code == YES))
    else:
        show_lint(stdout(), linted)
    return code


def _asked(paths: Sequence[Path]) -> list[tuple[Path, frozenset[Path] | None]]:
    """Each folder once, with the files of it that are meant; None for all of them."""
    asked: dict[Path, frozenset[Path] | None] = {}
    for path in paths or [_near(read_settings().policies)]:
        if path.is_dir():
            asked[path] = None
        elif not path.is_file():
            message = f"{path}: there is no such file or folder"
            raise Misused(message)
        elif path.suffix.lower() not in _ENDINGS:
            message = f"{path}: not a YAML file"
            raise Misused(message)
        elif (known := asked.setdefault(path.parent, frozenset())) is not None:
            asked[path.parent] = known | {path}
    return list(asked.items())


def _near(folder: Path) -> Path:
    """The folder as seen from here, where that is shorter."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _lint(folder: Path, meant: frozenset[Path] | None) -> Linted:
    import enrichment  # noqa: PLC0415 - other commands start sooner without it, and what comes with it
    import responders  # noqa: PLC0415 - as above
    from core.lint_conditions import World  # noqa: PLC0415 - as above
    from core.policy_lint import lint  # noqa: PLC0415 - as above
    from core.policy_text import read_policies  # noqa: PLC0415 - as above
    from policy_folder import read_folder  # noqa: PLC0415 - as above

    files, catalogue, actions = read_folder(folder), enrichment.catalogue(), responders.discover()
    read = read_policies(files, catalogue, actions)
    if not read.policies and not read.faults:
        message = f"{folder}: there is no policy in this folder"
        raise Nothing(message)
    found = lint(read.faultless, read.charter, files, actions, World(catalogue, time.time_ns()))
    policies = tuple(one for one in read.policies if meant is None or Path(one.at.file) in meant)
    return Linted(
        _in(meant, read.faults), _in(meant, found.failing), _in(meant, found.warnings), policies, (read.charter,)
    )


def _in(meant: frozenset[Path] | None, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(fault for fault in faults if meant is None or Path(fault.at.file) in meant)


def _together(linted: Sequence[Linted]) -> Linted:
    return Linted(
        faults=tuple(sorted((fault for one in linted for fault in one.faults), key=lambda fault: fault.at)),
        failing=tuple(fault for one in linted for fault in one.failing),
        warnings=tuple(fault for one in linted for fault in one.warnings),
        policies=tuple(policy for one in linted for policy in one.policies),
        charters=tuple(charter for one in linted for charter in one.charters),
    )

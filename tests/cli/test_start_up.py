"""What the command line loads before it answers, what it says of itself, and of packages that are not installed."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from firebreak import VERSION
from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.cli.arguments import NEEDS_ALL, NEEDS_CLI, REPORTS, arguments
from firebreak.cli.screens import reports
from firebreak.ledger.halts import Halts
from firebreak.ledger.ledger import Ledger
from tests.cli.commands import Told, incident
from tests.ledger.stores import taken
from tests.ledger.test_ledger import SEAL

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = {"google", "grpc", "aiohttp", "vt", "flask", "functions_framework"}
HEAVY = {*CLIENTS, "yaml", "rich", "enrichment", "responders"}
FAR = ("firebreak.policy_language", "firebreak.response", "firebreak.adapters.google", "firebreak.bootstrap", "sandbox")
# What Python loads by itself at its start, as an environment's .pth files tell it to, is not counted.
LOADED = """
import json, sys
before = set(sys.modules)
{body}
print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""
RUN = "from firebreak.cli.main import main\nassert main({words!r}) == 0"


def python(text: str, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, on the ledger in this state folder."""
    return subprocess.run(  # noqa: S603 - Python itself
        [sys.executable, "-c", text],
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(state), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def loaded(body: str, state: Path) -> set[str]:
    """The modules that this loads, by their whole names."""
    done = python(LOADED.format(body=body), state)

    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def heavy(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] in HEAVY or name.startswith(FAR)}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder whose ledger has an incident and a halt."""
    documents = SqliteDocuments(tmp_path / "firebreak" / "ledger.sqlite")
    taken(Ledger(documents, "tests", lambda: 1, SEAL), incident().finding)
    Halts(documents, lambda: 1).halt("a drill", "ada")
    (tmp_path / "firebreak" / "seal.key").write_bytes(SEAL.keys[0])
    return tmp_path


def commands(parser: argparse.ArgumentParser, *words: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every parser below this one, by its words."""
    yield " ".join(words), parser
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to its parts
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for name, below in action.choices.items():
                yield from commands(below, *words, name)


ALL = dict(commands(arguments()))
LEAVES = {words: parser for words, parser in ALL.items() if parser.get_default("run")}


def test_the_command_line_itself_loads_nothing_heavy(tmp_path: Path) -> None:
    assert heavy(loaded("import firebreak.cli.main", tmp_path)) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("incident", "list", "--local"),
        ("incident", "list", "--local", "--json"),
        ("incident", "show", "fb-", "--local"),
        ("halt", "--reason", "x", "--local"),
        ("resume", "--local"),
    ],
    ids=" ".join,
)
def test_what_needs_only_the_ledger_loads_no_client_and_no_policy_language(state: Path, words: tuple[str, ...]) -> None:
    assert heavy(loaded(RUN.format(words=words), state)) == set()


def test_the_planted_import_of_a_client_is_noticed(tmp_path: Path) -> None:
    found = heavy(loaded("import firebreak.adapters.webhook, yaml, firebreak.adapters.google", tmp_path))

    assert {"yaml", "firebreak.adapters.google"} <= found


@pytest.mark.parametrize("words", LEAVES)
def test_every_command_names_a_function_that_is_there(words: str) -> None:
    module, _, name = LEAVES[words].get_default("run").partition(":")

    assert callable(getattr(import_module(module), name))


def test_every_command_takes_json_and_traceback_and_has_a_sentence() -> None:
    usages = {words: parser.format_usage() for words, parser in LEAVES.items()}

    assert len(LEAVES) > 15
    assert [words for words, usage in usages.items() if "[--json" not in usage or "[--traceback]" not in usage] == []
    assert [words for words, parser in LEAVES.items() if not parser.description] == []


def test_the_formats_that_can_be_asked_for_are_those_that_can_be_written() -> None:
    assert tuple(reports.REPORTS) == REPORTS


def test_the_version_is_told(firebreak: Told) -> None:
    told = firebreak("--version")

    assert (told.code, told.out) == (0, f"firebreak {VERSION}\n")


@pytest.mark.parametrize(("words", "below"), [((), "incident"), (("incident",), "approve"), (("policy",), "lint")])
def test_a_word_that_needs_another_shows_which_there_are(firebreak: Told, words: tuple[str, ...], below: str) -> None:
    told = firebreak(*words)

    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("usage: firebreak")
    assert f"\n    {below} " in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("--traceback", "incident", "list"),
        ("incident", "--traceback", "list"),
        ("incident", "list", "--traceback"),
        ("--traceback", "incident", "list", "--json"),
    ],
    ids=" ".join,
)
def test_a_traceback_is_shown_where_it_is_asked_for(
    firebreak: Told, ledger: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    def broken(*_: Any) -> None:
        message = "a bug of our own"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(SqliteDocuments, "count", broken)
    asked, unasked = firebreak(*words), firebreak(*(word for word in words if word != "--traceback"))

    assert ledger.is_file()
    assert asked.code == unasked.code == 3
    assert asked.err.startswith("Traceback (most recent call last):\n")
    assert "ZeroDivisionError: a bug of our own\n" in asked.err
    assert "Traceback" not in unasked.out + unasked.err
    assert "unexpected error: ZeroDivisionError: a bug of our own (" in unasked.out + unasked.err
    assert "--traceback shows the whole trace" in unasked.out + unasked.err


WITHOUT = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name in {gone!r} or name.partition(".")[0] in {gone!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Gone())
"""


@pytest.mark.parametrize(
    ("gone", "words", "ledger", "says"),
    [
        (CLIENTS, ("incident", "list"), "firestore://p/(default)", NEEDS_CLI),
        (CLIENTS, ("sweep", "--local"), "", NEEDS_ALL),
        (CLIENTS, ("policy", "explain", "finding.json"), "", NEEDS_ALL),
        ({"yaml"}, ("policy", "lint", "policies"), "", NEEDS_CLI),
        ({"sandbox"}, ("demo", "--list"), "", "the demo needs a clone of the repository"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_package_that_is_not_installed_is_named_with_what_brings_it(
    state: Path, gone: set[str], words: tuple[str, ...], ledger: str, says: str
) -> None:
    run = f"from firebreak.cli.main import main\nsys.exit(main({words!r}))"
    done = python(WITHOUT.format(gone=sorted(gone)) + run, state, FIREBREAK_LEDGER=ledger)

    assert done.returncode == 3
    assert done.stderr.startswith(says), done.stderr
    assert done.stderr.count("\n") == 1
    assert "is missing)" in done.stderr


def test_what_needs_only_a_local_ledger_and_policies_works_without_any_client(state: Path) -> None:
    for words in (
        ("incident", "list", "--local"),
        ("halt", "--local", "--reason", "x"),
        ("policy", "test", "policies"),
    ):
        done = python(WITHOUT.format(gone=sorted(CLIENTS | {"rich"})) + RUN.format(words=words), state)

        assert (done.returncode, done.stderr) == (0, ""), words


def test_a_missing_module_of_our_own_is_a_fault_of_firebreak_and_not_of_the_installation(state: Path) -> None:
    run = f"from firebreak.cli.main import main\nsys.exit(main({('incident', 'list', '--local')!r}))"
    done = python(WITHOUT.format(gone=["firebreak.core.incidents.record"]) + run, state)

    assert done.returncode == 3
    assert done.stderr.startswith("unexpected error: ModuleNotFoundError")


def test_a_reason_with_a_secret_in_it_is_kept_without_the_secret(firebreak: Told, ledger: Path) -> None:
    firebreak("halt", "--reason", "the password=hunter2hunter2 leaked")
    halt = Halts(SqliteDocuments(ledger), lambda: 1).standing_halt()

    assert halt is not None
    assert "leaked" in halt.reason
    assert "hunter2" not in halt.reason


def test_a_halt_needs_no_seal_key_and_makes_none(firebreak: Told, tmp_path: Path) -> None:
    assert firebreak("halt", "--reason", "x").code == 0
    assert not (tmp_path / "firebreak").exists()


def test_a_halt_is_lifted_with_a_key_which_is_made_where_nothing_was_sealed_with_another(
    firebreak: Told, tmp_path: Path, ledger: Path
) -> None:
    firebreak("halt", "--reason", "x")
    lifted, nothing = firebreak("resume"), firebreak("resume")
    key = tmp_path / "firebreak" / "seal.key"
    made = key.read_bytes()
    firebreak("halt", "--reason", "y")
    taken(Ledger(SqliteDocuments(ledger), "tests", lambda: 1, SEAL), incident().finding)
    key.unlink()
    refused = firebreak("resume")

    assert (lifted.code, nothing.code, len(made) > 0) == (0, 1, True)
    assert refused.code == 1
    assert "FIREBREAK_SEAL_KEY" in refused.err
    assert not key.exists()

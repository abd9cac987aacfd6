"""How commands end: 0 yes, 1 no, 2 wrong usage, 3 something needed could not be reached; and never in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.ledger.documents import Document
from firebreak.ledger.halts import Halts
from sandbox.wire import Fault
from tests.cli.commands import Told
from tests.ledger.closed import closed
from tests.response.harness import Lines

ROOT = Path(__file__).resolve().parents[2]
NONE = "there is no incident fb-0000000000000000; to see all: firebreak incident list"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("incident",),
        ("policy",),
        ("contain",),
        ("incident", "list", "--phase", "burning"),
        ("incident", "list", "--limit", "0"),
        ("incident", "list", "--limit", "many"),
        ("incident", "show"),
        ("incident", "reject"),
        ("incident", "close"),
        ("incident", "close", "fb-1", "--as", "fine"),
        ("incident", "reject", "fb-1", "--reason", " "),
        ("incident", "approve", "fb-1", "--digest", ""),
        ("incident", "approve", "fb-1", "--digest", "77ea"),
        ("incident", "approve", "fb-1", "--by", " "),
        ("halt",),
        ("halt", "--reason", ""),
        ("halt", "--reason", " \t"),
        ("policy", "lint", "/no/such/folder"),
        ("policy", "lint", __file__),
        ("demo", "--scenario", "no-such-story"),
    ],
)
def test_wrong_usage_is_2(firebreak: Told, words: tuple[str, ...]) -> None:
    told = firebreak(*words)

    assert told.code == 2
    assert told.err


@pytest.mark.parametrize("command", [("incident", "list"), ("incident", "show", "fb-1"), ("resume",)])
def test_settings_that_do_not_load_are_2(
    firebreak: Told, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBREAK_CEILNG", "enforce")
    told = firebreak(*command)

    assert told.code == 2
    assert "FIREBREAK_CEILING is meant" in told.err


@pytest.mark.parametrize("wanted", ["fb-0000000000000000", "fb-", "*", "x" * 200, "fb-\udcff", "fb-\x1b[31m", "--", ""])
@pytest.mark.usefixtures("ledger")
def test_an_incident_that_is_not_there_is_1(firebreak: Told, wanted: str) -> None:
    told = firebreak("incident", "show", "--", wanted)

    assert told.code == 1
    assert "\x1b" not in told.err


@pytest.mark.parametrize("command", ["approve", "release"])
def test_answering_an_incident_that_is_not_there_is_1(firebreak: Told, ledger: Path, command: str) -> None:
    told = firebreak("incident", command, "fb-0000000000000000")

    assert told.code == 1
    assert told.err == f"{NONE} (ledger {ledger})\n"


@pytest.mark.parametrize(
    "command", [("incident", "list"), ("incident", "show", "fb-1"), ("halt", "--reason", "x"), ("resume",)]
)
def test_a_ledger_that_cannot_be_used_is_3(
    firebreak: Told, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to look like one " * 100)
    for place in (tmp_path / "text", tmp_path, tmp_path / "text" / "below"):
        monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{place}")
        told = firebreak(*command)

        assert told.code == 3
        assert "Traceback" not in told.err


@pytest.mark.parametrize("words", [("list",), ("show", "fb-")])
def test_incidents_are_read_where_nothing_can_be_written(
    firebreak: Told, line: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """As on a disk that was taken off a machine to be looked at."""
    with line() as on:
        incident = on.respond(on.finding())
    with closed(tmp_path) as folder:
        monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{folder / 'ledger.sqlite'}")
        monkeypatch.setenv("FIREBREAK_SEAL_KEY", "a key of some length")
        told = firebreak("incident", *words)

    assert told.code == 0
    assert incident.id in told.out


def test_for_programs_an_error_is_json_too(firebreak: Told, ledger: Path) -> None:
    told = firebreak("incident", "show", "fb-0000000000000000", "--json")

    assert told.code == 1
    assert told.json == {
        "says": NONE,
        "exit": 1,
        "ledger": str(ledger),
    }


def test_without_google_credentials_a_release_is_3(
    firebreak: Told, line: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line() as on:
        incident = on.respond(on.finding())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    told = firebreak("incident", "release", incident.id)

    assert told.code == 3
    assert "Traceback" not in told.err
    assert len(told.err.splitlines()) == 1


@pytest.mark.parametrize("fault", ["NOT_FOUND", "UNAVAILABLE"])
def test_a_command_that_cannot_be_sent_is_3_and_says_that_nothing_was_done(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    topic = "projects/firebreak/topics/commands"
    with Lines(tmp_path)() as on:
        on.sandbox.wire.inject(Fault("*/Publish", "error", code=fault, times=None))
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", on.sandbox.environment()["PUBSUB_EMULATOR_HOST"])
        monkeypatch.setenv("FIREBREAK_COMMANDS_TOPIC", topic)
        told = firebreak("halt", "--reason", "game day")

        assert told.code == 3
        assert f"the command could not be sent to {topic}, so nothing was done: {fault}" in told.err


def test_a_command_that_nobody_answers_is_3_and_says_that_it_may_still_be_carried_out(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firebreak.cli.commands.sending._PATIENCE_SECONDS", 0.5)
    with Lines(tmp_path)() as on:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", on.sandbox.environment()["PUBSUB_EMULATOR_HOST"])
        monkeypatch.setenv("FIREBREAK_COMMANDS_TOPIC", "projects/firebreak/topics/commands")
        told = firebreak("halt", "--reason", "game day")

        assert told.code == 3
        assert "is not answered yet; it is carried out once the function gets to it" in told.err


def test_a_command_whose_answer_cannot_be_read_is_3_and_says_that_it_was_sent(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger.sqlite").write_text("not a database, but long enough to look like one " * 100)
    topic = "projects/firebreak/topics/commands"
    (tmp_path / "line").mkdir()
    with Lines(tmp_path / "line")() as on:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", on.sandbox.environment()["PUBSUB_EMULATOR_HOST"])
        monkeypatch.setenv("FIREBREAK_COMMANDS_TOPIC", topic)
        told = firebreak("halt", "--reason", "game day")

        assert len(on.world.topics[topic]) == 1
        assert told.code == 3
        assert f"the command was sent to {topic} and its answer could not be read: the ledger {tmp_path}" in told.err


def test_nobody_in_particular_has_to_say_who_they_are(firebreak: Told, mocker: MockerFixture) -> None:
    mocker.patch("getpass.getuser", side_effect=KeyError(os.getuid()))

    assert firebreak("halt", "--reason", "x").code == 2
    assert firebreak("halt", "--reason", "x", "--by", "ada").code == 0


@pytest.mark.parametrize("name", ["Firebreak", "f\u0456rebreak"])
def test_nobody_passes_for_firebreak_itself(firebreak: Told, name: str) -> None:
    assert firebreak("halt", "--reason", "x", "--by", name).code == 2


def test_a_halt_stands_until_it_is_lifted(firebreak: Told) -> None:
    halted = firebreak("halt", "--reason", "an incident of our own", "--by", "ada")
    seen = firebreak("incident", "list")
    second = firebreak("halt", "--reason", "an attack", "--by", "bob")
    lifted = firebreak("resume")
    again = firebreak("resume")

    assert halted.code == 0
    assert "takes the place" not in halted.out
    assert "halted by ada: an incident of our own" in seen.out
    assert "it takes the place of what stood: halted by ada: an incident of our own" in second.out
    assert lifted.code == 0
    assert "  now   firebreak sweep\n" in lifted.out
    assert again.code == 1


def test_a_resume_lifts_the_halt_that_stood_when_it_was_typed(
    firebreak: Told, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one is set between the look and the lifting."""
    firebreak("halt", "--reason", "a drill", "--by", "ada")
    obey = Halts.obey

    def after_another(halts: Halts, command: Command) -> CommandResult:
        halts.halt("an attack", "bob")
        return obey(halts, command)

    with monkeypatch.context() as patched:
        patched.setattr(Halts, "obey", after_another)
        told = firebreak("resume", "--by", "ada")
    seen = firebreak("incident", "list")

    assert told.code == 1
    assert told.err == (
        "the halt stays (halted by bob: an attack): the order names another one; say `firebreak resume` again if it is "
        f"to be lifted too (ledger {ledger})\n"
    )
    assert "halted by bob: an attack" in seen.out


def test_a_halt_for_no_reason_does_not_lift_the_one_that_stands(firebreak: Told) -> None:
    firebreak("halt", "--reason", "real")
    firebreak("halt", "--reason", "")

    assert "real" in firebreak("incident", "list").out


def test_a_halt_that_somebody_else_set_at_the_same_moment_is_set_again(
    firebreak: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = SqliteDocuments.create

    def theirs_first(store: SqliteDocuments, kind: str, *rest: Any) -> Document:
        """Between our look and our save."""
        monkeypatch.setattr(SqliteDocuments, "create", create)
        create(store, "halt", "halt", {"reason": "theirs", "by": "bob"})
        return create(store, kind, *rest)

    monkeypatch.setattr(SqliteDocuments, "create", theirs_first)
    told = firebreak("halt", "--reason", "ours", "--by", "ada")

    assert told.code == 0
    assert "halted by ada: ours" in firebreak("incident", "list").out


def test_a_reader_that_leaves_early_is_no_error_of_ours() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(  # noqa: S603
        [
            sys.executable,
            "-m",
            "firebreak",
            "policy",
            "lint",
            str(ROOT / "tests" / "policy_language" / "broken_policies"),
        ],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert done.returncode == 141, "as a shell says it of any command that SIGPIPE ends"
    assert done.stderr == ""


def test_a_terminal_without_our_characters_gets_the_rest() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "firebreak", "demo", "--list"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr

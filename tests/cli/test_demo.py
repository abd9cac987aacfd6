"""The demo: the real function and the real command line on the sandbox, and its own honesty about what differs."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.storage.vault_store import vault_of
from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.story import CannotGoOn, Narrator
from firebreak.settings import read_settings
from sandbox.practice import own_settings
from sandbox.stories import stories
from sandbox.stories.stage import NotStarted, Stage
from tests.cli.commands import Told

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {
    "FIREBREAK_CEILING": "monitor",
    "FIREBREAK_LEDGER": "postgres://nowhere",
    "CLOUD_RUN_EMULATOR_HOST": "127.0.0.1:1",
    "VIRUSTOTAL_HOST": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "https_proxy": "http://127.0.0.1:1",
    "GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file",
    "K_SERVICE": "x",
}


def demo(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "firebreak", "demo", *words],
        env={**os.environ, **environment},
        cwd=tempfile.gettempdir(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """The demo's JSON, with everything in the environment pointing elsewhere."""
    done = demo("--scenario", "all", "--json", **ELSEWHERE)

    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_every_story_is_told_and_every_check_is_right(whole: dict[str, Any]) -> None:
    wrong = [check for story in whole["stories"] for check in story["checks"] if not check["right"]]

    assert whole["right"] is True
    assert wrong == []
    assert [story["story"] for story in whole["stories"]] == list(stories())


def test_the_stories_check_the_world_and_not_only_the_record(whole: dict[str, Any]) -> None:
    known, asked = ({check["check"] for check in story["checks"]} for story in whole["stories"][:2])

    assert "the settings are all those from before" in known
    for checks in (known, asked):
        assert {
            "exactly one UpdateService was made",
            "masked to what changed",
            "under an etag",
            "checkout-00008-bad cannot be reached",
            "nothing else of the service was touched",
        } <= checks
    assert {"nothing was written", "the record says who approved", "what was approved is what ran"} <= asked


def test_the_stories_can_be_listed_and_told_alone() -> None:
    listed = demo("--list")
    named = json.loads(demo("--list", "--json").stdout)

    assert listed.returncode == 0
    assert list(named) == list(stories()) == [line.split()[0] for line in listed.stdout.splitlines()]


def left_of(mark: Path) -> list[str]:
    """The command lines of all processes that were started with this folder for their temporary files."""
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(mark) in (process / "environ").read_bytes():
                left.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return left


def ended(command: list[str], folder: Path, number: signal.Signals, *, after: str) -> tuple[int, str]:
    """Have a terminal's key end a command once it has said so much: its exit code, and what it said since."""
    running = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    while after not in running.stdout.readline():
        assert running.poll() is None
    # The whole foreground group is told, as a terminal does it.
    os.killpg(running.pid, number)
    said, _ = running.communicate(timeout=60)
    return running.returncode, said


IS_UP = "the service checkout before"


@pytest.mark.parametrize(
    ("number", "after"),
    [
        (signal.SIGINT, "== Known malware"),
        (signal.SIGINT, IS_UP),
        (signal.SIGINT, "publishes a finding"),
        (signal.SIGINT, "Still open"),
        (signal.SIGTERM, IS_UP),
        (signal.SIGHUP, IS_UP),
    ],
)
def test_a_story_that_is_ended_early_leaves_nothing_behind(tmp_path: Path, number: signal.Signals, after: str) -> None:
    """The function is gone with the story, which waits for it, and so is the folder it wrote to."""
    code, said = ended([sys.executable, "-m", "firebreak", "demo"], tmp_path, number, after=after)

    assert code == 128 + number
    assert "Traceback" not in said
    assert said.endswith("can be run again\n") == (number is signal.SIGINT)
    assert left_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_pressed_twice_leaves_nothing_behind_either(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "firebreak", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    while IS_UP not in running.stdout.readline():
        assert running.poll() is None
    while running.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGINT)
        time.sleep(0.02)
        if list(tmp_path.iterdir()) == []:
            break  # all is struck; the interpreter's own end is nobody's promise
    running.communicate(timeout=60)

    assert left_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_make_demo_that_is_ended_early_leaves_nothing_behind(tmp_path: Path) -> None:
    code, said = ended(["make", "demo"], tmp_path, signal.SIGINT, after=IS_UP)

    assert code in (-signal.SIGINT, 2)
    assert "Traceback" not in said
    assert left_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_place_to_practise_in_that_is_not_finished_is_taken_back(tmp_path: Path, number: signal.Signals) -> None:
    """From its beginning on there is a folder; it is ended before there is what to source."""
    folder = tmp_path / "place"
    running = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "firebreak", "demo", "--practice", str(folder)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not (folder / "sandbox.log").exists():
        assert running.poll() is None
        time.sleep(0.005)
    os.killpg(running.pid, number)
    said, _ = running.communicate(timeout=60)

    assert running.returncode == 128 + number
    assert "Traceback" not in said
    assert left_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_in_a_pipe_a_story_is_plain_text() -> None:
    done = demo("--scenario", "known_malware", FORCE_COLOR="1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    assert "- LATEST=100\n" in done.stdout
    assert "checks right, " in done.stdout.splitlines()[-1]


def test_what_differs_is_named_and_counted() -> None:
    stream = io.StringIO()
    narrator = Narrator(Screen(stream))
    narrator.begin("a", "A story")
    narrator.step("Something happened")
    narrator.check("as it should be", 1, 1)
    narrator.check("not so", [2], [])
    code = narrator.end()

    assert code == 1
    assert "✗ not so: found [2], wanted []\n" in stream.getvalue()
    assert "differs: not so: found [2], wanted []\n1 of 2 checks right" in stream.getvalue()


def test_a_story_without_checks_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(None)
    narrator.begin("a", "A story")

    assert narrator.end() == 1
    assert json.loads(capsys.readouterr().out)["right"] is False


def test_what_the_rest_rests_on_ends_the_story() -> None:
    narrator = Narrator(None)
    narrator.begin("a", "A story")

    with pytest.raises(CannotGoOn, match="acknowledged"):
        narrator.require("acknowledged", 500, 200)
    assert narrator.failed == 1


def test_a_function_that_does_not_start_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    with pytest.raises(NotStarted, match="did not start"), Stage(Narrator(None)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_made_into_one_to_practise_in(firebreak: Told, tmp_path: Path) -> None:
    answer = firebreak("demo", "--practice", str(tmp_path))

    assert answer.code == 1
    assert "it exists already" in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["my practice", "50%", "my%20practice"])
def test_a_folder_to_practise_in_is_named_letter_by_letter(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    settings = read_settings(own_settings(place))

    assert settings.ledger_path == place / "ledger.sqlite"
    assert settings.ledger_named
    assert vault_of(settings).uri == f"file://{place}/evidence"


def test_a_folder_where_no_evidence_can_be_kept_is_not_made(firebreak: Told, tmp_path: Path) -> None:
    answer = firebreak("demo", "--practice", str(tmp_path / "why?"))

    assert answer.code == 1
    assert "cannot be where evidence is kept; name another folder" in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "host", "said"),
    [
        (("--attack", "checkout"), "", "SECURITY_CENTER_EMULATOR_HOST is not set: source the `environment`"),
        (("--attack", "a/b"), "127.0.0.1:1", "--attack takes the name of a service"),
        (("--attack", "checkout", "--sha256", "ab"), "127.0.0.1:1", "--sha256 64 hex digits"),
        (("--attack", "checkout"), "scc.example:443", "only host:port on loopback"),
    ],
)
def test_malware_is_found_on_a_local_cloud_and_nowhere_else(
    firebreak: Told, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], host: str, said: str
) -> None:
    monkeypatch.setenv("SECURITY_CENTER_EMULATOR_HOST", host)
    answer = firebreak("demo", *words)

    assert answer.code == 2
    assert said in answer.err


def test_no_malware_is_found_on_a_service_that_does_not_run(firebreak: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURITY_CENTER_EMULATOR_HOST", "127.0.0.1:1")
    answer = firebreak("demo", "--attack", "chekout")

    assert answer.code == 1
    assert answer.err == "no service chekout runs in the practice cloud; there are checkout, payments, storefront\n"


def test_a_local_cloud_that_has_gone_cannot_be_reached(firebreak: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURITY_CENTER_EMULATOR_HOST", "127.0.0.1:1")

    assert firebreak("demo", "--attack", "checkout").code == 3

"""A command acts on the ledger that is named, and says which; who only reads makes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.ledger import Ledger
from sandbox.scc.notifications import Scene
from tests.cli.commands import Told, incident
from tests.ledger.stores import taken
from tests.ledger.test_ledger import SEAL

ROOT = Path(__file__).resolve().parents[2]
READS = (("incident", "list"), ("incident", "show", "fb-1"), ("incident", "evidence", "fb-1"))
ANSWERS = (
    *(("incident", verb, "fb-1") for verb in ("approve", "reject", "release", "review", "close")),
    *(("halt", "--reason", "a drill"), ("resume",), ("sweep",)),
)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shell without settings: its user's state folder, in which there is nothing yet."""
    monkeypatch.delenv("FIREBREAK_LEDGER")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "firebreak"


def kept(path: Path, number: int) -> list[Incident]:
    """A ledger with so many incidents, all of them received."""
    ledger = Ledger(SqliteDocuments(path), "tests", lambda: 1, SEAL)
    findings = [incident(scene=Scene(finding_id=f"{one:032x}")).finding for one in range(number)]
    return [taken(ledger, one).incident for one in findings]


@pytest.mark.parametrize(("words", "code"), [*((one, 3) for one in READS), *((one, 2) for one in ANSWERS)], ids=str)
def test_in_a_shell_without_settings_nothing_is_read_done_or_made(
    firebreak: Told, state: Path, words: tuple[str, ...], code: int
) -> None:
    told = firebreak(*words)

    assert (told.code, told.out) == (code, "")
    assert "set FIREBREAK_LEDGER" in told.err
    assert f"--local for this machine's own, {state / 'ledger.sqlite'}" in told.err
    assert not state.parent.exists()


def test_a_decision_is_not_sent_where_its_answer_could_not_be_read(
    firebreak: Told, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBREAK_COMMANDS_TOPIC", "projects/firebreak/topics/commands")
    told = firebreak("halt", "--reason", "a drill")

    assert told.code == 2
    assert "no ledger is named" in told.err
    assert not state.parent.exists()


@pytest.mark.parametrize("words", [*READS, ANSWERS[0], ("resume",)], ids=" ".join)
@pytest.mark.parametrize("local", [(), ("--local",)], ids=["named", "local"])
def test_a_read_of_a_ledger_that_is_not_there_says_its_path_and_makes_nothing(
    firebreak: Told,
    state: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    local: tuple[str, ...],
) -> None:
    named = tmp_path / "no such folder" / "ledger.sqlite"
    if not local:
        monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{named}")
    told = firebreak(*words, *local)

    assert told.code == 3
    assert f"there is no ledger at {state / 'ledger.sqlite' if local else named}: there is no such file" in told.err
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_a_folder_is_told_as_one(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{tmp_path}")
    told = firebreak("incident", "list")

    assert told.code == 3
    assert told.err == f"there is no ledger at {tmp_path}: it is a folder; nothing was read, and none was made\n"


def test_on_this_machine_s_own_ledger_a_halt_stands_and_names_it(firebreak: Told, state: Path) -> None:
    halted = firebreak("halt", "--reason", "a drill", "--local")
    seen = firebreak("incident", "list", "--local")
    lifted = firebreak("resume", "--local", "--json")
    place = state / "ledger.sqlite"

    assert (halted.code, seen.code, lifted.code) == (0, 0, 0)
    assert halted.out.endswith(f" (ledger {place})\n")
    assert seen.out.endswith(f"No incidents in the ledger {place}.\n")
    assert "HALTED" in seen.out
    assert lifted.json["ledger"] == str(place)


def test_this_machine_s_own_ledger_is_meant_whatever_else_is_set(
    firebreak: Told, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where decisions would go to a topic: it is not the functions' ledger."""
    monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{tmp_path / 'other.sqlite'}")
    monkeypatch.setenv("FIREBREAK_COMMANDS_TOPIC", "projects/firebreak/topics/commands")
    told = firebreak("halt", "--reason", "a drill", "--local")

    assert told.code == 0
    assert str(state / "ledger.sqlite") in told.out
    assert not (tmp_path / "other.sqlite").exists()


def test_a_writer_makes_the_ledger_that_is_named_and_its_folder(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "a folder" / "with a space" / "ledger.sqlite"
    monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{named}")

    assert firebreak("halt", "--reason", "a drill").code == 0
    assert named.is_file()


def test_an_empty_ledger_that_is_there_is_a_yes(firebreak: Told, ledger: Path) -> None:
    told, as_json = firebreak("incident", "list"), firebreak("incident", "list", "--json")

    assert (told.code, told.out) == (0, f"No incidents in the ledger {ledger}.\n")
    assert (as_json.code, as_json.json, as_json.err) == (0, [], f"No incidents in the ledger {ledger}.\n")


def test_every_answer_from_a_local_ledger_names_it(firebreak: Told, tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite"
    (one,) = kept(place, 1)
    words = (("incident", "show", one.id), ("incident", "list"), ("incident", "evidence", one.id))
    in_words, as_json = [firebreak(*each) for each in words], [firebreak(*each, "--json") for each in words]

    assert [f"ledger {place}" in told.out + told.err for told in in_words] == [True] * 3
    assert [as_json[0].json["ledger"], as_json[1].json[0]["ledger"], as_json[2].json["ledger"]] == [str(place)] * 3


def test_the_list_counts_the_incidents_that_there_are_and_not_its_rows(firebreak: Told, tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite"
    kept(place, 7)
    cut, whole = firebreak("incident", "list", "--limit", "3"), firebreak("incident", "list")
    phase, none = (firebreak("incident", "list", "--phase", one, "--limit", "2") for one in ("received", "closed"))
    as_json = firebreak("incident", "list", "--limit", "3", "--json")

    assert f"3 of 7 incidents in the ledger {place}.\n" in cut.out
    assert whole.out.startswith(f"7 incidents in the ledger {place}.\n")
    assert f"2 of 7 in phase received, of 7 incidents in the ledger {place}.\n" in phase.out
    assert none.out == f"None in phase closed, of 7 incidents in the ledger {place}.\n"
    assert (len(as_json.json), as_json.err) == (3, f"3 of 7 incidents in the ledger {place}.\n")


def test_a_search_that_did_not_reach_them_all_says_so(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firebreak.cli.commands.incident.ALL", 5)
    kept(tmp_path / "ledger.sqlite", 7)

    assert "looked for among the 5 last touched." in firebreak("incident", "list", "--phase", "closed").out


def test_the_folder_of_another_user_s_ledger_is_left_as_it_is(firebreak: Told, tmp_path: Path) -> None:
    """No key is made for a look, and nothing else beside the ledger stays."""
    kept(tmp_path / "ledger.sqlite", 1)
    firebreak("incident", "list")

    assert not (tmp_path / "firebreak").exists()


def test_the_command_in_an_empty_environment_ends_in_a_sentence(tmp_path: Path) -> None:
    """As in a new terminal on a laptop, or from cron."""
    done = subprocess.run(
        [sys.executable, "-m", "firebreak", "incident", "list"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "no ledger is named" in done.stderr
    assert list(tmp_path.iterdir()) == []

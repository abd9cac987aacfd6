"""FIREBREAK_LEDGER chooses the store."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from firebreak.adapters.storage.firestore import FirestoreDocuments
from firebreak.adapters.storage.ledger_store import documents_of
from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.settings import SettingsFault, read_settings


@pytest.mark.parametrize(
    ("given", "database"),
    [
        ("firestore://shop-prod/(default)", ("shop-prod", "(default)")),
        ("firestore://shop-prod/firebreak", ("shop-prod", "firebreak")),
        ("firestore://example.com:shop-prod/firebreak-2", ("example.com:shop-prod", "firebreak-2")),
        ("firestore://p/d", ("p", "d")),
        ("sqlite:////state/firestore://shop-prod/firebreak", None),
    ],
)
def test_project_and_database_are_named_in_full(given: str, database: tuple[str, str] | None) -> None:
    """Anything else is a file."""
    settings = read_settings({"FIREBREAK_LEDGER": given})

    assert settings.ledger_database == database
    assert isinstance(documents_of(settings), FirestoreDocuments if database else SqliteDocuments)


@pytest.mark.parametrize(
    "given",
    [
        "sqlite:///",
        "firestore:///firebreak",
        "firestore://shop-prod",
        "firestore://shop-prod/",
        "firestore://shop-prod/(default)/documents",
        "firestore://Shop-Prod/firebreak",
        "firestore://shop-prod/../other",
        "firestore://shop-prod/Firebreak",
        "postgres://nowhere",
    ],
)
def test_what_names_no_store_stops_start_up(given: str) -> None:
    """A part that is missing, one too many, or a name that none can have."""
    with pytest.raises(SettingsFault, match="FIREBREAK_LEDGER"):
        read_settings({"FIREBREAK_LEDGER": given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"FIREBREAK_LEDGER": "sqlite:///ledger.sqlite"}, "sqlite:////ledger.sqlite is the one from the root"),
        ({"FIREBREAK_LEDGER": "sqlite:///./a/b"}, "FIREBREAK_LEDGER=sqlite:///./a/b: a relative path"),
        ({"FIREBREAK_LEDGER": "sqlite:///~/ledger.sqlite"}, "FIREBREAK_LEDGER=sqlite:///~/ledger.sqlite: ~ is not"),
        ({"FIREBREAK_LEDGER": "sqlite:////~ada/ledger.sqlite"}, "FIREBREAK_LEDGER=sqlite:////~ada/ledger.sqlite: ~ is"),
        ({"FIREBREAK_EVIDENCE": "file:///~/evidence"}, "FIREBREAK_EVIDENCE=file:///~/evidence: ~ is not expanded"),
        ({"FIREBREAK_EVIDENCE": "file://~/evidence"}, "FIREBREAK_EVIDENCE=file://~/evidence: ~ is not expanded"),
        ({"FIREBREAK_POLICIES": "~/policies"}, "FIREBREAK_POLICIES=~/policies: ~ is not expanded"),
        ({"XDG_STATE_HOME": "state"}, "XDG_STATE_HOME=state: a relative path"),
        ({"XDG_STATE_HOME": "~/.local/state"}, "XDG_STATE_HOME=~/.local/state: ~ is not expanded"),
        ({"HOME": "ada"}, "HOME=ada: a relative path"),
    ],
)
def test_a_path_that_depends_on_where_one_stands_is_refused_by_name(given: dict[str, str], said: str) -> None:
    """The function and the command line would mean two files, or make one in a folder called `~`."""
    with pytest.raises(SettingsFault) as refused:
        read_settings({"HOME": "/users/ada", **given})

    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_every_path_that_is_refused_is_named_at_once() -> None:
    """One start, all faults."""
    given = {"FIREBREAK_LEDGER": "sqlite:///a", "FIREBREAK_EVIDENCE": "file:///~", "XDG_STATE_HOME": "b"}
    with pytest.raises(SettingsFault) as refused:
        read_settings(given)

    assert [line.partition("=")[0] for line in str(refused.value).splitlines()] == list(given)


def test_a_folder_of_policies_may_be_named_from_where_one_stands() -> None:
    """As `policies` is, in a checkout."""
    assert read_settings({"HOME": "/users/ada", "FIREBREAK_POLICIES": "policies"}).policies == Path("policies")


def test_without_home_the_list_of_users_says_where_the_state_is() -> None:
    """Not a folder in which everybody may write."""
    user = Path(pwd.getpwuid(os.getuid()).pw_dir)

    assert read_settings({}).state == user / ".local" / "state" / "firebreak"


def test_a_user_without_any_home_is_told_to_name_a_state_folder(mocker: MockerFixture) -> None:
    """By its variable."""
    mocker.patch("os.getuid", return_value=4_000_000_000)
    with pytest.raises(SettingsFault, match="XDG_STATE_HOME"):
        read_settings({})

    assert read_settings({"XDG_STATE_HOME": "/var/state"}).state == Path("/var/state/firebreak")


def test_a_ledger_is_named_by_the_setting_alone() -> None:
    """The function has one either way."""
    named, own = read_settings({"FIREBREAK_LEDGER": "sqlite:////a b/c"}), read_settings({"HOME": "/users/ada"})

    assert (named.ledger_named, named.ledger_path) == (True, Path("/a b/c"))
    assert (own.ledger_named, own.ledger) == (False, own.own_ledger)
    assert own.ledger_path == Path("/users/ada/.local/state/firebreak/ledger.sqlite")


def test_a_deployed_ledger_on_an_emulator_keeps_the_ceiling_down() -> None:
    """It would forget everything with the next start."""
    deployed = {"K_SERVICE": "firebreak", "FIREBREAK_LEDGER": "firestore://shop-prod/(default)"}
    reasons = [
        {one.reason for one in read_settings({**deployed, **more}).ceilings}
        for more in ({}, {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:8085"})
    ]

    assert reasons[1] - reasons[0] == {"deployed, and FIRESTORE_EMULATOR_HOST is set"}
    assert not any("local file" in one for one in reasons[0])


def test_a_local_ledger_does_not_load_google_s_client() -> None:
    """Nobody waits for what is not used."""
    program = (
        "import sys, firebreak.adapters.storage.ledger_store; sys.exit('google.cloud.firestore_v1' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]

    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0  # noqa: S603 - our own

"""`firebreak configure`: what a machine knows of a deployment, what it never takes from there, and what it tries."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions

from firebreak.adapters.storage.firestore_faults import translate_faults
from firebreak.cli.configuration import read_machine_settings
from firebreak.core.mode import Mode
from firebreak.settings import SettingsFault
from tests.cli.commands import Told
from tests.doctor.deployed import Site

TOPIC = "projects/acme-firebreak/topics/firebreak-commands"


def wrapped(told: dict[str, Any]) -> dict[str, Any]:
    """As `terraform output -json` prints all outputs: the module's within one of the root's."""
    return {"firebreak": {"sensitive": False, "type": "object", "value": told}}


def kept(folder: Path) -> Path:
    return folder / "state" / "firebreak" / "deployment.json"


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Put a file in place, as somebody might who may write there."""

    def write(body: object) -> None:
        kept(tmp_path).parent.mkdir(parents=True, exist_ok=True)
        kept(tmp_path).write_text(body if isinstance(body, str) else json.dumps(body))

    return write


@pytest.mark.parametrize("whole", [False, True])
def test_the_output_on_standard_input_names_the_ledger_and_the_topic(
    firebreak: Told, healthy: Site, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    printed = wrapped(healthy.told) if whole else healthy.told
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(printed)))
    told = firebreak("configure", "-")
    settings = read_machine_settings()

    assert told.code == 0, told.out + told.err
    assert told.out.startswith(f"written: {kept(healthy.folder)}, for the project acme-firebreak\n")
    assert (settings.ledger_named, settings.ledger_path) == (True, healthy.folder / "ledger.sqlite")
    assert settings.commands_topic == TOPIC
    assert settings.evidence == "gs://acme-firebreak-firebreak-evidence/incidents"


def test_a_project_s_id_suffices_to_answer_and_says_what_it_does_not_suffice_for(
    firebreak: Told, healthy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = firebreak("configure", "--project", "acme-firebreak")
    settings = read_machine_settings()
    # Firestore is not here: a file stands in for it.
    monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{healthy.folder / 'ledger.sqlite'}")
    looked = firebreak("doctor")

    assert told.code == 3
    assert settings.ledger_database == ("acme-firebreak", "firebreak-ledger")
    assert settings.commands_topic == TOPIC
    assert looked.code == 3
    assert "FAULT" not in looked.out
    assert "?     the functions: only the project is known, and Terraform's output says how it should be" in looked.out


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("{", "not JSON: give what `terraform output -json` prints"),
        ("[]", "it has no `command_line` and `deployment`"),
        ('{"identities": {"value": {}, "type": "object"}}', "it has no `command_line` and `deployment`"),
        ('{"command_line": {}, "deployment": {"project": 3}}', "`deployment` is not as this version tells it"),
        (
            '{"command_line": {"FIREBREAK_LEDGER": "ledger.db"}, "deployment": {"project": "acme"}}',
            "it must be sqlite:///PATH or firestore://PROJECT/DATABASE",
        ),
    ],
)
def test_what_is_no_output_is_refused_and_nothing_is_written(
    firebreak: Told, tmp_path: Path, printed: str, said: str
) -> None:
    (tmp_path / "output.json").write_text(printed)
    told = firebreak("configure", str(tmp_path / "output.json"))

    assert told.code == 2
    assert said in told.err
    assert not kept(tmp_path).exists()


def test_a_ledger_that_lets_nobody_in_is_told_as_the_role_that_is_missing(
    firebreak: Told, healthy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        with translate_faults("projects/acme/databases/ledger", "counted"):
            message = "Missing or insufficient permissions."
            raise exceptions.PermissionDenied(message)

    monkeypatch.setattr("firebreak.adapters.storage.sqlite.SqliteDocuments.count", denied)
    told = firebreak("configure", str(healthy.file))

    assert told.code == 1
    assert "you lack roles/datastore.viewer on the project, for the ledger" in told.out


def test_a_role_that_is_missing_is_named_with_how_to_get_it(firebreak: Told, healthy: Site) -> None:
    healthy.world.denied |= {"pubsub.topics.publish", "logging.logEntries.list"}
    told = firebreak("configure", str(healthy.file))

    assert told.code == 1
    assert "you lack roles/pubsub.publisher on the commands topic, for answers" in told.out
    assert "you lack roles/logging.viewer on the project, for the log" in told.out
    assert told.out.count("name yourself in commanders, and apply") == 2


@pytest.mark.parametrize(
    ("counted", "code", "said"),
    [
        ("shop-prod", 1, "your credentials have calls counted on shop-prod, and not on acme-firebreak"),
        (None, 3, "your credentials name no project that calls are counted on"),
        ("acme-firebreak", 0, "7 things as they should be"),
    ],
)
def test_credentials_with_a_foreign_quota_project_are_told(
    firebreak: Told,
    healthy: Site,
    monkeypatch: pytest.MonkeyPatch,
    counted: str | None,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr("firebreak.adapters.inspection.cloud.GoogleCloud.quota_project", lambda _: counted)
    told = firebreak("configure", str(healthy.file))

    assert told.code == code
    assert said in told.out
    assert ("gcloud auth application-default set-quota-project acme-firebreak" in told.out) == (code != 0)


def test_the_project_that_credentials_name_is_read_from_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from firebreak.adapters.google import calls  # noqa: PLC0415 - its cache is emptied around this

    given = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "adc.json").write_text(json.dumps({**given, "quota_project_id": "shop-prod"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
    calls._credentials.cache_clear()  # noqa: SLF001
    try:
        assert calls.quota_project() == "shop-prod"
    finally:
        calls._credentials.cache_clear()  # noqa: SLF001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIREBREAK_LEDGER", "sqlite:////elsewhere/ledger.sqlite"),
        ("FIREBREAK_COMMANDS_TOPIC", "projects/other/topics/commands"),
        ("FIREBREAK_EVIDENCE", "gs://other/incidents"),
    ],
)
def test_where_the_environment_names_one_of_the_three_none_comes_from_the_file(
    written: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """An answer would be sent to one deployment, and looked for in another."""
    of_file = {
        "FIREBREAK_LEDGER": "firestore://acme/ledger",
        "FIREBREAK_COMMANDS_TOPIC": TOPIC,
        "FIREBREAK_EVIDENCE": "gs://acme/incidents",
    }
    written({"environment": of_file})
    configured = read_machine_settings()
    monkeypatch.setenv(name, value)
    settings = read_machine_settings()
    found = (settings.ledger, settings.commands_topic, settings.evidence)

    assert (configured.ledger, configured.commands_topic, configured.evidence) == tuple(of_file.values())
    assert value in found
    assert not set(of_file.values()) & set(found)


def test_neither_ceiling_nor_seal_key_nor_policies_come_from_the_file(written: Any) -> None:
    loose = {
        "FIREBREAK_CEILING": "enforce",
        "FIREBREAK_SEAL_KEY": "0123456789",
        "FIREBREAK_POLICIES": "/elsewhere",
        "FIREBREAK_SELF": "",
        "VIRUSTOTAL_HOST": "http://127.0.0.1:1",
    }
    written({"environment": {**loose, "FIREBREAK_LEDGER": "firestore://acme/ledger"}})
    settings = read_machine_settings()

    assert settings.ledger == "firestore://acme/ledger"
    assert [(one.mode, one.reason) for one in settings.ceilings] == [(Mode.MONITOR, "FIREBREAK_CEILING is not set")]
    assert (settings.seal_keys, settings.virustotal_host) == ((), None)
    assert settings.policies != Path("/elsewhere")


def test_a_function_does_not_read_the_file(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that cannot be read."""
    written("{")
    monkeypatch.setenv("K_SERVICE", "firebreak-on-command")

    assert not read_machine_settings().ledger_named


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "\udcff"])
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(
    firebreak: Told, tmp_path: Path, written: Any, body: str
) -> None:
    written("{") if body == "\udcff" else written(body)
    if body == "\udcff":
        kept(tmp_path).write_bytes(b"\xff\xfe")
    told = firebreak("incident", "list")

    assert told.code == 2
    assert f"{kept(tmp_path)} cannot be read: write it anew with `firebreak configure`, or delete it" in told.err
    with pytest.raises(SettingsFault):
        read_machine_settings()


def test_this_machine_s_own_ledger_is_meant_whatever_the_file_says(firebreak: Told, written: Any) -> None:
    written({"environment": {"FIREBREAK_LEDGER": "firestore://acme/ledger", "FIREBREAK_COMMANDS_TOPIC": TOPIC}})
    told = firebreak("halt", "--reason", "x", "--local", "--by", "ada")

    assert told.code == 0, told.err


def test_a_machine_that_is_not_configured_is_told_how(firebreak: Told) -> None:
    told = firebreak("doctor")

    assert told.code == 2
    assert "output -json firebreak | firebreak configure -, or" in told.err
    assert told.err.endswith(", without Terraform, firebreak configure --project PROJECT\n")


def test_configure_that_names_no_deployment_is_told_how(firebreak: Told) -> None:
    told = firebreak("configure")

    assert told.code == 2
    assert "say where the deployment is: terraform -chdir=../firebreak-deployment output -json firebreak" in told.err


@pytest.mark.parametrize("words", [("doctor",), ("configure",), ("configure", "--project", "shop-prod")], ids=" ".join)
def test_in_a_folder_to_practise_in_there_is_nothing_to_look_at_which_is_said_at_once(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CLOUD_RUN_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    told = firebreak(*words)

    assert (told.code, told.out) == (2, "")
    assert "this shell is set to a sandbox to practise on" in told.err
    assert "checked here: firebreak policy lint, firebreak policy test, firebreak sweep" in told.err
    assert "open another shell, and say there: terraform " in told.err
    assert [*tmp_path.rglob("deployment.json")] == []

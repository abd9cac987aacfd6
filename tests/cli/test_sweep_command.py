"""`firebreak sweep` says what it could not do with its exit code too; who is not logged in is told how, anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import DefaultCredentialsError
from pytest_mock import MockerFixture

from firebreak.adapters.google.calls import LOG_IN, _credentials, pages_of
from firebreak.core.policy.triage import NO_ORGANIZATION, NO_POLICY
from firebreak.ports.deadline import Deadline
from sandbox.wire import Fault
from tests.cli.commands import Told
from tests.response.harness import Lines

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [("UNAVAILABLE", 3, "busy or unreachable: 1 (the findings of SCC: "), ("PERMISSION_DENIED", 1, "refused: 1 (the ")],
)
def test_a_sweep_that_could_not_ask_scc_says_so_with_its_exit_code(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, exit_code: int, said: str
) -> None:
    monkeypatch.setattr("firebreak.response.pipeline.BUDGET_SECONDS", 1.0)
    with Lines(tmp_path)() as on:
        for name, value in on.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FIREBREAK_POLICIES", str(on.app.settings.policies))
        monkeypatch.setattr("firebreak.adapters.google.security_center.pages_of", _at_once)
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code=code, times=None))
        told, as_json = firebreak("sweep", "--by", "ada"), firebreak("sweep", "--by", "ada", "--json")

    assert (told.code, as_json.code, as_json.json["exit"]) == (exit_code,) * 3
    assert told.err.startswith(said)
    assert told.out.endswith("  look  firebreak incident list\n")


def _at_once(call: Any, deadline: Deadline, request: Any) -> Any:
    """Pages as they come, with a second of patience in all."""
    return pages_of(call, deadline.sooner(1.0), request)


def test_a_sweep_without_an_organization_asks_nobody_and_says_no(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "policies" / "10-known-malware.yaml", tmp_path / "10.yaml")
    monkeypatch.setenv("FIREBREAK_POLICIES", str(tmp_path))
    told = firebreak("sweep", "--by", "ada")

    assert told.code == 1
    assert f"refused: 1 (the findings of SCC: {NO_ORGANIZATION})" in told.err


@pytest.mark.parametrize(
    "command", [("sweep",), ("incident", "list"), ("halt", "--reason", "a drill"), ("policy", "explain", "--live", "F")]
)
def test_who_is_not_logged_in_is_told_how_in_every_command_that_reaches_google(
    firebreak: Told, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture, command: tuple[str, ...]
) -> None:
    mocker.patch("google.auth.default", side_effect=DefaultCredentialsError)
    monkeypatch.setattr("firebreak.adapters.google.calls._credentials", _credentials.__wrapped__)
    if command[0] == "incident":
        monkeypatch.setenv("FIREBREAK_LEDGER", "firestore://shop-prod/(default)")
    if command[0] == "halt":
        monkeypatch.setenv("FIREBREAK_COMMANDS_TOPIC", "projects/firebreak/topics/commands")
    finding = "organizations/123456789012/sources/5678/locations/global/findings/0123456789abcdef0123456789abcdef"
    told = firebreak(*(finding if word == "F" else word for word in command))

    assert told.code == 3
    assert told.err.count(LOG_IN) == 1
    assert "Traceback" not in told.err


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_sweep_that_could_not_deal_with_something_says_what_and_no(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("FIREBREAK_POLICIES", str(tmp_path / "none"))
    answer = firebreak("sweep", "--by", "ada", *words)
    said = f"refused: 1 (the findings of SCC: {NO_POLICY})"

    place = str(tmp_path / "ledger.sqlite")
    in_words = answer.err == f"{said} (ledger {place})\n"

    assert answer.code == 1
    assert (answer.json == {"says": said, "exit": 1, "ledger": place}) if words else in_words

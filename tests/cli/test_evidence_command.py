"""`firebreak incident evidence`: what is kept, and every change of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.auth.exceptions import DefaultCredentialsError
from pytest_mock import MockerFixture

from firebreak.adapters.google.calls import LOG_IN, _credentials
from firebreak.core.incidents.evidence_record import EvidenceLocation
from firebreak.core.incidents.incident import Incident
from sandbox.wire import Fault
from tests.cli.commands import Told
from tests.response.harness import Line, Lines, world_of

pytestmark = pytest.mark.thorough


@pytest.fixture
def kept(line: Lines) -> Iterator[tuple[Line, Incident, Path]]:
    """A contained incident with its evidence in a folder."""
    with line() as on:
        found = on.respond(on.finding())
        assert found.vault is not None
        yield on, found, Path(found.vault.uri.removeprefix("file://"))


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of somebody who has no key, and did not have one before."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "laptop"))
    return tmp_path / "laptop"


def test_it_lists_what_is_kept_with_every_hash(kept: tuple[Line, Incident, Path], firebreak: Told) -> None:
    """For whoever wants to look, and for whoever wants to compare by hand."""
    told = firebreak("incident", "evidence", kept[1].id)

    assert told.code == 0
    assert all(name in told.out for name in ("message.json", "service.json", "virustotal.json", kept[1].vault.sha256))  # type: ignore[union-attr]
    assert f"firebreak incident evidence {kept[1].id} --verify" in told.out


def test_unchanged_evidence_verifies(kept: tuple[Line, Incident, Path], firebreak: Told) -> None:
    """Exit 0, in words and as JSON."""
    told = firebreak("incident", "evidence", kept[1].id, "--verify")
    as_json = firebreak("incident", "evidence", kept[1].id, "--verify", "--json")

    assert told.code == 0
    assert "Unchanged" in told.out
    assert (as_json.code, as_json.json["verified"], as_json.json["differences"]) == (0, True, [])


@pytest.mark.parametrize("words", [("--verify",), ()])
def test_on_a_laptop_without_the_key_hashes_are_compared_and_the_seal_is_not_verified(
    kept: tuple[Line, Incident, Path], firebreak: Told, laptop: Path, words: tuple[str, ...]
) -> None:
    """Exit 0 where they agree, and no key is made for a look."""
    told = firebreak("incident", "evidence", kept[1].id, *words)
    as_json = firebreak("incident", "evidence", kept[1].id, *words, "--json")

    assert told.code == 0
    assert "its seal is not verified here (no key)" in told.out
    assert ("Unchanged: every object is there" in told.out) is bool(words)
    assert "NOT AS IT WAS KEPT" not in told.out
    assert (as_json.json["seal"], as_json.json["verified"]) == ("not verified here", True if words else None)
    assert not laptop.exists()


@pytest.mark.parametrize("verb", ["show", "list"])
def test_a_laptop_without_the_key_calls_no_record_changed(
    kept: tuple[Line, Incident, Path], firebreak: Told, laptop: Path, verb: str
) -> None:
    """Nor does it make a key, with which every record would look changed."""
    told = firebreak("incident", verb, *([kept[1].id] if verb == "show" else []))
    as_json = firebreak("incident", verb, *([kept[1].id] if verb == "show" else []), "--json").json

    assert told.code == 0
    assert "changed by somebody" not in told.out
    assert ("The seal of this record is not verified here" in told.out) is (verb == "show")
    assert (as_json if verb == "show" else as_json[0])["seal"].startswith("not verified here")
    assert not laptop.exists()


def test_nothing_is_decided_on_a_ledger_whose_key_is_not_here(
    kept: tuple[Line, Incident, Path], firebreak: Told, laptop: Path
) -> None:
    """A key that was made now would make every record a changed one, and the release a failed one."""
    told = firebreak("incident", "release", kept[1].id)
    halted = firebreak("halt", "--reason", "a drill")

    assert told.code == 3
    assert "was sealed with a key that is not here, so nothing was done: set FIREBREAK_SEAL_KEY" in told.err
    assert kept[0].read(kept[1]).phase == "contained"
    assert halted.code == 0
    assert not laptop.exists()


def test_another_key_is_told_apart_from_changed_evidence(
    kept: tuple[Line, Incident, Path], firebreak: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No hash differs, so it is the manifest of the record; who sealed it is not known."""
    monkeypatch.setenv("FIREBREAK_SEAL_KEY", "another key")
    told = firebreak("incident", "evidence", kept[1].id, "--verify")
    as_json = firebreak("incident", "evidence", kept[1].id, "--verify", "--json").json

    assert told.code == 1
    assert "Sealed with another key than the one here" in told.out
    assert "NOT AS IT WAS KEPT" not in told.out
    assert (as_json["seal"], as_json["verified"], as_json["differences"]) == ("broken", False, [])


@pytest.mark.parametrize("key", ["", "another key"])
@pytest.mark.parametrize("name", ["message.json", "manifest.json"])
def test_a_changed_byte_is_found_with_any_key_and_none(
    name: str,
    key: str,
    kept: tuple[Line, Incident, Path],
    firebreak: Told,
    laptop: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the hashes that tell."""
    monkeypatch.setenv("FIREBREAK_SEAL_KEY", key)
    data = (kept[2] / name).read_bytes()
    (kept[2] / name).unlink()
    (kept[2] / name).write_bytes(data + b" ")
    told = firebreak("incident", "evidence", kept[1].id, "--verify", "--json")

    assert told.code == 1
    assert told.json["differences"] == [{"name": name, "what": "changed"}]
    assert not laptop.exists()


@pytest.mark.parametrize("name", ["message.json", "traffic.json", "manifest.json"])
def test_one_changed_byte_is_found(name: str, kept: tuple[Line, Incident, Path], firebreak: Told) -> None:
    """In any object, and in the manifest itself."""
    data = bytearray((kept[2] / name).read_bytes())
    data[len(data) // 2] ^= 1
    (kept[2] / name).unlink()
    (kept[2] / name).write_bytes(bytes(data))
    told = firebreak("incident", "evidence", kept[1].id, "--verify", "--json")

    assert told.code == 1
    assert told.json["verified"] is False
    assert told.json["differences"] == [{"name": name, "what": "changed"}]


def test_missing_and_surplus_objects_are_found(kept: tuple[Line, Incident, Path], firebreak: Told) -> None:
    """Also what lies deeper."""
    (kept[2] / "service.json").unlink()
    (kept[2] / "deep").mkdir()
    (kept[2] / "deep" / "more.json").write_text("{}")
    told = firebreak("incident", "evidence", kept[1].id, "--verify")

    assert told.code == 1
    assert "service.json: missing" in told.out
    assert "deep/more.json: not in the manifest" in told.out
    assert "NOT AS IT WAS KEPT" in told.out


def test_without_its_manifest_nothing_is_believed(kept: tuple[Line, Incident, Path], firebreak: Told) -> None:
    """Listing says so too, without --verify."""
    (kept[2] / "manifest.json").unlink()
    told = firebreak("incident", "evidence", kept[1].id)

    assert told.code == 1
    assert "manifest.json: missing" in told.out


def test_evidence_is_read_where_it_was_put_whatever_is_set_now(
    kept: tuple[Line, Incident, Path], firebreak: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The vault may have moved since."""
    monkeypatch.setenv("FIREBREAK_EVIDENCE", f"file://{tmp_path / 'elsewhere'}")

    assert firebreak("incident", "evidence", kept[1].id, "--verify").code == 0


@pytest.mark.parametrize(
    ("vault", "said"),
    [
        (None, "no evidence is kept"),
        (EvidenceLocation("gs://x/y", gaps=("vault: \x1b[31mno",)), "vault: \\u001b[31mno"),
    ],
    ids=["not tried", "refused"],
)
def test_what_is_not_kept_is_said(
    vault: EvidenceLocation | None, said: str, kept: tuple[Line, Incident, Path], firebreak: Told
) -> None:
    """With the reason, if there is one."""
    held = kept[0].app.ledger.read(kept[1].id)
    assert held is not None
    kept[0].app.ledger.save(held, replace(held.incident, vault=vault))
    told = firebreak("incident", "evidence", kept[1].id)

    assert told.code == 1
    assert said in told.err


def test_a_vault_that_cannot_be_read_is_no_difference(
    line: Lines, firebreak: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3 where it is out of reach: nothing is known about it. A refusal is a no."""
    with line(world_of(buckets=["evidence"]), FIREBREAK_EVIDENCE="gs://evidence") as on:
        found = on.respond(on.finding())
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", on.sandbox.environment()["STORAGE_EMULATOR_HOST"])
        good = firebreak("incident", "evidence", found.id, "--verify")
        on.sandbox.wire.inject(Fault("storage/get", "error", code="PERMISSION_DENIED"))
        refused = firebreak("incident", "evidence", found.id, "--verify")
        monkeypatch.setattr("firebreak.adapters.storage.vault_bucket._AT_MOST", 0.2)
        on.sandbox.wire.inject(Fault("storage/get", "error", code="UNAVAILABLE", times=None))
        away = firebreak("incident", "evidence", found.id, "--verify")

        assert (good.code, refused.code, away.code) == (0, 1, 3)
        assert "permission denied" in refused.err
        assert "could not be reached" in away.err


def test_who_is_not_logged_in_is_told_how_and_no_evidence_is_called_changed(
    kept: tuple[Line, Incident, Path], firebreak: Told, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture
) -> None:
    held = kept[0].app.ledger.read(kept[1].id)
    assert held is not None
    assert held.incident.vault is not None
    there = replace(held.incident.vault, uri=f"gs://evidence/{kept[1].id}")
    kept[0].app.ledger.save(held, replace(held.incident, vault=there))

    mocker.patch("google.auth.default", side_effect=DefaultCredentialsError)
    monkeypatch.setattr("firebreak.adapters.google.calls._credentials", _credentials.__wrapped__)
    told = firebreak("incident", "evidence", kept[1].id, "--verify")

    assert told.code == 3
    assert told.err.count(LOG_IN) == 1


def test_the_incident_s_own_screen_says_where_evidence_is(kept: tuple[Line, Incident, Path], firebreak: Told) -> None:
    """And what of it could not be had."""
    told = firebreak("incident", "show", kept[1].id)

    assert f"firebreak incident evidence {kept[1].id}" in told.out
    assert "not kept: logs: " in told.out

"""What earlier versions stored is read, verified, released and answered by this one; fixtures/README.md says whence."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.evidence.manifest import entry_of, read_manifest
from firebreak.core.incidents.command import Command
from firebreak.core.serialization import encode
from firebreak.core.signing import Seal, Sealed
from firebreak.core.storage_names import NAMES
from firebreak.core.timestamps import NANOS
from firebreak.ledger.renewal import renew
from firebreak.ports.deadline import Deadline
from firebreak.response import pipeline
from tests.ledger.earlier import VERSIONS, Earlier, earlier, in_force, scene
from tests.ledger.make_fixtures import FIXTURES, KEY, RECIPES, stored_names
from tests.repository.checkout import ROOT
from tests.response.harness import BAD, Lines

CONTAINED = ("contained", "contained_in_two_regions", "contained_job", "contained_pool", "approved")
ASKED = ("asked", "asked_on_expiry", "told_while_asked")
FORGED = {"forged_plan"}
NOT_SEALED_BY_41AF992 = {"forged_phase"}
TARGET = "shop-prod/europe-west1/service/checkout"
each_version = pytest.mark.parametrize("version", VERSIONS)


def of_every_version(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("version", "name"), [(one, name) for one in VERSIONS for name in names])


def settings(found: Earlier) -> dict[str, Any]:
    """Of every target that the incident holds, what is set there."""
    return {one.key: dict(found.on.app.read(one, Deadline.after(20)).state) for one in found.incident.targets}


def rewrite(folder: Path, kind: str, change: Any) -> None:
    """What somebody does to the ledger's file from outside."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as file, file:
        for key, body in file.execute("SELECT key, body FROM documents WHERE kind = ?", (kind,)).fetchall():
            file.execute("UPDATE documents SET body = ? WHERE kind = ? AND key = ?", (change(body), kind, key))


def planted(body: str) -> str:
    """A key that nobody knows in whatever the body holds."""
    whole = json.loads(body)
    if "sealed" in whole:
        return json.dumps({**whole, "planted": {"a": [1]}})
    (kind,) = whole.keys() & {"incident", "standing"}
    return json.dumps({**whole, kind: {**whole[kind], "planted": {"a": [1]}}})


@of_every_version(*RECIPES)
def test_every_record_is_read_and_its_seal_is_whole_unless_somebody_changed_what_it_covers(
    tmp_path: Path, version: str, name: str
) -> None:
    with earlier(tmp_path, version, name) as found:
        held = found.held

        assert held.incident.id == scene(version, name)["incident"]
        forged = name in (FORGED if version == "41af992" else FORGED | NOT_SEALED_BY_41AF992)
        assert held.sealed is (Sealed.BROKEN if forged else Sealed.HOLDS)
        assert held.acts
        for target in held.incident.targets:
            assert found.on.app.ledger.standing_at(target.key)[0].target == target.key


@of_every_version(*CONTAINED)
def test_what_was_contained_is_released(tmp_path: Path, version: str, name: str) -> None:
    """As it was before the first write, but for runs that were cancelled."""
    with earlier(tmp_path, version, name) as found:
        targets = {one.key: one for one in found.incident.targets}
        origin = {key: dict(found.on.app.ledger.standing_at(key)[0].origin) for key in targets}
        answered = found.on.release(found.incident)
        now = settings(found)

        assert answered is not None
        assert answered.done, answered.says
        assert found.incident.phase == "released"
        for key in targets:
            assert {k: v for k, v in now[key].items() if not k.startswith("executions.")} == {
                k: v for k, v in origin[key].items() if not k.startswith("executions.")
            }
            assert not found.on.app.ledger.standing_at(key)[0].holds


@of_every_version(*CONTAINED)
def test_planted_keys_change_nothing(tmp_path: Path, version: str, name: str) -> None:
    """The record verifies and is released; what was planted is still there, and was not sealed by us on the way."""
    with earlier(tmp_path, version, name) as found:
        rewrite(tmp_path, "standing", planted)
        rewrite(tmp_path, "incident", planted)
        target = found.incident.targets[0].key
        sealed = found.held.sealed
        answered = found.on.release(found.incident)
        after = found.body("standing", target)

        assert sealed
        assert answered is not None
        assert answered.done, answered.says
        assert {**after, **after.get("unsealed", {})}["planted"] == {"a": [1]}
        assert "planted" not in after["sealed"]
        assert "planted" in json.dumps(found.body("incident", found.id))


@of_every_version(*ASKED)
def test_an_open_question_is_put_anew_and_an_answer_to_the_one_before_changes_nothing(
    tmp_path: Path, version: str, name: str
) -> None:
    """The plan that was shown may rest on what nobody sealed: it passes the gate before anybody is asked again."""
    with earlier(tmp_path, version, name) as found:
        before = found.incident.question
        assert before is not None
        found.on.skipped_ns = before.asked_ns + NANOS - time.time_ns()
        early = found.on.command("approve", found.incident, digest=before.digest)
        renew(found.on.app.ledger)
        found.on.sweep()
        asked, reachable = found.incident.question, found.on.reachable
        again = found.on.approve(found.incident)

        assert early is not None
        assert not early.done
        assert asked is not None
        assert asked.asked_ns > before.asked_ns
        assert BAD in reachable
        assert again is not None
        # The event that came meanwhile is decided with the first: what SCC holds now names no revision that serves.
        assert name == "told_while_asked" or (again.done and BAD not in found.on.reachable), again.says


@each_version
def test_the_command_releases_on_the_ledger_file_as_it_was_left(tmp_path: Path, version: str) -> None:
    lines = Lines(tmp_path)
    shutil.copy(FIXTURES / version / "contained.ledger", tmp_path / "ledger.sqlite")
    with lines(RECIPES["contained"].world(), policy=RECIPES["contained"].policy, FIREBREAK_SEAL_KEY=KEY) as on:
        found = Earlier(on, scene(version, "contained")["incident"])
        in_force(on, found.incident)
        before = on.reachable
        environment = {
            **os.environ,
            **on.sandbox.environment(),
            "FIREBREAK_POLICIES": str(tmp_path / "policies"),
            "FIREBREAK_LEDGER": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
            "FIREBREAK_SEAL_KEY": KEY,
            "XDG_STATE_HOME": str(tmp_path),
        }
        command = [sys.executable, "-m", "firebreak", "incident", "release", found.id, "--by", "ada"]
        ran = subprocess.run(  # noqa: S603 - our own command line
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

        assert BAD not in before
        assert ran.returncode == 0, ran.stderr
        assert "released" in ran.stdout
        assert BAD in on.reachable


@each_version
def test_a_forged_record_keeps_its_broken_seal_over_a_save_and_is_not_released(tmp_path: Path, version: str) -> None:
    with earlier(tmp_path, version, "forged_plan") as found:
        answered = pipeline.execute(found.on.app, Command("one", "release", "ada", found.id, "", "", ""))
        held = found.held

        assert not answered.done
        assert "seal is broken" in answered.says
        assert not held.sealed
        assert found.incident.phase == "contained"


@each_version
def test_a_save_writes_the_present_format_with_the_first_key(tmp_path: Path, version: str) -> None:
    """The old key verifies, the new one signs."""
    with earlier(tmp_path, version, "contained") as found:
        ledger = dataclasses.replace(
            found.on.app.ledger, seal=dataclasses.replace(found.on.app.ledger.seal, keys=(b"new", KEY.encode()))
        )
        taken = ledger.take(found.id)
        assert taken is not None
        new = dataclasses.replace(ledger, seal=dataclasses.replace(ledger.seal, keys=(b"new",))).find(found.id)

        assert taken.sealed
        assert new is not None
        assert new.sealed
        assert found.body("incident", found.id).keys() == {"format", "acts_from", "counter", "sealed", "seal", "lease"}


@each_version
def test_what_the_vault_holds_of_it_verifies(version: str) -> None:
    """And the manifest, should a newer version have sealed more in it, as far as it can be read."""
    seal, folder = Seal((KEY.encode(),)), FIXTURES / version / "vault"
    copy, whole = (folder / "finding.json").read_bytes(), (folder / "manifest.json").read_bytes()
    manifest = read_manifest(whole, "fb-1", seal)
    assert manifest is not None
    later = {**encode(manifest), "later": 1}
    newer = json.dumps({**later, "seal": seal.sign("manifest", later)}).encode()

    assert manifest.objects == (entry_of("finding.json", copy, "fb-1", seal),)
    assert read_manifest(newer, "fb-1", seal) == manifest


@each_version
def test_every_name_that_was_stored_still_means_the_same(version: str) -> None:
    """A type, a field, a member or a word that was taken away would leave records that nobody can read.

    What no field has any more is kept as it was stored, under a name that stays taken.
    """
    known, now = json.loads((FIXTURES / version / "names.json").read_text()), stored_names()
    given_up = {f"{one.name}.{stored}" for one in NAMES.values() for stored in one.given_up}

    for group in ("types", "members", "words"):
        for kind, parts in known[group].items():
            assert kind in given_up or set(parts) <= set(now[group][kind]), kind

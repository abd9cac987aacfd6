"""Once an hour the vault is told how far the ledger is; a ledger that was put back as a whole halts everything."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.adapters.storage.vault_folder import FolderVault
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.slots import Slots
from firebreak.core.errors import Transient
from firebreak.core.signing import Seal
from firebreak.core.timestamps import parse_instant
from firebreak.ledger.ledger import Ledger
from firebreak.ports.deadline import Deadline
from firebreak.response.anchor import anchor
from tests.ledger.racing import another_finding

SEAL = Seal((b"key",))
HOUR_NS = 3600 * 10**9
AT_TEN = parse_instant("2026-11-28T10:05:00Z")
Restart = Callable[[], Ledger]


class Clock:
    def __init__(self) -> None:
        self.ns = AT_TEN

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path / "evidence")


@pytest.fixture
def restart(tmp_path: Path, clock: Clock) -> Restart:
    """A process that has just started: the sweep's is often the only one, and does not live for an hour."""
    return lambda: Ledger(SqliteDocuments(tmp_path / "ledger.sqlite"), "one", clock, SEAL)


def swept(ledger: Ledger, vault: FolderVault, seconds: float = 30) -> str | None:
    return anchor(ledger, vault, ledger.now_ns(), Deadline.after(seconds))


def filled(ledger: Ledger) -> None:
    ledger.hear(another_finding())
    ledger.commit(ledger.slots_save(Slots(), None))
    ledger.commit(ledger.standing_save(Standing("a", holds=(Hold("fb-1", (), frozenset(), 1),)), None))
    ledger.halt("a drill", "ada")
    _resumed(ledger)


def _resumed(ledger: Ledger) -> None:
    halt = ledger.halts.standing_halt()
    assert halt is not None
    ledger.halts.lift(halt, "ada")


def save_all(ledger: Ledger) -> None:
    """Each record once more."""
    held = next(ledger.newest(1))
    ledger.release_lease(held, held.incident)
    ledger.commit(ledger.standing_save(*ledger.standing_at("a")), ledger.slots_save(*ledger.slots()))
    ledger.halt("another", "ada")
    _resumed(ledger)


def copied(folder: Path, name: str) -> Path:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as file:
        file.execute("VACUUM INTO ?", (str(folder / name),))
    return folder / name


def put_back(folder: Path, copy: Path) -> None:
    """As from a backup, whatever is in the file's log."""
    for path in folder.glob("ledger.sqlite*"):
        path.unlink()
    shutil.copy(copy, folder / "ledger.sqlite")


def objects(vault: FolderVault) -> tuple[str, ...]:
    return vault.names("ledger", Deadline.after(5))


def test_one_object_an_hour_is_kept_and_a_ledger_that_goes_on_is_not_halted(
    restart: Restart, vault: FolderVault, clock: Clock
) -> None:
    """Under its seal it has the counter of each record."""
    filled(restart())
    said = []
    for minutes in (0, 5, 50, 60, 65, 180):
        clock.ns = AT_TEN + minutes * 60 * 10**9
        said.append(swept(restart(), vault))
        save_all(restart())
    kept = json.loads(vault.get("ledger", objects(vault)[0], Deadline.after(5)) or b"")

    assert said == [None] * 6
    assert [name[:13] for name in objects(vault)] == ["2026-11-28/10", "2026-11-28/11", "2026-11-28/13"]
    assert sorted(kept["counters"].values()) == [1, 1, 1, 2]
    assert {"halt", "slots", "standing a"} < kept["counters"].keys()
    assert restart().halt_reason() is None


def test_a_ledger_that_was_put_back_halts_everything_once_until_somebody_resumes(
    restart: Restart, vault: FolderVault, clock: Clock, tmp_path: Path
) -> None:
    """Also the halt that stood then, and what each process knew by itself."""
    filled(restart())
    copy = copied(tmp_path, "backup")
    save_all(restart())
    swept(restart(), vault)
    knowing = restart()
    assert knowing.halt_reason() is None
    put_back(tmp_path, copy)
    knowing = replace(restart(), floors=knowing.floors)
    quiet = swept(restart(), vault)
    clock.ns += HOUR_NS
    told = swept(restart(), vault)
    again = swept(restart(), vault)
    halted = restart().halt_reason()
    _resumed(restart())
    clock.ns += HOUR_NS
    late = swept(restart(), vault)

    assert quiet is None
    assert told is not None
    assert "behind what the vault has of 2026-11-28T10:05:00Z" in told
    assert "standing a" in told
    assert halted == f"halted by firebreak: {told}"
    assert (again, late) == (None, None)
    assert [ledger.halt_reason() for ledger in (restart(), knowing)] == [None, None]


@pytest.mark.parametrize("kind", ["standing", "halt", "slots", "incident"])
def test_a_record_that_was_deleted_is_found_out_too(
    restart: Restart, vault: FolderVault, clock: Clock, tmp_path: Path, kind: str
) -> None:
    """Where nothing else knew of it."""
    filled(restart())
    swept(restart(), vault)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as file, file:
        file.execute("DELETE FROM documents WHERE kind = ?", (kind,))
    clock.ns += HOUR_NS
    told = swept(restart(), vault)

    assert told is not None
    assert kind in told


def test_a_halt_that_was_lifted_as_by_a_version_without_seals_is_found_out(
    restart: Restart, vault: FolderVault, clock: Clock
) -> None:
    one = restart()
    one.halt("an attack", "ada")
    swept(one, vault)
    document = one.documents.read("halt", "halt")
    assert document is not None
    one.documents.replace(document, {"reason": "", "by": "eve", "at_ns": 1})
    clock.ns += HOUR_NS
    fresh = restart()
    before, told = fresh.halt_reason(), swept(fresh, vault)

    assert before is None
    assert told is not None
    assert "halt" in told
    assert restart().halt_reason() is not None


def test_a_record_that_is_broken_is_told_elsewhere_and_halts_nothing_else(
    restart: Restart, vault: FolderVault, clock: Clock
) -> None:
    """As all are after a key was dropped."""
    filled(restart())
    swept(restart(), vault)
    document = restart().documents.read("standing", "a")
    assert document is not None
    restart().documents.replace(document, {**document.body, "seal": "0" * 64})
    clock.ns += HOUR_NS

    assert swept(restart(), vault) is None


def test_after_days_without_a_sweep_the_last_object_still_counts(
    restart: Restart, vault: FolderVault, clock: Clock, tmp_path: Path
) -> None:
    filled(restart())
    copy = copied(tmp_path, "backup")
    save_all(restart())
    swept(restart(), vault)
    put_back(tmp_path, copy)
    clock.ns += 6 * 24 * HOUR_NS

    assert swept(restart(), vault) is not None


@pytest.mark.parametrize("what", [b"{}", b"[1]", b"\xff", b"{", "changed", "an older one"])
def test_what_lies_in_the_vault_and_is_not_ours_counts_for_nothing(
    restart: Restart, vault: FolderVault, clock: Clock, tmp_path: Path, what: bytes | str
) -> None:
    """Whoever can write there, but has no key, neither halts anything nor hides what was."""
    filled(restart())
    swept(restart(), vault)
    copy = copied(tmp_path, "backup")
    save_all(restart())
    clock.ns += HOUR_NS
    swept(restart(), vault)
    older, newer = (vault.get("ledger", name, Deadline.after(5)) or b"" for name in objects(vault))
    forged = {"changed": newer.replace(b'"slots": 2', b'"slots": 9'), "an older one": older}
    data = what if isinstance(what, bytes) else forged[what]
    for name in ("11-f", "12-0000000000000000.json"):
        assert vault.put("ledger/2026-11-28", name, data, Deadline.after(5))
    clock.ns += HOUR_NS
    fine = swept(restart(), vault)
    put_back(tmp_path, copy)
    clock.ns += HOUR_NS

    assert forged["changed"] != newer
    assert fine is None
    assert swept(restart(), vault) is not None


def test_what_no_time_was_left_for_is_looked_at_again(
    restart: Restart, vault: FolderVault, clock: Clock, tmp_path: Path
) -> None:
    filled(restart())
    swept(restart(), vault)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as file, file:
        file.execute("DELETE FROM documents WHERE kind = 'standing'")
    clock.ns += HOUR_NS
    with pytest.raises(Transient, match="no time was left"):
        swept(restart(), vault, 0)

    assert swept(restart(), vault) is not None


def test_without_a_key_nothing_is_kept_and_nothing_said(restart: Restart, vault: FolderVault) -> None:
    filled(restart())

    assert swept(replace(restart(), seal=Seal(())), vault) is None
    assert objects(vault) == ()

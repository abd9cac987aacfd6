"""What every vault keeps to, on a folder and on a bucket over the wire: made once, never changed, read back whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from firebreak.adapters.storage.vault_bucket import BucketVault
from firebreak.adapters.storage.vault_folder import FolderVault
from firebreak.core.errors import Denied, Missing, Refused, Transient
from firebreak.ports.deadline import Deadline
from firebreak.ports.vault import Vault
from sandbox.server import Sandbox
from sandbox.wire import Fault
from sandbox.world import World
from tests.ledger.closed import without_hard_links

ODD = b'{"a": "\xe2\x80\xae"}\r\n--boundary--\r\n\x00\xff'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World.load({"buckets": ["evidence"]})) as served:
        yield served


@pytest.fixture(params=["folder", "folder without hard links", "bucket", "bucket with a prefix"])
def vault(request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox, mocker: MockerFixture) -> Vault:
    sandbox.world.buckets["evidence"].clear()
    sandbox.wire.clear_faults()
    if "hard links" in request.param:
        without_hard_links(mocker)
    if "folder" in request.param:
        return FolderVault(tmp_path / "evidence")
    prefix = "/a/b/" if "prefix" in request.param else ""
    return BucketVault(f"gs://evidence{prefix}", sandbox.environment()["STORAGE_EMULATOR_HOST"])


def soon() -> Deadline:
    return Deadline.after(5)


def test_an_object_is_made_once_and_stays_what_it_was(vault: Vault) -> None:
    """Whoever comes second is told so, and has changed nothing."""
    assert vault.put("fb-1", "a.json", ODD, soon())
    assert not vault.put("fb-1", "a.json", b"other", soon())
    assert vault.get("fb-1", "a.json", soon()) == ODD


def test_of_many_at_once_one_makes_it(vault: Vault) -> None:
    """And what is read back is the whole of one of them."""
    contents = [bytes([number]) * 10_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda data: vault.put("fb-1", "a.json", data, soon()), contents))

    assert made.count(True) == 1
    assert vault.get("fb-1", "a.json", soon()) == contents[made.index(True)]


def test_what_is_not_there_is_none_and_an_empty_folder_has_no_names(vault: Vault) -> None:
    """Neither is an error."""
    assert vault.get("fb-1", "a.json", soon()) is None
    assert vault.names("fb-1", soon()) == ()


def test_names_are_those_of_one_incident_also_deeper_ones(vault: Vault) -> None:
    """An incident whose id begins alike is another one."""
    for folder, name in (("fb-1", "b.json"), ("fb-1", "a.json"), ("fb-1", "deep/c.json"), ("fb-10", "d.json")):
        vault.put(folder, name, b"{}", soon())

    assert vault.names("fb-1", soon()) == ("a.json", "b.json", "deep/c.json")


@pytest.mark.parametrize("links", [True, False])
def test_a_folder_s_files_are_their_owner_s_alone(tmp_path: Path, mocker: MockerFixture, *, links: bool) -> None:
    """They hold what an attacker did, and what the customer runs; nothing is left of the writing."""
    if not links:
        without_hard_links(mocker)
    FolderVault(tmp_path / "evidence").put("fb-1", "a.json", b"{}", soon())
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "evidence").rglob("*")}

    assert modes == {"fb-1": 0o700, ".aside": 0o700, "a.json": 0o400}


def test_a_folder_names_links_and_reads_only_files(tmp_path: Path) -> None:
    """A link to a folder, or a pipe that would never end, is something that nobody put there."""
    vault = FolderVault(tmp_path / "evidence")
    vault.put("fb-1", "a.json", b"{}", soon())
    (tmp_path / "evidence" / "fb-1" / "link").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "evidence" / "fb-1" / "pipe")

    assert vault.names("fb-1", soon()) == ("a.json", "link", "pipe")
    assert vault.get("fb-1", "pipe", soon()) is None


def test_a_folder_that_cannot_be_made_is_a_refusal_in_our_words(tmp_path: Path) -> None:
    """Without the path, which may be anybody's."""
    (tmp_path / "evidence").write_text("a file")

    with pytest.raises((Refused, Transient)) as told:
        FolderVault(tmp_path / "evidence").put("fb-1", "a.json", b"{}", soon())
    assert str(tmp_path) not in str(told.value)


@pytest.mark.parametrize(
    ("code", "fault"),
    [("PERMISSION_DENIED", Denied), ("NOT_FOUND", Missing), ("INVALID_ARGUMENT", Refused)],
)
def test_a_bucket_that_refuses_says_so_in_our_words(sandbox: Sandbox, code: str, fault: type[Exception]) -> None:
    """Not with addresses and bodies."""
    sandbox.wire.clear_faults()
    sandbox.wire.inject(Fault("storage/insert", "error", code=code, message="body with an address"))
    vault = BucketVault("gs://evidence", sandbox.environment()["STORAGE_EMULATOR_HOST"])

    with pytest.raises(fault) as told:
        vault.put("fb-1", "refused.json", b"{}", soon())
    assert "http" not in str(told.value)
    assert "body" not in str(told.value)


def test_a_bucket_that_is_out_of_reach_is_given_up_at_the_deadline(sandbox: Sandbox) -> None:
    """And a lost answer is found out: the object is there, and it is ours."""
    vault = BucketVault("gs://evidence", sandbox.environment()["STORAGE_EMULATOR_HOST"])
    sandbox.wire.clear_faults()
    sandbox.wire.inject(Fault("storage/insert", "error", code="UNAVAILABLE", times=None))
    with pytest.raises(Transient):
        vault.put("fb-1", "late.json", b"{}", Deadline.after(0.3))
    sandbox.wire.clear_faults()
    sandbox.wire.inject(Fault("storage/insert", "lost_answer"))

    assert not vault.put("fb-1", "lost.json", b"{}", soon())
    assert vault.get("fb-1", "lost.json", soon()) == b"{}"


def test_a_listing_that_does_not_end_is_not_taken_for_a_short_one(sandbox: Sandbox) -> None:
    """Whoever may create objects may create many; what is too much to look at is said to be."""
    vault = BucketVault("gs://evidence", sandbox.environment()["STORAGE_EMULATOR_HOST"])
    sandbox.wire.clear_faults()
    sandbox.world.buckets["evidence"] |= {f"fb-9/{number}": b"" for number in range(1001)}

    with pytest.raises(Refused, match="more than 1000 objects"):
        vault.names("fb-9", soon())


def test_what_comes_back_damaged_is_not_taken_for_evidence(sandbox: Sandbox) -> None:
    """Google's client compares checksums; we listen to it."""
    vault = BucketVault("gs://evidence", sandbox.environment()["STORAGE_EMULATOR_HOST"])
    sandbox.wire.clear_faults()
    vault.put("fb-1", "damaged.json", b"{}", soon())
    sandbox.wire.inject(Fault("storage/get", "malformed"))

    found = vault.get("fb-1", "damaged.json", soon())

    assert hashlib.sha256(found or b"").hexdigest() != hashlib.sha256(b"{}").hexdigest()

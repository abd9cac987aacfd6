"""The seal key of a machine of one's own: made once, whole, also where the file system has no hard links."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from firebreak.adapters.storage.key_file import seal_keys
from firebreak.core.errors import Transient
from firebreak.settings import Settings, read_settings
from tests.ledger.closed import without_hard_links


def settings_in(folder: Path) -> Settings:
    return read_settings({"XDG_STATE_HOME": str(folder)})


@pytest.mark.parametrize("links", [True, False])
def test_of_many_that_start_at_once_all_have_the_same_whole_key(
    tmp_path: Path, mocker: MockerFixture, *, links: bool
) -> None:
    if not links:
        without_hard_links(mocker)
    start, settings = threading.Barrier(8), settings_in(tmp_path)

    def key(_: int) -> bytes:
        start.wait()
        return seal_keys(settings)[0]

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(key, range(8)))

    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert [(path.name, path.stat().st_mode & 0o777) for path in settings.state.iterdir()] == [("seal.key", 0o600)]


def test_a_key_that_another_process_is_putting_into_place_is_waited_for(tmp_path: Path) -> None:
    """Its place is taken before it is there."""
    settings = settings_in(tmp_path)
    settings.state.mkdir(parents=True)
    path = settings.state / "seal.key"
    path.touch()
    threading.Timer(0.1, path.write_bytes, [b"k" * 64]).start()

    assert seal_keys(settings) == (b"k" * 64,)


def test_an_empty_key_seals_nothing_and_is_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.state.mkdir(parents=True)
    (settings.state / "seal.key").touch()

    with pytest.raises(Transient, match=r"seal\.key is empty, .* delete it"):
        seal_keys(settings)

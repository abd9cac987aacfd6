"""A folder as people have it on disk: what is a policy, what lies beside one, and what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from firebreak.adapters.log import log_json
from firebreak.core.diagnostics import Faults
from firebreak.core.policy.policy import is_policy_file
from firebreak.policy_folder import load_policies, policy_files, read_folder
from tests.response.harness import PIN_ONLY

BESIDE = [
    "._10-x.yaml",
    ".10-x.yaml.swp",
    ".firebreak.yaml",
    "._firebreak.yaml",
    ".yaml",
    "~10-x.yaml",
    "~$10-x.yml",
    "10-x.yaml~",
    "#10-x.yaml#",
    "10-x.yaml.orig",
    ".DS_Store",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "10-x.yaml").write_text(PIN_ONLY)
    return tmp_path


@pytest.mark.parametrize("name", BESIDE)
def test_what_file_systems_and_editors_leave_beside_policies_is_none(folder: Path, name: str) -> None:
    """As macOS leaves it: binary. A hidden firebreak.yaml is no config."""
    (folder / name).write_bytes(b"\x00\x05\x16\x07\x00\x02\xff\xfeMac OS X")

    assert [*read_folder(folder)] == [str(folder / "10-x.yaml")]
    assert len(load_policies(folder, log_json).policies) == 1


def test_an_editor_s_lock_that_leads_nowhere_is_none(folder: Path) -> None:
    (folder / ".#10-x.yaml").symlink_to("ann@laptop.4711")

    assert [path.name for path in policy_files(folder)] == ["10-x.yaml"]


@pytest.mark.parametrize("name", ["x.yaml", "X.YML", "10 x.yaml", "policies/.d/x.yaml", "x.y.yaml"])
def test_every_other_yaml_file_is_one(name: str) -> None:
    assert is_policy_file(name)


def test_a_policy_that_leads_nowhere_is_a_fault_with_its_name(folder: Path) -> None:
    """Left out, what it should have decided would fall to the policies below it."""
    (folder / "05-first.yaml").symlink_to(folder / "gone.yaml")
    with pytest.raises(Faults) as told:
        load_policies(folder, log_json)

    assert str(told.value) == f"{folder}/05-first.yaml:1:1: this file cannot be read: No such file or directory"


def test_a_pipe_is_a_fault_and_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "05-first.yaml")
    with pytest.raises(Faults, match=r"05-first\.yaml:1:1: this file cannot be read: it is no regular file"):
        load_policies(folder, log_json)


def test_links_that_lead_to_policies_are_read_and_folders_are_not(folder: Path, tmp_path: Path) -> None:
    """As they are where a folder is mounted."""
    elsewhere = tmp_path / "..data"
    elsewhere.mkdir()
    (elsewhere / "20-y.yaml").write_text(PIN_ONLY.replace("id: always", "id: other"))
    (folder / "20-y.yaml").symlink_to(elsewhere / "20-y.yaml")
    (folder / "old.yaml").mkdir()

    assert [one.id for one in load_policies(folder, log_json).policies] == ["always", "other"]

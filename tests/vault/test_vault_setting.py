"""Where evidence goes: the forms that are taken, and what is said of the others before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from firebreak.adapters.storage.vault_bucket import BucketVault
from firebreak.adapters.storage.vault_folder import FolderVault
from firebreak.adapters.storage.vault_store import vault_of
from firebreak.core.mode import Mode
from firebreak.ports.deadline import Deadline
from firebreak.settings import SettingsFault, read_settings


@pytest.mark.parametrize(
    ("given", "kind", "uri"),
    [
        ({"HOME": "/users/ada"}, FolderVault, "file:///users/ada/.local/state/firebreak/evidence"),
        ({"XDG_STATE_HOME": "/var/state"}, FolderVault, "file:///var/state/firebreak/evidence"),
        ({"FIREBREAK_EVIDENCE": "file:///srv/evidence"}, FolderVault, "file:///srv/evidence"),
        ({"FIREBREAK_EVIDENCE": "file:///srv/my evidence"}, FolderVault, "file:///srv/my evidence"),
        ({"FIREBREAK_EVIDENCE": "file:///srv/my%20evidence"}, FolderVault, "file:///srv/my%20evidence"),
        ({"FIREBREAK_EVIDENCE": "gs://bucket"}, BucketVault, "gs://bucket"),
        ({"FIREBREAK_EVIDENCE": "gs://bucket_1.example.com/a/b/"}, BucketVault, "gs://bucket_1.example.com/a/b"),
    ],
)
def test_the_vault_is_where_the_setting_says(given: dict[str, str], kind: type, uri: str) -> None:
    """In the user's state folder where it says nothing; nothing is made before it is needed."""
    vault = vault_of(read_settings(given))

    assert isinstance(vault.put.__self__, kind)  # type: ignore[attr-defined]  # a method of what it stands for, if it does
    assert vault.uri == uri


@pytest.mark.parametrize("name", ["my evidence", "my%20evidence"])
def test_a_folder_is_named_letter_by_letter(tmp_path: Path, name: str) -> None:
    """A space is a space, and a percent sign is one too."""
    vault = vault_of(read_settings({"FIREBREAK_EVIDENCE": f"file://{tmp_path}/{name}"}))
    vault.put("fb-1", "a.json", b"{}", Deadline.after(5))

    assert (tmp_path / name / "fb-1" / "a.json").read_bytes() == b"{}"


@pytest.mark.parametrize(
    "given",
    [
        *(
            "evidence",
            "/srv/evidence",
            "file://srv/evidence",
            "file:///",
            "file:////",
            "file:///a?b",
            "gs://",
            "gs:///a",
        ),
        *("gs://B", "gs://bucket//a", "gs://bucket/a#b", "s3://bucket", "GS://bucket", "gs://bucket/a?b"),
    ],
)
def test_any_other_form_keeps_it_from_starting(given: str) -> None:
    """With both forms in the sentence."""
    with pytest.raises(SettingsFault, match=r"FIREBREAK_EVIDENCE=.*: file:///DIR or gs://BUCKET/PREFIX"):
        read_settings({"FIREBREAK_EVIDENCE": given})


@pytest.mark.parametrize(("evidence", "unsafe"), [({}, True), ({"FIREBREAK_EVIDENCE": "gs://b0x/y"}, False)])
def test_a_deployment_with_its_evidence_on_its_own_disk_only_monitors(
    evidence: dict[str, str],
    unsafe: bool,  # noqa: FBT001 - a table
) -> None:
    """The disk goes with the instance."""
    ceilings = read_settings({"K_SERVICE": "firebreak", **evidence}).ceilings
    reasons = {one.reason for one in ceilings if one.mode is Mode.MONITOR}

    assert ("deployed, and the vault is a local folder" in reasons) is unsafe

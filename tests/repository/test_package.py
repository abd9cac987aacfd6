"""The archive that is deployed: the same bytes for the same tree, only what the functions need, nothing broken."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import responders
from firebreak.archive import contents as packed_contents
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS
from firebreak.core.cloud_run.state import State
from firebreak.core.findings.detectors import CATEGORIES
from firebreak.policy_folder import load_policies
from tests.repository.checkout import ROOT, tracked
from tests.repository.test_frame import is_deployed
from tools.package import (
    CONFIG_FILE,
    Unpackable,
    actions,
    archive,
    categories,
    classes,
    collect,
    contents,
    deployed,
    entry_points,
    main,
    manifest,
)

OWN = 'organization: "987654321098"\nsources: ["5678"]\nceiling: approve\n'
NEW = '"Execution: New Detector"'
POLICY = """
id: own
mode: monitor
when: {finding.category: CATEGORY}
then: [{action: cut_traffic}]
examples:
  - {given: {finding.category: GIVEN}, expect: {mode: monitor}}
  - {given: {finding.category: "Unexpected Child Shell"}, expect: nothing}
"""


def own_policies(
    folder: Path, config: str = OWN, category: str = '"Reverse Shell"', given: str = '"Reverse Shell"'
) -> Path:
    folder.mkdir()
    (folder / "firebreak.yaml").write_text(config)
    (folder / "10-own.yaml").write_text(POLICY.replace("CATEGORY", category).replace("GIVEN", given))
    (folder / "notes.md").write_text("for people")
    return folder


def untold(severity: str, message: str, **_: object) -> None:
    pytest.fail(f"{severity}: {message}")


def zipped(policies: Path | None = None) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(archive(collect(policies).files)))


def test_two_packagings_are_equal_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        monkeypatch.setattr("sys.argv", ["package", "--to", str(tmp_path / name)])

        assert main() == 0
    for name in ("firebreak.zip", "firebreak.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_neither_times_nor_modes_nor_the_order_of_files_change_the_archive() -> None:
    files = dict(collect(None).files)
    backwards = dict(reversed(files.items()))
    entries = zipped().infolist()

    assert archive(backwards) == archive(files)
    assert {(one.date_time, one.external_attr, one.compress_type) for one in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644 << 16, zipfile.ZIP_STORED)
    }


def test_what_is_packed_is_what_gcloudignore_lets_through() -> None:
    """All of it that git keeps, and no compiled file, test or sandbox beside it."""
    names = set(zipped().namelist())

    assert {path for path in tracked() if is_deployed(path)} - {CONFIG_FILE} <= names
    assert {name for name in names if not is_deployed(name) or "__pycache__" in name or name.endswith(".pyc")} == set()


def test_the_shipped_configuration_is_left_out_because_it_would_turn_every_finding_away() -> None:
    package = collect(None)

    assert CONFIG_FILE not in package.files
    assert manifest(package, b"")["organization"] is None
    assert manifest(package, b"")["ceiling"] == "monitor"


def test_your_own_policies_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    package = collect(own_policies(tmp_path / "own"))
    about = manifest(package, b"")

    assert {name for name in package.files if name.startswith("policies/")} == {
        CONFIG_FILE,
        "policies/10-own.yaml",
        "policies/compiled.json",
    }
    assert about["organization"] == "987654321098"
    assert about["ceiling"] == "approve"
    assert about["categories"] == ["Reverse Shell"]


def test_what_file_systems_and_editors_leave_beside_policies_is_not_packed(tmp_path: Path) -> None:
    """Neither beside your own policies, nor anywhere in the tree."""
    own = own_policies(tmp_path / "own")
    tree = tmp_path / "tree"
    shutil.copytree(own, tree / "policies")
    shutil.copy(ROOT / ".gcloudignore", tree)
    for name in ("._10-own.yaml", ".10-own.yaml.swp", "~10-own.yaml", "10-own.yaml~", ".firebreak.yaml"):
        for folder in (own, tree / "policies"):
            (folder / name).write_bytes(b"\x00\xff")
    (own / ".#10-own.yaml").symlink_to("ann@laptop.4711")
    kept = {"policies/10-own.yaml", CONFIG_FILE}
    packed = {name for name in collect(own).files if name.startswith("policies/")}

    assert packed == kept | {"policies/compiled.json"}
    assert {*deployed(tree)} == kept | {"policies/notes.md"}


def test_a_policy_that_cannot_be_read_is_named_and_nothing_is_packed(tmp_path: Path) -> None:
    own = own_policies(tmp_path / "own")
    (own / "05-first.yaml").symlink_to(tmp_path / "gone.yaml")
    with pytest.raises(Unpackable, match=r"05-first\.yaml cannot be read: No such file or directory"):
        collect(own)


def test_the_categories_are_those_that_a_policy_could_match(tmp_path: Path) -> None:
    """Also through a glob, and also one that is named and not among the detectors known here."""
    globbed = collect(own_policies(tmp_path / "glob", OWN, '{glob: "Impact: *"}', '"Impact: X"')).policies
    named = collect(own_policies(tmp_path / "named", OWN, NEW, NEW)).policies

    assert categories(globbed) == sorted(name for name in CATEGORIES if name.startswith("Impact: "))
    assert categories(named) == ["Execution: New Detector"]


def test_the_classes_are_those_of_which_a_policy_could_match_any_category(tmp_path: Path) -> None:
    """A detector of tomorrow is delivered for it; where every policy names its categories, none is."""
    named = collect(own_policies(tmp_path / "named", OWN, NEW, NEW)).policies
    globbed = collect(own_policies(tmp_path / "glob", OWN, '{glob: "Impact: *"}', '"Impact: X"')).policies
    strict = own_policies(tmp_path / "strict", OWN, NEW, NEW)
    for one in (ROOT / "policies" / "starter" / "strict").glob("9*.yaml"):
        shutil.copy(one, strict)

    assert [classes(one) for one in (named, globbed, collect(strict).policies)] == [[], ["THREAT"], ["THREAT"]]


def test_packages_come_from_the_index_that_is_named_under_the_same_hashes() -> None:
    """As pip reads it from the lock itself, so that nothing about it is set where the functions are built."""
    index = "https://europe-west1-python.pkg.dev/acme-packages/mirror/simple/"
    own, shipped = (collect(None, one).files["requirements.txt"].decode() for one in (index, None))

    assert own == f"--index-url {index}\n{shipped}"
    assert manifest(collect(None, index), b"")["package_index"] == index
    assert manifest(collect(None), b"")["package_index"] is None


@pytest.mark.parametrize(
    "index", ["http://pypi.acme.example", "https://ann:secret@pypi.acme.example/", "https://x\n-r y"]
)
def test_an_index_that_would_put_a_secret_into_the_archive_or_be_read_in_clear_is_not_packed(index: str) -> None:
    with pytest.raises(Unpackable, match="package index"):
        collect(None, index)


def test_findings_for_a_policy_in_shadow_are_delivered_and_nothing_is_granted_for_it(tmp_path: Path) -> None:
    own = own_policies(tmp_path / "own", OWN, NEW, NEW)
    (only,) = own.glob("[0-9]*.yaml")
    only.write_text(only.read_text().replace("mode: monitor", "mode: enforce").replace("when:", "shadow: true\nwhen:"))
    packed = collect(own).policies

    assert (categories(packed), actions(packed)) == (["Execution: New Detector"], [])


def test_the_actions_are_those_that_a_policy_carries_out_fallbacks_too(tmp_path: Path) -> None:
    """What only a monitoring policy names is never done, and so nothing is granted for it."""
    own = own_policies(tmp_path / "own")
    asking = POLICY.replace("id: own", "id: asking").replace("mode: monitor", "mode: approve")
    steps = "[{action: pin_previous_revision, otherwise: [{action: suspend}]}]"
    (own / "20-asking.yaml").write_text(
        asking.replace("[{action: cut_traffic}]", steps).replace("CATEGORY", NEW).replace("GIVEN", NEW)
    )

    assert actions(collect(own).policies) == ["pin_previous_revision", "suspend"]


@pytest.mark.parametrize(
    ("config", "category", "says"),
    [
        ('organization: "123456789012"\n', '"Reverse Shell"', "names the example organization"),
        ("organisation: x\n", '"Reverse Shell"', "the function would not start"),
        (OWN, '{at_least: "x"}', "the function would not start"),
        (OWN, '"Unexpected Child Shell"', "expects nothing"),
    ],
)
def test_what_would_not_work_is_not_packed(tmp_path: Path, config: str, category: str, says: str) -> None:
    with pytest.raises(Unpackable, match=says):
        collect(own_policies(tmp_path / "own", config, category))


def test_what_a_function_loads_of_the_archive_is_what_its_yaml_says(tmp_path: Path) -> None:
    """With the shipped policies and with your own; compiled once more, it is the same text."""
    own = own_policies(tmp_path / "own")
    for policies in (None, own):
        with zipped(policies) as packed:
            packed.extractall(tmp_path / "function")
        folder = tmp_path / "function" / "policies"
        loaded = load_policies(folder, untold)
        (folder / "compiled.json").unlink()
        from_yaml = load_policies(folder, untold)

        assert loaded.policies != from_yaml.policies, "what is compiled has no examples"
        assert loaded == replace(from_yaml, policies=tuple(replace(one, examples=()) for one in from_yaml.policies))
        shutil.rmtree(tmp_path / "function")


def test_an_action_that_fails_is_named_and_nothing_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading does not find it: it is found by trying the steps."""
    monkeypatch.setattr(type(responders.discover()["cut_traffic"]), "edit", lambda *_: 1 / 0)
    with pytest.raises(
        Unpackable, match=r"10-own\.yaml:5:\d+: a fault of the action `cut_traffic` itself: its own code"
    ):
        collect(own_policies(tmp_path / "own"))


def test_steps_that_undo_each_other_are_named_and_nothing_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opens(_: object, before: State, *__: object) -> State:
        return {**before, INGRESS: "all", DEFAULT_URI_DISABLED: False}

    monkeypatch.setattr(type(responders.discover()["pin_previous_revision"]), "edit", opens)
    own = own_policies(tmp_path / "own")
    text = (own / "10-own.yaml").read_text().replace("cut_traffic}", "cut_traffic}, {action: pin_previous_revision}")
    (own / "10-own.yaml").write_text(text.replace("when: {", "when: {workload.kind: service, "))
    with pytest.raises(Unpackable, match=r"10-own\.yaml:5:\d+: `pin_previous_revision` undoes `cut_traffic`, whatever"):
        collect(own)


def test_what_a_function_could_not_read_is_not_packed(tmp_path: Path) -> None:
    """Bytes that are no text stop a function, in a comment too: packaging reads as the function does."""
    own = own_policies(tmp_path / "own")
    with (own / "10-own.yaml").open("ab") as file:
        file.write(b"# \xff\n")
    with pytest.raises(Unpackable, match=r"the function would not start:\n.*10-own\.yaml:"):
        collect(own)


def test_a_folder_without_policies_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(Unpackable, match="no policy"):
        collect(tmp_path)


def test_a_misspelt_folder_ends_in_a_sentence_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["package", "--policies", "no-such-folder", "--to", str(tmp_path / "dist")])

    assert main() == 1
    assert "no-such-folder is not a folder" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


def test_entry_points_are_the_functions_that_the_framework_can_serve() -> None:
    source = "@functions_framework.http\ndef a(r): ...\n\n@cache\ndef b(): ...\n\ndef c(): ...\n"

    assert entry_points(source) == ("a",)
    assert "on_finding" in entry_points((ROOT / "main.py").read_text())


def test_what_only_people_run_is_not_deployed() -> None:
    left_out = (
        "firebreak/cli/",
        "firebreak/backtest/",
        "firebreak/doctor/",
        "firebreak/adapters/inspection/",
        "firebreak/ports/inspection.py",
    )

    assert [name for name in collect(None).files if name.startswith(left_out)] == []


def test_the_contents_are_those_of_every_file_and_nothing_else_changes_them(tmp_path: Path) -> None:
    """A running function tells them, so that they are in the archive, and not among what they are of."""
    package, again = collect(None), collect(None)
    edited = {**package.files, "main.py": package.files["main.py"] + b"#"}

    assert contents(package.files) == contents(again.files) == packed_contents(unpacked(package.files, tmp_path))
    assert contents(edited) != contents(package.files)
    assert manifest(package, b"")["contents"] == contents(package.files)


def unpacked(files: Mapping[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_an_edit_changes_the_archive_s_name(tmp_path: Path) -> None:
    """The manifest carries the hash that Terraform names the object by."""
    shutil.copytree(own_policies(tmp_path / "own"), tmp_path / "edited")
    with (tmp_path / "edited" / "10-own.yaml").open("a") as file:
        file.write("# edited\n")
    hashes = []
    for name in ("own", "edited"):
        package = collect(tmp_path / name)
        hashes.append(json.loads(json.dumps(manifest(package, archive(package.files))))["sha256"])

    assert hashes[0] != hashes[1]


def test_what_google_s_build_has_compiled_counts_whatever_times_the_image_gives_to_the_files(tmp_path: Path) -> None:
    """The build compiles in place; of what it set, Terraform's variable is all that is ours."""
    built = re.findall(r'SOURCE_DATE_EPOCH = "(\d+)"', (ROOT / "terraform" / "functions.tf").read_text())
    for name in ("firebreak/__init__.py", "firebreak/core/__init__.py", "firebreak/core/first_few.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {"PATH": os.environ["PATH"]}
    python = partial(subprocess.run, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    python(
        [sys.executable, "-m", "compileall", "-f", "-q", "."],
        env={**environment, **dict(zip(["SOURCE_DATE_EPOCH"], built, strict=True))},
    )
    for path in tmp_path.rglob("*.py"):
        os.utime(path, (315532801, 315532801))
    told = python([sys.executable, "-v", "-B", "-c", "import firebreak.core.first_few"]).stderr

    assert len(re.findall(rf"# code object from '{re.escape(str(tmp_path))}\S*\.pyc'", told)) == 3

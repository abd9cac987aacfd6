"""What git remembers of a folder of policies."""

from __future__ import annotations

import subprocess
from html import unescape
from pathlib import Path

import pytest

from firebreak.cli.commands.policy_revisions import commits_of, files_at
from firebreak.policy_folder import read_folder, read_yaml_policies
from tests.backtest.histories import lines, policies_in, recorded
from tests.cli.commands import Told


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=Ada \x1b[31m", "-c", "user.email=ada@shop.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of policies within a repository that has more; its first commit says so."""
    git(tmp_path, "init", "-q")
    folder = Path(policies_in(tmp_path / "policies"))
    (tmp_path / "10.yaml").write_text("not a policy of the folder")
    (folder / "README.md").write_text("nor is this one")
    (folder / "starter").mkdir()
    (folder / "starter" / "20.yaml").write_text("nor what lies deeper")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "The first set")
    return folder


def _tree(folder: Path) -> str:
    told = subprocess.run(["git", "write-tree"], cwd=folder, check=True, capture_output=True, text=True)  # noqa: S607
    return told.stdout.strip()


def digest(folder: Path) -> str:
    return read_yaml_policies(read_folder(folder)).digest


def test_a_set_is_named_by_the_commit_that_it_began_with(folder: Path) -> None:
    with (folder / "10.yaml").open("a") as file:
        file.write("# a comment changes no decision\n")
    git(folder, "commit", "-qam", "A comment")
    same = digest(folder)
    with (folder / "10.yaml").open("a") as file:
        file.write("approve_within: 10m\n")
    git(folder, "commit", "-qam", "Less time to answer")
    found = commits_of(folder, {same, digest(folder), "f" * 64})

    assert {key: one.says for key, one in found.items()} == {
        same: "The first set",
        digest(folder): "Less time to answer",
    }


def test_who_made_a_commit_cannot_colour_the_screen(folder: Path) -> None:
    assert "\x1b" not in commits_of(folder, {digest(folder)})[digest(folder)].by


def test_a_commit_whose_policies_do_not_load_is_passed_by(folder: Path) -> None:
    whole, kept = (folder / "10.yaml").read_text(), digest(folder)
    (folder / "10.yaml").write_text("id: [")
    git(folder, "commit", "-qam", "Broken")
    (folder / "10.yaml").write_text(f"{whole}approve_within: 10m\n")
    git(folder, "commit", "-qam", "Mended")

    assert set(commits_of(folder, {kept, digest(folder)})) == {kept, digest(folder)}


def test_a_revision_has_the_policies_of_the_folder_alone(folder: Path) -> None:
    (folder / "10.yaml").write_text("changed since")

    assert {Path(name).name for name in files_at(folder, "HEAD")} == {"10.yaml", "firebreak.yaml"}
    assert "id: malware" in files_at(folder, "HEAD")[f"{folder}@HEAD/10.yaml"]


@pytest.mark.parametrize("attribute", ["export-ignore", "export-subst", "ident", "working-tree-encoding=UTF-16"])
def test_a_revision_has_the_policies_as_they_were_committed_whatever_attributes_say(
    folder: Path, attribute: str
) -> None:
    """Who merged them before could have a later change compared with other policies than there were."""
    (folder / ".gitattributes").write_text(f"10.yaml {attribute}\n")
    with (folder / "10.yaml").open("a") as file:
        file.write("#$Format:%n%b$ $Id$\n")
    text = (folder / "10.yaml").read_text()
    (folder / ".gitattributes").unlink()
    git(folder, "add", ".")
    (folder / ".gitattributes").write_text(f"10.yaml {attribute}\n")
    git(folder, "add", "--force", ".gitattributes")
    git(folder, "commit", "-qm", "Tidy", "-m", "shadow: true #")

    assert files_at(folder, "HEAD")[f"{folder}@HEAD/10.yaml"] == text
    assert digest(folder) in commits_of(folder, {digest(folder)})


def test_a_change_that_brings_the_first_policies_is_a_change_of_none(folder: Path, firebreak: Told) -> None:
    """Else the first pull request of all fails, by a revision that git does know."""
    git(folder, "checkout", "-q", "--orphan", "begun")
    git(folder, "rm", "-rqf", "--cached", ".")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Nothing yet")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "The first policies")
    (folder.parent / "history.jsonl").write_text(lines(recorded(1)))
    words = "policy", "backtest", str(folder.parent / "history.jsonl"), "--policies", str(folder)
    shown = firebreak(*words, "--against", "HEAD^1", "--json")
    unknown = firebreak(*words, "--against", "HEAD~9")

    assert (shown.code, shown.json["changes"]["ways"]) == (0, {"nothing → enforce": 1})
    assert (unknown.code, "git knows no such revision" in unknown.err) == (2, True)


def test_a_change_that_mends_policies_that_did_not_load_is_compared_with_nothing_and_says_so(
    folder: Path, firebreak: Told
) -> None:
    """Nobody can mend what was committed: if that failed, no change could ever mend it."""
    good = (folder / "10.yaml").read_text()
    (folder / "10.yaml").write_text(good.replace("mode: enforce", "mode: enforced", 1))
    git(folder, "commit", "-qam", "A slip")
    (folder / "10.yaml").write_text(good)
    git(folder, "commit", "-qam", "Mended")
    (folder.parent / "history.jsonl").write_text(lines(recorded(1, closed_as="benign")))
    page = folder.parent / "report.html"
    words = "policy", "backtest", str(folder.parent / "history.jsonl"), "--policies", str(folder), "--html", str(page)
    answer = firebreak(*words, "--against", "HEAD^1", "--fail-if", "worse>0")
    shown = firebreak(*words, "--against", "HEAD^1", "--json").json

    assert answer.code == 0
    said = " ".join(answer.out.split())
    assert f"Not compared HEAD^1: the policies of then do not load ({folder}@HEAD^1/10.yaml:4:7: `mode` is" in said
    assert "; so nothing is compared with them, and --fail-if worse>0 is not tested" in said
    assert (shown["changes"], shown["by_mode"]["enforce"]) == (None, 1)
    assert shown["not_compared"] in unescape(page.read_text())


def test_a_folder_to_compare_with_that_does_not_load_is_a_fault_that_can_be_mended(
    folder: Path, firebreak: Told
) -> None:
    (folder.parent / "history.jsonl").write_text(lines(recorded(1)))
    other = policies_in(folder.parent / "other", "id: [")
    words = "policy", "backtest", str(folder.parent / "history.jsonl"), "--policies", str(folder)

    assert firebreak(*words, "--against", other).code == 1


def test_a_folder_named_as_a_revision_without_policies_does_not_take_its_place(
    folder: Path, firebreak: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first pull request of all could else bring what it is compared with."""
    git(folder, "checkout", "-q", "--orphan", "begun")
    git(folder, "rm", "-rqf", "--cached", ".")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Nothing yet")
    policies_in(folder.parent / "HEAD")
    (folder.parent / "history.jsonl").write_text(lines(recorded(1)))
    monkeypatch.chdir(folder.parent)

    assert firebreak("policy", "backtest", "history.jsonl", "--policies", "policies", "--against", "HEAD").code == 2


def test_a_folder_that_is_named_as_a_revision_does_not_take_its_place(
    folder: Path, firebreak: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change could bring what it is compared with."""
    monkeypatch.chdir(folder.parent)
    (folder.parent / "history.jsonl").write_text(lines(recorded(1)))
    text = (folder / "10.yaml").read_text()
    (folder / "10.yaml").write_text(text.replace("mode: enforce", "mode: monitor"))
    policies_in(folder.parent / "HEAD", (folder / "10.yaml").read_text())
    words = ("policy", "backtest", "history.jsonl", "--policies", "policies", "--json")
    answer = firebreak(*words, "--against", "HEAD")

    assert answer.code == 2
    assert (
        "HEAD: there is such a folder, and git knows such a revision: write ./HEAD for the folder"
        in answer.json["says"]
    )
    assert firebreak(*words, "--against", "./HEAD").json["changes"]["count"] == 0


def test_no_program_that_a_folder_of_policies_names_is_run(folder: Path) -> None:
    """A change may bring a repository without a `.git`, within the folder: git takes it for the one that it is in."""
    program = folder / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {folder.parent / 'ran'}\n")
    program.chmod(0o755)
    by = "a <a> 1 +0000\n"
    seal = "gpgsig -----BEGIN PGP SIGNATURE-----\n x\n"
    signed = f"tree {_tree(folder)}\nauthor {by}committer {by}{seal}\nmine\n"
    git(folder, "init", "-q", "--bare", ".")
    (folder / "objects" / "info" / "alternates").write_text(f"{folder.parent / '.git' / 'objects'}\n")
    made = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    told = subprocess.run(["git", "--git-dir=.", *made], cwd=folder, input=signed, text=True, capture_output=True)  # noqa: S603, S607, PLW1510
    for words in (
        ("update-ref", "HEAD", told.stdout.strip()),
        ("config", "log.showSignature", "true"),
        ("config", "gpg.program", str(program)),
    ):
        git(folder, "--git-dir=.", *words)
    commits_of(folder, {digest(folder)})

    assert not (folder.parent / "ran").exists()

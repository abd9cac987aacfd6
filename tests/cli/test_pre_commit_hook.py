"""Linting policies from another repository: the pre-commit hook, and how little it installs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from tests.cli.test_policy_commands import FAILING

ROOT = Path(__file__).resolve().parents[2]


def hook(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What pre-commit runs in a repository of policies, with these arguments in place of its own."""
    (declared,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (declared["language"], declared["pass_filenames"], declared["always_run"]) == ("python", False, True)
    command, *words = shlex.split(declared["entry"])
    return subprocess.run(  # noqa: S603
        [str(Path(sys.executable).with_name(command)), *words, *(arguments or declared["args"])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_hook_lints_a_folder_whole_and_several_folders_in_one_call(tmp_path: Path) -> None:
    """What a change to firebreak.yaml, or a deleted file, makes wrong elsewhere is found; warnings are, if asked."""
    for name, text in (("policies", FAILING), ("other", FAILING.replace("reverse-shells", "further-shells"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(text)
        (tmp_path / name / "firebreak.yaml").write_text('organization: "1"\n')
    one, both = hook(tmp_path), hook(tmp_path, "--strict", "policies", "other")

    assert (one.returncode, both.returncode) == (1, 1), one.stderr + both.stderr
    assert "example 1 of `reverse-shells` expects enforce" in one.stdout
    assert "further-shells" not in one.stdout
    assert "example 1 of `reverse-shells` expects enforce" in both.stdout
    assert "example 1 of `further-shells` expects enforce" in both.stdout


def test_the_hook_says_yes_where_nothing_is_wrong(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")

    assert hook(tmp_path, "--strict", "policies").returncode == 0


def test_linting_and_testing_policies_needs_nothing_but_the_named_dependency(tmp_path: Path) -> None:
    """So that pre-commit and pipx install two packages: the command runs where only Firebreak and PyYAML are."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    packages = Path(yaml.__file__).parent.parent
    for path in (*ROOT.glob("firebreak"), *ROOT.glob("enrichment"), *ROOT.glob("responders")):
        (tmp_path / path.name).symlink_to(path)
    for path in (*packages.glob("yaml"), *packages.glob("_yaml")):
        (tmp_path / path.name).symlink_to(path)
    program = "import sys; from firebreak.cli.main import main; sys.exit(main(sys.argv[1:]))"
    told = {
        command: subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {program}",
             "policy", command, str(ROOT / "policies")],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )
        for command in ("lint", "test")
    }  # fmt: skip

    assert wanted == ["PyYAML"]
    assert {name: done.returncode for name, done in told.items()} == dict.fromkeys(told, 0), told

"""What a stranger meets first: setting up, the command, and what is sent to be deployed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import pytest

from tests.conftest import NEEDED
from tests.repository.checkout import ROOT, text_of, tracked
from tools.readme_commands import commands

OWN_FOLDERS = re.compile(r"(?<![\w.-])/(?:home|root|work)/")


def is_deployed(path: str) -> bool:
    """What .gcloudignore lets through: it leaves out everything, takes files back one by one, and leaves out a few."""
    lines = text_of(".gcloudignore").splitlines()
    kept = [line.removeprefix("!/") for line in lines if line.startswith("!/")]
    left_out = [line.removeprefix("/") for line in lines if line.startswith("/")]
    return any(fnmatch(path, one) for one in kept) and not any(fnmatch(path, one) for one in left_out)


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run without a terminal and with nothing to read."""
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603


def test_what_is_deployed_starts_by_itself(tmp_path: Path) -> None:
    """Every module that is sent finds what it imports among the files that are sent, and nothing of the sandbox is."""
    sent = [path for path in tracked() if is_deployed(path)]
    for path in sent:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    modules = [".".join(PurePosixPath(path).with_suffix("").parts) for path in sent if path.endswith(".py")]
    program = "import importlib, sys; sys.path.insert(0, '.'); [importlib.import_module(name) for name in sys.argv[1:]]"

    told = run(sys.executable, "-P", "-c", program, "main", *modules, cwd=tmp_path)

    assert told.returncode == 0, told.stderr
    assert {path.name for path in tmp_path.iterdir()}.isdisjoint({"sandbox", "tests", "tools", ".git"})


def test_the_command_runs_from_any_folder(tmp_path: Path) -> None:
    told = run(str(Path(sys.executable).with_name("firebreak")), "--help", cwd=tmp_path)

    assert told.returncode == 0, told.stderr
    assert "usage: firebreak" in told.stdout


def test_a_copied_checkout_runs_its_own_code(tmp_path: Path) -> None:
    """Environment and all, in a folder with blanks, by a link too, and while the original is still there."""
    original, copy = tmp_path / "one", tmp_path / "a copy"
    run(sys.executable, "-m", "venv", "--without-pip", str(original / ".venv"))
    (original / "tools").mkdir()
    (original / "where.py").write_text("print(__file__)\n")
    shutil.copy(ROOT / "tools" / "relocate.py", original / "tools")
    python = original / ".venv" / "bin" / "python"
    packages = next((original / ".venv" / "lib").glob("python*/site-packages"))
    (packages / "__editable__.firebreak-1.pth").write_text(str(original))
    (python.with_name("firebreak")).write_text(f"#!{python}\nimport where\n")
    python.with_name("firebreak").chmod(0o755)

    assert run(str(python), str(original / "tools" / "relocate.py")).returncode == 0
    shutil.copytree(original, copy, symlinks=True)
    (tmp_path / "link").symlink_to(copy / ".venv" / "bin" / "firebreak")
    told = [run(str(one), cwd=tmp_path).stdout for one in (copy / ".venv" / "bin" / "firebreak", tmp_path / "link")]

    assert told == [f"{copy / 'where.py'}\n"] * 2


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_setting_up_without_a_usable_python_ends_in_a_sentence(python: str, tmp_path: Path) -> None:
    told = run("make", "setup", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")

    assert told.returncode
    assert "Firebreak needs Python 3.11 or newer" in told.stdout
    assert not (tmp_path / "venv").exists()


def test_every_target_is_told_with_a_sentence() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))

    assert {target for target in targets if f"make {target} " not in run("make").stdout} == set()


def test_every_kind_of_test_that_needs_more_than_python_has_a_marker() -> None:
    markers = set(re.findall(r'^  "(\w+): needs', text_of("pyproject.toml"), re.MULTILINE))

    assert markers == set(NEEDED)


def test_tests_whose_programs_are_missing_are_skipped_aloud() -> None:
    """Each file of them stands in the summary, with what is missing and how many tests that leaves out."""
    told = run(
        "env", "PATH=/nowhere", sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-m", "terraform",
        "tests/terraform/test_package_starts.py",
    )  # fmt: skip

    assert told.returncode == 0, told.stdout
    assert re.search(
        r"^SKIPPED \[\d+\] tests/terraform/test_package_starts\.py.*: needs terraform: not on this machine: terraform$",
        told.stdout,
        re.MULTILINE,
    ), told.stdout


def test_marked_blocks_are_read_line_by_line_and_others_are_not() -> None:
    marked = "<!-- run -->\n```bash\nmake a\n# a remark\n\nmake b\n```\n"
    unmarked = "```bash\nrm -rf\n```\n"

    assert commands(marked + unmarked + marked) == ["make a", "make b"]


def test_no_file_holds_a_folder_of_the_machine_it_was_written_on() -> None:
    texts = {path: (ROOT / path).read_text(encoding="utf-8", errors="replace") for path in tracked()}

    assert [(path, match[0]) for path, text in texts.items() if (match := OWN_FOLDERS.search(text))] == []

"""`firebreak doctor` says what is wrong with a deployment, and how it is mended: that, all of it, and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.commands import Terminal, Told
from tests.doctor.deployed import PACKAGE, Site


def test_a_healthy_deployment_has_no_fault_and_everything_can_be_checked(firebreak: Told, healthy: Site) -> None:
    assert firebreak("configure", str(healthy.file)).code == 0
    told = firebreak("doctor")

    assert (told.code, told.err) == (0, ""), told.out
    assert told.out.splitlines()[-1].startswith("All is well: ")
    assert told.out.splitlines()[-1].endswith(f" things were checked in {healthy.told['deployment']['project']}.")


def test_an_archive_that_was_packed_and_not_applied_is_told(firebreak: Told, healthy: Site, tmp_path: Path) -> None:
    healthy.configure()
    about = {**PACKAGE, "contents": "cd" * 32, "entry_points": ["on_finding"], "package_index": None}
    (tmp_path / "firebreak.json").write_text(json.dumps(about))
    told = firebreak("doctor", "--package", str(tmp_path / "firebreak.json"))

    assert told.code == 1
    assert told.out.count("was packed from abababababab, and cdcdcdcdcdcd ") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ('{"version": "1"}', "it does not describe an archive"), (None, "it cannot be read")],
)
def test_a_description_of_no_archive_is_wrong_usage(
    firebreak: Told, healthy: Site, tmp_path: Path, text: str | None, said: str
) -> None:
    healthy.configure()
    if text is not None:
        (tmp_path / "firebreak.json").write_text(text)
    told = firebreak("doctor", "--package", str(tmp_path / "firebreak.json"))

    assert told.code == 2
    assert said in told.err


def test_on_a_terminal_the_number_of_things_is_counted(
    firebreak: Told, healthy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy.configure()
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    told = firebreak("doctor")

    assert told.code == 0
    assert "looking at acme-firebreak" in seen.getvalue()

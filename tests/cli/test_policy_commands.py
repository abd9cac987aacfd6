"""`policy lint` and `policy test`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Told

ROOT = Path(__file__).resolve().parents[2]
FAILING = """\
id: reverse-shells
mode: enforce
when: {finding.category: "Reverse Shell", virustotal.malicious: {at_least: 10}}
then: [{action: cut_traffic}]
examples:
  - {given: {virustotal.malicious: 9}, expect: {mode: enforce}}
  - {given: {virustotal.malicious: 8}, expect: nothing}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "some-policies"
    made.mkdir()
    return made


def test_the_shipped_policies_are_clean_and_their_examples_pass(firebreak: Told) -> None:
    linted, tested = firebreak("policy", "lint"), firebreak("policy", "test")

    assert linted.code == 0
    assert "no faults" in linted.out
    assert tested.code == 0
    assert ", 0 failed" in tested.out


def test_every_fault_is_told_in_its_place_with_the_line_and_a_caret(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING.replace("cut_traffic", "cut_trafic"))
    (folder / "b.yaml").write_text(FAILING.replace("enforce", "enfroce", 1))
    told = firebreak("policy", "lint", str(folder))

    assert told.code == 1
    assert f"{folder / 'a.yaml'}:4:17: there is no action `cut_trafic`; did you mean `cut_traffic`?\n" in told.out
    assert "    then: [{action: cut_trafic}]\n                    ^\n" in told.out
    assert f"{folder / 'b.yaml'}:2:7: " in told.out


def test_faults_are_json_for_programs(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING.replace("cut_traffic", "cut_trafic"))
    told = firebreak("policy", "lint", str(folder), "--json")
    fault = told.json["faults"][0]

    assert told.code == 1
    assert (fault["line"], fault["column"], fault["nearest"]) == (4, 17, "cut_traffic")
    assert fault["quoted"] == "then: [{action: cut_trafic}]"


def test_a_failing_example_shows_what_was_expected_what_came_out_and_why(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)
    told = firebreak("policy", "test", str(folder))

    assert told.code == 1
    assert "reverse-shells: 1 of 2 passed" in told.out
    assert f"FAIL {folder / 'a.yaml'}:6:" in told.out
    assert "expected: enforce\n" in told.out
    assert "actual:   nothing\n" in told.out
    assert "false   virustotal.malicious at_least 10: it is 9\n" in told.out


def test_examples_are_json_for_programs(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)
    told = firebreak("policy", "test", str(folder), "--json")
    failed = told.json["examples"][0]

    assert told.json["passed"] is False
    assert failed["expected"] == {"mode": "enforce", "actions": None}
    assert failed["actual"] is None
    assert {"fact": "virustotal.malicious", "truth": "false"}.items() <= failed["trace"][1].items()


def test_a_failing_example_is_a_fault_too(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)

    assert firebreak("policy", "lint", str(folder)).code == 1


@pytest.mark.parametrize("command", ["lint", "test"])
def test_a_folder_without_policies_is_not_a_yes(firebreak: Told, command: str, folder: Path) -> None:
    told = firebreak("policy", command, str(folder))

    assert told.code == 1
    assert "there is no policy" in told.err


def test_the_folder_of_the_settings_is_meant_where_none_is_named(
    firebreak: Told, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.yaml").write_text(FAILING)
    monkeypatch.setenv("FIREBREAK_POLICIES", str(folder))

    assert firebreak("policy", "test").code == 1


def test_a_file_s_hostile_name_does_not_reach_the_terminal(firebreak: Told, folder: Path) -> None:
    (folder / "a\x1b[31m\n.yaml").write_text("nonsense")
    told = firebreak("policy", "lint", str(folder))

    assert told.code == 1
    assert "\x1b" not in told.out

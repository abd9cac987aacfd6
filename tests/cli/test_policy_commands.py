"""`policy lint` and `policy test`."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path

import pytest

import responders
from firebreak.cli.screens.faults import show_fault
from firebreak.core.cloud_run.setting_names import DEFAULT_URI_DISABLED, INGRESS
from firebreak.core.cloud_run.state import State
from firebreak.core.diagnostics import FaultLog
from firebreak.policy_language.reading.rules import WRONG_VALUE
from tests.cli.commands import Told, looked_at

ROOT = Path(__file__).resolve().parents[2]
POLICIES = ROOT / "policies"
PLAIN = str(ROOT / "tests" / "findings" / "v2.json")
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


@pytest.mark.parametrize("name", [".", "starter/monitor", "starter/strict"])
def test_the_shipped_policies_are_clean_and_their_examples_pass(firebreak: Told, name: str) -> None:
    shipped = POLICIES / name
    linted, tested = (firebreak("policy", verb, "--strict", str(shipped)) for verb in ("lint", "test"))

    assert linted.code == 0
    assert f"{len(list(shipped.glob('[0-9]*.yaml')))} policies, no faults, no warnings" in linted.out
    assert tested.code == 0
    assert ", 0 failed" in tested.out


def test_test_names_steps_whose_action_fails_and_says_no(
    firebreak: Told, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Examples are about who decides: they pass, whatever becomes of the steps."""
    (folder / "a.yaml").write_text(FAILING.replace("9}, expect", "10}, expect"))
    before = firebreak("policy", "test", str(folder))
    monkeypatch.setattr(type(responders.discover()["cut_traffic"]), "edit", lambda *_: 1 / 0)
    told, shown = firebreak("policy", "test", str(folder)), firebreak("policy", "test", str(folder), "--json")
    junit = firebreak("policy", "test", str(folder), "--format", "junit")

    assert (before.code, told.code, shown.code, junit.code) == (0, 1, 1, 1)
    assert f"{folder}/a.yaml:4:8: fault: a fault of the action `cut_traffic` itself: its own code failed" in told.out
    assert "2 passed, 0 failed, 1 step at fault" in told.out
    assert [(one["line"], one["loads"]) for one in shown.json["faults"]] == [(4, True)]
    assert 'failures="1"' in junit.out


UNDOING = """\
id: reverse-shells
mode: enforce
when: {finding.category: "Reverse Shell", workload.kind: service}
then: [{action: cut_traffic}, {action: pin_previous_revision}]
examples:
  - {given: {}, expect: {mode: enforce}}
  - {given: {finding.category: "Unexpected Child Shell"}, expect: nothing}
"""


@pytest.mark.parametrize(
    "words", [["lint"], ["test"], ["explain", str(ROOT / "tests" / "findings" / "v2.json"), "--policies"]]
)
def test_steps_that_undo_each_other_are_told_by_every_command(
    firebreak: Told, folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    def opens(_: object, before: State, *__: object) -> State:
        return {**before, INGRESS: "all", DEFAULT_URI_DISABLED: False}

    (folder / "a.yaml").write_text(UNDOING)
    before = firebreak("policy", *words, str(folder))
    monkeypatch.setattr(type(responders.discover()["pin_previous_revision"]), "edit", opens)
    told = firebreak("policy", *words, str(folder))

    assert (before.code, told.code) == (0, 1)
    assert (
        f"{folder}/a.yaml:4:31: fault: `pin_previous_revision` undoes `cut_traffic`, whatever the target is" in told.out
    )


def test_every_fault_is_told_in_its_place_with_the_line_and_a_caret(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING.replace("cut_traffic", "cut_trafic"))
    (folder / "b.yaml").write_text(FAILING.replace("enforce", "enfroce", 1))
    told = firebreak("policy", "lint", str(folder))

    assert told.code == 1
    assert (
        f"{folder / 'a.yaml'}:4:17: fault: there is no action `cut_trafic`; did you mean `cut_traffic`? [FB112]\n"
        in told.out
    )
    assert "    then: [{action: cut_trafic}]\n                    ^\n" in told.out
    assert f"{folder / 'b.yaml'}:2:7: fault: " in told.out
    assert told.out.endswith("2 policies, 3 faults, no warnings: this does not load\n")


def test_faults_are_json_for_programs(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING.replace("cut_traffic", "cut_trafic"))
    told = firebreak("policy", "lint", str(folder), "--json")
    fault = told.json["faults"][0]

    assert told.code == 1
    assert (fault["line"], fault["column"], fault["nearest"]) == (4, 17, "cut_traffic")
    assert fault["quoted"] == "then: [{action: cut_trafic}]"
    assert (told.json["ok"], told.json["loads"], fault["loads"]) == (False, False, False)


def test_a_failing_example_shows_what_was_expected_what_came_out_and_why(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)
    told = firebreak("policy", "test", str(folder))

    assert told.code == 1
    assert "reverse-shells: 1 of 2 passed" in told.out
    assert f"FAIL {folder / 'a.yaml'}:6:" in told.out
    assert "    - mode    enforce  (expected)\n    + mode    nothing  (came out)\n" in told.out
    assert "false   virustotal.malicious at_least 10: it is 9 (given)\n" in told.out
    assert "true    finding.category equals Reverse Shell (made up)\n" in told.out


def test_examples_are_json_for_programs(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)
    told = firebreak("policy", "test", str(folder), "--json")
    failed = told.json["examples"][0]

    assert told.json["passed"] is False
    assert failed["expected"] == {"mode": "enforce", "actions": None}
    assert failed["actual"] is None
    assert {"fact": "virustotal.malicious", "truth": "false"}.items() <= failed["trace"][1].items()


def test_what_no_example_tries_is_named_and_a_no_only_where_everything_must_be_tried(
    firebreak: Told, folder: Path
) -> None:
    (folder / "a.yaml").write_text(FAILING.replace("malicious: 9}, expect: {mode", "malicious: 11}, expect: {mode"))
    told = firebreak("policy", "test", str(folder))

    assert told.code == 0
    assert f"no example makes `finding.category: Reverse Shell` false ({folder / 'a.yaml'}:3:8) [FB405]\n" in told.out
    assert told.out.endswith("2 passed, 0 failed, 1 clause left untried\n")
    assert firebreak("policy", "test", str(folder), "--strict").code == 1
    assert firebreak("policy", "test", str(folder), "--json").json["untried"][0]["never"] == ["false"]


def test_an_example_s_whole_finding_is_read_from_beside_its_policy(firebreak: Told, folder: Path) -> None:
    (folder / "findings").mkdir()
    shutil.copy(ROOT / "tests" / "findings" / "v2.json", folder / "findings" / "a.json")
    text = FAILING.replace(
        "{given: {virustotal.malicious: 9}, expect: {mode: enforce}}", "{finding: findings/a.json, expect: nothing}"
    )
    (folder / "a.yaml").write_text(text)
    passed = firebreak("policy", "test", str(folder))
    (folder / "findings" / "a.json").write_text("no")
    failed = firebreak("policy", "test", str(folder))

    assert passed.code == 0
    assert failed.code == 1
    assert "it cannot be run: the finding `findings/a.json`: this is not JSON text" in failed.out


def test_only_the_files_that_are_meant_are_run(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)
    (folder / "b.yaml").write_text(
        FAILING.replace("reverse-shells", "other").replace(
            "malicious: 9}, expect: {mode", "malicious: 11}, expect: {mode"
        )
    )

    assert firebreak("policy", "test", str(folder / "a.yaml")).code == 1
    assert firebreak("policy", "test", str(folder / "b.yaml")).code == 0


def test_a_failing_example_is_a_fault_that_keeps_nothing_from_loading(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)
    told = firebreak("policy", "lint", str(folder), "--json")

    assert told.code == 1
    assert told.json["loads"] is True
    assert [fault["loads"] for fault in told.json["faults"]] == [True]


def test_a_warning_is_a_no_only_where_everything_must_be_right(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(
        FAILING.replace("malicious: 9}, expect: {mode: enforce}", "malicious: 11}, expect: {mode: enforce}")
    )
    told = firebreak("policy", "lint", str(folder))

    assert told.code == 0
    assert f"{folder / 'a.yaml'}:1:5: warning: this policy acts, " in told.out
    assert told.out.endswith("1 policy, no faults, 1 warning\n")
    assert firebreak("policy", "lint", str(folder), "--strict").code == 1


def test_what_is_right_is_looked_at_even_where_another_file_does_not_load(firebreak: Told, folder: Path) -> None:
    (folder / "a.yaml").write_text(FAILING)
    (folder / "b.yaml").write_text("a: [")
    told = firebreak("policy", "lint", str(folder))

    assert f"{folder / 'a.yaml'}:6:" in told.out
    assert f"{folder / 'b.yaml'}:" in told.out


def test_a_file_is_read_with_its_folder_and_told_of_alone(firebreak: Told, folder: Path) -> None:
    text = FAILING.replace("virustotal.malicious: {at_least: 10}", "workload.project: {in_set: pay}")
    (folder / "a.yaml").write_text(
        text.replace("virustotal.malicious: 9", "workload.project: a").replace(
            "virustotal.malicious: 8", "workload.project: b"
        )
    )
    (folder / "b.yaml").write_text("a: [")
    (folder / "firebreak.yaml").write_text('organization: "1"\nsets: {pay: [a]}\n')

    assert firebreak("policy", "lint", str(folder / "a.yaml")).code == 0
    assert firebreak("policy", "lint", str(folder / "b.yaml")).code == 1
    assert firebreak("policy", "lint", str(folder / "a.yaml"), str(folder / "b.yaml")).code == 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in itertools.pairwise("abcdefghijklmnopqrst")),
        "- no\n" * 100_000,
    ],
    ids=["deep", "alias bomb", "many faults"],
)
def test_a_hostile_file_is_refused_in_a_few_lines(firebreak: Told, folder: Path, text: str) -> None:
    (folder / "a.yaml").write_text(text)
    told = firebreak("policy", "lint", str(folder))

    assert told.code == 1
    assert len(told.out) < 100_000
    assert "Traceback" not in told.out + told.err


def test_a_file_of_a_hundred_megabytes_is_refused_unread(firebreak: Told, folder: Path) -> None:
    with (folder / "a.yaml").open("wb") as file:
        file.truncate(100_000_000)
    told = firebreak("policy", "lint", str(folder))

    assert told.code == 1
    assert "a.yaml:1:1: fault: the file is larger than 1 MB" in told.out


@pytest.mark.parametrize("name", ["a.yaml", "A.YAML", "a.yml"])
def test_a_file_that_is_not_utf_8_is_refused_in_its_place(firebreak: Told, folder: Path, name: str) -> None:
    (folder / name).write_bytes(FAILING.encode().replace(b"reverse-shells", "r\xe9verse".encode("latin-1")))
    told = firebreak("policy", "lint", str(folder))

    assert f"{name}:1:6: fault: this is not UTF-8 text" in told.out


def test_on_a_terminal_lines_and_carets_fit_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    log = FaultLog("a.yaml", f"{'x' * 90} wrong {'y' * 90}")
    log.add(WRONG_VALUE, log.place(1, 92), "a long story " * 10)
    (fault,) = log.faults
    lines = re.sub(r"\x1b\[[0-9;]*m", "", looked_at(show_fault, fault, "fault", "bad")).splitlines()
    pointed = next(number for number, line in enumerate(lines) if line.strip() == "^")

    assert max(map(len, lines)) <= 60
    assert lines[pointed - 1][lines[pointed].index("^") :].startswith("wrong")


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


def test_the_schemas_are_those_beside_the_policies(firebreak: Told) -> None:
    """Under its old name too."""
    policy, config = firebreak("policy", "schema"), firebreak("policy", "schema", "--config")

    assert config.json == firebreak("policy", "schema", "--charter").json

    assert policy.json == json.loads((ROOT / "policies" / "schema" / "policy.json").read_text())
    assert config.json == json.loads((ROOT / "policies" / "schema" / "firebreak.json").read_text())


@pytest.mark.parametrize(
    ("command", "name", "said"),
    [
        ("facts", "virustotal.malicious", "virustotal.malicious: {at_least: 10}"),
        ("actions", "pin_previous_revision", "- {action: pin_previous_revision, require_different_image: true}"),
    ],
)
def test_the_catalogues_are_shown_with_lines_to_paste(firebreak: Told, command: str, name: str, said: str) -> None:
    shown, listed = firebreak("policy", command), firebreak("policy", command, "--json")

    assert (shown.code, listed.code) == (0, 0)
    assert said in shown.out
    assert name in [one["fact" if command == "facts" else "action"] for one in listed.json]


def test_where_nothing_names_a_folder_it_is_told_which_one_is_meant(
    firebreak: Told, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)  # where policies could be, and are not looked for
    plain, given = firebreak("policy", "lint"), firebreak("policy", "lint", str(POLICIES))
    monkeypatch.setenv("FIREBREAK_POLICIES", str(POLICIES / "starter" / "monitor"))
    named = firebreak("policy", "lint")

    assert plain.err == f"policies in {POLICIES}; to name others, give a folder, or set FIREBREAK_POLICIES\n"
    assert given.err == ""
    assert named.err == f"policies in {POLICIES / 'starter' / 'monitor'}; to name others, give a folder\n"
    assert plain.out == given.out


def test_a_folder_without_policies_is_told_what_policies_are(firebreak: Told, folder: Path) -> None:
    (folder / "10-a.txt").write_text(FAILING)

    for verb in ("lint", "test"):
        told = firebreak("policy", verb, str(folder))
        assert (told.code, told.err) == (
            1,
            f"{folder}: there is no policy in this folder: policies are its files NAME.yaml\n",
        )


@pytest.mark.parametrize("verb", ["lint", "test"])
def test_which_folder_was_read_is_said_and_which_files_below_it_were_not(
    firebreak: Told, folder: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """A folder below that has a firebreak.yaml is a set of its own, and hidden ones are nobody's policies."""
    for place in ("", "team", "strict", ".git"):
        (folder / place).mkdir(exist_ok=True)
        (folder / place / "a.yaml").write_text(FAILING)
    (folder / "strict" / "firebreak.yaml").write_text('organization: "1"\n')
    monkeypatch.setenv("FIREBREAK_POLICIES", str(folder))
    unnamed, shown = firebreak("policy", verb), firebreak("policy", verb, str(folder), "--json").json
    one_file = firebreak("policy", verb, str(folder / "a.yaml"))

    assert f"policies in {folder}; to name others, give a folder\n" in unnamed.err
    assert f"not read, because only files of the folder itself are: {folder}/team/a.yaml\n" in unnamed.err
    assert (shown["folders"], shown["unread"]) == ([str(folder)], [f"{folder}/team/a.yaml"])
    assert "not read" not in one_file.err


@pytest.mark.parametrize("words", [("digest",), ("backtest", PLAIN), ("log", PLAIN)], ids=lambda words: words[0])
def test_policies_that_nobody_named_are_named(
    firebreak: Told, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may stand beside a folder `policies` of their own."""
    monkeypatch.delenv("FIREBREAK_POLICIES", raising=False)
    here = f"policies in {ROOT / 'policies'}; to name others, set FIREBREAK_POLICIES"
    told = firebreak("policy", *words)
    monkeypatch.setenv("FIREBREAK_POLICIES", str(ROOT / "policies" / "starter" / "strict"))

    assert here in told.err
    assert "to name others" not in firebreak("policy", *words).err

"""`policy lint` and `policy test` for other programs, and what comments in the files silence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.cli.screens.faults import show_fault
from firebreak.cli.screens.reports import Report, cases_of, github, junit, sarif
from firebreak.core.diagnostics import Fault, Location
from firebreak.policy_language.lint.rules import NOBODY_TOLD, RULES
from firebreak.policy_language.lint.silences import Silenced
from firebreak.policy_language.reading.rules import WRONG_VALUE
from tests.cli.commands import Told, told

GOOD = """\
id: {id}
mode: enforce
when: {{workload.public: true}}
then: [{{action: cut_traffic}}]
notify: {notify}
examples:
  - {{expect: {{mode: {expected}}}}}
  - {{given: {{workload.public: false}}, expect: nothing}}
"""
BECAUSE = "# firebreak: allow FB308 because the on-call reads the topic"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `set` where the command runs, with a policy of each kind."""
    made = tmp_path / "set"
    made.mkdir()
    monkeypatch.chdir(tmp_path)
    write(made, "1", "[oncall]")
    write(made, "2", "[]")
    write(made, "3", f"[]  {BECAUSE}")
    return made


def write(folder: Path, name: str, notify: str, expected: str = "enforce") -> None:
    text = GOOD.format(id=f"p{name}", notify=notify, expected=expected)
    text = text.replace("workload.public", f"workload.kind: service, finding.category: C{name}, workload.public", 1)
    (folder / f"{name}.yaml").write_text(text)


def results(answer: Any) -> list[tuple[str, str, str, int]]:
    """Of each result of a SARIF log its rule, level, file and line."""
    run = checked_sarif(answer)["runs"][0]
    return [
        (
            one["ruleId"],
            one["level"],
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            one["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for one in run["results"]
        if not one["suppressions"]
    ]


def checked_sarif(log: Any) -> Any:
    """The log, once it has the shape that SARIF 2.1.0 demands of what we use of it."""
    assert log.keys() == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run.keys() == {"tool", "columnKind", "results"}
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert driver["name"] == "Firebreak"
    assert [one["id"] for one in driver["rules"]] == [one.code for one in RULES]
    for rule in driver["rules"]:
        assert rule.keys() == {"id", "name", "shortDescription", "help", "defaultConfiguration"}
        assert rule["defaultConfiguration"]["level"] in ("error", "warning")
        assert all(rule[part]["text"] for part in ("shortDescription", "help"))
    for one in run["results"]:
        assert driver["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["level"] in ("error", "warning")
        assert one["message"]["text"]
        assert all(isinstance(value, str) for value in one["partialFingerprints"].values())
        (place,) = one["locations"]
        uri, region = (place["physicalLocation"][part] for part in ("artifactLocation", "region"))
        assert re.fullmatch(r"[A-Za-z0-9._~/%:-]+", uri["uri"])
        assert min(region["startLine"], region["startColumn"]) >= 1
        assert all(each["kind"] == "inSource" and each["justification"] for each in one["suppressions"])
    return log


def test_json_by_its_other_name_is_the_same(firebreak: Told, folder: Path) -> None:
    for verb in ("lint", "test"):
        one, other = (firebreak("policy", verb, str(folder), *words) for words in (["--json"], ["--format", "json"]))

        assert one == other
        assert one.json["ok"] is True
        assert not {"code", "rule", "silenced"} & one.json.keys()


def test_only_one_format_can_be_asked_for(firebreak: Told, folder: Path) -> None:
    assert firebreak("policy", "lint", str(folder), "--json", "--format", "sarif").code == 2
    assert firebreak("policy", "lint", str(folder), "--format", "xml").code == 2


def test_sarif_tells_each_thing_in_its_place_seen_from_here(firebreak: Told, folder: Path) -> None:
    write(folder, "4", "[oncall]", "approve")
    answer = firebreak("policy", "lint", str(folder), "--format", "sarif")

    assert answer.code == 1
    assert results(answer.json) == [
        ("FB308", "warning", "set/2.yaml", 5),
        ("FB402", "error", "set/4.yaml", 7),
    ]


def test_sarif_keeps_what_is_silenced_with_the_reason(firebreak: Told, folder: Path) -> None:
    answer = firebreak("policy", "lint", "set", "--format", "sarif")
    suppressed = [one for one in checked_sarif(answer.json)["runs"][0]["results"] if one["suppressions"]]

    assert folder.name == "set"
    assert answer.code == 0
    assert [(one["ruleId"], one["suppressions"]) for one in suppressed] == [
        ("FB308", [{"kind": "inSource", "justification": "the on-call reads the topic"}])
    ]


@pytest.mark.parametrize("verb", ["lint", "test"])
def test_what_does_not_load_is_told_in_every_format(firebreak: Told, folder: Path, verb: str) -> None:
    (folder / "4.yaml").write_text("id: ]")
    formats = ("text", "sarif", "junit", "github")
    answers = {name: firebreak("policy", verb, "set", "--format", name) for name in formats}

    assert {answer.code for answer in answers.values()} == {1}
    assert "set/4.yaml:" in answers["text"].out
    assert "[FB101]" in answers["text"].out
    assert ("FB101", "error", "set/4.yaml", 1) in results(answers["sarif"].json)
    assert "FB101" in {one.get("type") for one in ET.fromstring(answers["junit"].out).iter("failure")}  # noqa: S314 - ours
    assert "::error file=set/4.yaml,line=1,col=5,title=FB101::" in answers["github"].out


def test_a_fingerprint_stays_where_lines_move_and_differs_between_the_same_twice(folder: Path) -> None:
    def marks(line: int, count: int = 1) -> list[str]:
        fault = Fault(NOBODY_TOLD, Location("a.yaml", line, 1), "said", line_text="  notify: []")
        found = json.loads(sarif(Report("x", (fault,) * count, (), (), ""), folder))
        return [one["partialFingerprints"]["ruleAndLine/v1"] for one in found["runs"][0]["results"]]

    assert marks(1) == marks(9)
    assert len(set(marks(1, 2))) == 2


def test_files_that_are_not_below_here_are_told_with_their_whole_path(tmp_path: Path) -> None:
    fault = Fault(NOBODY_TOLD, Location("/else where/a%.yaml", 1, 1), "said")
    (found,) = json.loads(sarif(Report("x", (fault,), (), (), ""), tmp_path))["runs"][0]["results"]

    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///else%20where/a%25.yaml"


def test_junit_has_a_case_for_each_example_and_each_thing_to_say(firebreak: Told, folder: Path) -> None:
    write(folder, "4", "[oncall]", "approve")
    answer = firebreak("policy", "test", "set", "--format", "junit")
    root = ET.fromstring(answer.out)  # noqa: S314 - ours
    suite = next(one for one in root if one.get("name") == "set/4.yaml")
    failed, passed = suite.findall("testcase")[:2]

    assert answer.code == 1
    assert (failed.get("name"), passed.get("name")) == ("p4, example 1", "p4, example 2")
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("type") == "FB402"
    assert "- mode    approve  (expected)\n+ mode    enforce  (came out)" in (failure.text or "")
    assert not list(passed)
    assert suite.get("failures") == "1"


@pytest.mark.parametrize("form", ["junit", "sarif", "github"])
def test_however_many_examples_fail_each_is_told(firebreak: Told, folder: Path, form: str) -> None:
    more = "".join(f"  - {{expect: {{mode: approve}}}}  # {number}\n" for number in range(150))
    (folder / "1.yaml").write_text((folder / "1.yaml").read_text() + more)
    answer = firebreak("policy", "test", "set/1.yaml", "--format", form)

    assert answer.code == 1
    assert answer.out.count("of `p1` expects approve, and enforce with cut_traffic came out") == 150 * (
        2 if form == "junit" else 1
    )


def test_an_example_that_cannot_be_run_is_an_error_of_junit(firebreak: Told, folder: Path) -> None:
    text = (folder / "1.yaml").read_text().replace("workload.public: true", "workload.project: {glob: a-*}")
    (folder / "1.yaml").write_text(text)
    root = ET.fromstring(firebreak("policy", "test", "set", "--format", "junit").out)  # noqa: S314 - ours

    assert {one.get("type") for one in root.iter("error")} == {"FB403"}


@pytest.mark.parametrize(("strict", "failures"), [((), 0), (("--strict",), 1)])
def test_junit_fails_by_a_warning_as_the_exit_code_does(
    firebreak: Told, folder: Path, strict: tuple[str, ...], failures: int
) -> None:
    answer = firebreak("policy", "lint", "set", "--format", "junit", *strict)
    suites = {one.get("name"): one for one in ET.fromstring(answer.out)}  # noqa: S314 - ours

    assert answer.code == failures
    assert [one.get("failures") for one in suites.values()] == ["0", str(failures), "0"]
    assert suites["set/3.yaml"].get("skipped") == "1"
    assert [one.get("name") for one in suites["set/1.yaml"]] == ["nothing to be said"]
    assert folder.name == "set"


def test_github_gets_a_command_for_each_thing_and_the_sum(firebreak: Told, folder: Path) -> None:
    write(folder, "4", "[oncall]", "approve")
    unheard = "this policy acts, or asks a person where it is not sure, and names nobody to be told: add a label,"
    unheard += " as notify: [security-oncall]"
    failing = "example 1 of `p4` expects approve, and enforce with cut_traffic came out"
    lines = firebreak("policy", "lint", str(folder), "--format", "github").out.splitlines()

    assert lines == [
        f"::warning file=set/2.yaml,line=5,col=9,title=FB308::{unheard} (nobody-told)",
        f"::error file=set/4.yaml,line=7,col=5,title=FB402::{failing} (failing-example)",
        "4 policies, 1 fault, 1 warning, 1 silenced: this loads, and is not right",
    ]


HOSTILE = st.text(st.sampled_from("a:%,\r\n\x1b\x00\u202e\x85\ud800<>&]'\"#[ =éA0:"), max_size=30)
FILES = HOSTILE.map(lambda text: "d/" + text.replace("\x00", "").replace("\ud800", "\udc80") + ".yaml")


@given(file=FILES, said=HOSTILE, line=HOSTILE, reason=HOSTILE)
def test_hostile_text_stays_text_in_every_format(file: str, said: str, line: str, reason: str) -> None:
    faults = tuple(Fault(rule, Location(file, 1, 1), said, None, line) for rule in (WRONG_VALUE, NOBODY_TOLD))
    silenced = (Silenced(faults[1], reason or "x"),)
    report = Report("firebreak policy lint", faults, silenced, cases_of(faults, silenced, ()), "sum")
    here = Path("/somewhere")
    commands = github(report, here).split("\n")
    xml, log = junit(report, here), sarif(report, here)

    assert len(commands) == 3
    for command, level in zip(commands, ("error", "warning"), strict=False):
        properties, _, rest = command.removeprefix(f"::{level} ").partition("::")
        assert [one.partition("=")[0] for one in properties.split(",")] == ["file", "line", "col", "title"]
        assert "%" not in re.sub("%25", "", rest)
        assert rest.isprintable()
        assert properties.isprintable()
    assert (xml + log).isascii()
    assert {char for char in xml + log if not char.isprintable()} <= {"\n"}
    assert len(ET.fromstring(xml).findall(".//testcase")) == 3  # noqa: S314 - ours
    json.loads(log)


@pytest.mark.parametrize("start", ["::error::x", "  ::stop-commands::x", "x ##[add-mask]y", "\t::warning::x"])
def test_in_a_pipe_no_line_of_a_file_is_a_command_to_the_runner(start: str) -> None:
    fault = Fault(WRONG_VALUE, Location("::error::a.yaml", 1, 1), "said", line_text=start)

    for line in told(show_fault, fault, "fault", "bad").splitlines():
        assert not line.strip().startswith("::")
        assert "##[" not in line


def test_what_is_silenced_is_counted_and_told_on_request(firebreak: Told, folder: Path) -> None:
    said = f"{folder / '3.yaml'}:5:9: silenced: this policy acts, "
    counted, shown = (firebreak("policy", "lint", str(folder), *words) for words in ((), ("--show-silenced",)))

    assert counted.out.endswith("3 policies, no faults, 1 warning, 1 silenced\n")
    assert said not in counted.out
    assert said in shown.out
    assert ", allowed because the on-call reads the topic [FB308]\n" in shown.out


def test_what_is_silenced_is_no_no_where_everything_must_be_right(firebreak: Told, folder: Path) -> None:
    (folder / "2.yaml").unlink()

    assert firebreak("policy", "lint", str(folder), "--strict").code == 0
    (folder / "3.yaml").write_text((folder / "3.yaml").read_text().replace(" because the on-call reads the topic", ""))
    assert firebreak("policy", "lint", str(folder), "--strict").code == 1


def test_a_clause_is_left_untried_with_a_reason(firebreak: Told, folder: Path) -> None:
    text = (folder / "1.yaml").read_text()
    (folder / "1.yaml").write_text(
        text.replace("\nthen", "  # firebreak: allow FB405 because they are the policy\nthen")
    )
    tested = firebreak("policy", "test", str(folder / "1.yaml"), "--strict")
    shown = firebreak("policy", "test", str(folder / "1.yaml"), "--show-silenced")

    assert tested.code == 0
    assert tested.out.endswith("2 passed, 0 failed, 2 silenced\n")
    assert firebreak("policy", "lint", str(folder / "1.yaml"), "--strict").code == 0
    assert "silenced: no example makes `workload.kind: service` false, allowed because they are the policy" in shown.out


def test_a_clause_that_is_tried_after_all_is_not_silenced_any_more(firebreak: Told, folder: Path) -> None:
    text = (folder / "1.yaml").read_text().replace("workload.kind: service, finding.category: C1, ", "")
    (folder / "1.yaml").write_text(text.replace("\nthen", "  # firebreak: allow FB405 because of something\nthen"))
    answer = firebreak("policy", "test", str(folder / "1.yaml"))

    assert answer.code == 0
    assert "1.yaml:3:32: warning: there is no FB405 here to silence: leave this out [FB605]" in answer.out
    assert firebreak("policy", "test", str(folder / "1.yaml"), "--strict").code == 1

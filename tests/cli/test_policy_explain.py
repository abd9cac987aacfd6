"""`policy explain` where nobody is asked."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from firebreak.cli.screens.policy_explain import show_explanation
from firebreak.core.findings.input_formats import read_findings
from tests.cli.commands import Told, looked_at, told

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = sorted((ROOT / "tests" / "findings").glob("*.json"))
SHIPPED = len(list((ROOT / "policies").glob("[0-9]*.yaml")))
PLAIN = str(ROOT / "tests" / "findings" / "v2.json")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_finding_is_explained_and_nobody_is_asked(firebreak: Told, path: Path) -> None:
    answer = firebreak("policy", "explain", str(path), "--at", "event", "--json")

    assert answer.code == 0
    assert answer.json["live"] is False
    assert len(answer.json["policies"]) == SHIPPED
    assert all(clause["from"] for policy in answer.json["policies"] for clause in policy["clauses"])


def test_what_is_not_asked_is_unknown_and_lowers_no_mode_by_itself(firebreak: Told) -> None:
    shown = firebreak("policy", "explain", PLAIN, "--at", "event", "--json").json
    clause = shown["policies"][0]["clauses"][2]

    assert (clause["fact"], clause["truth"], clause["value"]) == ("virustotal.malicious", "unknown", None)
    assert "not asked" in clause["from"]
    assert shown["decision"]["wanted"] == "approve"
    assert {cap["name"] for cap in shown["decision"]["caps"]} == {"ceiling", "source"}
    assert [cap["name"] for cap in shown["unasked"]] == ["evidence"]


CONFIG_FILE = 'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n'


@pytest.mark.parametrize(
    ("protected", "unasked"),
    [("{label: {tier: critical}}", ["evidence", "protected"]), ("{project: shop-prod}", ["evidence"])],
)
def test_a_guard_is_set_aside_only_where_it_could_not_be_told_what_it_asks(
    firebreak: Told, tmp_path: Path, protected: str, unasked: list[str]
) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    (tmp_path / "policies" / "firebreak.yaml").write_text(f"{CONFIG_FILE}protected: [{protected}]\n")
    words = ("--policies", str(tmp_path / "policies"), "--at", "event", "--assume", "virustotal.malicious=40", "--json")
    shown = firebreak("policy", "explain", PLAIN, *words).json

    assert sorted(cap["name"] for cap in shown["unasked"]) == unasked
    assert ("protected" in {cap["name"] for cap in shown["decision"]["caps"]}) is ("project" in protected)


@pytest.mark.parametrize(("at", "age"), [("2026-10-01T11:01:30Z", "61 minutes"), ("2026-11-25T10:00:00Z", "54 days")])
def test_a_stale_event_is_told_in_words_that_can_be_read(firebreak: Told, at: str, age: str) -> None:
    shown = firebreak("policy", "explain", PLAIN, "--at", at).out

    assert f"caution stale: the event was {age} old when it was taken up\n" in shown


def test_a_policy_that_is_not_reached_says_which_one_decides(firebreak: Told) -> None:
    shown = firebreak("policy", "explain", PLAIN, "--assume", "virustotal.malicious=40").out

    said = "is not reached, known-malware-on-service above it decides"

    assert f"malicious-file-on-cloud-run (monitor) {said}; it would match\n" in shown
    assert f"known-malware-on-job (enforce) {said}; it would not match\n" in shown


def test_assumptions_take_the_place_of_answers(firebreak: Told) -> None:
    answer = firebreak("policy", "explain", PLAIN, "--at", "event", "--assume", "virustotal.malicious=40", "--json")

    assert answer.json["decision"]["wanted"] == "enforce"
    assert answer.json["policies"][0]["clauses"][2]["from"] == "assumed"
    assert answer.json["policies"][1]["tried"] is False


def test_the_finding_itself_may_be_assumed_otherwise(firebreak: Told) -> None:
    category = "finding.category=Reverse Shell"
    shown = firebreak("policy", "explain", PLAIN, "--assume", category, "--json").json

    assert shown["decision"] is None
    assert shown["declined"] == "no policy names a finding like this one (Reverse Shell)"


def test_a_workload_of_another_product_is_explained_without_a_decision(firebreak: Told) -> None:
    answer = firebreak("policy", "explain", str(ROOT / "tests" / "findings" / "gke_twin.json"))

    assert answer.code == 0
    assert "Decision: none\n" in answer.out
    assert "GKE" in answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("/no/such/file",), "there is no such file, and it is not the name of a finding in SCC"),
        (("fb-b47900a3e8cc60da",), "decided by: firebreak incident show fb-b47900a3e8cc60da"),
        ((str(ROOT),), "a folder, and it is not the name of a finding in SCC"),
        ((__file__,), "this is not JSON text"),
        ((PLAIN, "--assume", "virustotal.malicous=1"), "did you mean `virustotal.malicious`"),
        ((PLAIN, "--at", "noon"), "a time such as"),
        ((PLAIN, "--against", "/no/such/folder"), "there is no such folder"),
        ((PLAIN, "--policies", PLAIN), "a file, not a folder of policies"),
        ((PLAIN, "--pick", "z"), "it holds 1 finding, of which 0 fit"),
    ],
)
def test_what_cannot_be_explained_is_wrong_usage(firebreak: Told, words: tuple[str, ...], said: str) -> None:
    answer = firebreak("policy", "explain", *words)

    assert answer.code == 2
    assert said in answer.err


def test_of_several_findings_one_has_to_be_picked(firebreak: Told, tmp_path: Path) -> None:
    one, other = (json.loads(Path(PLAIN).read_text()) for _ in range(2))
    other["finding"]["name"] = other["finding"]["canonicalName"] = re.sub(r"[^/]+$", "abc", other["finding"]["name"])
    (tmp_path / "rows.json").write_text(json.dumps([one, other]))
    rows = str(tmp_path / "rows.json")
    unpicked, picked = (
        firebreak("policy", "explain", rows),
        firebreak("policy", "explain", rows, "--pick", "ab", "--json"),
    )

    assert unpicked.code == 2
    assert "it holds 2 findings, of which 2 fit; choose one with --pick ID: " in unpicked.err
    assert picked.json["finding"]["finding"] == "abc"


def test_policies_that_do_not_load_explain_nothing(firebreak: Told, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: x\n")
    answer = firebreak("policy", "explain", PLAIN, "--policies", str(tmp_path))

    assert answer.code == 1
    assert "a policy needs the key `when`" in answer.out


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_on_a_terminal_every_line_fits(firebreak: Told, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = firebreak("policy", "explain", PLAIN, "--json").json
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", looked_at(show_explanation, shown)).splitlines()

    assert len(lines) > 20
    assert [line for line in lines if len(line) > columns] == []


def test_hostile_text_in_a_finding_reaches_no_terminal(firebreak: Told, tmp_path: Path) -> None:
    pair = json.loads(Path(PLAIN).read_text())
    pair["finding"]["category"] = "Execution\x1b[31m: Added\u202e"
    (tmp_path / "f.json").write_text(json.dumps(pair))
    out = firebreak("policy", "explain", str(tmp_path / "f.json")).out

    assert read_findings((tmp_path / "f.json").read_bytes())
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_many_policies_that_do_not_match_are_counted(firebreak: Told) -> None:
    shown = firebreak("policy", "explain", PLAIN, "--json").json
    other = {**shown["policies"][0], "policy": "other", "truth": "false", "decides": False}
    out = told(show_explanation, {**shown, "policies": [*shown["policies"], *[other] * 40]})

    unmatched = [one for one in shown["policies"] if one["truth"] == "false"]
    assert f"and {40 + len(unmatched)} policies that do not match" in out
    assert "known-malware-on-service (enforce) may match" in out

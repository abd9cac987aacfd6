"""`policy explain` and the function come to the same decision on the same finding and evidence."""

from __future__ import annotations

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from firebreak.core.incidents.record import record
from firebreak.core.mode import Mode
from sandbox.scc.notifications import Pair, notification_v2
from tests.cli.commands import FOREIGN, Answer, run
from tests.response.harness import ALWAYS, GOOD, KNOWN, SERVICE, Line, Lines, world_of

pytestmark = pytest.mark.thorough

LABELS = "protected: [{label: {tier: critical}}]"


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command on a line's world, settings and policies, with the finding on standard input."""

    def run_on(on: Line, pair: Pair, *words: str) -> Answer:
        for name in FOREIGN:
            monkeypatch.delenv(name, raising=False)
        given = {
            **on.sandbox.environment(),
            "FIREBREAK_POLICIES": str(on.app.settings.policies),
            "FIREBREAK_LEDGER": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
            "FIREBREAK_CEILING": "enforce",
            "XDG_STATE_HOME": str(tmp_path),
            "VIRUSTOTAL_API_KEY": "key",
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(notification_v2(pair))))
        return run(capsys, "policy", "explain", "-", *words)

    return run_on


WORLDS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "a known file": ({}, "ceiling: enforce", {}),
    "a file that nobody knows": ({"hashes": {}}, "ceiling: enforce", {}),
    "a file that few call bad": ({"hashes": {KNOWN: {"malicious": 3}}}, "ceiling: enforce", {}),
    "a ceiling": ({}, "ceiling: approve", {}),
    "a ceiling of the project": ({}, "ceiling: enforce\nceilings: [{project: shop-prod, ceiling: approve}]", {}),
    "a protected workload": ({"service": {"labels": {"tier": "critical"}}}, f"ceiling: enforce\n{LABELS}", {}),
    "a finding that SCC does not hold": ({}, "ceiling: enforce", {"held": False}),
    "a stale finding": ({}, "ceiling: enforce", {"minutes_ago": 90.5}),
    "an image that serves nowhere": ({}, "ceiling: enforce", {"image": 99}),
}


@pytest.mark.parametrize("what", WORLDS)
def test_explaining_and_responding_decide_alike(
    what: str, line: Lines, explain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firebreak.response.confirm._ASK_AGAIN", ())
    world, config, finding = WORLDS[what]
    with line(world_of(**world), config=config) as on:
        pair = on.finding(**finding)
        explained = explain(on, pair, "--live", "--json").json
        shown = record(on.respond(pair))

    ours, theirs = explained["decision"], shown["decision"]
    assert (ours["policy"], ours["mode"], ours["wanted"]) == (theirs["policy"], theirs["mode"], theirs["wanted"])
    assert ours["trace"] == theirs["trace"]
    assert ours["caps"] == theirs["caps"]
    assert explained["plan"]["digest"] == shown["plan"]["digest"]
    assert [one | {"became": ""} for one in explained["plan"]["changes"]] == [
        one | {"became": ""} for one in shown["plan"]["changes"]
    ]


SHADOWED = f"""\
- id: strict
  shadow: true
  mode: enforce
  when: {{finding.category: "Execution: Added Malicious Binary Executed", virustotal.malicious: {{at_least: 10}}}}
  then: [{{action: cut_traffic}}]
  examples: [{{expect: {{mode: enforce}}}}, {{given: {{virustotal.malicious: 1}}, expect: nothing}}]
-{indent(ALWAYS.strip(), "  ")[1:]}
"""


def test_a_policy_in_shadow_is_explained_as_the_function_records_it(line: Lines, explain: Any) -> None:
    with line(policy=SHADOWED, config="ceiling: enforce\nprotected: [{service: checkout}]") as on:
        pair = on.finding()
        explained = explain(on, pair, "--live", "--json").json
        asked_nobody = explain(on, pair, "--assume", "virustotal.malicious=40").out
        shown = on.shown(on.respond(pair))["decision"]

    assert explained["shadow"] == shown["shadow"]
    assert [(one["by"], one["mode"], one["actions"]) for one in shown["shadow"]] == [
        ("strict", "approve", ["cut_traffic"])
    ]
    assert explained["decision"]["policy"] == shown["policy"] == "always"
    assert [(one["policy"], one["shadow"], one["tried"]) for one in explained["policies"]] == [
        ("strict", True, True),
        ("always", False, True),
    ]
    assert "strict (enforce, in shadow) matches" in asked_nobody
    assert "in shadow, strict: would be approve, lowered from enforce (protected): cut_traffic" in asked_nobody
    assert "Decision: approve, lowered from enforce, policy always" in asked_nobody


def test_explaining_writes_nothing_anywhere(line: Lines, explain: Any, tmp_path: Path) -> None:
    with line() as on:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        explained = explain(on, on.finding(), "--live", "--json").json
        after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

        assert explained["decision"]["mode"] == "enforce"
        assert after == before
        assert on.updates == ()
        assert on.sandbox.wire.calls_to("*/UpdateSecurityMarks") == ()
        assert on.announced == []


def test_what_stands_and_what_is_used_up_is_looked_at_and_left_as_it_is(line: Lines, explain: Any) -> None:
    with line(config="ceiling: enforce\nlimits: {per_hour: 1}", policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        on_good = f"services/checkout/revisions/{GOOD}"
        held = explain(on, on.finding(finding_id="f" * 32, workload=on_good), "--live", "--json").json
        again = explain(on, on.finding(finding_id="e" * 32, workload=on_good), "--live", "--json").json

        assert incident.phase == "contained"
        assert [cap["name"] for cap in held["decision"]["caps"]] == [cap["name"] for cap in again["decision"]["caps"]]
        assert "contained" in [cap["name"] for cap in held["decision"]["caps"]]
        assert on.read(incident) == incident


def test_a_source_assumed_away_is_as_one_that_did_not_answer(line: Lines, explain: Any) -> None:
    with line() as on:
        explained = explain(on, on.finding(), "--live", "--json", "--assume", "virustotal=unknown").json

    assert (explained["decision"]["policy"], explained["decision"]["mode"]) == ("known-malware-on-service", "approve")
    assert explained["plan"]["changes"]


def test_a_finding_may_be_named_as_scc_names_it(line: Lines, explain: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with line() as on:
        pair = on.finding()
        explain(on, pair, "--json")
        told = run(capsys, "policy", "explain", pair["finding"]["name"], "--live", "--json")
        missing = run(capsys, "policy", "explain", pair["finding"]["name"][:-1], "--live")

    assert told.json["decision"]["mode"] == Mode.ENFORCE.word
    assert (missing.code, "SCC does not hold" in missing.err) == (1, True)


def test_other_policies_are_told_apart_by_what_they_change(line: Lines, explain: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with line() as on:
        for path in on.app.settings.policies.iterdir():
            (other / path.name).write_text(path.read_text())
        same = explain(on, on.finding(), "--live", "--against", str(other))
        changed = (other / "10-known-malware.yaml").read_text().replace("at_least: 10", "at_least: 60")
        (other / "10-known-malware.yaml").write_text(changed)
        different = explain(on, on.finding(), "--live", "--against", str(other))

    assert (same.code, f"Against {other}: the same outcome" in same.out) == (0, True)
    assert different.code == 1
    assert "policy  - known-malware-on-service\n" in different.out
    assert "known-malware-on-service: true → false" in different.out


def test_the_screen_shows_how_it_comes_about(line: Lines, explain: Any) -> None:
    with line() as on:
        out = explain(on, on.finding(), "--live").out

    assert "Decision: enforce, policy known-malware-on-service" in out
    assert "true    virustotal.malicious at_least 10: it is 48 (virustotal)" in out
    assert (
        "suspected-malware-on-service (approve) is not reached, known-malware-on-service above it decides; it would not"
        in out
    )
    assert f"pin_previous_revision on {SERVICE}" in out
    assert json.dumps("\x1b") not in out


def test_what_is_explained_says_which_ledger_was_read_and_makes_none(line: Lines, explain: Any, tmp_path: Path) -> None:
    """Before there is a ledger it says so; without --live none is read."""
    with line() as on:
        pair = on.finding()
        place = tmp_path / "ledger.sqlite"
        without = explain(on, pair, "--live").out
        made = place.exists()
        on.respond(pair)
        live, as_json, taken = (explain(on, pair, *words) for words in (("--live",), ("--live", "--json"), ("--json",)))

    assert not made
    assert "no ledger was read, so nothing is known of earlier incidents\n" in without
    assert f"\nledger {place}\n" in live.out
    assert (as_json.json["ledger"], taken.json["ledger"]) == (str(place), None)


def test_a_halt_is_looked_at_with_live_alone(line: Lines, explain: Any) -> None:
    """As the screen says of it."""
    with line() as on:
        pair = on.finding()
        on.app.ledger.halt("a drill", "ada")
        live, taken = explain(on, pair, "--live", "--json").json, explain(on, pair, "--json").json

    assert "halt" in {cap["name"] for cap in live["decision"]["caps"]}
    assert "halt" not in {cap["name"] for cap in taken["decision"]["caps"]}


def test_what_stands_is_not_verified_on_a_laptop_without_the_key_and_not_called_broken(
    line: Lines, explain: Any, tmp_path: Path
) -> None:
    """Nor is a key made there, or anything sealed with one that is not the ledger's."""
    with line() as on:
        pair = on.finding()
        on.respond(pair)
        (tmp_path / "firebreak" / "seal.key").unlink()
        told = explain(on, pair, "--live", "--json")

    (seal,) = [cap["reason"] for cap in told.json["decision"]["caps"] if cap["name"] == "seal"]
    assert seal.endswith("is not verified here: there is no seal key")
    assert not (tmp_path / "firebreak" / "seal.key").exists()

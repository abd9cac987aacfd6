"""The benchmark of looking back gives both the same findings and the same policies."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.looking_back import custodian_policies, findings, policies_in
from firebreak.backtest.run import run


def test_every_policy_counts_the_findings_of_its_category_that_are_grave(tmp_path: Path) -> None:
    (tmp_path / "some.jsonl").write_text("".join(f"{one}\n" for one in findings(80)))
    tally = run([str(tmp_path / "some.jsonl")], (policies_in(tmp_path / "policies"),), lambda _: None, 1).tally

    # Ten categories in turn, and four severities in turn of ten findings each, of which two are grave: 80 / 10 / 2.
    assert {name: modes.total() for name, modes in tally.by_policy.items()} == {f"rule-{n}": 4 for n in range(10)}


def test_custodian_s_policies_ask_the_same_of_the_same_fields() -> None:
    some = [json.loads(one)["finding"] for one in findings(80)]
    for policy in custodian_policies():
        category, severities = (one["value"] for one in policy["filters"])

        assert sum(one["category"] == category and one["severity"] in severities for one in some) == 4


def test_no_two_findings_are_alike() -> None:
    some = [json.loads(one)["finding"] for one in findings(3000)]

    assert len({one["name"] for one in some}) == len({one["eventTime"] for one in some}) == 3000

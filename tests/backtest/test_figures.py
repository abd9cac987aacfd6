"""The report's figures on a small history, each worked out by hand beside it."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Any

import enrichment
import responders
from firebreak.backtest.deciding import Rules
from firebreak.backtest.report import report
from firebreak.backtest.run import run
from firebreak.policy_folder import read_folder, read_yaml_policies
from tests.backtest.histories import CONFIG, POLICY, found, instant, lines, policies_in, recorded

DAY = 24 * 60


def told(
    folder: Path, *history: dict[str, Any], config: str = CONFIG, against: str | None = None, policy: str = POLICY
) -> dict[str, Any]:
    file = folder / "history.jsonl"
    file.write_text(lines(*history))
    folders = [policies_in(folder / "new", policy, config)]
    folders += [policies_in(folder / "old", against, config)] if against else []
    sets = tuple(
        Rules(read_yaml_policies(read_folder(Path(one))), responders.discover(), enrichment.discover())
        for one in folders
    )
    return report(run([str(file)], sets, lambda _: None, 1), sets[0].policies, folders[1] if against else None)


def test_modes_policies_weeks_and_what_a_decision_waits_for(tmp_path: Path) -> None:
    shown = told(
        tmp_path,
        recorded(1),  # forty engines: enforced
        recorded(2, 1, malicious=3),  # three: no policy matches
        recorded(3, 2, malicious=None),  # VirusTotal gave no answer: asked
        found(4, 7 * DAY),  # SCC alone knows neither reputation nor workload: asked
        found(5, 7 * DAY, state="INACTIVE"),  # over by now, and taken as active: asked
        found(6, 7 * DAY, category="Another", moduleName="ANOTHER"),  # no policy names it
    )

    assert shown["findings"] == 6
    assert shown["by_mode"] == {"enforce": 1, "approve": 3, "monitor": 0, "nothing": 2}
    assert shown["by_policy"] == {"malware": {"enforce": 1, "approve": 3, "monitor": 0, "nothing": 0}}
    assert {week: sum(modes.values()) for week, modes in shown["by_week"].items()} == {"2026-06-01": 3, "2026-06-08": 3}
    assert shown["waiting_on"] == {"virustotal": 3, "workload": 2}
    assert (shown["hanging"], shown["decided_on_recorded"], shown["contained"]) == (3, 2, 1)
    assert shown["says"] == (
        "in 8 days this set would have contained 1 time alone, 1 workload in all, asked 3 times,"
        " recorded 0, and left 2 of 6 findings aside"
    )
    assert any(one.startswith("1 are over in SCC by now") for one in shown["caveats"])


WIDE = """
- id: strict
  shadow: true
  mode: enforce
  when: {finding.category: "Execution: Added Malicious Binary Executed", virustotal.malicious: {at_least: 3}}
  then: [{action: cut_traffic}]
  examples: [{expect: {mode: enforce}}, {given: {virustotal.malicious: 1}, expect: nothing}]
-""" + indent(POLICY.replace("mode: enforce", "mode: monitor", 1).strip(), "  ")[1:]


def test_a_policy_in_shadow_has_the_figures_of_one_in_force_beside_what_decides(tmp_path: Path) -> None:
    history = (
        recorded(1, closed_as="true_positive"),  # forty engines: enforced
        recorded(2, 1, malicious=3, closed_as="benign"),  # three: enforced, and nothing else matches
        recorded(3, 2, malicious=None),  # VirusTotal gave no answer: asked
        recorded(4, 3, malicious=1),  # one: does not match
    )
    beside = told(tmp_path, *history, policy=WIDE)
    instead = told(tmp_path, *history, policy=WIDE.replace("  shadow: true\n", ""))
    strict = beside["in_shadow"]["strict"]

    assert strict["by_mode"] == {"enforce": 2, "approve": 1, "monitor": 0}
    assert instead["by_policy"]["strict"] == {**strict["by_mode"], "nothing": 0}
    assert instead["in_shadow"] == {}
    assert beside["by_mode"] == {"enforce": 0, "approve": 0, "monitor": 2, "nothing": 2}
    assert (strict["right"], strict["wrong"], strict["not_judged"], strict["missing_answers"]) == (1, 1, 1, 1)
    assert strict["differs"]["ways"] == {
        "malware (monitor) → strict (enforce)": 1,
        "none (nothing) → strict (enforce)": 1,
        "malware (monitor) → strict (approve)": 1,
    }


def test_what_nothing_is_decided_about_is_counted_by_why(tmp_path: Path) -> None:
    muted = recorded(3)
    muted["finding"]["mute"] = "MUTED"
    elsewhere = found(4)
    for part, key in (("finding", "name"), ("finding", "canonicalName"), ("finding", "parent"), ("resource", "name")):
        elsewhere[part][key] = str(elsewhere[part].get(key)).replace("organizations/123456789012", "organizations/1")
    shown = told(
        tmp_path,
        recorded(1),
        recorded(2, malicious=1),
        muted,
        elsewhere,
        found(5, mute="MUTED", muteUpdateTime=instant(0)),
    )

    assert shown["left_aside"] == {"muted in SCC": 2, "no policy matches": 1, "of another organization": 1}
    assert shown["by_mode"]["nothing"] == 4
    assert shown["decided_on_recorded"] == 2, "what is muted is decided on no evidence"


def test_records_that_were_pulled_without_a_key_are_counted(tmp_path: Path) -> None:
    """Whoever may write the ledger could have made them up."""
    seal = "not verified: FIREBREAK_SEAL_KEY is not set"
    shown = told(tmp_path, recorded(1), recorded(2, seal=seal), recorded(2, updated=instant(1), seal=seal))

    assert shown["unverified"] == 1
    assert "records pulled without FIREBREAK_SEAL_KEY, so that nobody knows who wrote them: 1" in shown["caveats"]
    assert told(tmp_path, recorded(1))["unverified"] == 0


def test_a_policy_in_shadow_that_never_fired_is_said_to_have_decided_nothing(tmp_path: Path) -> None:
    never = WIDE.replace("at_least: 3", "at_least: 90")

    assert told(tmp_path, recorded(1), policy=never)["in_shadow"]["strict"]["fired"] == 0


def test_that_a_release_of_its_own_is_not_played_is_said_where_such_a_policy_decides(tmp_path: Path) -> None:
    releasing = POLICY.replace("mode: enforce\nwhen", "mode: enforce\nrelease_after: 2h\nwhen")
    said = "release_after is not played (malware): when SCC called a finding inactive is on no record"

    assert said in told(tmp_path, recorded(1), policy=releasing)["caveats"]
    assert said not in told(tmp_path, recorded(1, malicious=1), policy=releasing)["caveats"]
    assert said not in told(tmp_path, recorded(1))["caveats"]


def test_what_people_found_to_be_nothing_would_have_been_wrong(tmp_path: Path) -> None:
    shown = told(
        tmp_path,
        recorded(1, closed_as="false_positive"),
        recorded(2, malicious=None, closed_as="benign"),
        recorded(3, closed_as="true_positive"),
        recorded(4, malicious=1, closed_as="false_positive"),  # nothing would have been done, so nothing wrong
        recorded(5),
    )

    assert (shown["wrong"]["count"], shown["wrong"]["enforced"], shown["wrong"]["asked"]) == (2, 1, 1)
    assert [one["id"][-1] for one in shown["wrong"]["findings"]] == ["1", "2"]
    assert shown["judged"] == {"false_positive": 2, "benign": 1, "true_positive": 1}


def test_where_nobody_has_judged_nothing_is_said_to_be_wrong_or_right(tmp_path: Path) -> None:
    shown = told(tmp_path, recorded(1))

    assert shown["judged"] == {}
    assert any(one.startswith("nobody has said") for one in shown["caveats"])


def test_limits_of_the_hour_turn_what_is_too_much_into_questions(tmp_path: Path) -> None:
    config = f"{CONFIG}limits: {{per_project_per_hour: 2, per_hour: 3}}\n"
    shown = told(
        tmp_path,
        recorded(1, 0),
        recorded(2, 10),
        recorded(3, 20),  # the third of its project within the hour
        recorded(4, 30, project="pay-prod"),
        recorded(5, 40, project="lab-prod"),  # the fourth in all
        recorded(6, 61),  # the first has aged out
        config=config,
    )

    assert shown["by_mode"] == {"enforce": 4, "approve": 2, "monitor": 0, "nothing": 0}
    assert shown["limits"] == {
        "per_hour": 3,
        "per_project_per_hour": 2,
        "busiest_hour": 3,
        "busiest_from": "2026-06-01T09:00:00Z",
        "held_back": 2,
    }
    assert shown["held_back_by"] == {"blast_radius": 2}


def test_what_stands_contained_is_not_closed_again_and_takes_no_slot(tmp_path: Path) -> None:
    shown = told(
        tmp_path,
        recorded(1, 0, service="one"),
        recorded(2, 5, service="one"),
        recorded(3, DAY + 6, service="one"),  # a day later nothing is taken to stand any more
    )

    assert (shown["by_mode"]["enforce"], shown["contained"]) == (3, 2)
    assert shown["limits"]["busiest_hour"] == 1
    assert shown["workloads"] == [
        {"workload": "shop-prod/europe-west1/service/one", "enforced": 3, "asked": 0, "protected": False}
    ]


def test_protected_places_are_asked_about_and_marked(tmp_path: Path) -> None:
    config = f"{CONFIG}protected: [{{label: {{tier: critical}}}}]\n"
    shown = told(tmp_path, recorded(1, labels=["tier=critical", "owner=payments"]), recorded(2, 1), config=config)

    assert shown["by_mode"]["approve"] == 1
    assert {one["workload"].rpartition("/")[2]: one["protected"] for one in shown["workloads"]} == {
        "s1": True,
        "s2": False,
    }
    assert {one["owner"]: one["findings"] for one in shown["owners"]} == {"oncall@shop.example": 1, "payments": 1}


def test_one_event_counts_once_and_its_newest_record_counts(tmp_path: Path) -> None:
    shown = told(
        tmp_path,
        found(1),
        recorded(1, closed_as="benign", updated="2026-06-02T00:00:00Z"),
        recorded(1),
    )

    assert (shown["findings"], shown["wrong"]["enforced"]) == (1, 1)
    assert any(one.startswith("2 tell of an event") for one in shown["caveats"])


def test_another_set_is_compared_finding_by_finding_and_changes_alone_are_told(tmp_path: Path) -> None:
    shown = told(
        tmp_path,
        recorded(1, malicious=40),
        recorded(2, 1, malicious=15),
        recorded(3, 2, malicious=2),
        against=POLICY.replace("at_least: 10", "at_least: 30"),
    )
    changes = shown["changes"]

    assert (changes["count"], changes["ways"]) == (1, {"nothing → enforce": 1})
    assert [(one["id"][-1], one["old_policy"], one["new_policy"]) for one in changes["findings"]] == [
        ("2", "", "malware")
    ]


def test_an_age_is_that_of_each_finding_s_own_time(tmp_path: Path) -> None:
    aged = POLICY.replace("virustotal.malicious: {at_least: 10}", "virustotal.first_seen: {newer_than: 10d}")
    history = [recorded(1, 0), recorded(2, 20 * DAY)]
    for one in history:
        one["evidence"][0]["facts"] = {"virustotal.first_seen": "2026-05-25T00:00:00Z"}
    shown = told(tmp_path, *history, against=aged)

    assert shown["changes"]["ways"] == {"enforce → approve": 1, "nothing → approve": 1}


def test_of_each_clause_it_is_told_how_often_it_held_and_how_often_it_alone_kept_its_policy_back(
    tmp_path: Path,
) -> None:
    policy = POLICY.replace(
        "  virustotal.malicious: {at_least: 10}\n",
        "  virustotal.malicious: {at_least: 10}\n  finding.severity: HIGH\n",
    ).replace("given: {}", "given: {finding.severity: HIGH}")
    low, high = (
        {"finding": recorded(number)["finding"] | {"severity": word}} for number, word in ((4, "LOW"), (5, "HIGH"))
    )
    shown = told(
        tmp_path,
        recorded(1),  # CRITICAL: the severity alone
        recorded(2, malicious=3),  # both
        recorded(3, malicious=None),  # the severity, and the reputation is unknown
        recorded(4, **low),  # the severity alone
        recorded(5, malicious=3, **high),  # the reputation alone
        found(6, category="Another", moduleName="ANOTHER"),  # another category altogether
        policy=policy,
    )
    went = {
        one["clause"].split()[0]: [one[word] for word in ("held", "failed", "unknown", "alone")]
        for one in shown["clauses"]
    }

    assert went == {
        "finding.category:": [5, 0, 0, 0],
        "virustotal.malicious": [2, 2, 1, 1],
        "finding.severity:": [1, 4, 0, 2],
    }

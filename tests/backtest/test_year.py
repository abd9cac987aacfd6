"""The year of a shop that does not exist: figures worked out by hand from its recipe, and found in every report.

Weeks 1 to 8 (16 findings of Security Command Center's that are muted, and 24 that are not) were before Firebreak; set a
decided in weeks 9 to 20, set b in 21 to 40, set c in 41 to 52. What is worked out stands beside each figure.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import enrichment
import responders
from firebreak.backtest.deciding import Rules
from firebreak.backtest.report import report
from firebreak.backtest.run import run as run_backtest
from firebreak.core.policy.policy import PolicySet
from firebreak.policy_folder import read_folder, read_yaml_policies
from sandbox.year.folder import open_year, write_history, write_policies
from sandbox.year.recipe import findings, read_recipe
from tests.backtest.histories import lines
from tests.cli.commands import FOREIGN, Told, run

DRAWN = "fc040fa36788673bcf2f911a0dfbb51b1828c2dbc72deb71459accd08d80441c"
"""Over when, what and where of all findings."""


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("year") / "year"
    open_year(folder)
    return folder


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PolicySet]:
    """Each set as it was written down, made once more."""
    return dict(write_policies(tmp_path_factory.mktemp("sets") / "policies", read_recipe()))


@pytest.fixture(scope="module")
def shown(year: Path) -> dict[str, Any]:
    """What `policy backtest --json` has of it, by the policies of its end."""
    policies = read_yaml_policies(read_folder(year / "policies"))
    rules = Rules(policies, responders.discover(), enrichment.discover())
    return report(run_backtest([str(year / "history.jsonl")], (rules,), lambda _: None, 1), policies, None)


@pytest.fixture
def firebreak(year: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """The command, in that folder and with its environment."""
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    for line in (year / "environment").read_text().splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, shlex.split(value)[0])
    monkeypatch.chdir(year)
    return lambda *words: run(capsys, *words)


def test_the_recipe_comes_to_the_same_findings_everywhere() -> None:
    """Any Python, any machine: nothing is drawn, and nothing hangs on the order of a set."""
    found = findings(read_recipe())
    drawn = [f"{one.at.isoformat()} {one.hexadecimal('finding', 32)} {one.place} {one.policy_set}\n" for one in found]

    # Worked out: 8 weeks x (3 + 2), 44 weeks x (2 muted + 3 deploys + 1 blog), then story by story.
    assert len(found) == 8 * 5 + 44 * 6 + (7 + 6 + 25 + 4 + 5 + 2 + 40 + 3 + 2 + 2) == 400
    assert (
        hashlib.sha256("".join(drawn).encode()).hexdigest()
        == "fc040fa36788673bcf2f911a0dfbb51b1828c2dbc72deb71459accd08d80441c"
    )


def test_the_history_is_the_same_each_time_it_is_made(year: Path, sets: dict[str, PolicySet], tmp_path: Path) -> None:
    write_history(tmp_path, read_recipe(), sets)

    assert (tmp_path / "history.jsonl").read_bytes() == (year / "history.jsonl").read_bytes()


def test_what_became_graver_is_one_finding_with_two_events(year: Path, shown: dict[str, Any]) -> None:
    records = [json.loads(line) for line in (year / "history.jsonl").read_text().splitlines()]
    graver = [one for one in records if len(one.get("events", ())) == 2]

    # Worked out: Tuesday of week 40 at eight, ten minutes apart, and again half an hour later.
    assert [one["finding"]["event_time"] for one in graver] == ["2025-09-30T08:30:00Z", "2025-09-30T08:40:00Z"]
    assert {one["finding"]["severity"] for one in graver} == {"CRITICAL"}
    assert shown["by_week"]["2025-09-29"]["monitor"] == 3 + 1 + 2  # deploys, blog, and each of these once


def test_the_backtest_of_the_year_by_today_s_policies(shown: dict[str, Any]) -> None:

    # Worked out: 20 of the worm (its limit), 7 of the miner, 4 that were halted, 2 on the pool.
    enforced = 20 + 7 + 4 + 2
    # before 24, the other 20 of the worm, red team 25, false alarms 6, waited 3, VirusTotal away 5, still open 2.
    asked = 24 + 20 + 25 + 6 + 3 + 5 + 2
    # deploys 3 x 44, blog 44, graver 2: today's set leaves the deploy tool to the policy that only records.
    recorded = 3 * 44 + 44 + 2
    # what is muted, 2 a week for 52 weeks.
    aside = 2 * 52
    assert shown["by_mode"] == {"enforce": enforced, "approve": asked, "monitor": recorded, "nothing": aside}
    assert enforced + asked + recorded + aside == shown["findings"] == 400
    assert shown["contained"] == 20 + 7 + 4 + 1  # the second finding on the pool joins the first
    assert shown["hanging"] == 24 + 5  # before Firebreak nothing was recorded, and VirusTotal was away for five
    assert shown["waiting_on"]["virustotal"] == 24 + 5
    # Before Firebreak nothing was, five of VirusTotal's absence, and what is muted is decided on no evidence.
    assert shown["decided_on_recorded"] == 400 - 8 * 5 - 5 - 44 * 2
    assert shown["left_aside"] == {"muted in SCC": aside}
    assert shown["decided_on_recorded"] + shown["hanging"] + aside == 400
    # Before Firebreak, and of set a (whose records do not keep them yet), the settings of then are not known.
    assert any(one.startswith(f"{24 + 49} were decided without the settings of then") for one in shown["caveats"])
    assert shown["judged"] == {
        "true_positive": 40 + 7 + 4 + 2 + 3,  # worm, miner, halted, two of those away, waited
        "benign": 15 + 12,  # red team, and one deploy in each week of set a
        "false_positive": 6 + 2,
    }
    wrong = shown["wrong"]
    assert (wrong["count"], wrong["enforced"], wrong["asked"]) == (15 + 6 + 2, 2, 15 + 6)


def test_how_the_questions_and_containments_of_the_year_would_have_gone(shown: dict[str, Any]) -> None:
    """People's answers are those of then; what nobody answered within two hours, four times asked, has expired."""
    # Worked out: two a day of the red team's come while what was approved at nine and at ten stands, and join it.
    joined = 5 * 2 + 1
    approved = 20 + 5 * 2 + 2  # of the worm, of the red team, of those that came without VirusTotal
    rejected = 6 + 3  # the false alarms, and of those without VirusTotal
    expired = (
        24 + 5 + 3 + 2
    )  # before Firebreak nobody could answer; the red team's pool; answered on Monday; still open
    assert shown["went"] == {
        "contained": 20 + 7 + 4 + 1,
        "joined": joined,
        "asked": approved + rejected + expired,
        "approved": approved,
        "rejected": rejected,
        "expired": expired,
        "recorded": 3 * 44 + 44 + 2,
        "waited for a halt": 4,
    }
    # The miner comes back seven times to one service.
    assert shown["contained_workloads"] == 20 + 1 + 4 + 1
    assert shown["says"].startswith(
        "in 364 days this set would have contained 32 times alone, 26 workloads in all, asked 75 times"
    )
    assert any(one.startswith("11 came while what they would close was closed already") for one in shown["caveats"])


def test_the_worm_s_hour_fills_the_limit(shown: dict[str, Any]) -> None:

    assert (shown["limits"]["busiest_hour"], shown["limits"]["held_back"]) == (20, 20)
    # Worked out: Wednesday of week 44, which is 43 weeks and 2 days after 30 December 2024.
    assert shown["limits"]["busiest_from"].startswith("2025-10-29T03:10")
    assert shown["by_week"]["2025-10-27"] == {"enforce": 20, "approve": 20, "monitor": 3 + 1, "nothing": 2}
    assert len(shown["by_week"]) == 52


def test_what_alone_kept_a_policy_from_deciding(shown: dict[str, Any]) -> None:
    deploys = 3 * 44

    assert {(one["policy"], one["clause"]): one["alone"] for one in shown["clauses"] if one["alone"]} == {
        # Of the red team 20 on services, 3 that waited and 2 still open, each with fewer than ten engines.
        ("known-malware-on-service", "virustotal.malicious at_least 10"): 20 + 3 + 2,
        ("known-malware-on-service", "workload.kind: service"): 2,  # the pool with thirty engines
        ("known-malware-on-worker-pool", "virustotal.malicious at_least 10"): 5,  # the red team's pool
        ("known-malware-on-job", "virustotal.malicious at_least 10"): deploys,
        ("suspected-malware-on-service", "workload.kind: service"): deploys + 5,
        ("suspected-malware-on-worker-pool", "workload.kind: worker_pool"): deploys,
        ("suspected-malware-on-job", "workload.project not_in [shop-dev]"): deploys,
    }


def test_of_a_year_the_screen_shows_the_weeks_in_which_something_was_done(firebreak: Told) -> None:
    said = firebreak("policy", "backtest", "history.jsonl").out.splitlines()
    at = said.index("By week, from its Monday, where anything was enforced or asked")

    # Worked out: weeks 1 to 8; 12, 22, 28, 35, 41, 46, 50 (miner), 24, 33, 42 (alarms), 30, 36, 38, 44, 47, 48, 52.
    weeks = 8 + 7 + 3 + 7
    assert said[at + 2 + weeks] == f"  and {52 - weeks} weeks of which all was recorded or left aside"


def test_what_today_s_set_decides_otherwise_than_the_one_before(firebreak: Told) -> None:
    shown = firebreak("policy", "backtest", "history.jsonl", "--against", "HEAD~1", "--json").json

    # Worked out: 33 are contained that were asked about, 132 deploys are recorded that were asked about.
    assert shown["changes"]["ways"] == {"approve → monitor": 132, "approve → enforce": 33}


@pytest.mark.parametrize("revision", ["HEAD~7", "--output=x", "no-such-folder"])
def test_a_revision_that_git_does_not_know_is_wrong_usage(firebreak: Told, year: Path, revision: str) -> None:
    answer = firebreak("policy", "backtest", "history.jsonl", f"--against={revision}")

    assert (answer.code, answer.out) == (2, "")
    assert f"{revision}: there is no such folder, and git knows no such revision" in answer.err
    assert not (year / "policies" / "x").exists()


def test_what_people_made_of_each_policy_s_decisions(firebreak: Told) -> None:
    found = firebreak("policy", "stats", "--json").json["policies"]
    table = {
        name: tuple(one[word] for word in "decided enforced asked approved rejected real nothing".split())
        for name, one in found.items()
    }

    assert table == {
        # 20 of the worm and 3 miners of set c alone; 20 + 3 of set b + 4 + 5 asked, of which 3 of those away got a no.
        "known-malware-on-service": (7 + 40 + 4 + 5, 23, 32, 29, 3, 40 + 7 + 4 + 2, 0),
        "known-malware-on-worker-pool": (2, 2, 0, 0, 0, 0, 2),
        # Weeks 9 to 20 were recorded, of which one a week was closed as benign; weeks 21 to 40 were asked and refused.
        "suspected-malware-on-job": (3 * 32, 0, 3 * 20, 0, 3 * 20, 0, 12),
        "suspected-malware-on-service": (20 + 3 + 2, 0, 25, 15 + 3, 5, 3, 15),
        "suspected-malware-on-worker-pool": (5, 0, 5, 0, 0, 0, 0),
        "built-in-malware-on-service": (6, 0, 6, 0, 6, 0, 6),
        # blog 44, graver 2, and the deploys of weeks 41 to 52.
        "malicious-file-on-cloud-run": (44 + 2 + 3 * 12, 0, 0, 0, 0, 0, 0),
    }
    assert [one["decided"] for one in found.values()] == [96, 82, 56, 25, 6, 5, 2]  # the most first
    assert "60 of 60 answers were no" in found["suspected-malware-on-job"]["proposal"]


def test_three_sets_decided_one_after_the_other(firebreak: Told) -> None:
    sets = firebreak("policy", "log", "--json").json["sets"]

    assert [(one["first"][:10], one["modes"]) for one in sets] == [
        # Weeks 9 to 20: 36 deploys, 12 blogs, a miner.
        ("2025-02-25", {"monitor": 36 + 12 + 1}),
        # Weeks 21 to 40: 60 deploys, 25 of the red team, 4 alarms, 3 miners, 4 halted, 5 away; 20 blogs, 2 graver.
        ("2025-05-20", {"approve": 60 + 25 + 4 + 3 + 4 + 5, "monitor": 20 + 2}),
        # Weeks 41 to 52: 20 of the worm, 3 miners, 2 pools; 20 of the worm, 2 alarms, 3 waited, 2 open; 36 deploys, 12.
        ("2025-10-07", {"monitor": 36 + 12, "approve": 20 + 2 + 3 + 2, "enforce": 20 + 3 + 2}),
    ]
    assert [one["here"] for one in sets] == [False, False, True]
    assert [(one["commit"]["by"], one["commit"]["at"][:10]) for one in sets] == [
        ("Ada", "2025-02-24"),  # the Mondays of weeks 9, 21 and 41
        ("Grace", "2025-05-19"),
        ("Ada", "2025-10-06"),
    ]


def test_who_changed_the_policies_is_told_by_git(firebreak: Told) -> None:
    said = firebreak("policy", "log").out.splitlines()

    assert re.fullmatch(r"  by Grace, 2025-05-19, [0-9a-f]{7}: People are asked", said[4])
    assert said[6].endswith("monitor 48, approve 27, enforce 25, the policies that lie here")


def test_without_git_the_sets_are_told_all_the_same(firebreak: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    sets = firebreak("policy", "log", "--json").json["sets"]

    assert [one["commit"] for one in sets] == [None, None, None]


def month(firebreak: Told, since: str, until: str) -> Any:
    return firebreak("report", "--since", since, "--until", until, "--json").json


def test_the_report_of_november(firebreak: Told) -> None:
    """Weeks 45 to 48, and the weekend before them, on which nothing happened."""
    shown = month(firebreak, "30d", "2025-12-01")

    # Worked out: 12 deploys, 4 blogs, 8 muted, a miner, 3 that waited, 2 on the pool.
    assert shown["incidents"] == 12 + 4 + 8 + 1 + 3 + 2
    assert shown["phases"] == {"closed": 1 + 3 + 2, "declined": 8, "monitored": 12 + 4}
    assert (shown["open"], shown["waiting"]) == (2, 2)  # as the year ends
    assert (shown["asked"], shown["enforced"], shown["approved"], shown["unanswered"]) == (3, 1 + 2, 3, 0)
    # Alone: the miner in 4 s, the pool in 6 s and in 9 s.
    assert shown["to_contain"] == {"count": 3, "least": 4, "median": 6, "p90": 9, "most": 9}
    hours = 3600
    assert shown["to_answer"] == {
        "count": 3,
        "least": 62 * hours,
        "median": 63 * hours,
        "p90": 64 * hours,
        "most": 64 * hours,
    }
    contained = {one["policy"]: (one["contained"], one["false"]) for one in shown["policies"] if one["contained"]}
    assert contained == {
        "known-malware-on-worker-pool": (2, 2),
        "suspected-malware-on-service": (3, 0),
        "known-malware-on-service": (1, 0),
    }
    top = {one["workload"].rpartition("/")[2]: one["incidents"] for one in shown["workloads"]}
    assert Counter(top) > Counter({"batch-api": 8, "blog": 4, "deploy-1": 4, "deploy-2": 4, "deploy-3": 4, "queue": 2})


def test_a_month_that_is_over_is_named_on_the_screen(firebreak: Told) -> None:
    said = firebreak("report", "--since", "30d", "--until", "2025-12-01").out.splitlines()

    assert said[0] == "From 2025-11-01 00:00 to 2025-12-01 00:00 UTC, 30 incidents began."
    assert said[1] == "Open now: 2, 2 of them wait for an answer: firebreak incident list"
    assert "(of 3): half within 63 h 0 min, nine in ten within 64 h 0 min" in said[5]
    assert firebreak("report", "--until", "2025-13-01").code == 2


def test_the_report_of_the_red_team_s_month(firebreak: Told) -> None:
    """July has five Tuesdays and Wednesdays, four Fridays, and the miner on the 12th."""
    shown = month(firebreak, "31d", "2025-08-01")

    assert shown["incidents"] == 5 * 3 + 5 * 2 + 4 + 25 + 1
    assert (shown["asked"], shown["unanswered"], shown["enforced"], shown["approved"]) == (15 + 25 + 1, 5, 0, 15 + 1)
    # Answers in order: 5 x 4 min (no), 15 x 6 min (yes), 15 x 15 min (no to the tool), 1 x 20 min: the 18th, the 33rd.
    minute = 60
    assert shown["to_answer"] == {
        "count": 36,
        "least": 4 * minute,
        "median": 6 * minute,
        "p90": 15 * minute,
        "most": 20 * minute,
    }


def test_what_was_recorded_is_what_the_set_of_that_day_decides(
    year: Path, sets: dict[str, PolicySet], tmp_path: Path
) -> None:
    """The recipe does not only say so: each set, at work on its own weeks, comes to what the records have."""
    records = [json.loads(line) for line in (year / "history.jsonl").read_text().splitlines()]
    for key, policies in sets.items():
        own = [one for one in records if one.get("decision") and one["decision"]["policy_set"] == policies.digest]
        (tmp_path / key).write_text(lines(*own))
        rules = Rules(policies, responders.discover(), enrichment.discover())
        tally = run_backtest([str(tmp_path / key)], (rules,), lambda _: None, 1).tally

        assert tally.by_mode == Counter(one["decision"]["mode"] for one in own)
        assert {name: modes.total() for name, modes in tally.by_policy.items()} == Counter(
            one["decision"]["policy"] for one in own
        )


def test_what_a_policy_did_in_the_year_is_what_its_promotion_shows(firebreak: Told) -> None:
    shown = firebreak("policy", "promote", "suspected-malware-on-job", "history.jsonl", "--json").json

    # Worked out: the deploy tool is found three times a week, recorded in the 12 of set a, asked about in the 20 of b.
    assert (shown["fired"], shown["in_force"], shown["to"]) == (3 * 12 + 3 * 20, 96, "enforce")
    assert shown["by_mode"] == {"enforce": 0, "approve": 3 * 20, "monitor": 3 * 12}
    assert shown["by_wanted"]["approve"] == 96
    # One in each week of set a was closed as benign; set b's questions were answered, and not closed as anything.
    assert (shown["right"], shown["wrong"], shown["not_judged"]) == (0, 12, 84)
    assert len(shown["workloads"]) == 3


def test_what_a_policy_in_shadow_would_have_done_in_the_year(firebreak: Told, year: Path, tmp_path: Path) -> None:
    """The deploy tool asked about in shadow, which today's set leaves to the policy that only records."""
    folder = tmp_path / "policies"
    shutil.copytree(year / "policies", folder)
    text = (folder / "22-suspected-malware-on-job.yaml").read_text()
    every = text.replace("  workload.project: {not_in: [shop-dev]}\n", "", 1).replace(
        "id: suspected-malware-on-job", "id: every-job"
    )
    (folder / "23-every-job.yaml").write_text(every.replace("mode: approve", "mode: approve\nshadow: true", 1))
    shown = firebreak("policy", "backtest", "history.jsonl", "--policies", str(folder), "--json").json
    job = shown["in_shadow"]["every-job"]

    # Worked out: three a week for 44 weeks, of which one in each of 12 weeks was closed as benign.
    assert (job["fired"], job["would_have_asked"], job["wrong"]) == (3 * 44, 3 * 44, 12)
    assert job["differs"]["ways"] == {"malicious-file-on-cloud-run (monitor) → every-job (approve)": 3 * 44}
    assert shown["by_policy"]["malicious-file-on-cloud-run"]["monitor"] == 3 * 44 + 44 + 2

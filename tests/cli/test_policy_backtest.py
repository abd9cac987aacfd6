"""`policy backtest` as people and CI call it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import enrichment
import responders
from firebreak.backtest import page
from firebreak.backtest.deciding import Rules
from firebreak.backtest.report import report
from firebreak.backtest.run import run
from firebreak.policy_folder import read_folder, read_yaml_policies
from tests.backtest.histories import POLICY, lines, policies_in, recorded
from tests.cli.commands import Told

HISTORY = (recorded(1, closed_as="false_positive"), recorded(2, 1, malicious=None), recorded(3, 2, malicious=1))


@pytest.fixture
def words(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "history.jsonl").write_text(lines(*HISTORY))
    return "policy", "backtest", str(tmp_path / "history.jsonl"), "--policies", policies_in(tmp_path / "new")


def test_the_one_sentence_comes_first_and_then_what_it_rests_on(firebreak: Told, words: tuple[str, ...]) -> None:
    answer = firebreak(*words)
    said = answer.out.splitlines()

    assert answer.code == 0
    assert said[0].startswith(
        "Within a day this set would have contained 1 time alone, 1 workload in all, asked 1 time, recorded 0"
    )
    assert [one for one in said if one and not one.startswith(" ")][2:4] == [
        "What it rests on",
        "What would have been wrong",
    ]
    assert "  hanging on a source without an answer: 1 (virustotal 1)" in said


@pytest.mark.parametrize(
    ("bounds", "failed"),
    [
        ("enforced>1,asked>1", []),
        ("enforced>0", ["enforced>0"]),
        ("asked>0,wrong>0", ["asked>0", "wrong>0"]),
        ("wrong>1", []),
    ],
)
def test_a_count_beyond_its_bound_is_a_no(
    firebreak: Told, words: tuple[str, ...], bounds: str, failed: list[str]
) -> None:
    answer = firebreak(*words, "--json", "--fail-if", bounds)

    assert (answer.code, answer.json["failed"]) == (int(bool(failed)), failed)


def test_a_count_beyond_its_bound_is_told(firebreak: Told, words: tuple[str, ...], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    said = firebreak(*words, "--fail-if", "asked>0,wrong>0", "--html", str(page)).out.splitlines()

    assert said[2:4] == ["--fail-if asked>0: it is 1", "--fail-if wrong>0: it is 1"]
    assert "--fail-if wrong&gt;0: it is 1" in page.read_text()


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("approve", "enforce", 1),
        ("monitor", "approve", 1),
        ("enforce", "approve", 0),
        ("enforce", "monitor", 0),
        ("enforce", "enforce", 0),
    ],
)
def test_a_change_is_worse_where_it_does_more_on_what_people_found_to_be_nothing(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path, before: str, after: str, worse: int
) -> None:
    """A false alarm that was asked about before fails no change that asks about it no more than that."""
    old, new = (
        policies_in(tmp_path / name, POLICY.replace("mode: enforce", f"mode: {mode}"))
        for name, mode in (("before", before), ("after", after))
    )
    answer = firebreak(*words[:-1], new, "--against", old, "--fail-if", "worse>0", "--json")

    assert (answer.code, answer.json["beyond"]) == ((1, {"worse>0": worse}) if worse else (0, {}))


@pytest.mark.parametrize("bounds", ["changed>0", "wrong>0,worse>0"])
def test_a_bound_of_a_change_without_a_change_is_wrong_usage(
    firebreak: Told, words: tuple[str, ...], bounds: str
) -> None:
    """It would never say no."""
    answer = firebreak(*words, "--fail-if", bounds)

    assert answer.code == 2
    assert "--against" in answer.err


@pytest.mark.parametrize("bounds", ["enforced", "asked>many", "guessed>0", ""])
def test_a_bound_that_cannot_be_read_is_wrong_usage(firebreak: Told, words: tuple[str, ...], bounds: str) -> None:
    assert firebreak(*words, "--fail-if", bounds).code == 2


def test_what_another_set_decides_otherwise_is_shown(firebreak: Told, words: tuple[str, ...], tmp_path: Path) -> None:
    old = policies_in(tmp_path / "old", POLICY.replace("mode: enforce", "mode: approve"))
    answer = firebreak(*words, "--against", old)

    assert f"Against {old}: 1 decided otherwise" in answer.out
    assert "- approve, malware" in answer.out
    assert "+ enforce, malware" in answer.out


def test_policies_in_shadow_are_shown_beside_what_decides(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    shadow = POLICY.replace("id: malware", "id: strict\nshadow: true")
    (tmp_path / "new" / "05.yaml").write_text(shadow.replace("mode: enforce", "mode: approve", 1))
    never = POLICY.replace("id: malware", "id: never\nshadow: true").replace('"Execution: Added', '"Other: Added')
    (tmp_path / "new" / "06.yaml").write_text(never)
    said = firebreak(*words, "--html", str(tmp_path / "report.html")).out.splitlines()
    at = said.index("In shadow, beside what decides: in none of the other figures")

    assert at < said.index("What it rests on"), "who tries a policy looks for nothing else first"
    assert said[at + 1] == "  strict: approve 2 (right 0, wrong 1, not judged 1)"
    assert said[at + 2 : at + 5] == [
        "    malware (enforce) → strict (approve): 1",
        "    malware (approve) → strict (approve): 1",
        "  never: would have decided nothing",
    ]
    assert "In shadow, beside what decides" in (tmp_path / "report.html").read_text()


def test_why_findings_were_left_aside_and_what_was_not_verified_is_told(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    muted = recorded(4, seal="not verified: FIREBREAK_SEAL_KEY is not set")
    muted["finding"]["mute"] = "MUTED"
    (tmp_path / "history.jsonl").write_text(lines(*HISTORY, muted))
    said = firebreak(*words, "--html", str(tmp_path / "report.html")).out.splitlines()
    page = Read((tmp_path / "report.html").read_text()).texts

    assert "  left aside: muted in SCC 1, no policy matches 1" in said
    assert "  on records that were pulled without verifying their seal: 1" in said
    assert {"left aside, muted in SCC: 1", "on records that were pulled without verifying their seal: 1"} <= set(page)


def test_an_answer_that_is_supposed_takes_the_place_of_one_that_is_missing(
    firebreak: Told, words: tuple[str, ...]
) -> None:
    shown = firebreak(*words, "--json", "--assume", "virustotal.malicious=50").json

    assert (shown["by_mode"]["enforce"], shown["waiting_on"]) == (3, {})


def test_a_line_that_cannot_be_read_is_named_and_the_others_count(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "history.jsonl").write_text("{oops\n" + lines(*HISTORY))
    answer = firebreak(*words)

    assert answer.code == 0
    assert f"{tmp_path / 'history.jsonl'}:1: this is not JSON text" in answer.out


@pytest.mark.parametrize(("text", "code"), [("oops\n", 1), ("", 0)], ids=["unreadable", "empty"])
def test_a_history_without_a_finding_promises_nothing(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path, text: str, code: int
) -> None:
    (tmp_path / "history.jsonl").write_text(text)
    answer = firebreak(*words)

    assert answer.code == code
    assert "closed" not in answer.out


def test_a_file_that_is_not_there_is_wrong_usage(firebreak: Told, words: tuple[str, ...]) -> None:
    answer = firebreak("policy", "backtest", "none.jsonl", *words[2:])

    assert (answer.code, answer.out) == (2, "")
    assert "none.jsonl: there is no such file" in answer.err


def test_a_secret_in_a_history_is_not_shown(firebreak: Told, words: tuple[str, ...], tmp_path: Path) -> None:
    token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - made up, and never shown
    leaking = recorded(1, labels=[f"owner={token}"], closed_as="benign")
    (tmp_path / "history.jsonl").write_text(lines(leaking))

    assert token not in firebreak(*words, "--json").out
    assert token not in firebreak(*words).out


class Read(HTMLParser):
    """The tags and texts of a page, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_html_file_says_the_same_and_needs_nothing_beside_it(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    old = policies_in(tmp_path / "old", POLICY.replace("mode: enforce", "mode: approve"))
    said = firebreak(*words, "--against", old, "--html", str(tmp_path / "report.html")).out.splitlines()[0]
    read = Read((tmp_path / "report.html").read_text())

    assert said in read.texts
    assert f"Against {old}: 1 decided otherwise" in read.texts
    assert not [attrs for _, attrs in read.tags if {"src", "href"} & attrs.keys()]
    assert not [attrs for _, attrs in read.tags if "style" in attrs or any(name.startswith("on") for name in attrs)]
    assert "light-dark(" in "".join(read.texts)


def test_the_html_file_is_for_who_made_it_until_they_give_it_away(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    firebreak(*words, "--html", str(tmp_path / "report.html"))

    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o600


def test_where_the_html_file_has_no_folder_nothing_is_replayed_first(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    answer = firebreak(*words, "--html", str(tmp_path / "none" / "report.html"))

    assert (answer.code, answer.out) == (2, "")
    assert "report.html: there is no folder for it" in answer.err


def test_nothing_runs_in_the_html_file_but_what_it_names_by_its_hash(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    firebreak(*words, "--html", str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text()
    (policy,) = (attrs["content"] for _, attrs in Read(text).tags if attrs.get("http-equiv"))
    inside = {kind: re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL) for kind in ("style", "script")}
    hashes = {kind: " ".join(map(csp_hash, texts)) for kind, texts in inside.items()}

    assert policy == (
        f"default-src 'none'; style-src {hashes['style']}; script-src {hashes['script']}; base-uri 'none';"
        " form-action 'none'"
    )
    assert (len(inside["style"]), len(inside["script"])) == (1, 2)
    assert "sourceMappingURL" not in text


def csp_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_library_that_plots_is_the_one_that_its_maker_published() -> None:
    """chart.umd.min.js of Chart.js 4.6.1, as npm has it."""
    published = hashlib.sha256((Path(page.__file__).parent / "chart.umd.min.js").read_bytes()).hexdigest()

    assert published == "87364cc2b2a76a6684929e7d6b80b18a897794db38400caff1fcf1791c6925d2"


def test_what_others_have_written_is_no_markup_in_the_html_file(
    firebreak: Told, words: tuple[str, ...], tmp_path: Path
) -> None:
    hostile = recorded(1, closed_as="benign", id='"><script>alert(1)</script>\u202e')
    (tmp_path / "history.jsonl").write_text(lines(hostile))
    firebreak(*words, "--html", str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text()

    assert [tag for tag, _ in Read(text).tags].count("script") == 2  # the library, and what plots and sorts
    assert "&lt;script&gt;alert(1)" in text
    assert "\u202e" not in text


def test_on_all_cores_the_report_is_the_same(words: tuple[str, ...], tmp_path: Path) -> None:
    many = [recorded(number, number % 977, malicious=number % 20, project=f"p-{number % 7}") for number in range(1000)]
    (tmp_path / "history.jsonl").write_text(lines(*many))
    # Forked from a process of its own, as when a person runs it: this one may have threads.
    alone = subprocess.run([sys.executable, "-m", "firebreak", *words, "--json"], capture_output=True, check=True)  # noqa: S603
    (tmp_path / "first.jsonl").write_text(lines(*many[:700]))
    (tmp_path / "rest.jsonl").write_text(lines(*many[700:]))
    policies = read_yaml_policies(read_folder(tmp_path / "new"))
    rules = Rules(policies, responders.discover(), enrichment.discover())
    ran = run([str(tmp_path / "rest.jsonl"), str(tmp_path / "first.jsonl")], (rules,), lambda _: None, processes=1)

    assert json.loads(alone.stdout) == {**report(ran, policies, None), "failed": [], "beyond": {}}
    assert ran.tally.findings == 1000

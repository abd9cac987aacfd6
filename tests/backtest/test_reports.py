"""What VirusTotal says today: asked once of each file, at its pace, bounded, kept, and told to be of today."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak.backtest.reports import Answer, Asking, KeptReports, ask, hashes_in
from firebreak.core.findings.file_report import FileReport, NoReport
from sandbox.server import Sandbox
from sandbox.world import World
from tests.backtest.histories import found, lines, policies_in, recorded
from tests.cli.commands import Told, run
from tests.response.harness import KNOWN

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


class Answering:
    """VirusTotal, as far as it is told what to answer: of each hash one answer after the other, the last for ever."""

    def __init__(self, **kinds: list[str]) -> None:
        self.kinds, self.asked, self.paused = kinds, list[str](), list[float]()

    def report(self, sha256: str, deadline: float) -> Answer:
        assert deadline > 0
        self.asked.append(sha256[0])
        told = self.kinds.get(sha256[0], ["malicious"])
        kind = told.pop(0) if len(told) > 1 else told[0]
        if kind == "malicious":
            return FileReport(sha256, "malicious", ("told so",), malicious=40)
        return NoReport(sha256, kind, f"it is {kind}")


def asking(kept: KeptReports, most: int, **kinds: list[str]) -> tuple[Asking, Answering]:
    there = Answering(**kinds)
    return ask([A, B, C], most, kept, there.report, there.paused.append, lambda: None), there


def test_each_file_is_asked_about_once_and_the_next_time_goes_on_with_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    first, there = asking(KeptReports.read(path), 2)
    second, later = asking(KeptReports.read(path), 2)

    assert (first, there.asked) == (Asking(3, 2, 1, ""), ["a", "b"])
    assert (second, later.asked) == (Asking(3, 1, 0, ""), ["c"])
    assert path.stat().st_mode & 0o077 == 0


def test_where_that_is_too_fast_it_waits_and_asks_again(tmp_path: Path) -> None:
    told, there = asking(KeptReports(tmp_path / "kept"), 1, a=["rate", "rate", "malicious"])

    assert (told.asked, there.asked, there.paused) == (1, ["a", "a", "a"], [15.0, 30.0])


@pytest.mark.parametrize("kind", ["quota", "auth", "rate"])
def test_what_ends_the_asking_is_told_and_what_is_left_is_counted(tmp_path: Path, kind: str) -> None:
    kept = KeptReports(tmp_path / "kept")
    told, _ = asking(kept, 3, b=[kind])

    assert told == Asking(3, 1, 2, f"it is {kind}")
    assert set(KeptReports.read(kept.path).known) == {A}


def test_what_is_no_text_in_the_file_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    kept = KeptReports(tmp_path / "kept")
    kept.path.write_bytes(b"\xff\xfe\n")
    kept.path.chmod(0o600)
    asking(kept, 1)

    assert set(KeptReports.read(kept.path).known) == {A}


def test_answers_that_somebody_else_may_have_written_are_refused_by_name(
    firebreak: Told, virustotal: Sandbox, tmp_path: Path
) -> None:
    """Whoever brings a history to a repository could else say in a file beside it that malware is harmless."""
    (tmp_path / "history.jsonl").write_text(lines(found(1)))
    kept = KeptReports(tmp_path / "history.jsonl.virustotal.jsonl")
    kept.keep(FileReport(KNOWN, "undetected", ("planted",)))
    kept.path.chmod(0o644)  # as git and archives bring it
    words = ("policy", "backtest", str(tmp_path / "history.jsonl"), "--policies", policies_in(tmp_path / "new"))
    answer = firebreak(*words, "--enrich", "virustotal")

    assert (answer.code, answer.out, list(virustotal.wire.calls)) == (2, "", [])
    assert f"{kept.path} is not believed and left as it is: " in answer.err
    assert f"chmod 600 {kept.path}" in answer.err


def test_a_file_that_is_not_known_is_kept_as_such(tmp_path: Path) -> None:
    kept = KeptReports(tmp_path / "kept")
    asking(kept, 3, b=["not_found"])

    assert KeptReports.read(kept.path).report(B, 1) == NoReport(B, "not_found", "it is not_found")


def test_a_line_that_was_cut_short_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    kept = KeptReports(tmp_path / "kept")
    asking(kept, 2)
    kept.path.write_bytes(kept.path.read_bytes()[:-20])

    assert set(KeptReports.read(kept.path).known) == {A}


def test_files_with_an_answer_on_record_are_not_asked_about(tmp_path: Path) -> None:
    binaries = [{"path": "/x", "role": "binary", "sha256": one, "whole": True} for one in (A, B)]
    old, mute = recorded(1), recorded(2, malicious=None)
    old["finding"]["binaries"], mute["finding"]["binaries"] = binaries[:1], binaries[1:]
    (tmp_path / "history").write_text(lines(old, mute, found(3), found(4), {"no": "finding"}))

    assert hashes_in([str(tmp_path / "history")], lambda _: None) == [KNOWN, B]


@pytest.fixture
def firebreak(capsys: pytest.CaptureFixture[str]) -> Told:
    return lambda *words: run(capsys, *words)


@pytest.fixture
def virustotal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(World.load({"hashes": {KNOWN: {"malicious": 48}}})) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("VIRUSTOTAL_API_KEY", "key")
        yield sandbox


def test_a_backtest_says_how_many_hang_on_what_is_said_today(
    virustotal: Sandbox, firebreak: Told, tmp_path: Path
) -> None:
    (tmp_path / "history.jsonl").write_text(lines(found(1), found(2, 5), recorded(3, malicious=3)))
    words = ("policy", "backtest", str(tmp_path / "history.jsonl"), "--policies", policies_in(tmp_path / "new"))
    without = firebreak(*words, "--json").json
    first = firebreak(*words, "--enrich", "virustotal", "--json").json
    calls = len(virustotal.wire.calls)
    again = firebreak(*words, "--enrich", "virustotal", "--json").json

    assert (without["waiting_on"]["virustotal"], without.get("enriched")) == (2, None)
    assert "virustotal" not in first["waiting_on"]
    assert first["enriched"] == {"files": 1, "asked": 1, "left": 0, "why": ""}
    assert (first["decided_on_today"], first["decided_on_recorded"]) == (2, 1)
    assert any(one.startswith("2 were decided on what VirusTotal says now") for one in first["caveats"])
    assert len(virustotal.wire.calls) == calls
    assert again["enriched"]["asked"] == 0
    assert json.dumps(again["by_mode"]) == json.dumps(first["by_mode"])
    assert "decided on what VirusTotal says now: 2" in firebreak(*words, "--enrich", "virustotal").out


@pytest.mark.parametrize("words", [("-",), ("history.jsonl",)], ids=["standard input", "without a key"])
def test_what_cannot_be_asked_is_said_before_anything_is_read(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "history.jsonl").write_text(lines(found(1)))
    monkeypatch.delenv("VIRUSTOTAL_API_KEY", raising=False)
    given = ("policy", "backtest", *words, "--policies", policies_in(tmp_path / "new"), "--enrich", "virustotal")

    assert firebreak(*given).code == 2

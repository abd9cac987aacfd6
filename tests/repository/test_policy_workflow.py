"""The workflow for repositories of policies: what it runs works, and a hostile change gets nowhere with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.backtest.histories import lines, recorded
from tests.repository.checkout import ROOT, text_of

FILE = "docs/ci/policies.github.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(text_of(FILE))
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
HEAD = "1f" * 20
KNOWN = {
    "${{ github.token }}": "t0ken",
    "${{ github.event.pull_request.number }}": "7",
    "${{ github.event.pull_request.head.sha }}": HEAD,
}
VENV = """#!/bin/sh
test "$1 $2 $3" = "-I -m venv" && mkdir -p "$4/bin" && cp "$STANDINS"/pip "$STANDINS"/firebreak "$4/bin"
"""
GH = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in *--jq*) printf '%s' "$FOUND" ;; *body=@comment.md*) cat comment.md > "$POSTED" ;; esac
"""


@dataclass
class Runner:
    """A runner of GitHub's, as far as these steps can tell: folders, variables, and stand-ins for its programs."""

    folder: Path
    found: str = ""

    def __post_init__(self) -> None:
        tools = self.folder / "tools"
        tools.mkdir()
        firebreak = f'#!/bin/sh\nexec env PYTHONPATH="{ROOT}" "{sys.executable}" -m firebreak "$@"\n'
        stands_in = {"python": VENV, "gh": GH, "pip": '#!/bin/sh\necho "pip $*" >> "$CALLS"\n', "firebreak": firebreak}
        for name, script in stands_in.items():
            (tools / name).write_text(script)
            (tools / name).chmod(0o755)

    @property
    def calls(self) -> str:
        return (self.folder / "calls").read_text()

    def run(self, name: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """One step by its name, as the runner runs it."""
        step = next(one for one in STEPS if one.get("name") == name)
        path = self.folder / "path"
        added = path.read_text().strip() + ":" if path.exists() else ""
        known = {
            "PATH": f"{added}{self.folder / 'tools'}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "STANDINS": str(self.folder / "tools"),
            "CALLS": str(self.folder / "calls"),
            "POSTED": str(self.folder / "posted.md"),
            "FOUND": self.found,
            "GITHUB_REPOSITORY": "shop/policies",
            "GITHUB_PATH": str(path),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "RUNNER_TEMP": str(self.folder / "temp"),
            **{key: str(value) for key, value in WORKFLOW["env"].items()},
            **{key: KNOWN[value] for key, value in step.get("env", {}).items()},
        }
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(bash, cwd=cwd, env=known, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "temp").mkdir()
    return Runner(tmp_path)


def git(folder: Path, *words: str) -> None:
    names = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "EMAIL"), "a@shop.example")
    subprocess.run(["git", *words], cwd=folder, env={**os.environ, **names}, check=True, capture_output=True)  # noqa: S603, S607


def repository(folder: Path) -> Path:
    """Policies that only monitor, what was recorded, and a change merged on top that contains."""
    made = folder / "repository"
    shutil.copytree(ROOT / "policies", made / "policies", ignore=shutil.ignore_patterns("starter", "schema"))
    (made / "history").mkdir()
    known = recorded(1, closed_as="benign"), recorded(2, malicious=None)
    (made / "history" / "2026.jsonl").write_text(lines(*known))
    git(made, "init", "-qb", "main")
    git(made, "add", "-A")
    git(made, "commit", "-qm", "before")
    git(made, "checkout", "-qb", "change")
    config = made / "policies" / "firebreak.yaml"
    text = re.sub("^ceiling: .*", "ceiling: enforce", config.read_text(), flags=re.MULTILINE)
    config.write_text(re.sub("^sources: .*", 'sources: ["5678"]', text, flags=re.MULTILINE))
    git(made, "commit", "-qam", "after")
    git(made, "checkout", "-q", "main")
    git(made, "merge", "-q", "--no-ff", "-m", "merge", "change")
    return made


def test_each_step_runs_over_the_shipped_policies_and_the_comment_says_what_changes(runner: Runner) -> None:
    made = repository(runner.folder)
    done = {name: runner.run(name, made) for name in ("Install", "Lint", "Test", "Backtest")}
    job = runner.folder / "comment"
    (job / "report").mkdir(parents=True)
    shutil.copy(runner.folder / "temp" / "report.txt", job / "report")
    done |= {name: runner.run(name, job) for name in ("Fence", "Comment")}
    posted = (runner.folder / "posted.md").read_text()

    assert {name: one.returncode for name, one in done.items()} == dict.fromkeys(done, 0) | {"Backtest": 1}, done
    assert "pip install --no-deps PyYAML==6.0.3 git+https://" in runner.calls
    assert "api --silent repos/shop/policies/issues/7/comments --field body=@comment.md" in runner.calls
    assert f"What the policies of {HEAD} would do" in posted
    assert "8 policies, no faults, no warnings" in posted
    assert "--fail-if worse>0: it is 1" in posted
    assert "Against HEAD^1: 2 decided otherwise" in posted
    assert (runner.folder / "summary.md").read_text() == posted


def test_a_change_that_mends_policies_which_did_not_load_passes_and_says_that_nothing_is_compared(
    runner: Runner,
) -> None:
    made = repository(runner.folder)
    config = made / "policies" / "firebreak.yaml"
    mended = config.read_text()
    config.write_text(mended.replace("ceiling: enforce", "ceiling: enforced"))
    git(made, "commit", "-qam", "a slip")
    config.write_text(mended)
    git(made, "commit", "-qam", "mended")
    runner.run("Install", made)
    ended = runner.run("Backtest", made)

    assert ended.returncode == 0, ended
    assert "the policies of then do not load" in ended.stdout


def test_a_comment_of_before_is_brought_up_to_date(runner: Runner) -> None:
    runner.found = "11\n12\n"
    (runner.folder / "comment.md").write_text("new")
    ended = runner.run("Comment", runner.folder)

    assert ended.returncode == 0, ended
    assert "--method PATCH repos/shop/policies/issues/comments/11 --field body=@comment.md" in runner.calls


def test_nothing_that_a_report_says_gets_out_of_its_fence(runner: Runner) -> None:
    """It is cut to what GitHub takes, in whole characters; no backtick ends the fence, and no escape is left."""
    (runner.folder / "report").mkdir()
    hostile = "```\n@everyone <img src=x> $(touch pwned) `touch pwned`\n~~~\n\x1b[31m\x00" + "ü" * 100_000
    (runner.folder / "report" / "report.txt").write_text(hostile)
    ended = runner.run("Fence", runner.folder)
    _, fence, inside = (runner.folder / "comment.md").read_text().partition("```text\n")

    assert ended.returncode == 0, ended
    assert fence
    assert inside.endswith("\n```\n")
    assert "`" not in inside.removesuffix("```\n")
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", inside)
    assert len(inside) < 65_000
    assert not (runner.folder / "pwned").exists()


def test_names_and_texts_of_a_hostile_change_are_never_read_by_a_shell(runner: Runner) -> None:
    made = repository(runner.folder)
    hostile = '"::error::x $(touch ../pwned) `touch ../pwned`": 1\n##[error]x: 1\n'
    (made / "policies" / "$(touch ..pwned);`touch pwned`.yaml").write_text(hostile)
    (made / "history" / "--html=pwned").write_text("{}\n")
    said = [runner.run(name, made) for name in ("Install", "Lint", "Backtest")]

    assert [one.returncode for one in said] == [0, 1, 1]
    assert "::error::x" in said[2].stdout, "what is wrong with it is told"
    assert not re.search(r"^\s*(::error::x|##\[)", "".join(one.stdout for one in said), re.MULTILINE)
    assert not [path for path in runner.folder.rglob("*pwned") if path.name in ("pwned", "..pwned")]


def test_it_may_do_no_more_than_it_needs() -> None:
    """A change from a fork has a token that reads and no secret, and no change runs beside the token that writes."""
    jobs = WORKFLOW["jobs"]

    assert set(WORKFLOW[True]) == {"pull_request", "push"}, "`on`, which YAML 1.1 takes for true"
    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "check": {"contents": "read"},
        "comment": {"pull-requests": "write"},
    }
    assert "secrets." not in text_of(FILE)
    assert [step["with"]["persist-credentials"] for step in STEPS if "checkout" in step.get("uses", "")] == [False]
    assert not [step for step in jobs["comment"]["steps"] if "checkout" in step.get("uses", "")]
    assert "head.repo.full_name == github.repository" in jobs["comment"]["steps"][-1]["if"]


def test_what_it_uses_is_pinned_and_no_expression_stands_in_a_shell() -> None:
    uses = [step["uses"] for step in STEPS if "uses" in step]

    assert len(uses) == 4
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one) for one in uses)
    assert re.search(r"@[0-9a-f]{40}$", WORKFLOW["env"]["FIREBREAK"])
    assert not [step for step in STEPS if "${{" in step.get("run", "")]
    assert "PyYAML==6.0.3" in text_of(FILE)
    assert "pyyaml==6.0.3" in text_of("requirements.txt")

"""Every gcloud line that a page shows, or that a record ends with, is one that gcloud itself accepts.

Read by the parser of the gcloud on this machine, offline: commands, flags, choices and what excludes what; none is run.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak.core.cloud_run.iam_grants import Grant
from firebreak.core.cloud_run.scaling import Scaling
from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    CANCELLED,
    DEFAULT_URI_DISABLED,
    DISABLED,
    ENABLED,
    EXECUTION,
    INGRESS,
    INVOKER_CHECK_OFF,
    POOL_INSTANCES,
    POOL_SPLIT,
    RUNNING,
    SCALING,
    SPLIT,
    SURFACES,
    TAG,
)
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Kind, Target
from firebreak.core.containment.gcloud_rollback import contain_lines, undo_lines
from firebreak.core.containment.plan import Change, Plan
from tests.doctor.test_faults_found import FAULTS
from tests.repository.checkout import text_of, tracked

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="there is no gcloud to ask"),
]
PAGES = sorted(path for path in tracked() if path.endswith(".md") and path != "CHANGELOG.md")
SAYING = ("terraform/", "policies/", "firebreak/", "enrichment/", "responders/", "main.py")
COMMENTED = sorted(path for path in tracked() if path.startswith(SAYING) and path not in PAGES)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INNER = re.compile(r"\$\((gcloud [^)]*)\)")
WRONG = "gcloud run jobs create x --no-such=1"
NAMES = ("ORGANIZATION", "PERIMETER", "POLICY", "BACKUP")
ENDS = ("|", ";", "&&", "||", ">", "(", ")")
UNTIL = {"title": "until spring", "expression": 'request.time < timestamp("2027-03-01T00:00:00Z")'}
LISTED = {"title": "listed", "expression": 'resource.name in ["a", "b"] || request.path == "x;y"'}


def commands(text: str) -> Iterator[str]:
    """The gcloud commands of some shell lines, without what the shell does around them."""
    for line in text.replace("\\\n", " ").splitlines():
        yield from INNER.findall(line)
        told = line.replace("`", "").lstrip("# ")
        if "gcloud " not in told:
            continue
        reading = shlex.shlex(told, posix=True, punctuation_chars=True)
        reading.whitespace_split = True
        found: list[str] = []
        for word in [*reading, ";"]:
            if word in ENDS:
                yield from [" ".join(quoted(one) for one in found)] if found else []
                found = []
            elif found or word == "gcloud":
                found.append(word)


def quoted(word: str) -> str:
    """As people write it: the value of a flag in quotes, not the whole flag, which that parser would misread."""
    flag, equals, value = word.partition("=")
    return f"{flag}={shlex.quote(value)}" if word.startswith("--") and equals else shlex.quote(word)


def named(line: str) -> str:
    """With something in place of each name that the reader puts in."""
    return re.sub(r"\$\w+|\b(?:" + "|".join(NAMES) + r")\b", "a-name", INNER.sub("x", line))


def of_a_page(path: str) -> Iterator[str]:
    """From its shell blocks, and from its sentences."""
    text = text_of(path)
    for language, block in FENCE.findall(text):
        if language in ("", "bash"):
            yield from commands(block)
    for told in re.findall(r"`(gcloud [^`]+)`", FENCE.sub("", text)):
        yield from commands(" ".join(told.split()))


def of_comments(path: str) -> Iterator[str]:
    """What a file tells its reader to type: a line's comment, the end of a sentence, or what is in backticks."""
    for told in re.findall(r"(?:[#:]|list) +(gcloud [a-z][^\"\n]*)|`(gcloud [^`]*)`", text_of(path)):
        yield from commands("".join(told).rstrip(' "').partition(" (")[0])


def printed(path: str) -> Iterator[str]:
    """What a module makes to be printed: its texts that begin so and have values put in."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.JoinedStr):
            parts = (one.value if isinstance(one, ast.Constant) else "a-name" for one in node.values)
            made = "".join(map(str, parts))
            if made.startswith("gcloud "):
                yield from commands(made)


def change(kind: Kind, surface: str, before: dict[str, Setting | None], after: dict[str, Setting | None]) -> Change:
    return Change(Target("shop-prod", "europe-west1", kind, "checkout"), surface, before, after, {}, ("an_action",))


def granted(noun: Kind, surface: str, condition: dict[str, str] | None) -> Iterator[Change]:
    grant = Grant("roles/run.invoker", "allUsers", json.dumps(condition) if condition else "")
    key = grant.key(surface)
    yield change(noun, surface, {key: grant.value}, {key: None})
    yield change(noun, surface, {key: None}, {key: grant.value})


def changes() -> Iterator[Change]:
    """One of each kind that a plan can have."""
    settings: list[tuple[str, Setting | None]] = [
        (SPLIT, "checkout-00007-good=90,LATEST=10"),
        (f"{TAG}blue", "checkout-00007-good"),
        (f"{TAG}blue", None),
        *((INGRESS, one) for one in ("all", "internal", "internal-and-cloud-load-balancing", "none")),
        *((key, one) for key in (DEFAULT_URI_DISABLED, INVOKER_CHECK_OFF) for one in (True, False)),
        *((SCALING, one.text) for one in (Scaling(), Scaling(least=1, most=5), Scaling(manual=3), Scaling(manual=0))),
    ]
    for key, value in settings:
        yield change("service", "service", {key: value}, {key: None})
    yield change("worker_pool", "worker_pool", {POOL_SPLIT: "mill-00002-good=100"}, {POOL_SPLIT: "mill-00003-bad=100"})
    for count in (2, None):
        yield change("worker_pool", "worker_pool", {POOL_INSTANCES: count}, {POOL_INSTANCES: 0})
    yield change("job", "executions", {f"{EXECUTION}night-1": RUNNING}, {f"{EXECUTION}night-1": CANCELLED})
    for condition in (None, UNTIL, LISTED):
        yield from granted("service", "service_iam", condition)
        yield from granted("job", "job_iam", condition)
    email = "checkout@shop-prod.iam.gserviceaccount.com"
    account = Target("shop-prod", "global", "service_account", email)
    for value in (ENABLED, DISABLED):
        yield Change(account, "service_account", {f"{ACCOUNT}{email}": value}, {f"{ACCOUNT}{email}": None}, {}, ())


def refused(lines: list[str], folder: Path) -> list[str]:
    """Those that gcloud's parser does not take, with what it says."""
    listed = folder / "commands.json"
    listed.write_text(json.dumps([{"command_string": one} for one in lines]))
    ran = subprocess.run(  # noqa: S603
        ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={listed}"],  # noqa: S607
        env={**os.environ, "CLOUDSDK_CONFIG": str(folder), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(ran.stdout)
    assert len(answers) == len(set(lines))
    return [one["command_string"] for one in answers if not one["success"]]


def gcloud_version() -> str:
    ran = subprocess.run(["gcloud", "version"], capture_output=True, text=True, check=True)  # noqa: S607
    return ran.stdout


def test_the_lines_of_every_page_are_taken_and_one_that_is_wrong_is_not(tmp_path: Path) -> None:
    lines = [named(line) for page in PAGES for line in of_a_page(page)]

    assert len(lines) > 40
    assert refused([*lines, WRONG], tmp_path) == [WRONG]


def test_the_lines_that_mend_what_doctor_finds_are_taken(tmp_path: Path) -> None:
    lines = [mend for _, _, mend in FAULTS.values() if mend.startswith("gcloud ")]

    assert len(lines) > 5
    assert refused(lines, tmp_path) == []


def test_what_files_tell_their_readers_to_type_is_taken(tmp_path: Path) -> None:
    lines = [named(line) for path in COMMENTED for line in of_comments(path)]
    lines += [line for path in COMMENTED if path.endswith(".py") for line in printed(path)]

    assert len(lines) > 10
    assert refused([*lines, WRONG], tmp_path) == [WRONG]


def test_the_way_there_and_back_by_hand_is_taken_by_the_oldest_gcloud_that_the_page_names(tmp_path: Path) -> None:
    """Each line of each surface. Flags leave the beta track, and stay in it: a newer one proves nothing of that one."""
    oldest = re.search(r"Cloud CLI (\d+) and newer", " ".join(text_of("docs/operations.md").split()))
    here = re.search(r"^Google Cloud SDK (\d+)", gcloud_version(), re.MULTILINE)
    assert oldest
    assert here
    if int(here[1]) > int(oldest[1]):
        pytest.skip(f"gcloud {here[1]} is here, and the page promises {oldest[1]}")
    made = list(changes())
    stops = contain_lines(one for one in made if one.surface == "executions")  # of others it is the way back again
    by_hand = [*stops, *(line for one in made for line in undo_lines(Plan((one,), ())))]
    lines = [command for line in by_hand for command in commands(line.rpartition(": ")[2] if line[0] == "#" else line)]

    assert {one.surface for one in made} == {surface for some in SURFACES.values() for surface in some}
    assert len(lines) > 20
    assert refused([*lines, WRONG], tmp_path) == [WRONG]

"""What Terraform reads off records and log lines is what the code writes there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from tests.repository.checkout import python_files, text_of
from tests.response.harness import ALWAYS, Line, Lines
from tools.record_columns import type_of, whole_record

COLUMNS = json.loads(text_of("terraform/record.json"))
WATCHING = text_of("terraform/watching.tf")
ALERTS = [*re.findall(r"^    ([a-z-]+) = \{\n      says", WATCHING, re.MULTILINE), "no-sweep"]


def at(record: dict[str, Any], path: str) -> Any:
    """What `$.a.b` names in a record; None where a part of the way is null, as JSON_VALUE has it."""
    found: Any = record
    for key in path.removeprefix("$.").split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def leaves(value: dict[str, Any], path: str = "$") -> set[str]:
    """The paths of all that is no object."""
    return {
        leaf
        for key, one in value.items()
        for leaf in (leaves(one, f"{path}.{key}") if isinstance(one, dict) else {f"{path}.{key}"})
    }


def contained(line: Line) -> Incident:
    return line.respond(line.finding())


def asked(line: Line) -> Incident:
    return line.respond(line.finding(minutes_ago=90))


@pytest.mark.parametrize(("story", "phase"), [(contained, "contained"), (asked, "waiting")])
def test_a_real_record_fits_the_columns(tmp_path: Path, story: Any, phase: str) -> None:
    """Every field has its column, or lies in one of JSON, and every value is of its column's type or null."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        story(line)
        record = line.announced[-1]
    types = {one["path"]: one["type"] for one in COLUMNS}
    unfit = {path: at(record, path) for path, kind in types.items() if at(record, path) is not None}

    assert record["phase"] == phase
    told = {path for path in leaves(record) if types.get("$." + path.split(".")[1]) != "JSON"}
    assert told - types.keys() - {"$.verdict", "$.question", "$.decision", "$.plan", "$.release"} == set()
    assert {path: value for path, value in unfit.items() if type_of(value) != types[path]} == {}


def test_a_record_with_everything_has_no_field_without_a_column() -> None:
    assert {one["path"] for one in COLUMNS} >= {path for path in leaves(whole_record()) if "any key" not in path}


def test_a_containment_that_nobody_was_asked_about_says_how_long_it_took(tmp_path: Path) -> None:
    with Lines(tmp_path)(policy=ALWAYS) as line:
        incident = contained(line)
        told = [one for one in line.logged if one.get("phase") == "contained"]

    assert len(told) == 1
    assert 0 < told[0]["seconds_to_contain"] <= (incident.updated_ns - incident.created_ns) / 1e9


def test_a_question_does_not_count_towards_the_time_to_contain(tmp_path: Path) -> None:
    with Lines(tmp_path)(policy=ALWAYS) as line:
        asked(line)
        told = [one for one in line.logged if one.get("phase") == "waiting"]

    assert [one.keys() & {"seconds_to_contain", "incident", "announcement"} for one in told] == [
        {"incident", "announcement"}
    ]


@pytest.mark.parametrize("words", re.findall(r'(?:message|gap)[:=]\\"([^"\\]+)\\"', WATCHING))
def test_the_words_that_alerts_look_for_are_the_code_s(words: str) -> None:
    own = [path for path in python_files() if not path.startswith(("tests/", "tools/", "sandbox/"))]

    assert any(words in text_of(path) for path in own)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_runbook_under_its_name(alert: str) -> None:
    headings = re.findall(r"^#+ (.+)$", text_of("docs/operations.md"), re.MULTILINE)

    assert alert in headings


def test_the_costs_count_every_alert() -> None:
    (counted,) = re.findall(r"^\| alerts, one condition each \| (\d+) ", text_of("docs/deploy.md"), re.MULTILINE)

    assert int(counted) == len(ALERTS)


def test_there_is_an_alert_for_everything_that_goes_wrong_in_silence() -> None:
    assert {*ALERTS} == {
        "failed-containment",
        "approval-waiting",
        "unverified",
        "function-error",
        "virustotal-quota",
        "dead-letter",
        "backlog",
        "slow-containment",
        "unlisted-detector",
        "no-sweep",
        "set-aside",
        "container-crash",
    }

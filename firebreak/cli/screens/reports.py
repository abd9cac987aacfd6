"""What lint and test found, for other programs: SARIF, JUnit, and the annotations of GitHub Actions.

Whatever a file says stays text in each of them: no tag, no command, nothing that a terminal acts on.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from firebreak.core.diagnostics import Fault, Rule, printable
from firebreak.policy_language.lint.rules import RULES, UNRUN_EXAMPLE
from firebreak.policy_language.lint.silences import Silenced

_LEVELS = {"stops": "error", "fault": "error", "warning": "warning"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class EditContext:
    """One thing that was looked at, for JUnit: without a fault it is as it should be."""

    file: str
    name: str
    fault: Fault | None = None
    silenced: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found. `summary` is its last line; where it is `strict`, a warning is a failure for JUnit."""

    command: str
    faults: tuple[Fault, ...]
    silenced: tuple[Silenced, ...]
    cases: tuple[EditContext, ...]
    summary: str
    strict: bool = False


def cases_of(faults: Iterable[Fault], silenced: Iterable[Silenced], files: Iterable[str]) -> tuple[EditContext, ...]:
    """A case for each thing to say, and one for each file of which there is nothing to say."""
    told = [EditContext(one.at.file, _case_name(one), one) for one in faults]
    told += [EditContext(one.fault.at.file, _case_name(one.fault), one.fault, one.reason) for one in silenced]
    quiet = sorted(set(files) - {case.file for case in told})
    return tuple(
        sorted([*told, *(EditContext(file, "nothing to be said") for file in quiet)], key=lambda case: case.file)
    )


def _case_name(fault: Fault) -> str:
    return f"{fault.rule.code} {fault.rule.name}, line {fault.at.line}, column {fault.at.column}"


def sarif(report: Report, here: Path) -> str:
    """SARIF 2.1.0, with places relative to `here`; what was silenced is in it, as suppressed, with the reason."""
    told = [(fault, None) for fault in report.faults]
    said = sorted([*told, *((one.fault, one.reason) for one in report.silenced)], key=lambda one: one[0].at)
    same: Counter[str] = Counter()
    results = [_result(fault, reason, here, same) for fault, reason in said]
    driver = {"name": "Firebreak", "rules": [_rule(one) for one in RULES]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.meaning},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(fault: Fault, silenced: str | None, here: Path, same: Counter[str]) -> dict[str, Any]:
    uri = _uri(fault.at.file, here)
    known_by = hashlib.sha256(json.dumps([fault.rule.code, uri, fault.line_text.strip()]).encode()).hexdigest()
    same[known_by] += 1
    suppressions = [] if silenced is None else [{"kind": "inSource", "justification": printable(silenced)}]
    region = {"startLine": fault.at.line, "startColumn": fault.at.column}
    return {
        "ruleId": fault.rule.code,
        "ruleIndex": RULES.index(fault.rule),
        "level": _LEVELS[fault.rule.severity],
        "message": {"text": printable(fault.said)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        "partialFingerprints": {"ruleAndLine/v1": f"{known_by[:32]}:{same[known_by]}"},
        "suppressions": suppressions,
    }


def _uri(file: str, here: Path) -> str:
    path = _near(file, here)
    whole = f"file://{path}" if Path(path).is_absolute() else path
    return quote(whole.encode(errors="surrogateescape"), safe="/" if whole is path else "/:")


def _near(file: str, here: Path) -> str:
    """The file as seen from `here`, where it lies below."""
    path = Path(file)
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def junit(report: Report, here: Path) -> str:
    """JUnit's XML: a suite for each file. A warning is a test that passed and had something to say, unless strict."""
    root = ET.Element("testsuites", {"name": report.command})
    for file, group in itertools.groupby(report.cases, key=lambda case: case.file):
        cases, near = list(group), printable(_near(file, here))
        suite = ET.SubElement(root, "testsuite", {"name": near, "tests": str(len(cases))})
        kinds = Counter(_add_case(suite, case, near, report) for case in cases)
        for kind, number in (("failures", kinds["failure"]), ("errors", kinds["error"]), ("skipped", kinds["skipped"])):
            suite.set(kind, str(number))
    ET.indent(root)
    return str(ET.tostring(root, encoding="us-ascii", xml_declaration=True), "ascii")


def _add_case(suite: ET.Element, case: EditContext, file: str, report: Report) -> str:
    """Adds the case, and says which element tells how it went."""
    told = {"classname": f"{report.command}: {file}", "name": printable(case.name), "file": file}
    element = ET.SubElement(suite, "testcase", told)
    if case.fault is None:
        return "passed"
    element.set("line", str(case.fault.at.line))
    if case.silenced is not None:
        ET.SubElement(element, "skipped", {"message": printable(f"allowed because {case.silenced}")})
        return "skipped"
    code, place = case.fault.rule.code, f"{file}:{case.fault.at.line}:{case.fault.at.column}"
    pointed = case.detail.splitlines() or case.fault.pointed()
    text = "\n".join(map(printable, (f"{place}: {case.fault.said} [{code}]", *pointed)))
    if case.fault.rule.severity == "warning" and not report.strict:
        ET.SubElement(element, "system-out").text = text
        return "passed"
    kind = "error" if case.fault.rule is UNRUN_EXAMPLE else "failure"
    ET.SubElement(element, kind, {"type": code, "message": printable(case.fault.said)}).text = text
    return kind


def github(report: Report, here: Path) -> str:
    """A workflow command for each thing to say, then the sum. What was silenced is left out."""
    return "\n".join([*(_command(fault, here) for fault in report.faults), report.summary])


def _command(fault: Fault, here: Path) -> str:
    at = {"file": _near(fault.at.file, here), "line": fault.at.line, "col": fault.at.column, "title": fault.rule.code}
    said = ",".join(f"{key}={_property(str(value))}" for key, value in at.items())
    return f"::{_LEVELS[fault.rule.severity]} {said}::{_data(f'{fault.said} ({fault.rule.name})')}"


def _data(text: str) -> str:
    """Text in a workflow command: one line, of which GitHub undoes what stands for `%`."""
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


REPORTS: Mapping[str, Callable[[Report, Path], str]] = {"junit": junit, "sarif": sarif, "github": github}
"""The formats that are for other programs, by name."""

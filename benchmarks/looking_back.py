"""Looking back over many findings: a backtest, beside what Cloud Custodian's dry run would do with them as resources.

Ten policies, each of a category and severities, over findings as `gcloud scc findings list` has them, read from one
file; processor time, so that other work does not count, of one core each, from the file to the counts. Custodian's dry
run asks its cloud what is there now; here its filters are given the findings, read from the same file. It decides
nothing: it has neither guards, nor times, nor limits. `--theirs` bounds its findings, all of which it holds at once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import enrichment
import responders
from benchmarks.policy_matching import CUSTODIAN, install_custodian
from firebreak.backtest.deciding import Rules
from firebreak.backtest.run import run
from firebreak.core.findings.detectors import CATEGORIES
from firebreak.policy_folder import read_folder, read_yaml_policies
from sandbox.scc.notifications import Scene, malicious_binary_finding
from sandbox.year.folder import write_history, write_policies
from sandbox.year.recipe import read_recipe

_CATEGORIES = tuple(CATEGORIES)[:10]
_SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
_CONFIG = 'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n'
_NUMBER, _WHEN, _CATEGORY, _SEVERITY = "31415926535897932384626433832795", "2026-01-01T00:00:00Z", "%category", "%sev"


def findings(count: int) -> Iterator[str]:
    """So many, no two alike: each on a line, with an id, a time, a service and a project of its own."""
    scene = Scene(
        finding_id=_NUMBER,
        workload="services/service-%service",
        project_id="project-%project",
        event_time=_WHEN,
        create_time=_WHEN,
        category=_CATEGORY,
        severity=_SEVERITY,
        module="MODULE",
    )
    whole = json.dumps(malicious_binary_finding(scene))
    for number in range(count):
        day, minute = divmod(number, 1440)
        at = f"2026-{1 + day // 28 % 12:02d}-{1 + day % 28:02d}T{minute // 60:02d}:{minute % 60:02d}:00Z"
        yield (
            whole.replace(_NUMBER, f"{number:032x}")
            .replace(_WHEN, at)
            .replace("%service", str(number % 997))
            .replace("%project", str(number % 101))
            .replace(_CATEGORY, _CATEGORIES[number % 10])
            .replace(_SEVERITY, _SEVERITIES[number // 10 % 4])
        )


def policies_in(folder: Path) -> Rules:
    """Ten of Firebreak's, each for a category where it is at least of high severity."""
    folder.mkdir()
    for number, category in enumerate(_CATEGORIES):
        text = (
            f'id: rule-{number}\nmode: monitor\nwhen:\n  finding.category: "{category}"\n'
            "  finding.severity: {in: [HIGH, CRITICAL]}\nthen: [{action: cut_traffic}]\nexamples: [{expect: nothing}]\n"
        )
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    (folder / "firebreak.yaml").write_text(_CONFIG, encoding="utf-8")
    return Rules(read_yaml_policies(read_folder(folder)), responders.discover(), enrichment.discover())


def custodian_policies() -> list[dict[str, Any]]:
    """The same ten as c7n loads them."""
    return [
        {
            "name": f"rule-{number}",
            "resource": "gcp.function",
            "filters": [
                {"type": "value", "key": "finding.category", "value": category},
                {"type": "value", "key": "finding.severity", "op": "in", "value": ["HIGH", "CRITICAL"]},
            ],
        }
        for number, category in enumerate(_CATEGORIES)
    ]


def measured(file: str, rules: Rules, processes: int) -> dict[str, Any]:
    """Counts by policy, seconds of processor and clock, and megabytes, of a process of its own."""
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_backtest, args=(file, rules, processes, there))
    child.start()
    told: dict[str, Any] = here.recv()
    child.join()
    return told


def _backtest(file: str, rules: Rules, processes: int, there: Connection) -> None:
    began = time.perf_counter()
    tally = run([file], (rules,), lambda _: None, processes).tally
    used = [resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    there.send(
        {
            "counts": {name: modes.total() for name, modes in sorted(tally.by_policy.items())},
            "findings": tally.findings,
            "seconds": sum(one.ru_utime + one.ru_stime for one in used),
            "clock": time.perf_counter() - began,
            "megabytes": max(one.ru_maxrss for one in used) / 1024,
        }
    )


def by_custodian(python: Path, file: str) -> dict[str, Any]:
    """The same of Custodian's own process; its start and loading do not count."""
    worker = Path(__file__).with_name("custodian.py")
    given = json.dumps({"policies": custodian_policies(), "file": file})
    done = subprocess.run([str(python), str(worker)], input=given, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and tell; 1 where the counts differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--theirs", type=int, default=100_000, help="of these, how many Custodian is given")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--custodian", type=Path, metavar="PYTHON", help="a Python that has c7n and c7n-gcp")
    parsed = parser.parse_args(arguments)
    print(f"{'':<34}{'findings':>10}{'µs each':>9}{'seconds':>9}{'by clock':>10}{'MB':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _tell("a year of incidents", _of_a_year(folder))
        rules, theirs = policies_in(folder / "policies"), min(parsed.theirs, parsed.findings)
        same = _written(folder / "same.jsonl", theirs)
        ours = measured(same, rules, 1)
        _tell("backtest", ours)
        other = by_custodian(parsed.custodian or install_custodian(folder / "custodian"), same)
        _tell(f"Custodian's filters, {CUSTODIAN[0]}", other)
        if parsed.findings > theirs:
            many = _written(folder / "many.jsonl", parsed.findings)
            _tell(f"backtest, {parsed.processes} processes", measured(many, rules, parsed.processes))
    print(f"counts by policy: {'equal' if ours['counts'] == other['counts'] else 'DIFFERENT'}")
    return 0 if ours["counts"] == other["counts"] else 1


def _of_a_year(folder: Path) -> dict[str, Any]:
    """The year of the sandbox's recipe by the last of its sets."""
    recipe = read_recipe()
    sets = dict(write_policies(folder / "year", recipe))
    write_history(folder, recipe, sets)
    rules = Rules(list(sets.values())[-1], responders.discover(), enrichment.discover())
    return measured(str(folder / "history.jsonl"), rules, 1)


def _written(file: Path, count: int) -> str:
    with file.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{one}\n" for one in findings(count))
    return str(file)


def _tell(what: str, told: dict[str, Any]) -> None:
    each = told["seconds"] / told["findings"] * 1e6
    print(
        f"{what:<34}{told['findings']:>10,}{each:>9,.0f}{told['seconds']:>9,.1f}{told['clock']:>10,.1f}"
        f"{told['megabytes']:>8,.0f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

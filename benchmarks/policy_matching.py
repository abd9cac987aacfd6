"""How fast policies match, beside Cloud Custodian's filters and plain Python, and from ten policies to ten thousand.

`python -m benchmarks.policy_matching` (`make benchmark`) installs Custodian into a virtual environment that it throws
away; `--custodian PYTHON` uses one that has it. Figures are medians of processor time on this machine, so that other
work on it does not count; the ratios are the point.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import enrichment
import responders
from benchmarks.matching_workload import Case, Rule, cases, rules
from firebreak.core.findings.notification import parse_notification
from firebreak.core.policy.condition import truth_in
from firebreak.core.policy.policy import PolicySet
from firebreak.core.policy.selection import choose
from firebreak.core.ternary import Truth
from firebreak.policy_language.reading.policies import parse_policies
from sandbox.scc.notifications import notification_v2

CUSTODIAN = ("c7n==0.9.53", "c7n-gcp==0.4.52")
WANTED = 20
_POLICIES, _FINDINGS, _ROUNDS = 10, 5_000, 5
_SIZES = (10, 100, 1_000, 10_000)
_MICRO = 1_000_000
Answers = list[list[str]]


def loaded(some: Sequence[Rule]) -> PolicySet:
    """The rules as Firebreak's policies."""
    text = "".join(rule.firebreak for rule in some)
    halves = {f"{number}.yaml": part for number, part in enumerate(_parts(text, some))}
    return parse_policies(halves, enrichment.catalogue(), responders.discover())


def _parts(text: str, some: Sequence[Rule]) -> list[str]:
    """Files of at most a thousand policies, because one may hold no more than a megabyte."""
    if len(some) <= 1_000:  # noqa: PLR2004 - as said
        return [text]
    return ["".join(rule.firebreak for rule in some[start : start + 1_000]) for start in range(0, len(some), 1_000)]


def by_firebreak(policies: PolicySet, some: Sequence[Case]) -> Answers:
    """For each finding, every policy that matches."""
    return [
        [one.id for one in policies.about(case.facts) if truth_in(one.when, case.facts) is Truth.TRUE] for case in some
    ]


def by_trying_all(policies: PolicySet, some: Sequence[Case]) -> Answers:
    """The same without the index by category."""
    return [[one.id for one in policies.policies if truth_in(one.when, case.facts) is Truth.TRUE] for case in some]


def by_plain_python(some_rules: Sequence[Rule], some: Sequence[Case]) -> Answers:
    """The same, as somebody would write it who had only these rules."""
    return [[rule.name for rule in some_rules if rule.plain(case.facts)] for case in some]


def by_choice(policies: PolicySet, some: Sequence[Case]) -> None:
    """The whole choice, as the function makes it: first match, with the trace for the record."""
    for case in some:
        choose(policies.to_try(case.facts), case.facts)


def median_seconds(run: Callable[[], object], rounds: int) -> float:
    """Of so many rounds, after one that warms up."""
    run()
    took = []
    for _ in range(rounds):
        began = time.process_time()
        run()
        took.append(time.process_time() - began)
    return statistics.median(took)


def by_custodian(python: Path, some_rules: Sequence[Rule], some: Sequence[Case], rounds: int) -> tuple[Answers, float]:
    """Answers and median seconds of Custodian's own process; its start and loading do not count."""
    given = {
        "policies": [rule.custodian for rule in some_rules],
        "resources": [case.resource for case in some],
        "rounds": rounds + 1,
    }
    worker = Path(__file__).with_name("custodian.py")
    done = subprocess.run(  # noqa: S603 - our own script, by the interpreter made for it
        [str(python), str(worker)], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told["answers"], statistics.median(told["seconds"][1:])


def install_custodian(folder: Path) -> Path:
    """A virtual environment with Custodian and nothing of ours."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *CUSTODIAN]
    subprocess.run(command, check=True)  # noqa: S603 - as above
    return python


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and tell; 1 where answers differ, 3 where Custodian could not be had. A rate is told, never judged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--custodian", type=Path, metavar="PYTHON", help="a Python that has c7n and c7n-gcp")
    parser.add_argument("--findings", type=int, default=_FINDINGS)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parsed = parser.parse_args(arguments)
    some, some_rules, policies = cases(parsed.findings), rules(_POLICIES), loaded(rules(_POLICIES))
    plain = by_plain_python(some_rules, some)
    if not by_firebreak(policies, some) == by_trying_all(policies, some) == plain:
        print("ANSWERS DIFFER between Firebreak and plain Python; nothing was measured")
        return 1
    _head(some, parsed.rounds)
    alone = _tell_own(some, some_rules, policies, parsed.rounds)
    try:
        theirs, seconds = _beside(parsed.custodian, some_rules, some, parsed.rounds)
    except (subprocess.CalledProcessError, OSError) as fault:
        print(f"CUSTODIAN NOT MEASURED: it could not be installed or run ({fault})")
        return 3
    _row("Cloud Custodian, filters alone", seconds / len(some), alone / len(some))
    print(f"\nFirebreak matches at {seconds / alone:.0f} x Custodian's rate (wanted: at least {WANTED}).")
    print(f"Answers, Firebreak's and plain Python's and Custodian's: {'equal' if theirs == plain else 'DIFFERENT'}.\n")
    _tell_sizes(some[:1_000], parsed.rounds)
    return 0 if theirs == plain else 1


def _head(some: Sequence[Case], rounds: int) -> None:
    size = statistics.median(len(notification_v2(case.pair)) for case in some)
    print(f"{_POLICIES} policies of 5 conditions, {len(some):,} findings of {size / 1000:.1f} kB, one finding a call.")
    print(f"Processor time, median of {rounds} rounds; Custodian is {' and '.join(CUSTODIAN)}.\n")
    print(f"{'':<34}{'µs a finding':>14}{'a second':>12}{'x match alone':>15}")


def _row(name: str, seconds: float, alone: float) -> None:
    print(f"{name:<34}{seconds * _MICRO:>14,.1f}{1 / seconds:>12,.0f}{seconds / alone:>15.1f}")


def _tell_own(some: Sequence[Case], some_rules: Sequence[Rule], policies: PolicySet, rounds: int) -> float:
    """The floor, and Firebreak by parts; the seconds of matching alone."""
    floor = median_seconds(lambda: by_plain_python(some_rules, some), rounds)
    alone = median_seconds(lambda: by_firebreak(policies, some), rounds)
    every = median_seconds(lambda: by_trying_all(policies, some), rounds)
    whole = median_seconds(lambda: by_choice(policies, some), rounds)
    bodies = [notification_v2(case.pair) for case in some[:500]]
    read = median_seconds(lambda: [parse_notification(body).finding.facts() for body in bodies], rounds)
    of_one = alone / len(some)
    _row("plain Python, the floor", floor / len(some), of_one)
    _row("Firebreak, match alone", of_one, of_one)
    _row("  no policy left out by category", every / len(some), of_one)
    _row("  choice, traced for the record", whole / len(some), of_one)
    _row("  reading the message, beside", read / len(bodies), of_one)
    return alone


def _tell_sizes(some: Sequence[Case], rounds: int) -> None:
    """The same findings with ever more policies about other categories."""
    print(f"{'with more policies':<24}{'match alone, µs':>16}{'x of ten':>10}{'choice, traced, µs':>20}")
    first = 0.0
    for size in _SIZES:
        policies = loaded(rules(size))
        alone = median_seconds(functools.partial(by_firebreak, policies, some), rounds) / len(some)
        whole = median_seconds(functools.partial(by_choice, policies, some), rounds) / len(some)
        first = first or alone
        print(f"{size:>18,}{alone * _MICRO:>22.1f}{alone / first:>10.2f}{whole * _MICRO:>20.1f}")
    print("Of up to thirty policies a record shows each; of more, those that the category leaves.")


def _beside(
    python: Path | None, some_rules: Sequence[Rule], some: Sequence[Case], rounds: int
) -> tuple[Answers, float]:
    with tempfile.TemporaryDirectory() as folder:
        return by_custodian(python or install_custodian(Path(folder)), some_rules, some, rounds)


if __name__ == "__main__":
    sys.exit(main())

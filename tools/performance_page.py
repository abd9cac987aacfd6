"""The measured parts of docs/performance.md, its pictures, and the README's headline, from what `make bench` kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks.drawing import Bars, bars, icicle
from benchmarks.figures import Asked, Figures, saved

PAGE, README, FOLDER = "docs/performance.md", "README.md", "docs/pictures"
HEADLINE = "cold, VirusTotal decides"
FIELD_SECONDS = 300
"""What Sysdig's 5/5/5 gives from a finding to the answer."""
_BUSY, _SHOWN = 0.5, 5_000
_RUN = "[Cloud Run](https://cloud.google.com/run/pricing)"
_FIRESTORE = "[Firestore](https://cloud.google.com/firestore/pricing)"
_STORAGE = "[Cloud Storage](https://cloud.google.com/storage/pricing)"
_HEAD = """| milliseconds to the write | Firebreak | p95 | opponent | ratio | bar | limit | ratio |
|---|---|---|---|---|---|---|---|"""


def generated(root: Path) -> Mapping[str, str]:
    """Path to text of everything that is made from the kept run."""
    figures = saved()
    machine = f"{figures.date}, {figures.processors} processors, Python {figures.python}"
    # Ten seconds beside a tenth of one would leave nothing to see of the others.
    waits = tuple(one for one in figures.rows if ":" not in one.what and one.theirs < _SHOWN and one.p95 is not None)
    note = f"Milliseconds. Blue: Firebreak. Grey: one call after the other. Red: the limit. {machine}."
    total = sum(one.microseconds for one in figures.cold if not one.depth) / 1000
    of_imports = (
        f"What is loaded before it listens, and what loads it: {total:.0f} ms; blue is Firebreak's own. {machine}."
    )
    page, readme = ((root / one).read_text(encoding="utf-8") for one in (PAGE, README))
    return {
        PAGE: _with(page, bench=_table(figures, machine), trips=_trips(figures), costs=_costs(figures.asked)),
        README: _with(readme, headline=_headline(figures)),
        f"{FOLDER}/time-to-the-write.svg": bars(Bars("From the message to the write", waits, note)),
        f"{FOLDER}/cold-start.svg": icicle("A cold start", figures.cold, of_imports),
    }


def _table(figures: Figures, machine: str) -> str:
    runs = f"{figures.runs} deliveries a warm line, {figures.cold_runs} starts a cold one"
    busy = [one for one in figures.rows if one.load >= _BUSY]
    told = f"\n\nMeasured beside other work, with a load of {max(one.load for one in busy):.1f}: " if busy else ""
    names = "; ".join(one.what for one in busy if ":" not in one.what)
    return "\n".join([f"{machine}; {runs}:\n", _HEAD, *(one.line for one in figures.rows)]) + told + names


def _trips(figures: Figures) -> str:
    threads, askers = (Counter(getattr(one, name) for one in figures.trips) for name in ("thread", "asker"))
    in_a_row = max(threads.values(), default=0)
    return "\n".join(
        (
            f"{len(figures.trips)} of the ledger's round trips begin before the write, {in_a_row} of them one after",
            "the other. By the part of the response that asks:",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {count} |" for name, count in askers.most_common()),
        )
    )


def _costs(asked: Asked) -> str:
    """The arithmetic of a thousand findings."""
    reads = asked.reads + asked.listed
    lines = (
        (
            "five seconds of 1 vCPU and 0.5 GiB",
            "5 * (0.000024 + 0.5 * 0.0000025)",
            5 * (0.000024 + 0.5 * 0.0000025),
            _RUN,
        ),
        ("documents read", f"{reads} * 0.06 / 100000", reads * 0.06 / 100_000, _FIRESTORE),
        ("documents written", f"{asked.documents} * 0.18 / 100000", asked.documents * 0.18 / 100_000, "the same"),
        ("objects made", f"{asked.objects} * 0.005 / 1000", asked.objects * 0.005 / 1_000, _STORAGE),
    )
    together = sum(usd for _, _, usd, _ in lines) * 1000
    calls = f"{asked.reads} reads, {asked.lists} lists and {asked.saves} saves of {asked.documents} documents"
    return "\n".join(
        (
            f"A finding that is contained asks of the ledger {calls}, and makes {asked.objects} objects in the vault.",
            "A list costs a read for each document that it yields, and one at least. A thousand findings, at list",
            "prices in USD (prices change: the pages count):",
            "",
            "| what | arithmetic | USD | price |",
            "|---|---|---|---|",
            *(
                f"| {what} | 1000 × {how.replace('*', '×')} | {usd * 1000:.2f} | {price} |"  # noqa: RUF001 - for people
                for what, how, usd, price in lines
            ),
            f"| **together** | | **{together:.2f}** | |",
        )
    )


def _headline(figures: Figures) -> str:
    seconds = figures.row(HEADLINE).ours / 1000
    return (
        f"**{seconds:.1f} s from a finding's message to the request that contains**, where the instance has to start"
        f" first and VirusTotal\ndecides: the field gives its responders {FIELD_SECONDS} s. `make bench` measures it"
        " ([how, and beside what](docs/performance.md))."
    )


def _with(page: str, **texts: str) -> str:
    """The page with each text between the two marks of its name; raises ValueError where it has no such place."""
    for name, text in texts.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        page, times = marked.subn(lambda match, text=text: f"{match[1]}{text}{match[2]}", page)  # type: ignore[misc]
        if times != 1:
            message = f"no place for {name}"
            raise ValueError(message)
    return page

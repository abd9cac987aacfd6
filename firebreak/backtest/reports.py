"""What VirusTotal says today of the files of the past: asked once each, at its pace, and kept in a file."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firebreak.backtest.files import pieces_of
from firebreak.backtest.own_file import require_own
from firebreak.backtest.past import Past, past_in
from firebreak.core.errors import Malformed
from firebreak.core.findings.file_report import FileReport, NoReport
from firebreak.core.serialization import Unreadable, decode, encode

SOURCE = "virustotal"
_MOST_HASHES = 200_000
_LASTING = frozenset({"not_found", "no_verdict"})
"""Why there is no report, where asking again tomorrow would hardly help."""
_WAITS = (15.0, 30.0, 60.0, 60.0, 60.0)
"""How long it waits where VirusTotal is asked too often, seconds; a free key has four questions a minute."""
_PATIENCE = 10.0
Answer = FileReport | NoReport


@dataclass(slots=True)
class KeptReports:
    """Answers by hash, and the file to which each is added as it comes; asked for anything else it has none."""

    path: Path
    known: dict[str, Answer] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> KeptReports:
        """What the file holds; a line that cannot be read is as if it were not there. Raises OSError, NotOwn."""
        require_own(path)
        kept = cls(path)
        for piece in pieces_of([str(path)]) if path.exists() else ():
            try:
                answer = _answer_from(json.loads(piece.text))
            except (ValueError, RecursionError, Unreadable):
                continue
            kept.known[answer.sha256] = answer
        return kept

    def report(self, sha256: str, deadline: float) -> Answer:  # noqa: ARG002 - as file reports answer
        """The answer that is kept."""
        return self.known.get(sha256) or NoReport(sha256, "not_asked", "VirusTotal was not asked about it")

    def keep(self, answer: Answer) -> None:
        """Add it; whoever goes on later does not ask again. Nobody else may read the file: it tells what was found."""
        self.known[answer.sha256] = answer
        with os.fdopen(
            os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8"
        ) as file:
            print(json.dumps(encode(answer), separators=(",", ":")), file=file)


def _answer_from(value: Any) -> Answer:  # noqa: ANN401 - JSON
    if isinstance(value, dict) and "verdict" in value:
        return decode(FileReport, value)
    return decode(NoReport, value)


@dataclass(frozen=True, slots=True)
class Asking:
    """How many distinct files there are, how many were asked about now, how many are left, and why it stopped."""

    files: int
    asked: int
    left: int
    why: str


def unanswered(past: Past) -> bool:
    """Whether nothing is recorded of what VirusTotal said of it."""
    recorded = past.evidence.get(SOURCE)
    return recorded is None or not recorded.facts


def hashes_in(files: Iterable[str], step: Callable[[int], object]) -> list[str]:
    """Distinct hashes of which no answer was recorded, the most frequent first; raises OSError."""
    counts: Counter[str] = Counter()
    for piece in pieces_of(files):
        for past in _read(piece.text):
            step(1)
            if unanswered(past):
                counts.update(one for one in past.finding.whole_hashes if one in counts or len(counts) < _MOST_HASHES)
    return [one for one, _ in counts.most_common()]


def _read(text: bytes) -> Iterator[Past]:
    try:
        yield from past_in(json.loads(text))
    except (ValueError, RecursionError, Malformed):
        return


def ask(
    hashes: list[str],
    most: int,
    kept: KeptReports,
    report: Callable[[str, float], Answer],
    pause: Callable[[float], object],
    step: Callable[[], object],
) -> Asking:
    """Ask about those that are not known yet, at most so many; it waits where that is too fast, and stops at a quota.

    `report` asks VirusTotal; `pause` waits so many seconds.
    """
    new, asked, why = [one for one in hashes if one not in kept.known], 0, ""
    for sha256 in new[:most]:
        answer = _patiently(sha256, report, pause)
        if isinstance(answer, NoReport) and answer.kind not in _LASTING:
            why = answer.reason
            break
        kept.keep(answer)
        asked += 1
        step()
    return Asking(len(hashes), asked, len(new) - asked, why)


def _patiently(sha256: str, report: Callable[[str, float], Answer], pause: Callable[[float], object]) -> Answer:
    for wait in (*_WAITS, None):
        answer = report(sha256, _PATIENCE)
        if wait is None or not (isinstance(answer, NoReport) and answer.kind in ("rate", "unreachable", "hung")):
            return answer
        pause(wait)
    raise AssertionError  # pragma: no cover - the loop returns on its last turn

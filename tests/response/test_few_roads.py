"""From a message to the write: few modules are entered, and the ledger is asked little."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from firebreak.core.containment.slots import Slots
from firebreak.ledger.documents import Document, Documents, Save
from tests.response.harness import ALWAYS, Lines

RESPONSE = str(Path("firebreak", "response"))
MOST_MODULES = 15
MOST_CALLS = 14
"""Four to hear of it, three beside the sources' answers, and seven from there to the write."""


@dataclass
class Counted:
    """A store of documents, and when it was asked for what, by the monotonic clock."""

    inner: Documents
    calls: list[tuple[float, str]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        self.calls.append((time.monotonic(), name))
        return getattr(self.inner, name)

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        self.calls.append((time.monotonic(), "commit"))
        return self.inner.commit(writes)


def test_the_ledger_is_asked_a_few_times_before_the_write(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.app.ledger.commit(on.app.ledger.slots_save(Slots(), None))
        counted: Any = Counted(on.app.ledger.documents)
        on.app = replace(on.app, ledger=replace(on.app.ledger, documents=counted))
        on.app.ledger.halts.standing_halt()
        counted.calls.clear()
        incident = on.respond(on.finding())
        (write,) = on.updates
        before = [name for at, name in counted.calls if at < write.at]

    assert incident.phase == "contained"
    assert len(before) <= MOST_CALLS, before


def test_a_finding_goes_through_few_modules(line: Lines) -> None:
    entered = set[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and RESPONSE in frame.f_code.co_filename:
            entered.add(frame.f_code.co_filename.rpartition(RESPONSE)[2])

    with line(policy=ALWAYS) as on:
        pair = on.finding()
        threading.setprofile(note)
        sys.setprofile(note)
        try:
            incident = on.respond(pair)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    assert incident.phase == "contained"
    assert len(entered) <= MOST_MODULES, sorted(entered)

"""Firebreak's function with a ledger whose every call takes as long as FAR_LEDGER_SECONDS says, as Firestore's do.

Each call is noted in the file FAR_LEDGER_CALLS: when it began (monotonic seconds), its thread, what was asked, and
the part of the response that asked.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from firebreak import bootstrap  # noqa: E402 - found by the path above
from firebreak.adapters.storage.ledger_store import documents_of  # noqa: E402
from firebreak.ledger.documents import Documents  # noqa: E402
from firebreak.settings import Settings  # noqa: E402

_RESPONSE = f"{os.sep}response{os.sep}"
_nearby = documents_of


class Far:
    """A store of documents, so many seconds away."""

    def __init__(self, store: Documents, seconds: float, calls: Path) -> None:
        """Every method of the store, late and noted."""
        self._store, self._seconds, self._calls = store, seconds, calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The store's method of that name."""
        method = getattr(self._store, name)

        def late(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the store takes and gives
            line = f"{time.monotonic()} {threading.current_thread().name.split()[0]} {name} {_asker()}\n"
            with self._calls.open("a", encoding="utf-8") as file:
                file.write(line)
            time.sleep(self._seconds)
            return method(*given, **named)

        return late


def _asker() -> str:
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - CPython's own, for a benchmark
    while frame is not None:
        if _RESPONSE in (name := frame.f_code.co_filename):
            return Path(name).stem
        frame = frame.f_back
    return "sources"


def _far(settings: Settings) -> Any:  # noqa: ANN401 - has every method of a store, by name
    return Far(_nearby(settings), float(os.environ["FAR_LEDGER_SECONDS"]), Path(os.environ["FAR_LEDGER_CALLS"]))


bootstrap.documents_of = _far  # type: ignore[attr-defined]  # the one place where a store is chosen

from main import on_finding  # noqa: E402, F401 - what is served

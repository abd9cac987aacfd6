"""What one contained finding asks of ledger and vault, counted, and what a thousand cost at list prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from benchmarks.figures import Asked
from benchmarks.line import line
from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.adapters.storage.vault_folder import FolderVault

_LISTS = ("newest", "after", "due", "about")


@contextmanager
def _counting(found: Counter[str]) -> Iterator[None]:
    """Count what is asked of every store meanwhile. A list costs a read for each document, and one at least."""

    def counted(kind: type[Any], name: str, count: Callable[[Sequence[Any], Any], None]) -> Any:  # noqa: ANN401
        method = getattr(kind, name)

        def call(self: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the store takes and gives
            answer = method(self, *given, **named)
            answer = answer if name not in _LISTS else list(answer)
            count(given, answer)
            return answer if name not in _LISTS else iter(answer)

        return patch.object(kind, name, call)

    def read(_: Sequence[Any], __: object) -> None:
        found["reads"] += 1

    def listed(_: Sequence[Any], answer: Sequence[Any]) -> None:
        found["lists"] += 1
        found["listed"] += max(1, len(answer))

    def saved(given: Sequence[Any], _: object) -> None:
        found["saves"] += 1
        found["documents"] += len(given[0])

    def put(_: Sequence[Any], made: object) -> None:
        found["objects"] += bool(made)

    with ExitStack() as patches:
        patches.enter_context(counted(SqliteDocuments, "read", read))
        patches.enter_context(counted(SqliteDocuments, "commit", saved))
        patches.enter_context(counted(FolderVault, "put", put))
        for name in _LISTS:
            patches.enter_context(counted(SqliteDocuments, name, listed))
        yield


def asked() -> Asked:
    """Of one finding, by an instance that has answered before."""
    found: Counter[str] = Counter()
    with line() as on:
        on.respond(on.finding(finding_id="a" * 32, workload="services/another"))
        with _counting(found):
            phase = on.respond(on.finding()).phase
    if phase != "contained":
        message = f"it was not contained, but {phase}"
        raise RuntimeError(message)
    return Asked(found["reads"], found["lists"], found["listed"], found["saves"], found["documents"], found["objects"])

"""Whatever is saved, over whatever version, in whatever order: a store answers as a dictionary would."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firebreak.ledger.documents import Conflict, Document, Documents, Exists, Index
from tests.ledger.stores import Store

KEYS = st.sampled_from(["a", "b/c", "__d__", "."])
INDEXES = st.builds(Index, st.none() | st.integers(0, 3), st.sampled_from(["", "x/y", "z"]), st.just(None))


@dataclass(frozen=True)
class Save:
    """A save over the version that was current so many saves ago, which must be refused unless it is none."""

    key: str
    behind: int
    index: Index


class Model:
    """What a store of one kind is, without any store: the order of saves, and for each key its versions."""

    def __init__(self) -> None:
        self.versions: dict[str, list[Document]] = {}
        self.indexes: dict[str, Index] = {}

    def saved(self, document: Document, index: Index) -> None:
        history = self.versions.pop(document.key, [])
        self.versions[document.key] = [*history, document]
        self.indexes[document.key] = index

    @property
    def newest(self) -> list[Document]:
        return [history[-1] for history in reversed(self.versions.values())]

    def about(self, subject: str) -> list[Document]:
        return [one for one in self.newest if subject and self.indexes[one.key].subject == subject]

    def due(self, before_ns: int) -> list[tuple[int, str]]:
        times = {key: index.due_ns for key, index in self.indexes.items()}
        return sorted((due_ns, key) for key, due_ns in times.items() if due_ns is not None and due_ns <= before_ns)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(saves=st.lists(st.builds(Save, KEYS, st.integers(0, 2), INDEXES), min_size=1, max_size=12))
def test_a_store_answers_as_a_dictionary_would(store: Store, saves: list[Save]) -> None:
    """Creations, saves, saves over old versions, and every list after them."""
    documents, model, kind = store(), Model(), f"model-{uuid.uuid4().hex}"
    for number, save in enumerate(saves):
        if saved := _done(documents, model, kind, save, number):
            model.saved(saved, save.index)

    assert list(documents.newest(kind, 99)) == model.newest
    for subject in ("x/y", "z", ""):
        assert list(documents.about(kind, subject, 99)) == model.about(subject)
    for before_ns in range(4):
        due = [(model.indexes[one.key].due_ns, one.key) for one in documents.due(kind, before_ns, 99)]

        assert sorted(due) == model.due(before_ns)
        assert [at for at, _ in due] == [at for at, _ in model.due(before_ns)]


def _done(documents: Documents, model: Model, kind: str, save: Save, number: int) -> Document | None:
    history, body = model.versions.get(save.key, []), {"number": number}
    if not history or save.behind > len(history):
        with suppress(Exists):
            created = documents.create(kind, save.key, body, save.index)

            assert not history
            return created
        assert history
        return None
    known = history[-1 - min(save.behind, len(history) - 1)]
    with suppress(Conflict):
        replaced = documents.replace(known, body, save.index)

        assert known == history[-1]
        return replaced
    assert known != history[-1]
    return None

"""Whatever is saved, over whatever version, in whatever order: a store answers as a dictionary would."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firebreak.ledger.documents import Conflict, Document, Documents, Exists, Index, Save
from tests.ledger.stores import Store

KEYS = st.sampled_from(["a", "b/c", "__d__", "."])
INDEXES = st.builds(Index, st.none() | st.integers(0, 3), st.sampled_from(["", "x/y", "z"]), st.just(None))


@dataclass(frozen=True)
class Wish:
    """A save over the version that was current so many saves ago, which must be refused unless it is none."""

    key: str
    behind: int
    index: Index


WISHES = st.builds(Wish, KEYS, st.integers(0, 2), INDEXES)


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
@given(commits=st.lists(st.lists(WISHES, min_size=1, max_size=3, unique_by=lambda one: one.key), max_size=9))
def test_a_store_answers_as_a_dictionary_would(store: Store, commits: list[list[Wish]]) -> None:
    """Creations, saves, saves over old versions, one or several at once, and every list after them."""
    documents, model, kind = store(), Model(), f"model-{uuid.uuid4().hex}"
    for number, wishes in enumerate(commits):
        for saved, wish in zip(_done(documents, model, kind, wishes, number), wishes, strict=False):
            model.saved(saved, wish.index)

    assert _last_saved_first(documents.newest(kind, 99)) == _last_saved_first(model.newest)
    for subject in ("x/y", "z", ""):
        assert _last_saved_first(documents.about(kind, subject, 99)) == _last_saved_first(model.about(subject))
    for before_ns in range(4):
        due = [(model.indexes[one.key].due_ns, one.key) for one in documents.due(kind, before_ns, 99)]

        assert sorted(due) == model.due(before_ns)
        assert [at for at, _ in due] == [at for at, _ in model.due(before_ns)]


def _done(documents: Documents, model: Model, kind: str, wishes: list[Wish], number: int) -> list[Document]:
    """What was saved: all, or nothing where any of them is not over the newest version."""
    writes, hindered = [], set()
    for wish in wishes:
        history = model.versions.get(wish.key, [])
        over = history[-1 - min(wish.behind, len(history) - 1)] if history and wish.behind <= len(history) else None
        writes.append(Save(kind, wish.key, {"number": number}, wish.index, over))
        hindered |= {wish.key} if over != (history[-1] if history else None) else set()
    if not hindered:
        return documents.commit(writes)
    with pytest.raises(Conflict) as told:
        documents.commit(writes)
    made = {one.key for one in writes if one.over is None}

    assert told.value.key in hindered
    assert isinstance(told.value, Exists) is (told.value.key in made)
    return []


def _last_saved_first(documents: Iterable[Document]) -> list[tuple[int, set[str]]]:
    """By commits: those of one commit are in no order."""
    commits = itertools.groupby(documents, lambda one: int(one.body["number"]))
    return [(number, {one.version + one.key for one in saved}) for number, saved in commits]

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.stores import ON_FIRESTORE, Store, a_database


@pytest.fixture(params=["sqlite", pytest.param("firestore", marks=ON_FIRESTORE)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return Store(f"sqlite:///{tmp_path / 'state' / 'ledger.sqlite'}")
    return a_database(request.getfixturevalue("firestore_host"))

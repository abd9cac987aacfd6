"""The words that policies may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.action import Responder
from core.evidence import Catalogue

Actions = Mapping[str, Responder]
Sets = Mapping[str, frozenset[str]]


class Vocabulary(NamedTuple):
    """Facts, actions, and the named sets of `firebreak.yaml`: None where that file could not be read at all."""

    catalogue: Catalogue
    actions: Actions
    sets: Sets | None

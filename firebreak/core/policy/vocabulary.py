"""The words that policies may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from firebreak.core.actions.action import Actions
from firebreak.core.discovery import NONE_BROKEN
from firebreak.core.facts import Catalogue

Sets = Mapping[str, frozenset[str]]


class PolicyNamespace(NamedTuple):
    """Facts, actions, and the named sets of `firebreak.yaml`: None where that file could not be read at all.

    `broken` says of sources (`enrichment.logs`) and actions (`responders.suspend`) that do not load why not.
    """

    catalogue: Catalogue
    actions: Actions
    sets: Sets | None
    broken: Mapping[str, str] = NONE_BROKEN

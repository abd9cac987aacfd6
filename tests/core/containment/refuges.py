"""The refuge from suspects that are known by their own images, as where no finding names any."""

from __future__ import annotations

from typing import Any

from firebreak.core.actions import refuge
from firebreak.core.actions.suspects import images_of
from firebreak.core.cloud_run.workload import Revision

NONE = frozenset[str]()


def find_refuge(
    revisions: tuple[Revision, ...], suspects: frozenset[str], serving: frozenset[str], *more: Any
) -> Revision | refuge.NoRefuge:
    return refuge.find_refuge(revisions, suspects, serving, images_of(suspects, revisions, NONE), *more)

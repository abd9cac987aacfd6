"""What is marked for later, under a seal: else who can write the ledger hides from a sweep what they please."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.signing import NoKey, Sealed
from firebreak.ledger.documents import Conflict, Document, Save, even_damaged
from firebreak.ledger.ledger import Ledger

_SEAL = "seal"


def read_marks(ledger: Ledger, key: str) -> tuple[Document | None, Mapping[str, Any]]:
    """What was marked last, with its document; nothing where there is none, or it is not what Firebreak saved."""
    document = even_damaged(lambda: ledger.documents.read("sweep", key))
    body = dict(document.body) if document else {}
    seal = body.pop(_SEAL, None)
    ours = ledger.seal.check(_purpose(key), body, seal) is not Sealed.BROKEN
    return document, body if ours else {}


def save_marks(ledger: Ledger, key: str, document: Document | None, marks: Mapping[str, Any]) -> None:
    """Save over the version that was read; raises Conflict."""
    seal = {_SEAL: ledger.seal.sign(_purpose(key), marks)} if ledger.seal.keys else {}
    ledger.documents.commit([Save("sweep", key, {**marks, **seal}, over=document)])


def known_as(ledger: Ledger, target: Target, uid: str) -> Target:
    """The target under every spelling of its project by which the resource of that uid was read, this one included.

    Where SCC says only one of them, what is known under the other speaks of it too.
    """
    if not uid or (target.project_id and target.project_number):
        return target
    document, marks = read_marks(ledger, f"project of {uid}")
    known = frozenset(marks.get("spelled", ()))
    if not target.project_spellings <= known:
        with suppress(Conflict, NoKey):
            save_marks(ledger, f"project of {uid}", document, {"spelled": sorted(known | target.project_spellings)})
    number = next((one for one in known if one.isdigit()), None)
    id_ = next((one for one in known if not one.isdigit()), None)
    return replace(target, project_id=target.project_id or id_, project_number=target.project_number or number)


def _purpose(key: str) -> str:
    return f"marks of {key}"

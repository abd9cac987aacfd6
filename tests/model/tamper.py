"""What somebody does to the ledger who can write it and has no seal key: by texts alone, as they are stored."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from firebreak.ledger.documents import Index
from tests.model.documents import Row, Rows

KINDS = ("incident", "standing", "halt", "slots", "event", "finding")
_DUE_NOW = Index(due_ns=0)
_WORDS = (("phase", "containing"), ("phase", "verifying"), ("phase", "received"), ("policy", "shell-on-service"))
Place = tuple[str, str]


@dataclass
class Drawer:
    """Texts that were stored once, kept by somebody for later."""

    kept: dict[Place, list[Row]] = field(default_factory=dict)

    def copy(self) -> Drawer:
        """The same, apart."""
        return Drawer({place: list(rows) for place, rows in self.kept.items()})

    def keep(self, rows: Rows) -> None:
        """Keep what is stored now, where it is another than what was kept last."""
        for place, row in rows.by_place.items():
            known = self.kept.setdefault(place, [])
            if place[0] in KINDS and (not known or known[-1].text != row.text):
                known.append(row)


def put_back(rows: Rows, drawer: Drawer, place: Place, which: int) -> bool:
    """An old text in the place of the one that is there, or where there is none any more."""
    older = [one for one in drawer.kept.get(place, ()) if one.text != _text(rows, place)]
    if not older:
        return False
    row = older[which % len(older)]
    rows.put(*place, row.text, _DUE_NOW if place[0] == "incident" else row.index)
    return True


def delete(rows: Rows, place: Place) -> bool:
    """A record is deleted."""
    return rows.by_place.pop(place, None) is not None


def change_word(rows: Rows, place: Place, which: int) -> bool:
    """One word of a record is changed, under the seal and, where it also stands beside it, there too."""
    row = rows.by_place.get(place)
    if row is None:
        return False
    key, word = _WORDS[which % len(_WORDS)]
    body = json.loads(row.text)
    sealed = json.loads(body["sealed"]) if isinstance(body.get("sealed"), str) else None
    changed = [_set(one, key, word) for one in (body, sealed) if isinstance(one, dict)]
    if not any(changed):
        return False
    if sealed is not None:
        body["sealed"] = json.dumps(sealed, sort_keys=True, separators=(",", ":"))
    rows.put(*place, json.dumps(body), _DUE_NOW)
    return True


def forge_answer(rows: Rows, place: Place) -> bool:
    """A yes that nobody said is put beside the open question of an incident."""
    row = rows.by_place.get(place)
    body = json.loads(row.text) if row else {}
    sealed = json.loads(body["sealed"]) if isinstance(body.get("sealed"), str) else {}
    question = sealed.get("question")
    if not isinstance(question, dict):
        return False
    answer = {"by": "ada", "at_ns": question["asked_ns"], "digest": question["digest"]}
    answer |= {"cautions": question["cautions"], "shown": question["shown"]}
    sealed |= {"answer": answer, "phase": "containing"}
    body["sealed"] = json.dumps(sealed, sort_keys=True, separators=(",", ":"))
    rows.put(*place, json.dumps(body), _DUE_NOW)
    return True


def _set(value: dict[str, Any], key: str, word: str) -> bool:
    """Set the key wherever it stands; whether that changed anything."""
    changed = False
    for name, one in value.items():
        if name == key and isinstance(one, str) and one != word:
            value[name], changed = word, True
        elif isinstance(one, dict):
            changed = _set(one, key, word) or changed
    return changed


def _text(rows: Rows, place: Place) -> str:
    row = rows.by_place.get(place)
    return row.text if row else ""

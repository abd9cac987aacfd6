"""The body of a stored record: which format it is in, who may act on it, and its text under a seal.

    {"format": 3, "acts_from": 3, "counter": 7, "sealed": "<the record's JSON>", "seal": "<hex>"}

The seal is over that very text, over the numbers before it and over where it stands, so that nothing has to be
understood to verify it and no copy holds in another place. The counter is one higher with each save: an older body of
the same place, put back, is told by it. Beside these keys a body has what is not under the seal: `lease`, which changes
without anything having happened, and is taken by whoever works on the record, with the key or without; `unverified`,
what was saved over a record whose seal did not hold; `unsealed`, what stood beside what format 1 sealed; and any key of
a newer version.

Format 2 has no counter. Format 1 names no format: `{"incident": {...}, "seal": ...}` and `{"standing": {...}, "seal":
...}`, sealed over JSON that is made anew from what stands there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.core.serialization import Unreadable
from firebreak.core.signing import Seal, Sealed

FORMAT = 3
"""The format that this version writes."""
ACTS_FROM = 3
"""The oldest format whose versions may act on what this version writes."""
_COUNTED = 3
"""The first format with a counter; what was saved in an earlier one counts as saved at 0."""

_LEASE = ("owner", "lease_until_ns", "updated_ns")
_OURS = frozenset({"format", "acts_from", "counter", "sealed", "seal", "lease", "unverified", "incident", "standing"})
_FIRST = frozenset({"incident", "standing"})
"""The kinds that format 1 sealed; of any other the body itself is the record, which nobody sealed."""
_SEALED_INCIDENT = (
    "id",
    "finding.target",
    "plan",
    "done",
    "release",
    "question",
    "answer",
    "failed_actions",
    "unsupported",
    "operation",
)
"""What format 1 sealed of an incident, in this order."""
_SEALED_STANDING = frozenset(
    "target origin applied pending holds verified_ns changed_ns origin_changed_ns released_ns releasing releasing_ns"
    " place drift".split()
)
"""What format 1 knew of what stands, and sealed as a whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the store."""

    kind: str
    key: str

    @property
    def name(self) -> str:
        """By which other records know it: `halt` and `slots`, of which there is one, else kind and key."""
        return self.kind if self in (HALT, SLOTS) else f"{self.kind} {self.key}"

    def __str__(self) -> str:
        """For a sentence."""
        if self.kind == "standing":
            return f"the containment of {self.key}"
        return _TOLD.get(self.kind, f"{self.kind} {self.key}")


HALT = Place("halt", "halt")
SLOTS = Place("slots", "taken")
_TOLD = {"halt": "the halt", "slots": "the record of containments within the hour"}


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A body as it was read. `sealed`: what is known of its seal; `value` is the record's JSON, whatever that is."""

    value: dict[str, Any]
    sealed: Sealed
    format: int
    acts_from: int
    counter: int = 0

    @property
    def acts(self) -> bool:
        """Whether this version may act on it."""
        return self.acts_from <= FORMAT


def may_act(body: Mapping[str, Any]) -> bool:
    """Whether a body says that this version may act on it, even if nothing else in it can be read."""
    acts_from = body.get("acts_from", body.get("format"))
    return type(acts_from) is not int or acts_from <= FORMAT


def open_body(place: Place, body: Mapping[str, Any], seal: Seal) -> OpenedBody:
    """The record in a body, and what is known of its seal; raises Unreadable."""
    found = _number(body, "format", 1)
    acts_from = _number(body, "acts_from", found)
    counter = _number(body, "counter", 1) if found >= _COUNTED else 0
    if found == 1:
        value, sealed = _open_first(place, body, seal)
    else:
        value = _json(body.get("sealed"))
        about = _about(place, found, acts_from, counter)
        sealed = seal.check_text(about, str(body.get("sealed")), body.get("seal"))
    if sealed is Sealed.BROKEN and "unverified" in body:  # who has no key is shown what the seal is over
        value = _json(body["unverified"])
    lease = body.get("lease")
    if isinstance(lease, dict):
        value = {**value, **{key: one for key, one in lease.items() if key in _LEASE}}
    return OpenedBody(value, sealed, found, acts_from, counter)


def seal_body(
    place: Place, value: Mapping[str, Any], seal: Seal, before: Mapping[str, Any], counter: int
) -> dict[str, Any]:
    """The body to store, sealed with the first key, in place of `before`, which is empty where nothing stands there.

    What a newer version wrote in it stays, and so does its word on who may act. Raises NoKey.
    """
    text = _text({key: one for key, one in value.items() if key not in _LEASE})
    numbers = max(FORMAT, _number(before, "format", 1)), max(ACTS_FROM, _number(before, "acts_from", 1))
    return {
        **_beside(place, before),
        "format": numbers[0],
        "acts_from": numbers[1],
        "counter": counter,
        "sealed": text,
        "seal": seal.sign_text(_about(place, *numbers, counter), text),
        **_lease(value, before),
    }


def keep_unverified(value: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The body to store over one whose seal does not hold: what was sealed stays as it is, for whoever has the key."""
    text = _text({key: one for key, one in value.items() if key not in _LEASE})
    return {**before, "unverified": text, **_lease(value, before)}


def _lease(value: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    known = before.get("lease")
    lease = {**(known if isinstance(known, dict) else {}), **{key: value[key] for key in _LEASE if key in value}}
    return {"lease": lease} if lease else {}


def _about(place: Place, found: int, acts_from: int, counter: int) -> list[object]:
    """What is sealed beside the text."""
    return [place.kind, place.key, found, acts_from, *([counter] if found >= _COUNTED else [])]


def _open_first(place: Place, body: Mapping[str, Any], seal: Seal) -> tuple[dict[str, Any], Sealed]:
    """The record of a body in format 1; the seal is verified on the JSON as it is stored, without reading it."""
    if place.kind not in _FIRST:
        return dict(body), Sealed.BROKEN
    value = body.get(place.kind)
    if not isinstance(value, dict):
        message = f"there is no record of {place} in it"
        raise Unreadable(message)
    made = body.get("seal")
    if place.kind == "incident":
        parts = [_part(value, name) for name in _SEALED_INCIDENT]
        return value, seal.check("incident", parts, made) if value.get("id") == place.key else Sealed.BROKEN
    here = value.get("target") == place.key
    if here and seal.check("standing", value, made):
        return value, Sealed.HOLDS
    # Whatever else was put into it was never sealed, and is not believed.
    known = {key: one for key, one in value.items() if key in _SEALED_STANDING}
    return known, seal.check("standing", known, made) if here else Sealed.BROKEN


def _beside(place: Place, before: Mapping[str, Any]) -> dict[str, Any]:
    """What stood beside the record, and what format 1 had in it without sealing it: kept, and still not sealed."""
    if "format" not in before and place.kind not in _FIRST:
        return {}
    kept = {key: one for key, one in before.items() if key not in _OURS}
    value = before.get("standing")
    if place.kind == "standing" and isinstance(value, dict) and not value.keys() <= _SEALED_STANDING:
        kept["unsealed"] = {key: one for key, one in value.items() if key not in _SEALED_STANDING}
    return kept


def _part(value: dict[str, Any], path: str) -> object:
    found: object = value
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _number(body: Mapping[str, Any], name: str, otherwise: int) -> int:
    number = body.get(name, otherwise)
    if type(number) is not int or number < 1:
        message = f"its {name} is not a version number"
        raise Unreadable(message)
    return number


def _json(text: object) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        message = "its text is not a JSON object"
        raise Unreadable(message)
    return value


def _text(value: Mapping[str, Any]) -> str:
    """In the order of its keys, which is kept."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)

"""What the vault keeps of an incident: redacted copies, each under a seal, and a manifest that names every one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from firebreak.core.evidence.redacted_copy import copy_of, parse_if_json
from firebreak.core.serialization import Unreadable, decode, encode
from firebreak.core.signing import Seal, Sealed
from firebreak.core.storage_names import Stored

MANIFEST = "manifest"
_NAME = re.compile(r"(?P<stem>[a-z0-9][a-z0-9_]{0,70})(?:\.(?P<number>[1-9][0-9]{0,3}))?\.json")


@dataclass(frozen=True, slots=True)
class Entry(Stored):
    """One object of the vault, and the original that it is a redacted copy of.

    Attributes:
        name: file name within the incident's folder.
        sha256: of the stored copy, in hex.
        size: of the stored copy, in bytes.
        original_sha256: of the original, in hex, computed before anything was redacted.
        original_size: of the original, in bytes.
        original_of: what was hashed: the bytes as delivered, or the JSON with its keys in order.
        cut: how many values the copy leaves out because of their size alone.
    """

    name: str
    sha256: str
    size: int
    original_sha256: str
    original_size: int
    original_of: str
    cut: int


@dataclass(frozen=True, slots=True)
class Manifest(Stored):
    """Everything that the vault holds of one incident, and what it could not get. `whole` is the hash over all."""

    incident: str
    written: str
    objects: tuple[Entry, ...]
    gaps: tuple[str, ...]
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not as the manifest says."""

    name: str
    what: Literal["changed", "missing", "not in the manifest", "cannot be read"]


def name_of(stem: str, number: int) -> str:
    """The file of an object's version: the first has no number."""
    return f"{stem}.json" if number == 1 else f"{stem}.{number}.json"


def number_of(stem: str, name: str) -> int | None:
    """Which version of that object a file is, or None."""
    found = _NAME.fullmatch(name)
    return int(found["number"] or 1) if found and found["stem"] == stem else None


def sealed_copy(incident: str, stem: str, original: object, seal: Seal, whole: bytes | None = None) -> bytes:
    """The bytes to store of an original: the same for the same original, so that storing twice is storing once.

    An original that came as bytes is copied as the JSON or the text that it is; or `whole` says what it came as.
    """
    if isinstance(original, bytes):
        whole, original = original, parse_if_json(original.decode(errors="backslashreplace"))
    raw = whole is not None
    whole = _canonical(original) if whole is None else whole
    copy = copy_of(original)
    body = {
        "incident": incident,
        "object": stem,
        "original": {
            "sha256": digest(whole),
            "size": len(whole),
            "of": "the bytes as delivered" if raw else "its JSON, keys in order, no blanks",
        },
        "cut": copy.cut,
        "content": copy.content,
    }
    return _bytes(body | {"seal": seal.sign("evidence", body)})


def entry_of(name: str, data: bytes, incident: str, seal: Seal) -> Entry | None:
    """What the manifest says of a stored copy; None unless Firebreak made it, for this incident and this name."""
    body = _read_sealed(data, "evidence", seal)
    if body is None or body.get("incident") != incident or number_of(str(body.get("object")), name) is None:
        return None
    original = body["original"]
    about = (str(original["sha256"]), int(original["size"]), str(original["of"]))
    return Entry(name, digest(data), len(data), *about, cut=int(body["cut"]))


def manifest_entry(name: str, data: bytes, incident: str, seal: Seal) -> Entry | None:
    """What a manifest says of an earlier one; None unless Firebreak made that, for this incident."""
    if number_of(MANIFEST, name) is None or read_manifest(data, incident, seal) is None:
        return None
    return Entry(name, digest(data), len(data), digest(data), len(data), "a manifest", 0)


def sealed_manifest(manifest: Manifest, seal: Seal) -> bytes:
    """The bytes to store of a manifest, its objects in the order of their names."""
    ordered = replace(manifest, objects=tuple(sorted(manifest.objects, key=lambda one: one.name)))
    body = encode(replace(ordered, whole=whole_of(ordered.objects)))
    return _bytes(body | {"seal": seal.sign("manifest", body)})


def read_manifest(data: bytes, incident: str, seal: Seal) -> Manifest | None:
    """The manifest; None unless Firebreak made it, for this incident."""
    manifest, sealed = seen_manifest(data, incident, seal)
    return manifest if sealed else None


def seen_manifest(data: bytes, incident: str, seal: Seal) -> tuple[Manifest | None, Sealed]:
    """The manifest, None where this is none of this incident, and what is known of its seal."""
    body, made = _split_seal(data)
    sealed = seal.check("manifest", body, made)
    try:
        manifest = decode(Manifest, body)
    except Unreadable:
        return None, sealed
    return (manifest if manifest.incident == incident else None), sealed


def whole_of(objects: Iterable[Entry]) -> str:
    """One hash over all objects: of the lines that `sha256sum` prints for them."""
    lines = sorted(f"{one.sha256}  {one.name}\n" for one in objects)
    return digest("".join(lines).encode())


def compare(manifest: Manifest, own_name: str, present: Mapping[str, str]) -> tuple[Difference, ...]:
    """Every difference between a manifest and the hashes of the files that are there, the manifest itself left out."""
    stated = {one.name: one.sha256 for one in manifest.objects}
    missing = [Difference(name, "missing") for name in stated.keys() - present.keys()]
    changed = [Difference(name, "changed") for name in stated.keys() & present.keys() if stated[name] != present[name]]
    surplus = [Difference(name, "not in the manifest") for name in present.keys() - stated.keys() - {own_name}]
    return tuple(sorted((*missing, *changed, *surplus), key=lambda one: one.name))


def digest(data: bytes) -> str:
    """SHA-256 in hex digits."""
    return hashlib.sha256(data).hexdigest()


def _read_sealed(data: bytes, purpose: str, seal: Seal) -> dict[str, Any] | None:
    """The body without its seal, if the seal is whole."""
    body, made = _split_seal(data)
    return body if seal.check(purpose, body, made) else None


def _split_seal(data: bytes) -> tuple[dict[str, Any], object]:
    """The body and its seal; nothing and None where it is not an object of JSON."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}, None
    return (body, body.pop("seal", None)) if isinstance(body, dict) else ({}, None)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


def _bytes(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, allow_nan=False).encode() + b"\n"

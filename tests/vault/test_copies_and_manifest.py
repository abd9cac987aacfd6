"""Redacted copies, their seals, and a manifest that finds every change."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.evidence.manifest import (
    Difference,
    Manifest,
    compare,
    digest,
    entry_of,
    manifest_entry,
    read_manifest,
    sealed_copy,
    sealed_manifest,
    seen_manifest,
)
from firebreak.core.evidence.redacted_copy import copy_of, parse_if_json, redact
from firebreak.core.signing import Seal, Sealed
from tests.faults.secrets_planted import CONTROLS, SECRETS, TAINT, TELLTALES

SEAL, OTHER = Seal((b"key",)), Seal((b"another",))
ID = "fb-1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = {f"{stem}.json": sealed_copy(ID, stem, {"of": stem}, SEAL) for stem in ("service", "logs", "message")}
ENTRIES = tuple(entry for name, data in OBJECTS.items() if (entry := entry_of(name, data, ID, SEAL)))
MANIFEST = sealed_manifest(Manifest(ID, "2026-10-01T10:00:00Z", ENTRIES, ("logs: none",)), SEAL)


@given(JSON)
def test_a_copy_is_the_same_for_the_same_original_and_says_what_it_is_a_copy_of(original: Any) -> None:
    """So that storing it twice is storing it once; whatever it is, it is JSON again."""
    made = sealed_copy(ID, "service", original, SEAL)
    entry = entry_of("service.json", made, ID, SEAL)

    assert made == sealed_copy(ID, "service", original, SEAL)
    assert entry is not None
    assert entry.sha256 == hashlib.sha256(made).hexdigest()
    assert json.loads(made)["object"] == "service"


def test_the_hash_of_the_original_is_taken_before_anything_is_redacted() -> None:
    """Whoever has the original can show that it is the one."""
    raw = json.dumps({"password": "Hun7er2"}).encode()
    made = sealed_copy(ID, "message", raw, SEAL)
    entry = entry_of("message.json", made, ID, SEAL)

    assert entry is not None
    assert entry.original_sha256 == hashlib.sha256(raw).hexdigest()
    assert b"Hun7er2" not in made


@given(st.sampled_from(sorted(OBJECTS)), st.integers(0, 10_000), st.integers(1, 255))
def test_every_single_changed_byte_of_an_object_is_found(name: str, at: int, change: int) -> None:
    """Wherever it is, and whatever it is changed to."""
    data = bytearray(OBJECTS[name])
    data[at % len(data)] ^= change
    present = {one: digest(kept) for one, kept in OBJECTS.items()} | {name: digest(bytes(data))}
    manifest = read_manifest(MANIFEST, ID, SEAL)
    assert manifest is not None

    assert compare(manifest, "manifest.json", present) == (Difference(name, "changed"),)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_every_single_changed_byte_of_a_manifest_is_found(at: int, change: int) -> None:
    """By its hash on the record in any case; and by its seal where the change means anything."""
    data = bytearray(MANIFEST)
    data[at % len(data)] ^= change
    read = read_manifest(bytes(data), ID, SEAL)

    assert digest(bytes(data)) != digest(MANIFEST)
    assert read in (None, read_manifest(MANIFEST, ID, SEAL))


def test_missing_and_surplus_objects_are_found() -> None:
    """The manifest itself is neither."""
    manifest = read_manifest(MANIFEST, ID, SEAL)
    assert manifest is not None
    present = {one: digest(kept) for one, kept in OBJECTS.items() if one != "logs.json"}

    assert compare(manifest, "manifest.json", present | {"manifest.json": "x", "more.json": "y"}) == (
        Difference("logs.json", "missing"),
        Difference("more.json", "not in the manifest"),
    )


def test_the_hash_over_all_is_what_sha256sum_would_give() -> None:
    """So that it can be checked without Firebreak."""
    manifest = read_manifest(MANIFEST, ID, SEAL)
    lines = "".join(f"{digest(OBJECTS[name])}  {name}\n" for name in OBJECTS)

    assert manifest is not None
    assert manifest.whole == hashlib.sha256("".join(sorted(lines.splitlines(keepends=True))).encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "data", "incident", "seal"),
    [
        ("service.json", OBJECTS["service.json"], "fb-2", SEAL),
        ("logs.json", OBJECTS["service.json"], ID, SEAL),
        ("service.json", OBJECTS["service.json"], ID, OTHER),
        ("service.json", b"{}", ID, SEAL),
        ("service.json", b"not JSON", ID, SEAL),
        ("service.json", b'{"seal": 1, "object": "service", "incident": "fb-1"}', ID, SEAL),
        ("../service.json", OBJECTS["service.json"], ID, SEAL),
    ],
)
def test_what_firebreak_did_not_make_for_this_place_is_no_entry(
    name: str, data: bytes, incident: str, seal: Seal
) -> None:
    """Neither another incident's, nor under another name, nor with another key."""
    assert entry_of(name, data, incident, seal) is None
    assert manifest_entry(name, data, incident, seal) is None


def test_a_manifest_of_another_incident_or_key_is_not_believed() -> None:
    """It could name what one likes."""
    assert read_manifest(MANIFEST, "fb-2", SEAL) is None
    assert read_manifest(MANIFEST, ID, OTHER) is None
    assert read_manifest(OBJECTS["logs.json"], ID, SEAL) is None


@pytest.mark.parametrize(
    ("seal", "known"), [(SEAL, Sealed.HOLDS), (OTHER, Sealed.BROKEN), (Seal(()), Sealed.UNVERIFIED)]
)
def test_a_manifest_is_looked_at_whoever_sealed_it_and_only_believed_under_its_own_key(
    seal: Seal, known: Sealed
) -> None:
    """So that hashes can be compared by who has no key."""
    manifest, sealed = seen_manifest(MANIFEST, ID, seal)

    assert sealed is known
    assert manifest is not None
    assert manifest.objects == tuple(sorted(ENTRIES, key=lambda one: one.name))
    assert read_manifest(MANIFEST, ID, seal) == (manifest if known is Sealed.HOLDS else None)


@pytest.mark.parametrize("data", [b"not JSON", b"[]", b"{}", MANIFEST.replace(b'"objects"', b'"things"')])
def test_what_is_no_manifest_is_none_without_a_key_too(data: bytes) -> None:
    """It is not read for one."""
    assert seen_manifest(data, ID, Seal(()))[0] is None


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_is_in_a_copy_wherever_it_stands(kind: str) -> None:
    """In texts, keys, lists, text that is JSON, and what is named like a secret though it looks like none."""
    secret = SECRETS[kind]
    original = {"a": [secret, {"b": f"x {secret} y", f"k {secret}": 1}], "c": parse_if_json(json.dumps({"d": secret}))}
    told = json.dumps(redact(original), ensure_ascii=False)

    assert [one for one in TELLTALES if one in told] == []


@pytest.mark.parametrize(
    "original",
    [
        {"env": [{"name": "MODE", "value": "Hun7er2"}]},
        {"template": {"containers": [{"env": [{"name": "A", "value": "Hun7er2"}]}]}},
        {"processes": [{"envVariables": [{"name": "A", "val": "Hun7er2"}]}]},
        {"password": "Hun7er2"},
        {"db_password": "Hun7er2"},
        {"dbPassword": "Hun7er2"},
        {"accessToken": "Hun7er2"},
        {"API-KEY": "Hun7er2"},
        {"tokens": ["Hun7er2", ["Hun7er2"]]},
        {"secret": 7_777_777},
    ],
)
def test_what_is_named_a_secret_is_one_whatever_it_looks_like(original: Any) -> None:
    """Names of variables stay, for whoever has to rotate what was in them."""
    told = json.dumps(redact(original))

    assert "Hun7er2" not in told
    assert "7777777" not in told


def test_what_is_no_secret_is_kept_whole() -> None:
    """Numbers, names, identifiers, long texts."""
    original = {"name": "checkout", "traffic": [{"percent": 100}], "text": "word " * 10_000, "n": None, "b": True}

    assert copy_of(original).content == original
    assert copy_of(original).cut == 0


def test_what_is_too_large_is_cut_and_counted() -> None:
    """Nothing is left out in silence, and work is bounded."""
    original = {"texts": ["word " * 60_000] * 4}
    copy = copy_of(original)

    assert sum(map(len, copy.content["texts"])) < 500_000
    assert copy.cut > 600_000
    assert copy_of(_nested(100)).cut == 1


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def test_keys_that_become_the_same_stay_apart() -> None:
    """Redaction must not make one field swallow another."""
    assert len(redact({SECRETS["GitHub token"]: 1, SECRETS["GitHub fine-grained token"]: 2})) == 2


def test_controls_are_visible_in_copies() -> None:
    """Whoever opens a file of the vault in a terminal is safe too."""
    told = sealed_copy(ID, "message", f"{CONTROLS} {TAINT}".encode(), SEAL)

    assert all(32 <= byte < 127 or byte == 10 for byte in told)


def test_a_manifest_with_other_objects_is_another_manifest() -> None:
    """What it names is under its seal."""
    fewer = sealed_manifest(Manifest(ID, "2026-10-01T10:00:00Z", ENTRIES[:1], ()), SEAL)
    forged = json.loads(MANIFEST) | {"objects": json.loads(fewer)["objects"]}

    assert read_manifest(json.dumps(forged).encode(), ID, SEAL) is None
    assert replace(ENTRIES[0], cut=1) != ENTRIES[0]

"""Storage: what a reader does not know comes back as it was, whichever version reads and writes in between."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.incidents.incident import Incident
from firebreak.core.serialization import decode, encode
from firebreak.core.signing import Seal, Sealed
from firebreak.core.storage_names import NAMES, Names, Stored, names_of
from firebreak.core.stored_body import ACTS_FROM, FORMAT, Place, open_body, seal_body
from tests.ledger.earlier import VERSIONS, scene
from tests.ledger.make_fixtures import RECIPES

KINDS = {"incident": Incident, "standing": Standing}
SEAL = Seal((b"key",))
PLACE = Place("standing", "a/b/service/c")
RECORDS: list[tuple[str, dict[str, Any]]] = [
    (row["kind"], json.loads(row["body"])[row["kind"]])
    for name in RECIPES
    for row in scene(VERSIONS[0], name)["documents"]
    if row["kind"] in KINDS
]
keys = st.text("abcdefghij_", min_size=1, max_size=12).map(lambda text: f"x_{text}")
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)


def sealed(value: object, body: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    return seal_body(PLACE, encode(value), SEAL, body, 7)


def class_of(where: str) -> type:
    module, _, name = where.partition(":")
    kind: type = getattr(importlib.import_module(module), name)
    return kind


def stored_values(value: object) -> list[dict[str, Any]]:
    """Of a record's JSON every object that a stored dataclass stands for, told by its decoded twin."""
    found: list[dict[str, Any]] = []

    def walk(one: Any, twin: object) -> None:
        if dataclasses.is_dataclass(twin) and not isinstance(twin, type):
            found.append(one)
            for name, stored in names_of(type(twin)).parts.items():
                if stored in one:
                    walk(one[stored], getattr(twin, name))
        elif isinstance(twin, tuple):
            for inner, its in zip(one, twin, strict=True):
                walk(inner, its)

    walk(value, decode(KINDS["incident" if isinstance(value, dict) and "phase" in value else "standing"], value))
    return found


def without(where: str, field: str) -> Mapping[str, Names]:
    """The table of a version that does not have this field yet."""
    known = NAMES[where]
    parts = MappingProxyType({name: stored for name, stored in known.parts.items() if name != field})
    return MappingProxyType({**NAMES, where: Names(known.name, parts, known.later - {field})})


OPTIONAL = [
    (where, one.name)
    for where in NAMES
    if dataclasses.is_dataclass(kind := class_of(where)) and issubclass(kind, Stored)
    for one in dataclasses.fields(kind)
    if one.name in NAMES[where].parts
    and (one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING)
]


@given(data=st.data())
def test_what_an_older_reader_does_not_know_is_lost_on_no_way(data: st.DataObject) -> None:
    """Keys of its own version's future, at any depth, and fields that it lacks."""
    kind, record = data.draw(st.sampled_from(RECORDS))
    record = json.loads(json.dumps(record))
    for one in stored_values(record):
        if data.draw(st.integers(0, 3)) == 0:
            one.update(data.draw(st.dictionaries(keys, values, max_size=2)))
    names = without(*data.draw(st.sampled_from(OPTIONAL)))
    read: Any = decode(KINDS[kind], record, names)
    back = encode(dataclasses.replace(read), names)

    assert json.loads(json.dumps(back)) == record
    assert encode(decode(KINDS[kind], back)) == back


@given(key=keys | st.sampled_from(["unknown_keys"]), value=values)
def test_an_unknown_key_never_takes_the_place_of_a_known_one(key: str, value: Any) -> None:
    standing = Standing("a", unknown_keys={key: value, "target": "elsewhere"})

    assert encode(standing)["target"] == "a"
    assert encode(standing)[key] == value
    assert standing == Standing("a")
    assert decode(Standing, encode(standing)).unknown_keys == {key: value}


@given(record=st.sampled_from(RECORDS))
def test_of_a_record_without_unknown_keys_nothing_is_encoded_but_what_was_stored(
    record: tuple[str, dict[str, Any]],
) -> None:
    assert encode(decode(KINDS[record[0]], record[1])) == record[1]


@pytest.mark.parametrize(
    "field", [name for where, name in OPTIONAL if where == "firebreak.core.containment.active_containment:Standing"]
)
def test_one_more_field_with_a_default_breaks_no_seal(field: str) -> None:
    """What a version without the field sealed is whole for one that has it."""
    before = encode(Standing(PLACE.key), without("firebreak.core.containment.active_containment:Standing", field))
    body = seal_body(PLACE, before, SEAL, {}, 7)
    opened = open_body(PLACE, body, SEAL)

    assert field not in opened.value
    assert opened.sealed
    assert decode(Standing, opened.value) == Standing(PLACE.key)


@given(key=keys, value=values, number=st.integers(FORMAT + 1, 9), acts_from=st.integers(1, ACTS_FROM))
def test_an_older_writer_keeps_a_newer_body_s_keys_and_does_not_lower_its_versions(
    key: str, value: Any, number: int, acts_from: int
) -> None:
    newer = {**sealed(Standing(PLACE.key)), key: value, "format": number, "acts_from": acts_from}
    saved = sealed(Standing(PLACE.key, drift="x"), newer)

    assert saved[key] == value
    assert (saved["format"], saved["acts_from"]) == (number, ACTS_FROM)
    assert open_body(PLACE, saved, SEAL).sealed


@pytest.mark.parametrize(
    "change",
    [{"format": 4}, {"acts_from": 1}, {"counter": 8}, {"sealed": "{}"}, {"seal": "0" * 64}, {"seal": None}],
)
def test_a_body_holds_only_as_it_was_sealed(change: dict[str, Any]) -> None:
    """Its versions and its counter as well: else who has no key could have an older version act, or put it back."""
    body = {**sealed(Standing(PLACE.key)), **change}

    assert not open_body(PLACE, body, SEAL).sealed


def test_a_body_holds_only_in_its_own_place() -> None:
    assert open_body(PLACE, sealed(Standing(PLACE.key)), SEAL).sealed
    assert not open_body(Place("standing", "another"), sealed(Standing(PLACE.key)), SEAL).sealed
    assert not open_body(Place("halt", PLACE.key), sealed(Standing(PLACE.key)), SEAL).sealed


def test_a_kind_that_was_not_sealed_before_is_read_as_unsealed_and_sealed_by_the_next_save() -> None:
    """What it was is not left lying beside what was sealed."""
    place, before = Place("slots", "all"), {"slots": {"fb-1": 1}}
    opened = open_body(place, before, SEAL)
    saved = seal_body(place, {"slots": {"fb-2": 2}}, SEAL, {}, 1)

    assert (opened.value, opened.sealed, opened.format, opened.counter) == (before, Sealed.BROKEN, 1, 0)
    assert saved.keys() == {"format", "acts_from", "counter", "sealed", "seal"}
    assert open_body(place, saved, SEAL).value == {"slots": {"fb-2": 2}}
    assert open_body(place, saved, SEAL).sealed


@pytest.mark.parametrize("where", NAMES)
def test_every_field_and_member_has_one_stored_name(where: str) -> None:
    """And nothing that does not exist has one."""
    kind, parts = class_of(where), NAMES[where].parts
    own = (
        {one.name for one in dataclasses.fields(kind) if one.metadata.get("saved", True)}
        if dataclasses.is_dataclass(kind)
        else {one.name for one in kind}  # type: ignore[attr-defined]  # an enum
    )

    assert parts.keys() == own
    assert len(set(parts.values())) == len(parts)


def test_no_two_types_have_one_stored_name() -> None:
    assert len({one.name for one in NAMES.values()}) == len(NAMES)


def test_what_has_no_names_cannot_be_saved_and_is_named() -> None:
    with pytest.raises(TypeError, match=r"core\.stored_body\.Place has no names"):
        encode(PLACE)


def test_a_hold_that_is_taken_again_and_a_standing_that_ends_keep_what_they_do_not_know() -> None:
    taken = Hold("fb-1", (), frozenset(), 1, unknown_keys={"later": 1})
    standing = Standing("a", holds=(taken,), unknown_keys={"later": 2})
    again = standing.with_hold(Hold("fb-1", (), frozenset({"bad"}), 2))

    assert again.holds[0].unknown_keys == {"later": 1}
    assert again.holds[0].suspects == {"bad"}
    assert again.with_finished_release("fb-1").unknown_keys == {"later": 2}


def test_a_field_that_is_renamed_in_python_is_stored_as_before() -> None:
    """One line of the table."""
    known = NAMES["firebreak.core.containment.active_containment:Standing"]
    renamed = MappingProxyType({**known.parts, "drift": "difference"})
    names = {**NAMES, "firebreak.core.containment.active_containment:Standing": Names(known.name, renamed)}
    body = encode(Standing("a", drift="x"), names)

    assert body["difference"] == "x"
    assert decode(Standing, body, names).drift == "x"

"""The way back from the command line: key by key, what is given up, and what is agreed to before it is written."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from firebreak.core.incidents.incident import Incident
from tests.cli.commands import Terminal, Told
from tests.cli.test_answers import at_work
from tests.response.harness import BAD, Line, Lines, world_of
from tests.response.releases import PIN, PUBLIC, REVOKE, SPLIT, is_public, policy, serving
from tests.response.test_release_beside_other_holds import HALVES, two_pins


@pytest.fixture
def half(line: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Line, Incident]]:
    """Contained on two surfaces, of which the organization lets nobody restore one."""
    with at_work(line, monkeypatch, policy=policy(PIN, REVOKE)) as on:
        incident = on.respond(on.finding())
        on.world.admits_public_members = False
        yield on, incident


@pytest.fixture
def pair(line: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Line, Incident]]:
    """The first of two incidents; its release has to write what neither was there before nor is there now."""
    with at_work(line, monkeypatch, world_of(traffic=HALVES), policy=policy(PIN)) as on:
        yield on, two_pins(on)[0]


def test_a_release_says_of_each_setting_what_became_of_it_and_what_to_type_next(
    firebreak: Told, half: tuple[Line, Incident]
) -> None:
    on, incident = half
    told = firebreak("incident", "release", incident.id)

    assert told.code == 1
    assert f"  ↩ {SPLIT}: restored to LATEST=100\n" in told.out
    assert f"  ! {PUBLIC}: refused, still (not set): " in told.out
    assert f"  again firebreak incident release {incident.id}\n" in told.out
    assert f"  leave firebreak incident release {incident.id} --leave {shlex.quote(PUBLIC)}\n" in told.out
    assert serving(on) == {BAD: 100}


def test_a_release_said_again_tries_only_what_was_refused(firebreak: Told, half: tuple[Line, Incident]) -> None:
    on, incident = half
    firebreak("incident", "release", incident.id)
    updates = len(on.updates)
    on.world.admits_public_members = True
    told = firebreak("incident", "release", incident.id)

    assert told.code == 0, told.err
    assert is_public(on)
    assert len(on.updates) == updates
    assert on.read(incident).phase == "released"


def test_a_setting_that_is_left_is_given_up_and_stays(firebreak: Told, half: tuple[Line, Incident]) -> None:
    on, incident = half
    firebreak("incident", "release", incident.id)
    told = firebreak("incident", "release", incident.id, "--leave", PUBLIC, "--by", "ada")

    assert told.code == 0, told.err
    assert f"  = {PUBLIC}: given up by ada, it stays (not set)\n" in told.out
    assert not is_public(on)
    assert on.read(incident).phase == "released"


def test_a_setting_can_be_left_from_the_first(firebreak: Told, half: tuple[Line, Incident]) -> None:
    """Also as chat shows it, with what nobody sees between its characters."""
    on, incident = half
    from_chat = PUBLIC.replace("_", "_\u2060")
    told = firebreak("incident", "release", incident.id, "--leave", from_chat)

    assert told.code == 0, told.err
    assert serving(on) == {BAD: 100}


def test_a_setting_that_is_not_held_is_told_with_those_that_are(firebreak: Told, half: tuple[Line, Incident]) -> None:
    on, incident = half
    told = firebreak("incident", "release", incident.id, "--leave", "service.ingres", PUBLIC)

    assert told.code == 1
    assert f"holds no setting service.ingres; it holds {SPLIT}, {PUBLIC}" in told.err
    assert on.read(incident).phase == "contained"
    assert on.read(incident).release is None


def test_after_a_part_was_restored_only_the_rest_can_be_left(firebreak: Told, half: tuple[Line, Incident]) -> None:
    _, incident = half
    firebreak("incident", "release", incident.id)
    told = firebreak("incident", "release", incident.id, "--leave", SPLIT)

    assert told.code == 1
    assert f"holds no setting {SPLIT}; it holds {PUBLIC}" in told.err


def test_what_else_a_release_would_write_is_shown_with_the_words_to_agree(
    firebreak: Told, pair: tuple[Line, Incident]
) -> None:
    on, incident = pair
    before = len(on.updates)
    told = firebreak("incident", "release", incident.id)
    digest = on.read(incident).release.digest  # type: ignore[union-attr]

    assert told.code == 1
    assert f"{SPLIT}: to be restored, checkout-00006-old=100 → " in told.out
    assert f"say firebreak incident release {incident.id} --digest {digest[:12]}" in told.err
    assert len(on.updates) == before
    assert firebreak("incident", "release", incident.id, "--digest", digest[:12]).code == 0
    assert on.read(incident).phase == "released"


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("no\n", 1), ("", 1)])
def test_on_a_terminal_it_asks(
    firebreak: Told, pair: tuple[Line, Incident], monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    on, incident = pair
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    told = firebreak("incident", "release", incident.id)

    assert told.code == code, told.err
    assert "Write this (" in told.err
    assert on.read(incident).phase == ("contained" if code else "released")


def test_a_yes_on_the_command_line_agrees_to_it(firebreak: Told, pair: tuple[Line, Incident]) -> None:
    on, incident = pair
    told = firebreak("incident", "release", incident.id, "--yes", "--json")

    assert told.code == 0
    assert told.json["incident"]["phase"] == "released"
    assert on.read(incident).phase == "released"


def test_for_programs_what_is_to_be_agreed_is_on_the_record(firebreak: Told, pair: tuple[Line, Incident]) -> None:
    _, incident = pair
    told = firebreak("incident", "release", incident.id, "--json")
    release = told.json["incident"]["release"]

    assert told.code == 1
    assert len(release["digest"]) == 64
    assert [(one["key"], one["result"]) for one in release["keys"]] == [(SPLIT, "due")]


def test_an_older_digest_agrees_to_nothing(firebreak: Told, pair: tuple[Line, Incident]) -> None:
    on, incident = pair
    before = len(on.updates)
    told = firebreak("incident", "release", incident.id, "--digest", "0" * 12)

    assert told.code == 1
    assert len(on.updates) == before
    assert firebreak("incident", "show", incident.id).out.count("not agreed to yet") == 1

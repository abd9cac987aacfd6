"""What stands and is not believed is given up by a person who has restored it by hand; over the wire."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.response.answers import agreed, cautions, phase
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.releases import PIN, PUBLIC, REVOKE, SPLIT, contained, is_public, policy, results, serving, writes
from tests.response.test_set_aside import (
    HERE,
    Spoil,
    damaged,
    of_a_newer_version,
    of_a_version_far_ahead,
    of_wrong_type,
    text_in_file,
    with_broken_seal,
)

pytestmark = pytest.mark.thorough


def deleted(on: Line, kind: str, key: str) -> None:
    """As it was told to be done once; by now that is one more way of spoiling it."""
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        file.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))


@pytest.mark.parametrize("spoil", [damaged, of_wrong_type, with_broken_seal, deleted])
def test_what_is_not_believed_is_given_up_whole_and_findings_there_are_answered_again(
    line: Lines, spoil: Spoil
) -> None:
    """Nothing is written; what is found there within a day is asked about, as after every release."""
    with line(policy=ALWAYS) as on:
        first = contained(on, minutes_ago=5)
        spoil(on, "standing", HERE)
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        before = len(writes(on))
        refused = on.release(first)
        answered = on.release(first, leave="all")
        between = len(writes(on))
        second = on.respond(on.finding(finding_id="second"))
        asked = cautions(on, second)
        agreed(on, second)
        closed = serving(on)
        on.release(second)

        assert not refused.done
        assert answered.done, answered.says
        assert between == before
        assert phase(on, first) == "released"
        assert asked == {"released"}
        assert closed == {GOOD: 100}
        assert serving(on) == {BAD: 100}


def test_it_is_given_up_from_the_incident_that_asks_there_too(line: Lines) -> None:
    """Which holds nothing itself; its question is put anew without what is not known."""
    with line(policy=ALWAYS) as on:
        contained(on, minutes_ago=5)
        with_broken_seal(on, "standing", HERE)
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        second = on.respond(on.finding(finding_id="second"))
        unknown = cautions(on, second)
        answered = on.release(second, leave="all")
        agreed(on, second)

        assert "seal" in unknown
        assert answered.done, answered.says
        assert phase(on, second) == "contained"
        assert serving(on) == {GOOD: 100}


@pytest.mark.parametrize("spoil", [of_a_newer_version, of_a_version_far_ahead])
def test_what_a_newer_version_says_is_given_up_by_no_older_one(line: Lines, spoil: Spoil) -> None:
    with line(policy=ALWAYS) as on:
        incident = contained(on)
        spoil(on, "standing", HERE)
        before = text_in_file(on, "standing", HERE)
        answered = on.release(incident, leave="all")

        assert not answered.done
        assert text_in_file(on, "standing", HERE) == before


def test_what_is_believed_can_be_given_up_whole_too(line: Lines) -> None:
    """The containment stays as it is, and is nobody's."""
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        before = len(writes(on))
        answered = on.release(incident, leave="all")

        assert answered.done, answered.says
        assert len(writes(on)) == before
        assert results(on, incident) == {SPLIT: "given up", PUBLIC: "given up"}
        assert (serving(on), is_public(on)) == ({GOOD: 100}, False)
        assert not on.app.ledger.standing_at(HERE)[0].holds

"""The index is under no seal: what somebody without the key takes out of it is found again, and told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.response.answers import phase
from tests.response.deployments import deployed
from tests.response.harness import ALWAYS, GOOD, OLD, Line, Lines
from tests.response.test_disputed_refuge import BOTH, asked_about, serves, tagged

HOUR = 3601.0
FAR_NS = 4_102_444_800_000_000_000


def tampered(on: Line, statement: str, *given: object) -> None:
    """Somebody who can write the ledger, and has no key."""
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        file.execute(statement, given)


def not_due(on: Line) -> None:
    tampered(on, "UPDATE documents SET due_ns = NULL WHERE kind = 'incident'")


def due_in_2100(on: Line) -> None:
    tampered(on, "UPDATE documents SET due_ns = ? WHERE kind = 'incident'", FAR_NS)


def leased_until_2100(on: Line) -> None:
    """A lease is under no seal either: who works on a record may have no key."""
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        for key, text in file.execute("SELECT key, body FROM documents WHERE kind = 'incident'").fetchall():
            lease = {"owner": "nobody", "lease_until_ns": FAR_NS, "updated_ns": FAR_NS}
            body = json.dumps({**json.loads(text), "lease": lease})
            file.execute("UPDATE documents SET body = ?, due_ns = ? WHERE key = ?", (body, FAR_NS, key))


@pytest.mark.parametrize("hide", [not_due, due_in_2100, leased_until_2100])
def test_an_incident_that_is_hidden_from_the_sweep_has_its_turn_within_the_hour(
    line: Lines, hide: Callable[[Line], None]
) -> None:
    with line(policy=ALWAYS) as on:
        on.sweep()
        on.command("halt", reason="a drill")
        incident = on.respond(on.finding())
        on.resume()
        hide(on)
        on.wait(HOUR)
        found = on.sweep().done.get("records found again")
        on.wait(300)
        on.sweep()

        assert incident.phase == "deferred"
        assert phase(on, incident) == "waiting", "it is stale by then"
        assert found == 1
        assert any(incident.id in one["message"] for one in on.logged if one["severity"] == "ERROR")


def test_what_an_incident_has_against_a_refuge_is_not_hidden_for_more_than_an_hour(line: Lines) -> None:
    with line(tagged()) as on:
        deployed(on, *BOTH)
        on.sweep()
        on.close(asked_about(on), "true_positive")
        tampered(on, "UPDATE documents SET subject = '' WHERE kind = 'incident'")
        on.wait(HOUR)
        found = on.sweep().done["records found again"]
        incident = on.respond(on.finding(minutes_ago=-60))

        assert found == 1
        assert incident.phase == "contained"
        assert serves(on) == {OLD}


@pytest.mark.parametrize("hide", ["DELETE FROM documents WHERE kind = 'look'", "UPDATE documents SET due_ns = NULL"])
def test_what_stands_is_looked_at_again_though_the_sweep_s_own_note_of_it_is_gone(line: Lines, hide: str) -> None:
    with line(policy=ALWAYS) as on:
        on.sweep()
        incident = on.respond(on.finding())
        tampered(on, f"{hide}{' WHERE 1' if 'WHERE' not in hide else ''}")
        on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        on.wait(HOUR)
        on.sweep()
        on.wait(300)
        on.sweep()

        assert phase(on, incident) == "waiting"
        assert on.read(incident).reopened


def test_an_index_as_it_was_saved_hides_nothing(line: Lines) -> None:
    """Whatever became of the incidents: a false alarm would be one every hour."""
    with line(policy=ALWAYS) as on:
        on.sweep()
        contained = on.respond(on.finding())
        on.respond(on.finding(finding_id="unheld", held=False))
        on.wait(HOUR)
        first = on.sweep().done
        on.release(contained)
        on.wait(HOUR)
        second = on.sweep().done

        assert "records found again" not in {**first, **second}
        assert GOOD not in on.reachable

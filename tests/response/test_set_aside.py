"""Records that are not acted on: unreadable, changed by a stranger, or a newer version's. They stay as they are."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.containment.active_containment import Standing
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.command import Command
from firebreak.core.incidents.incident import Incident
from firebreak.core.serialization import encode
from firebreak.core.signing import Seal, Sealed
from firebreak.core.stored_body import FORMAT, Place, seal_body
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Index, even_damaged
from firebreak.ledger.records import NotActedOn, incident_json
from firebreak.response import pipeline
from firebreak.response.sweep import Swept
from sandbox.scc.notifications import notification_v2
from tests.response.harness import ALWAYS, BAD, PIN_ONLY, Line, Lines

pytestmark = pytest.mark.thorough

HERE = "shop-prod/europe-west1/service/checkout"
APPROVE = ALWAYS.replace("mode: enforce", "mode: approve").replace("expect: {mode: enforce}", "expect: {mode: approve}")
Spoil = Callable[[Line, str, str], None]


def body_of(on: Line, kind: str, key: str) -> dict[str, Any]:
    document = on.app.ledger.documents.read(kind, key)
    assert document is not None
    return dict(document.body)


def saved(on: Line, kind: str, key: str, body: Mapping[str, Any]) -> None:
    document = on.app.ledger.documents.read(kind, key)
    assert document is not None
    on.app.ledger.documents.replace(document, body, Index(due_ns=0))


def text_in_file(on: Line, kind: str, key: str) -> str:
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file:
        found = file.execute("SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key)).fetchone()
    return str(found[0])


def damaged(on: Line, kind: str, key: str) -> None:
    """A disk, or an editor that stopped half way."""
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        file.execute(
            "UPDATE documents SET body = substr(body, 1, 40), due_ns = 0 WHERE kind = ? AND key = ?", (kind, key)
        )


def cut_off(on: Line, kind: str, key: str) -> None:
    """Somebody who saves a half of it: whoever saves makes another version."""
    damaged(on, kind, key)
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        file.execute("UPDATE documents SET version = 'theirs' WHERE kind = ? AND key = ?", (kind, key))


def of_wrong_type(on: Line, kind: str, key: str) -> None:
    """Sealed by somebody with the key, and still not what this version can read."""
    ours = body_of(on, kind, key)
    value = {**json.loads(ours["sealed"]), "holds": "none", "phase": 7}
    saved(on, kind, key, seal_body(Place(kind, key), value, on.app.ledger.seal, {}, ours["counter"]))


def with_broken_seal(on: Line, kind: str, key: str) -> None:
    saved(on, kind, key, {**body_of(on, kind, key), "seal": "0" * 64})


def of_a_newer_version(on: Line, kind: str, key: str) -> None:
    """With words, keys and types that this version does not know."""
    ours = body_of(on, kind, key)
    value = {**json.loads(ours["sealed"]), "phase": "deferred", "drift": {"since": 1}, "owner": "", "later": [1]}
    before = {**ours, "format": FORMAT + 1, "acts_from": FORMAT + 1, "stamp": 7}
    saved(on, kind, key, seal_body(Place(kind, key), value, on.app.ledger.seal, before, ours["counter"]))


def of_a_version_far_ahead(on: Line, kind: str, key: str) -> None:
    """Of which nothing but the versions can be read."""
    saved(on, kind, key, {"format": 99, "acts_from": 98, "blob": "x"})


UNREADABLE = (damaged, of_wrong_type)
NOT_BELIEVED = (*UNREADABLE, with_broken_seal, of_a_newer_version, of_a_version_far_ahead)


def sweep(on: Line, after: int = 60) -> Swept:
    on.skipped_ns += after * NANOS
    return pipeline.sweep(on.app)


def errors(on: Line) -> list[str]:
    return [str(one["message"]) for one in on.logged if one["severity"] == "ERROR" and "announcement" not in one]


@pytest.mark.parametrize("spoil", NOT_BELIEVED)
def test_where_what_stands_is_not_believed_the_next_finding_asks_and_an_approval_is_refused(
    line: Lines, spoil: Spoil
) -> None:
    """The record stays as it is, word for word; the question stays until it is cleared, and can be approved then."""
    with line(policy=ALWAYS) as on:
        on.respond(on.finding(finding_id="first"))
        spoil(on, "standing", HERE)
        before = text_in_file(on, "standing", HERE)
        writes = len(on.updates)
        asked = on.respond(on.finding(finding_id="second", image=7, minutes_ago=-0.5))
        answered = on.approve(asked)

        assert asked.phase == "waiting"
        assert asked.decision is not None
        assert [cap.name for cap in asked.decision.caps if cap.unknown] == ["seal"]
        assert answered is not None
        assert not answered.done
        assert "it is not overwritten" in answered.says
        assert on.read(asked).phase == "waiting"
        assert on.read(asked).answer is None
        assert text_in_file(on, "standing", HERE) == before
        assert len(on.updates) == writes
        assert sum("a record is set aside" in one for one in errors(on)) == 1

        ledger = on.app.ledger
        there = even_damaged(lambda: ledger.documents.read("standing", HERE))
        ledger.commit(ledger.standing_save(Standing(HERE), there, anew=True))
        swept = sweep(on)
        on.approve(asked)

        assert swept.done.get("readable again") == 1
        assert on.read(asked).answer is not None or on.read(asked).phase == "waiting"


@pytest.mark.parametrize("spoil", NOT_BELIEVED)
def test_what_stands_and_is_not_believed_is_not_released(line: Lines, spoil: Spoil) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        spoil(on, "standing", HERE)
        before = text_in_file(on, "standing", HERE)
        refused = on.release(incident, "ada")

        assert not refused.done
        assert re.search("(restore|undo) by hand", refused.says, re.IGNORECASE)
        assert BAD not in on.reachable
        assert text_in_file(on, "standing", HERE) == before


@pytest.mark.parametrize("spoil", NOT_BELIEVED)
def test_a_sweep_names_what_stands_and_is_not_believed_tells_it_once_and_goes_on(line: Lines, spoil: Spoil) -> None:
    with line(policy=ALWAYS) as on:
        on.respond(on.finding())
        before = body_of(on, "standing", HERE)
        spoil(on, "standing", HERE)
        first, second = sweep(on), sweep(on)
        with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
            file.execute("UPDATE documents SET body = ? WHERE kind = 'standing'", (json.dumps(before),))
        third, fourth = sweep(on), sweep(on)

        assert first.done["set aside"] >= 1
        assert second.done["set aside"] >= 1
        assert any(HERE in one for one in second.refused)
        assert sum("a record is set aside" in one for one in errors(on)) == 1
        assert third.done.get("readable again") == 1
        assert fourth.refused == ()


@pytest.mark.parametrize("spoil", [with_broken_seal, of_a_newer_version, cut_off])
def test_a_plan_is_not_carried_out_where_what_stands_was_spoilt_after_the_decision(line: Lines, spoil: Spoil) -> None:
    """It asks, in place of failing: somebody has to look."""
    with line(policy=ALWAYS) as on:
        earlier = on.respond(on.finding(finding_id="first"))
        on.release(earlier, "ada")
        real = on.app.queue

        class Spoils:
            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

            def take_slots(self, *given: Any) -> Any:
                spoil(on, "standing", HERE)
                return real.take_slots(*given)

        spoils: Any = Spoils()
        on.app = replace(on.app, queue=spoils)
        on.skipped_ns += 25 * 3600 * NANOS
        asked = on.respond(on.finding(finding_id="second", minutes_ago=-25 * 60))

        assert asked.phase == "waiting", asked.history[-1].what
        assert asked.decision is not None
        assert "seal" in {cap.name for cap in asked.decision.caps}


@pytest.mark.parametrize("spoil", UNREADABLE)
def test_an_event_whose_incident_cannot_be_read_is_begun_anew(line: Lines, spoil: Spoil) -> None:
    """The old text is kept; what stands guards the target, so that nothing is written twice."""
    with line(policy=ALWAYS) as on:
        found = on.finding()
        incident = on.respond(found)
        spoil(on, "incident", incident.id)
        old = text_in_file(on, "incident", incident.id)
        writes = len(on.updates)
        again = on.respond(found)
        notes = list(on.app.ledger.documents.newest("set_aside", 5))

        assert again.id == incident.id
        assert again.phase in ("contained", "waiting")
        assert "set aside" in again.history[0].what
        assert len(on.updates) == writes
        assert [json.loads(one.body["text"]) if spoil is of_wrong_type else one.body["text"] for one in notes] == [
            json.loads(old) if spoil is of_wrong_type else old
        ]
        assert (notes[0].body["kind"], notes[0].body["key"]) == ("incident", incident.id)
        assert sum("a record is set aside" in one for one in errors(on)) == 1


@pytest.mark.parametrize("spoil", UNREADABLE)
def test_a_further_event_of_an_unreadable_incident_opens_its_own(line: Lines, spoil: Spoil) -> None:
    with line(policy=APPROVE) as on:
        first = on.respond(on.finding(minutes_ago=5))
        spoil(on, "incident", first.id)
        second = on.respond(on.finding(minutes_ago=1))
        third = on.respond(on.finding(minutes_ago=0.5))

        assert second.id != first.id
        assert third.id == second.id


@pytest.mark.parametrize("spoil", UNREADABLE)
def test_an_unreadable_incident_is_met_once_by_the_sweep_and_again_once_it_is_repaired(
    line: Lines, spoil: Spoil
) -> None:
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        on.world.findings.clear()  # so that no sweep begins it anew
        before = body_of(on, "incident", incident.id)
        spoil(on, "incident", incident.id)
        swept = [sweep(on), sweep(on)]
        due = [one.key for one in on.app.ledger.documents.due("incident", on.app.now_ns(), 9)]
        with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
            file.execute("UPDATE documents SET body = ? WHERE kind = 'incident'", (json.dumps(before),))
        repaired = sweep(on, 1900)
        after = sweep(on)

        assert [one.done["set aside"] for one in swept] == [1, 1]
        assert all(incident.id in "".join(one.refused) for one in swept)
        assert due == []
        assert sum("a record is set aside" in one for one in errors(on)) == 1
        assert repaired.done["readable again"] == 1
        assert after.done["deferred"] == 1
        assert on.read(incident).phase == "deferred"


def in_a_newer_format(on: Line) -> Incident:
    incident = on.respond(on.finding(minutes_ago=5))
    of_a_newer_version(on, "incident", incident.id)
    return incident


def test_a_newer_versions_incident_is_shown_and_nothing_is_done_with_it(line: Lines) -> None:
    with line(policy=APPROVE) as on:
        incident = in_a_newer_format(on)
        before = text_in_file(on, "incident", incident.id)
        held = on.app.ledger.find(incident.id)
        answered = (
            on.command("approve", incident, "ada", digest="0" * 64),
            on.command("reject", incident, "ada", reason="why", digest="0" * 64),
            on.release(incident, "ada"),
            on.retry(incident, "ada"),
            on.command("close", incident, closed_as="benign"),
        )
        refusals = [one.says for one in answered]
        for minutes_ago in (5, 1):
            with pytest.raises(NotActedOn) as told:
                on.respond(on.finding(minutes_ago=minutes_ago))
            refusals.append(str(told.value))
        sweep(on)

        assert not any(one.done for one in answered)
        assert held is not None
        assert (held.acts, held.sealed, held.incident.phase, held.incident.plan) == (
            False,
            Sealed.HOLDS,
            "deferred",
            incident.plan,
        )
        assert all(f"format {FORMAT + 1}" in one and f"format {FORMAT}:" in one for one in refusals)
        assert text_in_file(on, "incident", incident.id) == before
        assert on.updates == ()


def test_an_incident_of_which_only_the_version_can_be_read_is_written_over_by_nothing(line: Lines) -> None:
    """It is no unreadable one, to be begun anew; and what SCC holds beside it is looked for all the same."""
    with line(policy=APPROVE) as on:
        found = on.finding(minutes_ago=5)
        incident = on.respond(found)
        of_a_version_far_ahead(on, "incident", incident.id)
        before = text_in_file(on, "incident", incident.id)
        on.finding(finding_id="missed")
        swept = sweep(on)
        refusal = "format 99, on which only versions that know format 98 may act"
        with pytest.raises(NotActedOn, match=refusal):
            on.respond(found)
        refused = on.command("release", incident)

        assert not refused.done
        assert refusal in refused.says
        assert swept.done["missed findings answered"] == 1
        assert text_in_file(on, "incident", incident.id) == before


def test_what_a_version_that_may_act_does_not_know_is_kept_through_a_containment_and_a_release(line: Lines) -> None:
    """Rolled back by one version, and forward again."""
    with line(policy=PIN_ONLY) as on:
        incident = on.respond(on.finding())
        for kind, key in (("incident", incident.id), ("standing", HERE)):
            ours = body_of(on, kind, key)
            value = {**json.loads(ours["sealed"]), "later": {"a": [1]}}
            newer = {**ours, "format": FORMAT + 1, "stamp": 7}
            saved(on, kind, key, seal_body(Place(kind, key), value, on.app.ledger.seal, newer, 99))
        on.respond(on.finding(minutes_ago=0.5))
        answered = on.release(incident, "ada")

        assert answered is not None
        assert answered.done
        for kind, key in (("incident", incident.id), ("standing", HERE)):
            body = body_of(on, kind, key)
            assert json.loads(body["sealed"])["later"] == {"a": [1]}
            assert (body["format"], body["stamp"]) == (FORMAT + 1, 7)


def test_who_has_not_the_key_spoils_nothing_whatever_is_saved(line: Lines) -> None:
    """What was sealed is as it was for the right key; what the other one saved is seen by those who cannot verify."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        stranger = replace(on.app, ledger=replace(on.app.ledger, seal=Seal((b"another",))))
        digest = incident.question.digest if incident.question else ""
        answered = pipeline.execute(
            stranger, Command("1", "close", "eve", incident.id, closed_as="benign", digest=digest)
        )
        as_seen = stranger.ledger.find(incident.id)

        assert answered is not None
        assert answered.done
        assert as_seen is not None
        assert (as_seen.sealed, as_seen.incident.phase) == (Sealed.BROKEN, "closed")
        assert on.read(incident).phase == "waiting"


def test_a_command_whose_answer_is_damaged_is_carried_out_again_and_does_nothing_twice(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        command = Command("one", "release", "ada", incident.id, "", "", "")
        first = pipeline.execute(on.app, command)
        writes = len(on.updates)
        damaged(on, "command", "one")
        again = pipeline.execute(on.app, command)

        assert first.done
        assert "released already" in again.says
        assert pipeline.execute(on.app, command) == again
        assert len(on.updates) == writes


@pytest.mark.parametrize(
    ("kind", "key"), [("look", HERE), ("finding", "5678~"), ("event", "fb-"), ("sweep", "findings")]
)
def test_damage_to_what_only_leads_elsewhere_stops_nothing(line: Lines, kind: str, key: str) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding(minutes_ago=5))
        on.respond(on.finding(minutes_ago=3))
        sweep(on)
        keys = [one.key for one in on.app.ledger.documents.newest(kind, 9) if one.key.startswith(key)]
        for one in keys:
            damaged(on, kind, one)
        on.respond(on.finding(minutes_ago=1))
        answered = on.release(incident, "ada")
        swept = sweep(on)

        assert keys
        assert answered is not None
        assert answered.done
        assert swept.refused == ()
        assert swept.later == ()


@pytest.mark.parametrize("phase", ["closed", "declined", "monitored"])
def test_an_ended_incident_whose_seal_is_broken_swallows_no_finding(line: Lines, phase: str) -> None:
    """Whoever writes the ledger could else put one down for each event that is to be overlooked."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        finding = parse_notification(notification_v2(pair)).finding
        ended = incident_json(encode(Incident(finding.incident_id, phase, 1, 1, finding)))  # type: ignore[arg-type]
        forged = seal_body(Place("incident", finding.incident_id), ended, Seal((b"another key",)), {}, 1)
        on.app.ledger.documents.create("incident", finding.incident_id, forged)
        on.respond(pair)

        assert BAD not in on.reachable
        assert any("seal" in one for one in errors(on))

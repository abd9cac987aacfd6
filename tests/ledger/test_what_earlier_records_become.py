"""An incident that an earlier version saved: what its seal covered is believed, all else is decided anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.errors import AnotherResource
from firebreak.core.incidents.earlier_formats import as_of_today, with_told_events
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.question import Answer, Question
from firebreak.core.incidents.release import Release
from firebreak.core.serialization import decode
from firebreak.core.signing import Seal, Sealed
from firebreak.ledger.documents import Document
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import StoredIncident
from tests.ledger.earlier import restored, scene
from tests.ledger.make_fixtures import KEY, RECIPES

FIRST = "41af992"
HOUR_NS = 3600 * 10**9
OPEN = (
    "contained",
    "contained_in_two_regions",
    "contained_job",
    "contained_pool",
    "approved",
    "asked",
    "asked_on_expiry",
    "told_while_asked",
    "forged_phase",
    "approved_and_not_written",
    "release_under_way",
    "failed",
)
ENDED = {"released": "released", "expired": "expired", "rejected": "rejected", "closed": "closed"}
HERE, THERE = "shop-prod/europe-west1/service/checkout", "shop-prod/us-east1/service/checkout"


def record_of(name: str) -> dict[str, Any]:
    """The incident's JSON as it was stored."""
    found = next(row for row in scene(FIRST, name)["documents"] if row["kind"] == "incident")
    whole: dict[str, Any] = json.loads(found["body"])["incident"]
    return whole


class Opened:
    """A ledger of that version, so long after the incident was saved last."""

    def __init__(self, folder: Path, name: str, after_ns: int = HOUR_NS) -> None:
        self.before = record_of(name)
        restored(scene(FIRST, name), folder / "ledger.sqlite")
        now = self.before["updated_ns"] + after_ns
        self.ledger = Ledger(SqliteDocuments(folder / "ledger.sqlite"), "one", lambda: now, Seal((KEY.encode(),)))
        self.id = scene(FIRST, name)["incident"]

    @property
    def held(self) -> StoredIncident:
        held = self.ledger.find(self.id)
        assert held is not None
        return held

    @property
    def incident(self) -> Incident:
        return self.held.incident

    def document(self) -> Document:
        document = self.ledger.documents.read("incident", self.id)
        assert document is not None
        return document

    def forge(self, **parts: Any) -> None:
        """What somebody without the key changes."""
        body = self.document().body
        self.ledger.documents.replace(self.document(), {**body, "incident": {**body["incident"], **parts}})


def taken(opened: Opened) -> Incident:
    """Owned and saved, as by whoever goes on with it; read again as this version's own."""
    held = opened.ledger.take(opened.id)
    assert held is not None
    opened.ledger.release_lease(held, held.incident)
    assert opened.document().body["format"] == 3
    return opened.incident


@pytest.mark.parametrize("name", OPEN)
def test_an_open_incident_is_received_to_be_decided_anew_and_is_due_at_once(tmp_path: Path, name: str) -> None:
    """Whatever phase it says it was in; no answer of then counts. Reading it twice, or saving it, tells the same."""
    opened = Opened(tmp_path, name)
    incident = opened.incident

    assert opened.held.sealed
    assert (incident.phase, incident.answer, incident.next_ns) == ("received", None, None)
    assert incident.due_ns is not None
    assert incident.due_ns <= opened.ledger.now_ns()
    assert incident.history[-1].what == "saved by an earlier version: it is decided anew"
    assert opened.incident == incident
    after = taken(opened)
    assert replace(after, updated_ns=incident.updated_ns, floors=incident.floors) == incident


@pytest.mark.parametrize("name", [one for one in OPEN if record_of(one)["question"]])
def test_its_question_is_over_and_names_itself_among_those_asked_before(tmp_path: Path, name: str) -> None:
    """Whoever answers it is told so."""
    incident = Opened(tmp_path, name).incident

    assert incident.question is not None
    assert incident.question.digest == record_of(name)["question"]["digest"]
    assert incident.question.digest in incident.question.asked_before


@pytest.mark.parametrize("name", [one for one in OPEN if record_of(one)["done"]])
def test_what_was_carried_out_is_kept_and_what_stands_is_told_by_its_own_records(tmp_path: Path, name: str) -> None:
    opened = Opened(tmp_path, name)
    incident, before = opened.incident, decode(Incident, record_of(name))

    assert (incident.done, incident.plan, incident.operation) == (before.done, before.plan, before.operation)
    assert incident.stands
    assert incident.targets == before.targets
    for target in incident.targets:
        standing, document = opened.ledger.standing(target, "any uid")
        assert standing.held_by(incident.id)
        assert standing.uid == ""
        assert document is not None


def test_of_its_events_the_finding_s_own_comes_first_and_one_that_was_only_told_is_not_decided(tmp_path: Path) -> None:
    """Of that one the record of the event has no more than when it came."""
    opened = Opened(tmp_path, "told_while_asked")
    rows = scene(FIRST, "told_while_asked")["documents"]
    told = next(row for row in rows if row["kind"] == "event")
    incident = opened.incident
    own = Event(incident.id, incident.finding.event_ns, incident.created_ns, decided=True)

    assert incident.events == (
        own,
        Event(told["key"], incident.finding.event_ns, json.loads(told["body"])["at_ns"], decided=False),
    )
    assert taken(opened).events == incident.events


def test_an_event_of_another_incident_is_none_of_its_own(tmp_path: Path) -> None:
    opened = Opened(tmp_path, "told_while_asked")
    for key, body in (("fb-a", {"incident": "fb-x", "at_ns": 1}), ("fb-b", {"incident": opened.id}), ("fb-c", {})):
        opened.ledger.documents.create("event", key, body)

    assert len(opened.incident.events) == 2


def test_a_release_under_way_is_due_anew_as_a_whole(tmp_path: Path) -> None:
    """By whoever asked for it; what of it was written is told by what is so now."""
    opened = Opened(tmp_path, "release_under_way")

    assert record_of("release_under_way")["release"]["changes"]
    assert opened.incident.release == Release("ada")
    assert [target.key for target in opened.incident.targets] == [HERE, THERE]
    assert opened.ledger.standing_at(THERE)[0].releasing == opened.id


@pytest.mark.parametrize("name", ENDED)
def test_an_incident_that_has_ended_stays_so_and_leads_to_nothing(tmp_path: Path, name: str) -> None:
    opened = Opened(tmp_path, name)
    incident = opened.incident

    assert (incident.phase, incident.release, incident.answer) == (ENDED[name], None, None)
    assert not incident.open
    assert [event.decided for event in incident.events] == [True]
    assert incident.question == decode(Incident, record_of(name)).question


@pytest.mark.parametrize(
    ("name", "what", "reason"),
    [
        ("monitored_by_halt", "halt", "halted by ada: a drill"),
        ("monitored_unverified", "unconfirmed", "SCC does not hold this finding"),
    ],
)
def test_one_that_was_only_recorded_for_what_may_pass_waits_for_it_if_that_was_within_a_day(
    tmp_path: Path, name: str, what: str, reason: str
) -> None:
    """It is due at once, and has not been decided."""
    opened = Opened(tmp_path, name, 23 * HOUR_NS)
    incident = opened.incident

    assert incident.phase == "deferred"
    assert incident.waits is not None
    assert (incident.waits.what, incident.waits.reason) == (what, reason)
    assert incident.open
    assert incident.due_ns is not None
    assert incident.due_ns <= opened.ledger.now_ns()
    assert [event.decided for event in incident.events] == [False]
    assert taken(opened).waits == incident.waits


def test_after_a_day_it_stays_recorded(tmp_path: Path) -> None:
    incident = Opened(tmp_path, "monitored_by_halt", 24 * HOUR_NS).incident

    assert (incident.phase, incident.waits) == ("monitored", None)


def test_one_that_was_recorded_because_its_policy_says_so_stays_recorded(tmp_path: Path) -> None:
    opened = Opened(tmp_path, "monitored_by_halt")
    decision = record_of("monitored_by_halt")["decision"]
    opened.forge(decision={**decision, "caps": [{"name": "source", "kind": "bar", "reason": "not allowed"}]})

    assert opened.incident.phase == "monitored"


FORGED: Mapping[str, tuple[str, dict[str, Any], Callable[[Incident], object], object]] = {
    "the phase": ("asked", {"phase": "containing"}, lambda one: one.phase, "received"),
    "an event": ("asked", {"events": [{"id": "x", "event_ns": 1, "seen_ns": 1}]}, lambda one: len(one.events), 1),
    "other targets": ("contained", {"further": [{**record_of("contained")["finding"]["target"], "name": "x"}]},
                      lambda one: len(one.targets), 1),
    "what failed": ("asked", {"failed_on": {HERE: ["pin_previous_revision"]}}, lambda one: dict(one.failed_on), {}),
    "what it waits for": ("asked", {"away": {"scc": 1}}, lambda one: dict(one.away), {}),
    "the counters of others": ("asked", {"floors": {"halt": 9}}, lambda one: dict(one.floors), {}),
    "what was opened again": ("asked", {"reopened": ["x"]}, lambda one: one.reopened, ()),
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_what_the_first_format_did_not_seal_leads_to_nothing(tmp_path: Path, what: str) -> None:
    """It verifies all the same: nobody could tell."""
    name, parts, seen, wanted = FORGED[what]
    opened = Opened(tmp_path, name)
    opened.forge(**parts)

    assert opened.held.sealed
    assert seen(opened.incident) == wanted


def test_a_record_whose_seal_does_not_hold_is_shown_as_it_is(tmp_path: Path) -> None:
    """Nothing is decided anew from it."""
    opened = Opened(tmp_path, "forged_plan")

    assert opened.held.sealed is Sealed.BROKEN
    assert opened.incident == decode(Incident, record_of("forged_plan"))


def test_who_has_no_key_sees_a_record_as_it_is(tmp_path: Path) -> None:
    opened = Opened(tmp_path, "asked")
    laptop = replace(opened.ledger, seal=Seal(()))
    held = laptop.find(opened.id)

    assert held is not None
    assert held.sealed is Sealed.UNVERIFIED
    assert held.incident == decode(Incident, record_of("asked"))


def test_of_the_second_format_all_was_sealed_and_is_kept() -> None:
    """An open one is decided anew all the same: it passed no gate."""
    before = decode(Incident, record_of("contained_in_two_regions"))
    before = replace(before, failed_on={HERE: ("x",)}, answer=Answer("d", "ada", 1), question=Question("d", 1, 2, ()))
    after = as_of_today(before, 2, before.updated_ns)

    assert (after.phase, after.answer, after.further) == ("received", None, before.further)
    assert after.failed_on == before.failed_on
    assert after.events[0].digests == tuple(before.finding.digests)
    assert after.question is not None
    assert after.question.asked_before == ("d",)
    assert as_of_today(replace(before, question=after.question), 2, 0).question == after.question


def test_told_events_are_added_once_in_the_order_in_which_they_came() -> None:
    incident = as_of_today(decode(Incident, record_of("asked")), 1, 0)
    once = with_told_events(incident, [("fb-b", 2), ("fb-a", 1), (incident.id, 3)])

    assert [event.id for event in once.events] == [incident.id, "fb-a", "fb-b"]
    assert with_told_events(once, [("fb-b", 2)]) == once


HOLD = Hold("fb-1", (), frozenset(), 1_000)


@pytest.mark.parametrize(
    ("standing", "uid", "created_ns", "taken_over"),
    [
        (Standing("a", holds=(HOLD,), uid="u"), "u", None, True),
        (Standing("a", holds=(HOLD,)), "u", 999, True),
        (Standing("a", holds=(replace(HOLD, taken_ns=2_000), HOLD)), "u", 1_500, False),
        (Standing("a", holds=(HOLD,)), "u", 1_000, False),
        (Standing("a", holds=(HOLD,)), "u", None, False),
        (Standing("a", holds=(HOLD,), uid="u"), "v", 1, False),
        (Standing("a", holds=(HOLD,), uid="u"), "", 1, False),
        (Standing("a", holds=(HOLD,)), "", None, True),
        (Standing("a", uid="u"), "v", None, True),
        (Standing("a"), "v", 5_000, True),
    ],
)
def test_a_uid_is_taken_over_by_what_stood_before_versions_kept_one(
    standing: Standing,
    uid: str,
    created_ns: int | None,
    taken_over: bool,  # noqa: FBT001 - a table
) -> None:
    """Only where the resource was there before the first hold; else a person is asked whether it is the same."""
    if taken_over:
        assert standing.with_uid(uid, created_ns) == replace(standing, uid=uid)
        return
    with pytest.raises(AnotherResource, match="made anew since it was contained"):
        standing.with_uid(uid, created_ns)


def test_every_scene_is_named_here() -> None:
    other = {"monitored_by_halt", "monitored_unverified", "forged_plan"}

    assert RECIPES.keys() == {*OPEN, *ENDED, *other}

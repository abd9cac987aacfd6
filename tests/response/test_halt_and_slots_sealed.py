"""Halt and limits hold against whoever writes to the ledger: changed, deleted or old they are at their tightest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from firebreak.core.incidents.incident import Incident
from tests.response.conversation import alerts, cautions, later, phase, say
from tests.response.harness import ALWAYS, BAD, Line, Lines
from tests.response.intruder import Intruder, changed, fields_of, nothing, otherwise, record_of, with_record
from tests.response.test_blast_radius import found_on, limits, world

pytestmark = pytest.mark.thorough

Meddle = Callable[[Line, Intruder], None]


def halted(on: Line) -> Incident:
    """A finding that came while everything is halted."""
    on.app.ledger.halt("stop", "ada")
    return on.respond(on.finding())


def changes_it(_: Line, intruder: Intruder) -> None:
    (document,) = intruder.finds("halt")
    intruder.writes(document, with_record(document.body, {**record_of(document.body), "reason": ""}))


def writes_one_that_is_lifted(on: Line, intruder: Intruder) -> None:
    (document,) = intruder.finds("halt")
    intruder.writes(document, {"reason": "", "by": "ada", "at_ns": on.app.now_ns()})


def deletes_it(_: Line, intruder: Intruder) -> None:
    intruder.deletes("halt")


@pytest.mark.parametrize("meddle", [changes_it, writes_one_that_is_lifted, deletes_it])
def test_who_writes_the_ledger_without_the_key_lifts_no_halt(line: Lines, meddle: Meddle) -> None:
    """Whatever is put in its place, or nothing, counts as a halt until somebody lifts it."""
    with line(policy=ALWAYS) as on:
        incident = halted(on)
        meddle(on, Intruder(on))
        other = on.respond(on.finding(finding_id="another"))
        later(on, 10)
        while_halted = [phase(on, one) for one in (incident, other)], on.updates
        lifted = on.command("resume")
        later(on, 10)

        assert while_halted == (["deferred", "deferred"], ())
        assert lifted.done, lifted.says
        assert phase(on, incident) == "contained"
        assert BAD not in on.reachable


def test_a_halt_that_was_lifted_once_does_not_lift_the_next_one(line: Lines) -> None:
    """The document of the time between the two is put back, seal and all."""
    with line(policy=ALWAYS) as on:
        intruder = Intruder(on)
        on.app.ledger.halt("a drill", "ada")
        on.command("resume")
        lifted = intruder.finds("halt")
        incident = halted(on)
        intruder.puts_back(*lifted)
        other = on.respond(on.finding(finding_id="another"))
        later(on, 10)

        assert [phase(on, one) for one in (incident, other)] == ["deferred", "deferred"]
        assert on.updates == ()


def test_no_field_of_a_halt_can_be_changed_into_none(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident, intruder = halted(on), Intruder(on)
        (document,) = intruder.finds("halt")
        record = record_of(document.body)
        for way in fields_of(record):
            for change in (otherwise, nothing):
                intruder.writes(document, with_record(document.body, changed(record, way, change)))
                later(on, 2)
                intruder.puts_back(document)

        assert on.updates == ()
        assert phase(on, incident) == "deferred"


def test_a_whole_ledger_of_before_the_halt_counts_as_halted(line: Lines) -> None:
    """The vault knows how far the counters were; a person says that all is well."""
    with line(policy=ALWAYS) as on:
        intruder = Intruder(on)
        on.respond(on.finding(finding_id="earlier", workload="services/gone"))
        on.app.ledger.halt("a drill", "ada")
        on.command("resume")
        on.sweep()
        before = intruder.rows()
        halted(on)
        later(on, 61)
        intruder.restores(before)
        later(on, 1)
        again = on.respond(on.finding(minutes_ago=-61))
        while_behind = again.phase, on.updates
        on.command("resume")
        later(on, 10)

        assert phase(on, again) == "contained"
        assert while_behind == ("deferred", ())
        assert BAD not in on.reachable


def test_who_writes_the_ledger_without_the_key_gives_no_slot_back(line: Lines) -> None:
    """A time that lies an hour back frees a slot as well as its removal does."""
    with line(world(), config=limits(1, 1), policy=ALWAYS) as on:
        on.respond(found_on(on, 0))
        intruder, wrote = Intruder(on), len(on.updates)
        (document,), whole = intruder.finds("slots"), intruder.rows()
        text = next(one["body"] for one in whole if one["kind"] == "slots")
        forged = text.replace('at_ns\\":', 'at_ns\\":1,\\"was\\":').replace('"at_ns":', '"at_ns":1,"was":')
        intruder.plants_text("slots", document.key, forged)
        second = on.respond(found_on(on, 1))

        assert forged != text
        assert (second.phase, cautions(on, second)) == ("waiting", {"blast_radius"})
        assert len(on.updates) == wrote


def test_slots_that_are_deleted_are_used_up(line: Lines) -> None:
    """What was contained within the hour knows that there were some."""
    with line(world(), config=limits(9, 9), policy=ALWAYS) as on:
        on.respond(found_on(on, 0))
        Intruder(on).deletes("slots")
        second = on.respond(found_on(on, 1))

        assert (second.phase, cautions(on, second)) == ("waiting", {"blast_radius"})
        assert len(on.updates) == 1
        assert alerts(on, "")


def test_slots_of_before_the_last_containment_that_are_put_back_are_used_up(line: Lines) -> None:
    with line(world(), config=limits(3, 3), policy=ALWAYS) as on:
        on.respond(found_on(on, 0))
        intruder = Intruder(on)
        one_taken = intruder.finds("slots")
        on.respond(found_on(on, 1))
        intruder.puts_back(*one_taken)
        third = on.respond(found_on(on, 2))

        assert (third.phase, cautions(on, third)) == ("waiting", {"blast_radius"})
        assert len(on.updates) == 2


def test_what_a_person_approves_is_not_held_up_by_slots_that_are_broken(line: Lines) -> None:
    """They count what nobody was asked about."""
    with line(world(), config=limits(9, 9), policy=ALWAYS) as on:
        on.respond(found_on(on, 0))
        Intruder(on).deletes("slots")
        second = on.respond(found_on(on, 1))
        answered = say(on, "approve", second)

        assert answered.done, answered.says
        assert phase(on, second) == "contained"

"""No finding is lost with its message: the sweep looks through SCC's own list, wherever that delivers."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import StoredIncident
from sandbox.scc.notifications import Pair
from sandbox.scc.security_center import mute, put_finding
from sandbox.wire import Fault
from tests.response.answers import phase
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.test_sweep import finding_on, service_of

pytestmark = pytest.mark.thorough

DAY = 24 * 3600.0
A_SWEEP = 300.0
NAMES = tuple(f"shop{number}" for number in range(4))
ROOM = "ceiling: enforce\nlimits: {per_project_per_hour: 50, per_hour: 50}"


def incidents(on: Line) -> list[Incident]:
    return [one.incident for one in on.app.ledger.newest(50)]


def mute_it(on: Line, pair: Pair, word: str = "MUTED") -> None:
    mute(on.world, pair["finding"]["name"], word)


def swept(on: Line, seconds: float = A_SWEEP) -> dict[str, int]:
    on.wait(seconds)
    return dict(on.sweep().done)


@pytest.mark.parametrize("where", ["global", "eu"])
def test_a_lost_finding_is_looked_for_in_every_location_that_delivers(line: Lines, where: str) -> None:
    """And in no other: each has its own watermark."""
    with line(policy=ALWAYS, FIREBREAK_SCC_LOCATIONS="global,eu") as on:
        on.finding(finding_location=where)
        on.sweep()
        asked = {one.request.parent for one in on.sandbox.wire.calls_to("*/ListFindings") if one.request.order_by}

        assert set(on.reachable) == {GOOD}
        assert {one.rpartition("/")[2] for one in asked} == {"global", "eu"}


def test_a_location_that_does_not_answer_keeps_no_other_from_its_look(line: Lines) -> None:
    """It is named, and looked at again from where it was."""
    with line(policy=ALWAYS, FIREBREAK_SCC_LOCATIONS="eu,global") as on:
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", asked='*locations/eu"*order_by*', times=None))
        on.finding()
        on.finding(finding_id="residency", finding_location="eu", minutes_ago=2)
        first = on.sweep()
        found = len(incidents(on)), set(on.reachable)
        on.sandbox.wire.clear_faults()
        on.wait(A_SWEEP)
        second = on.sweep()

        assert found == (1, {GOOD})
        assert [one.partition(":")[0] for one in first.later] == ["the findings of SCC in eu"]
        assert second.done["missed findings answered"] == 1
        assert second.later == ()


@pytest.mark.parametrize("class_", ["MISCONFIGURATION", "VULNERABILITY", "OBSERVATION", "TOXIC_COMBINATION"])
def test_what_is_no_threat_is_not_looked_for(line: Lines, class_: str) -> None:
    """Of those there are a thousand for every threat."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(held=False)
        pair["finding"]["findingClass"] = class_
        put_finding(on.world, pair["finding"], pair["resource"])

        assert swept(on) == {}
        assert incidents(on) == []


@pytest.mark.parametrize("hours", [0.3, 2, 30])
def test_a_finding_that_is_listed_late_is_found(line: Lines, hours: float) -> None:
    """However long before the watermark it happened: a project that comes from elsewhere brings its findings along."""
    with line(policy=ALWAYS) as on:
        on.sweep()
        swept(on, 2 * DAY)
        on.finding(minutes_ago=60 * hours - 60 * 48)
        counts = swept(on)

        assert counts["missed findings answered"] == 1
        assert len(incidents(on)) == 1


def test_what_happened_long_before_the_first_sweep_is_left_alone(line: Lines) -> None:
    """Whoever deploys Firebreak does not want an answer to everything that ever was."""
    with line(policy=ALWAYS) as on:
        on.finding(minutes_ago=25 * 60)

        assert [swept(on), swept(on)] == [{}, {}]


def further(on: Line, minutes_ago: float, *, held: bool = True) -> Pair:
    """A further event of the same finding."""
    return on.finding(minutes_ago=minutes_ago, held=held)


def given_up(on: Line) -> Pair:
    """A further event that Security Command Center did not hold for a day, of an incident that is contained."""
    on.respond(on.finding(minutes_ago=5))
    pair = further(on, 3, held=False)
    on.respond(pair)
    swept(on, DAY + 60)
    swept(on)
    return pair


def given_up_of_an_incident_that_has_ended(on: Line) -> Pair:
    pair = given_up(on)
    on.release(incidents(on)[0])
    return pair


def given_up_alone(on: Line) -> Pair:
    pair = on.finding(held=False)
    on.respond(pair)
    swept(on, DAY + 60)
    return pair


@pytest.mark.parametrize("plant", [given_up, given_up_of_an_incident_that_has_ended, given_up_alone])
@pytest.mark.parametrize("by", ["sweep", "message"])
def test_an_event_that_was_given_up_is_decided_once_scc_holds_it(
    line: Lines, plant: Callable[[Line], Pair], by: str
) -> None:
    """By a look of the sweep as by a message."""
    with line(policy=ALWAYS) as on:
        on.sweep()
        pair = plant(on)
        put_finding(on.world, pair["finding"], pair["resource"])
        on.wait(A_SWEEP)
        if by == "message":
            on.respond(pair)
        on.sweep()
        event = next(
            one for held in incidents(on) for one in held.events if one.status == "counts" and one.event_ns == _ns(pair)
        )
        again = swept(on)

        assert event.decided
        assert "missed findings answered" not in again


def _ns(pair: Pair) -> int:
    text = str(pair["finding"]["eventTime"])
    whole = dt.datetime.fromisoformat(text[:19]).replace(tzinfo=dt.UTC)
    return int(whole.timestamp()) * 10**9 + int(text[20:29])


def test_a_finding_that_is_unmuted_after_days_is_found_though_no_message_says_so(line: Lines) -> None:
    """Unmuting leaves the time of the event as it is, so that no watermark would come by it again."""
    with line(policy=ALWAYS) as on:
        on.sweep()
        pair = on.finding()
        mute_it(on, pair)
        for _ in range(3):
            swept(on, DAY)
        before = incidents(on)
        mute_it(on, pair, "UNMUTED")
        counts = swept(on)

        assert before == []
        assert counts["missed findings answered"] == 1
        assert phase(on, incidents(on)[0]) == "waiting", "it is stale by then"


def test_what_came_muted_long_before_the_first_sweep_is_found_once_it_is_unmuted(line: Lines) -> None:
    """What no message told of then is left to those who worked on it."""
    with line(policy=ALWAYS) as on:
        muted = on.finding()
        mute_it(on, muted)
        before = on.respond({**muted, "finding": {**muted["finding"], "mute": "MUTED"}})
        on.finding(finding_id="untold", minutes_ago=2)
        on.wait(30 * 3600)
        mute_it(on, muted, "UNMUTED")
        swept(on)
        swept(on)

        assert before.phase == "declined"
        assert [(one.id, one.phase) for one in incidents(on)] == [(before.id, "waiting")]


def test_a_further_event_that_came_muted_is_decided_once_it_is_unmuted(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.sweep()
        incident = on.respond(on.finding(minutes_ago=5))
        on.release(incident)
        pair = further(on, 3)
        mute_it(on, pair)
        on.respond({**pair, "finding": {**pair["finding"], "mute": "MUTED"}})
        swept(on, DAY + 60)
        swept(on)
        ended = [one.phase for one in incidents(on)]
        mute_it(on, pair, "UNMUTED")
        swept(on)

        assert ended == ["declined", "released"]
        assert {one.phase for one in incidents(on)} == {"waiting", "released"}


def test_all_that_was_lost_is_found_also_where_the_ledger_was_away_while_it_was_noted(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watermark moves past nothing that is not answered."""
    with line(policy=ALWAYS, config=ROOM) as on:
        for name in NAMES:
            on.world.add_service(service_of(name))
            finding_on(on, name)
        away = failing(monkeypatch, lambda _: True)
        first = on.sweep()
        none = incidents(on)
        away.undo()
        on.wait(2 * DAY)
        second = on.sweep()

        assert none == []
        assert "the findings of SCC" in first.later[0]
        assert second.done["missed findings answered"] == len(NAMES)


def test_one_that_cannot_be_noted_keeps_no_other_from_being_found(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours that this one finding meets, and it is the first of all: it is said every time."""
    with line(policy=ALWAYS, config=ROOM) as on:
        for number, name in enumerate(NAMES):
            on.world.add_service(service_of(name))
            on.finding(finding_id=name, workload=f"services/{name}", minutes_ago=30 - number)
        failing(monkeypatch, lambda one: one.name.finding == NAMES[0])
        first = on.sweep()
        on.wait(2 * DAY)
        second = on.sweep()
        marks = on.app.ledger.documents.read("sweep", "findings")
        event = next(one for one in on.world.findings if one["finding"]["name"].endswith(NAMES[0]))

        assert first.done["missed findings answered"] == len(NAMES) - 1
        assert {one.phase for one in incidents(on)} == {"contained"}
        assert any("the findings of SCC" in one for one in second.later)
        assert marks is not None
        assert marks.body["since_ns"] <= _ns(event), "the watermark stays before what is not answered"


def failing(monkeypatch: pytest.MonkeyPatch, fails: Callable[[Finding], bool]) -> pytest.MonkeyPatch:
    """The ledger keeps no event of such a finding."""
    claim = Ledger.claim

    def heard(self: Ledger, finding: Finding, *more: Any, **named: Any) -> StoredIncident:
        if fails(finding):
            message = "planted"
            raise Transient(message)
        return claim(self, finding, *more, **named)

    monkeypatch.setattr(Ledger, "claim", heard)
    return monkeypatch


def test_a_list_that_breaks_off_is_gone_on_with_where_it_broke_off(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of it is answered meanwhile."""
    monkeypatch.setattr("firebreak.adapters.google.security_center._PAGE", 2)
    with line(policy=ALWAYS, config=ROOM) as on:
        for number, name in enumerate(NAMES):
            on.world.add_service(service_of(name))
            on.finding(finding_id=name, workload=f"services/{name}", minutes_ago=30 - number)
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", asked="*page_token*", times=None))
        first = on.sweep()
        found = len(incidents(on))
        on.sandbox.wire.clear_faults()
        second = swept(on)

        assert 2 <= found < len(NAMES)
        assert "the findings of SCC" in first.later[0]
        assert second["missed findings answered"] == len(NAMES) - found


def test_what_is_known_is_not_decided_twice(line: Lines) -> None:
    """Though it is looked at again and again."""
    with line(policy=ALWAYS) as on:
        on.respond(on.finding())
        for _ in range(4):
            assert "missed findings answered" not in swept(on, 3600)

        assert len(incidents(on)) == 1
        assert BAD not in on.reachable


def of_another_category(pair: Pair) -> Pair:
    """Which no policy names, so that it is declined unread."""
    return {**pair, "finding": {**pair["finding"], "category": "Reverse Shell"}}


def of_another_workload(pair: Pair) -> Pair:
    there, elsewhere = "services/checkout", "services/elsewhere"
    finding, resource = pair["finding"], pair["resource"]
    return {
        "finding": {**finding, "resourceName": finding["resourceName"].replace(there, elsewhere)},
        "resource": {**resource, "name": resource["name"].replace(there, elsewhere)},
    }


def of_another_project(pair: Pair) -> Pair:
    """As it was before it was moved."""
    return json.loads(json.dumps(pair).replace("shop-prod", "shop-before").replace("424242424242", "111111111111"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("told", [of_another_category, of_another_workload, of_another_project])
@pytest.mark.parametrize("by", ["message", "sweep"])
def test_a_message_that_tells_it_otherwise_swallows_no_finding(
    line: Lines, told: Callable[[Pair], Pair], by: str
) -> None:
    """Whoever publishes one with the ids of a real finding must not decide that nobody answers that."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        first = on.respond(told(pair))
        untouched = on.updates
        again = on.respond(told(pair))
        if by == "message":
            on.respond(pair)
        else:
            on.wait(A_SWEEP)
            on.sweep()

        assert first.phase == again.phase in ("declined", "monitored")
        assert untouched == ()
        assert set(on.reachable) == {GOOD}
        assert phase(on, first) == "contained"


def test_what_a_person_has_closed_is_not_opened_by_a_look(line: Lines) -> None:
    """They knew better than to wait for Security Command Center."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(held=False)
        incident = on.respond(pair)
        on.close(incident, "benign")
        put_finding(on.world, pair["finding"], pair["resource"])
        counts = swept(on)

        assert "missed findings answered" not in counts
        assert phase(on, incident) == "closed"

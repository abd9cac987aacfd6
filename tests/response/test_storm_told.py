"""A storm of findings is told once in chat, by its project: nobody else's question is lost in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.core.timestamps import NANOS
from sandbox.scc.security_center import put_finding
from tests.adapters.servers import Received, serving
from tests.response.conversation import cautions, later, phase, say, told
from tests.response.harness import ALWAYS, Line, Lines
from tests.response.test_blast_radius import found_on, limits, world

pytestmark = pytest.mark.thorough

SHOP, BANK = "shop-prod", "bank-prod"


@pytest.fixture
def chat() -> Iterator[Received]:
    with serving() as asked:
        yield asked


def webhook(chat: Received) -> dict[str, Any]:
    return {"policy": ALWAYS, "FIREBREAK_SLACK_WEBHOOK": f"{chat.origin}/slack"}


def read_of(chat: Received, incident: Incident) -> int:
    """How many messages people got about it."""
    return sum(incident.id in json.dumps(body) for body in chat.bodies)


def asked_on(on: Line, number: int, project: str, **more: Any) -> Incident:
    incident = on.respond(found_on(on, number, project, **more))
    assert phase(on, incident) == "waiting"
    assert told(on, incident) == ["waiting"], "programs get every one"
    return incident


def test_the_first_question_of_each_project_is_read(line: Lines, chat: Received) -> None:
    """However long the storm of another one has lasted by then."""
    with line(world(4), config=limits(0, 0), **webhook(chat)) as on:
        shop = [asked_on(on, number, SHOP) for number in range(4)]
        bank = [asked_on(on, number, BANK) for number in range(2)]

        assert [read_of(chat, one) for one in shop] == [1, 0, 0, 0]
        assert [read_of(chat, one) for one in bank] == [1, 0]


def test_a_limit_in_all_that_one_project_has_used_up_silences_no_other(line: Lines, chat: Received) -> None:
    """The storm is the first one's; the question is the second one's."""
    with line(world(4), config=limits(9, 1), **webhook(chat)) as on:
        first = on.respond(found_on(on, 0, SHOP))
        shop = [asked_on(on, number, SHOP) for number in range(1, 4)]
        bank = [asked_on(on, number, BANK) for number in range(2)]

        assert phase(on, first) == "contained"
        assert [read_of(chat, one) for one in shop] == [1, 0, 0]
        assert [read_of(chat, one) for one in bank] == [1, 0]


def test_a_project_of_which_only_the_number_is_known_is_not_taken_for_another(line: Lines, chat: Received) -> None:
    """Where that cannot be told, one message more is better than one question unread."""
    with line(world(4), config=limits(0, 0), **webhook(chat)) as on:
        for number in range(3):
            asked_on(on, number, SHOP)
        pair = found_on(on, 0, BANK, project_spelled="number", held=False)
        pair["resource"]["gcpMetadata"].pop("projectDisplayName")
        put_finding(on.world, pair["finding"], pair["resource"])
        bank = on.respond(pair)

        assert phase(on, bank) == "waiting"
        assert read_of(chat, bank) == 1


def test_a_question_for_another_reason_is_read_in_the_midst_of_its_own_projects_storm(
    line: Lines, chat: Received
) -> None:
    """It is about more than a limit that is used up."""
    with line(world(4), config=limits(0, 0), **webhook(chat)) as on:
        for number in range(3):
            asked_on(on, number, SHOP)
        stale = asked_on(on, 3, SHOP, minutes_ago=90)

        assert "stale" in cautions(on, stale)
        assert read_of(chat, stale) == 1


def test_what_is_reopened_after_a_storm_is_read(line: Lines, chat: Received) -> None:
    """Its first question was one of many; this one is about a suspect that can be reached again."""
    with line(world(4), config=limits(0, 0), **webhook(chat)) as on:
        incident = [asked_on(on, number, SHOP) for number in range(3)][-1]
        say(on, "approve", incident)
        before = read_of(chat, incident)
        on.world.set_traffic(f"{SHOP}/locations/europe-west1/services/shop2", {"latest": True, "percent": 100})
        later(on, 1)

        assert phase(on, incident) == "waiting"
        assert read_of(chat, incident) == before + 1


def test_a_storm_of_the_next_hour_is_told_again(line: Lines, chat: Received) -> None:
    with line(world(4), config=limits(0, 0), **webhook(chat)) as on:
        first = asked_on(on, 0, SHOP)
        second = asked_on(on, 1, SHOP)
        on.wait(3700)
        third = asked_on(on, 2, SHOP)

        assert [read_of(chat, one) for one in (first, second, third)] == [1, 0, 1]


def test_a_storm_that_somebody_planted_in_the_future_silences_nobody(line: Lines, chat: Received) -> None:
    """Whose clock was wrong once, or who told of it so."""
    with line(world(2), config=limits(0, 0), **webhook(chat)) as on:
        on.skipped_ns = 3 * 24 * 3600 * NANOS
        asked_on(on, 0, SHOP)
        on.skipped_ns = 0
        second = asked_on(on, 1, SHOP)

        assert read_of(chat, second) == 1


def forged(on: Line, number: int) -> Incident:
    return on.respond(found_on(on, 0, SHOP, finding_id=f"forged{number}", held=False))


def alerts(on: Line) -> list[str]:
    """What the alert on what could not be confirmed counts."""
    return [one["message"] for one in on.logged if one["severity"] == "ERROR" and "announcement" in one]


def of_another_category(on: Line, number: int) -> Incident:
    """As SCC holds the finding, no policy is about it."""
    pair = found_on(on, 0, SHOP, finding_id=f"differs{number}", held=False)
    put_finding(on.world, {**pair["finding"], "category": "Reverse Shell"}, pair["resource"])
    return on.respond(pair)


def on_another_service(on: Line, number: int) -> Incident:
    pair = found_on(on, 0, SHOP, finding_id=f"differs{number}", held=False)
    held = found_on(on, 1, SHOP, finding_id=f"differs{number}", held=False)
    put_finding(on.world, {**held["finding"], "eventTime": pair["finding"]["eventTime"]}, held["resource"])
    return on.respond(pair)


@pytest.mark.parametrize(
    ("tell", "ends"),
    [(forged, "deferred"), (of_another_category, "declined"), (on_another_service, "monitored")],
)
def test_a_storm_of_forged_findings_is_one_alert_an_hour_with_their_number(
    line: Lines, chat: Received, tell: Callable[[Line, int], Incident], ends: str
) -> None:
    """Each is on the ledger and on the topic."""
    with line(world(2), **webhook(chat)) as on:
        first = [tell(on, number) for number in range(5)]
        within = len(alerts(on)), len(chat.bodies)
        on.wait(3601)
        later_ones = [tell(on, number) for number in range(5, 8)]

        assert within == (1, 1)
        assert len(alerts(on)) == len(chat.bodies) == 2
        assert "4 more since the last alert" in alerts(on)[1]
        assert {phase(on, one) for one in (*first, *later_ones)} == {ends}
        assert all(told(on, one) == [ends] for one in (*first, *later_ones))


def test_of_a_storm_of_forged_findings_so_many_are_open_and_the_rest_is_recorded(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one among the rest is answered once SCC holds it; and one that SCC has come to hold leaves its place."""
    monkeypatch.setattr("firebreak.response.unheld.MOST_OPEN", 3)
    monkeypatch.setattr("firebreak.response.rest.MOST_OPEN", 3)
    with line(world(2), policy=ALWAYS) as on:
        on.sweep()
        waiting = [forged(on, number) for number in range(3)]
        over = [forged(on, number) for number in range(3, 5)]
        late = found_on(on, 1, SHOP, held=False)
        real = on.respond(late)
        before = [phase(on, one) for one in (*waiting, *over, real)]
        swept = on.sweep()
        put_finding(on.world, late["finding"], late["resource"])
        on.wait(61)
        on.sweep()
        on.close(waiting[0], "benign")
        on.wait(61)
        again = forged(on, 9)

        assert before == ["deferred"] * 3 + ["declined"] * 3
        assert "recorded as not held" in on.read(over[0]).history[-1].what
        assert swept.refused == ()
        assert phase(on, real) == "contained"
        assert phase(on, again) == "deferred"

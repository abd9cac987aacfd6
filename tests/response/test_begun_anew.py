"""An incident that was begun anew, because its record is not believed, keeps what stands of it; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sandbox.scc.notification_variants import muted
from sandbox.scc.notifications import Pair, notification_v2
from tests.response.answers import cut_short, phase
from tests.response.deployments import deployed, for_severity
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.releases import ELSEWHERE, OTHER_BAD, OTHER_GOOD, in_two_regions, serving
from tests.response.test_set_aside import HERE, Spoil, damaged, of_wrong_type, with_broken_seal

pytestmark = pytest.mark.thorough


def monitored(on: Line, _: Pair) -> None:
    deployed(on, ALWAYS, config="ceiling: monitor")


def named_by_no_policy(on: Line, _: Pair) -> None:
    deployed(on, for_severity("LOW", ALWAYS))


def of_no_category(on: Line, _: Pair) -> None:
    deployed(on, ALWAYS.replace("Added Malicious Binary", "Something Else").replace("Reverse Shell", "Another"))


def muted_since(on: Line, pair: Pair) -> None:
    on.world.findings[0]["finding"]["mute"] = "MUTED"
    on.respond(notification_v2(muted(pair)))


ENDS: Mapping[str, Callable[[Line, Pair], None]] = {
    "monitored": monitored,
    "named by no policy": named_by_no_policy,
    "of no category": of_no_category,
    "muted": muted_since,
}


@pytest.mark.parametrize("spoil", [damaged, of_wrong_type, with_broken_seal])
@pytest.mark.parametrize("how", ENDS)
def test_what_stands_of_an_incident_that_is_begun_anew_stays_and_can_be_released(
    line: Lines, how: str, spoil: Spoil
) -> None:
    """Whatever is decided this time: else nobody would know any more what Firebreak wrote."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        incident = on.respond(pair)
        spoil(on, "incident", incident.id)
        ENDS[how](on, pair)
        on.respond(pair)
        between = phase(on, incident), on.app.ledger.standing_at(HERE)[0].held_by(incident.id), set(on.reachable)
        answered = on.release(incident)

        assert between == ("contained", True, {GOOD})
        assert answered.done, answered.says
        assert set(on.reachable) == {BAD}
        assert not on.app.ledger.standing_at(HERE)[0].holds


def test_of_two_regions_both_are_known_to_be_held_and_released(line: Lines) -> None:
    with line(in_two_regions(), policy=ALWAYS) as on:
        pair = on.finding()
        incident = on.respond(pair)
        damaged(on, "incident", incident.id)
        monitored(on, pair)
        on.respond(pair)
        between = phase(on, incident), serving(on), serving(on, ELSEWHERE)
        answered = on.release(incident)

        assert between == ("contained", {GOOD: 100}, {OTHER_GOOD: 100})
        assert answered.done, answered.says
        assert (serving(on), serving(on, ELSEWHERE)) == ({BAD: 100}, {OTHER_BAD: 100})


def test_a_write_of_which_nothing_was_seen_is_not_called_contained_because_another_incident_joined(line: Lines) -> None:
    """What the other one looks at is what it asked for itself."""
    with line(policy=ALWAYS) as on:
        first = cut_short(on, on.finding(minutes_ago=5))
        on.wait(121)
        on.world.set_traffic("checkout", {"revision": GOOD, "percent": 100})
        second = on.respond(on.finding(finding_id="second", minutes_ago=4))
        held = on.app.ledger.standing_at(HERE)[0]

        assert not held.in_effect(first.id)
        assert held.held_by(first.id)
        assert held.in_effect(second.id)

"""What other incidents have against a refuge: open, true, forged and unreadable ones; over the wire."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.core.serialization import encode
from firebreak.core.timestamps import NANOS
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import mute, put_finding
from sandbox.world import World
from tests.response.conversation import cautions, doing, now, phase, reasons, say, writes
from tests.response.deployments import APPROVED, deployed, for_severity
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, ON_LATEST, REVISIONS, Line, Lines, world_of
from tests.response.test_set_aside import damaged, text_in_file
from tests.response.test_several_regions import ELSEWHERE, OTHER_GOOD, THERE, THERE_TOO
from tests.response.test_several_regions import world_of as two_regions

DAY = 86_400 * NANOS
BOTH = (for_severity("CRITICAL", ALWAYS), for_severity("LOW", APPROVED))


def asked_about(on: Line, revision: str = GOOD, **scene: Any) -> Incident:
    """An incident on the same service, which waits for a person and suspects this revision.

    Its finding is muted since, so that nothing but the incident speaks of it.
    """
    given: dict[str, Any] = {"finding_id": "other", "severity": "LOW", "minutes_ago": 4, "image": None, **scene}
    pair = on.finding(workload=f"services/checkout/revisions/{revision}", **given)
    incident = on.respond(pair)
    if given.get("held", True):
        mute(on.world, pair["finding"]["name"])
    return incident


def tagged(*revisions: Mapping[str, Any], **more: Any) -> World:
    """Something leads to the good revision, so that there is something to ask about."""
    return world_of(revisions or REVISIONS, (*ON_LATEST, {"revision": GOOD, "tag": "stable"}), **more)


def serves(on: Line) -> set[str]:
    """Who gets requests, but by a tag."""
    return {name for name, ways in on.reachable.items() if "percent" in ways}


def forged(on: Line) -> Incident:
    """SCC holds nothing of it."""
    return asked_about(on, held=False, finding_id="forged")


def test_what_an_open_incident_suspects_is_no_refuge(line: Lines) -> None:
    with line(tagged()) as on:
        deployed(on, *BOTH)
        other = asked_about(on)
        incident = on.respond(on.finding())

        assert (other.phase, incident.phase) == ("waiting", "contained")
        assert serves(on) == {OLD}


def test_what_only_a_forged_message_names_is_one(line: Lines) -> None:
    """And it is found by no target, so that however many of them hide nothing."""
    with line(tagged()) as on:
        deployed(on, *BOTH)
        before = forged(on)
        incident = on.respond(on.finding())
        found = [key for key, _ in on.app.ledger.about(incident.targets[0], 10)]

        assert before.phase == "deferred"
        assert found == [incident.id]
        assert incident.phase == "contained"
        assert serves(on) == {GOOD}


Ends: Mapping[str, tuple[Callable[[Line, Incident], object], float, str]] = {
    "true, of today": (lambda on, one: on.close(one, "true_positive"), 0, OLD),
    "true, of 89 days ago": (lambda on, one: on.close(one, "true_positive"), 89, OLD),
    "true, of 91 days ago": (lambda on, one: on.close(one, "true_positive"), 91, GOOD),
    "false": (lambda on, one: on.close(one, "false_positive"), 0, GOOD),
    "rejected": (lambda on, one: on.reject(one), 0, GOOD),
}


@pytest.mark.parametrize("end", Ends)
def test_what_an_incident_suspected_that_was_found_true_is_no_refuge_for_90_days(line: Lines, end: str) -> None:
    act, days, taken = Ends[end]
    with line(tagged()) as on:
        deployed(on, *BOTH)
        act(on, asked_about(on))
        on.skipped_ns += round(days * DAY)
        incident = on.respond(on.finding(minutes_ago=1 - days * 24 * 60))

        assert incident.phase == "contained"
        assert serves(on) == {taken}


def test_a_storm_of_other_incidents_does_not_make_it_forgotten(line: Lines) -> None:
    """Many that were found benign since."""
    with line(tagged()) as on:
        deployed(on, *BOTH)
        on.close(asked_about(on), "true_positive")
        benign = on.read(asked_about(on, BAD, finding_id="benign"))
        for number in range(60):
            one = replace(benign, id=f"fb-{number:016x}", phase="closed", closed_as="benign", owner="")
            on.app.ledger.commit(on.app.ledger.incident_save(one, encode(one), None))
        on.respond(on.finding())

        assert serves(on) == {OLD}


@pytest.mark.parametrize("known", ["id", "number"])
def test_it_is_known_under_the_other_spelling_of_the_project_too(line: Lines, known: str) -> None:
    with line(tagged()) as on:
        deployed(on, *BOTH)
        asked_about(on, project_spelled=known)
        on.respond(on.finding(project_spelled={"id": "number", "number": "id"}[known]))

        assert serves(on) == {OLD}


def bare(pair: Pair) -> Pair:
    """As where SCC says nothing of the project but how the name spells it."""
    pair["finding"]["canonicalName"] = ""
    pair["resource"] = {"name": pair["resource"]["name"]}
    return pair


@pytest.mark.parametrize("known", ["id", "number"])
def test_it_is_known_as_the_same_resource_where_nothing_says_both_spellings(line: Lines, known: str) -> None:
    with line(tagged()) as on:
        deployed(on, *BOTH)
        given: dict[str, Any] = {"finding_id": "other", "severity": "LOW", "minutes_ago": 4, "image": None}
        about = f"services/checkout/revisions/{GOOD}"
        other = bare(on.finding(held=False, workload=about, project_spelled=known, **given))
        put_finding(on.world, other["finding"], other["resource"])
        asked = on.respond(other)
        mute(on.world, other["finding"]["name"])
        mine = bare(on.finding(held=False, project_spelled={"id": "number", "number": "id"}[known]))
        put_finding(on.world, mine["finding"], mine["resource"])
        incident = on.respond(mine)

        assert (asked.phase, incident.phase) == ("waiting", "contained")
        assert serves(on) == {OLD}


def test_a_refuge_in_a_further_region_is_disputed_there(line: Lines) -> None:
    with line(two_regions(*THERE_TOO)) as on:
        deployed(on, *BOTH)
        on.world.set_traffic(ELSEWHERE, *ON_LATEST, {"revision": OTHER_GOOD, "tag": "stable"})
        asked_about(on, OTHER_GOOD, location=THERE)
        incident = on.respond(on.finding())

        assert phase(on, incident) == "waiting"
        assert cautions(on, incident) == {"disputed"}
        assert on.world.service(ELSEWHERE).service.ingress == 1


STEPS = ("{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}", "{action: revoke_public_access}")


@pytest.mark.parametrize(
    ("steps", "public"),
    [(STEPS[:1], True), (STEPS, True), (STEPS, False)],
    ids=["pin", "pin and close", "pin, and closed already"],
)
def test_where_a_refuge_is_lacking_only_because_of_that_the_step_asks_and_shows_it(
    line: Lines,
    steps: tuple[str, ...],
    public: bool,  # noqa: FBT001 - a case
) -> None:
    """`otherwise` does not follow by itself, and what else there is to do, or is done already, does not hide it."""
    with line(tagged(*REVISIONS[1:], service={"public": public})) as on:
        deployed(on, for_severity("CRITICAL", doing(*steps)), for_severity("LOW", APPROVED))
        other = asked_about(on)
        incident = on.respond(on.finding())

        assert incident.phase == "waiting"
        assert f"{GOOD} is suspect in {other.id}" in reasons(on, incident)
        assert writes(on) == []
        assert on.world.service("checkout").service.ingress == 1


def test_what_a_person_agrees_to_leaves_the_step_undone_and_says_so(line: Lines) -> None:
    with line(tagged(*REVISIONS[1:])) as on:
        deployed(on, for_severity("CRITICAL", doing(*STEPS)), for_severity("LOW", APPROVED))
        asked_about(on)
        incident = on.respond(on.finding())
        answered = say(on, "approve", incident)

        assert answered.done, answered.says
        assert any("pin_previous_revision was not done" in one for one in now(on, incident)["still_open"])
        assert BAD in on.reachable


def broken(on: Line, kind: str, key: str) -> None:
    """Somebody without the key changed a word in place."""
    text = text_in_file(on, kind, key)
    spoilt = re.sub(r'"seal":\s*"', '"seal": "0', text)
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        file.execute("UPDATE documents SET body = ? WHERE kind = ? AND key = ?", (spoilt, kind, key))

    assert spoilt != text


@pytest.mark.parametrize("spoil", [damaged, broken])
@pytest.mark.parametrize("swept", [False, True], ids=["at once", "after a sweep"])
def test_an_incident_that_cannot_be_believed_may_have_something_against_any_revision(
    line: Lines,
    spoil: Callable[[Line, str, str], None],
    swept: bool,  # noqa: FBT001 - a case
) -> None:
    with line(tagged()) as on:
        deployed(on, *BOTH)
        other = asked_about(on)
        spoil(on, "incident", other.id)
        if swept:
            on.wait(3600)
            on.sweep()
        incident = on.respond(on.finding(minutes_ago=1 - 60 * swept))

        assert incident.phase == "waiting"
        assert other.id in reasons(on, incident)
        assert writes(on) == []


def test_a_message_of_an_earlier_state_of_the_finding_is_delivered_once_more_and_disputes_nothing(line: Lines) -> None:
    """An incident has nothing against itself."""
    with line(tagged()) as on:
        deployed(on, *BOTH)
        pair = on.finding()
        on.respond(pair)
        incident = on.respond(notification_v2(pair))

        assert incident.phase == "contained"
        assert serves(on) == {GOOD}

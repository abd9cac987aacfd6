"""A project's id and its number are one project: one hold, one budget, one bar, whichever way a finding spells it."""

from __future__ import annotations

import itertools
import json
from typing import Any, Literal

import pytest

from firebreak.core.incidents.incident import Incident
from sandbox.scc.notifications import Pair
from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line, Lines, revision, world_of
from tests.response.releases import (
    CUT,
    ELSEWHERE,
    OTHER_BAD,
    OTHER_GOOD,
    PIN,
    REVOKE,
    approve,
    in_two_regions,
    policy,
    results,
    serving,
    wished,
)

pytestmark = pytest.mark.thorough

NUMBER = "424242424242"
BASKET = SERVICE.replace("checkout", "basket")
Spelling = Literal["id", "number"]
SPELLINGS: tuple[Spelling, Spelling] = ("id", "number")
Known = Literal["SCC says both", "SCC says one"]
KNOWN: tuple[Known, Known] = ("SCC says both", "SCC says one")


def spelled(on: Line, project: Spelling, known: Known = "SCC says one", *, held: bool = True, **scene: Any) -> Pair:
    """A finding that spells the project so; SCC's metadata says the other spelling or does not."""
    pair = on.finding(held=False, project_spelled=project, **scene)
    if known == "SCC says one":
        pair["resource"] = {key: pair["resource"][key] for key in ("name", "type", "displayName", "location")}
        pair["finding"]["canonicalName"] = pair["finding"]["name"]
    if held:
        put_finding(on.world, pair["finding"], pair["resource"])
    return pair


def found(on: Line, project: Spelling, known: Known = "SCC says one", **more: Any) -> Incident:
    return on.respond(spelled(on, project, known, **more))


@pytest.mark.parametrize(("written", "known_as"), [("number", "shop-prod"), ("id", NUMBER)], ids=["id", "number"])
def test_a_cloud_run_that_knows_one_spelling_is_read_and_written_under_that(
    line: Lines, written: Spelling, known_as: str
) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        pair = spelled(on, written, "SCC says both")
        other = f"*projects/{NUMBER if known_as == 'shop-prod' else 'shop-prod'}/locations*"
        for service in ("Services", "Revisions"):
            on.sandbox.wire.inject(
                Fault(f"google.cloud.run.*{service}/*", "error", "NOT_FOUND", times=None, asked=other)
            )
        incident = on.respond(pair)

        assert incident.phase == "contained", incident.history[-1].what
        assert serving(on) == {GOOD: 100}
        assert on.release(incident).done
        assert serving(on) == {BAD: 100}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("order", list(itertools.permutations(SPELLINGS)), ids="-".join)
def test_a_second_finding_under_the_other_spelling_joins_what_stands(
    line: Lines, order: tuple[Spelling, Spelling], known: Known
) -> None:
    """Nothing new must be closed: no write, no question; the last release of both ends at the origin."""
    with line(policy=ALWAYS) as on:
        before = wished(on)
        first = found(on, order[0], known, minutes_ago=5)
        second = found(on, order[1], known, minutes_ago=4, finding_id="second")
        writes = len(on.updates)
        on.release(first)
        between = serving(on)
        on.release(second)

        assert (first.phase, second.phase) == ("contained", "contained")
        assert writes == 1
        assert between == {GOOD: 100}
        assert wished(on) == before
        assert [on.read(one).phase for one in (first, second)] == ["released", "released"]


@pytest.mark.parametrize("released", list(itertools.permutations(range(2))), ids=str)
@pytest.mark.parametrize("order", list(itertools.permutations(SPELLINGS)), ids="-".join)
def test_a_second_finding_under_the_other_spelling_leaves_no_hold_behind_in_any_region(
    line: Lines, order: tuple[Spelling, Spelling], released: tuple[int, ...]
) -> None:
    with line(in_two_regions(), policy=policy(PIN)) as on:
        incidents = [found(on, order[0], minutes_ago=5), found(on, order[1], minutes_ago=4, finding_id="second")]
        on.release(incidents[released[0]])
        between = serving(on), serving(on, ELSEWHERE)
        on.release(incidents[released[1]])

        assert between == ({GOOD: 100}, {OTHER_GOOD: 100})
        assert (serving(on), serving(on, ELSEWHERE)) == ({BAD: 100}, {OTHER_BAD: 100})
        assert [on.read(one).phase for one in incidents] == ["released", "released"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_either_spelling_alone_is_contained_and_released_and_the_record_names_it_so(
    line: Lines, spelling: Spelling
) -> None:
    with line(policy=policy(PIN)) as on:
        incident = found(on, spelling)
        closed = serving(on)
        on.release(incident)

        assert incident.phase == "contained"
        assert closed == {GOOD: 100}
        assert serving(on) == {BAD: 100}
        assert results(on, incident, "services/checkout") == {"service.traffic.split": "restored"}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_answers_that_spell_the_project_by_its_number_change_nothing(line: Lines, spelling: Spelling) -> None:
    """Cloud Run may answer so however it was asked."""
    with line(world_of(answers_by_number=True), policy=policy(PIN)) as on:
        incident = found(on, spelling)
        closed = serving(on)
        on.release(incident)

        assert incident.phase == "contained"
        assert closed == {GOOD: 100}
        assert serving(on) == {BAD: 100}
        assert on.read(incident).phase == "released"


@pytest.mark.parametrize("known", KNOWN)
def test_one_event_that_comes_under_both_spellings_is_one_incident_and_one_write(line: Lines, known: Known) -> None:
    with line(policy=ALWAYS) as on:
        pair = spelled(on, "id", known)
        first = on.respond(pair)
        other = json.dumps(pair).replace("com/projects/shop-prod/", f"com/projects/{NUMBER}/")
        again = on.respond(json.loads(other))

        assert again.id == first.id
        assert again.phase == "contained"
        assert len(on.updates) == 1


def test_a_finding_whose_two_names_spell_the_project_differently_is_of_one_workload(line: Lines) -> None:
    """`finding.resourceName` by id, `resource.name` by number."""
    with line(policy=ALWAYS) as on:
        pair = spelled(on, "id", "SCC says both", held=False)
        pair["resource"]["name"] = pair["resource"]["name"].replace("shop-prod", NUMBER)
        put_finding(on.world, pair["finding"], pair["resource"])
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert serving(on) == {GOOD: 100}


def test_where_neither_scc_nor_cloud_run_tells_whether_two_names_are_one_a_person_is_asked(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        found(on, "id", minutes_ago=5)
        on.sandbox.wire.inject(Fault("*/GetService", "error", "PERMISSION_DENIED", routed="*shop-prod*", times=None))
        second = found(on, "number", minutes_ago=4, finding_id="second")

        assert len(on.updates) == 1
        assert second.phase in ("waiting", "contained")  # what stands there bears the same uid


def test_the_same_name_in_a_project_that_is_known_to_be_another_is_another_service(line: Lines) -> None:
    """Two uids under the two spellings: nothing is joined, and each is released for itself."""
    other = "projects/515151515151/locations/europe-west1/services/checkout"
    with line(policy=ALWAYS) as on:
        names = ("checkout-00001-good", 7, "-10d"), ("checkout-00002-bad", 8, "-3h")
        on.world.add_service({"name": other, "updated": "-3h", "revisions": [revision(*one) for one in names]})
        first = found(on, "id", minutes_ago=5)
        second = found(on, "number", project_number="515151515151", minutes_ago=4, finding_id="second")
        on.release(first)

        assert second.phase == "contained"
        assert serving(on) == {BAD: 100}
        assert serving(on, other) == {"checkout-00001-good": 100}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("order", list(itertools.permutations(SPELLINGS)), ids="-".join)
def test_both_spellings_draw_on_one_budget(line: Lines, order: tuple[Spelling, Spelling], known: Known) -> None:
    """The second service of the project would be one too many in this hour."""
    config = "ceiling: enforce\nlimits: {per_project_per_hour: 1, per_hour: 20}"
    with line(config=config, policy=ALWAYS) as on:
        names = ("basket-00001-good", 7, "-10d"), ("basket-00002-bad", 8, "-3h")
        on.world.add_service({"name": BASKET, "updated": "-3h", "revisions": [revision(*one) for one in names]})
        first = found(on, order[0], known)
        second = found(on, order[1], known, workload="services/basket", finding_id="second")

        assert first.phase == "contained"
        assert second.phase == "waiting"
        assert serving(on, BASKET) == {"basket-00002-bad": 100}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("finding", SPELLINGS)
@pytest.mark.parametrize("own", SPELLINGS)
def test_firebreaks_own_project_is_barred_under_either_spelling(
    line: Lines, own: Spelling, finding: Spelling, known: Known
) -> None:
    """A bar, which no approval overrules; also where nothing tells whether the two spellings are one project."""
    project = {"id": "shop-prod", "number": NUMBER}[own]
    name = f"//run.googleapis.com/projects/{project}/locations/europe-west1/services/firebreak"
    with line(policy=ALWAYS, FIREBREAK_SELF=name) as on:
        incident = found(on, finding, known)
        approve(on, incident)

        assert incident.phase == "monitored"
        assert on.updates == ()
        assert serving(on) == {BAD: 100}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("finding", SPELLINGS)
@pytest.mark.parametrize("named", ["shop-prod", NUMBER])
def test_a_protected_project_asks_under_either_spelling(
    line: Lines, named: str, finding: Spelling, known: Known
) -> None:
    with line(config=f'ceiling: enforce\nprotected: [{{project: "{named}"}}]', policy=ALWAYS) as on:
        incident = found(on, finding, known)

        assert incident.phase == "waiting"
        assert on.updates == ()


def test_an_incident_under_one_spelling_is_still_held_when_the_other_is_released(line: Lines) -> None:
    """The doors that both of them shut stay shut until the last one."""
    with line(policy=policy(CUT)) as on:
        first = found(on, "number", minutes_ago=5)
        second = found(on, "id", minutes_ago=4, finding_id="second")
        approve(on, second)
        on.release(second)
        between = on.world.service(SERVICE).service.ingress
        on.release(first)

        assert int(between) == 4
        assert int(on.world.service(SERVICE).service.ingress) == 1

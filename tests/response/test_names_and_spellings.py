"""What a finding is about: names that cannot be read, that differ, or that spell the project in two ways."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.errors import Transient
from sandbox.scc.notifications import Pair
from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from tests.laws.grounds import GROUNDS
from tests.response.conversation import cautions, phase, reasons, say, told, writes
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line, Lines, revision

pytestmark = pytest.mark.thorough

NUMBER = "424242424242"
RUN = "//run.googleapis.com/projects/shop-prod/locations/europe-west1"
UNREADABLE: Mapping[str, str] = {
    "a new kind": f"{RUN}/functions/checkout",
    "a part below": f"{RUN}/services/checkout/instances/7",
    "dots": f"{RUN}/services/..",
    "too short": "//run.googleapis.com/projects/shop-prod",
    "escaped": f"{RUN}/services/check%6fut",
}


def named(on: Line, of_finding: str, of_resource: str | None = None, *, held: bool = True, **scene: Any) -> Pair:
    """A finding with these names, without what SCC says of the place besides."""
    pair = on.finding(held=False, **scene)
    pair["finding"]["resourceName"] = of_finding
    pair["resource"] = {"name": of_finding if of_resource is None else of_resource, "type": "google.run.Service"}
    if held:
        put_finding(on.world, pair["finding"], pair["resource"])
    return pair


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_name_on_cloud_run_that_cannot_be_read_is_asked_about(line: Lines, name: str) -> None:
    """Never declined in silence: SCC confirms it, and a person has to find out what it is."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(named(on, UNREADABLE[name]))
        asks = cautions(on, incident)
        answered = say(on, "reject", incident)

        assert incident.phase == "waiting"
        assert "name" in asks
        assert UNREADABLE[name].rpartition("/")[2] in reasons(on, incident)
        assert writes(on) == []
        assert answered.done, answered.says
        assert phase(on, incident) == "rejected"


def test_a_yes_to_it_does_nothing_and_says_why(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(named(on, UNREADABLE["a new kind"]))
        answered = say(on, "approve", incident)

        assert not answered.done
        assert "by hand" in answered.says
        assert writes(on) == []


def test_of_a_source_that_is_not_allowed_it_asks_nobody(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(named(on, UNREADABLE["a new kind"], source="9999"))

        assert incident.phase == "monitored"
        assert told(on, incident) == ["monitored"]


def test_where_scc_does_not_hold_it_it_waits_for_that(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        assert on.respond(named(on, UNREADABLE["a new kind"], held=False)).phase == "deferred"


@pytest.mark.parametrize("place", ["//container.googleapis.com/projects/p/clusters/c", "//x.googleapis.com/y", ""])
def test_what_lies_elsewhere_is_declined_as_before(line: Lines, place: str) -> None:
    with line(policy=ALWAYS) as on:
        assert on.respond(named(on, place, held=False)).phase == "declined"


Spoil = Callable[[Pair], None]


def _one_odd(pair: Pair) -> None:
    pair["finding"]["resourceName"] = UNREADABLE["dots"]


def _both_odd(pair: Pair) -> None:
    _one_odd(pair)
    pair["resource"]["name"] = UNREADABLE["dots"]


def _two_workloads(pair: Pair) -> None:
    pair["resource"]["name"] = f"{RUN}/services/basket"


def _elsewhere(pair: Pair) -> None:
    pair["resource"]["name"] = "//container.googleapis.com/projects/p/clusters/c"


@pytest.mark.parametrize("spoil", [_one_odd, _both_odd])
def test_what_only_the_message_names_oddly_is_decided_as_scc_names_it(line: Lines, spoil: Spoil) -> None:
    """The message says where to look, and no more."""
    with line(policy=ALWAYS) as on:
        pair = copy.deepcopy(on.finding())
        spoil(pair)
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert set(on.reachable) == {GOOD}


@pytest.mark.parametrize("spoil", [_two_workloads, _elsewhere])
def test_names_that_are_known_to_differ_are_declined_and_close_no_way_to_the_real_message(
    line: Lines, spoil: Spoil
) -> None:
    with line(policy=ALWAYS) as on:
        real = on.finding()
        pair = copy.deepcopy(real)
        spoil(pair)
        before = on.respond(pair).phase, writes(on)
        incident = on.respond(real)

        assert before == ("declined", [])
        assert incident.phase == "contained"


def test_a_name_that_can_be_read_beside_one_that_cannot_is_asked_about_where_scc_holds_both(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        pair = on.finding(held=False)
        _one_odd(pair)
        put_finding(on.world, pair["finding"], pair["resource"])
        incident = on.respond(pair)

        assert incident.phase == "waiting"
        assert "name" in cautions(on, incident)
        assert writes(on) == []


def spelled(on: Line, first: str, second: str, workload: str = "services/checkout", **scene: Any) -> Pair:
    """`finding.resourceName` under one project, `resource.name` under the other, and nothing that says both."""
    names = (f"//run.googleapis.com/projects/{one}/locations/europe-west1/{workload}" for one in (first, second))
    pair = named(on, *names, held=False, **scene)
    pair["finding"]["canonicalName"] = pair["finding"]["name"]
    put_finding(on.world, pair["finding"], pair["resource"])
    return pair


ORDERS = [("shop-prod", NUMBER), (NUMBER, "shop-prod")]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_names_that_differ_only_by_id_and_number_are_one_where_both_are_read_as_one(
    line: Lines, order: tuple[str, str]
) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(spelled(on, *order))

        assert incident.phase == "contained"
        assert set(on.reachable) == {GOOD}
        assert len(on.updates) == 1
        assert isinstance(incident.finding.target, Target)
        assert incident.finding.target.project_spellings == {"shop-prod", NUMBER}


@pytest.mark.parametrize("kind", ["worker_pool", "job"])
def test_so_are_those_of_a_pool_and_of_a_job(line: Lines, kind: str) -> None:
    ground = GROUNDS[kind]  # type: ignore[index]  # a kind of target
    with line(ground.world()) as on:
        incident = on.respond(spelled(on, *ORDERS[0], workload=ground.workload))

        assert incident.phase == "contained"


def test_where_scc_says_both_nothing_has_to_be_read(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        pair = on.finding(held=False)
        pair["resource"]["name"] = pair["resource"]["name"].replace("shop-prod", NUMBER)
        put_finding(on.world, pair["finding"], pair["resource"])
        incident = on.respond(pair)
        read = {str(call.request.name) for call in on.sandbox.wire.calls_to("*/GetService")}

        assert incident.phase == "contained"
        assert len(read) == 1


def test_two_projects_are_not_one(line: Lines) -> None:
    """Both exist, with a service of that name in each: nobody knows which is meant."""
    other = SERVICE.replace("shop-prod", "515151515151")
    with line(policy=ALWAYS) as on:
        on.world.add_service({"name": other, "revisions": [revision("checkout-00001-bad", 8, "-3h")]})
        incident = on.respond(spelled(on, "shop-prod", "515151515151"))

        assert incident.phase == "waiting"
        assert "name" in cautions(on, incident)
        assert writes(on) == []


def test_where_one_of_them_may_not_be_read_a_person_is_asked(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.inject(Fault("*/GetService", "error", "PERMISSION_DENIED", asked=f"*{NUMBER}*", times=None))
        incident = on.respond(spelled(on, "shop-prod", NUMBER))

        assert incident.phase == "waiting"
        assert "name" in cautions(on, incident)
        assert writes(on) == []


def test_where_one_of_them_is_away_it_costs_a_delivery_and_nothing_else(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        pair = spelled(on, "shop-prod", NUMBER)
        on.sandbox.wire.inject(Fault("*/GetService", "error", "UNAVAILABLE", asked=f"*{NUMBER}*", times=None))
        with pytest.raises(Transient):
            on.respond(pair)
        on.sandbox.wire.clear_faults()
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_the_message_may_spell_it_otherwise_than_scc(line: Lines, order: tuple[str, str]) -> None:
    with line(policy=ALWAYS) as on:
        pair = spelled(on, order[0], order[0])
        other = json.loads(json.dumps(pair).replace(f"com/projects/{order[0]}/", f"com/projects/{order[1]}/"))
        incident = on.respond(other)

        assert incident.phase == "contained"
        assert BAD not in on.reachable

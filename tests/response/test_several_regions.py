"""A service in several regions: contained in each by itself, one decision and one release for all; over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.ports.deadline import Deadline
from firebreak.response import pipeline
from sandbox.blueprint import digest_of
from sandbox.cloud_run.local_service import LocalService
from sandbox.wire import Fault
from sandbox.world import World
from tests.response.harness import (
    ALWAYS,
    BAD,
    GOOD,
    OLD,
    ON_LATEST,
    PIN_ONLY,
    REVISIONS,
    SERVICE,
    Line,
    Lines,
    revision,
)

HERE, THERE = "europe-west1", "us-east1"
ELSEWHERE = SERVICE.replace(HERE, THERE)
REGIONS = [HERE, THERE]
CUT = ALWAYS.replace(
    "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]", "then: [{action: cut_traffic}]"
)
APPROVED = ALWAYS.replace("mode: enforce", "mode: approve", 1)
OTHER_GOOD, OTHER_BAD = "checkout-00001-usg", "checkout-00002-usb"
THERE_TOO = (revision(OTHER_GOOD, 7, "-10d"), revision(OTHER_BAD, 8, "-3h"))


def world_of(*revisions: dict[str, Any], here: tuple[dict[str, Any], ...] = REVISIONS) -> World:
    """The service in two regions, whose revisions have names of their own; without revisions there is none there."""
    common = {"public": True, "updated": "-3h", "traffic": list(ON_LATEST), "regions": REGIONS}
    services = [{"name": SERVICE, "revisions": list(here), **common}]
    if revisions:
        services.append({"name": ELSEWHERE, "revisions": list(revisions), **common})
    return World.load({"projects": {"shop-prod": {"number": "424242424242"}}, "services": services})


def there(on: Line) -> LocalService:
    return on.world.service(ELSEWHERE)


def serving(on: Line) -> list[list[str]]:
    """What gets requests, here and there."""
    return [
        [one.revision for one in on.world.service(name).service.traffic_statuses if one.percent]
        for name in (SERVICE, ELSEWHERE)
    ]


def writes_to(on: Line, region: str) -> int:
    return sum(f"/{region}/" in call.request.service.name for call in on.updates)


def release(on: Line, incident: Incident) -> Incident:
    answered = on.release(incident, "ada")

    assert answered is not None
    assert answered.done, answered.says
    return on.read(incident)


def test_it_is_contained_in_every_region_by_the_images_of_the_suspects(line: Lines) -> None:
    """The finding is of one region and names a revision there; in the other one the same image has another name."""
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        incident = on.respond(on.finding(image=None, workload=f"services/checkout/revisions/{BAD}"))
        shown = on.shown(incident)

        assert incident.phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert [one["target"] for one in shown["plan"]["changes"]] == [SERVICE, ELSEWHERE]
        assert [one["status"] for one in shown["outcomes"]] == ["Success", "Success"]
        assert not any("the service also runs in" in line for line in incident.still_open)
        assert any(line.startswith("us-east1: the service still accepts requests") for line in incident.still_open)


def test_the_vault_keeps_what_every_region_was_like(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        names = {name.partition(".")[0] for name in on.app.vault.names(incident.id, Deadline.after(5))}

        assert {"service", "service_us_east1", "traffic_us_east1", "revisions_us_east1"} <= names


def test_a_service_in_several_regions_is_left_to_its_own_network(line: Lines) -> None:
    """Nothing says that one takes ingress none."""
    with line(world_of(*THERE_TOO), policy=CUT) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert [on.world.service(name).service.ingress for name in (SERVICE, ELSEWHERE)] == [2, 2]
        assert not any(call.status == "INVALID_ARGUMENT" for call in on.sandbox.wire.calls_to("*/UpdateService"))


def test_a_region_in_which_it_does_not_run_is_said_and_keeps_nobody_waiting(line: Lines) -> None:
    with line(world_of(), policy=ALWAYS) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert any("also runs in us-east1, where nothing was contained" in line for line in incident.still_open)


def test_a_region_that_cannot_be_read_asks_a_person_who_may_contain_the_rest(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        on.sandbox.wire.inject(Fault("*/GetService", "error", "PERMISSION_DENIED", routed="*us-east1*", times=None))
        incident = on.respond(on.finding())
        asked = on.shown(incident)
        on.approve(incident)
        contained = on.read(incident)

        assert incident.phase == "waiting"
        assert [cap["reason"] for cap in asked["decision"]["caps"]] == [
            "the service also runs elsewhere: us-east1 could not be read: PERMISSION_DENIED: planted by the sandbox"
        ]
        assert contained.phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_BAD]]
        assert any("us-east1, where nothing was contained" in line for line in contained.still_open)


def test_where_one_region_has_no_refuge_the_steps_otherwise_follow_there_alone(line: Lines) -> None:
    with line(world_of(THERE_TOO[1]), policy=ALWAYS) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert serving(on)[0] == [GOOD]
        assert [on.world.service(name).service.ingress for name in (SERVICE, ELSEWHERE)] == [1, 2]


def test_a_region_that_carries_no_image_of_a_suspect_is_left_as_it_is_and_said(line: Lines) -> None:
    with line(world_of(revision(OTHER_GOOD, 5, "-10d")), policy=PIN_ONLY) as on:
        incident = on.respond(on.finding())
        refusals = [one["reason"] for one in on.shown(incident)["plan"]["refusals"]]

        assert incident.phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert writes_to(on, THERE) == 0
        assert refusals == ["us-east1: no reachable revision carries the image of a suspect"]
        assert any("us-east1, where nothing was contained" in line for line in incident.still_open)


def test_one_approval_is_of_all_regions_and_a_change_in_any_of_them_asks_again(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=APPROVED) as on:
        incident = on.respond(on.finding())
        on.world.set_traffic(ELSEWHERE, {"revision": OTHER_BAD, "percent": 50}, {"latest": True, "percent": 50})
        first = incident.question.digest if incident.question else ""
        on.command("approve", incident, "ada", digest=first)
        again = on.read(incident)
        between = serving(on)[1]
        on.command("approve", incident, "ada", digest=again.question.digest if again.question else "")

        assert again.phase == "waiting"
        assert "us-east1: service.traffic.split" in again.history[-1].what
        assert between == [OTHER_BAD, OTHER_BAD]
        assert on.read(incident).phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]


def test_what_is_left_of_an_approved_plan_is_not_asked_about_again(line: Lines) -> None:
    """Others keep writing to the second region once the first is done: the same approval, delivered again, goes on."""
    with line(world_of(*THERE_TOO), policy=APPROVED) as on:
        incident = on.respond(on.finding())
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "ABORTED", routed="*us-east1*", times=5))
        with pytest.raises(Transient):
            on.approve(incident)
        answered = on.approve(incident)
        asked = [one.what for one in on.read(incident).history if one.what.startswith("asks a person")]

        assert answered.done, answered.says
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert len(asked) == 1


def test_what_somebody_did_meanwhile_in_one_region_asks_again_about_the_other(line: Lines) -> None:
    """Nothing has been written yet, and what there is to write is no longer what was shown."""
    with line(world_of(*THERE_TOO), policy=APPROVED) as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"revision": OLD, "percent": 100})
        answered = on.approve(incident)

        assert answered is not None
        assert not answered.done
        assert on.read(incident).phase == "waiting"
        assert serving(on) == [[OLD], [OTHER_BAD]]


def ingress(on: Line) -> list[int]:
    """Who may come in, here and there: 1 is all, 2 internal."""
    return [int(on.world.service(name).service.ingress) for name in (SERVICE, ELSEWHERE)]


@pytest.mark.parametrize("policy", [ALWAYS, CUT], ids=["pin, otherwise cut", "cut"])
def test_a_region_in_which_nothing_is_suspect_is_not_cut_whatever_the_steps_are(line: Lines, policy: str) -> None:
    """As in a rollout, region by region: the bad build has not come there."""
    with line(world_of(revision(OTHER_GOOD, 7, "-10d")), policy=policy) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert ingress(on)[1] == 1
        assert writes_to(on, HERE) == 1
        assert writes_to(on, THERE) == 0
        assert any("us-east1, where nothing was contained" in line for line in incident.still_open)


@pytest.mark.parametrize("denied", [HERE, THERE])
def test_where_one_regions_update_is_denied_the_other_is_pinned_and_neither_is_cut(line: Lines, denied: str) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "PERMISSION_DENIED", routed=f"*{denied}*", times=None))
        incident = on.respond(on.finding())
        pinned = [[GOOD], [OTHER_BAD]] if denied == THERE else [[BAD], [OTHER_GOOD]]

        assert incident.phase == "contained"
        assert serving(on) == pinned
        assert ingress(on) == [1, 1]
        assert any("PERMISSION_DENIED" in line for line in incident.still_open)


@pytest.mark.parametrize("mode", ["enforce", "approve"])
def test_where_one_regions_change_fails_for_good_its_otherwise_follows_there_alone(line: Lines, mode: str) -> None:
    """The other region is pinned, and what was approved covers the fallback that was shown."""
    with line(world_of(*THERE_TOO), policy=ALWAYS if mode == "enforce" else APPROVED) as on:
        on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
        incident = on.respond(on.finding())
        if mode == "approve":
            on.approve(incident)
            incident = on.read(incident)

        assert incident.phase == "contained"
        assert [one.status for one in incident.outcomes] == ["Failure", "Success", "Success"]
        assert serving(on)[1] == [OTHER_GOOD]
        assert ingress(on) == [2, 1]


def test_suspects_that_are_inferred_by_age_are_asked_about_and_written_in_no_other_region(line: Lines) -> None:
    """A person changed the service there an hour ago; nothing tells which of its revisions ran the binary."""
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        on.world.edit(ELSEWHERE, labels={"deployed": "again"})
        incident = on.respond(on.finding(image=None))
        caps = [cap.reason for cap in incident.decision.caps] if incident.decision else []
        on.approve(incident)
        contained = on.read(incident)

        assert incident.phase == "waiting"
        assert len(caps) == 1
        assert "us-east1, where it cannot be told what is suspect: the suspects are inferred by age" in caps[0]
        assert contained.phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_BAD]]
        assert ingress(on) == [1, 1]


def test_a_service_that_no_ingress_reaches_is_not_opened_to_its_networks(line: Lines) -> None:
    """Of several regions Cloud Run may not take `none`; where it stands, `internal` would be a way in."""
    with line(world_of(*THERE_TOO), policy=CUT) as on:
        for name in (SERVICE, ELSEWHERE):
            on.world.edit(name, ingress=4)
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert ingress(on) == [4, 4]
        assert all(on.world.service(name).service.default_uri_disabled for name in (SERVICE, ELSEWHERE))


def test_a_write_that_fails_in_one_region_is_named_and_the_other_one_stays_contained(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=PIN_ONLY) as on:
        refused = Fault("*/UpdateService", "error", "PERMISSION_DENIED", routed="*us-east1*", times=None)
        on.sandbox.wire.inject(refused)
        incident = on.respond(on.finding())
        outcomes = [(one.status, one.detail) for one in incident.outcomes]
        here = serving(on)
        released = release(on, incident)

        assert [status for status, _ in outcomes] == ["Success", "Failure"]
        assert outcomes[1][1].startswith("us-east1: PERMISSION_DENIED")
        assert here == [[GOOD], [OTHER_BAD]]
        assert released.phase == "released"
        assert serving(on) == [[BAD], [OTHER_BAD]]


def test_release_restores_every_region_and_leaves_a_persons_change_in_any_of_them(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=CUT) as on:
        incident = on.respond(on.finding())
        on.world.edit(ELSEWHERE, ingress=3)
        released = release(on, incident)

        assert released.phase == "released"
        assert [on.world.service(name).service.ingress for name in (SERVICE, ELSEWHERE)] == [1, 3]
        assert [on.world.service(name).service.default_uri_disabled for name in (SERVICE, ELSEWHERE)] == [False, False]
        assert released.still_open == (
            "us-east1: service.ingress: a person's: a person changed it, and it is left as it is",
        )


def test_a_region_that_refuses_the_release_keeps_its_hold_and_can_be_released_later(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "PERMISSION_DENIED", routed="*us-east1*"))
        refused = on.release(incident, "ada")
        between = serving(on), on.read(incident).phase
        released = release(on, incident)

        assert not refused.done
        assert refused.says.startswith("what was refused is still held: ")
        assert "us-east1: service.traffic.split: refused: PERMISSION_DENIED" in refused.says
        assert between == ([[BAD], [OTHER_GOOD]], "releasing")
        assert released.phase == "released"
        assert serving(on) == [[BAD], [OTHER_BAD]]


def test_a_finding_of_the_other_region_joins_and_the_last_release_of_both_ends_at_the_origin(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        first = on.respond(on.finding())
        second = on.respond(on.finding(finding_id="there", location=THERE))
        joined = second.phase, len(on.updates)
        release(on, first)
        between = serving(on)
        release(on, second)

        assert joined == ("contained", 2)
        assert between == [[GOOD], [OTHER_GOOD]]
        assert serving(on) == [[BAD], [OTHER_BAD]]


def test_the_sweep_asks_about_a_region_that_somebody_opened_again(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        on.world.set_traffic(ELSEWHERE, {"latest": True, "percent": 100})
        on.skipped_ns = 60 * 10**9
        pipeline.sweep(on.app)
        asked = on.read(incident)
        on.approve(incident)

        assert asked.phase == "waiting"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]


def test_a_delivery_that_died_between_two_regions_is_carried_on_by_the_next(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=PIN_ONLY) as on:
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "UNAVAILABLE", routed="*us-east1*", times=4))
        pair = on.finding()
        died = None
        try:
            on.respond(pair)
        except Exception as fault:  # noqa: BLE001 - whatever the function's entry would turn into a redelivery
            died = fault
        between = serving(on)
        on.skipped_ns = 31 * 10**9
        incident = on.respond(pair)

        assert died is not None
        assert between == [[GOOD], [OTHER_BAD]]
        assert incident.phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert writes_to(on, HERE) == 1


def test_a_finding_of_the_service_as_a_whole_is_contained_in_every_region_too(line: Lines) -> None:
    """Its name is at locations/global, and there its own settings are."""
    whole = SERVICE.replace(HERE, "global")
    world = world_of(*THERE_TOO)
    common = {"public": True, "updated": "-3h", "traffic": list(ON_LATEST), "regions": REGIONS}
    world.add_service({"name": whole, "revisions": list(REVISIONS), **common})
    with line(world, policy=ALWAYS) as on:
        incident = on.respond(on.finding(location="global"))

        assert incident.phase == "contained"
        assert [one["target"] for one in on.shown(incident)["plan"]["changes"]] == [whole, SERVICE, ELSEWHERE]
        assert serving(on) == [[GOOD], [OTHER_GOOD]]


def test_the_image_of_a_suspect_is_what_counts_and_not_its_name(line: Lines) -> None:
    """A revision of the same name with another image is another deployment."""
    with line(world_of(revision(OTHER_GOOD, 6, "-10d"), revision(BAD, 7, "-3h")), policy=PIN_ONLY) as on:
        incident = on.respond(on.finding(digest=digest_of(8)))

        assert incident.phase == "contained"
        assert serving(on) == [[GOOD], [BAD]]

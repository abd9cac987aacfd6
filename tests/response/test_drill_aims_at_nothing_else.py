"""The drill's source may lead to more than monitoring on its canary alone, whoever writes there or on the topics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.containment.canary import Canary
from firebreak.core.incidents.incident import Incident
from firebreak.core.serialization import encode
from firebreak.core.signing import Seal
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.sealed import Floors
from sandbox.scc.notifications import notification_v2
from tests.response.drills import (
    CANARY,
    DRILL,
    FIRST,
    NAME,
    SECOND,
    SOURCE,
    announced,
    canary,
    drilling,
    reasons,
    rehearsed,
    served,
    uid_of,
    world_with,
)
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line

THERE = CANARY.replace("europe-west1", "us-central1")
NO_CANARY = f"SCC source {SOURCE} is the drill's, and this is not the canary of a drill that was announced"
OVER = f"SCC source {SOURCE} is the drill's, and this canary was made more than an hour ago"
ACCOUNT = "pay@shop-prod.iam.gserviceaccount.com"
ALSO_ITS_ACCOUNT = ALWAYS.replace("then: [", "then: [{action: disable_service_account}, ")
AN_HOUR = 3600.0


def recorded_only(on: Line, incident: Incident) -> bool:
    """The plan is recorded, nothing was written, and no person can have it written either."""
    incident = on.read(incident)
    on.retry(incident)
    on.approve(on.read(incident))
    on.sweep()
    return on.read(incident).phase == "monitored" and not on.updates


def test_an_announced_canary_is_contained_and_released_as_anything_is(tmp_path: Path) -> None:
    with drilling(tmp_path) as on:
        told = announced(on)
        before = served(on)
        contained = rehearsed(on)
        during = served(on)
        released = on.release(contained)

        assert told.done, told.says
        assert (before, during, served(on)) == ([SECOND], [FIRST], [SECOND])
        assert contained.phase == "contained"
        assert released.done, released.says
        assert {call.request.service.name for call in on.updates} == {CANARY}


def production(on: Line) -> Incident:
    return rehearsed(on, "services/checkout")


def named_like_one_and_never_announced(on: Line) -> Incident:
    on.world.add_service(canary(CANARY.replace("ab12", "cd34")))
    return rehearsed(on, "services/firebreak-drill-cd34")


def made_anew_under_its_name(on: Line) -> Incident:
    on.world.delete(CANARY)
    on.world.add_service(canary())
    return rehearsed(on)


def of_the_same_name_in_another_region(on: Line) -> Incident:
    on.world.add_service(canary(THERE))
    return rehearsed(on, location="us-central1")


@pytest.mark.parametrize(
    "aimed",
    [production, named_like_one_and_never_announced, made_anew_under_its_name, of_the_same_name_in_another_region],
)
def test_what_is_not_the_very_canary_is_only_recorded(tmp_path: Path, aimed: Callable[[Line], Incident]) -> None:
    with drilling(tmp_path) as on:
        assert announced(on).done
        incident = aimed(on)

        assert reasons(incident) == [NO_CANARY]
        assert recorded_only(on, incident)


def test_a_canary_of_an_hour_ago_is_none_also_if_it_is_announced_again(tmp_path: Path) -> None:
    with drilling(tmp_path, config=f"ceiling: enforce\n{DRILL}\nstale_after: 7d") as on:
        assert announced(on).done
        on.wait(AN_HOUR)
        again = announced(on)
        incident = rehearsed(on)

        assert (again.done, "was not made within the last hour" in again.says) == (False, True)
        assert reasons(incident) == [OVER]
        assert recorded_only(on, incident)


def with_seal(on: Line, key: bytes | None) -> Ledger:
    """The same ledger in the hands of somebody with another key, or with none."""
    return Ledger(on.app.ledger.documents, "other", on.app.now_ns, Seal((key,) if key else ()), Floors())


def planted_without_a_seal(on: Line) -> None:
    on.app.ledger.documents.create("drill", uid_of(on), encode(forged(on)))


def planted_under_another_key(on: Line) -> None:
    with_seal(on, b"another key of the intruder").keep_canary(forged(on))


def copied_from_a_canary(on: Line) -> None:
    """The sealed record of a canary, put in the place of the service that is aimed at."""
    other = CANARY.replace("ab12", "cd34")
    on.world.add_service(canary(other))
    assert announced(on, other).done
    real = on.app.ledger.documents.read("drill", uid_of(on, other))
    assert real is not None
    on.app.ledger.documents.create("drill", uid_of(on), real.body)


def forged(on: Line) -> Canary:
    target = on.app.policies and on.read(rehearsed(on)).finding.target
    return Canary(uid_of(on), target, SOURCE, "mallory", on.app.now_ns() + 10**15)  # type: ignore[arg-type]


@pytest.mark.parametrize("planted", [planted_without_a_seal, planted_under_another_key, copied_from_a_canary])
def test_a_record_that_was_not_sealed_for_this_service_is_none(tmp_path: Path, planted: Callable[[Line], None]) -> None:
    with drilling(tmp_path) as on:
        planted(on)
        incident = rehearsed(on)

        assert reasons(incident) == [NO_CANARY]
        assert recorded_only(on, incident)


def test_a_record_that_was_put_back_is_of_no_use_after_the_hour(tmp_path: Path) -> None:
    with drilling(tmp_path, config=f"ceiling: enforce\n{DRILL}\nstale_after: 7d") as on:
        assert announced(on).done
        kept = on.app.ledger.documents.read("drill", uid_of(on))
        assert kept is not None
        on.wait(25 * AN_HOUR)
        on.app.ledger.documents.forget(on.app.now_ns(), 10)
        assert on.app.ledger.documents.read("drill", uid_of(on)) is None
        on.app.ledger.documents.create("drill", kept.key, kept.body)
        incident = rehearsed(on)

        assert reasons(incident) == [OVER]
        assert recorded_only(on, incident)


def test_a_finding_of_the_drill_makes_no_suspect_of_what_a_real_one_turns_to(tmp_path: Path) -> None:
    """Else whoever writes there could have the real answer stopped, or turned to where they are."""
    with drilling(tmp_path) as on:
        assert announced(on).done
        aimed = rehearsed(on, f"services/checkout/revisions/{GOOD}")
        real = on.respond(on.finding())

        assert aimed.phase == "monitored"
        assert real.phase == "contained"
        assert (served(on, SERVICE), on.reachable.get(BAD, set())) == ([GOOD], set())


def test_a_plan_that_would_disable_an_account_is_none_for_a_canary(tmp_path: Path) -> None:
    """The account may be production's, and what runs as it would stop with the canary."""
    world = world_with(canary(service_account=ACCOUNT), service_accounts=[{"email": ACCOUNT, "project": "shop-prod"}])
    with drilling(tmp_path, world, policy=ALSO_ITS_ACCOUNT) as on:
        assert announced(on).done
        incident = rehearsed(on)

        assert reasons(incident) == [
            f"SCC source {SOURCE} is the drill's, and the plan could reach more than its canary: {ACCOUNT}"
        ]
        assert recorded_only(on, incident)
        assert not on.sandbox.wire.calls_to("*/DisableServiceAccount")


def test_a_canary_that_came_to_run_elsewhere_too_is_contained_nowhere(tmp_path: Path) -> None:
    with drilling(tmp_path) as on:
        assert announced(on).done
        on.world.add_service(canary(THERE, regions=["europe-west1", "us-central1"]))
        on.world.edit(CANARY, multi_region_settings={"regions": ["europe-west1", "us-central1"]})
        incident = rehearsed(on)

        assert reasons(incident) == [
            f"SCC source {SOURCE} is the drill's, and the plan could reach more than its canary: us-central1"
        ]
        assert recorded_only(on, incident)


def test_a_halt_stops_a_drill_and_it_goes_on_when_that_is_lifted(tmp_path: Path) -> None:
    with drilling(tmp_path) as on:
        assert announced(on).done
        on.app.ledger.halt("game day", "ada")
        waits = rehearsed(on)
        during = served(on)
        on.resume()
        on.sweep()

        assert (waits.phase, during) == ("deferred", [SECOND])
        assert on.read(waits).phase == "contained"


def test_a_ceiling_holds_for_a_drill_as_for_anything(tmp_path: Path) -> None:
    with drilling(tmp_path, config=f"ceiling: monitor\n{DRILL}") as on:
        assert announced(on).done
        incident = rehearsed(on)

        assert reasons(incident) == ["the ceiling in firebreak.yaml is monitor"]
        assert recorded_only(on, incident)


def test_without_the_key_in_firebreak_yaml_there_is_no_drill(tmp_path: Path) -> None:
    with drilling(tmp_path, config="ceiling: enforce") as on:
        told = announced(on)
        incident = rehearsed(on)

        assert not told.done
        assert reasons(incident) == [f"SCC source {SOURCE} is not listed in firebreak.yaml"]
        assert recorded_only(on, incident)


def test_a_message_that_scc_does_not_hold_contains_no_canary(tmp_path: Path) -> None:
    with drilling(tmp_path) as on:
        assert announced(on).done
        pair = on.finding(workload=f"services/{NAME}", source=SOURCE, held=False)
        incident = on.respond(notification_v2(pair))

        assert (incident.phase, on.updates) == ("deferred", ())


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"public": True}, "others than its owners may call it"),
        ({"created": "-2h"}, "was not made within the last hour"),
        ({"labels": {}}, "both the name and the label"),
        ({"name": SERVICE.replace("checkout", "basket")}, "both the name and the label"),
        ({"regions": ["europe-west1", "us-central1"]}, "several regions"),
    ],
)
def test_only_what_a_drill_deploys_is_taken_as_a_canary(tmp_path: Path, made: dict[str, Any], why: str) -> None:
    with drilling(tmp_path, world_with(canary(**made))) as on:
        told = announced(on, str(made.get("name", CANARY)))

        assert (told.done, why in told.says) == (False, True), told.says


def test_a_canary_is_taken_by_the_uid_that_was_seen_and_in_the_projects_that_are_listed(tmp_path: Path) -> None:
    elsewhere = CANARY.replace("shop-prod", "shop-test")
    world = world_with(canary(), canary(elsewhere))
    world.projects["shop-test"] = "515151515151"
    with drilling(tmp_path, world) as on:
        other_uid = announced(on, uid=uid_of(on, SERVICE))
        not_listed = announced(on, elsewhere)

        assert "its uid differs" in other_uid.says
        assert "does not list shop-test" in not_listed.says
        assert not on.app.ledger.canaries(5)


def test_an_answer_that_comes_when_the_canary_is_none_any_more_is_not_carried_out(tmp_path: Path) -> None:
    """The gate is asked again before the write, and a bar is nothing that a person can answer."""
    with drilling(tmp_path, config=f"ceiling: approve\n{DRILL}\nstale_after: 7d") as on:
        assert announced(on).done
        asks = rehearsed(on)
        assert asks.phase == "waiting"
        on.wait(AN_HOUR)
        told = on.approve(asks)

        assert not told.done
        assert on.read(asks).phase == "monitored"
        assert not on.updates


def test_a_drill_takes_a_slot_as_whatever_is_carried_out_without_a_person(tmp_path: Path) -> None:
    config = f"ceiling: enforce\n{DRILL}\nlimits: {{per_project_per_hour: 1, per_hour: 1}}"
    other = CANARY.replace("ab12", "cd34")
    with drilling(tmp_path, world_with(canary(), canary(other)), config=config) as on:
        assert announced(on).done
        assert announced(on, other).done
        first, second = rehearsed(on), rehearsed(on, "services/firebreak-drill-cd34")

        assert (first.phase, second.phase) == ("contained", "waiting")


def test_three_canaries_an_hour_leave_the_limits_to_what_is_real(tmp_path: Path) -> None:
    names = [CANARY.replace("ab12", f"ab1{number}") for number in range(4)]
    with drilling(tmp_path, world_with(*(canary(one) for one in names))) as on:
        told = [announced(on, one).done for one in (*names, names[0])]

        assert told == [True, True, True, False, True]

"""How an incident comes to each of the states that a person may meet it in: real runs, over the wire of the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from firebreak.core.incidents.incident import Incident
from sandbox.wire import Fault
from sandbox.world import World
from tests.response.answers import HALF_AN_HOUR, no
from tests.response.harness import BAD, PIN_ONLY, SERVICE, Line, world_of
from tests.response.releases import ELSEWHERE, PIN, REVOKE, contained, half_released, in_two_regions, policy

ASKS = policy(PIN, mode="approve").replace("expect: {mode: enforce}", "expect: {mode: approve}")
BOTH = policy(PIN, REVOKE)
A_SWEEP_LATER = 301.0


@dataclass(frozen=True)
class Scene:
    """A policy, a world, and what happens; `run` ends with the incident in the state."""

    run: Callable[[Line], Incident]
    policy: str = PIN_ONLY
    config: str = "ceiling: enforce"
    world: Callable[[], World] = world_of


def _asked(on: Line) -> Incident:
    return on.respond(on.finding())


def _opened(on: Line) -> Incident:
    """Somebody leads all traffic to the newest revision again."""
    incident = contained(on)
    on.world.set_traffic("checkout", {"latest": True, "percent": 100})
    on.wait(A_SWEEP_LATER)
    on.sweep()
    return incident


def _drifted(on: Line) -> Incident:
    """Somebody changes another door, by which no suspect can be reached."""
    incident = contained(on)
    on.world.edit(next(iter(on.world.services)), ingress=2)
    on.wait(A_SWEEP_LATER)
    on.sweep()
    return incident


def _moved(on: Line) -> Incident:
    """Somebody leads the traffic elsewhere, where no suspect is."""
    incident = contained(on)
    on.world.set_traffic("checkout", {"revision": "checkout-00006-old", "percent": 100})
    on.wait(A_SWEEP_LATER)
    on.sweep()
    return incident


def _opened_elsewhere(on: Line) -> Incident:
    """In the other region a suspect gets all traffic again; here somebody shuts a door besides."""
    incident = contained(on)
    on.world.set_traffic(ELSEWHERE, {"latest": True, "percent": 100})
    on.world.edit(SERVICE, ingress=2)
    on.wait(A_SWEEP_LATER)
    on.sweep()
    return incident


def _opened_under_two(on: Line) -> Incident:
    """Two incidents hold it when somebody opens it again; the older one is looked at."""
    incident = contained(on)
    on.respond(on.finding(finding_id="another"))
    on.world.set_traffic("checkout", {"latest": True, "percent": 100})
    for _ in range(2):
        on.wait(A_SWEEP_LATER)
        on.sweep()
    return incident


def _closed_again_under_two(on: Line) -> Incident:
    """The same, and a person has it closed again as the newer one asks."""
    incident = _opened_under_two(on)
    newer = next(one.incident for one in on.app.ledger.newest(5) if one.incident.id != incident.id)
    on.approve(newer)
    on.wait(A_SWEEP_LATER)
    on.sweep()
    return incident


def _released(on: Line) -> Incident:
    incident = contained(on)
    on.release(incident)
    return incident


def _released_beside_a_person_s(on: Line) -> Incident:
    """One of the two settings is a person's by now."""
    incident = contained(on)
    on.world.set_traffic("checkout", {"revision": "checkout-00006-old", "percent": 100})
    on.release(incident)
    return incident


def _rejected(on: Line) -> Incident:
    incident = on.respond(on.finding())
    no(on, incident)
    return incident


def _rejected_after_a_release(on: Line) -> Incident:
    """Contained and taken back; then it was decided anew, which asks, and a person said no."""
    incident = contained(on)
    on.release(incident)
    again = on.respond(on.finding(minutes_ago=0))
    assert on.read(again).phase == "waiting"
    no(on, again)
    return again


def _failed(on: Line) -> Incident:
    on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
    return on.respond(on.finding())


def _denied_in_part(on: Line) -> Incident:
    """The traffic goes; who may call is not Firebreak's to change."""
    on.sandbox.wire.inject(Fault("*/SetIamPolicy", "error", code="PERMISSION_DENIED", times=None))
    return on.respond(on.finding())


def _deferred(on: Line) -> Incident:
    on.command("halt", reason="a drill")
    return on.respond(on.finding())


def _expired(on: Line) -> Incident:
    incident = on.respond(on.finding())
    for _ in range(4):
        on.wait(HALF_AN_HOUR)
        on.sweep()
    return incident


def _joined(on: Line) -> Incident:
    contained(on)
    return on.respond(on.finding(finding_id="another"))


def _closed(on: Line) -> Incident:
    incident = _released(on)
    on.close(incident, "true_positive")
    return incident


def _closed_by_hand(on: Line) -> Incident:
    """A person said no, and closed it as it turned out to be harmless."""
    incident = _rejected(on)
    on.close(incident, "benign")
    return incident


SCENES: Mapping[str, Scene] = {
    "asked": Scene(_asked, ASKS),
    "monitored": Scene(_asked, config="ceiling: monitor"),
    "contained": Scene(contained),
    "several regions": Scene(contained, world=in_two_regions),
    "joined": Scene(_joined),
    "denied in part": Scene(_denied_in_part, BOTH),
    "drifted": Scene(_drifted),
    "moved": Scene(_moved),
    "opened again": Scene(_opened),
    "opened in one region of two": Scene(_opened_elsewhere, world=in_two_regions),
    "opened again under two": Scene(_opened_under_two),
    "closed again under two": Scene(_closed_again_under_two),
    "releasing, one refused": Scene(half_released, BOTH),
    "released": Scene(_released),
    "released, one a person's": Scene(_released_beside_a_person_s, BOTH),
    "rejected": Scene(_rejected, ASKS),
    "rejected after a release": Scene(_rejected_after_a_release),
    "failed": Scene(_failed),
    "deferred": Scene(_deferred),
    "expired": Scene(_expired, ASKS),
    "closed": Scene(_closed),
    "closed, never contained": Scene(_closed_by_hand, ASKS),
}
SUSPECT = BAD

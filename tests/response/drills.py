"""A world with a drill's canary beside the service that the shop lives of, and what is done and seen there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from firebreak.core.incidents.incident import Incident
from sandbox.world import World
from tests.response.harness import ALWAYS, Line, Lines, Told, revision, world_of

SOURCE = "9999"
NAME = "firebreak-drill-ab12"
CANARY = f"projects/shop-prod/locations/europe-west1/services/{NAME}"
FIRST, SECOND = f"{NAME}-00001-one", f"{NAME}-00002-two"
LABELS = {"firebreak-drill": "canary"}
DRILL = f'drill: {{source: "{SOURCE}", projects: [shop-prod]}}'
CONFIG = f"ceiling: enforce\n{DRILL}"


def canary(name: str = CANARY, **more: Any) -> dict[str, Any]:
    """What a drill deploys: private, labelled, made just now, two revisions of one image."""
    short = name.rpartition("/")[2]
    revisions = [revision(f"{short}-00001-one", 8, "-4m"), revision(f"{short}-00002-two", 8, "-3m")]
    made = {"name": name, "created": "-4m", "updated": "-3m", "labels": LABELS, "revisions": revisions}
    return {**made, **more}


def world_with(*canaries: dict[str, Any], **more: Any) -> World:
    """The checkout service, and these canaries beside it."""
    world = world_of(**more)
    for one in canaries or (canary(),):
        world.add_service(one)
    return world


def drilling(folder: Path, world: World | None = None, **options: Any) -> Any:
    """A line whose firebreak.yaml names the drill's source."""
    given: dict[str, Any] = {"policy": ALWAYS, "config": CONFIG, **options}
    return Lines(folder)(world or world_with(), **given)


def uid_of(on: Line, name: str = CANARY) -> str:
    return str(on.world.service(name).service.uid)


def announced(on: Line, name: str = CANARY, uid: str | None = None) -> Told:
    """Somebody says on the commands topic that this is the canary of a drill."""
    return on.command("drill", canary=f"//run.googleapis.com/{name}", uid=uid if uid is not None else uid_of(on, name))


def rehearsed(on: Line, workload: str = f"services/{NAME}", **scene: Any) -> Incident:
    """A finding in the drill's source, as whoever may write there can word it."""
    number = len(on.world.findings)
    return on.respond(on.finding(workload=workload, source=SOURCE, finding_id=f"{number:032x}", **scene))


def reasons(incident: Incident) -> list[str]:
    assert incident.decision is not None
    return [cap.reason for cap in incident.decision.caps if cap.kind == "bar"]


def served(on: Line, name: str = CANARY) -> list[str]:
    """The revisions that get requests."""
    statuses = on.world.service(name).service.traffic_statuses
    return [one.revision for one in statuses if one.percent]

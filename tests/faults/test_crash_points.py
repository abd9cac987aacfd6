"""Killed at any point, then delivered again: one effective containment, a truthful record, every announcement made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.log import log_json
from firebreak.bootstrap import build
from firebreak.core.incidents.command import Command
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import LEASE_NS
from firebreak.policy_folder import load_policies
from firebreak.response import pipeline
from firebreak.response.app import App
from firebreak.settings import read_settings
from sandbox.scc.notifications import notification_v2
from sandbox.world import World
from tests.faults.crash_points import Points, watched
from tests.response.harness import BAD, REVISIONS, SERVICE, TOPIC, Line, Lines, world_of

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = SERVICE.replace("europe-west1", "us-east1")
ENDED = 7
RUNS = (("respond", 1), ("approve", 1), ("release", 1), ("respond", 2), ("release", 2))
"""What is done, and in how many regions the service runs."""
TAGGED = ({"latest": True, "percent": 100}, {"revision": BAD, "tag": "canary"})


class Died(BaseException):
    """The process is gone, as far as this one can be: nothing catches it, nothing is tidied up."""


def die() -> None:
    raise Died


@dataclass
class Scene:
    """One line on a fresh world, with a finding or an open question or a containment to work on."""

    line: Line
    app: App
    body: bytes
    incident: Incident | None = None

    def work(self, doing: str, app: App) -> Any:
        if doing == "respond":
            return pipeline.respond(app, self.body)
        assert self.incident is not None
        if doing == "release":
            return pipeline.execute(app, Command(uuid.uuid4().hex, "release", "ada", self.incident.id))
        assert self.incident.question is not None
        return pipeline.execute(
            app, Command(uuid.uuid4().hex, "approve", "ada", self.incident.id, digest=self.incident.question.digest)
        )


def world_in(regions: int) -> World:
    """The service in one region, or in two."""
    if regions == 1:
        return world_of(traffic=TAGGED)
    several = {"regions": ["europe-west1", "us-east1"]}
    world = world_of(traffic=TAGGED, service=several)
    world.add_service({"name": ELSEWHERE, "revisions": list(REVISIONS), "traffic": list(TAGGED), **several})
    return world


def traffic_of(line: Line) -> list[str]:
    return [str(target) for _, local in sorted(line.world.services.items()) for target in local.service.traffic]


def scene_of(doing: str, line: Line) -> Scene:
    scene = Scene(line, line.app, notification_v2(line.finding()))
    if doing != "respond":
        scene.incident = line.respond(scene.body)
    return scene


def config_of(doing: str) -> str:
    return "ceiling: approve" if doing == "approve" else "ceiling: enforce"


def finish(scene: Scene, doing: str) -> Incident:
    """What comes after the death: the lease runs out, and the same is delivered, or asked for, again."""
    scene.line.skipped_ns += LEASE_NS + 1
    scene.work(doing, scene.app)
    found = next(scene.app.ledger.newest(1)).incident
    if doing == "approve" and found.phase in ("containing", "verifying"):
        # The approval was saved: the next delivery of the finding carries it on.
        scene.line.skipped_ns += LEASE_NS + 1
        found = pipeline.respond(scene.app, scene.body).incident
    return found


def assert_right(scene: Scene, doing: str, incident: Incident, before: list[str]) -> None:
    line = scene.line
    announced = Counter(message["attributes"]["announcement"] for message in line.world.topics[TOPIC])
    phases = [one["phase"] for one in line.announced]
    regions = len(line.world.services)
    writes = len(line.updates)
    if doing == "release":
        assert incident.phase == "released"
        assert traffic_of(line) == before
        assert writes == 2 * regions
        assert "released" in phases
    else:
        assert incident.phase == "contained"
        assert not any(BAD in target for target in traffic_of(line))
        assert BAD not in line.reachable
        assert writes == regions
        assert phases[-1] == "contained"
        for target in incident.targets:
            standing, _ = scene.app.ledger.standing(target)
            assert standing.origin["service.traffic.split"] == "LATEST=100"
            assert standing.held_by(incident.id)
        assert len(incident.targets) == regions
    assert all(one.sent for one in incident.outbox)
    assert all(count <= 2 for count in announced.values())
    assert sum(announced.values()) - len(announced) <= 1


def enumerate_points(doing: str, lines: Lines, regions: int = 1) -> list[str]:
    """A run that nobody kills."""
    with lines(world_in(regions), config=config_of(doing)) as line:
        scene = scene_of(doing, line)
        points = Points()
        scene.work(doing, watched(scene.app, points))
        return points.passed


@pytest.mark.parametrize(("doing", "regions"), RUNS)
def test_a_death_at_any_point_is_mended_by_the_next_delivery(
    doing: str, regions: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Every point of the run, found by the code itself."""
    (tmp_path / "run").mkdir()
    names = enumerate_points(doing, Lines(tmp_path / "run"), regions)
    for number, name in enumerate(names):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Lines(folder)(world_in(regions), config=config_of(doing)) as line:
            before = traffic_of(line)
            scene = scene_of(doing, line)
            with pytest.raises(Died):
                scene.work(doing, watched(scene.app, Points(number, die)))
            try:
                assert_right(scene, doing, finish(scene, doing), before)
            except AssertionError as wrong:
                wrong.add_note(f"after dying {name} (point {number}) of {doing}")
                raise
            ids = Counter(message["attributes"]["announcement"] for message in line.world.topics[TOPIC])
            record_property("figure", f"deaths while it {doing}s, mended by the next delivery")
            for _ in range(sum(ids.values()) - len(ids)):
                record_property("figure", f"announcements doubled by a death while it {doing}s")

    assert len(names) > 20


def test_processes_killed_with_sigkill_leave_what_the_next_delivery_mends(tmp_path: Path) -> None:
    """Real processes, really killed: at every ledger save and every write of a containment."""
    (tmp_path / "run").mkdir()
    names = enumerate_points("respond", Lines(tmp_path / "run"))
    chosen = [number for number, name in enumerate(names) if "surface" in name or number % 5 == 0]
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda number: _killed(tmp_path, number), chosen))

    # A run on a busy machine has a save more or less: one that ended before its point had nowhere to die.
    assert set(codes) <= {-signal.SIGKILL, ENDED}
    assert codes.count(ENDED) <= 2


def _killed(tmp_path: Path, number: int) -> int:
    folder = tmp_path / f"victim{number}"
    folder.mkdir()
    with Lines(folder)(world_of(traffic=TAGGED)) as line:
        scene = scene_of("respond", line)
        message = folder / "message.json"
        message.write_bytes(scene.body)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("FIREBREAK_")},
            **line.sandbox.environment(),
            "FIREBREAK_POLICIES": str(line.app.settings.policies),
            "FIREBREAK_LEDGER": line.app.settings.ledger,
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
            "XDG_STATE_HOME": str(folder),
            "VIRUSTOTAL_API_KEY": "key",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "tests.faults.victim", "respond", str(message), str(number)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=60)  # noqa: S603
        settings = read_settings(environment)
        scene.app = build(settings, load_policies(settings.policies, log_json))
        line.skipped_ns = LEASE_NS + 1
        scene.app = line.on_this_clock(scene.app)
        incident = pipeline.respond(scene.app, scene.body).incident
        assert incident.phase == "contained", number
        assert len(line.updates) == 1, number
        assert BAD not in line.reachable, number
        return done.returncode

"""The whole line in one process: the real clients, over the wire, on a sandbox whose world a test describes."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from firebreak.adapters.virustotal import VirusTotal
from firebreak.bootstrap import build
from firebreak.core.incidents.command import Command
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.record import record
from firebreak.core.policy.policy import PolicySet
from firebreak.ledger.records import StoredIncident
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.response import pipeline
from firebreak.response.app import App
from firebreak.response.sweep import Swept
from firebreak.settings import read_settings
from sandbox.blueprint import digest_of
from sandbox.cloud_run.reachability import reachable_revisions
from sandbox.scc.notifications import Pair, Scene, malicious_binary_finding, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.server import Sandbox
from sandbox.wire import Call, Fault
from sandbox.world import World
from tests.response.clock import Clock, on_a_clock

OLD, GOOD, BAD = "checkout-00006-old", "checkout-00007-good", "checkout-00008-bad"
SERVICE = "projects/shop-prod/locations/europe-west1/services/checkout"
TOPIC = "projects/firebreak/topics/incidents"
ITS_NAME = '*filter: "name = *'
"""Of a listing: what asks for one finding by its name, and not for those around it."""
POLICIES = Path(__file__).resolve().parents[2] / "policies"
KNOWN = "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2"
ALWAYS = """
id: always
mode: enforce
when: {finding.category: "Execution: Added Malicious Binary Executed"}
then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]
examples:
  - {given: {}, expect: {mode: enforce}}
  - {given: {finding.category: "Reverse Shell"}, expect: nothing}
"""
PIN_ONLY = ALWAYS.replace(", otherwise: [{action: cut_traffic}]", "")


def revision(name: str, image: int, created: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": image, "created": created, **more}


REVISIONS = (revision(OLD, 6, "-30d"), revision(GOOD, 7, "-10d"), revision(BAD, 8, "-3h"))
ON_LATEST = ({"latest": True, "percent": 100},)


def world_of(
    revisions: tuple[Mapping[str, Any], ...] = REVISIONS,
    traffic: tuple[Mapping[str, Any], ...] = ON_LATEST,
    **more: Any,
) -> World:
    """A checkout service with these revisions and this traffic."""
    service = {
        "name": SERVICE,
        "public": True,
        "updated": "-3h",
        "revisions": list(revisions),
        "traffic": list(traffic),
        **more.pop("service", {}),
    }
    given = {
        "projects": {"shop-prod": {"number": "424242424242"}},
        "services": [service],
        "hashes": {KNOWN: {"malicious": 48, "label": "trojan.xmrig", "families": ["xmrig"]}},
        **more,
    }
    return World.load(given)


@dataclass(frozen=True)
class Told:
    """What became of a command, and the incident after it."""

    done: bool
    says: str
    stored: StoredIncident | None

    @property
    def held(self) -> StoredIncident:
        assert self.stored is not None
        return self.stored


class Line:
    """A world, the application on it, and what a test does and sees."""

    def __init__(self, sandbox: Sandbox, app: App, clock: Clock) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.world = sandbox.world
        self.skipped_ns = 0
        self.logged: list[dict[str, Any]] = []
        self.app = self.on_this_clock(app)

    def on_this_clock(self, app: App) -> App:
        """The application with a clock that a test moves by `skipped_ns`, and a log that it reads."""
        clock = lambda: time.time_ns() + self.skipped_ns  # noqa: E731 - too short for a name of its own
        return replace(app, now_ns=clock, ledger=replace(app.ledger, now_ns=clock), log=self._say)

    def _say(self, severity: str, message: str, **fields: object) -> None:
        self.logged.append({"severity": severity, "message": message, **fields})

    def finding(self, *, held: bool = True, image: int | None = 8, minutes_ago: float = 1, **scene: Any) -> Pair:
        """A finding on the service, which SCC holds too unless told otherwise."""
        event = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes_ago)
        time_ = event.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
        digest = digest_of(image) if image is not None else ""
        pair = malicious_binary_finding(Scene(**{"event_time": time_, "digest": digest, **scene}))
        if image is None:
            pair["finding"]["containers"] = []
        if held:
            put_finding(self.world, pair["finding"], pair["resource"])
        return pair

    def respond(self, pair_or_body: Pair | bytes) -> Incident:
        """Deliver one message; the incident afterwards."""
        body = pair_or_body if isinstance(pair_or_body, bytes) else notification_v2(pair_or_body)
        return pipeline.respond(self.app, body).incident

    def read(self, incident: Incident) -> Incident:
        held = self.app.ledger.read(incident.id)
        assert held is not None
        return held.incident

    def approve(self, incident: Incident, by: str = "ada") -> Told:
        """The yes of a person who looks now, if anything is asked."""
        return self.command("approve", incident, by, digest=self._digest(incident))

    def reject(self, incident: Incident, reason: str = "", by: str = "ada") -> Told:
        """The no of a person who looks now."""
        return self.command("reject", incident, by, reason=reason, digest=self._digest(incident))

    def close(self, incident: Incident, closed_as: str = "", reason: str = "", by: str = "ada") -> Told:
        """The word of a person who looks now on what it was."""
        digest = self._digest(incident)
        return self.command("close", incident, by, closed_as=closed_as, reason=reason, digest=digest)

    def _digest(self, incident: Incident) -> str:
        question = self.read(incident).question
        return question.digest if question else ""

    def command(self, verb: str, incident: Incident | None = None, by: str = "ada", **given: str) -> Told:
        """Carry out a command as `on_command` does, once."""
        order = Command(uuid.uuid4().hex, verb, by, incident.id if incident else "", sent_ns=self.app.now_ns(), **given)
        result = pipeline.execute(self.app, order)
        return Told(result.done, result.says, self.app.ledger.read(order.incident))

    def release(self, incident: Incident, by: str = "ada", leave: str = "", digest: str = "") -> Told:
        """A person takes the containment back; `leave` are settings to give up, one a line."""
        return self.command("release", incident, by, leave=leave, digest=digest)

    def retry(self, incident: Incident, by: str = "ada") -> Told:
        """A person has it decided anew."""
        return self.command("retry", incident, by)

    def sweep(self) -> Swept:
        """One turn of the scheduler."""
        return pipeline.sweep(self.app)

    def wait(self, seconds: float) -> None:
        """Let time pass for the application, not for the sandbox."""
        self.skipped_ns += round(seconds * 1e9)

    def resume(self) -> None:
        """Somebody lifts the halt that stands."""
        halt = self.app.ledger.halts.standing_halt()
        assert halt is not None
        self.app.ledger.halts.lift(halt, "bob")

    @property
    def updates(self) -> tuple[Call, ...]:
        """Writes to the service that were meant, not only asked about."""
        return tuple(call for call in self.sandbox.wire.calls_to("*/UpdateService") if not call.request.validate_only)

    def lose_answer(self, method: str) -> None:
        """The next call of this method is carried out, and its answer is lost."""
        self.sandbox.wire.inject(Fault(method, "lost_answer"))

    def abort(self, method: str) -> None:
        """The next call of this method is answered as one under a stale etag is."""
        self.sandbox.wire.inject(Fault(method, "error", code="ABORTED"))

    @property
    def announced(self) -> list[dict[str, Any]]:
        return [json.loads(message["data"]) for message in self.world.topics.get(TOPIC, [])]

    @property
    def reachable(self) -> dict[str, set[str]]:
        return reachable_revisions(self.world, "checkout")

    def shown(self, incident: Incident) -> dict[str, Any]:
        return record(incident)


@cache
def _policies(texts: tuple[tuple[str, str], ...]) -> PolicySet:
    """The policies of these files, read once for all tests that have the same."""
    return read_yaml_policies(dict(texts))


class Lines:
    """Makes lines for one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def __call__(
        self,
        world: World | None = None,
        *,
        config: str = "ceiling: enforce",
        policy: str | None = None,
        sources: str = '["5678"]',
        **environment: str,
    ) -> Iterator[Line]:
        policies = self._folder / "policies"
        policies.mkdir(exist_ok=True)
        (policies / "firebreak.yaml").write_text(f'organization: "123456789012"\nsources: {sources}\n{config}\n')
        shipped = {path.name: path.read_text() for path in POLICIES.glob("[0-9]*.yaml")}
        for name, text in (shipped if policy is None else {"10.yaml": policy}).items():
            (policies / name).write_text(text)
        with on_a_clock() as clock, Sandbox(world or world_of()) as sandbox:
            settings = {
                **sandbox.environment(),
                "FIREBREAK_POLICIES": str(policies),
                "FIREBREAK_LEDGER": f"sqlite:///{self._folder / 'ledger.sqlite'}",
                "FIREBREAK_CEILING": "enforce",
                "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
                "XDG_STATE_HOME": str(self._folder),
                "VIRUSTOTAL_API_KEY": "key",
                **environment,
            }
            texts = {Path(path).name: text for path, text in read_folder(policies).items()}
            app = build(read_settings(settings), _policies(tuple(texts.items())))
            yield Line(sandbox, app, clock)
            if isinstance(app.sources.files, VirusTotal):
                app.sources.files.close()

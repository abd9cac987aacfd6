"""What happens in the probes over the wire, as functions of the line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from firebreak.core.errors import Transient
from firebreak.core.findings.related import RelatedFindings
from firebreak.core.incidents.incident import Incident
from firebreak.core.timestamps import NANOS
from sandbox.scc.notifications import notification_v2
from sandbox.scc.security_center import mute
from sandbox.wire import Fault
from tests.guards.probing import Act, word
from tests.response.harness import BAD, GOOD, REVISIONS, SERVICE, Line

_THERE = (("checkout-00001-eu4", 7, "-10d"), ("checkout-00002-eu4", 8, "-3h"))
HOUR_NS = 3600 * NANOS
Change = Callable[[dict[str, Any]], object]


def comes(**scene: Any) -> Act:
    """A finding that differs from the usual one."""
    return lambda on: on.respond(on.finding(**scene))


def told(change: Change) -> Act:
    """A message that differs from the finding that SCC holds."""

    def act(on: Line) -> Incident:
        body = json.loads(notification_v2(on.finding()))
        change(body)
        return on.respond(json.dumps(body).encode())

    return act


def held(change: Change, **scene: Any) -> Act:
    """A finding that SCC holds otherwise than the message tells."""

    def act(on: Line) -> Incident:
        pair = json.loads(json.dumps(on.finding(**scene)))
        change(on.world.findings[-1])
        return on.respond(pair)

    return act


def everywhere(change: Change, **scene: Any) -> Act:
    """The same change in the message and in SCC."""

    def act(on: Line) -> Incident:
        on.finding(**scene)
        change(on.world.findings[-1])
        return on.respond(json.loads(json.dumps(on.world.findings[-1])))

    return act


def without(*path: str) -> Change:
    """Leave one field out."""

    def change(pair: dict[str, Any]) -> None:
        inner = pair
        for key in path[:-1]:
            inner = inner[key]
        inner.pop(path[-1])

    return change


def asked_then(between: Callable[[Line], object]) -> Act:
    """A person is asked; something happens; the person says yes."""

    def act(on: Line) -> Incident | str:
        incident = on.respond(on.finding())
        assert incident.phase == "waiting"
        between(on)
        answered = on.approve(incident)
        assert answered.held is not None
        now = answered.held.incident
        return now if now.phase == "waiting" else f"{word(now)}: {answered.says}"

    return act


def halted_then(between: Callable[[Line], object]) -> Act:
    """A halt holds it up; something happens; the halt is lifted, and the sweep takes up what waited."""

    def act(on: Line) -> Incident:
        on.app.ledger.halt("game day", "ada")
        incident = on.respond(on.finding())
        assert incident.phase == "deferred"
        between(on)
        on.resume()
        on.wait(90)
        on.sweep()
        return on.read(incident)

    return act


def settled(**finding: str) -> Callable[[Line], None]:
    """SCC's finding is changed by somebody."""

    def change(on: Line) -> None:
        on.world.findings[-1]["finding"].update(finding)

    return change


def scc_away_for_ten_minutes(on: Line) -> Incident:
    """It is asked again and again, and does not answer."""
    pair = on.finding()
    on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))
    try:
        return on.respond(pair)
    except Transient:
        on.skipped_ns = 601 * NANOS
        return on.respond(pair)


def about_another_service(on: Line) -> Incident:
    """SCC holds the finding for one service, the message names another."""
    on.finding(workload="services/other")
    return on.respond(on.finding(held=False))


def of_another_category(on: Line) -> Incident:
    """SCC holds the finding with one category, the message names another."""
    on.finding(category="Execution: Reverse Shell")
    return on.respond(on.finding(held=False))


def later_than_scc_knows(on: Line) -> Incident:
    """The message tells of an event that SCC does not know."""
    pair = json.loads(json.dumps(on.finding(minutes_ago=30)))
    pair["finding"]["eventTime"] = on.finding(held=False)["finding"]["eventTime"]
    return on.respond(pair)


class HaltUnreadable:
    """A store of the ledger's documents that cannot read the halt."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def read(self, kind: str, key: str) -> Any:
        if kind == "halt":
            raise Transient(key)
        return self._inner.read(kind, key)


def with_unreadable_halt(on: Line) -> None:
    """From now on nobody can say whether there is a halt."""
    store: Any = HaltUnreadable(on.app.ledger.documents)
    on.app = replace(on.app, ledger=replace(on.app.ledger, documents=store))


@dataclass(frozen=True)
class Declared:
    """An action that declares something else of itself."""

    action: Any
    reversible: bool = True
    reach: str = "workload"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.action, name)


def declaring(**more: Any) -> Callable[[Line], None]:
    """The pin, declared otherwise."""

    def prepare(on: Line) -> None:
        pin: Any = Declared(on.app.actions["pin_previous_revision"], **more)
        on.app = replace(on.app, actions={**on.app.actions, "pin_previous_revision": pin})

    return prepare


class _Forgetful(Declared):
    """An action that forgets to return what it made."""

    def edit(self, *_: object) -> None:
        """Nothing at all."""


def failing(on: Line) -> None:
    """The pin, which fails."""
    pin: Any = _Forgetful(on.app.actions["pin_previous_revision"])
    on.app = replace(on.app, actions={**on.app.actions, "pin_previous_revision": pin})


def contained_earlier(on: Line) -> Incident:
    """One incident stands on the service already."""
    incident = on.respond(on.finding(finding_id="earlier", minutes_ago=30))
    assert incident.phase == "contained"
    return incident


def contained_and_released(on: Line) -> None:
    """A person put the service back an hour ago."""
    on.release(contained_earlier(on))
    on.skipped_ns += HOUR_NS // 2


def without_the_region(region: str) -> Callable[[Line], None]:
    """The service of that region may not be read."""

    def prepare(on: Line) -> None:
        denied = Fault("*/GetService", "error", "PERMISSION_DENIED", times=None, routed=f"*{region}*")
        on.sandbox.wire.inject(denied)

    return prepare


def runs_in(region: str, **service: Any) -> Callable[[Line], None]:
    """The service runs in that region too, as it is there."""

    def prepare(on: Line) -> None:
        there = SERVICE.replace("europe-west1", region)
        revisions = [{"name": name, "image": image, "created": at} for name, image, at in _THERE]
        traffic = [{"latest": True, "percent": 100}]
        on.world.add_service({"name": there, "revisions": revisions, "traffic": traffic, **service})

    return prepare


def released_in(region: str) -> Callable[[Line], None]:
    """The service runs in that region too, where it was contained by itself and released."""

    def prepare(on: Line) -> None:
        runs_in(region)(on)
        incident = on.respond(on.finding(location=region))
        on.release(incident, "ada")

    return prepare


def changed_by_somebody(on: Line) -> None:
    """A pipeline sets a label while the finding is on its way."""
    on.world.edit("checkout", labels={"deployed": "again"})


def with_broken_seal(on: Line) -> None:
    """Somebody wrote to the ledger what stands on the service."""
    contained_earlier(on)
    documents = on.app.ledger.documents
    document = documents.read("standing", "shop-prod/europe-west1/service/checkout")
    assert document is not None
    documents.replace(document, {**document.body, "seal": "0" * 64})


def damaged_in_the_ledger(on: Line) -> None:
    """What stands on the service lost its end."""
    contained_earlier(on)
    with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
        file.execute("UPDATE documents SET body = substr(body, 1, 40) WHERE kind = 'standing'")


def of_a_newer_version(on: Line) -> None:
    """A later version saved what stands on the service, and nothing older may act on it."""
    contained_earlier(on)
    documents = on.app.ledger.documents
    document = documents.read("standing", "shop-prod/europe-west1/service/checkout")
    assert document is not None
    documents.replace(document, {**document.body, "format": 99, "acts_from": 99})


def suspected_elsewhere(on: Line) -> None:
    """An incident of another finding waits, about the revision that would take over; its finding is muted since."""
    pair = on.finding(finding_id="other", workload=f"services/checkout/revisions/{GOOD}", minutes_ago=5, image=None)
    on.respond(pair)
    mute(on.world, pair["finding"]["name"])


class Away:
    """SCC, which does not answer."""

    def related(self, *_: object) -> RelatedFindings:
        raise Transient("SCC is away")  # noqa: TRY003 - what an adapter says


def related_away_for_ten_minutes(**scene: Any) -> Act:
    """They are asked for again and again, and do not come."""

    def act(on: Line) -> Incident:
        pair = on.finding(**scene)
        try:
            return on.respond(pair)
        except Transient:
            on.skipped_ns = 601 * NANOS
            return on.respond(pair)

    return act


def made_anew(on: Line) -> None:
    """Somebody deletes the service and deploys it again under its name."""
    on.world.delete(SERVICE)
    traffic = [{"latest": True, "percent": 100}]
    on.world.add_service({"name": SERVICE, "revisions": list(REVISIONS), "traffic": traffic, "public": True})


def contained_and_made_anew(on: Line) -> None:
    """What stands was set on a service that is gone."""
    contained_earlier(on)
    made_anew(on)


def opened_again(on: Line) -> None:
    """Somebody leads traffic back to what is suspect."""
    contained_earlier(on)
    on.world.set_traffic("checkout", {"latest": True, "percent": 100})


def tagged_again(on: Line) -> None:
    """Somebody gives what is suspect a tag."""
    contained_earlier(on)
    on.world.set_traffic("checkout", {"revision": GOOD, "percent": 100}, {"revision": BAD, "tag": "debug"})


def looked_at_by_the_sweep(on: Line) -> Incident:
    """The sweep looks at what stands."""
    incident = next(on.app.ledger.newest(1)).incident
    on.wait(60)
    on.sweep()
    return on.read(incident)


def without_related_findings(on: Line) -> None:
    """SCC confirms the finding, and then does not list those around it."""
    on.app = replace(on.app, sources=replace(on.app.sources, findings=Away()))

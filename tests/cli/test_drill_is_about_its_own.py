"""A drill gives orders about the incidents of its own findings alone, whatever a name or the ledger says of others."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from firebreak.cli.commands import sending
from firebreak.cli.drill import cleaning, rehearsal
from firebreak.core.incidents.incident import Incident
from sandbox.wire import Call
from tests.cli.commands import Told
from tests.cli.drilling import COMMANDS, WORDS, deployed
from tests.response.drills import SOURCE, canary
from tests.response.harness import ALWAYS, SERVICE, Line
from tests.response.intruder import Intruder, record_of, with_record
from tests.response.test_channels import ASKS

pytestmark = pytest.mark.thorough

CLEAN = ("drill", "--clean", "--project", "shop-prod", "--region", "europe-west1", "--by", "ada", "--yes", "--json")
LURE = SERVICE.replace("checkout", "firebreak-drill-lure")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "_EACH", 4.0)
    monkeypatch.setattr(sending, "_PATIENCE_SECONDS", 4.0)
    monkeypatch.setattr(rehearsal, "_CONTAIN_SECONDS", 4.0)
    monkeypatch.setattr(rehearsal, "_MESSAGE_SECONDS", 4.0)
    monkeypatch.setattr(rehearsal, "_SWEEP_SECONDS", 4.0)
    monkeypatch.setattr(rehearsal, "_HEARD_SECONDS", 4.0)


def orders(on: Line) -> list[str]:
    """What was said on the commands topic of incidents."""
    said = [str(one["data"]) for one in on.world.topics.get(COMMANDS, [])]
    return [one for one in said if '"incident"' in one and "fb-" in one]


def test_a_workload_that_is_named_like_a_canary_stays_contained(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may deploy chooses names; what a detector found there is no drill's."""
    with deployed(tmp_path, monkeypatch, delivers=False, policy=ALWAYS) as on:
        on.world.add_service(canary(LURE, labels={}))
        real = on.respond(on.finding(workload="services/firebreak-drill-lure"))
        assert real.phase == "contained"
        firebreak(*CLEAN)

        assert on.read(real).phase == "contained"
        assert orders(on) == []


def waiting(on: Line) -> Incident:
    """A real incident, once it is delivered and asks."""
    on.finding()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        held = next(iter(on.app.ledger.newest(1)), None)
        if held is not None and held.incident.phase == "waiting" and not held.incident.owner:
            return held.incident
        time.sleep(0.02)
    pytest.fail("it does not ask")


def lookalike(on: Line, real: Incident) -> None:
    """The real incident's record as somebody without the key rewrites it: about a canary, in the drill's source."""
    there = Intruder(on).reads("incident", real.id)
    finding = record_of(there.body)["finding"]
    name, target = {**finding["name"], "source": SOURCE}, {**finding["target"], "name": "firebreak-drill-ab12"}
    changed = {**record_of(there.body), "finding": {**finding, "name": name, "target": target}}
    Intruder(on).writes(there, with_record(there.body, changed))


def test_a_record_that_was_made_to_look_like_a_drill_s_is_not_released(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be put back, whole and sealed, by the time that the order arrives."""
    with deployed(tmp_path, monkeypatch, delivers=False, policy=ALWAYS) as on:
        real = on.respond(on.finding())
        there = Intruder(on).reads("incident", real.id)
        lookalike(on, real)

        def put_back(_: Call) -> None:
            Intruder(on).puts_back(there)

        on.sandbox.wire.watch("*/Publish", put_back)
        firebreak(*CLEAN)
        put_back(None)  # type: ignore[arg-type]  # where nothing was published

        assert on.read(real).phase == "contained"
        assert orders(on) == []


def test_a_drill_approves_no_question_but_its_own(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the record of its incident could be made to speak of another one, which waits for a person."""
    with deployed(tmp_path, monkeypatch, policy=ASKS) as on:
        real = waiting(on)
        body = Intruder(on).reads("incident", real.id).body

        def speaks_of_another(_: Call) -> None:
            for one in Intruder(on).finds("incident"):
                if one.key != real.id:
                    Intruder(on).writes(one, body)

        on.sandbox.wire.watch("*/GetService", speaks_of_another)
        firebreak(*WORDS)

        assert on.read(real).phase == "waiting"
        assert [one for one in orders(on) if real.id in one] == []

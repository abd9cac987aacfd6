"""What allows a write is under the seal, not the plan alone: whoever writes to the ledger without the key gets none."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from sandbox.scc.notifications import Pair
from sandbox.wire import Fault
from tests.cli.commands import run
from tests.ledger.earlier import restored, scene
from tests.ledger.make_fixtures import KEY
from tests.response.conversation import (
    APPROVE,
    CONTAIN_UNANSWERED,
    alerts,
    asked,
    asking,
    deliver,
    doing,
    later,
    order,
    phase,
    say,
)
from tests.response.harness import ALWAYS, BAD, Line, Lines
from tests.response.intruder import Intruder, changed, fields_of, nothing, otherwise, record_of, with_record
from tests.response.test_waits_for_scc import service_of

pytestmark = pytest.mark.thorough

PHASES = "received containing verifying contained deferred releasing failed monitored released".split()
PARTS = frozenset({"decision", "plan", "question", "finding", "answer", "release"})
SUSPEND = f"{asking(doing('{action: suspend}'))}on_expiry: contain\n".replace("id: always", "id: other")
OPEN_AND_OVER = "asked asked_on_expiry told_while_asked expired rejected closed monitored_unverified".split()
FORGED = [*((name, forged) for name in OPEN_AND_OVER for forged in ("containing", "verifying")), ("asked", "received")]


def all_that_could_write(on: Line, incident: Incident, pair: Pair, digest: str) -> None:
    """Everything that ever leads to a write: an answer to what was seen, a sweep, the message again, an expiry.

    The answer comes first: what was begun anew meanwhile may rightly ask the very same, and be approved.
    """
    assert not say(on, "approve", incident, digest=digest).done
    on.sweep()
    on.respond(pair)
    later(on, 31)


@pytest.mark.parametrize("forged", PHASES)
def test_a_phase_that_is_set_without_the_key_leads_to_no_write(line: Lines, forged: str) -> None:
    """The policy asks; that somebody has answered is what the phase would say."""
    with line(policy=APPROVE) as on:
        pair = on.finding()
        incident = on.respond(pair)
        digest, intruder = asked(on, incident), Intruder(on)
        intruder.sets(intruder.reads("incident", incident.id), phase=forged, next_ns=0)
        all_that_could_write(on, incident, pair, digest)

        assert on.updates == ()
        assert BAD in on.reachable
        assert alerts(on, incident.id)


@pytest.mark.parametrize(
    "parts", [frozenset[str](), pytest.param(PARTS, marks=pytest.mark.thorough)], ids=["fields", "parts of fields"]
)
def test_no_field_of_an_incident_can_be_changed_into_a_write(line: Lines, parts: frozenset[str]) -> None:
    """Each is changed, and taken away, while the question has expired and the policy says to contain then."""
    with line(policy=CONTAIN_UNANSWERED) as on:
        incident, intruder = on.respond(on.finding()), Intruder(on)
        on.wait(1860)
        digest, document = asked(on, incident), intruder.reads("incident", incident.id)
        record = record_of(document.body)
        wrote: list[object] = []
        for way in fields_of(record, parts):
            for change in (otherwise, nothing):
                intruder.writes(document, with_record(document.body, changed(record, way, change)))
                say(on, "approve", incident, digest=digest)
                on.sweep()
                wrote += [(way, change)] * len(on.updates[len(wrote) :])
                intruder.puts_back(document)
        on.sweep()

        assert wrote == []
        assert alerts(on, incident.id)


def test_the_policy_that_asked_cannot_be_swapped_for_one_that_acts(tmp_path: Path) -> None:
    """Named as the one that decided, it would be asked what to do when nobody answers."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "20.yaml").write_text(SUSPEND)
    with Lines(tmp_path)(policy=APPROVE) as on:
        pair = on.finding()
        incident = on.respond(pair)
        digest, intruder = asked(on, incident), Intruder(on)
        document = intruder.reads("incident", incident.id)
        intruder.sets(document, decision={**record_of(document.body)["decision"], "policy": "other"})
        all_that_could_write(on, incident, pair, digest)

        assert on.updates == ()


@pytest.mark.parametrize(("name", "forged"), FORGED)
def test_a_phase_of_the_first_format_is_not_believed(tmp_path: Path, name: str, forged: str) -> None:
    """It was never sealed: such a record is decided anew, and what it is about is asked."""
    kept = scene("41af992", name)
    restored(kept, tmp_path / "ledger.sqlite")
    with Lines(tmp_path)(policy=kept["policy"], FIREBREAK_SEAL_KEY=KEY) as on:
        on.world.findings.extend(kept["findings"])
        intruder = Intruder(on)
        intruder.sets(intruder.reads("incident", kept["incident"]), phase=forged, next_ns=None)
        on.sweep()
        later(on, 10)

        assert on.updates == ()
        assert BAD in on.reachable


@pytest.mark.parametrize("forged", ["waiting", "containing", "received"])
@pytest.mark.parametrize("expires_in", [1, 31])
def test_the_policy_of_a_record_of_the_first_format_is_not_believed(
    tmp_path: Path, forged: str, expires_in: int
) -> None:
    """Today's policies decide it anew; the one that is named there would suspend the service once nobody answers."""
    kept = scene("41af992", "asked")
    restored(kept, tmp_path / "ledger.sqlite")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "20.yaml").write_text(SUSPEND)
    with Lines(tmp_path)(policy=kept["policy"], FIREBREAK_SEAL_KEY=KEY) as on:
        on.world.findings.extend(kept["findings"])
        intruder = Intruder(on)
        document = intruder.reads("incident", kept["incident"])
        decision = {**record_of(document.body)["decision"], "policy": "other", "caps": []}
        intruder.sets(document, phase=forged, decision=decision, next_ns=0)
        later(on, expires_in)
        later(on, 10)

        assert on.updates == ()


def test_a_record_of_before_a_release_that_is_put_back_leads_to_no_write(line: Lines) -> None:
    """It is sealed, and approved; what it was approved for is over."""
    with line(policy=APPROVE) as on:
        incident, intruder = on.respond(on.finding()), Intruder(on)
        yes = order(on, "approve", incident)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="INTERNAL", times=None))
        with suppress(Transient):
            deliver(on, yes)
        approved = intruder.reads("incident", incident.id)
        on.sandbox.wire.clear_faults()
        deliver(on, yes)
        later(on, 5)
        assert say(on, "release", incident).done
        on.wait(2 * 86_400)
        writes = len(on.updates)
        intruder.puts_back(approved)
        on.sweep()

        assert len(on.updates) == writes
        assert BAD in on.reachable


@pytest.mark.parametrize("end", ["reject", "close"])
def test_a_question_that_was_answered_with_no_and_is_put_back_leads_to_no_write(line: Lines, end: str) -> None:
    """Unanswered, the policy would contain when it expires."""
    with line(policy=CONTAIN_UNANSWERED) as on:
        incident, intruder = on.respond(on.finding()), Intruder(on)
        waiting = intruder.reads("incident", incident.id)
        assert say(on, end, incident, reason="our own load test").done
        intruder.puts_back(waiting)
        later(on, 31)

        assert on.updates == ()


def texts(intruder: Intruder) -> dict[tuple[str, str], str]:
    """Every body on the ledger as text, by kind and key."""
    return {(one["kind"], one["key"]): one["body"] for one in intruder.rows()}


def test_the_answer_to_one_question_is_no_answer_to_another(line: Lines) -> None:
    """Everything that an approval left on the ledger is copied, word for word, to another incident."""
    with line(policy=APPROVE) as on:
        on.world.add_service(service_of("basket"))
        first = on.respond(on.finding(finding_id="first"))
        second = on.respond(on.finding(finding_id="second", workload="services/basket"))
        intruder, digests = Intruder(on), (asked(on, first), asked(on, second))
        before = texts(intruder)
        yes = order(on, "approve", first)
        assert deliver(on, yes).done
        left = {place: text for place, text in texts(intruder).items() if before.get(place) != text}
        for (kind, key), text in left.items():
            here, forged = (
                one.replace(first.id, second.id).replace(digests[0], digests[1]).replace(yes.id, "0" * 32)
                for one in (key, text)
            )
            intruder.plants_text(kind, here, forged)
        on.sweep()
        later(on, 1)

        assert {kind for kind, _ in left} > {"incident"}
        assert len(on.updates) == 1
        assert {one.revision for one in on.world.service("basket").service.traffic_statuses} == {"basket-2-bad"}


def test_events_that_are_rewritten_move_nothing(line: Lines) -> None:
    """Whatever the ledger says that a message said: what counts is what SCC holds."""
    with line(policy=ALWAYS) as on:
        pair = on.finding(minutes_ago=2)
        incident = on.respond(pair)
        on.respond(on.finding(minutes_ago=1))
        for kind in ("event", "finding"):
            for document in Intruder(on).finds(kind):
                text = texts(Intruder(on))[kind, document.key]
                forged = text.replace(BAD, "checkout-00007-good").replace("8", "7")
                Intruder(on).plants_text(kind, document.key, forged)
        on.sweep()
        on.respond(pair)
        later(on, 10)

        assert set(on.reachable) == {"checkout-00007-good"}
        assert len(on.updates) == 1
        assert phase(on, incident) in ("contained", "waiting")


def test_a_record_with_a_broken_seal_is_not_released_and_says_how_to_do_it_by_hand(
    line: Lines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with line(policy=ALWAYS) as on:
        incident, intruder = on.respond(on.finding()), Intruder(on)
        document = intruder.reads("incident", incident.id)
        intruder.sets(document, phase="verifying")
        writes = len(on.updates)
        answered = say(on, "release", incident)
        monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        shown = run(capsys, "incident", "show", incident.id).out
        on.sweep()

        assert not answered.done
        assert len(on.updates) == writes
        assert "unverified" in shown.partition("To undo it by hand\n")[2]
        assert "gcloud run services update-traffic" in shown
        assert alerts(on, incident.id)

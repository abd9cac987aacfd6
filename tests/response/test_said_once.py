"""What people are told: each thing once, to whoever it is about, and nothing that an order from before did not mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.incidents.command import Command
from firebreak.core.incidents.incident import Incident
from firebreak.response import pipeline
from firebreak.response.confirm import difference
from sandbox.wire import Fault
from tests.response.answers import yes
from tests.response.deployments import APPROVED, UNANSWERED, deployed
from tests.response.harness import ALWAYS, SERVICE, Line, Lines, world_of
from tests.response.intruder import Intruder
from tests.response.releases import CUT, PIN, REVOKE, contained, phase, policy

TEN_MINUTES = 601.0


def test_what_was_closed_is_corrected_by_no_order_from_before_it(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        sent = on.app.now_ns()
        on.close(incident, "benign", "a drill")
        late = Command("late", "close", "bob", incident.id, closed_as="true_positive", reason="it was", sent_ns=sent)
        answered = pipeline.execute(on.app, late)
        on.wait(1)
        meant = pipeline.execute(on.app, replace(late, id="meant", sent_ns=on.app.now_ns()))

        assert (answered.done, answered.says) == (False, "closed as benign already")
        assert meant.done, meant.says
        assert on.read(incident).closed_as == "true_positive"


def test_what_was_opened_again_and_no_step_closes_is_told_and_not_asked_about(line: Lines) -> None:
    with line(world_of(service={"public": False}), policy=policy(PIN)) as on:
        incident = contained(on)
        deployed(on, policy(REVOKE))
        opened_again(on)

        assert phase(on, incident) == "contained"
        assert "the policy's steps do not close it" in on.read(incident).history[-1].what


def test_a_ledger_that_was_put_back_raises_an_alert(line: Lines) -> None:
    """Beside the halt, which nobody has to look at."""
    with line(policy=ALWAYS) as on:
        contained(on)
        on.sweep()
        intruder = Intruder(on)
        before = intruder.rows()
        on.command("halt", reason="a drill")
        on.command("resume")
        on.wait(3601)
        on.sweep()
        on.wait(3601)
        intruder.restores(before)
        on.sweep()

        assert any(one["severity"] == "ERROR" and "as if an older one" in one["message"] for one in on.logged)


def test_a_finding_that_nobody_says_to_be_of_the_organization_is_held_differently(line: Lines) -> None:
    """Neither by its name nor by its resource; without an organization to ask about, any is."""
    with line(policy=APPROVED) as on:
        found = on.respond(on.finding()).finding
        nobodys = replace(found, organization=None)

        assert "of which organization it is" in str(difference(found, nobodys, "123456789012"))
        assert difference(found, nobodys, None) is None


def two_on_one(on: Line) -> tuple[Incident, Incident]:
    """Two incidents that hold the same service."""
    return contained(on), contained(on, finding_id="another")


def test_what_others_changed_is_on_the_record_of_every_incident_that_holds_the_target(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        both = two_on_one(on)
        on.world.edit(SERVICE, ingress=2)
        on.wait(TEN_MINUTES)
        on.sweep()
        changed = [on.read(one).drift for one in both]
        on.world.edit(SERVICE, ingress=1)
        on.wait(TEN_MINUTES)
        on.sweep()

        assert all(changed), changed
        assert [on.read(one).drift for one in both] == [{}, {}]


def opened_again(on: Line) -> None:
    on.world.set_traffic("checkout", {"latest": True, "percent": 100})
    on.wait(TEN_MINUTES)
    on.sweep()


def test_what_was_opened_again_is_told_where_the_policy_that_closed_it_is_gone(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        deployed(on, policy(CUT).replace("id: always", "id: another"))
        opened_again(on)

        assert phase(on, incident) == "contained"
        assert "does not exist any more: close it by hand" in on.read(incident).history[-1].what


def test_what_was_opened_again_is_told_and_not_asked_about_during_a_halt(line: Lines) -> None:
    """A yes could not be carried out."""
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        on.command("halt", reason="a drill")
        opened_again(on)

        assert phase(on, incident) == "contained"
        assert "it is not asked whether to close it again: halted by" in on.read(incident).history[-1].what


def test_a_change_that_cannot_be_told_on_its_incident_is_told_by_the_sweep_once(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident, intruder = contained(on), Intruder(on)
        on.world.findings.clear()
        intruder.plants_text("incident", incident.id, '"not a record"')
        on.world.edit(SERVICE, ingress=2)
        on.wait(TEN_MINUTES)
        first = on.sweep()
        on.wait(TEN_MINUTES)
        again = on.sweep()

        assert any("cannot be told on its incident" in one for one in first.refused), first
        assert not any("cannot be told on its incident" in one for one in again.refused), again


def test_a_fault_of_ours_at_one_item_is_in_what_the_sweep_says(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so in its exit status."""
    with line(policy=policy(PIN)) as on:
        contained(on)
        monkeypatch.setattr("firebreak.response.sweep.look_at", None)
        on.wait(TEN_MINUTES)
        swept = on.sweep()

        assert swept.done["faults"] == 1
        assert any("a fault in Firebreak itself: TypeError" in one for one in swept.refused)


def test_a_command_is_answered_while_the_topic_is_away_and_told_by_the_sweep(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(on.finding())
        on.sandbox.wire.inject(Fault("*/Publish", "error", times=None))
        answered = yes(on, incident)
        before = [one["phase"] for one in on.announced]
        on.sandbox.wire.clear_faults()
        on.wait(TEN_MINUTES)
        on.sweep()

        assert answered.done, answered.says
        assert "contained" not in before
        assert on.announced[-1]["phase"] == "contained"


def test_silence_contains_nothing_that_rests_on_a_fact_nobody_knows(line: Lines) -> None:
    """Whatever the policy says of an expiry: people are asked again."""
    on_malware = UNANSWERED.replace('Binary Executed"}', 'Binary Executed", virustotal.malicious: {at_least: 10}}', 1)
    with line(policy=on_malware, VIRUSTOTAL_API_KEY="") as on:
        incident = on.respond(on.finding())
        on.wait(1801)
        on.sweep()

        assert "virustotal is unknown" in incident.history[-1].what
        assert "asked again, 1 of 3" in on.read(incident).history[-1].what
        assert on.updates == ()

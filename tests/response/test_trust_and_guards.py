"""Who may aim Firebreak, and what keeps it from acting alone: over the wire."""

from __future__ import annotations

import json

import pytest

from firebreak.core.errors import Malformed, Transient
from firebreak.core.timestamps import NANOS
from sandbox.scc.notification_variants import agent_engine_twin, gke_twin, inactive, muted
from sandbox.scc.notifications import Scene, notification_v2
from sandbox.wire import Fault
from tests.response.harness import BAD, ITS_NAME, Line, Lines, world_of

pytestmark = pytest.mark.thorough


def caps(on: Line, incident: object) -> list[str]:
    return [cap["name"] for cap in on.shown(incident)["decision"]["caps"]]  # type: ignore[arg-type]


def test_a_finding_that_scc_does_not_hold_is_planned_and_not_acted_on(line: Lines) -> None:
    """And no approval overrules that: there is no question. It waits for SCC, which may publish before it holds."""
    with line() as on:
        incident = on.respond(on.finding(held=False))

        assert incident.phase == "deferred"
        assert caps(on, incident) == ["unverified"]
        assert on.updates == ()
        assert incident.plan is not None
        assert incident.plan.writes


def test_a_finding_that_scc_holds_in_an_older_state_is_not_acted_on(line: Lines) -> None:
    """The message tells of an event that SCC does not know yet; it is asked again for a few seconds first."""
    with line() as on:
        pair = on.finding(minutes_ago=30)
        pair["finding"]["eventTime"] = on.finding(held=False)["finding"]["eventTime"]
        incident = on.respond(pair)

        assert incident.phase == "deferred"
        assert caps(on, incident) == ["unverified"]
        assert on.updates == ()


def test_a_message_about_another_workload_than_scc_holds_is_not_acted_on(line: Lines) -> None:
    """Whoever can publish cannot aim."""
    with line() as on:
        on.finding(workload="services/other")
        incident = on.respond(on.finding(held=False))

        assert incident.phase == "monitored"
        assert on.updates == ()


def test_facts_and_target_come_from_scc_not_from_the_message(line: Lines) -> None:
    """The message names a revision that SCC's finding does not."""
    with line() as on:
        on.finding()
        incident = on.respond(on.finding(held=False, workload="services/checkout/revisions/checkout-00007-good"))

        assert incident.phase == "contained"
        assert set(on.reachable) == {"checkout-00007-good"}


def test_a_finding_of_another_organization_is_not_acted_on_whatever_its_message_says(line: Lines) -> None:
    """A name under a project does not tell; what SCC says of the resource does."""
    with line() as on:
        pair = on.finding(organization="999999999999")
        pair["finding"]["name"] = pair["finding"]["canonicalName"]
        pair["resource"]["gcpMetadata"]["organization"] = "organizations/123456789012"
        incident = on.respond(pair)

        assert incident.phase == "monitored"
        assert caps(on, incident) == ["unverified"]
        assert on.updates == ()


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "INVALID_ARGUMENT", "NOT_FOUND"])
def test_where_scc_answers_for_the_project_alone_the_finding_is_confirmed_there(line: Lines, code: str) -> None:
    """Its canonical name says which; the organization's own SCC may be switched off."""
    with line() as on:
        pair = on.finding()
        both = 2 if code == "NOT_FOUND" else 1
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code=code, asked=ITS_NAME, times=both))
        incident = on.respond(pair)

        assert incident.phase == "contained"


def test_where_scc_answers_under_the_project_s_id_alone_the_finding_is_confirmed_there(line: Lines) -> None:
    """The message names the organization, and the canonical name has the project by its number."""
    with line() as on:
        pair = json.loads(json.dumps(on.finding()))
        kept = on.world.findings[-1]["finding"]
        kept["name"] = kept["name"].replace("organizations/123456789012", "projects/shop-prod")
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="PERMISSION_DENIED", asked=ITS_NAME, times=2))
        incident = on.respond(pair)
        looks = [call.request for call in on.sandbox.wire.calls_to("*/ListFindings")]
        asked = [one.parent for one in looks if one.filter.startswith("name = ")]

        assert incident.phase == "contained"
        assert [parent.partition("/sources")[0] for parent in asked][:3] == [
            "organizations/123456789012",
            "projects/424242424242",
            "projects/shop-prod",
        ]


def test_an_answer_of_more_than_four_megabytes_is_read(line: Lines) -> None:
    """Google's own clients lift the limit of gRPC; a page of long findings comes to that."""
    with line() as on:
        pair = on.finding()
        on.world.findings[0]["finding"]["description"] = "x" * 5_000_000

        assert on.respond(pair).phase == "contained"


def test_scc_unreachable_is_delivered_again_for_ten_minutes_and_then_asks_a_person(line: Lines) -> None:
    """An approval of that question goes on without SCC's word, and the record says so."""
    with line() as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))
        with pytest.raises(Transient):
            on.respond(pair)
        on.skipped_ns = 601 * NANOS
        incident = on.respond(pair)
        asked = on.announced[-1]
        answered = on.approve(incident)

        assert incident.phase == "waiting"
        assert "unconfirmed" in asked["question"]["cautions"]
        assert answered is not None
        assert answered.done
        assert BAD not in on.reachable


def test_a_finding_muted_in_scc_since_the_message_is_declined(line: Lines) -> None:
    """SCC's word, not the message's."""
    with line() as on:
        pair = on.finding()
        on.world.findings[0]["finding"]["mute"] = "MUTED"
        incident = on.respond(pair)

        assert incident.phase == "declined"
        assert on.updates == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda on: notification_v2(on.finding(), deleted=True),
        lambda on: notification_v2(muted(on.finding())),
        lambda on: notification_v2(inactive(on.finding())),
        lambda _: notification_v2(gke_twin(Scene())),
        lambda _: notification_v2(agent_engine_twin(Scene())),
        lambda on: notification_v2(on.finding(held=False, organization="999999999999")),
        lambda on: notification_v2(on.finding(category="Reverse Shell")),
    ],
    ids=["deleted", "muted", "inactive", "gke", "agent engine", "foreign", "category"],
)
def test_what_needs_no_decision_is_declined_with_a_reason_and_without_a_call(line: Lines, spoil: object) -> None:
    """Recorded, announced, acknowledged; nobody is asked anything."""
    with line() as on:
        incident = on.respond(spoil(on))  # type: ignore[operator]

        assert incident.phase == "declined"
        assert len(incident.history[-1].what) > 10
        assert {call.method for call in on.sandbox.wire.calls} == {"google.pubsub.v1.Publisher/Publish"}
        assert on.announced[-1]["phase"] == "declined"


def test_a_finding_declined_as_muted_is_decided_once_it_is_unmuted(line: Lines) -> None:
    """The same event, published again."""
    with line() as on:
        pair = on.finding()
        declined = on.respond(notification_v2(muted(pair)))
        incident = on.respond(pair)

        assert declined.phase == "declined"
        assert incident.id == declined.id
        assert incident.phase == "contained"


def test_an_unreadable_message_is_malformed(line: Lines) -> None:
    """For the dead letters."""
    with line() as on, pytest.raises(Malformed):
        on.respond(b"{}")


@pytest.mark.parametrize(
    ("setup", "name", "phase"),
    [
        ({"sources": "[]"}, "source", "monitored"),
        ({"sources": '["56789"]'}, "source", "monitored"),
        ({"config": "ceiling: monitor"}, "ceiling", "monitored"),
        ({"config": "ceiling: approve"}, "ceiling", "waiting"),
        ({"FIREBREAK_CEILING": "approve"}, "ceiling", "waiting"),
        ({"FIREBREAK_SELF": "//run.googleapis.com/projects/shop-prod/locations/l/services/fb"}, "self", "monitored"),
        ({"FIREBREAK_SELF": "//run.googleapis.com/projects/424242424242/locations/l/services/fb"}, "self", "monitored"),
        ({"config": "ceiling: enforce\nprotected: [{project: shop-prod}]"}, "protected", "waiting"),
        ({"config": "ceiling: enforce\nprotected: [{service: checkout}]"}, "protected", "waiting"),
        ({"config": 'ceiling: enforce\nprotected: [{folder: "7001"}]'}, "protected", "waiting"),
        ({"config": "ceiling: enforce\nceilings: [{project: shop-prod, ceiling: approve}]"}, "ceiling", "waiting"),
        ({"config": 'ceiling: enforce\nceilings: [{folder: "7001", ceiling: monitor}]'}, "ceiling", "monitored"),
        ({"config": "ceiling: enforce\nprotected: [{label: {tier: critical}}]"}, "protected", "waiting"),
        ({"config": "ceiling: enforce\nlimits: {per_project_per_hour: 0}"}, "blast_radius", "waiting"),
        ({"config": "ceiling: enforce\nstale_after: 30s"}, "stale", "waiting"),
    ],
)
def test_each_guard_lowers_the_mode_and_leaves_its_reason(
    line: Lines, setup: dict[str, str], name: str, phase: str
) -> None:
    """Bars leave only the record, cautions a question; nothing is written either way."""
    with line(world_of(service={"labels": {"tier": "critical"}}), **setup) as on:
        incident = on.respond(on.finding())

        assert incident.phase == phase
        assert name in caps(on, incident)
        assert on.updates == ()


@pytest.mark.parametrize(
    "config",
    [
        "ceiling: enforce\nprotected: [{project: shop}]",
        "ceiling: enforce\nprotected: [{service: check}]",
        'ceiling: enforce\nprotected: [{folder: "700"}]',
        'ceiling: enforce\nceilings: [{folder: "700", ceiling: monitor}, {project: shop, ceiling: monitor}]',
        "ceiling: enforce\nprotected: [{label: {tier: crit}}]",
        "ceiling: enforce\nprotected: [{project: shop-prod, service: pay}]",
    ],
)
def test_near_names_protect_nothing_else(line: Lines, config: str) -> None:
    """Compared as parsed parts, never by prefix."""
    with line(world_of(service={"labels": {"tier": "critical"}}), config=config) as on:
        assert on.respond(on.finding()).phase == "contained"


def test_a_halt_stops_everything_until_it_is_lifted(line: Lines) -> None:
    """Read with the claim, and again before the write. What it stopped waits for its end."""
    with line() as on:
        on.app.ledger.halt("game day", "ada")
        halted = on.respond(on.finding())
        on.resume()
        after = on.respond(on.finding(finding_id="another"))

        assert halted.phase == "deferred"
        assert "halt" in caps(on, halted)
        assert after.phase == "contained"


def test_a_halt_between_decision_and_write_stops_the_write(line: Lines) -> None:
    """A person is asked, somebody halts, the person approves: nothing is written, and it is asked anew after."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        on.app.ledger.halt("stop", "ada")
        answered = on.approve(incident, "bob")

        assert answered is not None
        assert not answered.done
        assert answered.held.incident.phase == "deferred"
        assert answered.held.incident.answer is None
        assert on.updates == ()


@pytest.mark.parametrize("change", ["MUTED", "INACTIVE", "gone"])
def test_a_finding_that_scc_settled_since_the_question_stops_an_approved_write(line: Lines, change: str) -> None:
    """An SCC that answers always stops the write; the answer is spent, and given up after a day."""
    with line(config="ceiling: approve") as on:
        incident = on.respond(on.finding())
        if change == "gone":
            on.world.findings.clear()
        elif change == "MUTED":
            on.world.findings[0]["finding"]["mute"] = "MUTED"
        else:
            on.world.findings[0]["finding"]["state"] = "INACTIVE"
        answered = on.approve(incident)
        on.wait(25 * 3600)
        on.sweep()

        assert not answered.done
        assert answered.held.incident.phase == "deferred"
        assert answered.held.incident.answer is None
        assert on.read(incident).phase == "declined"
        assert on.updates == ()


def test_deployed_with_an_emulator_variable_nothing_is_ever_written(line: Lines) -> None:
    """And every record says why."""
    with line(K_SERVICE="firebreak") as on:
        incident = on.respond(on.finding())

        assert incident.phase == "monitored"
        assert any("CLOUD_RUN_EMULATOR_HOST is set" in cap.reason for cap in incident.decision.caps)  # type: ignore[union-attr]


def test_the_sixth_containment_in_a_project_within_an_hour_asks_a_person(line: Lines) -> None:
    """Slots are taken in the incident's name and age out."""
    with line(config="ceiling: enforce\nlimits: {per_project_per_hour: 1, per_hour: 9}") as on:
        first = on.respond(on.finding())
        released = on.release(first, "ada")
        second = on.respond(on.finding(finding_id="second"))

        assert first.phase == "contained"
        assert released is not None
        assert second.phase == "waiting"
        assert set(caps(on, second)) == {"released"}

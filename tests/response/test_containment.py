"""A finding comes in, the workload is contained, the way back is known: over the wire, with the real clients."""

from __future__ import annotations

import pytest

from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.errors import Transient
from firebreak.ports.deadline import Deadline
from firebreak.response import pipeline
from sandbox.cloud_run.reachability import open_doors
from sandbox.scc.notifications import notification_v1, notification_v2
from sandbox.wire import Fault
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, PIN_ONLY, REVISIONS, SERVICE, Line, Lines, revision, world_of


def assert_contained_on(line: Line, refuge: str) -> None:
    """Exactly one write, masked and etagged, and the suspect cannot be reached by what serves."""
    assert len(line.updates) == 1
    assert list(line.updates[0].request.update_mask.paths) == ["traffic"]
    assert line.updates[0].request.service.etag.startswith('"')
    assert not line.updates[0].request.service.template.containers
    assert BAD not in line.reachable
    assert "percent" in line.reachable[refuge]


@pytest.mark.parametrize("notification", [notification_v1, notification_v2])
def test_a_notification_of_either_version_pins_the_right_revision(line: Lines, notification: object) -> None:
    """Tags on and LATEST pointing at the suspect are gone; one masked, etagged write; verified by what serves."""
    traffic = ({"latest": True, "percent": 100}, {"revision": BAD, "tag": "canary"}, {"revision": GOOD, "tag": "ok"})
    with line(world_of(traffic=traffic, settle_seconds=0.2)) as on:
        incident = on.respond(notification(on.finding()))  # type: ignore[operator]

        assert incident.phase == "contained"
        assert_contained_on(on, GOOD)
        assert on.reachable == {GOOD: {"percent", "tag ok"}}
        assert [one["phase"] for one in on.announced] == ["contained"]


def test_under_the_default_ceiling_nothing_is_written_and_the_plan_is_on_the_record(line: Lines) -> None:
    """Not even a mark in SCC."""
    with line(config="", FIREBREAK_CEILING="") as on:
        incident = on.respond(on.finding())

        assert incident.phase == "monitored"
        assert on.sandbox.wire.calls_to("*/UpdateService") == ()
        assert on.sandbox.wire.calls_to("*/UpdateSecurityMarks") == ()
        assert on.announced[-1]["plan"]["changes"][0]["after"]["service.traffic.split"] == f"{GOOD}=100"
        assert on.announced[-1]["decision"]["mode"] == "monitor"


def test_with_the_ceiling_raised_the_finding_is_marked_in_scc(line: Lines) -> None:
    """By key, so that nobody else's marks are touched."""
    with line() as on:
        pair = on.finding()
        pair["finding"]["securityMarks"] = {"marks": {"theirs": "kept"}}
        incident = on.respond(pair)
        marks = on.world.findings[0]["finding"]["securityMarks"]["marks"]

        assert marks["firebreak_state"] == "contained"
        assert marks["firebreak_incident"] == incident.id


def test_a_suspects_share_goes_to_the_refuge_and_others_keep_theirs(line: Lines) -> None:
    """Split traffic between the suspect and a canary that is not suspect."""
    canary = revision("checkout-00009-canary", 9, "-1h")
    traffic = ({"revision": BAD, "percent": 80}, {"revision": canary["name"], "percent": 20})
    with line(world_of((*REVISIONS, canary), traffic)) as on:
        on.respond(on.finding())

        assert_contained_on(on, GOOD)
        assert "percent" in on.reachable[canary["name"]]


def test_a_suspect_that_only_has_a_tag_loses_the_tag_and_nothing_else_moves(line: Lines) -> None:
    """A tag is a public address of its own."""
    traffic = ({"revision": GOOD, "percent": 100}, {"revision": BAD, "tag": "canary"})
    with line(world_of(traffic=traffic)) as on:
        on.respond(on.finding())

        assert on.reachable == {GOOD: {"percent"}}


def test_with_only_one_revision_the_step_is_refused_and_otherwise_follows(line: Lines) -> None:
    """No refuge: the doors are closed instead."""
    with line(world_of((REVISIONS[2],))) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert incident.plan is not None
        assert [one.action for one in incident.plan.refusals] == ["pin_previous_revision"]
        assert open_doors(on.world, "checkout") == {"anybody"}
        assert set(on.updates[0].request.update_mask.paths) == {"ingress", "default_uri_disabled"}


def test_without_an_otherwise_a_refused_step_fails_and_says_why(line: Lines) -> None:
    """Nothing is written, and the record tells each candidate's fault."""
    with line(world_of((REVISIONS[2],)), policy=PIN_ONLY) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "failed"
        assert on.updates == ()
        assert "no revision can take over" in incident.history[-1].what


def test_failed_and_gen1_revisions_are_no_refuge(line: Lines) -> None:
    """The newest good one behind them is."""
    revisions = (
        REVISIONS[0],
        revision("checkout-0007a", 7, "-9d", generation="gen1"),
        revision("checkout-0007b", 7, "-8d", ready=False),
        REVISIONS[2],
    )
    with line(world_of(revisions)) as on:
        on.respond(on.finding())

        assert_contained_on(on, OLD)


def test_a_refuge_that_a_related_finding_names_is_suspect_too(line: Lines) -> None:
    """Otherwise a second foothold would be chosen as the refuge."""
    with line() as on:
        on.finding(finding_id="related1", workload=f"services/checkout/revisions/{GOOD}", minutes_ago=5)
        on.respond(on.finding())

        assert_contained_on(on, OLD)


def test_a_muted_related_finding_makes_no_suspect(line: Lines) -> None:
    """A person has judged it."""
    with line() as on:
        on.finding(finding_id="related1", workload=f"services/checkout/revisions/{GOOD}", minutes_ago=5)
        on.world.findings[0]["finding"]["mute"] = "MUTED"
        on.respond(on.finding())

        assert_contained_on(on, GOOD)


def test_a_related_finding_on_a_service_with_a_near_name_is_not_related(line: Lines) -> None:
    """`checkout` is not `checkout-api`, though a filter by substring finds both."""
    with line() as on:
        on.finding(finding_id="other", workload=f"services/checkout-api/revisions/{GOOD}", minutes_ago=5)
        incident = on.respond(on.finding())

        assert_contained_on(on, GOOD)
        related = next(one for one in on.shown(incident)["evidence"] if one["source"] == "related")
        assert related["facts"]["related.count"] == 0


def test_latest_meaning_a_newer_fixed_build_convicts_nobody_and_asks_a_person(line: Lines) -> None:
    """A digest that no reachable revision carries: nothing is written, a person is asked."""
    fixed = revision("checkout-00009-fix", 9, "-10m")
    with line(world_of((*REVISIONS, fixed))) as on:
        incident = on.respond(on.finding(minutes_ago=30))

        assert incident.phase == "waiting"
        assert on.updates == ()
        assert incident.decision is not None
        assert [cap.name for cap in incident.decision.caps] == ["unplaced"]


def test_a_named_revision_that_nothing_leads_to_any_more_closes_nothing(line: Lines) -> None:
    """LATEST means a newer fixed build, and the finding names the old one."""
    fixed = revision("checkout-00009-fix", 9, "-10m")
    with line(world_of((*REVISIONS, fixed))) as on:
        incident = on.respond(on.finding(workload=f"services/checkout/revisions/{BAD}"))

        assert incident.phase == "declined"
        assert incident.history[-1].what == f"nothing to contain: nothing leads to {BAD}"
        assert on.updates == ()


def test_suspects_by_rule_three_are_contained_where_nothing_changed_since(line: Lines) -> None:
    """Neither revision nor digest is given."""
    with line() as on:
        incident = on.respond(on.finding(image=None))

        assert incident.phase == "contained"
        assert_contained_on(on, GOOD)


def test_suspects_by_rule_three_on_a_changed_service_ask_a_person(line: Lines) -> None:
    """What served then may not be what serves now."""
    with line(world_of(service={"updated": "-10s"})) as on:
        incident = on.respond(on.finding(image=None))

        assert incident.phase == "waiting"
        assert on.updates == ()


def test_where_related_findings_are_not_told_the_refuge_alone_is_asked_about(line: Lines) -> None:
    """By its exact name: SCC holds nothing on it."""
    with line() as on:
        pair = on.finding(image=None)
        on.sandbox.wire.inject(
            Fault("*/ListFindings", "error", code="PERMISSION_DENIED", asked="*resource_name : *", times=2)
        )
        incident = on.respond(pair)
        asked = [str(call.request.filter) for call in on.sandbox.wire.calls_to("*/ListFindings")]

        assert incident.phase == "contained"
        assert_contained_on(on, GOOD)
        assert any(f'/revisions/{GOOD}"' in one and "resource_name = " in one for one in asked)


def test_where_scc_has_no_answer_about_the_refuge_either_the_pin_asks(line: Lines) -> None:
    """A second foothold may be unknown."""
    with line() as on:
        pair = on.finding(image=None)
        on.sandbox.wire.inject(
            Fault("*/ListFindings", "error", code="PERMISSION_DENIED", asked="*resource_name*", times=None)
        )
        incident = on.respond(pair)

        assert incident.phase == "waiting"
        assert incident.decision is not None
        assert "refuge" in [cap.name for cap in incident.decision.caps]
        assert on.updates == ()


def test_a_stale_etag_is_read_again_and_written_once(line: Lines) -> None:
    """Somebody wrote at the same moment; the settings are still as drafted."""
    with line() as on:
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="ABORTED"))
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert len(on.updates) == 2
        assert BAD not in on.reachable


def test_a_lost_answer_is_read_back_and_never_written_twice(line: Lines) -> None:
    """The write was applied though nobody heard so."""
    with line() as on:
        on.sandbox.wire.inject(Fault("*/UpdateService", "lost_answer", code="UNAVAILABLE"))
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert_contained_on(on, GOOD)


def test_an_operation_that_ends_in_an_error_is_a_failure_and_otherwise_follows_once(line: Lines) -> None:
    """A written wish is no success; the doors are closed, drafted on a fresh reading."""
    with line(policy=ALWAYS) as on:
        on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert [one.status for one in incident.outcomes] == ["Failure", "Success"]
        assert "does not exist" in incident.outcomes[0].detail
        assert open_doors(on.world, "checkout") == {"anybody"}


def test_an_operation_error_without_otherwise_is_a_failed_incident(line: Lines) -> None:
    """And it is announced."""
    with line(policy=PIN_ONLY) as on:
        on.world.fail_next_operation()
        incident = on.respond(on.finding())

        assert incident.phase == "failed"
        assert incident.outcomes[-1].status == "Failure"
        assert on.announced[-1]["phase"] == "failed"


def test_a_later_event_that_needs_nothing_new_hides_nothing_of_what_was_written(line: Lines) -> None:
    with line() as on:
        first = on.shown(on.respond(on.finding(minutes_ago=5)))
        again = on.shown(on.respond(on.finding(minutes_ago=1)))

        assert (again["id"], len(again["events"])) == (first["id"], 2)
        assert (again["now"], again["undo"]) == (first["now"], first["undo"])
        assert again["settings"] == first["settings"]
        assert [one["became"] for one in again["settings"]] == ["done"]
        assert first["undo"] != []


def test_shut_doors_are_one_call_and_no_rehearsal_of_it(line: Lines) -> None:
    """A Cloud Run that did not know validate_only would carry the rehearsal out, and nobody would give it back."""
    with line(world_of((REVISIONS[2],))) as on:  # no refuge: otherwise, cut_traffic
        incident = on.respond(on.finding())
        calls = on.sandbox.wire.calls_to("*/UpdateService")

        assert incident.phase == "contained"
        assert [call.request.validate_only for call in calls] == [False]


def test_where_ingress_none_is_not_accepted_internal_follows_and_the_record_says_so(line: Lines) -> None:
    with line(world_of((REVISIONS[2],), accepts_ingress_none=False)) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert on.world.service("checkout").service.ingress == 2
        assert [call.status for call in on.updates] == ["INVALID_ARGUMENT", "OK"]
        assert any("ingress internal still admits" in text for text in incident.still_open)


def test_a_denied_write_is_recorded_and_announced(line: Lines) -> None:
    """Firebreak lacks a permission: no retry changes that."""
    with line(world_of(denied=["*/UpdateService"]), policy=PIN_ONLY) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "failed"
        assert "PERMISSION_DENIED" in incident.outcomes[0].detail
        assert len(on.updates) == 1


def test_what_could_not_be_read_is_left_named_and_no_otherwise_follows(line: Lines) -> None:
    """The service serves on with the good revision: nothing said that it had to be cut."""
    step = "{action: revoke_public_access, otherwise: [{action: cut_traffic}]}"
    with line(world_of(denied=["*/GetIamPolicy"]), policy=PIN_ONLY.replace("}]\n", "}, " + step + "]\n", 1)) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert_contained_on(on, GOOD)
        assert on.world.service("checkout").service.ingress == 1
        assert any(
            text.startswith("revoke_public_access was not done: service_iam could") for text in incident.still_open
        )
        assert (
            on.shown(incident)["now"] == "CONTAINED IN PART: revoke_public_access was not done; the rest is in force."
        )


def test_a_service_that_is_gone_is_an_outcome_and_not_a_crash(line: Lines) -> None:
    """There is nothing to contain, and the record says so."""
    with line() as on:
        incident = on.respond(on.finding(workload="services/vanished"))

        assert incident.phase == "failed"
        assert incident.outcomes[-1].status == "Does Not Exist"
        assert on.updates == ()


def test_an_operation_still_running_at_the_end_is_polled_on_by_the_next_delivery(line: Lines) -> None:
    """Saved by name; one write in all."""
    with line(world_of(settle_seconds=2.0)) as on:
        pair = on.finding()
        with pytest.raises(Transient):
            pipeline.respond(on.app, notification_v2(pair), budget=1.0)
        between = next(on.app.ledger.newest(1)).incident
        incident = on.respond(pair)

        assert between.phase == "verifying"
        assert between.operation is not None
        assert incident.phase == "contained"
        assert len(on.updates) == 1
        assert len(on.announced) == 1


def test_a_job_that_does_not_exist_is_recorded_and_nothing_is_written(line: Lines) -> None:
    """The shipped policies act on jobs; of one that is gone the record says just that."""
    with line() as on:
        incident = on.respond(on.finding(workload="jobs/nightly/executions/nightly-abcde"))

        assert incident.phase == "failed"
        assert [one.status for one in incident.outcomes] == ["Does Not Exist"]


def test_a_policy_that_does_not_come_does_not_hold_the_reading_up(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may call the service shapes no plan; a workload read too late would be none at all."""
    monkeypatch.setattr("firebreak.adapters.cloud_run.services._POLICY_SECONDS", 0.2)
    with line() as on:
        on.sandbox.wire.inject(Fault("*/GetIamPolicy", "hang", times=None))
        deadline = Deadline.after(5)
        target = parse_resource(f"//run.googleapis.com/{SERVICE}")
        assert isinstance(target, Target)
        workload = on.app.read(target, deadline)

        assert workload.invokers is None
        assert not deadline.passed

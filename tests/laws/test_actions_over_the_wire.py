"""Every discovered action on the sandbox: written once, verified, replayed, drifted, refused, released."""

from __future__ import annotations

import pytest

import pipeline
import responders
from core.errors import Refused
from tests.pipeline.line import BAD, Lines, world_of

ACTIONS = {name: one for name, one in responders.discover().items() if "service" in one.kinds}
every_action = pytest.mark.parametrize("name", sorted(ACTIONS))


def policy(name: str) -> str:
    return f"""
id: only-{name.replace("_", "-")}
mode: enforce
when: {{finding.category: "Execution: Added Malicious Binary Executed"}}
then: [{ACTIONS[name].example.replace(", require_different_image: true", "")}]
examples:
  - {{given: {{}}, expect: {{mode: enforce}}}}
  - {{given: {{finding.category: "Reverse Shell"}}, expect: nothing}}
"""


@pytest.fixture
def line(tmp_path: object) -> Lines:
    return Lines(tmp_path)  # type: ignore[arg-type]


@every_action
def test_it_is_written_once_verified_replayed_without_a_write_and_released(line: Lines, name: str) -> None:
    """Applied, delivered again, and taken back key by key."""
    with line(policy=policy(name)) as on:
        before = str(on.world.service("checkout").service.traffic), on.world.service("checkout").service.ingress
        pair = on.finding()
        incident = on.respond(pair)
        on.respond(pair)
        writes = len(on.updates)
        answered = pipeline.release(on.app, incident.id, "ada")
        after = str(on.world.service("checkout").service.traffic), on.world.service("checkout").service.ingress

        assert incident.phase == "contained"
        assert incident.outcomes[-1].status == "Success"
        assert writes == 1
        assert answered is not None
        assert answered.done
        assert after == before


@every_action
def test_a_missing_target_is_recorded_and_nothing_is_written(line: Lines, name: str) -> None:
    """An outcome, not a crash."""
    with line(policy=policy(name)) as on:
        incident = on.respond(on.finding(workload="services/vanished"))

        assert incident.phase == "failed"
        assert [one.status for one in incident.outcomes] == ["Does Not Exist"]
        assert on.updates == ()


@every_action
def test_permission_denied_is_a_failed_incident(line: Lines, name: str) -> None:
    """Recorded and announced; no retry changes it."""
    with line(world_of(denied=["*/UpdateService"]), policy=policy(name)) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "failed"
        assert incident.outcomes[-1].status == "Failure"
        assert on.announced[-1]["phase"] == "failed"


@every_action
def test_an_operation_error_is_a_failure_and_what_was_wished_can_be_released(line: Lines, name: str) -> None:
    """The wish is in the settings; the way back takes it out."""
    with line(policy=policy(name)) as on:
        before = str(on.world.service("checkout").service.traffic), on.world.service("checkout").service.ingress
        on.world.fail_next_operation()
        incident = on.respond(on.finding())
        pipeline.release(on.app, incident.id, "ada")
        after = str(on.world.service("checkout").service.traffic), on.world.service("checkout").service.ingress

        assert incident.phase == "failed"
        assert after == before


@every_action
def test_drift_before_an_approval_is_never_written_over(line: Lines, name: str) -> None:
    """Somebody moved all traffic away by hand: what was approved does not run on other settings."""
    with line(policy=policy(name), charter="ceiling: approve") as on:
        incident = on.respond(on.finding())
        on.world.set_traffic("checkout", {"revision": "checkout-00006-old", "percent": 100})
        pipeline.approve(on.app, incident.id, "ada")

        assert BAD not in on.reachable
        assert "percent" in on.reachable["checkout-00006-old"]
        assert on.updates == ()


@every_action
def test_a_human_edit_after_the_containment_survives_the_release(line: Lines, name: str) -> None:
    """Every setting that the containment wrote is changed by hand, and left alone."""
    with line(policy=policy(name)) as on:
        incident = on.respond(on.finding())
        on.world.edit("checkout", ingress=3, default_uri_disabled=True)
        on.world.set_traffic("checkout", {"revision": "checkout-00006-old", "percent": 100})
        try:
            pipeline.release(on.app, incident.id, "ada")
        except Refused:
            pytest.fail("a release must not be refused because of a person's edits")

        assert on.world.service("checkout").service.ingress == 3
        assert set(on.reachable) == {"checkout-00006-old"}

"""Policies decide by what the finding and Cloud Run tell: processes, images, environment, who deployed and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from enrichment.workload import facts_of
from firebreak.adapters.cloud_run.revisions import nanos
from firebreak.core.incidents.incident import Incident
from firebreak.core.timestamps import parse_instant
from sandbox.wire import Fault
from tests.core.containment.guard_situations import workload
from tests.response.harness import BAD, GOOD, REVISIONS, Lines, revision, world_of

BY_THEIR_FACTS = """
id: by-their-facts
mode: enforce
when:
  finding.category: "Execution: Added Malicious Binary Executed"
  finding.process_paths: {glob: "/tmp/*"}
  finding.command_lines: {glob: "*--donate-level 1*"}
  finding.image_registries: {contains: europe-docker.pkg.dev}
  finding.image_tags: {contains: latest}
  finding.hour: {in: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]}
  workload.environment: prod
  workload.deployed_by: eve@shop.example
  workload.deployed: {newer_than: 4h}
  workload.created: {older_than: 7d}
then: [{action: pin_previous_revision}]
examples:
  - {given: {workload.environment: dev}, expect: nothing}
  - {given: {finding.process_paths: [/tmp/a], finding.command_lines: [a --donate-level 1],
     finding.image_registries: [europe-docker.pkg.dev], finding.image_tags: [latest]}, expect: {mode: enforce}}
"""
BY_EVE = (*REVISIONS[:2], revision(BAD, 8, "-3h", creator="eve@shop.example"))
HALVES = [{"revision": GOOD, "percent": 50}, {"revision": BAD, "percent": 50}]


def workload_facts(incident: Incident) -> dict[str, object]:
    return dict(next(one.facts for one in incident.evidence if one.source == "workload"))


def test_a_policy_contains_by_them_over_the_wire(line: Lines) -> None:
    service = {"revisions": list(BY_EVE), "labels": {"env": "prod"}}
    with line(world_of(service=service), policy=BY_THEIR_FACTS) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert set(on.reachable) == {GOOD}


def test_who_deployed_and_when_is_of_the_revision_that_carries_the_findings_image(line: Lines) -> None:
    """Both serve, and the service was changed since by somebody else."""
    service = {"revisions": list(BY_EVE), "last_modifier": "ops@shop.example", "traffic": HALVES}
    with line(world_of(service=service), config="ceiling: monitor") as on:
        facts = workload_facts(on.respond(on.finding(image=8)))
        made = on.world.service("checkout").revisions[-1].create_time

        assert facts["workload.deployed_by"] == "eve@shop.example"
        assert parse_instant(str(facts["workload.deployed"])) == nanos(made)


@pytest.mark.parametrize(("revisions", "by"), [(BY_EVE, None), (REVISIONS, "ci@shop.example")])
def test_where_the_revision_is_not_told_only_what_all_that_serve_have_in_common_is_known(
    line: Lines, revisions: tuple[dict[str, Any], ...], by: str | None
) -> None:
    service = {"revisions": list(revisions), "traffic": HALVES}
    with line(world_of(service=service), config="ceiling: monitor") as on:
        facts = workload_facts(on.respond(on.finding(image=None)))

        assert facts.get("workload.deployed_by") == by
        assert "workload.deployed" not in facts


def test_of_a_workload_that_cannot_be_read_they_are_unknown(line: Lines) -> None:
    with line(config="ceiling: monitor") as on:
        on.sandbox.wire.inject(Fault("*/GetService", "error", code="PERMISSION_DENIED", times=None))
        facts = workload_facts(on.respond(on.finding()))

        assert not facts.keys() & {f"workload.{one}" for one in ("environment", "created", "deployed", "deployed_by")}


@pytest.mark.parametrize(
    ("labels", "environment"),
    [({"env": "dev", "environment": "prod"}, "prod"), ({"stage": "test"}, "test"), ({"team": "shop"}, "")],
)
def test_the_environment_is_that_of_the_labels_and_empty_where_they_name_none(
    labels: dict[str, str], environment: str
) -> None:
    assert facts_of(replace(workload(0), labels=labels))["workload.environment"] == environment

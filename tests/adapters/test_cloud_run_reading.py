"""What a service's messages say, where they say little."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from google.cloud import run_v2

from firebreak.adapters.cloud_run.reading import workload_of
from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.errors import Refused

NAME = "projects/shop-prod/locations/europe-west1/services/checkout"


def revision(name: str, *, day: int, ready: bool = True) -> run_v2.Revision:
    """A revision that was made on a day in May."""
    state = run_v2.Condition.State
    return run_v2.Revision(
        name=f"{NAME}/revisions/{name}",
        create_time=dt.datetime(2026, 5, day, tzinfo=dt.UTC),
        conditions=[{"type_": "Ready", "state": state.CONDITION_SUCCEEDED if ready else state.CONDITION_FAILED}],
    )


@pytest.mark.parametrize(
    ("more", "served"),
    [
        ({}, {"new": 100}),
        ({"reconciling": True}, {}),
        ({"generation": 3, "observed_generation": 2}, {}),
        ({"terminal_condition": {"state": run_v2.Condition.State.CONDITION_FAILED}}, {}),
        ({"traffic_statuses": [{"revision": "old", "percent": 100}]}, {"old": 100}),
    ],
    ids=["over", "reconciling", "not observed", "failed", "reported"],
)
def test_where_no_status_tells_the_traffic_as_read_back_counts_once_its_change_is_over_and_well(
    more: dict[str, Any], served: dict[str, int]
) -> None:
    target = parse_resource(f"//run.googleapis.com/{NAME}")
    assert isinstance(target, Target)
    named = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    service = run_v2.Service(name=NAME, traffic=[{"type_": named, "revision": "new", "percent": 100}], **more)

    assert workload_of(target, service, [revision("new", day=3)], Refused("not asked")).effective == served


def test_a_service_that_does_not_say_what_latest_is_serves_its_newest_ready_revision() -> None:
    """Left unknown, a finding's image would convict nobody on a service that follows LATEST."""
    target = parse_resource(f"//run.googleapis.com/{NAME}")
    assert isinstance(target, Target)
    latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    service = run_v2.Service(name=NAME, traffic_statuses=[{"type_": latest, "percent": 100}])
    revisions = [revision("old", day=1), revision("new", day=3), revision("broken", day=4, ready=False)]

    assert workload_of(target, service, revisions, Refused("not asked")).effective == {"new": 100}
    assert workload_of(target, service, [], Refused("not asked")).latest is None

"""Resource names: what is a Cloud Run workload, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.cloud_run.target import NotATarget, Target, parse_resource

RUN = "//run.googleapis.com/projects/shop-prod/locations/europe-west1"


@pytest.mark.parametrize(
    ("name", "resource", "revision", "execution"),
    [
        ("services/pay", "services/pay", None, None),
        ("services/pay/revisions/pay-1", "services/pay", "pay-1", None),
        ("jobs/nightly", "jobs/nightly", None, None),
        ("jobs/nightly/executions/nightly-x", "jobs/nightly", None, "nightly-x"),
        ("jobs/nightly/executions/nightly-x/tasks/t", "jobs/nightly", None, "nightly-x"),
        ("workerPools/pool", "workerPools/pool", None, None),
        ("workerPools/pool/revisions/pool-1", "workerPools/pool", "pool-1", None),
        ("instances/one", "instances/one", None, None),
    ],
)
def test_every_form_of_workload_is_read(name: str, resource: str, revision: str | None, execution: str | None) -> None:
    """The workload, and the level below it that the name reaches down to."""
    target = parse_resource(f"{RUN}/{name}")

    assert isinstance(target, Target)
    assert target.resource == f"projects/shop-prod/locations/europe-west1/{resource}"
    assert (target.revision, target.execution) == (revision, execution)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "//run.googleapis.com/",
        f"{RUN}",
        f"{RUN}/services",
        f"{RUN}/services/",
        f"{RUN}/services/pay/",
        f"{RUN}/services/../pay",
        f"{RUN}/services/pay%2Fments",
        f"{RUN}/services/pay\n",
        f"{RUN}/services/pay/jobs/x",
        f"{RUN}/services/pay/executions/x",
        f"{RUN}/jobs/x/revisions/y",
        f"{RUN}/revisions/pay-1",
        f"{RUN}/services/a/services/b",
        "//run.googleapis.com/namespaces/shop/services/pay",
        "//run.googleapis.com.evil.net/projects/p/locations/l/services/s",
        "run.googleapis.com/projects/p/locations/l/services/s",
        "//container.googleapis.com/projects/p/locations/l/clusters/c",
        "//aiplatform.googleapis.com/projects/p/locations/l/reasoningEngines/r",
    ],
)
def test_anything_else_is_no_target_and_says_why(name: str) -> None:
    """Never guessed: a reason instead."""
    read = parse_resource(name)

    assert isinstance(read, NotATarget)
    assert read.reason


def test_near_names_are_other_workloads() -> None:
    """Compared as parsed parts, never by prefix."""
    pay, payments = (parse_resource(f"{RUN}/services/{name}") for name in ("pay", "payments"))

    assert isinstance(pay, Target)
    assert isinstance(payments, Target)
    assert not pay.same_workload(payments)


def test_a_metadata_project_that_is_not_the_named_one_is_not_believed() -> None:
    """Neither id nor number is taken from metadata about another project."""
    target = parse_resource(f"{RUN}/services/pay", "other-project", "999")

    assert isinstance(target, Target)
    assert target.project_spellings == {"shop-prod"}


@given(st.text())
def test_any_text_is_a_target_or_a_reason(name: str) -> None:
    """The parser never raises."""
    assert isinstance(parse_resource(name), Target | NotATarget)

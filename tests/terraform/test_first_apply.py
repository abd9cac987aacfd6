"""A first apply in a new project meets nothing that Google does not know of yet, and locks nobody out later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.terraform.deployment import Deployment, has_mirror, resources

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with"),
]
OWN_METRIC = "logging.googleapis.com/user/"
FUNCTION = "google_cloudfunctions2_function.function"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plan of everything, with every variable that grants something used."""
    made = Deployment(tmp_path_factory.mktemp("deployment"))
    return made.plan(contain_targets=["folders/7001"], disable_accounts_in=["folders/7001"], write_marks=True)


def configured(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Address without its key to the block as written."""
    return {one["address"]: one for one in plan["configuration"]["root_module"]["resources"]}


def references(value: Any) -> set[str]:
    """What an expression of the configuration names, at any depth."""
    if isinstance(value, dict):
        own = {one for one in value.get("references", ()) if isinstance(one, str)}
        return own.union(*(references(one) for one in value.values()))
    return set().union(*(references(one) for one in value)) if isinstance(value, list) else set()


def waits_for(plan: dict[str, Any], address: str) -> set[str]:
    """The blocks that have to be made before this one, by itself or by what it names."""
    block = configured(plan)[address]
    named = {*block.get("depends_on", ()), *references(block.get("expressions", {}))}
    return {one for one in configured(plan) for name in named if name == one or name.startswith((f"{one}.", f"{one}["))}


def seconds(plan: dict[str, Any], address: str) -> int:
    (length,) = [one["values"]["create_duration"] for one in resources(plan) if one["address"] == address]
    return int(length.removesuffix("s"))


def test_a_function_is_built_a_minute_after_its_build_account_may_read_what_it_builds(first: dict[str, Any]) -> None:
    """The archive is copied into a bucket of the platform's, which the account can only be let into on the project."""
    grants = {
        one for one in configured(first) if one.endswith((".build", ".build_source", ".build_log")) and "_iam_" in one
    }

    assert {"google_project_iam_member.build_source", "google_storage_bucket_iam_member.build"} <= grants
    assert grants <= waits_for(first, "time_sleep.build_grants")
    assert "time_sleep.build_grants" in waits_for(first, FUNCTION)
    assert seconds(first, "time_sleep.build_grants") >= 60


def test_an_alert_on_a_metric_of_log_lines_waits_until_that_metric_is_known(first: dict[str, Any]) -> None:
    """For ten minutes the API answers 404 to an alert that names a new one."""
    on_own = {
        one["address"].partition("[")[0]
        for one in resources(first)
        if one["type"] == "google_monitoring_alert_policy" and OWN_METRIC in str(one["values"])
    }

    assert on_own == {"google_monitoring_alert_policy.no_sweep"}
    for address in on_own:
        assert "time_sleep.metrics" in waits_for(first, address)
    assert "google_logging_metric.count" in waits_for(first, "time_sleep.metrics")
    assert seconds(first, "time_sleep.metrics") > 600


def test_what_the_log_says_is_alerted_on_without_a_metric_and_at_most_every_five_minutes(first: dict[str, Any]) -> None:
    """The API takes a condition on log lines only with a limit on how often it tells."""
    found = {
        one["index"]: one["values"]
        for one in resources(first)
        if one["address"].startswith("google_monitoring_alert_policy.log[")
    }

    assert "jsonPayload.seconds_to_contain>120" in str(found["slow-containment"]["conditions"])
    for values in found.values():
        assert [[*one["condition_matched_log"]] != [] for one in values["conditions"]] == [True]
        assert values["alert_strategy"][0]["notification_rate_limit"] == [{"period": "300s"}]


def test_evidence_is_retained_and_not_versioned(first: dict[str, Any]) -> None:
    """Google's pages have had the two exclude each other; retention alone forbids overwriting."""
    (bucket,) = [one["values"] for one in resources(first) if one["address"] == "google_storage_bucket.evidence"]

    assert bucket["retention_policy"][0]["retention_period"] == "31536000"
    assert bucket["versioning"] == [{"enabled": False}]
    assert [one["condition"][0]["age"] for one in bucket["lifecycle_rule"]] == [366]


def test_no_custom_role_comes_or_goes_with_a_variable(first: dict[str, Any], tmp_path: Any) -> None:
    """A deleted role's name can be neither used nor recovered from the eighth day to the thirty-seventh."""

    def roles(plan: dict[str, Any]) -> set[str]:
        return {one["address"] for one in resources(plan) if one["type"].endswith("_iam_custom_role")}

    least = Deployment(tmp_path).plan(withhold=["securitycenter.findingsecuritymarks.update"])

    assert len(roles(first)) == 8
    assert roles(least) == roles(first)

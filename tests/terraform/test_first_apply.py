"""A first apply in a new project meets nothing that Google does not know of yet, and locks nobody out later."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.terraform.deployment import Deployment, has_mirror, resources

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with"),
]
OWN_METRIC = r"logging.googleapis.com[/:_]user"
FUNCTION = "google_cloudfunctions2_function.function"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment(tmp_path_factory.mktemp("deployment"))


@pytest.fixture(scope="module")
def first(made: Deployment) -> dict[str, Any]:
    """The plan of everything, with every variable that grants something used."""
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


def test_an_alert_on_a_metric_of_log_lines_does_not_ask_whether_that_metric_is_there_yet(first: dict[str, Any]) -> None:
    """For ten minutes the API answers 404 to an alert that names a new one, unless it is told not to look."""
    on_own = [
        one["values"]["conditions"][0]
        for one in resources(first)
        if one["type"] == "google_monitoring_alert_policy" and re.search(OWN_METRIC, str(one["values"]))
    ]

    assert [one["display_name"] for one in on_own] == ["no-sweep"]
    assert on_own[0]["condition_prometheus_query_language"][0]["disable_metric_validation"] is True


AGENTS = {
    "google_pubsub_topic_iam_binding.commands",
    "google_pubsub_topic_iam_member.dead",
    "google_pubsub_subscription_iam_member.dead",
    "google_service_account_iam_member.push",
    "google_bigquery_table_iam_member.pubsub_writes",
}


def test_what_is_granted_to_an_agent_of_google_s_waits_a_minute_after_it_was_made(first: dict[str, Any]) -> None:
    """Sooner the grant is refused, because the account does not exist."""
    agents = {one.partition("[")[0] for one in granted_to(first, "@gcp-sa-")}
    agents -= {"google_pubsub_topic_iam_member.scc_publishes"}

    assert agents == AGENTS
    for address in agents:
        assert "time_sleep.agents" in waits_for(first, address)
    assert "google_project_service_identity.agent" in waits_for(first, "time_sleep.agents")
    assert seconds(first, "time_sleep.agents") >= 60


def test_security_command_center_may_publish_a_minute_after_its_configuration_made_its_account(
    first: dict[str, Any],
) -> None:
    publishes = "google_pubsub_topic_iam_member.scc_publishes"

    assert "time_sleep.scc_publisher" in waits_for(first, publishes)
    assert "google_scc_v2_organization_notification_config.findings" in waits_for(first, "time_sleep.scc_publisher")
    assert seconds(first, "time_sleep.scc_publisher") >= 60


def test_nothing_is_asked_of_an_api_that_was_just_enabled(first: dict[str, Any]) -> None:
    """The APIs are waited for once, and nothing waits for their being enabled alone."""
    on_apis = {one for one in configured(first) if "google_project_service.api" in waits_for(first, one)}

    assert on_apis == {"time_sleep.apis"}
    assert seconds(first, "time_sleep.apis") >= 60


BY_HAND = re.compile(
    r"google_(service_account|project_service|(project|organization|folder|service_account)_iam_\w+)\."
)
"""What needs only the APIs that docs/deploy.md has enabled by hand: IAM, Resource Manager, Service Usage, Storage."""


def test_everything_waits_until_its_api_is_enabled(made: Deployment) -> None:
    """By Terraform's own graph, which follows what a value is made of; also where only existing channels are named."""
    edges: dict[str, set[str]] = {}
    for one, other in re.findall(r'"\[root\] (\S+)[^"]*" -> "\[root\] (\S+)', made.run("graph", "-type=plan")):
        edges.setdefault(one, set()).add(other)

    def before(one: str, known: set[str]) -> set[str]:
        for other in edges.get(one, set()) - known:
            known |= {other}
            before(other, known)
        return known

    early = [one for one in edges if one.startswith("google_") and "time_sleep.apis" not in before(one, set())]

    assert len(edges) > 60
    assert [one for one in early if not BY_HAND.match(one)] == []


def test_a_role_is_granted_a_moment_after_it_was_made(first: dict[str, Any]) -> None:
    granting = {
        one["address"].partition("[")[0]
        for one in resources(first)
        if "_iam_member" in one["type"] and re.match(r"(organizations|projects)/", one["values"]["role"])
    }

    assert len(granting) > 3
    for address in granting:
        assert "time_sleep.roles" in waits_for(first, address)
    made = {"google_organization_iam_custom_role.role", "google_project_iam_custom_role.own"}
    assert made <= waits_for(first, "time_sleep.roles")


def granted_to(plan: dict[str, Any], who: str) -> set[str]:
    """The addresses of all bindings whose members have this in their names."""
    bound = (one for one in resources(plan) if "_iam_" in one["type"])
    return {one["address"] for one in bound if who in str(one["values"].get("member") or one["values"].get("members"))}


def empties(value: Any, path: str = "") -> list[str]:
    """Where in a JSON there is nothing: zeros, empty texts and lists, and no."""
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in empties(one, f"{path}.{key}")]
    if isinstance(value, list) and value:
        return [found for number, one in enumerate(value) for found in empties(one, f"{path}[{number}]")]
    return [] if value else [path]


def test_the_dashboard_says_nothing_that_google_leaves_out_when_it_stores_it(first: dict[str, Any]) -> None:
    """It drops zeros and empty lists, and a plan that sends them finds them changed each time."""
    (text,) = [one["values"]["dashboard_json"] for one in resources(first) if "dashboard_json" in one["values"]]
    tiles = json.loads(text)["mosaicLayout"]["tiles"]

    assert empties(tiles) == []
    assert [(one.get("xPos", 0), one.get("yPos", 0)) for one in tiles[:4]] == [(0, 0), (6, 0), (0, 4), (6, 4)]


def test_what_google_sets_in_a_function_s_environment_is_set(first: dict[str, Any]) -> None:
    """Else each plan would take it away."""
    for one in resources(first):
        if one["address"].startswith(FUNCTION):
            assert one["values"]["service_config"][0]["environment_variables"]["LOG_EXECUTION_ID"] == "true"


def test_archives_go_with_their_bucket_and_evidence_does_not(first: dict[str, Any]) -> None:
    buckets = {
        one["name"]: one["values"]["force_destroy"]
        for one in resources(first)
        if one["type"] == "google_storage_bucket"
    }

    assert buckets == {"source": True, "evidence": False}


def test_the_ledger_is_backed_up_every_day(first: dict[str, Any]) -> None:
    """Point-in-time recovery ends with the database."""
    (schedule,) = [one["values"] for one in resources(first) if one["type"] == "google_firestore_backup_schedule"]

    assert schedule["database"] == "firebreak-ledger"
    assert (schedule["retention"], len(schedule["daily_recurrence"])) == ("2592000s", 1)


@pytest.mark.parametrize("major", [7, 8])
def test_the_configuration_is_planned_the_same_with_each_major_version_of_the_provider(
    tmp_path: Any, first: dict[str, Any], major: int
) -> None:
    plan = Deployment(tmp_path, provider=major).plan(
        contain_targets=["folders/7001"], disable_accounts_in=["folders/7001"], write_marks=True
    )

    assert {one["address"] for one in resources(plan)} == {one["address"] for one in resources(first)}


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
    assert not any(one["enabled"] for one in bucket["versioning"] or ())
    assert [one["condition"][0]["age"] for one in bucket["lifecycle_rule"]] == [366]


def test_no_custom_role_comes_or_goes_with_a_variable(first: dict[str, Any], tmp_path: Any) -> None:
    """A deleted role's name can be neither used nor recovered from the eighth day to the thirty-seventh."""

    def roles(plan: dict[str, Any]) -> set[str]:
        return {one["address"] for one in resources(plan) if one["type"].endswith("_iam_custom_role")}

    least = Deployment(tmp_path).plan(withhold=["securitycenter.findingsecuritymarks.update"])

    assert len(roles(first)) == 8
    assert roles(least) == roles(first)

"""What organizations ask for by policy: their own keys, workers, package index, labels and perimeters."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.repository.checkout import text_of
from tests.terraform.deployment import PROJECT, Deployment, has_mirror, resources
from tests.terraform.test_first_apply import configured, granted_to, seconds, waits_for

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with"),
]
KEY = "projects/acme-keys/locations/europe-west1/keyRings/firebreak/cryptoKeys/data"
POOL = "projects/acme-builds/locations/europe-west1/workerPools/private"
INDEX = "https://europe-west1-python.pkg.dev/acme-packages/mirror/simple/"
KEEPS_DATA = {
    "google_artifact_registry_repository",
    "google_bigquery_dataset",
    "google_bigquery_table",
    "google_cloudfunctions2_function",
    "google_firestore_database",
    "google_pubsub_topic",
    "google_secret_manager_secret",
    "google_storage_bucket",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A plan with all of it."""
    made = Deployment(tmp_path_factory.mktemp("deployment"))
    manifest = made.folder / "tests" / "fixtures" / "firebreak.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"package_index": INDEX}))
    return made.plan(
        kms_key=KEY,
        build_worker_pool=POOL,
        labels={"team": "security"},
        contain_targets=["folders/7001", "projects/shop-prod"],
        act_as_service_accounts=["projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com"],
    )


def under_the_key(value: Any) -> bool:
    """Whether some argument of a resource is the key."""
    if isinstance(value, dict):
        return any(under_the_key(one) for one in value.values())
    return any(under_the_key(one) for one in value) if isinstance(value, list) else value == KEY


def test_everything_that_keeps_data_is_under_the_key(own: dict[str, Any]) -> None:
    kept = [one for one in resources(own) if one["type"] in KEEPS_DATA and not one["values"].get("view")]

    assert {one["type"] for one in kept} == KEEPS_DATA
    assert [one["address"] for one in kept if not under_the_key(one["values"])] == []


def test_nothing_is_made_under_the_key_before_google_s_agents_may_use_it(own: dict[str, Any]) -> None:
    """A minute after the grant; and each agent is asked for before it is granted anything."""
    granted = {one["values"]["member"].partition("@")[2] for one in resources(own) if "kms" in one["type"]}

    assert granted == {
        f"{one}.iam.gserviceaccount.com"
        for one in (
            "gcp-sa-artifactregistry bigquery-encryption gcf-admin-robot gcp-sa-eventarc gcp-sa-firestore gcp-sa-pubsub"
            " serverless-robot-prod gcp-sa-secretmanager gs-project-accounts"
        ).split()
    }
    assert {"google_kms_crypto_key_iam_member.encrypts", "time_sleep.apis"} <= waits_for(own, "time_sleep.key")
    assert "time_sleep.agents" in waits_for(own, "google_kms_crypto_key_iam_member.encrypts")
    assert seconds(own, "time_sleep.key") >= 60
    for address in configured(own):
        if address.partition(".")[0] in KEEPS_DATA - {"google_bigquery_table", "google_cloudfunctions2_function"}:
            assert "time_sleep.key" in waits_for(own, address), address


def test_functions_are_built_in_the_pool_from_an_index_that_lets_the_build_in(own: dict[str, Any]) -> None:
    functions = [one["values"]["build_config"][0] for one in resources(own) if "cloudfunctions2" in one["type"]]
    (reads,) = [one for one in granted_to(own, "") if "build_packages" in one]
    (values,) = [one["values"] for one in resources(own) if one["address"] == reads]

    assert [one["worker_pool"] for one in functions] == [POOL, POOL]
    assert [values[one] for one in ("project", "location", "repository", "role")] == [
        "acme-packages",
        "europe-west1",
        "mirror",
        "roles/artifactregistry.reader",
    ]
    assert "google_artifact_registry_repository_iam_member.build_packages" in waits_for(own, "time_sleep.build_grants")


NEEDED_OUTSIDE = {
    "google_artifact_registry_repository_iam_member": "roles/artifactregistry.admin",
    "google_folder_iam_member": "roles/iam.securityAdmin",
    "google_kms_crypto_key_iam_member": "roles/cloudkms.admin",
    "google_organization_iam_custom_role": "roles/iam.organizationRoleAdmin",
    "google_organization_iam_member": "roles/iam.securityAdmin",
    "google_project_iam_member": "roles/iam.securityAdmin",
    "google_scc_v2_organization_notification_config": "roles/securitycenter.notificationConfigEditor",
    "google_service_account_iam_member": "roles/iam.securityAdmin",
}
"""What is made outside of Firebreak's project, and the role that whoever applies needs for it there."""


def test_the_page_names_a_role_for_everything_that_is_made_outside_of_the_project(own: dict[str, Any]) -> None:
    """In the project itself the page asks for its owner."""

    def is_outside(one: dict[str, Any]) -> bool:
        values = one["values"]
        where = str(values.get("service_account_id") or values.get("project") or "")
        above = re.search(r"google_(organization|folder|kms|scc)_", one["type"])
        return bool(above) or bool(where and PROJECT not in where)

    kinds = {one["type"] for one in resources(own) if is_outside(one)}
    table = text_of("docs/deploy.md").partition("| for step |")[2].partition("\n\n")[0]

    assert kinds == NEEDED_OUTSIDE.keys()
    assert [role for role in NEEDED_OUTSIDE.values() if f"`{role}`" not in table] == []
    assert "`roles/owner`" in table


def test_labels_are_on_everything_that_takes_them(own: dict[str, Any]) -> None:
    """But a channel's, which are its settings."""
    taking = [
        (one["address"], one["values"][key])
        for one in resources(own)
        for key in ("labels", "user_labels")
        if key in one["values"] and (one["type"], key) != ("google_monitoring_notification_channel", "labels")
    ]

    assert len(taking) > 20
    assert [address for address, labels in taking if labels != {"app": "firebreak", "team": "security"}] == []

"""What a deployment may do: each permission that the code declares, none beyond, and none to another identity."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from firebreak import settings
from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.mode import Mode
from sandbox.scc.findings_filter import parse_filter
from sandbox.scc.notifications import Scene, malicious_binary_finding
from tests.repository.test_gcloud_lines import commands, refused
from tests.terraform.deployment import (
    ORGANIZATION,
    PROJECT,
    REGION,
    Deployment,
    Grant,
    changes,
    grants,
    has_mirror,
    resources,
)
from tools.permissions import declared, sorted_into_roles

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with"),
]
FUNCTIONS = ("on-command", "on-finding")
TARGET = "folders/7001"
WORKLOADS = ("read", "contain", "act_as", "accounts")
ORG_ROLE = "google_organization_iam_custom_role"
CLUSTER = "//container.googleapis.com/projects/shop-prod/locations/europe-west1/clusters/shop"
CONTAIN: dict[str, Any] = {"contain_targets": [TARGET]}
PREDEFINED = {  # what is granted beside the custom roles, and what each holds that matters here
    "roles/run.invoker",
    "roles/pubsub.publisher",
    "roles/pubsub.subscriber",
    "roles/bigquery.dataEditor",
    "roles/secretmanager.secretAccessor",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/storage.objectViewer",
    "roles/artifactregistry.writer",
    "roles/logging.logWriter",
}


def account(name: str) -> str:
    return f"serviceAccount:firebreak-{name}@{PROJECT}.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Applied with the five variables alone."""
    made = Deployment(tmp_path_factory.mktemp("deployment"))
    made.apply()
    return made


@pytest.fixture(scope="module")
def monitoring(deployment: Deployment) -> dict[str, Any]:
    return deployment.state()


@pytest.fixture(scope="module")
def containing(deployment: Deployment) -> dict[str, Any]:
    """The plan that adds containment on one folder to it, and marks."""
    return deployment.plan(**CONTAIN, write_marks=True)


def custom_roles(shown: dict[str, Any]) -> dict[str, set[str]]:
    """Full name to permissions."""
    found = {}
    for one in resources(shown):
        values = one["values"]
        if one["type"].endswith("_iam_custom_role"):
            home = f"organizations/{values['org_id']}" if "org_id" in values else f"projects/{values['project']}"
            found[f"{home}/roles/{values['role_id']}"] = set(values["permissions"])
    return found


def held(shown: dict[str, Any], who: str) -> Iterator[tuple[str, str]]:
    """Each permission of a custom role that an identity holds, and where."""
    roles = custom_roles(shown)
    for grant in grants(shown):
        if grant.who == who and grant.role in roles:
            yield from ((permission, grant.where) for permission in roles[grant.role])


def test_each_function_holds_what_the_code_declares_and_nothing_else(containing: dict[str, Any]) -> None:
    """By permission and place: findings and marks on the organization, containment on its target, the rest its own."""
    roles = sorted_into_roles(declared())
    places = {
        "findings": ORGANIZATION,
        "read": ORGANIZATION,
        "marks": ORGANIZATION,
        "contain": TARGET,
        "act_as": TARGET,
        "ledger": PROJECT,
        "vault": f"{PROJECT}-firebreak-evidence",
    }
    expected = {(permission, place) for role, place in places.items() for permission in roles[role]}

    assert roles["publish"].keys() == {"pubsub.topics.publish"}
    for name in FUNCTIONS:
        assert set(held(containing, account(name))) == expected


def test_monitor_only_holds_no_permission_to_write_outside_its_project(monitoring: dict[str, Any]) -> None:
    roles = sorted_into_roles(declared())
    writes = {*roles["contain"], *roles["act_as"], *roles["accounts"], *roles["marks"]}
    given = {permission for name in FUNCTIONS for permission, _ in held(monitoring, account(name))}

    assert writes
    assert given & writes == set()


def test_monitoring_and_containing_differ_by_exactly_the_write_roles_bindings(deployment: Deployment) -> None:
    """Nothing else is made, changed or taken away; and the way back differs by the same.

    No role is deleted on the way back: its name would be locked for a month, and nobody could allow it again.
    """
    plan = deployment.plan(**CONTAIN)
    expected = {
        f'google_folder_iam_member.grant["{name} {role} {TARGET}"]'
        for role in ("contain", "act_as")
        for name in FUNCTIONS
    }

    assert changes(plan) == {address: ["create"] for address in expected}


def test_accounts_may_be_disabled_only_where_that_is_named(deployment: Deployment) -> None:
    """A role of its own, bound on the one account then, and nothing beside it."""
    email = "projects/shop-prod/serviceAccounts/checkout@shop-prod.iam.gserviceaccount.com"
    added = changes(deployment.plan(**CONTAIN, disable_accounts_in=[email])).keys() - changes(
        deployment.plan(**CONTAIN)
    )

    assert added == {f'google_service_account_iam_member.grant["{name} accounts {email}"]' for name in FUNCTIONS}


@pytest.fixture(scope="module")
def closing(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Of an archive whose policies carry out `cut_traffic` and nothing else, one of them for every threat there is."""
    made = Deployment(tmp_path_factory.mktemp("deployment"))
    manifest = made.folder / "tests" / "fixtures" / "firebreak.json"
    manifest.write_text(
        json.dumps(json.loads(manifest.read_text()) | {"actions": ["cut_traffic"], "classes": ["THREAT"]})
    )
    made.apply()
    return made


@pytest.mark.parametrize(
    ("variables", "granted"),
    [
        ({}, {"run.services.update", "iam.serviceAccounts.actAs"}),
        (
            {"extra_actions": ["block_runs"]},
            {"run.services.update", "iam.serviceAccounts.actAs", "run.jobs.setIamPolicy"},
        ),
        ({"withhold": ["run.services.update"]}, {"iam.serviceAccounts.actAs"}),
    ],
)
def test_what_no_packaged_policy_carries_out_is_not_granted(
    closing: Deployment, variables: dict[str, Any], granted: set[str]
) -> None:
    """Wherever it could be: what was taken out of the policies stays granted only by name, until it is released."""
    plan = closing.plan(**CONTAIN, disable_accounts_in=[TARGET], **variables)
    roles = sorted_into_roles(declared())
    writes = {*roles["contain"], *roles["act_as"], *roles["accounts"]}

    for name in FUNCTIONS:
        assert {permission for permission, _ in held(plan, account(name))} & writes == granted
    stages = {one["index"]: one["values"]["stage"] for one in resources(plan) if one["type"].startswith(ORG_ROLE)}
    assert stages["accounts"] == "DISABLED", "it keeps its name, and is bound to nobody"


@pytest.mark.parametrize(
    ("scene", "class_", "delivered"),
    [
        (Scene(category="Execution: Detector Of Tomorrow"), "THREAT", True),
        (Scene(category="Execution: Detector Of Tomorrow"), "MISCONFIGURATION", False),
        (Scene(category="Execution: Detector Of Tomorrow", resource_name=CLUSTER), "THREAT", False),
        (Scene(category="Reverse Shell", resource_name=CLUSTER), "THREAT", True),
    ],
)
def test_a_detector_of_tomorrow_is_delivered_for_a_policy_as_wide_as_its_class(
    closing: Deployment, scene: Scene, class_: str, *, delivered: bool
) -> None:
    """On Cloud Run; what a policy names is delivered wherever it is."""
    pair = malicious_binary_finding(scene)
    pair["finding"]["findingClass"] = class_
    text = closing.state()["values"]["outputs"]["finding_filter"]["value"]

    assert parse_filter(text).holds(pair) is delivered


def test_an_unchanged_tree_plans_no_change(deployment: Deployment) -> None:
    assert changes(deployment.plan(code=0)) == {}


def test_beside_the_custom_roles_everything_granted_is_on_one_thing_and_to_one_identity(
    containing: dict[str, Any],
) -> None:
    """The whole list. A binding that is not in it, or is missing from it, is a change to docs/security.md."""
    number = project_number(containing)
    pubsub = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    scheduler = f"serviceAccount:service-{number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
    scc = f"serviceAccount:service-org-{ORGANIZATION}@gcp-sa-scc-notification.iam.gserviceaccount.com"
    expected = {
        ("firebreak-findings", "roles/pubsub.publisher", scc),
        ("firebreak-commands", "roles/pubsub.publisher", scheduler),
        ("messages", "roles/bigquery.dataEditor", pubsub),
        (f"{PROJECT}-firebreak-source", "roles/storage.objectViewer", account("build")),
        ("firebreak-functions", "roles/artifactregistry.writer", account("build")),
        (PROJECT, "roles/logging.logWriter", account("build")),
        (PROJECT, "roles/storage.objectViewer", account("build")),
    }
    for name in FUNCTIONS:
        push = f"firebreak-{name}-push"
        expected |= {
            (f"firebreak-{name}", "roles/run.invoker", account(f"{name}-push")),
            (
                f"projects/{PROJECT}/serviceAccounts/{push}@{PROJECT}.iam.gserviceaccount.com",
                "roles/iam.serviceAccountOpenIdTokenCreator",
                pubsub,
            ),
            ("firebreak-incidents", "roles/pubsub.publisher", account(name)),
            ("firebreak-unreadable", "roles/pubsub.publisher", account(name)),
            ("firebreak-seal-key", "roles/secretmanager.secretAccessor", account(name)),
        }
    for name in (*FUNCTIONS, "records"):
        expected |= {
            (f"firebreak-{name}-dead", "roles/pubsub.publisher", pubsub),
            (f"firebreak-{name}", "roles/pubsub.subscriber", pubsub),
        }
    found = {
        (grant.where, grant.role, grant.who)
        for grant in grants(containing)
        if grant.role not in custom_roles(containing)
    }

    assert found == expected


def project_number(shown: dict[str, Any]) -> str:
    """As the stand-in makes it up, read from the agent that moves dead letters."""
    agents = {grant.who for grant in grants(shown) if "@gcp-sa-pubsub." in grant.who}
    return agents.pop().removeprefix("serviceAccount:service-").partition("@")[0]


def test_the_perimeter_s_rule_lets_exactly_the_functions_in(monitoring: dict[str, Any]) -> None:
    """To the three services that they ask about workloads, in the form that gcloud reads.

    Nothing is known of where a call comes from that leaves through no network.
    """
    (rule,) = yaml.safe_load(monitoring["values"]["outputs"]["perimeter_ingress"]["value"])
    services = {one["serviceName"] for one in rule["ingressTo"]["operations"]}

    assert rule["ingressFrom"] == {
        "identities": [account(name) for name in FUNCTIONS],
        "sources": [{"accessLevel": "*"}],
    }
    needed = {permission.partition(".")[0] for role in WORKLOADS for permission in sorted_into_roles(declared())[role]}
    assert services == {f"{one}.googleapis.com" for one in needed}


@pytest.mark.parametrize(
    ("network", "whole"),
    [
        ("egress", f"projects/{PROJECT}/global/networks/egress"),
        ("projects/acme-host/global/networks/shared", "projects/acme-host/global/networks/shared"),
    ],
)
def test_with_a_network_the_perimeter_lets_them_in_from_there_alone(
    deployment: Deployment, network: str, whole: str
) -> None:
    outputs = deployment.plan(vpc={"network": network, "subnetwork": "firebreak"})["planned_values"]["outputs"]
    (rule,) = yaml.safe_load(outputs["perimeter_ingress"]["value"])

    assert rule["ingressFrom"]["sources"] == [{"resource": f"//compute.googleapis.com/{whole}"}]


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="there is no gcloud to ask")
def test_the_line_for_a_location_of_data_residency_is_one_that_gcloud_takes(
    deployment: Deployment, tmp_path: Path
) -> None:
    """In one piece, whatever a category has in it; to create it, and to change it later."""
    plan = deployment.plan(finding_locations=["eu"], extra_categories=['It\'s a "shell"; $(id)'])
    (line,) = plan["planned_values"]["outputs"]["regional_deliveries"]["value"].values()
    ((create,), (update,)) = commands(line), commands(line.replace(" create ", " update "))

    assert 'It\'s a \\"shell\\"; $(id)' in next(one for one in shlex.split(create) if one.startswith("--filter="))
    assert refused([create, update], tmp_path) == []


def test_no_role_is_broad_and_nobody_is_everybody(containing: dict[str, Any]) -> None:
    """No primitive role, no administrator of anything, and no identity that anybody can take."""
    every = list(grants(containing))
    predefined = {grant.role for grant in every} - custom_roles(containing).keys()

    assert every
    assert predefined <= PREDEFINED
    assert {grant for grant in every if grant.who in ("allUsers", "allAuthenticatedUsers")} == set[Grant]()
    assert "allUsers" not in json.dumps(containing)
    assert "allAuthenticatedUsers" not in json.dumps(containing)


def test_on_the_whole_project_there_is_only_the_build_s_log_what_people_view_and_what_a_condition_narrows(
    deployment: Deployment,
) -> None:
    """Firestore has no policy of its own, and the platform's bucket does not exist yet when it has to be granted.

    Without the conditions the roles would hold for every database and every bucket there is.
    """
    plan = deployment.plan(commanders=["user:ann@acme.example"])
    views = {"roles/bigquery.jobUser", "roles/logging.viewer", "roles/monitoring.viewer"}
    everybody = [grant for grant in grants(plan) if grant.kind == "google_project_iam_member"]
    viewed = {grant.role for grant in everybody if grant.who == "user:ann@acme.example" and not grant.condition}
    wide = {(grant.who, grant.condition) for grant in everybody if grant.role not in views}
    ledger = f'resource.name == "projects/{PROJECT}/databases/firebreak-ledger"'
    built = f"projects/_/buckets/gcf-v2-sources-{project_number(plan)}-{REGION}"

    assert wide == {
        *((account(name), ledger) for name in FUNCTIONS),
        ("user:ann@acme.example", ledger),
        (account("build"), ""),
        (account("build"), f'resource.name == "{built}" || resource.name.startsWith("{built}/")'),
    }
    assert viewed == views


def test_no_policy_is_replaced_as_a_whole_but_who_may_command(containing: dict[str, Any]) -> None:
    """A binding takes away what others were given, and on the findings topic that is Security Command Center's own."""
    authoritative = {
        one["address"] for one in resources(containing) if one["type"].endswith(("_binding", "_iam_policy"))
    }

    assert authoritative == {"google_pubsub_topic_iam_binding.commands"}


def test_no_key_is_made_and_no_secret_stands_in_state_or_plan(
    monitoring: dict[str, Any], containing: dict[str, Any]
) -> None:
    kinds = {one["type"] for one in resources(containing)}
    versions = [one["values"] for one in resources(monitoring) if one["type"] == "google_secret_manager_secret_version"]

    assert not kinds & {"google_service_account_key", "google_storage_hmac_key", "random_password", "tls_private_key"}
    assert len(versions) == 1
    assert [(one.get("secret_data"), one.get("secret_data_wo")) for one in versions] == [(None, None)]


def test_functions_get_exactly_the_settings_that_there_are(containing: dict[str, Any]) -> None:
    """And one that is misspelt, or that only belongs on a developer's machine, is none of them."""
    known = {*settings._OWN, "VIRUSTOTAL_API_KEY"}  # noqa: SLF001 - the one list of them
    for name in FUNCTIONS:
        given = environment(containing, name)

        assert given.keys() - {"WORKERS", "THREADS", "LOG_EXECUTION_ID"} <= known
        assert {name for name in given if name.endswith("_HOST")} == set()
        assert "FIREBREAK_COMMANDS_TOPIC" not in given, "a function carries commands out, it does not send them on"


def test_a_deployment_that_is_told_to_enforce_is_safe_enough_to(deployment: Deployment) -> None:
    """None of the settings that Terraform gives makes the code lower the ceiling by itself."""
    plan = deployment.plan(**CONTAIN, ceiling="enforce")
    for name in FUNCTIONS:
        read = settings.read_settings({**environment(plan, name), "K_SERVICE": f"firebreak-{name}", "HOME": os.devnull})

        assert [(one.mode, one.reason) for one in read.ceilings] == [(Mode.ENFORCE, "FIREBREAK_CEILING is enforce")]


def test_firebreak_would_know_its_own_services_in_either_spelling(containing: dict[str, Any]) -> None:
    own = [parse_resource(one) for one in environment(containing, "on-finding")["FIREBREAK_SELF"].split(",")]
    projects = {one.project for one in own if isinstance(one, Target)}

    assert len(own) == 2 * len(FUNCTIONS)
    assert projects == {PROJECT, project_number(containing)}


def environment(shown: dict[str, Any], function: str) -> dict[str, str]:
    """What a function starts with, secrets by the name of their secret."""
    config = next(
        one["values"]["service_config"][0]
        for one in resources(shown)
        if one["address"] == f'google_cloudfunctions2_function.function["{function}"]'
    )
    secrets = {one["key"]: one["secret"] for one in config["secret_environment_variables"]}
    return {**config["environment_variables"], **secrets}


CONSOLE = """
    console = {
      entry_point   = "console"
      about         = "shows incidents"
      topic         = null
      min_instances = 0
      uses          = ["ledger", "commands"]
      environment   = { FIREBREAK_COMMANDS_TOPIC = local.topics.commands }
    }
  }
  everything"""


def test_another_function_is_one_block(tmp_path: Path) -> None:
    """It has an identity of its own that may do what its block says, and no subscription without a topic."""
    made = Deployment(tmp_path)
    listed = made.folder / "main.tf"
    listed.write_text(listed.read_text().replace("\n  }\n  everything", CONSOLE, 1))
    manifest = made.folder / "tests" / "fixtures" / "firebreak.json"
    manifest.write_text(manifest.read_text().replace('"on_finding"', '"on_finding", "console"'))
    plan = made.plan()
    own = {one["address"] for one in resources(plan) if "console" in one["address"]}

    assert own == {
        'google_cloudfunctions2_function.function["console"]',
        'google_service_account.function["console"]',
        'google_project_iam_member.ledger["console"]',
    }
    assert environment(plan, "console").keys() >= {"FIREBREAK_LEDGER", "FIREBREAK_COMMANDS_TOPIC"}

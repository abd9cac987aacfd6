"""A healthy deployment of Firebreak in a world: what Terraform tells of it, and all that it then consists of."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firebreak.archive import STARTS
from sandbox.world import World

INDEXES = Path(__file__).resolve().parents[2] / "firebreak" / "adapters" / "storage" / "firestore_indexes.json"
PERMISSIONS = Path(__file__).resolve().parents[2] / "terraform" / "permissions.json"
ORGANIZATION, PROJECT, REGION = "123456789012", "acme-firebreak", "europe-west1"
FUNCTIONS = ("on-command", "on-finding")
_DAY = 86_400
_PACKED = ("version", "contents", "policy_set", "ceiling", "categories", "classes")
APIS = (
    "artifactregistry bigquery cloudbuild cloudfunctions cloudresourcemanager cloudscheduler firestore iam logging"
    " monitoring pubsub run secretmanager securitycenter storage"
)
Output = dict[str, Any]


def output(package: Mapping[str, Any], command_line: Mapping[str, str] | None = None) -> Output:
    """What `terraform output -json firebreak` prints, as far as `firebreak configure` reads it.

    `package` is the manifest that packing wrote; `command_line` replaces where the ledger is, for one of this machine.
    """
    own = f"projects/{PROJECT}"
    topics = {name: f"{own}/topics/firebreak-{name}" for name in ("commands", "findings", "incidents", "unreadable")}
    line = {
        "FIREBREAK_LEDGER": f"firestore://{PROJECT}/firebreak-ledger",
        "FIREBREAK_COMMANDS_TOPIC": topics["commands"],
        "FIREBREAK_EVIDENCE": f"gs://{PROJECT}-firebreak-evidence/incidents",
    }
    deployment = {
        "organization": ORGANIZATION,
        "project": PROJECT,
        "region": REGION,
        "name": "firebreak",
        "ceiling": "monitor",
        "package": {key: package[key] for key in _PACKED},
        "apis": [f"{one}.googleapis.com" for one in APIS.split()],
        "functions": {
            name: {"name": f"{own}/locations/{REGION}/functions/firebreak-{name}", "account": account(name)}
            for name in FUNCTIONS
        },
        "subscriptions": {
            name: {
                "name": f"{own}/subscriptions/firebreak-{name}",
                "topic": topics[{"on-command": "commands"}.get(name, "findings")],
                "dead_letter": f"{own}/topics/firebreak-{name}-dead",
            }
            for name in FUNCTIONS
        },
        "topics": topics,
        "kept": {name: f"firebreak-{name}-kept" for name in (*FUNCTIONS, "records", "unreadable")},
        "deliveries": {
            "global": f"organizations/{ORGANIZATION}/locations/global/notificationConfigs/firebreak-findings"
        },
        "filter": filter_of(package["categories"]),
        "database": f"{own}/databases/firebreak-ledger",
        "bucket": f"{PROJECT}-firebreak-evidence",
        "retention": 365 * _DAY,
        "secrets": {
            "FIREBREAK_SEAL_KEY": f"{own}/secrets/firebreak-seal-key/versions/latest",
            "VIRUSTOTAL_API_KEY": f"{own}/secrets/firebreak-virustotal-api-key/versions/latest",
        },
        "sweep": f"{own}/locations/{REGION}/jobs/firebreak-sweep",
        "bindings": _bindings(own, topics),
        "grants": [grant(role, scope, name) for name in FUNCTIONS for role, scope in GRANTED],
    }
    return {"command_line": {**line, **(command_line or {})}, "deployment": deployment}


GRANTED = (
    ("findings", f"organizations/{ORGANIZATION}"),
    ("read", f"organizations/{ORGANIZATION}"),
    ("contain", "folders/7001"),
    ("act_as", "folders/7001"),
)


def account(function: str) -> str:
    """The address of a function's service account."""
    return f"firebreak-{function}@{PROJECT}.iam.gserviceaccount.com"


def _bindings(own: str, topics: Mapping[str, str]) -> list[dict[str, str]]:
    """Who may do what in Firebreak's own project."""
    pubsub, agent = (
        "//pubsub.googleapis.com",
        "serviceAccount:service-111122223333@gcp-sa-pubsub.iam.gserviceaccount.com",
    )
    bucket = f"//storage.googleapis.com/{PROJECT}-firebreak-evidence"
    commands = f"{pubsub}/{topics['commands']}"
    listed = [
        (
            "serviceAccount:service-111122223333@gcp-sa-cloudscheduler.iam.gserviceaccount.com",
            "roles/pubsub.publisher",
            commands,
        ),
        (
            f"serviceAccount:service-org-{ORGANIZATION}@gcp-sa-scc-notification.iam.gserviceaccount.com",
            "roles/pubsub.publisher",
            f"{pubsub}/{topics['findings']}",
        ),
    ]
    for name in FUNCTIONS:
        runs, calls = f"serviceAccount:{account(name)}", f"serviceAccount:{account(f'{name}-push')}"
        secrets = f"//secretmanager.googleapis.com/{own}/secrets"
        listed += [
            (runs, f"{own}/roles/firebreak_ledger", f"//cloudresourcemanager.googleapis.com/{own}"),
            (runs, f"{own}/roles/firebreak_vault", bucket),
            (runs, "roles/pubsub.publisher", f"{pubsub}/{topics['incidents']}"),
            (runs, "roles/secretmanager.secretAccessor", f"{secrets}/firebreak-seal-key"),
            (calls, "roles/run.invoker", f"//run.googleapis.com/{own}/locations/{REGION}/services/firebreak-{name}"),
            (agent, "roles/pubsub.publisher", f"{pubsub}/{own}/topics/firebreak-{name}-dead"),
            (agent, "roles/pubsub.subscriber", f"{pubsub}/{own}/subscriptions/firebreak-{name}"),
        ]
    return [{"member": member, "role": role, "on": on} for member, role, on in listed]


def grant(role: str, scope: str, function: str) -> dict[str, Any]:
    """One entry of the output's grants."""
    return {"identity": account(function), "scope": scope, "permissions": permissions_of(role)}


def permissions_of(role: str) -> list[str]:
    """What the code needs, by the role that Terraform makes of it."""
    return sorted(json.loads(PERMISSIONS.read_text(encoding="utf-8"))[role]["permissions"])


def filter_of(categories: list[str]) -> str:
    """The filter that Terraform makes of these categories."""
    named = " OR ".join(f'category = "{one}"' for one in categories)
    return f'state = "ACTIVE" AND NOT mute = "MUTED" AND ({named})'


def deploy(world: World, told: Mapping[str, Any]) -> None:
    """Put all that the output speaks of into the world, as it should be."""
    given = copy.deepcopy(dict(told["deployment"]))
    world.projects.setdefault(PROJECT, "111122223333")
    world.create_topics = False
    dead = [one["dead_letter"] for one in given["subscriptions"].values()]
    for name in (*given["topics"].values(), *dead):
        world.topics.setdefault(name, [])
    world.buckets.setdefault(given["bucket"], {})
    world.resources |= {
        **{f"//serviceusage.googleapis.com/projects/{PROJECT}/services/{one}": _api(one) for one in given["apis"]},
        **_called(given),
        **_findings(given),
        **_kept(given),
        **_roles(),
        f"//cloudscheduler.googleapis.com/{given['sweep']}": {"name": given["sweep"], "state": "ENABLED"},
    }
    for function in FUNCTIONS:
        for role, scope in GRANTED:
            bindings = world.bindings.setdefault(f"//cloudresourcemanager.googleapis.com/{scope}", [])
            bindings.append({"role": role_name(role), "members": [f"serviceAccount:{account(function)}"]})
    for one in given["bindings"]:
        world.bindings.setdefault(one["on"], []).append({"role": one["role"], "members": [one["member"]]})
    for name, one in given["functions"].items():
        _serve(world, given, f"firebreak-{name}", one)
    world.figures |= {
        "pubsub.googleapis.com/subscription/num_undelivered_messages": dict.fromkeys(given["kept"].values(), 0),
        "logging.googleapis.com/user/firebreak/sweeps": {"": 1},
    }


def _serve(world: World, given: Mapping[str, Any], name: str, function: Mapping[str, Any]) -> None:
    """The service behind a function, and the line that its revision wrote when it started."""
    service, revision = f"projects/{PROJECT}/locations/{REGION}/services/{name}", f"{name}-00001-abc"
    world.add_service(
        {
            "name": service,
            "service_account": function["account"],
            "iam": [*world.bindings.get(f"//run.googleapis.com/{service}", ())],
            "revisions": [{"name": revision, "image": 1, "created": "-1d", "ready": True}],
            "traffic": [{"latest": True, "percent": 100}],
        }
    )
    world.logs.append(
        {
            "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout",
            "insertId": revision,
            "timestamp": "2026-01-02T03:04:05Z",
            "severity": "INFO",
            "resource": {
                "type": "cloud_run_revision",
                "labels": {"project_id": PROJECT, "service_name": name, "revision_name": revision},
            },
            "jsonPayload": {"message": STARTS, "contents": given["package"]["contents"]},
        }
    )


def role_name(role: str) -> str:
    """The custom role that Terraform makes of one in permissions.json."""
    return f"organizations/{ORGANIZATION}/roles/firebreak_{role}"


def _api(name: str) -> dict[str, Any]:
    return {"name": f"projects/111122223333/services/{name}", "state": "ENABLED"}


def _called(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The functions, and the subscriptions that call them."""
    made = {}
    for name, one in given["functions"].items():
        made[f"//cloudfunctions.googleapis.com/{one['name']}"] = {
            "name": one["name"],
            "state": "ACTIVE",
            "updateTime": "2026-01-02T03:04:05Z",
            "serviceConfig": {
                "uri": f"https://firebreak-{name}-uc.a.run.app",
                "service": f"projects/{PROJECT}/locations/{REGION}/services/firebreak-{name}",
                "serviceAccountEmail": one["account"],
                "environmentVariables": {"FIREBREAK_CEILING": given["ceiling"]},
            },
        }
    for name, one in given["subscriptions"].items():
        made[f"//pubsub.googleapis.com/{one['name']}"] = {
            "name": one["name"],
            "topic": one["topic"],
            "ackDeadlineSeconds": 180,
            "pushConfig": {"pushEndpoint": f"https://firebreak-{name}-uc.a.run.app"},
            "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
            "deadLetterPolicy": {"deadLetterTopic": one["dead_letter"], "maxDeliveryAttempts": 20},
        }
    return made


def _findings(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"//securitycenter.googleapis.com/{name}": {
            "name": name,
            "pubsubTopic": given["topics"]["findings"],
            "streamingConfig": {"filter": given["filter"]},
        }
        for name in given["deliveries"].values()
    }


def _kept(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The ledger's database with its indexes, the bucket, and the secrets."""
    database, wanted = given["database"], json.loads(INDEXES.read_text(encoding="utf-8"))
    groups = f"{database}/collectionGroups"
    made: dict[str, dict[str, Any]] = {
        f"//firestore.googleapis.com/{database}": {
            "name": database,
            "pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED",
        },
        f"//storage.googleapis.com/{given['bucket']}": {
            "kind": "storage#bucket",
            "name": given["bucket"],
            "retentionPolicy": {"retentionPeriod": str(given["retention"])},
            "iamConfiguration": {
                "publicAccessPrevention": "enforced",
                "uniformBucketLevelAccess": {"enabled": True},
            },
        },
    }
    for number, one in enumerate(wanted["composite"]):
        name = f"{groups}/{one['collection']}/indexes/index-{number}"
        fields = [{"fieldPath": field["name"], "order": field["order"]} for field in one["fields"]]
        ends = {"fieldPath": "__name__", "order": "DESCENDING"}
        made[f"//firestore.googleapis.com/{name}"] = {"name": name, "state": "READY", "fields": [*fields, ends]}
    for one in wanted["ttl"]:
        name = f"{groups}/{one['collection']}/fields/{one['field']}"
        made[f"//firestore.googleapis.com/{name}"] = {"name": name, "ttlConfig": {"state": "ACTIVE"}}
    for name in given["secrets"].values():
        made[f"//secretmanager.googleapis.com/{name}"] = {"name": name, "state": "ENABLED"}
    return made


def _roles() -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {
        "//cloudresourcemanager.googleapis.com/folders/7001": {
            "name": "folders/7001",
            "parent": f"organizations/{ORGANIZATION}",
        }
    }
    for role, _ in GRANTED:
        name = role_name(role)
        made[f"//iam.googleapis.com/{name}"] = {
            "name": name,
            "stage": "GA",
            "includedPermissions": permissions_of(role),
        }
    return made

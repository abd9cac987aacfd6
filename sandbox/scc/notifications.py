"""What Security Command Center sends: findings as it words them, and the envelopes in which they arrive."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

CATEGORY = "Execution: Added Malicious Binary Executed"
SHA256 = "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2"
DIGEST = "sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"
PLANTED_SECRET = "planted-and-not-a-secret-8Qz3nV"  # noqa: S105 - planted so that tests can see it is never shown
MESSAGE_PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
_MANAGER = "//cloudresourcemanager.googleapis.com/"
_V2_ONLY = ("affectedResources", "aiModel", "disk", "ipRules", "job", "networks", "vertexAi")

Pair = dict[str, Any]
"""`{"finding": {…}, "resource": {…}}` in SCC v2's JSON: what a listing gives and a notification wraps."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What was found, and where.

    Attributes:
        workload: the resource name below the location: `services/S`, `services/S/revisions/R`, `jobs/J/executions/E`,
            `workerPools/W`.
        project_id: of the workload's project.
        project_number: of the workload's project.
        location: region of the workload.
        organization: number of the organization.
        folders: numbers of the folders above the project.
        source: id of the SCC source.
        finding_id: last part of the finding's name.
        finding_location: SCC's location of the finding.
        category: the detector's display name.
        module: its API name; None for the one that its display name would give.
        severity: as SCC spells it.
        event_time: RFC 3339.
        create_time: RFC 3339.
        sha256: of the malicious file, in hex.
        path: of the malicious file in the container.
        args: command line of its process.
        image: the container's image, by tag.
        digest: the container's image, as `sha256:…`.
        contact: email address of the Essential Contact.
        project_spelled: how the resource name spells the project.
        resource_name: takes the place of the whole resource name; None for the one made of the above.
    """

    workload: str = "services/checkout"
    project_id: str = "shop-prod"
    project_number: str = "424242424242"
    location: str = "europe-west1"
    organization: str = "123456789012"
    folders: tuple[str, ...] = ("7001",)
    source: str = "5678"
    finding_id: str = "0b54a4eb1d5c4ad2a54e4e6a1d9e5f10"
    finding_location: str = "global"
    category: str = CATEGORY
    module: str | None = None
    severity: str = "CRITICAL"
    event_time: str = "2026-10-01T10:00:00.123456789Z"
    create_time: str = "2026-10-01T10:00:01.007Z"
    sha256: str = SHA256
    path: str = "/tmp/.cache/kdevtmpfsi"  # noqa: S108 - where the malware was put, nothing is written there
    args: tuple[str, ...] = ("/tmp/.cache/kdevtmpfsi", "--donate-level", "1", "-o", "pool.example.net:4444")  # noqa: S108
    image: str = "europe-docker.pkg.dev/shop-prod/apps/checkout:latest"
    digest: str = DIGEST
    contact: str = "checkout-oncall@shop.example"
    project_spelled: Literal["id", "number"] = "id"
    resource_name: str | None = None

    @property
    def full_resource_name(self) -> str:
        """As `finding.resourceName` spells it."""
        project = self.project_id if self.project_spelled == "id" else self.project_number
        return (
            self.resource_name or f"//run.googleapis.com/projects/{project}/locations/{self.location}/{self.workload}"
        )

    @property
    def name(self) -> str:
        """The finding's v2 name under the organization."""
        return f"organizations/{self.organization}/{self.below}"

    @property
    def canonical_name(self) -> str:
        """The finding's v2 name under the project."""
        return f"projects/{self.project_number}/{self.below}"

    @property
    def below(self) -> str:
        """The finding's name below its container."""
        return f"sources/{self.source}/locations/{self.finding_location}/findings/{self.finding_id}"


def malicious_binary_finding(scene: Scene | None = None) -> Pair:
    """A binary that was not in the image and that threat intelligence calls malicious was run, as SCC words it."""
    scene = scene or Scene()
    return {"finding": _finding(scene), "resource": resource_of(scene)}


def notification_v2(pair: Mapping[str, Any], *, config: str = "firebreak", deleted: bool = False) -> bytes:
    """The message body of a v2 notification config; `deleted` makes it one about the finding's deletion."""
    container, _, rest = pair["finding"]["name"].partition("/sources/")
    location = rest.partition("/locations/")[2].partition("/")[0] or "global"
    message = {
        "notificationConfigName": f"{container}/locations/{location}/notificationConfigs/{config}",
        **copy.deepcopy(dict(pair)),
    }
    if deleted:
        message["deletedFinding"] = True
    return json.dumps(message).encode()


def notification_v1(pair: Mapping[str, Any], *, config: str = "firebreak") -> bytes:
    """The message body of a v1 notification config: names without locations, and a flat resource."""
    pair = copy.deepcopy(dict(pair))
    finding = {key: value for key, value in pair["finding"].items() if key not in _V2_ONLY}
    for key in ("name", "canonicalName", "parent"):
        if key in finding:
            finding[key] = without_location(finding[key])
    if marks := finding.get("securityMarks"):
        marks["name"] = without_location(marks["name"])
    resource = pair["resource"]
    flat = {key: resource[key] for key in ("name", "type", "displayName") if key in resource}
    container = finding["name"].partition("/sources/")[0]
    message = {
        "notificationConfigName": f"{container}/notificationConfigs/{config}",
        "finding": finding,
        "resource": {**flat, **resource.get("gcpMetadata", {})},
    }
    return json.dumps(message).encode()


def without_location(name: str) -> str:
    """A finding's or source's name as v1 spells it."""
    head, found, tail = name.partition("/locations/")
    return head + tail[tail.find("/") :] if found and "/" in tail else head


def push_body(
    message: bytes,
    *,
    message_id: str = "11122233344455566",
    publish_time: str = "2026-10-01T10:00:03.012Z",
    subscription: str = "projects/security-ops/subscriptions/firebreak-findings",
    delivery_attempt: int | None = 1,
) -> bytes:
    """The body of an HTTP push, envelope and all; no attempts are counted without a dead-letter topic."""
    envelope: dict[str, Any] = {
        "message": {
            "data": base64.b64encode(message).decode(),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": publish_time,
            "publish_time": publish_time,
        },
        "subscription": subscription,
    }
    if delivery_attempt is not None:
        envelope["deliveryAttempt"] = delivery_attempt
    return json.dumps(envelope).encode()


def cloud_event(
    message: bytes,
    *,
    mode: Literal["binary", "structured"] = "binary",
    topic: str = "projects/security-ops/topics/scc-findings",
    message_id: str = "11122233344455566",
    publish_time: str = "2026-10-01T10:00:03.012Z",
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a Pub/Sub message as Eventarc delivers it, in either content mode of CloudEvents."""
    event = {
        "specversion": "1.0",
        "id": message_id,
        "source": f"//pubsub.googleapis.com/{topic}",
        "type": MESSAGE_PUBLISHED,
        "time": publish_time,
    }
    data = push_body(message, message_id=message_id, publish_time=publish_time, delivery_attempt=None)
    if mode == "binary":
        return {"content-type": "application/json", **{f"ce-{key}": value for key, value in event.items()}}, data
    whole = {**event, "datacontenttype": "application/json", "data": json.loads(data)}
    return {"content-type": "application/cloudevents+json"}, json.dumps(whole).encode()


def _module(category: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", category.partition(": ")[2] or category)
    return "_".join(("CLOUD_RUN", *words)).upper()


def _finding(scene: Scene) -> dict[str, Any]:
    return {
        "name": scene.name,
        "canonicalName": scene.canonical_name,
        "parent": f"organizations/{scene.organization}/sources/{scene.source}/locations/{scene.finding_location}",
        "parentDisplayName": "Cloud Run Threat Detection",
        "resourceName": scene.full_resource_name,
        "state": "ACTIVE",
        "category": scene.category,
        "findingClass": "THREAT",
        "severity": scene.severity,
        "mute": "UNDEFINED",
        "eventTime": scene.event_time,
        "createTime": scene.create_time,
        "description": "A binary that was not part of the original container image, and that threat intelligence"
        " identifies as malicious, was executed.",
        "moduleName": scene.module or _module(scene.category),
        "securityMarks": {"name": f"{scene.name}/securityMarks"},
        "mitreAttack": {
            "primaryTactic": "COMMAND_AND_CONTROL",
            "primaryTechniques": ["INGRESS_TOOL_TRANSFER", "NATIVE_API"],
        },
        "contacts": {"security": {"contacts": [{"email": scene.contact}]}},
        "processes": [_process(scene)],
        "containers": [{"name": "checkout-1", "uri": scene.image, "imageId": scene.digest}],
    }


def _process(scene: Scene) -> dict[str, Any]:
    return {
        "binary": {
            "path": scene.path,
            "size": "1437704",
            "sha256": scene.sha256,
            "hashedSize": "1437704",
        },
        "args": list(scene.args),
        "envVariables": [
            {"name": "PORT", "val": "8080"},
            {"name": "DATABASE_PASSWORD", "val": PLANTED_SECRET},
        ],
        "pid": "37",
        "parentPid": "1",
    }


def resource_of(scene: Scene) -> dict[str, Any]:
    """What SCC says of the resource, and where it lies."""
    project = f"projects/{scene.project_number}"
    folders = [
        {"resourceFolder": f"{_MANAGER}folders/{number}", "resourceFolderDisplayName": f"folder-{number}"}
        for number in scene.folders
    ]
    nodes = [
        {"nodeType": "GCP_ORGANIZATION", "id": f"organizations/{scene.organization}", "displayName": "shop.example"},
        *({"nodeType": "GCP_FOLDER", "id": f"folders/{one}", "displayName": f"folder-{one}"} for one in scene.folders),
        {"nodeType": "GCP_PROJECT", "id": project, "displayName": scene.project_id},
    ]
    return {
        "name": scene.full_resource_name,
        "displayName": scene.full_resource_name.rpartition("/")[2],
        "type": "google.run.Service",
        "cloudProvider": "GOOGLE_CLOUD_PLATFORM",
        "service": "run.googleapis.com",
        "location": scene.location,
        "gcpMetadata": {
            "project": _MANAGER + project,
            "projectDisplayName": scene.project_id,
            "parent": _MANAGER + project,
            "parentDisplayName": scene.project_id,
            "folders": folders,
            "organization": f"organizations/{scene.organization}",
        },
        "resourcePath": {"nodes": nodes},
        "resourcePathString": "/".join(node["id"] for node in nodes),
    }

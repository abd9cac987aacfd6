"""What a good tutorial would write: one call after the other, each needed, none twice; the yardstick of the benchmark.

It reads the finding from the message, has VirusTotal judge the file, looks whether SCC still holds the finding, reads
the service and its revisions, and sends all requests to the newest ready revision before the newest. It does what it
can in the order in which a reader would follow it, and is kept fair: clients are made once, nothing sleeps.
"""

from __future__ import annotations

import base64
import json
import os
from functools import cache
from typing import Any

import functions_framework
import grpc
import vt
from cloudevents.http import CloudEvent
from google.cloud import pubsub_v1, run_v2, securitycenter_v2
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.securitycenter_v2.services.security_center.transports import SecurityCenterGrpcTransport

_TO_REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
_SURE = 10
"""Engines that call a file malware, from which it acts."""


def _channel(variable: str) -> grpc.Channel:
    return grpc.insecure_channel(os.environ[variable])


@cache
def _services() -> run_v2.ServicesClient:
    return run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=_channel("CLOUD_RUN_EMULATOR_HOST")))


@cache
def _revisions() -> run_v2.RevisionsClient:
    return run_v2.RevisionsClient(transport=RevisionsGrpcTransport(channel=_channel("CLOUD_RUN_EMULATOR_HOST")))


@cache
def _scc() -> securitycenter_v2.SecurityCenterClient:
    channel = _channel("SECURITY_CENTER_EMULATOR_HOST")
    return securitycenter_v2.SecurityCenterClient(transport=SecurityCenterGrpcTransport(channel=channel))


@cache
def _publisher() -> pubsub_v1.PublisherClient:
    return pubsub_v1.PublisherClient()


@functions_framework.cloud_event
def on_finding(event: CloudEvent) -> None:
    """One SCC notification."""
    told = json.loads(base64.b64decode(event.data["message"]["data"]))
    finding = told["finding"]
    if finding["category"] != "Execution: Added Malicious Binary Executed" or finding["state"] != "ACTIVE":
        return
    if _malicious(finding["processes"][0]["binary"]["sha256"]) < _SURE:
        return
    if not _still_active(finding):
        return
    name = finding["resourceName"].removeprefix("//run.googleapis.com/")
    service = _services().get_service(name=name)
    ready = [one for one in _revisions().list_revisions(parent=name) if _is_ready(one)]
    ready.sort(key=_created, reverse=True)
    good = ready[1].name.rpartition("/")[2]
    service.traffic = [run_v2.TrafficTarget(type_=_TO_REVISION, revision=good, percent=100)]
    operation: Any = _services().update_service(request={"service": service, "update_mask": {"paths": ["traffic"]}})
    operation.result(timeout=60)
    told_of = json.dumps({"finding": finding["name"], "service": name, "serves": good}).encode()
    _publisher().publish(os.environ["FIREBREAK_INCIDENTS_TOPIC"], told_of).result(timeout=10)


def _malicious(sha256: str) -> int:
    with vt.Client(os.environ["VIRUSTOTAL_API_KEY"], host=os.environ["VIRUSTOTAL_HOST"]) as client:
        return int(client.get_object(f"/files/{sha256}").last_analysis_stats["malicious"])


def _still_active(finding: dict[str, Any]) -> bool:
    source = finding["name"].partition("/findings/")[0]
    request = {"parent": source, "filter": f'name = "{finding["name"]}" AND state = "ACTIVE" AND NOT mute = "MUTED"'}
    return any(True for _ in _scc().list_findings(request=request))


def _created(revision: run_v2.Revision) -> Any:  # noqa: ANN401 - proto-plus makes a datetime of it, untyped
    return revision.create_time


def _is_ready(revision: run_v2.Revision) -> bool:
    succeeded = run_v2.Condition.State.CONDITION_SUCCEEDED
    return any(one.type_ == "Ready" and one.state == succeeded for one in revision.conditions)

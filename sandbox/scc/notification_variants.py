"""The same finding as SCC may also word it: other workloads, gaps, ends, twins and surprises. Run it to write fixtures.

`python -m sandbox.notification_variants FOLDER` writes every one of `FIXTURES` there as indented JSON.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sandbox.scc.notifications import Pair, Scene, malicious_binary_finding, notification_v1, notification_v2

_TYPES = {"jobs": "google.run.Job", "workerPools": "google.run.WorkerPool", "services": "google.run.Service"}


def finding_on(workload: str, scene: Scene | None = None) -> Pair:
    """The finding on `services/S`, `jobs/J/executions/E`, `workerPools/W` or any other part below the location."""
    scene = replace(scene or Scene(), workload=workload)
    pair = malicious_binary_finding(scene)
    pair["resource"]["type"] = _TYPES.get(workload.partition("/")[0], "")
    return pair


def without_processes(pair: Mapping[str, Any]) -> Pair:
    """No process and no file: only the workload is known."""
    return _with_finding(pair, processes=None)


def with_files_only(pair: Mapping[str, Any]) -> Pair:
    """The hash stands in `files`, and there is no process."""
    files = [process["binary"] for process in pair["finding"].get("processes", ())]
    return _with_finding(pair, processes=None, files=files)


def with_partial_hash(pair: Mapping[str, Any]) -> Pair:
    """The hash covers only the beginning of the binary, so it names no file that anybody else knows."""
    changed = copy.deepcopy(dict(pair))
    changed["finding"]["processes"][0]["binary"].update(
        {"size": "734003200", "hashedSize": "104857600", "partiallyHashed": True}
    )
    return changed


def with_truncated_arguments(pair: Mapping[str, Any]) -> Pair:
    """Arguments and environment were cut by SCC."""
    changed = copy.deepcopy(dict(pair))
    changed["finding"]["processes"][0].update(
        {"args": ["sh", "-c", "A" * 4000], "argumentsTruncated": True, "envVariablesTruncated": True}
    )
    return changed


def with_encoded_texts(pair: Mapping[str, Any]) -> Pair:
    """Path, arguments and environment as JSON-encoded strings, as SCC's reference describes them."""
    changed = copy.deepcopy(dict(pair))
    for process in changed["finding"]["processes"]:
        process["binary"]["path"] = json.dumps(process["binary"]["path"])
        process["args"] = [json.dumps(one) for one in (*process["args"], 'a "quoted" word', "ü\u0000")]
        process["envVariables"] = [
            {"name": json.dumps(one["name"]), "val": json.dumps(one["val"])} for one in process["envVariables"]
        ]
    return changed


def with_two_containers(pair: Mapping[str, Any]) -> Pair:
    """A sidecar beside the ingress container, named by a mutable tag without a digest."""
    sidecar = {"name": "proxy", "uri": "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2"}
    return _with_finding(pair, containers=[sidecar, *pair["finding"]["containers"]])


def muted(pair: Mapping[str, Any], time: str = "2026-10-01T11:00:00Z") -> Pair:
    """A person muted the finding: its event time and state stay as they were."""
    return _with_finding(
        pair,
        mute="MUTED",
        muteInitiator="analyst@shop.example",
        muteUpdateTime=time,
        muteInfo={"staticMute": {"state": "MUTED", "applyTime": time}},
    )


def inactive(pair: Mapping[str, Any], time: str = "2026-10-02T09:00:00Z") -> Pair:
    """The finding was resolved; its event time is when."""
    return _with_finding(pair, state="INACTIVE", eventTime=time)


def with_unknowns(pair: Mapping[str, Any]) -> Pair:
    """Fields and enum names that are newer than any client library."""
    changed = _with_finding(
        pair,
        severity="CATASTROPHIC",
        findingClass="AGENTIC_THREAT",
        launchState="GENERAL_AVAILABILITY",
        domains=[{"category": "AI"}],
        risks=[],
        remediationDetails={"steps": {"nested": [1, None, 2.5]}},
        sourceProperties={"count": 0.0, "contextUris": {"relatedFindingUri": {}}},
        attackExposure={"score": 0, "state": "CALCULATED"},
    )
    changed["finding"]["mitreAttack"] = {
        "primaryTactic": "STEALTH",
        "primaryTechniques": ["INGRESS_TOOL_TRANSFER", "AI_TOOL_ABUSE"],
        "version": "19",
    }
    changed["finding"]["processes"][0]["binary"]["fileLoadState"] = "LOADED_BY_PROCESS"
    changed["resource"].update({"application": {"attributes": {}}, "cloudProvider": "ORBITAL_PLATFORM"})
    return changed


def gke_twin(scene: Scene | None = None) -> Pair:
    """The same category from Container Threat Detection, on a cluster whose pod bears the service's name."""
    scene = scene or Scene()
    name = f"//container.googleapis.com/projects/{scene.project_id}/locations/{scene.location}/clusters/main"
    pair = malicious_binary_finding(replace(scene, source="5679", resource_name=name))
    pair["finding"].update(
        parentDisplayName="Container Threat Detection",
        moduleName="ADDED_MALICIOUS_BINARY_EXECUTED",
        kubernetes={"pods": [{"ns": "shop", "name": "checkout", "containers": pair["finding"]["containers"]}]},
        sourceProperties={"Pod_Namespace": "shop", "Pod_Name": "checkout", "Container_Name": "checkout"},
    )
    pair["resource"].update(type="google.container.Cluster", service="container.googleapis.com")
    return pair


def agent_engine_twin(scene: Scene | None = None) -> Pair:
    """The same category from Agent Engine Threat Detection."""
    scene = scene or Scene()
    name = f"//aiplatform.googleapis.com/projects/{scene.project_id}/locations/{scene.location}/reasoningEngines/9001"
    pair = malicious_binary_finding(replace(scene, source="5680", resource_name=name))
    pair["finding"].update(
        parentDisplayName="Agent Engine Threat Detection",
        moduleName="AGENT_ENGINE_ADDED_MALICIOUS_BINARY_EXECUTED",
    )
    pair["resource"].update(type="google.aiplatform.ReasoningEngine", service="aiplatform.googleapis.com")
    return pair


def console_json(pair: Mapping[str, Any]) -> bytes:
    """What the console's JSON tab shows, which is no notification: snake case, the resource inside the finding."""
    return json.dumps(_snake({"finding": {**pair["finding"], "resource": pair["resource"]}})).encode()


def write(folder: Path) -> None:
    """Write every fixture into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in FIXTURES.items():
        (folder / f"{name}.json").write_text(readable(body()), encoding="utf-8")


def readable(body: bytes) -> str:
    """The body as it stands in a fixture file."""
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"


def _with_finding(pair: Mapping[str, Any], **changes: Any) -> Pair:  # noqa: ANN401 - JSON
    changed = copy.deepcopy(dict(pair))
    changed["finding"].update(changes)
    changed["finding"] = {key: value for key, value in changed["finding"].items() if value is not None}
    return changed


def _snake(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower(): _snake(one) for key, one in value.items()}
    return [_snake(one) for one in value] if isinstance(value, list) else value


def _v2(pair: Pair) -> Callable[[], bytes]:
    return lambda: notification_v2(pair)


_PLAIN = malicious_binary_finding()
FIXTURES: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "v1": lambda: notification_v1(_PLAIN),
        "v2": _v2(_PLAIN),
        "revision": _v2(
            finding_on(
                "services/checkout/revisions/checkout-00002-bad", Scene(finding_id="1b54a4eb1d5c4ad2a54e4e6a1d9e5f10")
            )
        ),
        "job_execution": _v2(
            finding_on(
                "jobs/nightly-report/executions/nightly-report-x7k2p",
                Scene(finding_id="1c54a4eb1d5c4ad2a54e4e6a1d9e5f10"),
            )
        ),
        "worker_pool": _v2(
            finding_on("workerPools/order-consumer", Scene(finding_id="1d54a4eb1d5c4ad2a54e4e6a1d9e5f10"))
        ),
        "project_number": _v2(malicious_binary_finding(Scene(project_spelled="number"))),
        "no_processes": _v2(without_processes(_PLAIN)),
        "files_only": _v2(with_files_only(_PLAIN)),
        "partial_hash": _v2(with_partial_hash(_PLAIN)),
        "truncated_arguments": _v2(with_truncated_arguments(_PLAIN)),
        "encoded_texts": _v2(with_encoded_texts(_PLAIN)),
        "two_containers": _v2(with_two_containers(_PLAIN)),
        "deleted": lambda: notification_v2(_PLAIN, deleted=True),
        "muted": _v2(muted(_PLAIN)),
        "inactive": _v2(inactive(_PLAIN)),
        "unknown_fields": _v2(with_unknowns(_PLAIN)),
        "gke_twin": _v2(gke_twin()),
        "agent_engine_twin": _v2(agent_engine_twin()),
        "console_json_tab": lambda: console_json(_PLAIN),
    }
)

if __name__ == "__main__":
    write(Path(sys.argv[1]))

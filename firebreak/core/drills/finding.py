"""The finding that a drill writes about its canary, in the words and the shape of Cloud Run Threat Detection."""

from __future__ import annotations

from typing import Any

from firebreak.core.cloud_run.target import RUN_HOST
from firebreak.core.cloud_run.workload import Revision
from firebreak.core.timestamps import format_instant

CATEGORY = "Execution: Added Malicious Binary Executed"
EICAR_SHA256 = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
"""The test file of antivirus engines (eicar.org): harmless, and called malicious by most engines on VirusTotal."""
_EICAR_BYTES = 68
_PATH = "/tmp/eicar.com"  # noqa: S108 - the name that the finding tells; no file is written
_SAYS = "A drill of Firebreak's own: nothing was executed. It is about a canary that `firebreak drill` has deployed."


def drill_finding(resource: str, image: str, suspect: Revision, event_ns: int) -> dict[str, Any]:
    """The body of `findings.create` in SCC's JSON: malware on the revision that gets the requests.

    `resource` is the service's name as its API takes it, `event_ns` nanoseconds since 1970.
    """
    digest = min(suspect.digests, default="")
    file = {"path": _PATH, "size": str(_EICAR_BYTES), "hashedSize": str(_EICAR_BYTES), "sha256": EICAR_SHA256}
    return {
        "resourceName": f"{RUN_HOST}{resource}",
        "state": "ACTIVE",
        "category": CATEGORY,
        "findingClass": "THREAT",
        "severity": "CRITICAL",
        "eventTime": format_instant(event_ns),
        "description": _SAYS,
        "moduleName": "CLOUD_RUN_ADDED_MALICIOUS_BINARY_EXECUTED",
        "mitreAttack": {
            "primaryTactic": "COMMAND_AND_CONTROL",
            "primaryTechniques": ["INGRESS_TOOL_TRANSFER", "NATIVE_API"],
        },
        "processes": [{"binary": file, "args": [_PATH], "pid": "37", "parentPid": "1"}],
        "containers": [{"name": "canary", "uri": image, **({"imageId": digest} if digest else {})}],
    }

"""Cloud Custodian's filter engine on the workload, run by a Python of its own that has c7n and c7n-gcp alone.

Reads `{"policies": […], "resources": […], "rounds": n}` on standard input; writes answers, and the processor seconds of
each round. With a `file` of JSON Lines in place of resources it does as its dry run does: all of them through each
policy's filters at once, and it writes how many each has found, seconds and megabytes.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """One resource a call, through every policy's filters, as an event-driven function would."""
    given = json.load(sys.stdin)
    managers = _managers(given["policies"])
    if "file" in given:
        json.dump(_dry_run(managers, Path(given["file"])), sys.stdout)
        return
    seconds, answers = [], []
    for _ in range(given["rounds"]):
        began = time.process_time()
        answers = [
            [name for name, manager in managers if manager.filter_resources([one])] for one in given["resources"]
        ]
        seconds.append(time.process_time() - began)
    json.dump({"answers": answers, "seconds": seconds}, sys.stdout)


def _dry_run(managers: list[tuple[str, Any]], file: Path) -> dict[str, Any]:
    began, clock = time.process_time(), time.perf_counter()
    with file.open(encoding="utf-8") as lines:
        resources = [json.loads(line) for line in lines]
    counts = {name: len(manager.filter_resources(resources)) for name, manager in managers}
    return {
        "counts": counts,
        "findings": len(resources),
        "seconds": time.process_time() - began,
        "clock": time.perf_counter() - clock,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _managers(policies: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    config, loader, resources = (importlib.import_module(f"c7n.{name}") for name in ("config", "loader", "resources"))
    resources.load_resources(("gcp.function",))
    loaded = loader.PolicyLoader(config.Config.empty()).load_data({"policies": policies}, "memory", validate=False)
    return [(policy.name, policy.resource_manager) for policy in loaded]


if __name__ == "__main__":
    main()

"""Cloud Custodian's filter engine on the workload, run by a Python of its own that has c7n and c7n-gcp alone.

Reads `{"policies": […], "resources": […], "rounds": n}` on standard input; writes answers, and the processor seconds of
each round.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any


def main() -> None:
    """One resource a call, through every policy's filters, as an event-driven function would."""
    given = json.load(sys.stdin)
    managers = _managers(given["policies"])
    seconds, answers = [], []
    for _ in range(given["rounds"]):
        began = time.process_time()
        answers = [
            [name for name, manager in managers if manager.filter_resources([one])] for one in given["resources"]
        ]
        seconds.append(time.process_time() - began)
    json.dump({"answers": answers, "seconds": seconds}, sys.stdout)


def _managers(policies: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    config, loader, resources = (importlib.import_module(f"c7n.{name}") for name in ("config", "loader", "resources"))
    resources.load_resources(("gcp.function",))
    loaded = loader.PolicyLoader(config.Config.empty()).load_data({"policies": policies}, "memory", validate=False)
    return [(policy.name, policy.resource_manager) for policy in loaded]


if __name__ == "__main__":
    main()

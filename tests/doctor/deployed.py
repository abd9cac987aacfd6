"""A deployment in the sandbox, and this machine configured for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from firebreak.cli.configuration import configuration_file, write_configuration
from sandbox.administration.deployment import Output, deploy, output
from sandbox.server import Sandbox
from sandbox.world import World

PACKAGE = {
    "version": "0.1.0",
    "contents": "ab" * 32,
    "policy_set": "0" * 64,
    "ceiling": "monitor",
    "categories": ["Execution: Added Malicious Binary Executed", "Execution: Reverse Shell"],
    "classes": [],
}


@dataclass
class Site:
    """A world with a deployment in it, and what Terraform said of that; both may be spoiled before it is looked at."""

    world: World
    told: Output
    folder: Path
    sandbox: Sandbox

    @property
    def deployment(self) -> dict[str, Any]:
        return self.told["deployment"]  # type: ignore[no-any-return]

    def resource(self, host: str, name: str) -> dict[str, Any]:
        return self.world.resources[f"//{host}.googleapis.com/{name}"]

    def configure(self) -> None:
        """Have this machine know the deployment, as `firebreak configure` would."""
        path = configuration_file(self.folder / "state" / "firebreak")
        write_configuration(path, self.told["command_line"], self.deployment)

    @property
    def file(self) -> Path:
        """What `terraform output -json` printed into a file."""
        path = self.folder / "output.json"
        path.write_text(json.dumps(self.told))
        return path


@contextmanager
def served() -> Iterator[Sandbox]:
    """A sandbox that has all its servers, for one test after the other."""
    world = World()
    deploy(world, output(PACKAGE))
    with Sandbox(world) as sandbox:
        yield sandbox


def deployed_anew(sandbox: Sandbox, folder: Path) -> Site:
    """A healthy deployment and nothing else; its ledger is a file of this machine, which stands in for Firestore."""
    told = output(PACKAGE, {"FIREBREAK_LEDGER": f"sqlite:///{folder / 'ledger.sqlite'}"})
    fresh = World()
    deploy(fresh, told)
    for one in fields(World):
        if one.name != "lock":
            setattr(sandbox.world, one.name, getattr(fresh, one.name))
    sandbox.wire.clear_faults()
    return Site(sandbox.world, told, folder, sandbox)

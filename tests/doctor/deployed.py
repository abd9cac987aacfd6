"""A deployment in the sandbox, and this machine configured for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

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
    sandbox: Sandbox = field(init=False)

    @property
    def deployment(self) -> dict[str, Any]:
        return self.told["deployment"]  # type: ignore[no-any-return]

    def resource(self, host: str, name: str) -> dict[str, Any]:
        return self.world.resources[f"//{host}.googleapis.com/{name}"]

    @property
    def file(self) -> Path:
        """What `terraform output -json` printed into a file."""
        path = self.folder / "output.json"
        path.write_text(json.dumps(self.told))
        return path


@contextmanager
def site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A healthy deployment whose ledger is a file of this machine, which stands in for Firestore."""
    told = output(PACKAGE, {"FIREBREAK_LEDGER": f"sqlite:///{folder / 'ledger.sqlite'}"})
    world = World()
    deploy(world, told)
    made = Site(world, told, folder)
    with Sandbox(world) as sandbox:
        made.sandbox = sandbox
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield made

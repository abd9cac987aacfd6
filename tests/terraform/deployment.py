"""A deployment as Terraform would make it, on a stand-in for Google's providers: its state, and plans upon it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).resolve().parents[2]
ORGANIZATION, PROJECT, REGION = "123456789012", "acme-firebreak", "europe-west1"
VARIABLES = {
    "organization_id": ORGANIZATION,
    "project_id": PROJECT,
    "region": REGION,
    "source_archive": "tests/fixtures/firebreak.zip",
    "alert_email": "oncall@acme.example",
    "runbook_url": "https://wiki.acme.example/firebreak",
}
PROVIDER = """terraform {{
  required_providers {{
    google      = {{ source = "hashicorp/google", version = "~> {0}.0, {1}" }}
    google-beta = {{ source = "hashicorp/google-beta", version = "~> {0}.0, {2}" }}
  }}
}}
"""
WHERE = "topic subscription bucket secret_id service_account_id repository table_id name folder org_id project".split()


def has_mirror() -> bool:
    """Whether Terraform is told of a provider mirror: applying here must never reach a real project."""
    settings = Path(os.environ.get("TF_CLI_CONFIG_FILE") or os.devnull)
    return settings.is_file() and "filesystem_mirror" in settings.read_text()


@dataclass(frozen=True, slots=True)
class Grant:
    """One binding: `kind` is the resource's type, `where` the one thing it is bound on, `who` the member."""

    kind: str
    where: str
    role: str
    who: str
    condition: str = ""


class Deployment:
    """One copy of the module, with a state of its own.

    `provider` is the major version of Google's providers; without it, the newest that is allowed.
    """

    variables: ClassVar[dict[str, Any]] = VARIABLES

    def __init__(self, folder: Path, provider: int | None = None) -> None:
        self.folder = copied_module(folder)
        if provider is not None:
            own = re.findall(
                r'"hashicorp/google(?:-beta)?"\n +version = "(.+)"', (self.folder / "versions.tf").read_text()
            )
            (self.folder / "provider_override.tf").write_text(PROVIDER.format(provider, *own))
        self.run("init")

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run Terraform in it; what it printed."""
        command = ["terraform", *arguments]
        environment = {**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def apply(self, **variables: Any) -> None:
        self.run("apply", "-auto-approve", "-no-color", *self._given(variables))

    def state(self) -> dict[str, Any]:
        return json.loads(self.run("show", "-json"))  # type: ignore[no-any-return]

    def plan(self, *, code: int = 2, **variables: Any) -> dict[str, Any]:
        """What would change; `code` 0 says that nothing may, and only then is what is there asked first."""
        asking = "-refresh" if code == 0 else "-refresh=false"
        self.run("plan", "-out=plan", "-detailed-exitcode", asking, "-no-color", *self._given(variables), code=code)
        return json.loads(self.run("show", "-json", "plan"))  # type: ignore[no-any-return]

    def count(self) -> int:
        """How many resources a plan of all of it would make."""
        added = re.search(r"Plan: (\d+) to add, 0 to change, 0 to destroy", self.run("plan", "-no-color"))
        assert added
        return int(added[1])

    def _given(self, variables: dict[str, Any]) -> list[str]:
        chosen = self.variables | variables
        written = {name: one if isinstance(one, str) else json.dumps(one) for name, one in chosen.items()}
        return [f"-var={name}={one}" for name, one in written.items()]


class Root(Deployment):
    """A folder of whoever deploys, with its main.tf and terraform.tfvars, and a state beside them."""

    variables: ClassVar[dict[str, Any]] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        self.run("init")


def copied_module(folder: Path) -> Path:
    """A checkout's module and what it reads beside it, in `folder`/firebreak."""
    checkout = folder / "firebreak"
    left = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars")
    shutil.copytree(ROOT / "terraform", checkout / "terraform", ignore=left)
    (checkout / "firebreak").symlink_to(ROOT / "firebreak")
    return checkout / "terraform"


def resources(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """All managed resources of a state, or as a plan would leave them."""
    root = (shown["planned_values"] if "planned_values" in shown else shown["values"])["root_module"]
    modules = [root, *root.get("child_modules", ())]
    return [one for module in modules for one in module.get("resources", ()) if one["mode"] == "managed"]


def changes(plan: dict[str, Any]) -> dict[str, list[str]]:
    """Address to actions, of what would not stay as it is."""
    return {
        one["address"]: one["change"]["actions"]
        for one in plan["resource_changes"]
        if one["change"]["actions"] not in (["no-op"], ["read"])
    }


def grants(shown: dict[str, Any]) -> Iterator[Grant]:
    """Every binding of a state, or as a plan would leave it."""
    for one in resources(shown):
        values = one["values"]
        if "role" in values and "_iam_" in one["type"]:
            where = next(str(values[key]) for key in WHERE if values.get(key))
            condition = "".join(limit["expression"] for limit in values.get("condition") or ())
            for who in [values["member"]] if "member" in values else values["members"]:
                yield Grant(one["type"], where, values["role"], who, condition)

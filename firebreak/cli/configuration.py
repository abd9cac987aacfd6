"""What `firebreak configure` keeps on a person's machine: where the deployment's ledger is, and what was deployed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firebreak.settings import Settings, SettingsFault, read_settings

NAME = "deployment.json"
TOGETHER = ("FIREBREAK_LEDGER", "FIREBREAK_COMMANDS_TOPIC", "FIREBREAK_EVIDENCE")
"""The settings that the file may hold. They are of one deployment: an answer is read where it was sent to."""


def configuration_file(state: Path) -> Path:
    """Where it is kept, in the user's state folder."""
    return state / NAME


def read_machine_settings() -> Settings:
    """The environment, and for what it leaves out this machine's file; raises SettingsFault."""
    return read_settings(lend=_lend)


def read_configuration(path: Path) -> Mapping[str, Any]:
    """What the file holds, nothing where there is none; raises SettingsFault."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        message = f"{path} cannot be read: write it anew with `firebreak configure`, or delete it"
        raise SettingsFault(message)
    return body


def _lend(env: Mapping[str, str], state: Path) -> Mapping[str, str]:
    """What the file says of those settings; one that the environment has speaks for all of them."""
    if any(name in env for name in TOGETHER):
        return {}
    own = read_configuration(configuration_file(state)).get("environment")
    given = own if isinstance(own, dict) else {}
    return {name: value for name in TOGETHER if isinstance(value := given.get(name), str) and value}


def write_configuration(path: Path, environment: Mapping[str, str], deployment: Mapping[str, Any] | None) -> None:
    """Put the file in its place, whole; raises OSError."""
    body = {"environment": dict(environment), "deployment": deployment}
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    try:
        aside.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)

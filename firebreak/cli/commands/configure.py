"""`firebreak configure`: where a deployment is, kept on this machine, and whether whoever sits at it can use it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firebreak.cli.commands import UsageError
from firebreak.cli.commands.doctor import HOW_TO_CONFIGURE, PRACTISES, configured, diagnosed, practises, tell
from firebreak.cli.configuration import TOGETHER, configuration_file, read_machine_settings, write_configuration
from firebreak.cli.screens.console import stdout
from firebreak.core.secrets.redaction import safe
from firebreak.doctor import discover
from firebreak.doctor.deployment import NotADeployment, in_output
from firebreak.settings import SettingsFault, read_settings

_TRIED = "yourself"
"""The check whose subject is this machine and whoever sits at it."""


def configure(parsed: argparse.Namespace) -> int:
    """Write the file, and then try what it says; exits as the checks of `firebreak doctor` do."""
    if practises(read_settings()):
        message = f"nothing was written: {PRACTISES}"
        raise UsageError(message)
    if not (parsed.output or parsed.project):
        message = f"say where the deployment is: {HOW_TO_CONFIGURE}"
        raise UsageError(message)
    environment, deployment = _told(parsed)
    lines = {name: environment[name] for name in TOGETHER if environment.get(name)}
    settings = read_settings()
    try:
        read_settings({"HOME": str(settings.state), **lines})
    except SettingsFault as fault:
        message = f"nothing was written, because of what the output says: {fault}"
        raise UsageError(message) from None
    if settings.ledger_named or settings.commands_topic:
        own = f"this shell sets one of {', '.join(TOGETHER)}: here the shell counts, and the file does not"
        print(own, file=sys.stderr)
    path = configuration_file(settings.state)
    write_configuration(path, lines, deployment)
    settings = read_machine_settings()
    if not parsed.json:
        stdout().verbatim(safe(f"written: {path}, for the project {deployment['project']}"))
    checks = {_TRIED: discover().working[_TRIED]}
    return tell(parsed, settings, diagnosed(settings, configured(settings), checks))


def _told(parsed: argparse.Namespace) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """The environment of a person's machine, and the deployment; raises UsageError."""
    if parsed.project:
        return _by_name(parsed.project, parsed.name)
    try:
        text = sys.stdin.read() if parsed.output == "-" else Path(parsed.output).read_text(encoding="utf-8")
        return in_output(json.loads(text))
    except (ValueError, RecursionError):
        message = f"{parsed.output}: not JSON: give what `terraform output -json` prints"
    except OSError as fault:
        message = f"{parsed.output}: it cannot be read: {fault.strerror}"
    except NotADeployment as fault:
        message = f"{parsed.output}: {fault}"
    raise UsageError(message)


def _by_name(project: str, name: str) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """What Terraform makes under these names, as far as a person needs it."""
    commands = f"projects/{project}/topics/{name}-commands"
    bucket = f"{project}-{name}-evidence"
    environment = {
        "FIREBREAK_LEDGER": f"firestore://{project}/{name}-ledger",
        "FIREBREAK_COMMANDS_TOPIC": commands,
        "FIREBREAK_EVIDENCE": f"gs://{bucket}/incidents",
    }
    return environment, {"project": project, "name": name, "topics": {"commands": commands}, "bucket": bucket}

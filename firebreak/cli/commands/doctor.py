"""`firebreak doctor`: a deployment, looked at from outside and compared with what was applied."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from firebreak.adapters.inspection.cloud import GoogleCloud
from firebreak.cli.commands import EXIT_NO, EXIT_OK, EXIT_UNREACHABLE, UsageError, print_json
from firebreak.cli.commands.recorded import open_ledger
from firebreak.cli.configuration import configuration_file, read_configuration, read_machine_settings
from firebreak.cli.screens.console import counting, stdout
from firebreak.cli.screens.doctor import diagnosis_json, show_diagnoses
from firebreak.doctor import discover
from firebreak.doctor.deployment import Deployment, NotADeployment, Package, read_deployment, read_package
from firebreak.doctor.examine import examine, items_of
from firebreak.doctor.result import Check, Diagnosis, Examined, Fault, Unchecked
from firebreak.settings import Settings

HOW_TO_CONFIGURE = (
    "terraform -chdir=../firebreak-deployment output -json firebreak | firebreak configure -, or, without Terraform,"
    " firebreak configure --project PROJECT"
)
_UNCONFIGURED = f"this machine is not configured for a deployment: {HOW_TO_CONFIGURE}"
PRACTISES = (
    "this shell is set to a sandbox to practise on (its *_EMULATOR_HOST), and behind that there is no deployment to"
    " look at. What can be checked here: firebreak policy lint, firebreak policy test, firebreak sweep. For a"
    f" deployment, open another shell, and say there: {HOW_TO_CONFIGURE}; then firebreak doctor"
)


def doctor(parsed: argparse.Namespace) -> int:
    """Every check, side by side; 0 all well, 1 faults, 3 something could not be checked and no fault was found."""
    settings = read_machine_settings()
    found, deployment = discover(), configured(settings)
    if parsed.package:
        deployment = replace(deployment, package=_packed(parsed.package))
    diagnoses = (
        *diagnosed(settings, deployment, found.working, parsed.reaches),
        *(Diagnosis(name, name, (Unchecked(why),)) for name, why in found.broken.items()),
    )
    return tell(parsed, settings, diagnoses)


def configured(settings: Settings) -> Deployment:
    """What this machine knows of the deployment; raises UsageError where that is nothing."""
    path = configuration_file(settings.state)
    if body := read_configuration(path).get("deployment"):
        try:
            return read_deployment(body)
        except NotADeployment as fault:
            message = f"{path}: {fault}; write it anew with `firebreak configure`"
            raise UsageError(message) from None
    raise UsageError(PRACTISES if practises(settings) else _UNCONFIGURED)


def practises(settings: Settings) -> bool:
    """Whether this shell is set to a sandbox and a ledger of this machine, behind which there is no deployment."""
    return bool(settings.emulators) and settings.ledger_named and settings.ledger_database is None


def _packed(path: Path) -> Package:
    """What packing wrote beside an archive; raises UsageError."""
    try:
        return read_package(json.loads(path.read_text(encoding="utf-8")))
    except OSError as fault:
        message = f"{path}: it cannot be read: {fault.strerror}"
    except (ValueError, RecursionError):
        message = f"{path}: not JSON: give the firebreak.json that `make package` wrote"
    except NotADeployment as fault:
        message = f"{path}: {fault}"
    raise UsageError(message)


def diagnosed(
    settings: Settings, deployment: Deployment, checks: Mapping[str, Check], places: Sequence[str] = ()
) -> tuple[Diagnosis, ...]:
    """What these checks find, with progress on a terminal; raises Transient where there is nobody to ask as."""
    now_ns = time.time_ns()
    cloud = GoogleCloud(settings, tuple(deployment.deliveries), now_ns)
    cloud.quota_project()  # without credentials every check would say the same
    examined = Examined(deployment, cloud, lambda: open_ledger(settings), now_ns, tuple(places))
    total = sum(len(items_of(one, examined)) for one in checks.values())
    with counting(f"looking at {deployment.project}", total) as done:
        return examine(checks, examined, done)


def tell(parsed: argparse.Namespace, settings: Settings, diagnoses: tuple[Diagnosis, ...]) -> int:
    """Show what was found, and the exit code that it stands for."""
    results = [result for one in diagnoses for result in one.results]
    unchecked = any(isinstance(one, Unchecked) for one in results)
    code = EXIT_NO if any(isinstance(one, Fault) for one in results) else EXIT_UNREACHABLE if unchecked else EXIT_OK
    if parsed.json:
        print_json(
            {
                "checks": list(map(diagnosis_json, diagnoses)),
                "file": str(configuration_file(settings.state)),
                "exit": code,
            }
        )
    else:
        show_diagnoses(stdout(), diagnoses, configured(settings).project)
    return code

"""`firebreak policy digest`: the name of a set of policies as records, `policy log` and the incidents topic have it."""

from __future__ import annotations

import argparse

from firebreak.cli.commands import EXIT_OK, print_json, require_folder
from firebreak.cli.commands.policy_paths import folder_of_settings
from firebreak.cli.screens.console import stdout
from firebreak.policy_folder import read_folder, read_yaml_policies


def run_digest(parsed: argparse.Namespace) -> int:
    """Of the YAML as it lies there, whatever was compiled from it before; raises Faults where it does not load."""
    folder = parsed.folder or folder_of_settings()
    require_folder(folder)
    policies = read_yaml_policies(read_folder(folder))
    if parsed.json:
        named = [one.id for one in policies.policies]
        print_json({"digest": policies.digest, "folder": str(folder), "policies": named})
    else:
        stdout().verbatim(policies.digest)
    return EXIT_OK

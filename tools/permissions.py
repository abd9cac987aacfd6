"""What the code declares it needs: terraform/permissions.json, by role, and the table in docs/security.md."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
from collections.abc import Iterator, Mapping

import enrichment
import responders
from firebreak import adapters
from firebreak.bootstrap import build
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config
from firebreak.ports.surface import Reader, Surface
from firebreak.settings import read_settings

PAGE = "docs/security.md"
BEGIN, END = "<!-- permissions -->\n", "<!-- /permissions -->"

# The last word of a permission. Exact words: `get` must not let in getAccessToken, nor `list` listAnythingElse.
READS = frozenset("get list getIamPolicy group searchAllResources searchAllIamPolicies".split())
WRITES = frozenset(
    "create update delete setIamPolicy cancel disable enable pause resume run start stop undelete patch".split()
)
MARKS = "securitycenter.findingsecuritymarks.update"
ACT_AS = "iam.serviceAccounts.actAs"
PUBLISH = "pubsub.topics.publish"
ACCOUNTS = frozenset({"iam.serviceAccounts.disable", "iam.serviceAccounts.enable"})
# Firebreak's own project: these are granted on its own database, bucket and topics, never elsewhere.
OWN = {"datastore": "ledger", "storage": "vault"}

ROLES = {
    "findings": "read findings; on the organization, because findings are asked for under it",
    "read": "read workloads and what is about them; on read_targets, by default the organization",
    "marks": "mark findings; on the organization, only with write_marks",
    "contain": "change and restore workloads; on contain_targets alone",
    "act_as": "act as a workload's own identity, which Cloud Run asks for on updates; on contain_targets, or less",
    "accounts": "disable and enable service accounts; on disable_accounts_in alone, by default nowhere",
    "ledger": "Firebreak's own Firestore database",
    "vault": "Firebreak's own evidence bucket",
    "publish": "Firebreak's own topics",
}


class Unclassified(Exception):
    """A permission that no role is known for: it is not granted by guessing."""


def role_of(permission: str) -> str:
    """The role that a permission belongs into; raises Unclassified for a word or a place that is not known."""
    service, verb = permission.partition(".")[0], permission.rpartition(".")[2]
    if permission.count(".") != 2:  # noqa: PLR2004 - service.resource.verb
        message = f"{permission}: not of the form service.resource.verb"
        raise Unclassified(message)
    if permission in (MARKS, ACT_AS, PUBLISH):
        return {MARKS: "marks", ACT_AS: "act_as", PUBLISH: "publish"}[permission]
    if permission in ACCOUNTS:
        return "accounts"
    if verb not in READS | WRITES:
        message = f"{permission}: whether {verb!r} reads or writes is not known; add it to tools/permissions.py"
        raise Unclassified(message)
    if service in OWN:
        return OWN[service]
    if service == "securitycenter" and verb in READS:
        return "findings"
    if service in ("securitycenter", "pubsub", "secretmanager"):
        message = f"{permission}: Firebreak only reads and marks findings, and publishes to its own topics"
        raise Unclassified(message)
    return "read" if verb in READS else "contain"


def declared() -> Mapping[str, tuple[str, ...]]:
    """Every permission that the code declares, with the places that declare it."""
    found: dict[str, set[str]] = {}
    for place, permissions in _places():
        for permission in permissions:
            found.setdefault(permission, set()).add(place)
    return {permission: tuple(sorted(found[permission])) for permission in sorted(found)}


def _places() -> Iterator[tuple[str, frozenset[str]]]:
    for name, source in enrichment.discover().items():
        yield f"enrichment/{name}.py", source.permissions
    for name, action in responders.discover().items():
        yield f"responders/{name}.py", action.permissions
    for info in pkgutil.walk_packages(adapters.__path__, f"{adapters.__name__}."):
        module = importlib.import_module(info.name)
        for one in vars(module).values():
            if isinstance(one, type) and one.__module__ == module.__name__ and hasattr(one, "permissions"):
                yield f"{info.name.replace('.', '/')}.py", one.permissions
    app = build(read_settings({"HOME": os.devnull, "FIREBREAK_SEAL_KEY": "-" * 16}), policy_set((), Config()))
    parts: list[Reader | Surface] = [*app.readers.values(), *app.surfaces.values()]
    for made in parts:  # some are told their permissions when they are made
        does = made.write if hasattr(made, "write") else made.read
        yield f"{does.__module__.replace('.', '/')}.py", made.permissions


def sorted_into_roles(needed: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, list[str]]]:
    """Role to permission to the places that declare it; raises Unclassified naming all that fit nowhere."""
    roles: dict[str, dict[str, list[str]]] = {role: {} for role in ROLES}
    faults = []
    for permission, places in needed.items():
        try:
            roles[role_of(permission)][permission] = list(places)
        except Unclassified as fault:
            faults.append(f"{fault} (declared by {', '.join(places)})")
    if faults:
        raise Unclassified("\n".join(faults))
    return roles


def text() -> str:
    """The whole file."""
    roles = sorted_into_roles(declared())
    return "{\n" + ",\n".join(_entry(role, purpose, roles[role]) for role, purpose in ROLES.items()) + "\n}\n"


def _entry(role: str, purpose: str, permissions: dict[str, list[str]]) -> str:
    """One permission a line, so that a change to it reads well."""
    lines = [f"      {json.dumps(name)}: {json.dumps(places)}" for name, places in permissions.items()]
    listed = "{\n" + ",\n".join(lines) + "\n    }" if lines else "{}"
    return f'  {json.dumps(role)}: {{\n    "for": {json.dumps(purpose)},\n    "permissions": {listed}\n  }}'


def page(written: str) -> str:
    """The page with its table made anew: the roles that reach out of Firebreak's own project, and who needs what."""
    before, rest = written.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}{table()}{END}{after}"


def table() -> str:
    """One row for each permission, under the role that grants it."""
    roles = sorted_into_roles(declared())
    rows = ["| to | permission | declared in |", "|---|---|---|"]
    for role, purpose in ROLES.items():
        for count, (name, places) in enumerate(roles[role].items()):
            first = f"**{role}**: {purpose}" if count == 0 else ""
            rows.append(f"| {first} | `{name}` | {', '.join(f'`{place}`' for place in places)} |")
    return "\n".join(rows) + "\n"

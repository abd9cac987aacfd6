"""What each function's service account may do, by the policies that grant it and the roles that these name.

`TestIamPermissions` answers for whoever asks, and who asks is a person. So the bindings are read, and the roles: also
where no function runs, and for every identity alike. A deny policy and a principal access boundary are not in them, nor
are the members of a group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from firebreak.core.errors import Denied, Missing
from firebreak.core.first_few import first_few
from firebreak.doctor.deployment import Grant
from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result, Unchecked
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection

_MANAGER, _IAM = "//cloudresourcemanager.googleapis.com", "//iam.googleapis.com"
_MOST_NAMED = 3
_ROLE = "roles/iam.securityReviewer and roles/browser on the organization"


def _items(examined: Examined) -> Iterator[Item]:
    wanted: dict[tuple[str, str], frozenset[str]] = {}
    for one in examined.deployment.grants:
        key = (one.identity, one.scope)
        wanted[key] = wanted.get(key, frozenset()) | frozenset(one.permissions)
    for (identity, scope), permissions in sorted(wanted.items()):
        grant = Grant(identity=identity, scope=scope, permissions=tuple(sorted(permissions)))
        yield Item(f"{_short(identity)} on {scope}", partial(_look, examined.cloud, grant))
    for place in examined.places:
        for identity in sorted({one.identity for one in examined.deployment.grants}):
            everything = {
                two for one in examined.deployment.grants if one.identity == identity for two in one.permissions
            }
            grant = Grant(identity=identity, scope=place, permissions=tuple(sorted(everything)))
            yield Item(f"{_short(identity)} on {place}", partial(_reach, examined.cloud, grant))


def _look(cloud: Inspection, grant: Grant, deadline: Deadline) -> Iterator[Result]:
    missing, disabled, unread = _missing(cloud, grant, deadline)
    who = f"{_short(grant.identity)} on {grant.scope}"
    if missing and unread:
        yield Unchecked(f"{who}: {_named(missing)} may be granted further up, where the policy cannot be read", _ROLE)
    elif missing and disabled:
        role = disabled.rpartition("/")[2]
        enable = f"gcloud iam roles update {role} --stage=GA --organization={disabled.split('/')[1]}"
        yield Fault(f"{who}: the role {role} is disabled and grants nothing: {_named(missing)}", enable)
    elif missing:
        yield Fault(f"{who}: {_named(missing)} is not granted", APPLY)
    else:
        yield Ok(f"{who}: all {len(grant.permissions)} permissions are granted")


def _reach(cloud: Inspection, grant: Grant, deadline: Deadline) -> Iterator[Result]:
    """What reaches a place that somebody asked about; what does not is no fault, as nobody said that it should."""
    who = f"{_short(grant.identity)} on {grant.scope}"
    try:
        missing, _, unread = _missing(cloud, grant, deadline)
    except Missing as fault:
        yield Unchecked(f"{who}: Google knows no such place: look at how it was typed ({fault})")
        return
    if missing and unread:
        yield Unchecked(f"{who}: {_named(missing)} may be granted further up, where the policy cannot be read", _ROLE)
    elif missing:
        yield Fault(
            f"{who}: {_named(missing)} does not reach it", "name it in contain_targets or read_targets, and apply"
        )
    else:
        yield Ok(f"{who}: all {len(grant.permissions)} permissions reach it")


def _missing(cloud: Inspection, grant: Grant, deadline: Deadline) -> tuple[frozenset[str], str, bool]:
    """What is granted neither there nor above it, a disabled role that is bound there, and whether a part is unread."""
    member, missing, disabled = f"serviceAccount:{grant.identity}", frozenset(grant.permissions), ""
    place: str | None = grant.scope
    while place and missing:
        try:
            for binding in cloud.bindings(_policy_of(place), deadline):
                if member in binding.get("members", ()) and "condition" not in binding:
                    held, on = _role(cloud, str(binding.get("role")), deadline)
                    missing -= held if on else frozenset()
                    disabled = disabled if on else str(binding["role"])
            place = _above(cloud, place, deadline) if missing else None
        except Denied:
            if place == grant.scope:
                raise
            return missing, disabled, True
    return missing, disabled, False


def _role(cloud: Inspection, name: str, deadline: Deadline) -> tuple[frozenset[str], bool]:
    """A role's permissions, and whether they count."""
    role: Mapping[str, Any] = cloud.get(f"{_IAM}/{name}", deadline)
    on = role.get("stage") != "DISABLED" and not role.get("deleted")
    return frozenset(map(str, role.get("includedPermissions", ()))), on


def _policy_of(place: str) -> str:
    if "/serviceAccounts/" in place:
        return f"{_IAM}/{place}"
    return f"{_MANAGER}/{place}"


def _above(cloud: Inspection, place: str, deadline: Deadline) -> str | None:
    """What a place lies in; None for the organization."""
    if "/serviceAccounts/" in place:
        return place.partition("/serviceAccounts/")[0]
    if place.startswith("organizations/"):
        return None
    return str(cloud.get(f"{_MANAGER}/{place}", deadline).get("parent") or "") or None


def _short(identity: str) -> str:
    return identity.partition("@")[0]


def _named(permissions: frozenset[str]) -> str:
    return ", ".join(first_few(sorted(permissions), _MOST_NAMED))


check = Check("what each identity may do", _ROLE, _items)

"""What was deployed and how it should be, as Terraform's output `deployment` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from firebreak.core.serialization import Unreadable, decode
from firebreak.core.storage_names import Names, Stored


class NotADeployment(Exception):
    """This is not what Terraform tells of a deployment of Firebreak; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package(Stored):
    """The archive, as packing it described it.

    `contents` is the digest that a running function tells; `categories` are those that its policies could match, and
    `classes` those of which they ask for any category.
    """

    version: str
    contents: str
    policy_set: str
    ceiling: str
    categories: tuple[str, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Stored):
    """A function by its full name, and the address of the service account that it runs as."""

    name: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Stored):
    """A pushed subscription, its topic, and where what it cannot deliver goes; full names."""

    name: str
    topic: str
    dead_letter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Stored):
    """What a service account may do, and where: `organizations/N`, `folders/N`, `projects/P` or one service account."""

    identity: str
    scope: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding(Stored):
    """A member that has a role on one resource of Firebreak's own project, by its full resource name."""

    member: str
    role: str
    on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Stored):
    """One deployment. Where only its project is known, everything that Terraform would tell is empty.

    Attributes:
        organization: its number.
        name: what the names of its parts begin with.
        ceiling: the highest mode that Terraform was given.
        functions, subscriptions: by the function's short name.
        topics: full names, by what is on them.
        kept: names of the subscriptions that keep dead letters, by where these come from.
        deliveries: full names of the notification configurations, by location.
        filter: what each of them lets through.
        retention: in seconds.
        secrets: full names of versions, by the environment variable that reads them.
        sweep: full name of the scheduler's job.
    """

    project: str
    organization: str = ""
    region: str = ""
    name: str = "firebreak"
    ceiling: str = "monitor"
    package: Package | None = None
    apis: tuple[str, ...] = ()
    functions: Mapping[str, Function] = field(default_factory=dict)
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    deliveries: Mapping[str, str] = field(default_factory=dict)
    filter: str = ""
    database: str = ""
    bucket: str = ""
    retention: int = 0
    secrets: Mapping[str, str] = field(default_factory=dict)
    sweep: str = ""
    grants: tuple[Grant, ...] = ()
    bindings: tuple[Binding, ...] = ()

    @property
    def told(self) -> bool:
        """Whether Terraform's output is known, and not the project alone."""
        return self.package is not None


_TABLE: Mapping[str, Names] = MappingProxyType(
    {
        f"{kind.__module__}:{kind.__qualname__}": Names(
            kind.__name__,
            MappingProxyType({one.name: one.name for one in fields(kind) if one.name != "unknown_keys"}),
        )
        for kind in (Package, Function, Subscription, Grant, Binding, Deployment)
    }
)


def read_deployment(body: object) -> Deployment:
    """The deployment in its own JSON; raises NotADeployment."""
    try:
        return decode(Deployment, body, _TABLE)
    except Unreadable:
        message = "`deployment` is not as this version tells it: apply this version's Terraform, and give its output"
        raise NotADeployment(message) from None


def read_package(body: object) -> Package:
    """The description of an archive, as `make package` writes it beside it; raises NotADeployment."""
    try:
        return decode(Package, body, _TABLE)
    except Unreadable:
        message = "it does not describe an archive of this version: give the firebreak.json that `make package` wrote"
        raise NotADeployment(message) from None


def in_output(output: object) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """`command_line` and `deployment` of what `terraform output -json` prints: of all of it, or of the module's alone.

    Raises NotADeployment.
    """
    for found in _nested(output):
        line, deployment = found.get("command_line"), found.get("deployment")
        if isinstance(line, dict) and isinstance(deployment, dict):
            read_deployment(deployment)
            return {str(key): str(value) for key, value in line.items()}, deployment
    message = "it has no `command_line` and `deployment`: give what `terraform output -json` prints of this version"
    raise NotADeployment(message)


def _nested(output: object) -> tuple[Mapping[str, Any], ...]:
    """The output itself, and what is in it one step down, each without the wrapping in `value`."""
    plain = _unwrapped(output)
    return (plain, *(_unwrapped(one) for one in plain.values()))


def _unwrapped(output: object) -> Mapping[str, Any]:
    if not isinstance(output, dict):
        return {}
    inner = output.get("value") if {"value", "type"} <= output.keys() else output
    if not isinstance(inner, dict):
        return {}
    return {
        key: one["value"] if isinstance(one, dict) and {"value", "type"} <= one.keys() else one
        for key, one in inner.items()
    }

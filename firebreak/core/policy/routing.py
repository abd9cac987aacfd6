"""Who is told: channels by name, the labels that lead to them, owners, reminders. What `firebreak.yaml` says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT = "default"
"""The route of what no other route is for."""
OWN_CHANNELS = ("log", "topic", "marks", "slack", "chat")
"""Names that the environment's own channels have."""


@dataclass(frozen=True, slots=True)
class ChannelPlace:
    """One channel. `secret` is the name of the environment variable that holds its secret, never the secret.

    `people` says whether people read it: of a storm they get the first question alone.
    """

    kind: str
    secret: str
    url: str = ""
    channel: str = ""
    people: bool = True


@dataclass(frozen=True, slots=True)
class Escalation:
    """After so many seconds without an answer, counted from when the question was first put, these channels too."""

    after: int
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """The table. The defaults are those of a file that says nothing: nobody beside the environment's own channels.

    Attributes:
        channels: name to channel.
        routes: label of a policy's `notify`, or `default`, to names of channels.
        owner_labels: labels of a workload that say who owns it, the first that it has counts.
        owners: value of such a label, or the address of an Essential Contact, to names of channels.
        remind_after: seconds without an answer after which a question is told again where it was told; 0 for never.
        escalate: whom a question is told besides, and after how long, soonest first.
        runbook: address of the readers' own page, on every message; empty for none.
    """

    channels: Mapping[str, ChannelPlace] = field(default_factory=dict)
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owner_labels: tuple[str, ...] = ()
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remind_after: int = 0
    escalate: tuple[Escalation, ...] = ()
    runbook: str = ""

    def told(self, notify: Iterable[str], labels: Mapping[str, str], contacts: Iterable[str] = ()) -> tuple[str, ...]:
        """Names of the channels that are told: by a policy's labels, a workload's, and its contacts' addresses."""
        routes = [self.routes[one] for one in notify if one in self.routes]
        routes = routes or [self.routes.get(DEFAULT, ())]
        owner = next((labels[one] for one in self.owner_labels if labels.get(one)), "")
        owners = {one.lower(): to for one, to in self.owners.items()}
        owned = [owners.get(one.lower(), ()) for one in (owner, *contacts)]
        return tuple(dict.fromkeys(name for route in (*routes, *owned) for name in route))


def read_back(body: Mapping[str, Any]) -> Routing:
    """The table from its fields as JSON."""
    return Routing(
        channels={name: ChannelPlace(**one) for name, one in body["channels"].items()},
        routes=_tuples(body["routes"]),
        owner_labels=tuple(body["owner_labels"]),
        owners=_tuples(body["owners"]),
        remind_after=body["remind_after"],
        escalate=tuple(Escalation(one["after"], tuple(one["to"])) for one in body["escalate"]),
        runbook=body["runbook"],
    )


def _tuples(table: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(to) for name, to in table.items()}

"""What could not be delivered or read, and waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result, Unchecked
from firebreak.ports.deadline import Deadline

_METRIC = "pubsub.googleapis.com/subscription/num_undelivered_messages"
_SECONDS = 600


def _items(examined: Examined) -> Iterator[Item]:
    yield Item("dead letters", partial(_look, examined))


def _look(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    names = sorted(examined.deployment.kept.values())
    listed = ",".join(f'"{one}"' for one in names)
    asked = f'metric.type="{_METRIC}" AND resource.labels.subscription_id=one_of({listed})'
    found = examined.cloud.highest(examined.deployment.project, asked, _SECONDS, deadline)
    for name in names:
        if name not in found:
            yield Unchecked(f"{name}: Cloud Monitoring has no figure of the last {_SECONDS // 60} minutes")
        elif count := int(found[name]):
            pull = f"gcloud pubsub subscriptions pull {name} --limit=10 --format=json"
            yield Fault(f"{name} keeps {count}", f"{pull} --project={examined.deployment.project}")
        else:
            yield Ok(f"{name} is empty")


check = Check("dead letters", "roles/monitoring.viewer on the project", _items)

"""Topics and the subscriptions that call the functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from firebreak.core.errors import Refused, Transient
from firebreak.doctor.deployment import Function, Subscription
from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection

_PUBSUB = "//pubsub.googleapis.com"
ACK_SECONDS = 180
BACKOFF = ("10s", "600s")
ATTEMPTS = 20


def _items(examined: Examined) -> Iterator[Item]:
    for what, name in sorted(examined.deployment.topics.items()):
        yield Item(f"the topic {_short(name)}", partial(_topic, examined.cloud, what, name))
    for name, one in sorted(examined.deployment.subscriptions.items()):
        function = examined.deployment.functions.get(name)
        yield Item(f"the subscription {_short(one.name)}", partial(_subscription, examined.cloud, one, function))


def _topic(cloud: Inspection, what: str, name: str, deadline: Deadline) -> Iterator[Result]:
    cloud.get(f"{_PUBSUB}/{name}", deadline)
    yield Ok(f"the topic of {what}: {_short(name)}")


def _subscription(
    cloud: Inspection, wanted: Subscription, function: Function | None, deadline: Deadline
) -> Iterator[Result]:
    found = cloud.get(f"{_PUBSUB}/{wanted.name}", deadline)
    wrong = list(_differences(found, wanted))
    endpoint = str(found.get("pushConfig", {}).get("pushEndpoint", ""))
    if not endpoint:
        wrong.append("calls no function, so that messages only wait")
    elif function and (address := _address(cloud, function, deadline)) and address != endpoint:
        wrong.append(f"calls {endpoint}, and the function is at {address}")
    yield from (Fault(f"{_short(wanted.name)} {one}", APPLY) for one in wrong)
    if not wrong:
        yield Ok(f"{_short(wanted.name)} calls its function, and keeps what it cannot deliver")


def _differences(found: Mapping[str, Any], wanted: Subscription) -> Iterator[str]:
    retry, dead = found.get("retryPolicy", {}), found.get("deadLetterPolicy", {})
    if found.get("topic") != wanted.topic:
        yield f"takes from {found.get('topic')} instead of {wanted.topic}"
    if found.get("ackDeadlineSeconds") != ACK_SECONDS:
        yield f"waits {found.get('ackDeadlineSeconds')} s for an answer instead of {ACK_SECONDS}"
    if (retry.get("minimumBackoff"), retry.get("maximumBackoff")) != BACKOFF:
        yield f"does not deliver again after {' to '.join(BACKOFF)}, so that an outage is not waited out"
    if dead.get("deadLetterTopic") != wanted.dead_letter:
        yield f"does not put what it cannot deliver on {_short(wanted.dead_letter)}"
    elif dead.get("maxDeliveryAttempts") != ATTEMPTS:
        yield f"gives up after {dead.get('maxDeliveryAttempts')} attempts instead of {ATTEMPTS}"


def _address(cloud: Inspection, function: Function, deadline: Deadline) -> str:
    """Where the function is called; empty where that cannot be read, which its own check says."""
    try:
        found = cloud.get(f"//cloudfunctions.googleapis.com/{function.name}", deadline)
    except (Refused, Transient):
        return ""
    return str(found.get("serviceConfig", {}).get("uri", ""))


def _short(name: str) -> str:
    return name.rpartition("/")[2]


check = Check("topics and subscriptions", "roles/pubsub.viewer on the project", _items)

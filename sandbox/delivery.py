"""What carries a sandbox's messages on: findings to the function that answers them, commands to the one that obeys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.scc.notifications import notification_v2
from sandbox.world import World

Take = Callable[[bytes], bool]
"""Takes one message's body; False to have it delivered again."""
_PAUSE = 0.02


@contextmanager
def delivering(world: World, on_finding: Take, on_command: Take | None = None, topic: str = "") -> Iterator[None]:
    """Deliver every new state of a finding, and what is published to the topic of commands, until this is over.

    What a taker raises counts as not taken, and is raised at the end.
    """
    over, raised = threading.Event(), list[Exception]()
    workers = [threading.Thread(target=_deliver, args=(over, raised, lambda: _notifications(world), on_finding))]
    if on_command is not None:
        published = lambda: [(one["message_id"], one["data"]) for one in world.topics.get(topic, [])]  # noqa: E731
        workers.append(threading.Thread(target=_deliver, args=(over, raised, published, on_command)))
    for one in workers:
        one.start()
    try:
        yield
    finally:
        over.set()
        for one in workers:
            one.join()
    if raised:
        raise raised[0]


def _notifications(world: World) -> list[tuple[str, bytes]]:
    """As a notification config with Firebreak's filter sends them: what is ACTIVE and not muted."""
    with world.lock:
        held = [pair for pair in world.findings if pair["finding"].get("state") == "ACTIVE"]
        return [(_state(pair), notification_v2(pair)) for pair in held if pair["finding"].get("mute") != "MUTED"]


def _state(pair: dict[str, Any]) -> str:
    return f"{pair['finding']['name']} {pair['finding'].get('eventTime')}"


def _deliver(
    over: threading.Event, raised: list[Exception], messages: Callable[[], list[tuple[str, bytes]]], take: Take
) -> None:
    acknowledged = set[str]()
    while not over.wait(_PAUSE):
        for name, body in messages():
            try:
                if name not in acknowledged and not over.is_set() and take(body):
                    acknowledged.add(name)
            except Exception as fault:  # noqa: BLE001 - else nothing would be delivered any more, and who waits would hang
                raised.append(fault)

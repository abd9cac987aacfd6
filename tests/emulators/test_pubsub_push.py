"""Google's Pub/Sub emulator pushes to the real function: delivery, redelivery after a 500, dead letters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.blueprint import digest_of
from sandbox.cloud_run.reachability import reachable_revisions
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.wire import Fault
from tests.emulators.google_emulator import free_port, pubsub_emulator, pubsub_jar, wait_for
from tests.response.harness import BAD, POLICIES, Line, Lines, world_of

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(pubsub_jar() is None, reason="the SDK's Pub/Sub emulator is not installed"),
]
ROOT = Path(__file__).resolve().parents[2]
FINDINGS, INCIDENTS, DEAD = (f"projects/firebreak/topics/{name}" for name in ("findings", "incidents", "dead"))


class Deployment:
    """The function behind a push subscription, as it is deployed, with short clocks."""

    def __init__(self, host: str, line: Line, folder: Path) -> None:
        from google.cloud import pubsub_v1  # noqa: PLC0415 - reads PUBSUB_EMULATOR_HOST when it is made

        self.line = line
        self.publisher: Any = pubsub_v1.PublisherClient()
        self.subscriber: Any = pubsub_v1.SubscriberClient()
        self._port = free_port()
        for topic in (FINDINGS, INCIDENTS, DEAD):
            self.publisher.create_topic(name=topic)
        self.incidents, self.dead = (self._pull_subscription(topic) for topic in (INCIDENTS, DEAD))
        self.subscriber.create_subscription(
            request={
                "name": "projects/firebreak/subscriptions/push",
                "topic": FINDINGS,
                "push_config": {"push_endpoint": f"http://127.0.0.1:{self._port}/"},
                "ack_deadline_seconds": 60,
                "retry_policy": {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 2}},
                "dead_letter_policy": {"dead_letter_topic": DEAD, "max_delivery_attempts": 5},
            }
        )
        policies = folder / "deployed"
        policies.mkdir()
        for path in POLICIES.glob("[0-9]*.yaml"):
            (policies / path.name).write_text(path.read_text())
        (policies / "firebreak.yaml").write_text('organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n')
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("FIREBREAK_")},
            **line.sandbox.environment(),
            "PUBSUB_EMULATOR_HOST": host,
            "FIREBREAK_POLICIES": str(policies),
            "FIREBREAK_LEDGER": f"sqlite:///{folder / 'deployed.sqlite'}",
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": INCIDENTS,
            "FIREBREAK_DEAD_LETTER_TOPIC": DEAD,
            "VIRUSTOTAL_API_KEY": "key",
            "XDG_STATE_HOME": str(folder),
        }
        command = [sys.executable, "-m", "functions_framework", "--source", str(ROOT / "main.py")]
        command += ["--target", "on_finding", "--signature-type", "cloudevent"]
        command += ["--host", "127.0.0.1", "--port", str(self._port)]
        self._function = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
        wait_for(self._port, self._function)

    def _pull_subscription(self, topic: str) -> str:
        name = topic.replace("/topics/", "/subscriptions/")
        self.subscriber.create_subscription(name=name, topic=topic)
        return name

    def publish(self, body: bytes) -> None:
        self.publisher.publish(FINDINGS, body).result(timeout=10)

    def pulled(self, subscription: str) -> list[Any]:
        """What came in on a subscription so far; nothing is acknowledged."""
        request = {"subscription": subscription, "max_messages": 50, "return_immediately": True}
        return [one.message for one in self.subscriber.pull(request=request, timeout=10).received_messages]

    def stop(self) -> None:
        self._function.terminate()
        self._function.wait(timeout=10)


def eventually(holds: Callable[[], object], seconds: float = 40.0) -> bool:
    """Whether it came to hold within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.2)
    return False


def awaited(deployment: Deployment, subscription: str) -> list[Any]:
    """The first messages that come in there; empty if none does in time."""
    found: list[Any] = []

    def arrived() -> bool:
        found.extend(deployment.pulled(subscription))
        return bool(found)

    eventually(arrived)
    return found


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    with pubsub_emulator() as host, Lines(tmp_path)(world_of()) as line:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
        deployed = Deployment(host, line, tmp_path)
        yield deployed
        deployed.stop()


def finding(deployment: Deployment) -> Pair:
    pair = deployment.line.finding()
    pair["finding"]["containers"][0]["imageId"] = digest_of(8)
    return pair


def test_a_published_finding_is_pushed_contained_and_announced(deployment: Deployment) -> None:
    """Through the real push, with the attributes that subscribers filter by."""
    deployment.publish(notification_v2(finding(deployment)))
    messages = awaited(deployment, deployment.incidents)

    assert json.loads(messages[0].data)["phase"] == "contained"
    assert dict(messages[0].attributes)["project"] == "shop-prod"
    assert BAD not in reachable_revisions(deployment.line.world, "checkout")


def test_a_500_is_delivered_again_until_scc_answers_and_contained_once(deployment: Deployment) -> None:
    """SCC fails the first deliveries; the last one contains."""
    deployment.line.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=2))
    deployment.publish(notification_v2(finding(deployment)))

    assert eventually(lambda: BAD not in reachable_revisions(deployment.line.world, "checkout"))
    assert len(deployment.line.updates) == 1


def test_a_message_that_never_succeeds_goes_to_the_dead_letter_topic(deployment: Deployment) -> None:
    """After the attempts, by Pub/Sub itself; nothing was written."""
    deployment.line.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))
    body = notification_v2(finding(deployment))
    deployment.publish(body)

    assert eventually(lambda: any(one.data == body for one in deployment.pulled(deployment.dead)))
    assert deployment.line.updates == ()


def test_an_unreadable_message_is_dead_lettered_whole_and_acknowledged(deployment: Deployment) -> None:
    """By Firebreak, with the reason, at once."""
    deployment.publish(b"this is no finding")
    messages = awaited(deployment, deployment.dead)

    assert "JSON" in dict(messages[0].attributes)["reason"]

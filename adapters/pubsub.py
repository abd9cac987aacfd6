"""Publishing to Pub/Sub topics: one request, one answer, no background batches that a frozen instance could lose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from google.cloud.pubsub_v1.publisher import Client
from google.pubsub_v1 import PublisherClient

from adapters.deadline import Deadline
from adapters.google_calls import writing


class Publisher:
    """Publishes to any topic. The client is made on first use; PUBSUB_EMULATOR_HOST is honoured by Google's own."""

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        return Client()

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str], deadline: Deadline) -> None:
        """Publish one message and wait for the answer; raises Missing, Denied or Transient."""
        # The generated method, past the batching of pubsub_v1: batches flush in a thread that a frozen instance stops.
        send = PublisherClient.publish.__get__(self._client)
        writing(
            send,
            deadline,
            at_most=10.0,
            request={"topic": topic, "messages": [{"data": data, "attributes": dict(attributes)}]},
        )

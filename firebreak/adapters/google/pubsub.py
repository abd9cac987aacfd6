"""Publishing to Pub/Sub topics: one request, one answer, no background batches that a frozen instance could lose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from firebreak.adapters.google.calls import call_write, client_of
from firebreak.ports.deadline import Deadline

_ATTRIBUTE = 1024
"""Bytes of an attribute's value, at most (cloud.google.com: pubsub/quotas)."""


class Publisher:
    """Publishes to any topic through Google's generated client; the hand-written one batches in a background thread."""

    permissions = frozenset({"pubsub.topics.publish"})

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local Pub/Sub, or None for Google's; the client is made on first use."""
        self._emulator = emulator

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        return client_of(PublisherClient, PublisherGrpcTransport, self._emulator)

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str], deadline: Deadline) -> None:
        """Publish one message and wait for the answer; raises Missing, Denied or Transient.

        What Pub/Sub has no room for in an attribute is left out: it would refuse the whole message.
        """
        beside = {key: value.encode()[:_ATTRIBUTE].decode(errors="ignore") for key, value in attributes.items()}
        call_write(
            self._client.publish,
            deadline,
            at_most=10.0,
            request={"topic": topic, "messages": [{"data": data, "attributes": beside}]},
        )

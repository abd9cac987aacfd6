from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient

from sandbox.google import pubsub
from sandbox.wire import Wire
from sandbox.world import World

TOPIC = "projects/security-ops/topics/incidents"

# Google's clients take dicts where their annotations ask for messages.
Client = Any


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(tuple(pubsub.handlers(world, Wire())))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    client = pubsub_v1.PublisherClient()
    yield client
    client.stop()
    client.transport.close()
    server.stop(None)


def test_a_published_message_is_kept_with_its_attributes_id_and_time(world: World, client: Client) -> None:
    before = world.now()
    message_id = client.publish(TOPIC, b"\x00body", incident="fb-1", phase="contained").result(timeout=5)
    (kept,) = world.topics[TOPIC]

    assert (kept["data"], kept["attributes"]) == (b"\x00body", {"incident": "fb-1", "phase": "contained"})
    assert kept["message_id"] == message_id
    assert before <= kept["publish_time"] <= world.now()


def test_one_request_publishes_without_a_batch(world: World, client: Client) -> None:
    messages = [{"data": b"one"}, {"attributes": {"only": "attributes"}}]
    answer = PublisherClient.publish(client, request={"topic": TOPIC, "messages": messages}, timeout=5)

    assert [one["data"] for one in world.topics[TOPIC]] == [b"one", b""]
    assert len(set(answer.message_ids)) == 2


def test_message_ids_are_unique_across_topics(client: Client) -> None:
    ids = [client.publish(topic, b"x").result(timeout=5) for topic in (TOPIC, TOPIC + "2", TOPIC, TOPIC + "2")]

    assert len(set(ids)) == 4


def test_a_missing_topic_is_not_found_where_the_world_makes_none(world: World, client: Client) -> None:
    world.create_topics = False

    with pytest.raises(exceptions.NotFound):
        client.publish(TOPIC, b"x").result(timeout=5)
    assert TOPIC not in world.topics


def test_topics_are_created_once_found_and_listed(world: World, client: Client) -> None:
    world.create_topics = False
    for name in (TOPIC, TOPIC + "2", "projects/other/topics/incidents"):
        client.create_topic(name=name)

    assert client.get_topic(topic=TOPIC).name == TOPIC
    assert [one.name for one in client.list_topics(project="projects/security-ops")] == [TOPIC, TOPIC + "2"]
    assert len(list(client.list_topics(request={"project": "projects/security-ops", "page_size": 1}))) == 2
    with pytest.raises(exceptions.AlreadyExists):
        client.create_topic(name=TOPIC)
    with pytest.raises(exceptions.NotFound):
        client.get_topic(topic=TOPIC + "3")


@pytest.mark.parametrize(
    ("topic", "messages"),
    [
        ("not-a-topic", [{"data": b"x"}]),
        (TOPIC, []),
        (TOPIC, [{"data": b""}]),
        (TOPIC, [{"attributes": {"reason": "é" * 513}}]),
        (TOPIC, [{"attributes": {"k" * 257: "x"}}]),
        (TOPIC, [{"attributes": {f"k{number}": "x" for number in range(101)}}]),
    ],
)
def test_what_pubsub_does_not_take_is_an_invalid_argument(
    topic: str, messages: list[dict[str, Any]], client: Client
) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        PublisherClient.publish(client, request={"topic": topic, "messages": messages}, timeout=5)

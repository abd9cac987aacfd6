"""A local Pub/Sub to publish to: topics hold what was published, and nothing is delivered from here."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, NoReturn

import grpc
from google.pubsub_v1 import types

from sandbox.cloud_run.admission import admitted
from sandbox.wire import Methods, Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.pubsub.v1.Publisher"

_TOPIC = re.compile(r"projects/[^/]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}", re.ASCII)
_PAGE = 100
_MOST_ATTRIBUTES, _LONGEST_KEY, _LONGEST_VALUE, _LARGEST = 100, 256, 1024, 10_000_000


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """The methods of the publisher that this local one has."""
    methods: Methods = {
        "CreateTopic": (types.Topic, types.Topic, partial(create_topic, world)),
        "GetTopic": (types.GetTopicRequest, types.Topic, partial(get_topic, world)),
        "ListTopics": (types.ListTopicsRequest, types.ListTopicsResponse, partial(list_topics, world)),
        "Publish": (types.PublishRequest, types.PublishResponse, partial(publish, world)),
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]


def create_topic(world: World, topic: types.Topic) -> types.Topic:
    """Make an empty topic."""
    _checked(topic.name)
    if topic.name in world.topics:
        code, message = "ALREADY_EXISTS", f"Resource already exists in the project (resource={_short(topic.name)})."
        raise Refusal(code, message)
    world.topics[topic.name] = []
    return topic


def get_topic(world: World, request: types.GetTopicRequest) -> types.Topic:
    """The topic, if it exists."""
    _existing(world, request.topic)
    return types.Topic(name=request.topic)


def list_topics(world: World, request: types.ListTopicsRequest) -> types.ListTopicsResponse:
    """The project's topics, in the order of their names."""
    names = sorted(name for name in world.topics if name.startswith(f"{request.project}/topics/"))
    start = int(request.page_token or "0")
    end = start + (request.page_size or _PAGE)
    return types.ListTopicsResponse(
        topics=[types.Topic(name=name) for name in names[start:end]],
        next_page_token=str(end) if end < len(names) else "",
    )


def publish(world: World, request: types.PublishRequest) -> types.PublishResponse:
    """Keep every message of the request under its topic, numbered within the whole world."""
    if world.create_topics:
        _checked(request.topic)
        world.topics.setdefault(request.topic, [])
    messages = _existing(world, request.topic)
    if not request.messages:
        _refuse("The value for message_count is too small.")
    for message in request.messages:
        if not message.data and not message.attributes:
            _refuse("Some messages in the batch have neither data nor attributes.")
        _refuse_large(message)
    before = sum(map(len, world.topics.values()))
    kept = [_kept(world, message, before + place) for place, message in enumerate(request.messages)]
    messages.extend(kept)
    return types.PublishResponse(message_ids=[one["message_id"] for one in kept])


def _refuse_large(message: types.PubsubMessage) -> None:
    """By https://cloud.google.com/pubsub/quotas#resource_limits; the size is that of the whole, attributes included."""
    named = {**message.attributes}
    if len(named) > _MOST_ATTRIBUTES or any(len(key.encode()) > _LONGEST_KEY or not key for key in named):
        _refuse("There are too many attributes, or the key of one is empty or too long.")
    if any(len(value.encode()) > _LONGEST_VALUE for value in named.values()):
        _refuse("The value for an attribute is too large.")
    if types.PubsubMessage.pb(message).ByteSize() > _LARGEST:
        _refuse("The request size is larger than 10 MB.")


def _kept(world: World, message: types.PubsubMessage, number: int) -> dict[str, Any]:
    return {
        "data": bytes(message.data),
        "attributes": dict(message.attributes),
        "ordering_key": message.ordering_key,
        "message_id": str(10_000_000_000_000_000 + number),
        "publish_time": world.now(),
    }


def _existing(world: World, topic: str) -> list[dict[str, Any]]:
    _checked(topic)
    if topic not in world.topics:
        code, message = "NOT_FOUND", f"Resource not found (resource={_short(topic)})."
        raise Refusal(code, message)
    return world.topics[topic]


def _checked(topic: str) -> None:
    if not _TOPIC.fullmatch(topic):
        _refuse(f"Invalid resource name given (name={topic}).")


def _short(topic: str) -> str:
    return topic.rpartition("/")[2]


def _refuse(message: str) -> NoReturn:
    code = "INVALID_ARGUMENT"
    raise Refusal(code, message)

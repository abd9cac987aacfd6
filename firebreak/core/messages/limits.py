"""How large a message may be where it is shown: as the makers document it, or as it was observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many, of what, and who says so."""

    most: int
    of: str
    source: str


_BLOCKS = "https://docs.slack.dev/reference/block-kit/blocks"
_CHAT = "https://developers.google.com/workspace/chat/create-messages"
_CARDS = "https://developers.google.com/workspace/chat/api/reference/rest/v1/cards"
_EVENTS = "https://developer.pagerduty.com/docs/events-api-v2"
LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "slack.blocks": Limit(50, "blocks of a message", _BLOCKS),
        "slack.header": Limit(150, "characters of a header", f"{_BLOCKS}/header-block"),
        "slack.element": Limit(3000, "characters of a text object; rich text names none", f"{_BLOCKS}/section-block"),
        "slack.context": Limit(10, "elements of a context block", f"{_BLOCKS}/context-block"),
        "slack.all_blocks": Limit(
            13_000,
            "characters of all blocks as JSON: beyond a limit that is not documented Slack says msg_blocks_too_long"
            " (15,561 were taken, 17,694 were not; of texts alone, in issue 2509, 13,172 were not)",
            "https://github.com/slackapi/bolt-js/issues/2867",
        ),
        "slack.text": Limit(
            40_000,
            "characters of `text`, which is cut beyond",
            "https://docs.slack.dev/changelog/2018-truncating-really-long-messages",
        ),
        "slack.updated_text": Limit(
            4000,
            "characters of `text` in an update, which is refused beyond: as observed, bytes of what the entities make",
            "https://docs.slack.dev/reference/methods/chat.update",
        ),
        "google_chat.message": Limit(32_000, "bytes of a message", _CHAT),
        "google_chat.widgets": Limit(100, "widgets of a card; further ones are ignored", _CARDS),
        "google_chat.thread_key": Limit(
            4000,
            "characters of a thread's key",
            "https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages",
        ),
        "pagerduty.event": Limit(512 * 1024, "bytes of an event", f"{_EVENTS}/overview"),
        "pagerduty.summary": Limit(1024, "characters of a summary", f"{_EVENTS}/trigger-events"),
        "pagerduty.dedup_key": Limit(255, "characters of a deduplication key", f"{_EVENTS}/trigger-events"),
        "pagerduty.routing_key": Limit(32, "characters of a routing key, exactly", f"{_EVENTS}/trigger-events"),
    }
)


def most(name: str) -> int:
    """The number of a limit."""
    return LIMITS[name].most

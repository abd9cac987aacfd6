"""Findings in every form people have them in: messages, API answers, the console's JSON, rows that gcloud lists."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from firebreak.core.errors import Malformed
from firebreak.core.findings.notification import Notification, parse_finding

LARGEST = 10_000_000
_DEEPEST = 8
_SNAKE = re.compile(r"_([a-z0-9])")
_BESIDE_DATA = ("messageId", "message_id", "publishTime", "publish_time", "attributes", "ackId", "specversion")


def read_findings(data: bytes) -> tuple[Notification, ...]:
    """Every finding in the text, at least one; raises Malformed with a sentence."""
    if len(data) > LARGEST:
        message = f"the text is larger than {LARGEST // 1_000_000} MB, and no finding is"
        raise Malformed(message)
    found = tuple(findings_in(_json(data)))
    if not found:
        message = (
            "there is no finding in it: give a Pub/Sub message, an SCC notification, a finding of the SCC API, the"
            " console's JSON tab, or what `gcloud scc findings list --format=json` prints"
        )
        raise Malformed(message)
    return found


def _json(data: bytes) -> object:
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        message = "this is not JSON text"
        raise Malformed(message) from None


def findings_in(value: object, depth: int = 0) -> Iterator[Notification]:
    """What a form holds; forms stand within each other: a row in a list, a notification in a message in a delivery.

    Raises Malformed.
    """
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from findings_in(one, depth + 1)
        return
    if not isinstance(value, dict):
        return
    if isinstance(value.get("finding"), dict):
        yield notification_in(value)
    elif _is_finding(value):
        yield notification_in({"finding": value})
    elif inside := message_data(value):
        yield from findings_in(inside, depth + 1)
    else:
        for key in ("message", "receivedMessages", "data", "listFindingsResults", "list_findings_results", "result"):
            yield from findings_in(value.get(key), depth + 1)


def _is_finding(value: Mapping[str, Any]) -> bool:
    named = "/findings/" in str(value.get("name")) or "/findings/" in str(value.get("canonicalName"))
    return named and ("category" in value or "eventTime" in value or "event_time" in value)


def message_data(value: Mapping[str, Any]) -> object:
    """The body of a Pub/Sub message, which carries it in base64."""
    data = value.get("data")
    if not isinstance(data, str) or not (len(value) == 1 or any(key in value for key in _BESIDE_DATA)):
        return None
    try:
        return _json(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        message = "the message's data is not base64"
        raise Malformed(message) from None


def notification_in(value: Mapping[str, Any]) -> Notification:
    """An object with a finding, and what stands beside it; raises Malformed."""
    whole = _camel(value) if _is_snake(value) else value
    finding = whole["finding"]
    resource = whole.get("resource")
    beside = resource if isinstance(resource, dict) else finding.get("resource")
    deleted = whole.get("deletedFinding") is True
    return Notification(parse_finding(finding, beside if isinstance(beside, dict) else {}), deleted)


def _is_snake(value: Mapping[str, Any]) -> bool:
    """Whether a key is spelled `in_this_way`; whoever spells keys so, spells a finding's own so, or its resource's."""
    if "notificationConfigName" in value:
        return False  # as the API itself publishes it
    parts = (value, *(one for one in value.values() if isinstance(one, dict)))
    return any("_" in "".join(part) for part in parts)


def _camel(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Keys as the API spells them; the console and some exports spell them `in_this_way`."""
    if depth > 60:  # noqa: PLR2004 - no form is so deep, and Python's own limit is not far
        return None
    if isinstance(value, list):
        return [_camel(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    return {_SNAKE.sub(lambda found: found[1].upper(), key): _camel(one, depth + 1) for key, one in value.items()}

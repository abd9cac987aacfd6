"""Reading who is told: `notify` in `firebreak.yaml`. A channel that is misspelt is told nothing, and does not load."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from firebreak.core.channels import found, kinds
from firebreak.core.diagnostics import FaultLog, nearest_word, quoted
from firebreak.core.policy.routing import OWN_CHANNELS, ChannelPlace, Escalation, Routing
from firebreak.core.web_address import is_safe
from firebreak.policy_language.reading.elsewhere import CHANNEL_KEYS
from firebreak.policy_language.reading.nodes import (
    listed,
    pairs,
    read_items,
    read_keys,
    read_placed_texts,
    read_seconds,
    read_text,
    read_texts,
    read_word,
    require,
)
from firebreak.policy_language.reading.rules import BROKEN_PLUGIN, WRONG_VALUE
from firebreak.policy_language.reading.yaml_reader import Node

_KEYS = ("channels", "routes", "owners", "remind_after", "escalate", "runbook")
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
SECRET = re.compile(r"FIREBREAK_NOTIFY_[A-Z0-9_]{1,60}")
PLACE = re.compile(r"[CGD][A-Z0-9]{6,20}")
"""A channel of Slack by its id: an update knows it by no other name."""


def read_routing(node: Node, log: FaultLog) -> Routing:
    """The table; what cannot be read is logged, so that nothing loads."""
    keys = read_keys(node, "`notify`", _KEYS, log)
    if keys is None:
        return Routing()
    channels = _channels(keys["channels"], log) if "channels" in keys else {}
    owners = read_keys(keys["owners"], "`owners`", ("labels", "channels"), log) or {} if "owners" in keys else {}
    if "owners" in keys:
        require(owners, ("channels",), "`owners`", keys["owners"], log)
        _require_labels(owners, log)
    return Routing(
        channels=channels,
        routes=_routes(keys["routes"], "`routes`", channels, log) if "routes" in keys else {},
        owner_labels=read_texts(owners["labels"], "`labels`", log) or () if "labels" in owners else (),
        owners=_routes(owners["channels"], "`channels` of `owners`", channels, log) if "channels" in owners else {},
        remind_after=read_seconds(keys["remind_after"], "`remind_after`", log) or 0 if "remind_after" in keys else 0,
        escalate=_escalations(keys["escalate"], channels, log) if "escalate" in keys else (),
        runbook=_address(keys["runbook"], "`runbook`", log) if "runbook" in keys else "",
    )


def _require_labels(owners: Mapping[str, Node], log: FaultLog) -> None:
    """Without labels an owner is known by an address alone: any other name would never be told anything."""
    if "channels" in owners and "labels" not in owners:
        for key, _ in pairs(owners["channels"], "`channels` of `owners`", log):
            if "@" not in key.text:
                message = (
                    f"{quoted(key.text)} is no address of a contact: `labels` has to say which label has this value"
                )
                log.add(WRONG_VALUE, key.at, message)


def _channels(node: Node, log: FaultLog) -> dict[str, ChannelPlace]:
    found: dict[str, ChannelPlace] = {}
    for key, value in pairs(node, "`channels`", log):
        what = f"the channel {quoted(key.text)}"
        if not NAME.fullmatch(key.text) or key.text in OWN_CHANNELS:
            names = f"small letters, digits and hyphens, and none of {listed(OWN_CHANNELS)}"
            log.add(WRONG_VALUE, key.at, f"the name of a channel has {names}")
        place = _channel(value, what, log)
        if place is not None:
            found[key.text] = place
    return found


def _channel(node: Node, what: str, log: FaultLog) -> ChannelPlace | None:
    keys = read_keys(node, what, ("kind", "secret", "url", "channel"), log, CHANNEL_KEYS)
    if keys is None:
        return None
    require(keys, ("kind", "secret"), what, node, log)
    kind = read_word(keys["kind"], f"`kind` of {what}", {one: one for one in kinds()}, log) if "kind" in keys else None
    if kind is None:
        return None
    every = found()
    if kind in every.broken:
        log.add(BROKEN_PLUGIN, keys["kind"].at, f"no message can be sent to {what}: {every.broken[kind]}")
        return None
    known = every.working[kind]
    require(keys, sorted(known.required), f"{what}, a {kind},", node, log)
    for name in sorted({"url", "channel"} - known.parameters):
        if name in keys:
            log.add(WRONG_VALUE, keys[name].at, f"{what}, a {kind}, takes no {quoted(name)}")
    return ChannelPlace(
        kind,
        _matching(keys["secret"], f"`secret` of {what}", SECRET, _NO_SECRET, log) if "secret" in keys else "",
        _address(keys["url"], f"`url` of {what}", log) if "url" in keys else "",
        _matching(keys["channel"], f"`channel` of {what}", PLACE, _NO_PLACE, log) if "channel" in keys else "",
        known.people,
    )


_NO_SECRET = "the name of an environment variable that begins with FIREBREAK_NOTIFY_, never the secret itself"  # noqa: S105
_NO_PLACE = "the id of a channel in Slack, as C0123456789"


def _matching(node: Node, what: str, pattern: re.Pattern[str], wanted: str, log: FaultLog) -> str:
    """The text that fits. One that does not is not repeated: it may be a secret that stands in the wrong place."""
    text = read_text(node, what, log)
    if text is not None and not pattern.fullmatch(text):
        log.add_unshown(WRONG_VALUE, node.at, f"{what} is {wanted}")
    return text or ""


def _address(node: Node, what: str, log: FaultLog) -> str:
    text = read_text(node, what, log) or ""
    if text and not is_safe(text):
        log.add(WRONG_VALUE, node.at, f"{what} is https://HOST/…, in ASCII (http on loopback alone)")
    return text


def _routes(node: Node, what: str, channels: Mapping[str, object], log: FaultLog) -> dict[str, tuple[str, ...]]:
    return {
        key.text: _names(value, f"{quoted(key.text)} of {what}", channels, log) for key, value in pairs(node, what, log)
    }


def _names(node: Node, what: str, channels: Collection[str], log: FaultLog) -> tuple[str, ...]:
    placed = read_placed_texts(node, what, log) or ()
    for text, item in placed:
        if text not in channels:
            log.add(
                WRONG_VALUE, item.at, f"`channels` lists no channel {quoted(text)}", nearest_word(text, [*channels])
            )
    return tuple(text for text, _ in placed)


def _escalations(node: Node, channels: Mapping[str, object], log: FaultLog) -> tuple[Escalation, ...]:
    found = []
    for item in read_items(node, "`escalate`", log) or ():
        what = "an entry of `escalate`"
        keys = read_keys(item, what, ("after", "to"), log)
        if keys is None:
            continue
        require(keys, ("after", "to"), what, item, log)
        after = read_seconds(keys["after"], "`after`", log) if "after" in keys else None
        to = _names(keys["to"], "`to`", channels, log) if "to" in keys else ()
        found.append(Escalation(after or 0, to))
    return tuple(sorted(found, key=lambda one: one.after))

"""One finding of the past, with what was recorded of it: read from an incident's record, or from SCC's own forms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from firebreak.backtest.course import NOTHING_TOLD, Course, course_of, instant_in
from firebreak.core.cloud_run.target import RUN_HOST, NotATarget, Target, parse_resource
from firebreak.core.containment.rested_on import RestedOn, read_rested_on
from firebreak.core.errors import Malformed
from firebreak.core.facts import Evidence
from firebreak.core.findings.container import read_container
from firebreak.core.findings.finding import Binary, Finding, parse_finding_name
from firebreak.core.findings.input_formats import findings_in, message_data, notification_in
from firebreak.core.findings.notification import Notification
from firebreak.core.mode import Cap
from firebreak.core.secrets.redaction import safe
from firebreak.core.serialization import Unreadable
from firebreak.core.timestamps import NANOS

UNVERIFIED = "seal"
"""The key that a record has which was pulled where its seal could not be verified."""
_AT_ONCE_NS = 60 * NANOS
"""What is muted so soon after it was found was muted by a rule, and its message said so."""
_DEEPEST = 8
_AS_TOLD = frozenset({"notificationConfigName", "notification_config_name", "message", "data", "receivedMessages"})


class Past(NamedTuple):
    """A finding as it was, or is taken to have been, when its message came.

    Attributes:
        finding: the finding.
        deleted: whether the message said that it was deleted.
        evidence: source to what it answered then; a source that is not here was not recorded.
        incident: id of the recorded incident; empty for a finding that SCC alone tells of.
        updated_ns: when that record was written, nanoseconds since 1970.
        age_ns: how old the event was when it was taken up; 0 where that is not known.
        caps: every guard's reason of then.
        closed_as: what people found it to be; empty where nobody has said.
        settled_later: whether SCC tells today's state or mute, which was put aside.
        unverified: whether its record was pulled where there was no key to verify the seal with.
        course: what became of it.
        rested_on: the settings and all else that the decision rested on; None where that was not recorded.
    """

    finding: Finding
    deleted: bool = False
    evidence: Mapping[str, Evidence] = MappingProxyType({})
    incident: str = ""
    updated_ns: int = 0
    age_ns: int = 0
    caps: tuple[Cap, ...] = ()
    closed_as: str = ""
    settled_later: bool = False
    unverified: bool = False
    rested_on: RestedOn | None = None
    course: Course = NOTHING_TOLD

    @property
    def at_ns(self) -> int:
        """When it was taken up, nanoseconds since 1970."""
        return self.finding.event_ns + max(0, self.age_ns)


def past_in(value: object, depth: int = 0) -> Iterator[Past]:
    """Everything of the past in one JSON value, however it is wrapped; raises Malformed."""
    if isinstance(value, list) and depth < _DEEPEST:
        for one in value:
            yield from past_in(one, depth + 1)
        return
    if isinstance(value, dict) and "phase" not in value and isinstance(value.get("finding"), dict):
        yield (_listed if _AS_TOLD.isdisjoint(value) else _told)(notification_in(value))
        return
    inside = _unwrapped(value)
    if inside is not None:
        yield _recorded(inside)
        return
    as_told = isinstance(value, dict) and not _AS_TOLD.isdisjoint(value)
    found = [_told(one) if as_told else _listed(one) for one in findings_in(value)]
    if not found:
        message = "there is neither a finding nor an incident in it"
        raise Malformed(message)
    yield from found


def records_in(value: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Every record of an incident in one JSON value; what else is in it is left out."""
    if isinstance(value, list) and depth < _DEEPEST:
        for one in value:
            yield from records_in(one, depth + 1)
        return
    with suppress(Malformed):
        if record := _unwrapped(value):
            yield record


def _unwrapped(value: object) -> Mapping[str, Any] | None:
    """An incident's record: by itself, in a message, or in the column `data` of a row; None for anything else."""
    if not isinstance(value, dict):
        return None
    if "phase" in value and isinstance(value.get("finding"), dict):
        return value
    return _unwrapped(value["message"] if isinstance(value.get("message"), dict) else _data(value))


def _data(value: Mapping[str, Any]) -> object:
    """What the row or message carries: as an object, as JSON text, or in base64."""
    data = value.get("data")
    if not isinstance(data, str) or not data.lstrip().startswith("{"):
        return message_data(value) if isinstance(data, str) else data
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _told(notification: Notification) -> Past:
    return Past(notification.finding, notification.deleted)


def _listed(notification: Notification) -> Past:
    """SCC keeps a finding's newest state alone: one that is over is taken as it was when it was made."""
    finding = notification.finding
    original = _part((finding.original or {}).get("finding"))
    finding, settled = replace(finding, original=None), False
    if finding.state == "INACTIVE":
        made = instant_in(original.get("createTime"))
        finding, settled = replace(finding, state="ACTIVE", event_ns=made or finding.event_ns), True
    if finding.mute == "MUTED":
        muted = instant_in(original.get("muteUpdateTime"))
        made = instant_in(original.get("createTime")) or finding.event_ns
        if muted is not None and muted - made > _AT_ONCE_NS:
            finding, settled = replace(finding, mute="UNMUTED", event_ns=min(made, finding.event_ns)), True
    return Past(finding, notification.deleted, settled_later=settled)


def _recorded(record: Mapping[str, Any]) -> Past:
    finding, decision = _finding(_part(record.get("finding"))), _part(record.get("decision"))
    evidence = {
        str(one["source"]): Evidence(str(one["source"]), _facts(str(one["source"]), one.get("facts")), one.get("gap"))
        for one in _rows(record.get("evidence"))
        if one.get("source")
    }
    seen = [
        at
        for one in _rows(record.get("events"))
        if one.get("event_time") and (at := instant_in(one.get("seen"))) is not None
        if instant_in(one["event_time"]) == finding.event_ns
    ]
    return Past(
        finding,
        evidence=evidence,
        incident=safe(str(record.get("id") or finding.incident_id), 100),
        updated_ns=instant_in(record.get("updated")) or 0,
        age_ns=min(seen) - finding.event_ns if seen else 0,
        caps=tuple(_caps(decision)),
        closed_as=safe(str(record.get("closed_as") or ""), 100),
        unverified=UNVERIFIED in record,
        rested_on=_rested_on(record.get("rested_on")),
        course=course_of(record),
    )


def _rested_on(value: object) -> RestedOn | None:
    try:
        return read_rested_on(value) if value else None
    except Unreadable:
        return None


def _facts(source: str, value: object) -> dict[str, Any]:
    """A source speaks for its own facts alone."""
    return {
        safe(str(name), 200): tuple(map(str, one)) if isinstance(one, list) else one
        for name, one in _part(value).items()
        if name.partition(".")[0] == source and isinstance(one, str | bool | int | float | list)
    }


def _caps(decision: Mapping[str, Any]) -> Iterator[Cap]:
    for one in _rows(decision.get("caps")):
        name, kind, reason = one.get("name"), one.get("kind"), one.get("reason")
        if isinstance(name, str) and kind in ("bar", "caution"):
            yield Cap(safe(name, 100), kind, safe(str(reason)))


def _finding(told: Mapping[str, Any]) -> Finding:
    """The finding as a record shows it, which is all that decisions look at; raises Malformed."""
    name = parse_finding_name(str(told.get("name")))
    event_ns = instant_in(told.get("event_time"))
    if name is None or event_ns is None:
        message = "the incident's record has no finding with a name and a time"
        raise Malformed(message)
    kind, _, number = name.container.partition("/")
    folders = told.get("folders")
    return Finding(
        name=name,
        canonical_name=_word(told, "canonical_name"),
        event_ns=event_ns,
        category=_word(told, "category"),
        severity=_word(told, "severity"),
        state=_word(told, "state"),
        mute=_word(told, "mute"),
        finding_class=_word(told, "class"),
        source_display="",
        organization=_word(told, "organization") or (number if kind == "organizations" else None),
        folders=tuple(map(str, folders)) if isinstance(folders, list) else None,
        target=_target(_part(told.get("target"))),
        binaries=tuple(
            Binary(_word(one, "path"), _word(one, "role"), _word(one, "sha256") or None, one.get("whole") is True)
            for one in _rows(told.get("binaries"))
        ),
        containers=tuple(map(read_container, map(_container, _rows(told.get("containers"))))),
        commands=tuple(safe(str(one)) for one in _list(told.get("commands"))),
        tactic="",
        techniques=(),
        additional_techniques=(),
        attack_version="",
        contacts=tuple(safe(str(one), 200) for one in _list(told.get("contacts"))),
        description="",
        module=_word(told, "module"),
    )


def _container(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": told.get("name"), "uri": told.get("uri"), "imageId": told.get("digest")}


def _target(told: Mapping[str, Any]) -> Target | NotATarget:
    resource, reason = _word(told, "resource"), _word(told, "reason")
    if reason:
        return NotATarget(reason, resource)
    found = parse_resource(
        RUN_HOST + resource, _word(told, "project_id") or None, _word(told, "project_number") or None
    )
    if isinstance(found, NotATarget):
        return found
    return replace(found, revision=_word(told, "revision") or None, execution=_word(told, "execution") or None)


def _word(of: Mapping[str, Any], key: str) -> str:
    value = of.get(key)
    return safe(value, 300) if isinstance(value, str) else ""


def _part(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]

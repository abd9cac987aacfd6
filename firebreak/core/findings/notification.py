"""An SCC notification, v1 or v2, read from its JSON as a dict: unknown fields and enum names survive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from firebreak.core.cloud_run.target import NotATarget, Target, parse_resource
from firebreak.core.errors import Malformed
from firebreak.core.findings.container import read_container
from firebreak.core.findings.finding import Binary, Finding, FindingName, parse_finding_name
from firebreak.core.findings.own_facts import MOST_KEPT
from firebreak.core.secrets.command_lines import safe_words
from firebreak.core.secrets.redaction import safe
from firebreak.core.timestamps import NANOS, parse_instant

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PROJECT_ID = re.compile(r"(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{1,40}")
_PROJECT_NUMBER = re.compile(r"[0-9]{1,20}")
_MANY_WORDS = 10_000  # more than are shown of any command, so that the others may be left as they are
_MANY_FILES = 100_000  # of which the likeliest are kept: more than any detector reports
_WORD = 300
_YEAR_9999_NS = 253_370_764_800 * NANOS


@dataclass(frozen=True, slots=True)
class Notification:
    """One message: the finding, and whether it only says that the finding was deleted; `raw` as it was delivered."""

    finding: Finding
    deleted: bool
    raw: bytes = field(default=b"", repr=False, compare=False)


def parse_notification(data: bytes) -> Notification:
    """Read the message body; raises Malformed with a sentence when it is not an SCC notification."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        message = "the message is not JSON text"
        raise Malformed(message) from None
    if not isinstance(body, dict):
        message = "the message is JSON, but not an object"
        raise Malformed(message)
    finding = body.get("finding")
    if not isinstance(finding, dict):
        message = "the message carries no finding"
        raise Malformed(message)
    return Notification(parse_finding(finding, _dict(body.get("resource"))), body.get("deletedFinding") is True, data)


def parse_finding(finding: Mapping[str, Any], resource: Mapping[str, Any]) -> Finding:
    """Build a Finding from SCC's JSON (camelCase, v1 or v2); raises Malformed if it has no name or event time."""
    cloud = _dict(resource.get("gcpMetadata")) or resource
    return Finding(
        name=_finding_name(finding),
        canonical_name=_canonical_name(finding),
        event_ns=_event_time(finding),
        category=_word(finding, "category"),
        severity=_word(finding, "severity"),
        state=_word(finding, "state"),
        mute=_word(finding, "mute"),
        finding_class=_word(finding, "findingClass").replace("FINDING_CLASS_UNSPECIFIED", ""),
        source_display=_word(finding, "parentDisplayName"),
        organization=_organization(cloud, finding),
        folders=_folders(cloud),
        target=_target(_text(finding, "resourceName"), _text(resource, "name"), cloud),
        binaries=tuple(islice(_binaries(finding), MOST_KEPT)),
        containers=tuple(map(read_container, _list(finding.get("containers"))[:MOST_KEPT])),
        commands=tuple(islice(_commands(finding), MOST_KEPT)),
        contacts=tuple(islice(_contacts(finding), MOST_KEPT)),
        description=safe(_text(finding, "description")),
        module=_word(finding, "moduleName"),
        original={"finding": finding, "resource": resource},
        **_attack(_dict(finding.get("mitreAttack"))),
    )


def _finding_name(finding: Mapping[str, Any]) -> FindingName:
    name = parse_finding_name(_text(finding, "name"))
    canonical = parse_finding_name(_text(finding, "canonicalName"))
    either = name or canonical
    if either is None:
        message = "the finding's name is not one that SCC gives"
        raise Malformed(message)
    if name and canonical and (name.source, name.finding) != (canonical.source, canonical.finding):
        message = "the finding's name and canonicalName are of two findings"
        raise Malformed(message)
    return either


def _canonical_name(finding: Mapping[str, Any]) -> str:
    """Empty unless it names a finding: marks are written to it, and assets have marks too."""
    name = _text(finding, "canonicalName")
    return name if parse_finding_name(name) else ""


def _event_time(finding: Mapping[str, Any]) -> int:
    try:
        event_ns = parse_instant(_text(finding, "eventTime"))
    except ValueError:
        message = "the finding's eventTime is missing or not an RFC 3339 time"
        raise Malformed(message) from None
    if not 0 <= event_ns < _YEAR_9999_NS:
        # Nothing happened then, and a time so near to the ends of the calendar has no window around it.
        message = "the finding's eventTime is before 1970 or after 9998"
        raise Malformed(message)
    return event_ns


def _target(of_finding: str, of_resource: str, cloud: Mapping[str, Any]) -> Target | NotATarget:
    number = _matching(_PROJECT_NUMBER, _text(cloud, "project").rpartition("/")[2])
    project_id = _matching(_PROJECT_ID, _text(cloud, "projectDisplayName"))
    if not of_resource or not of_finding or of_finding == of_resource:
        return parse_resource(of_finding or of_resource, project_id, number)
    first, second = (parse_resource(name, project_id, number) for name in (of_finding, of_resource))
    if isinstance(first, Target) and isinstance(second, Target) and first.may_be(second):
        one = first if first.named else second
        return one if first.same_workload(second) else replace(one, also=(second if one is first else first).project)
    if isinstance(first, NotATarget) and isinstance(second, NotATarget):
        return first if first.name else second
    unread = next((one.name for one in (first, second) if isinstance(one, NotATarget)), "")
    return NotATarget("finding.resourceName and resource.name do not name the same workload", unread)


def _organization(cloud: Mapping[str, Any], finding: Mapping[str, Any]) -> str | None:
    name = parse_finding_name(_text(finding, "name"))
    container = name.container if name else ""
    stated = container if container.startswith("organizations/") else _text(cloud, "organization")
    return safe(stated.rpartition("/")[2], _WORD) or None


def _folders(cloud: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Folder numbers above the project; None where the resource's place is not described at all.

    An empty text says no more than an absent one: Google's clients fill in what was left out.
    """
    if not any(cloud.get(key) for key in ("folders", "organization", "parent")):
        return None
    numbers = (_word(folder, "resourceFolder").rpartition("/")[2] for folder in _list(cloud.get("folders"))[:MOST_KEPT])
    return tuple(number for number in numbers if number)


def _binaries(finding: Mapping[str, Any]) -> Iterator[Binary]:
    listed = islice(_files(finding), _MANY_FILES)
    order = {"library": 0} if "Library" in _text(finding, "category") else {"library": 9}
    seen = set()
    for role, file in sorted(listed, key=lambda one: order.get(one[0], 1)):
        identity = (_text(file, "path"), _text(file, "sha256").lower())
        if identity not in seen:
            seen.add(identity)
            yield _binary(role, file)


def _files(finding: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for process in _list(finding.get("processes")):
        yield from ((role, _dict(process.get(role))) for role in ("binary", "script") if process.get(role))
        yield from (("library", library) for library in _list(process.get("libraries")))
    yield from (("file", file) for file in _list(finding.get("files")))


def _binary(role: str, file: Mapping[str, Any]) -> Binary:
    sha256 = _text(file, "sha256").lower()
    known = sha256 if _SHA256.fullmatch(sha256) else None
    sizes = (str(file.get("hashedSize") or "0"), str(file.get("size") or "0"))
    whole = bool(known) and sizes[0] == sizes[1] and file.get("partiallyHashed") is not True
    return Binary(safe(_decoded(_text(file, "path"))), role, known, whole)


def _commands(finding: Mapping[str, Any]) -> Iterator[str]:
    for process in _list(finding.get("processes")):
        given = _strings(process.get("args"))
        words = [_decoded(word) for word in given[:_MANY_WORDS]]
        if words:
            yield safe(" ".join([*safe_words(words), *given[_MANY_WORDS:]]))


def _contacts(finding: Mapping[str, Any]) -> Iterator[str]:
    for group in _dict(finding.get("contacts")).values():
        for contact in _list(_dict(group).get("contacts")):
            yield safe(_text(contact, "email"), 200)


def _attack(attack: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tactic": _word(attack, "primaryTactic"),
        "techniques": _words(attack.get("primaryTechniques")),
        "additional_techniques": _words(attack.get("additionalTechniques")),
        "attack_version": _word(attack, "version"),
    }


def _decoded(text: str) -> str:
    """SCC documents paths and arguments as JSON-encoded strings; undo that where it is so, else keep the text."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def _text(of: Mapping[str, Any], key: str) -> str:
    value = of.get(key)
    return value if isinstance(value, str) else ""


def _word(of: Mapping[str, Any], key: str) -> str:
    """A short text: what SCC really sends passes through unchanged."""
    return safe(_text(of, key), _WORD)


def _words(value: object) -> tuple[str, ...]:
    return tuple(safe(one, _WORD) for one in _strings(value)[:MOST_KEPT])


def _strings(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _matching(pattern: re.Pattern[str], text: str) -> str | None:
    return text if pattern.fullmatch(text) else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

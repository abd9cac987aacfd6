"""The fields by which SCC can filter and order findings, read from a pair of finding and resource in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

MARK = "security_marks.marks."
"""What a security mark's key is written after."""

Pair = Mapping[str, Any]
"""`{"finding": {…}, "resource": {…}}` in SCC v2's JSON."""


def value_of(pair: Pair, field: str) -> tuple[str, ...]:
    """The field's values: several for repeated fields, none for a mark that is not set; raises KeyError if unknown."""
    if field.startswith(MARK):
        key = field.removeprefix(MARK).casefold()
        return tuple(value for name, value in marks_of(pair["finding"]).items() if name.casefold() == key)
    return VALUES[field](pair)


def marks_of(finding: Mapping[str, Any]) -> dict[str, str]:
    """A copy of the finding's security marks."""
    return dict((finding.get("securityMarks") or {}).get("marks") or {})


def cloud_of(pair: Pair) -> Mapping[str, Any]:
    """The Google Cloud part of the pair's resource; empty where there is none."""
    cloud: Mapping[str, Any] = (pair.get("resource") or {}).get("gcpMetadata") or {}
    return cloud


def _finding(key: str, default: str = "") -> Callable[[Pair], tuple[str, ...]]:
    return lambda pair: (str(pair["finding"].get(key) or default),)


def _resource(key: str) -> Callable[[Pair], tuple[str, ...]]:
    return lambda pair: (str((pair.get("resource") or {}).get(key) or ""),)


def _cloud(key: str) -> Callable[[Pair], tuple[str, ...]]:
    return lambda pair: (str(cloud_of(pair).get(key) or ""),)


def _folders(pair: Pair) -> tuple[str, ...]:
    return tuple(str(folder.get("resourceFolder") or "") for folder in cloud_of(pair).get("folders") or ())


def _names(pair: Pair) -> tuple[str, ...]:
    return tuple(filter(None, (pair["finding"].get("name"), pair["finding"].get("canonicalName"))))


VALUES: Mapping[str, Callable[[Pair], tuple[str, ...]]] = MappingProxyType(
    {
        "name": _names,
        "parent": _finding("parent"),
        "resource_name": _finding("resourceName"),
        "state": _finding("state", "STATE_UNSPECIFIED"),
        "category": _finding("category"),
        "external_uri": _finding("externalUri"),
        "event_time": _finding("eventTime"),
        "severity": _finding("severity", "SEVERITY_UNSPECIFIED"),
        "mute": _finding("mute", "MUTE_UNSPECIFIED"),
        "finding_class": _finding("findingClass", "FINDING_CLASS_UNSPECIFIED"),
        "parent_display_name": _finding("parentDisplayName"),
        "resource.name": _resource("name"),
        "resource.type": _resource("type"),
        "resource.display_name": _resource("displayName"),
        "resource.parent_name": _cloud("parent"),
        "resource.parent_display_name": _cloud("parentDisplayName"),
        "resource.project_name": _cloud("project"),
        "resource.project_display_name": _cloud("projectDisplayName"),
        "resource.folders.resource_folder": _folders,
    }
)

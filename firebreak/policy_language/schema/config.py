"""JSON Schema of `firebreak.yaml`, made from what its reader goes by."""

from __future__ import annotations

import re

from firebreak.core.glob import MAX_GLOB
from firebreak.core.mode import MODES
from firebreak.core.policy.policy import Limits
from firebreak.policy_language.reading.config import LABEL, NUMBER, PROJECT, SERVICE, SET
from firebreak.policy_language.schema.policies import DIALECT, Schema, closed, described, duration, whole
from firebreak.policy_language.schema.routing import routing_schema

_LIMITS = {
    "per_project_per_hour": "Targets of one project contained within an hour; beyond that, a person is asked.",
    "per_hour": "The same in all.",
}


def config_schema() -> Schema:
    """The whole file."""
    number: Schema = {"type": "string", "pattern": whole(NUMBER)}
    properties: Schema = {
        "organization": described(number, "The number of your organization, in quotes."),
        "sources": described(
            {"type": "array", "items": number},
            "Ids of the SCC sources whose findings may lead to more than monitoring; none where left out.",
        ),
        "ceiling": described({"enum": list(MODES)}, "No decision goes above it; monitor where left out."),
        "ceilings": described(
            {"type": "array", "items": _placed_ceiling(number)},
            "The same for a project or a folder; the lowest that applies counts.",
        ),
        "protected": described(
            {"type": "array", "items": _entry(number)},
            "Workloads never contained without a person; an entry holds when all its parts do.",
        ),
        "limits": described(
            closed({name: _count(_LIMITS[name]) for name in Limits.__dataclass_fields__}), "Blast radius."
        ),
        "stale_after": duration(
            "A finding older than this when it first arrives is put before a person; 1h where left out."
        ),
        "drill": described(
            closed({"source": number, "projects": _projects()}, "source", "projects"),
            "Where `firebreak drill` may rehearse: an SCC source of its own, and the projects of its canaries.",
        ),
        "notify": described(routing_schema(), "Who is told, on which channels."),
        "sets": described(_sets(), "Lists of texts that policies name with in_set and not_in_set."),
    }
    return {"$schema": DIALECT, "title": "firebreak.yaml of Firebreak", **closed(properties, "organization")}


def _count(description: str) -> Schema:
    return described({"type": "integer", "minimum": 0}, description)


def _projects() -> Schema:
    project: Schema = {"type": "string", "maxLength": MAX_GLOB, "pattern": whole(PROJECT)}
    return {"type": "array", "minItems": 1, "items": project}


def _placed_ceiling(number: Schema) -> Schema:
    parts: Schema = {
        "project": described(_word(PROJECT), "A project's id, or its number in quotes."),
        "folder": described(
            number, "A folder's number, in quotes; a workload whose folders are unknown counts as in it."
        ),
        "ceiling": described({"enum": list(MODES)}, "No decision there goes above it."),
    }
    return {**closed(parts, "ceiling"), "anyOf": [{"required": ["project"]}, {"required": ["folder"]}]}


def _entry(number: Schema) -> Schema:
    labels = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": whole(LABEL)},
        "additionalProperties": _word(LABEL),
    }
    parts: Schema = {
        "project": described(_word(PROJECT), "A project's id, or its number in quotes."),
        "service": described(_word(SERVICE), "A workload's short name."),
        "folder": described(number, "A folder's number, in quotes."),
        "label": described(labels, "Labels, as {tier: critical}."),
    }
    return {**closed(parts), "minProperties": 1}


def _word(allowed: re.Pattern[str]) -> Schema:
    """The word itself, or `{glob: …}`."""
    letter = allowed.pattern.removesuffix("+")
    glob = {"type": "string", "maxLength": MAX_GLOB, "pattern": f"^(?:{letter}|[*?])+$"}
    return {
        "anyOf": [{"type": "string", "maxLength": MAX_GLOB, "pattern": whole(allowed)}, closed({"glob": glob}, "glob")]
    }


def _sets() -> Schema:
    members = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "pattern": r"\S"}}
    return {"type": "object", "propertyNames": {"pattern": whole(SET)}, "additionalProperties": members}

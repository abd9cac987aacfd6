"""What a finding alone tells policies, without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Sequence, Sized
from types import MappingProxyType

from firebreak.core.facts import REST, Catalogue, Fact, FactType, FactValue
from firebreak.core.findings.container import Container
from firebreak.core.timestamps import NANOS

MOST_KEPT = 50
"""How many files, command lines, containers and contacts of one finding are kept."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH_WEEKDAY = _WEEKDAYS.index("thursday")
_HOUR_NS = 3600 * NANOS
_PROCESS = ("binary", "script")
_CHOSEN_THERE = "Whoever runs code there chooses it."

CATALOGUE: Catalogue = MappingProxyType(
    {
        "finding.category": Fact(
            FactType.TEXT, "The detector's display name, as it is listed here where Google spells it otherwise."
        ),
        "finding.severity": Fact(
            FactType.TEXT, "SCC's severity; it may be absent.", ("LOW", "MEDIUM", "HIGH", "CRITICAL"), ordered=True
        ),
        "finding.class": Fact(FactType.TEXT, "SCC's finding class, such as THREAT."),
        "finding.partial_hash": Fact(FactType.BOOL, "Whether every hash covers only the beginning of its file."),
        "finding.hour": Fact(FactType.NUMBER, "The hour of the event in UTC, 0 to 23.", least=0, most=23),
        "finding.weekday": Fact(FactType.TEXT, "The day of the event in UTC.", _WEEKDAYS),
        "finding.process_paths": Fact(FactType.TEXTS, f"Paths of its processes' binaries and scripts. {_CHOSEN_THERE}"),
        "finding.paths": Fact(FactType.TEXTS, f"Paths of all its files, libraries too. {_CHOSEN_THERE}"),
        "finding.command_lines": Fact(
            FactType.TEXTS, f"Its processes' arguments, joined by blanks, without secrets. {_CHOSEN_THERE}"
        ),
        "finding.container_names": Fact(FactType.TEXTS, "Names of its containers."),
        "finding.images": Fact(FactType.TEXTS, "Addresses of their images, as SCC gives them."),
        "finding.image_registries": Fact(
            FactType.TEXTS, "Hosts of these, such as europe-docker.pkg.dev; docker.io where an address has none."
        ),
        "finding.image_repositories": Fact(
            FactType.TEXTS, "What stands between host and tag, such as shop-prod/apps/checkout."
        ),
        "finding.image_tags": Fact(FactType.TEXTS, "Their tags, which may lead to another image by now."),
    }
)
_IMAGE = re.compile(
    r"(?:https?://)?(?:(?P<registry>localhost|[^/@]*[.:][^/@]*)/)?"
    r"(?P<repository>[^@:]+)(?::(?P<tag>[^@:/]+))?(?P<digest>@.+)?"
)


def facts_of_time(event_ns: int) -> dict[str, FactValue]:
    """Hour and weekday of an instant, nanoseconds since 1970."""
    days, hour = divmod(event_ns // _HOUR_NS, 24)
    return {"finding.hour": hour, "finding.weekday": _WEEKDAYS[(days + _EPOCH_WEEKDAY) % 7]}


def facts_of(
    files: tuple[tuple[str, str], ...], commands: tuple[str, ...], containers: tuple[Container, ...]
) -> dict[str, FactValue]:
    """Facts of what ran where; `files` are roles and paths. What SCC left out is unknown, and so is what is cut off."""
    images = [_image(one.uri) for one in containers]
    return {
        **_listed("finding.process_paths", [path for role, path in files if role in _PROCESS], files),
        **_listed("finding.paths", [path for _, path in files], files),
        **_listed("finding.command_lines", commands, commands),
        **_listed("finding.container_names", [one.name for one in containers], containers),
        **_listed("finding.images", [one.uri for one in containers], containers),
        **_listed("finding.image_registries", [registry for registry, _, _ in images], containers),
        **_listed("finding.image_repositories", [repository for _, repository, _ in images], containers),
        **_listed("finding.image_tags", [tag for _, _, tag in images], containers),
    }


def _image(uri: str) -> tuple[str, str, str | None]:
    """Registry, repository and tag of an address, empty where it does not tell; None for a tag beside a digest."""
    found = _IMAGE.fullmatch(uri)
    if found is None:
        return "", "", ""
    return found["registry"] or "docker.io", found["repository"], found["tag"] or (None if found["digest"] else "")


def _listed(name: str, values: Sequence[str | None], kept: Sized) -> dict[str, FactValue]:
    """The fact, with a mark for what is not known of it; nothing where nothing is known. None stands for nothing."""
    told = dict.fromkeys(values)
    known = tuple(filter(None, told))
    rest = (REST,) if len(kept) >= MOST_KEPT or "" in told else ()
    return {name: (*known, *rest)} if known or (told and not rest) else {}

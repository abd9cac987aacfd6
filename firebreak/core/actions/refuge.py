"""The refuge: which older revision is fit to take the suspects' place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from firebreak.core.cloud_run.workload import Revision

_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class NoRefuge:
    """Why no revision can take over, candidate by candidate; `disputed` if one could but for other incidents."""

    reason: str
    disputed: bool = False


def find_refuge(
    revisions: tuple[Revision, ...],
    suspects: frozenset[str],
    serving: frozenset[str],
    images: frozenset[str],
    image: Literal["preferred", "required"] = "preferred",
    disputed: Mapping[str, str] = MappingProxyType({}),
) -> Revision | NoRefuge:
    """The newest Ready revision older than the oldest serving suspect; another image is preferred, or required.

    A suspect that only has a tag does not set that age. `images` are those by which suspects are known; where one's is
    not known, no other is known to be different. `disputed` is the name of a revision to what speaks against it in
    other incidents.
    """
    known = [one for one in revisions if one.name in suspects]
    ages = [one.created_ns for one in known if one.name in serving]
    if not ages:
        return NoRefuge("no serving suspect revision exists any more")
    newest_first = sorted(revisions, key=lambda one: (one.created_ns, one.name), reverse=True)
    unfit = {one.name: why for one in newest_first if (why := _unfit(one, suspects, min(ages)))}
    fit = [one for one in newest_first if one.name not in unfit]
    told = all(one.images_known for one in known)
    other = [one for one in fit if told and one.images_known and not one.digests & images]
    chosen = other if image == "required" else [*other, *fit]
    for one in chosen:
        if one.name not in disputed:
            return one
    reasons = [f"{one.name} {disputed[one.name]}" for one in dict.fromkeys(chosen)]
    reasons += [f"{one.name} {_alike(one, told=told)}" for one in fit if one not in chosen]
    reasons += [f"{name} {why}" for name, why in unfit.items()]
    return NoRefuge(f"no revision can take over: {'; '.join(reasons[:_MOST_TOLD])}", bool(chosen))


def _alike(revision: Revision, *, told: bool) -> str:
    return "has the same image" if told and revision.images_known else "is not known to have another image"


def _unfit(revision: Revision, suspects: frozenset[str], oldest_ns: int) -> str | None:
    if revision.name in suspects:
        return "is suspect"
    if revision.created_ns >= oldest_ns:
        return "is not older than the oldest serving suspect"
    if revision.fault:
        return f"is not ready ({revision.fault})"
    return "runs on gen1, where threats are not detected" if revision.gen1 else None

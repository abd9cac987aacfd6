"""Which revisions are suspect, by what rule, and by which images their like is known elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from firebreak.core.actions.words import Rule
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.findings.finding import Finding

_NONE = frozenset[str]()
_SAME_EVERYWHERE = "neither a revision nor an image digest is given: every reachable revision from before the event"
_ON_NONE = "no reachable revision carries the image digest of the finding"
_ALL_LATER = "neither a revision nor an image digest is given, and no reachable revision is from before the event"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The suspect revisions, or executions of a job, and the rule that found them.

    `named`: the finding or a related one names them. `digest`: they carry the finding's image. `older`: nothing says
    which, so every reachable revision from before the event. `unplaced`: none is suspect, because the finding's image
    is on none of them, all of them were made later, or it cannot be told. `absent`: none is suspect, in a region
    beside the finding's own.

    Attributes:
        rule: as above.
        revisions: short names.
        reason: as a sentence.
        images: digests of the finding by which one revision can be told from another.
        unplaced: why the finding itself gives none, whatever others give; empty if it does.
    """

    rule: Rule
    revisions: frozenset[str]
    reason: str
    images: frozenset[str] = _NONE
    unplaced: str = ""


def named_revisions(related: Iterable[Finding], sources: frozenset[str]) -> frozenset[str]:
    """Revisions, or executions of a job, that active, unmuted threat findings of these SCC sources name."""
    threats = (
        one.target
        for one in related
        if one.finding_class in ("", "THREAT")
        and one.name.source in sources
        and one.state != "INACTIVE"
        and one.mute != "MUTED"
    )
    return frozenset(name for target in threats if isinstance(target, Target) for name in target.named)


def find_suspects(finding: Finding, workload: Workload, related: frozenset[str]) -> Suspicion:
    """What the finding gives by the first rule that applies; beside it stand the revisions that related findings name.

    Where it gives digests that nothing carries it gives none: what others give is not held up by that. Nor does it give
    any where it tells nothing, and all that can be reached was made later.
    """
    own = _own_suspects(finding, workload)
    if own.rule == "older" and workload.reachable and not (own.revisions | related) & workload.reachable:
        own = Suspicion("unplaced", _NONE, _ALL_LATER, unplaced=_ALL_LATER)
    if own.rule == "unplaced":
        told = f"related findings name {_list(related)}; of the finding's own event, {own.reason}"
        return replace(own, rule="named", revisions=related, reason=told) if related else own
    others = related - own.revisions if own.rule != "older" else _NONE
    also = f", related findings name {_list(others)}" if others else ""
    return replace(own, revisions=own.revisions | related, reason=f"{own.reason}{also}")


def _own_suspects(finding: Finding, workload: Workload) -> Suspicion:
    images = telling_images(finding, workload.revisions)
    named = finding.target.named if isinstance(finding.target, Target) else _NONE
    if named:
        return Suspicion("named", named, f"the finding names {_list(named)}", images)
    if not images:
        return Suspicion("older", _older(finding, workload), _SAME_EVERYWHERE)
    # What a job ran is what it runs next: executions that have ended tell of its image too.
    ended = {one.name for one in workload.revisions} if workload.target.kind == "job" else set()
    found = carriers(images, workload.revisions, workload.reachable | ended)
    if not found:
        unknown = [one.name for one in workload.revisions if one.name in workload.reachable and not one.images_known]
        why = f"{_ON_NONE}; the image of {_list(unknown)} is not known" if unknown else _ON_NONE
        return Suspicion("unplaced", _NONE, why, images, why)
    return Suspicion("digest", found, f"{_list(found)} carries the image of the finding", images)


def telling_images(finding: Finding, revisions: tuple[Revision, ...]) -> frozenset[str]:
    """The digests of the finding; of several containers not those that every revision carries, if any others are left.

    A sidecar that all of them have says nothing of any of them.
    """
    return not_shared(finding.digests, revisions) if len(finding.containers) > 1 else finding.digests


def images_of(suspects: frozenset[str], revisions: tuple[Revision, ...], told: frozenset[str]) -> frozenset[str]:
    """The images by which the suspects are known: of each those that the finding told, else those not all share."""
    found = [one.digests for one in revisions if one.name in suspects]
    return _NONE.union(*(one & told or not_shared(one, revisions) for one in found))


def not_shared(images: frozenset[str], revisions: tuple[Revision, ...]) -> frozenset[str]:
    """The images without those that every revision carries; all of them, if none is left."""
    everywhere = images.intersection(*(one.digests for one in revisions)) if revisions else _NONE
    return images - everywhere or images


def carriers(images: frozenset[str], revisions: tuple[Revision, ...], names: frozenset[str]) -> frozenset[str]:
    """Those of the named revisions that carry one of the images."""
    return frozenset(one.name for one in revisions if one.name in names and one.digests & images)


def find_suspects_elsewhere(own: Suspicion, images: frozenset[str], workload: Workload) -> Suspicion:
    """The suspects of the same service in another region: what carries the images of those in the finding's own.

    `own` is what is suspect there, and `images` are its images. Where it cannot be told nothing is convicted.
    """
    if own.rule == "unplaced":
        return own
    if own.rule == "older":
        return Suspicion("unplaced", _NONE, "the suspects are inferred by age, which says nothing about other regions")
    images |= own.images
    if not images:
        return Suspicion("unplaced", _NONE, "no image of a suspect is known")
    there = [one for one in workload.revisions if one.name in workload.reachable]
    if found := frozenset(one.name for one in there if one.digests & images):
        return Suspicion("digest", found, f"{_list(found)} carries the image of a suspect", images)
    if unknown := frozenset(one.name for one in there if not one.images_known):
        return Suspicion("unplaced", _NONE, f"the image of {_list(unknown)} is not known")
    return Suspicion("absent", _NONE, "no reachable revision carries the image of a suspect", images)


def _older(finding: Finding, workload: Workload) -> frozenset[str]:
    return frozenset(
        name
        for name in workload.reachable
        if (found := workload.revision(name)) and found.created_ns < finding.event_ns
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))

"""Which revisions are suspect, by what rule, and which older one is fit to take their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from firebreak.core.actions.words import Rule
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.findings.finding import Finding


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The suspect revisions, or executions of a job, and the rule that found them.

    `named`: the finding or a related one names them. `digest`: they carry the finding's image. `older`: nothing says
    which, so every reachable revision from before the event. `unplaced`: the finding's image is on none of them, or it
    cannot be told. `absent`: none is suspect, in a region beside the finding's own.
    """

    rule: Rule
    revisions: frozenset[str]
    reason: str


def named_revisions(related: tuple[Finding, ...], sources: frozenset[str]) -> frozenset[str]:
    """Revisions, or executions of a job, that active threat findings of these SCC sources name."""
    threats = (one.target for one in related if one.finding_class in ("", "THREAT") and one.name.source in sources)
    return frozenset(name for target in threats if isinstance(target, Target) for name in target.named)


def find_suspects(finding: Finding, workload: Workload, related: frozenset[str]) -> Suspicion:
    """Judge by the finding first; revisions that related findings name are suspect beside its own."""
    named = finding.target.named if isinstance(finding.target, Target) else frozenset[str]()
    if named:
        also = f", related findings name {_list(related - named)}" if related - named else ""
        return Suspicion("named", named | related, f"the finding names {_list(named)}{also}")
    if finding.digests and not _names_images_by_tag(workload):
        return _by_digest(finding, workload, related)
    if related & workload.reachable:
        return Suspicion("named", related, f"related findings name {_list(related)}")
    reason = "neither a revision nor an image digest is given: every reachable revision from before the event"
    return Suspicion("older", _older(finding, workload) | related, reason)


def find_suspects_elsewhere(finding: Finding, own: Suspicion, digests: frozenset[str], workload: Workload) -> Suspicion:
    """The suspects of the same service in another region: what carries the images of those in the finding's own.

    `own` is what is suspect there, and `digests` are its images. Where it cannot be told nothing is convicted.
    """
    if own.rule == "unplaced":
        return own
    if own.rule == "older":
        return Suspicion(
            "unplaced", frozenset(), "the suspects are inferred by age, which says nothing about other regions"
        )
    images = digests | finding.digests
    if not images:
        return Suspicion("unplaced", frozenset(), "no image of a suspect is known")
    there = [one for one in workload.revisions if one.name in workload.reachable]
    if found := frozenset(one.name for one in there if one.digests & images):
        return Suspicion("digest", found, f"{_list(found)} carries the image of a suspect")
    if unknown := frozenset(one.name for one in there if not one.digests):
        return Suspicion("unplaced", frozenset(), f"the image of {_list(unknown)} is not known")
    return Suspicion("absent", frozenset(), "no reachable revision carries the image of a suspect")


def _older(finding: Finding, workload: Workload) -> frozenset[str]:
    return frozenset(
        name
        for name in workload.reachable
        if (found := workload.revision(name)) and found.created_ns < finding.event_ns
    )


def _names_images_by_tag(workload: Workload) -> bool:
    """A job's executions may name their image by a tag alone: no digest of the finding can then be looked for.

    Revisions carry the digest that was deployed. Where it is not known a person is asked, as where it is another one.
    """
    if workload.target.kind != "job":
        return False
    known = [one for one in workload.revisions if one.name in workload.reachable]
    return bool(known) and not any(one.digests for one in known)


def _by_digest(finding: Finding, workload: Workload, related: frozenset[str]) -> Suspicion:
    # What a job ran is what it runs next: executions that have ended tell of its image too.
    ended = {one.name for one in workload.revisions} if workload.target.kind == "job" else set()
    found = carriers(finding, workload, workload.reachable | ended)
    if not found:
        return Suspicion("unplaced", frozenset(), "no reachable revision carries the image digest of the finding")
    also = f", related findings name {_list(related - found)}" if related - found else ""
    return Suspicion("digest", found | related, f"{_list(found)} carries the image of the finding{also}")


def carriers(finding: Finding, workload: Workload, names: frozenset[str]) -> frozenset[str]:
    """Those of the named revisions that carry an image of the finding."""
    return frozenset(name for name in names if (known := workload.revision(name)) and known.digests & finding.digests)


@dataclass(frozen=True, slots=True)
class NoRefuge:
    """Why no revision can take over, candidate by candidate; `disputed` if one could but for other incidents."""

    reason: str
    disputed: bool = False


def find_refuge(
    revisions: tuple[Revision, ...],
    suspects: frozenset[str],
    serving: frozenset[str],
    image: Literal["preferred", "required"] = "preferred",
    disputed: frozenset[str] = frozenset(),
) -> Revision | NoRefuge:
    """The newest Ready revision older than the oldest serving suspect; another image is preferred, or required.

    A suspect that only has a tag does not set that age. `disputed` revisions are suspects of other incidents.
    """
    by_name = {revision.name: revision for revision in revisions}
    ages = [by_name[name].created_ns for name in suspects & serving if name in by_name]
    if not ages:
        return NoRefuge("no serving suspect revision exists any more")
    bad_digests = frozenset[str]().union(*(by_name[name].digests for name in suspects if name in by_name))
    rejected: list[str] = []
    fit: list[Revision] = []
    for revision in sorted(revisions, key=lambda one: one.created_ns, reverse=True):
        why = _unfit(revision, suspects, min(ages))
        fit += [] if why else [revision]
        rejected += [f"{revision.name} {why}"] if why else []
    other = [revision for revision in fit if revision.digests and not revision.digests & bad_digests]
    if image == "required":
        rejected += [f"{revision.name} has the same image" for revision in fit if revision not in other]
        fit = other
    rejected += [f"{revision.name} is suspect in another incident" for revision in fit if revision.name in disputed]
    chosen = [revision for revision in (*other, *fit) if revision.name not in disputed]
    return chosen[0] if chosen else NoRefuge(f"no revision can take over: {'; '.join(rejected[:10])}", bool(fit))


def _unfit(revision: Revision, suspects: frozenset[str], oldest_ns: int) -> str | None:
    if revision.name in suspects:
        return "is suspect"
    if revision.created_ns >= oldest_ns:
        return "is not older than the oldest serving suspect"
    if revision.fault:
        return f"is not ready ({revision.fault})"
    return "runs on gen1, where threats are not detected" if revision.gen1 else None


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))

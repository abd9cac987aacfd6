"""The rules of suspects and refuge once more, slowly, one sentence at a time: what the real ones are held to."""

from __future__ import annotations

from firebreak.core.cloud_run.setting_names import LATEST, SPLIT, TAG
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.findings.finding import Finding


def referred_to(workload: Workload) -> set[str]:
    """Percent, tag or LATEST lead to it."""
    found = set[object]()
    for entry in str(workload.state[SPLIT]).split(","):
        name, percent = entry.split("=")
        if int(percent) > 0:
            found.add(workload.latest if name == LATEST else name)
    for key, value in workload.state.items():
        if key.startswith(TAG):
            found.add(workload.latest if value == LATEST else value)
    return {str(name) for name in found if name}


def serving(workload: Workload) -> set[str]:
    """It gets a share."""
    without_tags = {key: value for key, value in workload.state.items() if not key.startswith(TAG)}
    return referred_to(Workload(workload.target, without_tags, {}, (), workload.latest, {}, {}, settled=True))


def digests_of(finding: Finding, workload: Workload) -> set[str]:
    """Of every container, by id and by address. Of several, not what every revision carries, unless nothing is left."""
    given: set[str] = set()
    for container in finding.containers:
        for digest in (container.digest, container.uri_digest):
            if digest:
                given.add(digest)
    if len(finding.containers) < 2:
        return given
    left = set()
    for digest in given:
        for revision in workload.revisions:
            if digest not in revision.digests:
                left.add(digest)
    return left or given


def suspects_of(finding: Finding, workload: Workload, related: set[str]) -> tuple[set[str], bool]:
    """The suspects, and whether a person is to be asked: the event's digests are on none, or all is from after it."""
    if finding.target.named:  # type: ignore[union-attr]  # these findings are about a service
        return set(finding.target.named) | related, False  # type: ignore[union-attr]
    digests = digests_of(finding, workload)
    found = set()
    for revision in workload.revisions:
        if revision.name in referred_to(workload):
            carries = any(digest in revision.digests for digest in digests)
            if carries or (not digests and revision.created_ns < finding.event_ns):
                found.add(revision.name)
    if digests:
        return found | related, not found
    return found | related, len(referred_to(workload)) > 0 and not (found | related) & set(referred_to(workload))


def known(revision: Revision) -> bool:
    return len(revision.digests) > 0 and not revision.by_tag


def images_of(suspects: set[str], finding: Finding, workload: Workload) -> set[str]:
    """Of each suspect the images that the finding tells, else all but what every revision carries, else all."""
    told, found = digests_of(finding, workload), set()
    for revision in workload.revisions:
        if revision.name in suspects:
            own = set(revision.digests)
            shared = {one for one in own if all(one in other.digests for other in workload.revisions)}
            found |= (own & told) or (own - shared) or own
    return found


def refuge_of(
    suspects: set[str], images: set[str], workload: Workload, disputed: set[str], *, different: bool
) -> tuple[str | None, bool]:
    """The refuge's name; without one, whether it is lacking only because of other incidents."""
    ages = [one.created_ns for one in workload.revisions if one.name in suspects & serving(workload)]
    if not ages:
        return None, False
    told = all(known(one) for one in workload.revisions if one.name in suspects)
    fit, other = [], []
    for one in workload.revisions:
        if one.name in suspects or one.fault or one.gen1 or one.created_ns >= min(ages):
            continue
        fit.append(one)
        if told and known(one) and not any(digest in images for digest in one.digests):
            other.append(one)
    if different:
        fit = other
    for choice in (other, fit):
        free = [one for one in choice if one.name not in disputed]
        if free:
            return max(free, key=lambda one: (one.created_ns, one.name)).name, False
    return None, bool(fit)


def suspects_elsewhere(suspects: set[str], finding: Finding, home: Workload, there: Workload) -> set[str] | None:
    """Referred-to revisions that carry an image of a suspect; None where that cannot be told."""
    images = images_of(suspects, finding, home) | digests_of(finding, home)
    candidates = [one for one in there.revisions if one.name in referred_to(there)]
    found = {one.name for one in candidates if any(digest in images for digest in one.digests)}
    if found:
        return found
    if not images or not all(known(one) for one in candidates):
        return None
    return set()

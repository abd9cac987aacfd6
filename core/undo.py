"""The way back by hand: gcloud lines that restore what a plan changed, from the plan alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from core.plan import Change, Plan
from core.workload import DEFAULT_URI_DISABLED, INGRESS, SPLIT, TAG

_GCLOUD_INGRESS = frozenset({"all", "internal", "internal-and-cloud-load-balancing"})


def undo_lines(plan: Plan) -> tuple[str, ...]:
    """Shell lines in the order in which to run them; a comment line where gcloud has no way."""
    return tuple(line for change in plan.changes for line in _lines(change))


def _lines(change: Change) -> Iterator[str]:
    yield from _traffic(change)
    update = "services update"
    if INGRESS in change.before:
        before = str(change.before[INGRESS])
        if before in _GCLOUD_INGRESS:
            yield _gcloud(change, update, f"--ingress={before}")
        else:
            yield f"# ingress was {before}, which gcloud cannot set: use the Cloud Run API"
    if DEFAULT_URI_DISABLED in change.before:
        yield _gcloud(change, update, "--no-default-url" if change.before[DEFAULT_URI_DISABLED] else "--default-url")


def _traffic(change: Change) -> Iterator[str]:
    update = "services update-traffic"
    if SPLIT in change.before:
        yield _gcloud(change, update, f"--to-revisions={change.before[SPLIT]}")
    tags = {key.removeprefix(TAG): value for key, value in change.before.items() if key.startswith(TAG)}
    again = ",".join(f"{tag}={value}" for tag, value in sorted(tags.items()) if value is not None)
    gone = ",".join(tag for tag, value in sorted(tags.items()) if value is None)
    if again:
        yield _gcloud(change, update, f"--update-tags={again}")
    if gone:
        yield _gcloud(change, update, f"--remove-tags={gone}")


def _gcloud(change: Change, verb: str, flag: str) -> str:
    target = change.target
    words = ["gcloud", "run", *verb.split(), target.name]
    words += [f"--project={target.project_id or target.project}", f"--region={target.location}", flag]
    return shlex.join(words)

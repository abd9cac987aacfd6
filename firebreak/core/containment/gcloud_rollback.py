"""gcloud lines by which a person makes a plan's changes, or takes them back, drawn from the plan alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from firebreak.core.cloud_run.iam_grants import read_grant
from firebreak.core.cloud_run.scaling import read_scaling
from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    CANCELLED,
    DEFAULT_URI_DISABLED,
    DISABLED,
    EXECUTION,
    INGRESS,
    INVOKER_CHECK_OFF,
    POOL_INSTANCES,
    POOL_SPLIT,
    SCALING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import Setting
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.secrets.redaction import Named, all_named, command_line, named

_GCLOUD_INGRESS = frozenset({"all", "internal", "internal-and-cloud-load-balancing"})
_UPDATE = "services update"
_DEFAULT_MOST = 100
_MARKS = ";~@|" + "".join(map(chr, range(0xA1, 0x1000)))
"""More letters than a condition has."""
_BETA = "beta"
"""Where gcloud 528 has these flags; later ones have them there too, beside the general track."""


def undo_lines(plan: Plan) -> tuple[str, ...]:
    """Shell lines in the order in which to run them; a comment where gcloud cannot restore a setting."""
    return tuple(line for change in reversed(plan.changes) for line in _SURFACES[change.surface](change))


def contain_lines(changes: Iterable[Change]) -> tuple[str, ...]:
    """The same for making the changes: the way back from their end."""
    there = (replace(one, before=one.after, after=one.before) for one in changes)
    return tuple(line for change in there for line in _SURFACES[change.surface](change))


def _service(change: Change) -> Iterator[str]:
    yield from _traffic(change)
    if INGRESS in change.before:
        before = str(change.before[INGRESS])
        if before in _GCLOUD_INGRESS:
            yield _gcloud(change, _UPDATE, f"--ingress={before}")
        else:
            yield Named(f"# only the Cloud Run API sets ingress to {command_line(before)}")
    if DEFAULT_URI_DISABLED in change.before:
        url = "--no-default-url" if change.before[DEFAULT_URI_DISABLED] else "--default-url"
        yield _gcloud(change, _UPDATE, url, track=_BETA)
    if INVOKER_CHECK_OFF in change.before:
        off = change.before[INVOKER_CHECK_OFF]
        yield _gcloud(change, _UPDATE, "--no-invoker-iam-check" if off else "--invoker-iam-check")
    if SCALING in change.before:
        yield _gcloud(change, _UPDATE, *_scaling(str(change.before[SCALING])), track=_BETA)


def _pool(change: Change) -> Iterator[str]:
    if POOL_SPLIT in change.before:
        yield _gcloud(
            change, "worker-pools update-instance-split", f"--to-revisions={change.before[POOL_SPLIT]}", track=_BETA
        )
    if POOL_INSTANCES in change.before:
        count = change.before[POOL_INSTANCES]
        if count is None:
            yield "# only the Cloud Run API unsets the number of instances"
        else:
            yield _gcloud(change, "worker-pools update", f"--scaling={count}", track=_BETA)


def _executions(change: Change) -> Iterator[str]:
    for key, before in sorted(change.before.items()):
        if before == CANCELLED:
            run = replace(change, target=replace(change.target, name=key.removeprefix(EXECUTION)))
            yield _gcloud(run, "jobs executions cancel")
            continue
        gone, again = command_line(named(key.removeprefix(EXECUTION))), _gcloud(change, "jobs execute")
        yield Named(f"# {gone} was cancelled and does not resume; to run the job again: {again}")


def _traffic(change: Change) -> Iterator[str]:
    update = "services update-traffic"
    if SPLIT in change.before:
        yield _gcloud(change, update, all_named(f"--to-revisions={change.before[SPLIT]}", change.before[SPLIT]))
    tags = {key.removeprefix(TAG): value for key, value in change.before.items() if key.startswith(TAG)}
    again = ",".join(f"{tag}={value}" for tag, value in sorted(tags.items()) if value is not None)
    gone = ",".join(tag for tag, value in sorted(tags.items()) if value is None)
    if again:
        yield _gcloud(change, update, all_named(f"--update-tags={again}", *tags, *tags.values()))
    if gone:
        yield _gcloud(change, update, all_named(f"--remove-tags={gone}", *tags))


def _scaling(text: str) -> tuple[str, ...]:
    scaling = read_scaling(text)
    if scaling.manual is not None:
        return (f"--scaling={scaling.manual}",)
    most = _DEFAULT_MOST if scaling.most is None else scaling.most
    return ("--scaling=auto", f"--min={scaling.least}", f"--max={most}")


def _access(noun: str) -> Callable[[Change], Iterator[str]]:
    def lines(change: Change) -> Iterator[str]:
        for key, before in sorted(change.before.items()):
            verb = "remove" if before is None else "add"
            yield _grant(change, f"{noun} {verb}-iam-policy-binding", key, _standing(change.after, key, before))

    return lines


def _standing(after: Mapping[str, Setting | None], key: str, before: Setting | None) -> Setting:
    value = after.get(key) if before is None else before
    return "" if value is None else value


def _grant(change: Change, verb: str, key: str, value: Setting) -> str:
    grant = read_grant(key, value)
    parts = json.loads(grant.condition) if grant.condition else {}
    said = [f"{part}={text}" for part, text in sorted(parts.items()) if part != "location"]
    flags = [f"--member={grant.member}", f"--role={grant.role}"]
    if change.target.kind != "job":
        flags.append(f"--condition={_listed(said) or 'None'}")
    elif said:
        whole = _gcloud(change, "jobs set-iam-policy", region=grant.region)
        had = f"{command_line(grant.member)} had {grant.role} under {command_line(grant.condition)}"
        return Named(f"# {had}, which only a whole policy can say: {whole} FILE")
    return _gcloud(change, verb, *flags, region=grant.region)


def _listed(parts: Sequence[str]) -> str:
    """As one value for gcloud, which takes parts at commas unless a value names another mark at its beginning."""
    if "," not in "".join(parts):
        return ",".join(parts)
    mark = next(mark for mark in _MARKS if mark not in "".join(parts))
    return f"^{mark}^{mark.join(parts)}"


def _gcloud(change: Change, verb: str, *flags: str, region: str = "", track: str = "") -> str:
    target = change.target
    words = ("gcloud", *track.split(), "run", *verb.split(), named(target.name))
    where = (f"--project={target.project_id or target.project}", f"--region={region or target.location}")
    return command_line(*words, *where, *flags)


def _account(change: Change) -> Iterator[str]:
    verb = "disable" if change.before.get(f"{ACCOUNT}{change.target.name}") == DISABLED else "enable"
    if change.before:
        account = change.target
        yield command_line("gcloud", "iam", "service-accounts", verb, account.name, f"--project={account.project}")


_SURFACES: Mapping[str, Callable[[Change], Iterator[str]]] = {
    "service": _service,
    "service_iam": _access("services"),
    "worker_pool": _pool,
    "executions": _executions,
    "job_iam": _access("jobs"),
    "service_account": _account,
}

"""What people and pipelines do to a resource: each returns it as it is then, or None where that cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    DEFAULT_URI_DISABLED,
    DISABLED,
    ENABLED,
    EXECUTION,
    INGRESS,
    LATEST,
    POOL_SPLIT,
    RUNNING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.workload import Revision
from sandbox.blueprint import digest_of
from tests.model.cloud import Resource, split_of
from tests.model.policies import PROTECTED_LABEL

BY = "dev@shop.example"
PUBLIC = "service_iam.roles/run.invoker||allUsers"
_SPLITS = {"service": SPLIT, "worker_pool": POOL_SPLIT}
Edit = Callable[[Resource, int], Resource | None]
"""An edit of a resource at a time in nanoseconds since 1970."""


def _changed(resource: Resource, now_ns: int, changed: Mapping[str, Setting | None], surface: str = "") -> Resource:
    after = resource.with_settings(changed).touched(surface or resource.target.kind, now_ns, BY)
    return replace(after.served(), behind=after.broken_deploy)


def deploy(resource: Resource, now_ns: int, *, ready: bool = True, image: int | None = None) -> Resource | None:
    """A new revision; LATEST moves to it if it is Ready, else the last serving state stays."""
    if resource.target.kind not in _SPLITS:
        return None
    number = 1 + max(int(one.name.rpartition("-")[2]) for one in resource.revisions)
    name = resource.revisions[0].name.rpartition("-")[0]
    made = Revision(
        f"{name}-{number}",
        now_ns,
        None if ready else "HEALTH_CHECK_CONTAINER_ERROR",
        gen1=False,
        digests=frozenset({digest_of(number if image is None else image)}),
        service_account=resource.account,
    )
    after = replace(resource, revisions=(*resource.revisions, made), broken_deploy=not ready)
    return _changed(after, now_ns, {})


def deploy_broken(resource: Resource, now_ns: int) -> Resource | None:
    """A new revision that does not become Ready."""
    return deploy(resource, now_ns, ready=False)


def deploy_same_image(resource: Resource, now_ns: int) -> Resource | None:
    """A new revision with the newest one's image: only its settings are others."""
    if resource.target.kind not in _SPLITS:
        return None
    return deploy(resource, now_ns, image=int(min(resource.revisions[-1].digests).removeprefix("sha256:")))


def to_latest(resource: Resource, now_ns: int) -> Resource | None:
    """All of the traffic to LATEST."""
    return _split(resource, now_ns, {LATEST: 100})


def roll_back(resource: Resource, now_ns: int) -> Resource | None:
    """All of the traffic to the Ready revision before the newest that serves."""
    names = [one.name for one in resource.revisions if one.fault is None]
    serving = [name for name in names if resource.effective.get(name)]
    older = names[: names.index(serving[-1])] if serving else names
    return _split(resource, now_ns, {older[-1]: 100}) if older else None


def halve(resource: Resource, now_ns: int) -> Resource | None:
    """Half of the traffic to each of the two newest Ready revisions."""
    names = [one.name for one in resource.revisions if one.fault is None][-2:]
    return _split(resource, now_ns, dict.fromkeys(names, 50)) if len(names) > 1 else None


def share_with_oldest(resource: Resource, now_ns: int) -> Resource | None:
    """Half of the traffic to the oldest Ready revision, half to the newest."""
    names = [one.name for one in resource.revisions if one.fault is None]
    return _split(resource, now_ns, dict.fromkeys((names[0], names[-1]), 50)) if len(names) > 1 else None


def _split(resource: Resource, now_ns: int, split: Mapping[str, int]) -> Resource | None:
    if resource.target.kind not in _SPLITS or split == split_of(resource.settings):
        return None
    text = ",".join(f"{name}={split[name]}" for name in sorted(split))
    return _changed(resource, now_ns, {_SPLITS[resource.target.kind]: text})


def tag_newest(resource: Resource, now_ns: int) -> Resource | None:
    """A tag that leads to the newest Ready revision."""
    return _changed(resource, now_ns, {f"{TAG}canary": resource.latest}) if resource.target.kind == "service" else None


def untag(resource: Resource, now_ns: int) -> Resource | None:
    """No tag any more."""
    tags = dict.fromkeys(key for key in resource.settings if key.startswith(TAG))
    return _changed(resource, now_ns, tags) if tags else None


def close_doors(resource: Resource, now_ns: int) -> Resource | None:
    """Requests from inside alone, and no URL of its own."""
    return _doors(resource, now_ns, "internal", disabled=True)


def open_doors(resource: Resource, now_ns: int) -> Resource | None:
    """Requests from anywhere."""
    return _doors(resource, now_ns, "all", disabled=False)


def _doors(resource: Resource, now_ns: int, ingress: str, *, disabled: bool) -> Resource | None:
    if resource.target.kind != "service":
        return None
    return _changed(resource, now_ns, {INGRESS: ingress, DEFAULT_URI_DISABLED: disabled})


def make_public(resource: Resource, now_ns: int) -> Resource | None:
    """Anybody may send requests."""
    public = resource.target.kind == "service" and PUBLIC not in resource.settings
    return _changed(resource, now_ns, {PUBLIC: True}, "service_iam") if public else None


def make_private(resource: Resource, now_ns: int) -> Resource | None:
    """Only who has a grant of their own may."""
    return _changed(resource, now_ns, {PUBLIC: None}, "service_iam") if PUBLIC in resource.settings else None


def protect(resource: Resource, now_ns: int) -> Resource | None:
    """The label that firebreak.yaml protects."""
    name, value = PROTECTED_LABEL
    return _changed(replace(resource, labels={**resource.labels, name: value}), now_ns, {})


def unprotect(resource: Resource, now_ns: int) -> Resource | None:
    """No such label any more."""
    return _changed(replace(resource, labels={}), now_ns, {}) if resource.labels else None


def delete_newest_unused(resource: Resource, now_ns: int) -> Resource | None:
    """A revision is deleted that is neither referred to nor the newest, as Google advises after an incident."""
    if resource.target.kind not in _SPLITS:
        return None
    percents, tags = resource.wished
    used = {*percents, *tags.values(), *resource.effective, *resource.tags.values(), resource.revisions[-1].name}
    unused = [one for one in resource.revisions if one.name not in used]
    if not unused:
        return None
    return replace(
        resource, revisions=tuple(one for one in resource.revisions if one is not unused[-1]), updated_ns=now_ns
    )


def run_again(resource: Resource, now_ns: int) -> Resource | None:
    """The job is started once more."""
    if resource.target.kind != "job":
        return None
    last = resource.revisions[-1]
    name, _, number = last.name.rpartition("-")
    made = replace(last, name=f"{name}-{int(number) + 1}", created_ns=now_ns)
    after = replace(resource, revisions=(*resource.revisions, made))
    return replace(after.with_settings({f"{EXECUTION}{made.name}": RUNNING}).served())


def end_run(resource: Resource, now_ns: int) -> Resource | None:
    """The oldest run ends by itself."""
    del now_ns
    runs = [key for key, value in sorted(resource.settings.items()) if value == RUNNING]
    return resource.with_settings({runs[0]: None}).served() if runs else None


def enable(resource: Resource, now_ns: int) -> Resource | None:
    """The account is enabled by hand."""
    key = f"{ACCOUNT}{resource.target.name}"
    return _changed(resource, now_ns, {key: ENABLED}) if resource.settings.get(key) == DISABLED else None


def made_alike(resource: Resource, now_ns: int, uid: str) -> Resource:
    """Made anew under the same name, with every setting and every revision as they were."""
    etags = {surface: number + 1000 for surface, number in resource.etags.items()}
    return replace(resource, uid=uid, created_ns=now_ns, updated_ns=now_ns, modifier=BY, etags=etags).served()


def recreated(resource: Resource, now_ns: int, uid: str) -> Resource:
    """Made anew under the same name: another uid, one revision, nobody's public business."""
    kept = {
        key: value for key, value in resource.settings.items() if not key.startswith((TAG, EXECUTION)) and key != PUBLIC
    }
    if resource.target.kind in _SPLITS:
        kept[_SPLITS[resource.target.kind]] = f"{LATEST}=100"
    if resource.target.kind == "service":
        kept |= {INGRESS: "all", DEFAULT_URI_DISABLED: False}
    if resource.target.kind == "service_account":
        kept = {f"{ACCOUNT}{resource.target.name}": DISABLED}
    first = (
        replace(resource.revisions[0], name=f"{resource.target.name}-1", created_ns=now_ns)
        if resource.revisions
        else None
    )
    return replace(
        resource,
        uid=uid,
        created_ns=now_ns,
        updated_ns=now_ns,
        settings=kept,
        revisions=(first,) if first else (),
        etags={surface: number + 1000 for surface, number in resource.etags.items()},
        labels={},
        generation=1,
        modifier=BY,
        broken_deploy=False,
    ).served()


_OF_TRAFFIC = (
    deploy,
    deploy_broken,
    deploy_same_image,
    to_latest,
    roll_back,
    halve,
    share_with_oldest,
    delete_newest_unused,
)
_OF_SERVICES = (tag_newest, untag, close_doors, open_doors, make_public, make_private, protect, unprotect)
EDITS_OF: Mapping[str, tuple[Edit, ...]] = {
    "service": (*_OF_TRAFFIC, *_OF_SERVICES),
    "worker_pool": (*_OF_TRAFFIC, protect, unprotect),
    "job": (run_again, end_run, protect, unprotect),
    "service_account": (enable,),
}
"""Kind of resource to what people do to one."""
EDITS: Mapping[str, Edit] = {edit.__name__: edit for edits in EDITS_OF.values() for edit in edits}
"""Every edit by its name."""

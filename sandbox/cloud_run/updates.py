"""What UpdateService accepts, refuses and changes: masks, traffic, ingress, and the traps of a full update."""

from __future__ import annotations

import copy
import datetime as dt
import re
from typing import Any, NoReturn

from google.cloud import run_v2

from sandbox.blueprint import new_uid
from sandbox.cloud_run.local_service import LocalService
from sandbox.cloud_run.service_scaling import refuse_bad, settled
from sandbox.wire import Refusal
from sandbox.world import World

_WRITABLE = frozenset(
    "description labels annotations client client_version ingress launch_stage binary_authorization template traffic"
    " scaling invoker_iam_disabled default_uri_disabled iap_enabled multi_region_settings custom_audiences".split()
)
_SHORT_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_TAG = re.compile(r"[a-z]([-a-z0-9]{0,45}[a-z0-9])?")
_NONE = 4
_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)


def validate(world: World, local: LocalService, wanted: run_v2.Service, paths: list[str]) -> None:
    """Raises Refusal for what Cloud Run would not accept; a missing revision is accepted, and fails later."""
    for path in paths:
        if path.partition(".")[0] not in _WRITABLE or not _leads_somewhere(path):
            _refuse("INVALID_ARGUMENT", f"Invalid field mask: '{path}' is not a field that can be updated.")
    fields = {path.partition(".")[0] for path in paths} or _WRITABLE
    if not paths or "template" in fields:
        _refuse_colliding_template(local, wanted, paths)
    if "ingress" in fields and wanted.ingress == _NONE and not world.accepts_ingress_none:
        _refuse("INVALID_ARGUMENT", "ingress: INGRESS_TRAFFIC_NONE is not supported.")
    if "scaling" in fields:
        refuse_bad(local.service.scaling, _after(local, wanted, paths).scaling)
    if "traffic" in fields:
        _validate_traffic(list(wanted.traffic))


def _leads_somewhere(path: str) -> bool:
    """Whether every part of the path is a field, and all but the last are messages that are not lists."""
    message: Any = run_v2.Service.pb().DESCRIPTOR
    for name in path.split("."):
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None:
            return False
        message = None if field.is_repeated else field.message_type
    return True


def _refuse_colliding_template(local: LocalService, wanted: run_v2.Service, paths: list[str]) -> None:
    """A template that names a revision collides with it, unless it is what the service has already."""
    after = _after(local, wanted, paths)
    if paths and after.template == local.service.template:
        return
    # Without a mask even an echo collides: Cloud Run normalises what it compares.
    named = after.template.revision if paths else wanted.template.revision
    name = named if paths else named or local.revisions[-1].name.rpartition("/")[2]
    known = {one.name.rpartition("/")[2] for one in local.revisions}
    if name in known:
        _refuse("ALREADY_EXISTS", f"Revision named '{name}' with different configuration already exists.")


def _after(local: LocalService, wanted: run_v2.Service, paths: list[str]) -> run_v2.Service:
    after = run_v2.Service(local.service)
    for path in paths or sorted(_WRITABLE):
        copy_field(run_v2.Service.pb(after), run_v2.Service.pb(wanted), path.split("."))
    return after


def _validate_traffic(traffic: list[run_v2.TrafficTarget]) -> None:
    if traffic and sum(one.percent for one in traffic) != 100:  # noqa: PLR2004 - percent
        _refuse("INVALID_ARGUMENT", "The percentages of the traffic targets must total 100.")
    tags = [one.tag for one in traffic if one.tag]
    if len(tags) != len(set(tags)) or not all(_TAG.fullmatch(tag) for tag in tags):
        _refuse("INVALID_ARGUMENT", "A traffic tag is malformed or given twice.")
    if any(not 0 <= one.percent <= 100 for one in traffic):  # noqa: PLR2004 - percent
        _refuse("INVALID_ARGUMENT", "A traffic target's percentage is between 0 and 100.")
    for one in traffic:
        if one.type_ == _LATEST and one.revision:
            _refuse("INVALID_ARGUMENT", "A LATEST target names no revision.")
        if one.type_ != _LATEST and not _SHORT_NAME.fullmatch(one.revision):
            _refuse("INVALID_ARGUMENT", "A REVISION target takes the revision's short name.")


def apply(world: World, local: LocalService, wanted: run_v2.Service, paths: list[str]) -> None:
    """Change exactly the masked fields; a changed template cuts a new revision."""
    before = copy.deepcopy(run_v2.Service.pb(local.service).template)
    scaled = run_v2.ServiceScaling(local.service.scaling)
    for path in paths or sorted(_WRITABLE):
        copy_field(run_v2.Service.pb(local.service), run_v2.Service.pb(wanted), path.split("."))
    if any(path.partition(".")[0] == "scaling" for path in paths or ["scaling"]):
        local.service.scaling = settled(scaled, local.service.scaling, keeps_most=world.keeps_scaling_limit)
    if not local.service.traffic:
        # What Cloud Run makes of an empty list: everything to the latest revision.
        local.service.traffic = [run_v2.TrafficTarget(type_=_LATEST, percent=100)]
    template = run_v2.Service.pb(local.service).template
    if template != before:
        _cut_revision(local)


def copy_field(to: Any, of: Any, path: list[str]) -> None:  # noqa: ANN401 - protobuf messages
    """Copy one field, named by its path, to the other message; an absent field is cleared, a list replaced."""
    name, below = path[0], path[1:]
    if below:
        copy_field(getattr(to, name), getattr(of, name), below)
        return
    to.ClearField(name)
    field = to.DESCRIPTOR.fields_by_name[name]
    if field.is_repeated:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(to, name).update(getattr(of, name))
        else:
            getattr(to, name).MergeFrom(getattr(of, name))
    elif field.message_type is not None:
        if of.HasField(name):
            getattr(to, name).CopyFrom(getattr(of, name))
    else:
        setattr(to, name, getattr(of, name))


def _cut_revision(local: LocalService) -> None:
    newest = run_v2.Revision(local.revisions[-1])
    template = local.service.template
    name = template.revision or f"{local.service.name.rpartition('/')[2]}-{len(local.revisions) + 1:05d}-new"
    newest.name, newest.uid = f"{local.service.name}/revisions/{name}", new_uid()
    raw = run_v2.Revision.pb(newest)
    raw.create_time.FromDatetime(dt.datetime.now(dt.UTC))
    of_template = set(run_v2.RevisionTemplate.pb().DESCRIPTOR.fields_by_name)
    # The image was resolved to a digest, and a template's tag says nothing about which.
    for field in sorted(set(raw.DESCRIPTOR.fields_by_name) & of_template - {"containers"}):
        copy_field(raw, run_v2.RevisionTemplate.pb(template), [field])
    local.revisions.append(newest)

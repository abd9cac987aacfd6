"""Writing findings as SCC v2 lets its callers: new ones, marks, state, mute and the records of other systems."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from google.cloud.securitycenter_v2 import types
from google.protobuf import field_mask_pb2
from google.protobuf.json_format import MessageToDict, ParseDict

from sandbox.scc.finding_fields import marks_of
from sandbox.scc.finding_listing import finding_of
from sandbox.scc.finding_store import held, mute, parent_of, put_finding, set_state
from sandbox.scc.notifications import Scene, resource_of
from sandbox.wire import Refusal
from sandbox.world import World

_ID = re.compile(r"[a-z0-9]{1,32}", re.ASCII)
_RESOURCE = re.compile(r"//run\.googleapis\.com/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/[^/]+/[^/]+")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_LONGEST_VALUE = 4096
_MARKS = "/securityMarks"
_SYSTEMS = "/externalSystems/"
_INITIATOR = "principal:local-caller"


def create_finding(world: World, request: types.CreateFindingRequest) -> types.Finding:
    """A new finding about a workload of one of the world's projects; SCC itself says what it knows of the resource."""
    parent, finding = parent_of(request.parent), MessageToDict(types.Finding.pb(request.finding))
    if parent is None or not _ID.fullmatch(request.finding_id):
        _refuse(f"Invalid parent or finding_id: {request.parent!r}, {request.finding_id!r}")
    placed = _RESOURCE.fullmatch(finding.get("resourceName", ""))
    if placed is None or placed["project"] not in world.projects:
        _refuse(f"Invalid resource_name: {finding.get('resourceName')!r}")
    below = f"sources/{parent.source}/locations/{parent.location}"
    finding |= {
        "name": f"{parent.container}/{below}/findings/{request.finding_id}",
        "canonicalName": f"projects/{world.projects[placed['project']]}/{below}/findings/{request.finding_id}",
        "parent": f"{parent.container}/{below}",
    }
    if any(one["finding"]["name"] == finding["name"] for one in world.findings):
        code, message = "ALREADY_EXISTS", "Requested entity already exists."
        raise Refusal(code, message)
    scene = Scene(
        project_id=placed["project"],
        project_number=world.projects[placed["project"]],
        location=placed["location"],
        organization=parent.container.rpartition("/")[2],
        resource_name=finding["resourceName"],
    )
    put_finding(world, finding, resource_of(scene))
    return finding_of(finding)


def update_security_marks(world: World, request: types.UpdateSecurityMarksRequest) -> types.SecurityMarks:
    """Set and delete the marks that the mask names; an empty mask, or `marks`, replaces those of everybody."""
    name = request.security_marks.name
    if not name.endswith(_MARKS):
        _refuse(f"Invalid security marks name: {name!r}")
    finding = _held(world, name.removesuffix(_MARKS))["finding"]
    given = dict(request.security_marks.marks)
    paths = list(types.UpdateSecurityMarksRequest.pb(request).update_mask.paths)
    marks = _all(given) if paths in ([], ["marks"]) else _changed(marks_of(finding), given, paths)
    finding["securityMarks"] = {
        "name": finding["name"] + _MARKS,
        "canonicalName": finding.get("canonicalName", finding["name"]) + _MARKS,
        "marks": marks,
    }
    return finding_of(finding).security_marks


def set_finding_state(world: World, request: types.SetFindingStateRequest) -> types.Finding:
    """Make the finding ACTIVE or INACTIVE."""
    if request.state not in (types.Finding.State.ACTIVE, types.Finding.State.INACTIVE):
        _refuse("state must be ACTIVE or INACTIVE")
    finding = _held(world, request.name)["finding"]
    set_state(world, request.name, types.Finding.State(request.state).name)
    return finding_of(finding)


def set_mute(world: World, request: types.SetMuteRequest) -> types.Finding:
    """Mute, unmute or forget both."""
    if request.mute == types.Finding.Mute.MUTE_UNSPECIFIED:
        _refuse("mute must be MUTED, UNMUTED or UNDEFINED")
    finding = _held(world, request.name)["finding"]
    mute(world, request.name, types.Finding.Mute(request.mute).name, _INITIATOR)
    return finding_of(finding)


def update_external_system(world: World, request: types.UpdateExternalSystemRequest) -> types.ExternalSystem:
    """Write the masked fields of another system's record of the finding; an empty mask writes all of them."""
    finding_name, separator, system = request.external_system.name.rpartition(_SYSTEMS)
    if not separator or not _KEY.fullmatch(system):
        _refuse(f"Invalid external system name: {request.external_system.name!r}")
    finding = _held(world, finding_name)["finding"]
    given = types.ExternalSystem.pb(request.external_system)
    systems = finding.setdefault("externalSystems", {})
    record = ParseDict(systems.get(system, {}), types.ExternalSystem.pb(types.ExternalSystem()))
    mask = types.UpdateExternalSystemRequest.pb(request).update_mask
    if not mask.paths:
        mask = field_mask_pb2.FieldMask(paths=[field.name for field in given.DESCRIPTOR.fields])
    if not mask.IsValidForDescriptor(given.DESCRIPTOR):
        _refuse("Invalid update_mask")
    mask.MergeMessage(given, record, replace_message_field=True, replace_repeated_field=True)
    record.name = f"{finding['name']}{_SYSTEMS}{system}"
    systems[system] = MessageToDict(record)
    written: types.ExternalSystem = types.ExternalSystem.from_json(json.dumps(systems[system]))
    return written


def _held(world: World, name: str) -> dict[str, Any]:
    try:
        return held(world, name)
    except KeyError:
        code, message = "NOT_FOUND", "Requested entity was not found."
        raise Refusal(code, message) from None


def _all(given: dict[str, str]) -> dict[str, str]:
    if len({key.casefold() for key in given}) != len(given):
        _refuse("marks must not repeat a key in another case")
    return {_key(key): _value(value) for key, value in given.items()}


def _changed(marks: dict[str, str], given: dict[str, str], paths: list[str]) -> dict[str, str]:
    keys = [_key(path.removeprefix("marks.")) for path in paths if path.startswith("marks.")]
    if len(keys) != len(paths) or len({key.casefold() for key in keys}) != len(keys):
        _refuse("update_mask must be `marks`, or name each mark once as `marks.KEY`")
    folded = {key.casefold(): value for key, value in given.items()}
    for key in keys:
        marks = {name: value for name, value in marks.items() if name.casefold() != key.casefold()}
        if key.casefold() in folded:
            marks[key] = _value(folded[key.casefold()])
    return marks


def _key(key: str) -> str:
    if not _KEY.fullmatch(key):
        _refuse(f"Invalid security mark key: {key!r}")
    return key


def _value(value: str) -> str:
    value = value.strip()
    if not 0 < len(value) <= _LONGEST_VALUE:
        _refuse("Security mark values have 1 to 4096 characters after trimming")
    return value


def _refuse(message: str) -> NoReturn:
    code = "INVALID_ARGUMENT"
    raise Refusal(code, message)

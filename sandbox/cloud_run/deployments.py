"""Making and deleting a service of a local world; a server may have both beside the methods that read and update."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from functools import partial
from typing import NoReturn

import grpc
from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from google.longrunning import operations_pb2

from sandbox.blueprint import new_uid
from sandbox.cloud_run.admission import admitted
from sandbox.cloud_run.local_service import READY, LocalService
from sandbox.cloud_run.updates import copy_field
from sandbox.google.service_accounts import refuse_disabled
from sandbox.wire import Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.cloud.run.v2.Services"
_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?")


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """CreateService and DeleteService."""
    methods = {
        "CreateService": (run_v2.CreateServiceRequest, operations_pb2.Operation, partial(create_service, world)),
        "DeleteService": (run_v2.DeleteServiceRequest, operations_pb2.Operation, partial(delete_service, world)),
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]


def create_service(world: World, request: run_v2.CreateServiceRequest) -> operations_pb2.Operation:
    """A service of one revision, which gets all traffic once the operation is over; nobody may call it yet."""
    parent, given = world.canonical(request.parent), request.service
    name = f"{parent}/services/{request.service_id}"
    if not _ID.fullmatch(request.service_id) or given.name:
        _refuse("INVALID_ARGUMENT", "service_id names the service, and service.name stays empty.")
    if parent.split("/")[1] not in world.projects or not given.template.containers:
        _refuse("INVALID_ARGUMENT", "There is no such project, or the template has no container.")
    if name in world.services:
        _refuse("ALREADY_EXISTS", f"Resource '{request.service_id}' already exists.")
    refuse_disabled(world, given.template.service_account)
    service = run_v2.Service(given)
    service.name, service.uid, service.create_time = name, new_uid(), world.now()  # type: ignore[assignment]  # proto-plus takes a datetime
    service.ingress = run_v2.IngressTraffic(service.ingress or run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL)
    service.urls = [f"https://{request.service_id}.run.test"]
    latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    service.traffic = service.traffic or [run_v2.TrafficTarget(type_=latest, percent=100)]
    local = LocalService(service, [_first_revision(world, service)], policy_pb2.Policy(version=3))
    world.services[name] = local
    world.stamp(local)
    return world.begin(name, local).message


def _first_revision(world: World, service: run_v2.Service) -> run_v2.Revision:
    short = service.name.rpartition("/")[2]
    revision = run_v2.Revision(
        name=f"{service.name}/revisions/{short}-00001-{secrets.token_hex(2)}",
        uid=new_uid(),
        service=service.name,
        create_time=world.now(),
        conditions=[READY],
    )
    of_template = set(run_v2.RevisionTemplate.pb().DESCRIPTOR.fields_by_name)
    raw = run_v2.Revision.pb(revision)
    for field in sorted(set(raw.DESCRIPTOR.fields_by_name) & of_template):
        copy_field(raw, run_v2.RevisionTemplate.pb(service.template), [field])
    for one in revision.containers:
        one.image = f"{one.image.partition('@')[0]}@sha256:{hashlib.sha256(one.image.encode()).hexdigest()}"
    return revision


def delete_service(world: World, request: run_v2.DeleteServiceRequest) -> operations_pb2.Operation:
    """The service goes with its revisions; the operation is over when it is answered."""
    local = world.find(request.name)
    if local is None:
        _refuse("NOT_FOUND", f"Resource '{request.name.rpartition('/')[2]}' of kind 'SERVICE' does not exist.")
    if request.etag and request.etag != local.service.etag:
        _refuse("ABORTED", "Conflict for resource: the etag does not match the latest one.")
    if not request.validate_only:
        world.delete(request.name)
    parts = world.canonical(request.name).split("/")
    name = f"projects/{parts[1]}/locations/{parts[3]}/operations/{uuid.uuid4()}"
    answer = operations_pb2.Operation(name=name, done=True)
    answer.response.Pack(run_v2.Service.pb(local.service))
    return answer


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)

"""Service accounts in a local IAM Admin API v1: read, disabled and enabled, and the roles that are read."""

from __future__ import annotations

import re
from functools import partial
from typing import NoReturn

import grpc
from google.cloud import iam_admin_v1
from google.protobuf import empty_pb2

from sandbox.administration.resources import roles
from sandbox.cloud_run.admission import admitted
from sandbox.google.local_account import LocalAccount
from sandbox.wire import Methods, Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.iam.admin.v1.IAM"
_NAME = re.compile(r"projects/(?P<project>[a-z0-9:.-]+)/serviceAccounts/(?P<account>[^/]+)")


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """The methods that containment and checks of a deployment need; every other one is answered as unimplemented."""
    methods: Methods = {
        **roles(world),
        "GetServiceAccount": (
            iam_admin_v1.GetServiceAccountRequest,
            iam_admin_v1.ServiceAccount,
            lambda request: _found(world, request.name).shown(),
        ),
        "DisableServiceAccount": (iam_admin_v1.DisableServiceAccountRequest, empty_pb2.Empty, partial(_disable, world)),
        "EnableServiceAccount": (iam_admin_v1.EnableServiceAccountRequest, empty_pb2.Empty, partial(_enable, world)),
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]


def _disable(world: World, request: iam_admin_v1.DisableServiceAccountRequest) -> empty_pb2.Empty:
    _found(world, request.name).set(disabled=True, lag=world.stale_account_reads)
    return empty_pb2.Empty()


def _enable(world: World, request: iam_admin_v1.EnableServiceAccountRequest) -> empty_pb2.Empty:
    """What Google disabled because it was compromised stays so."""
    local = _found(world, request.name)
    if local.by_google:
        _refuse(
            "FAILED_PRECONDITION", "The service account was disabled by Google and cannot be enabled with this method."
        )
    local.set(disabled=False, lag=world.stale_account_reads)
    return empty_pb2.Empty()


def refuse_disabled(world: World, email: str) -> None:
    """Cloud Run makes nothing that runs as a disabled account; that it takes no update either is a strict guess."""
    local = world.accounts.get(email)
    if local is not None and local.account.disabled:
        _refuse("FAILED_PRECONDITION", f"Service account {email} is disabled.")


def _found(world: World, name: str) -> LocalAccount:
    """By address or by unique id; under `-` an account that is not there looks like one that is forbidden."""
    named = _NAME.fullmatch(name)
    if named is None:
        _refuse("INVALID_ARGUMENT", "The resource name must be projects/PROJECT/serviceAccounts/ACCOUNT.")
    account = named["account"]
    local = next(
        (one for one in world.accounts.values() if account in (one.account.email, one.account.unique_id)), None
    )
    if named["project"] == "-" and local is None:
        _refuse(
            "PERMISSION_DENIED", f"The caller lacks a permission on service account {account}, or it does not exist."
        )
    project = world.canonical(name).split("/")[1]
    if local is None or project not in ("-", local.account.project_id):
        _refuse("NOT_FOUND", f"Unknown service account: {account}")
    return local


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)

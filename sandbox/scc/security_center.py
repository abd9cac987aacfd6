"""A local Security Command Center, v2: findings listed and written as the real, unmodified client does."""

from __future__ import annotations

from functools import partial

import grpc
from google.cloud.securitycenter_v2 import types

from sandbox.administration.resources import notification_configs
from sandbox.cloud_run.admission import admitted
from sandbox.scc.finding_listing import list_findings
from sandbox.scc.finding_store import mute, put_finding, set_state
from sandbox.scc.finding_writing import (
    create_finding,
    set_finding_state,
    set_mute,
    update_external_system,
    update_security_marks,
)
from sandbox.wire import Methods, Wire, generic_handler
from sandbox.world import World

__all__ = ["handlers", "mute", "put_finding", "set_state"]

SERVICE = "google.cloud.securitycenter.v2.SecurityCenter"


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """The methods of the service that this local one has."""
    methods: Methods = {
        **notification_configs(world),
        "ListFindings": (
            types.ListFindingsRequest,
            types.ListFindingsResponse,
            lambda request: list_findings(world.findings, request),
        ),
        "CreateFinding": (types.CreateFindingRequest, types.Finding, partial(create_finding, world)),
        "UpdateSecurityMarks": (
            types.UpdateSecurityMarksRequest,
            types.SecurityMarks,
            partial(update_security_marks, world),
        ),
        "SetFindingState": (types.SetFindingStateRequest, types.Finding, partial(set_finding_state, world)),
        "SetMute": (types.SetMuteRequest, types.Finding, partial(set_mute, world)),
        "UpdateExternalSystem": (
            types.UpdateExternalSystemRequest,
            types.ExternalSystem,
            partial(update_external_system, world),
        ),
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]

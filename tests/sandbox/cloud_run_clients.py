"""Google's own Cloud Run clients on a world served over plain-text gRPC, and worlds to serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.cloud import run_v2
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport

from sandbox.cloud_run import operations
from sandbox.cloud_run import revisions as cloud_run_revisions
from sandbox.cloud_run import services as cloud_run
from sandbox.google import iam_policies
from sandbox.wire import Wire
from sandbox.world import World

LOCATION = "projects/shop-prod/locations/europe-west1"
NAME = f"{LOCATION}/services/checkout"
GOOD, BAD = "checkout-00007-good", "checkout-00008-bad"
LATEST, REVISION = 1, 2
ALL, INTERNAL, NONE = 1, 2, 4
NEVER = 3600.0
"""Longer than any test takes."""


@dataclass(frozen=True)
class Clients:
    """The real clients, the world they speak to and the wire between."""

    world: World
    wire: Wire
    channel: grpc.Channel
    services: Any
    revisions: Any

    def read(self) -> Any:
        return self.services.get_service(name=NAME, timeout=5, retry=None)

    def update(self, paths: list[str], *, validate_only: bool = False, **fields: Any) -> Any:
        """The operation's future; without paths no mask is sent."""
        service = run_v2.Service(name=fields.pop("name", NAME), **fields)
        mask = {"paths": paths} if paths else None
        request = run_v2.UpdateServiceRequest(service=service, update_mask=mask, validate_only=validate_only)
        return self.services.update_service(request=request, timeout=5, retry=None)

    def serving(self) -> set[tuple[str, int, str]]:
        """Effective traffic: revision, percent, tag."""
        return {(one.revision, one.percent, one.tag) for one in self.read().traffic_statuses}


def checkout(**service: Any) -> dict[str, Any]:
    """A world of one public service whose newest of two revisions serves."""
    return {
        "projects": {"shop-prod": {"number": "345678901234"}},
        "services": [
            {
                "name": NAME,
                "public": True,
                "revisions": [
                    {"name": GOOD, "image": 7, "created": "-10d"},
                    {"name": BAD, "image": 8, "created": "-3h"},
                ],
                **service,
            }
        ],
    }


@contextmanager
def served(given: Mapping[str, Any] | World) -> Iterator[Clients]:
    """Clients of the world, as long as it is served."""
    world = given if isinstance(given, World) else World.load(given)
    wire = Wire(world.latencies)
    server = grpc.server(ThreadPoolExecutor(8))
    for room in (cloud_run, cloud_run_revisions, iam_policies, operations):
        server.add_generic_rpc_handlers(tuple(room.handlers(world, wire)))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Clients(
                world,
                wire,
                channel,
                run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel)),
                run_v2.RevisionsClient(transport=RevisionsGrpcTransport(channel=channel)),
            )
    finally:
        wire.stop()
        server.stop(None)


def to(revision: str, percent: int = 100, tag: str = "") -> dict[str, Any]:
    """A traffic target for a revision by short name."""
    return {"type_": REVISION, "revision": revision, "percent": percent, "tag": tag}


def to_latest(percent: int = 100, tag: str = "") -> dict[str, Any]:
    """A traffic target for LATEST."""
    return {"type_": LATEST, "percent": percent, "tag": tag}

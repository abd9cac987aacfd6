"""Starts a world's servers on free loopback ports and tells the environment that points Firebreak at them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import grpc

from sandbox.administration import server as administration
from sandbox.administration.resources import subscriber_handlers
from sandbox.cloud_run import deployments, jobs, operations, worker_pools
from sandbox.cloud_run import revisions as cloud_run_revisions
from sandbox.cloud_run import services as cloud_run
from sandbox.google import iam_policies, logging_service, pubsub, service_accounts, storage_service
from sandbox.scc import security_center
from sandbox.virustotal import server as virustotal
from sandbox.wire import Wire
from sandbox.world import World

_LARGEST = 10_500_000
"""In bytes of one request: Pub/Sub takes messages of 10 MB."""
_THREADS = 64


class Sandbox:
    """A context manager: inside it the world is served. `wire` is the journal, and where faults are planted."""

    def __init__(self, world: World) -> None:
        """Nothing is started yet."""
        self.world = world
        self.wire = Wire(world.latencies)
        self.wire.inject(*world.faults)
        self._servers: list[grpc.Server] = []
        self._web: list[Any] = []
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start one server for each of Google's services, and VirusTotal; what the world has none of is not."""
        rooms = (
            cloud_run,
            cloud_run_revisions,
            deployments,
            iam_policies,
            jobs,
            operations,
            service_accounts,
            worker_pools,
        )
        run = [one for room in rooms for one in room.handlers(self.world, self.wire)]
        for variable, handlers in (
            ("CLOUD_RUN_EMULATOR_HOST", run),
            ("SECURITY_CENTER_EMULATOR_HOST", security_center.handlers(self.world, self.wire)),
            ("LOGGING_EMULATOR_HOST", logging_service.handlers(self.world, self.wire)),
            (
                "PUBSUB_EMULATOR_HOST",
                [*pubsub.handlers(self.world, self.wire), *subscriber_handlers(self.world, self.wire)],
            ),
        ):
            self._environment[variable] = f"127.0.0.1:{self._serve(handlers)}"
        self._environment["IAM_EMULATOR_HOST"] = self._environment["CLOUD_RUN_EMULATOR_HOST"]
        self._webserver("VIRUSTOTAL_HOST", virustotal)
        if self.world.resources:
            self._webserver("ADMIN_EMULATOR_HOST", administration, "")
        if self.world.buckets:
            self._webserver("STORAGE_EMULATOR_HOST", storage_service)
        return self

    def _webserver(self, variable: str, room: Any, scheme: str = "http://") -> None:  # noqa: ANN401 - has `start`
        web, port = room.start(self.world, self.wire)
        self._web.append(web)
        self._environment[variable] = f"{scheme}127.0.0.1:{port}"

    def _serve(self, handlers: list[grpc.GenericRpcHandler]) -> int:
        options = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _LARGEST))
        server = grpc.server(ThreadPoolExecutor(_THREADS), options=options)
        server.add_generic_rpc_handlers(tuple(handlers))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self._servers.append(server)
        return int(port)

    def environment(self) -> dict[str, str]:
        """The variables to set, for a process that is to work on this world."""
        return dict(self._environment)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, also what hangs."""
        self.wire.stop()
        for server in self._servers:
            server.stop(None)
        for web in self._web:
            web.stop()

"""Every adapter of Google's, each loaded when something is first asked of it, as most findings need but two."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING

from firebreak.adapters.later import later
from firebreak.core.cloud_run.target import Kind
from firebreak.ports.surface import Reader, Surface

if TYPE_CHECKING:
    from firebreak.adapters.cloud_run.access import JobAccess, ServiceAccess
    from firebreak.adapters.cloud_run.jobs import Jobs
    from firebreak.adapters.cloud_run.pools import WorkerPools
    from firebreak.adapters.cloud_run.services import CloudRunServices
    from firebreak.adapters.google.cloud_logging import CloudLogging
    from firebreak.adapters.google.pubsub import Publisher
    from firebreak.adapters.google.security_center import SecurityCenter
    from firebreak.adapters.google.service_account_users import ServiceAccountUsers
    from firebreak.adapters.google.service_accounts import ServiceAccounts


PACKAGES = (
    "google.cloud.iam_admin_v1",
    "google.cloud.logging_v2",
    "google.cloud.run_v2",
    "google.cloud.securitycenter_v2",
    "google.pubsub_v1",
    "grpc",
)


def require_packages() -> None:
    """Say at the start what is not installed, not with the first finding; raises ModuleNotFoundError."""
    for name in PACKAGES:
        if find_spec(name) is None:
            message = f"No module named {name!r}"
            raise ModuleNotFoundError(message, name=name)


class Clients:
    """The adapters at these emulators, or at Google."""

    def __init__(self, emulators: Mapping[str, str], locations: tuple[str, ...]) -> None:
        """Nothing is imported; `locations` are those of SCC's data residency."""
        self._run = emulators.get("CLOUD_RUN_EMULATOR_HOST")
        self._emulators, self._locations = emulators, locations
        self.scc, self.logging = later(self._scc), later(self._logging)
        self.publisher, self.account_users = later(self._publisher), later(self._account_users)
        self._services, self._jobs = later(self._services_), later(self._jobs_)
        self._pools, self._accounts = later(self._pools_), later(self._accounts_)

    @property
    def readers(self) -> Mapping[Kind, Reader]:
        """What reads each kind of target."""
        return MappingProxyType(
            {
                "service": self._services,
                "worker_pool": self._pools,
                "job": self._jobs,
                "service_account": self._accounts,
            }
        )

    @property
    def surfaces(self) -> Mapping[str, Surface]:
        """What is written to."""
        return MappingProxyType(
            {
                "service": self._services,
                "service_iam": later(self._service_access),
                "worker_pool": self._pools,
                "executions": self._jobs,
                "job_iam": later(self._job_access),
                "service_account": self._accounts,
            }
        )

    def _scc(self) -> SecurityCenter:
        from firebreak.adapters.google.security_center import SecurityCenter  # noqa: PLC0415 - see above, as all below

        return SecurityCenter(self._emulators.get("SECURITY_CENTER_EMULATOR_HOST"), self._locations)

    def _logging(self) -> CloudLogging:
        from firebreak.adapters.google.cloud_logging import CloudLogging  # noqa: PLC0415

        return CloudLogging(self._emulators.get("LOGGING_EMULATOR_HOST"))

    def _publisher(self) -> Publisher:
        from firebreak.adapters.google.pubsub import Publisher  # noqa: PLC0415

        return Publisher(self._emulators.get("PUBSUB_EMULATOR_HOST"))

    def _account_users(self) -> ServiceAccountUsers:
        from firebreak.adapters.google.service_account_users import ServiceAccountUsers  # noqa: PLC0415

        return ServiceAccountUsers(self._run)

    def _services_(self) -> CloudRunServices:
        from firebreak.adapters.cloud_run.services import CloudRunServices  # noqa: PLC0415

        return CloudRunServices(self._run)

    def _service_access(self) -> ServiceAccess:
        from firebreak.adapters.cloud_run.access import ServiceAccess  # noqa: PLC0415

        return ServiceAccess(lambda: self._services.client)

    def _pools_(self) -> WorkerPools:
        from firebreak.adapters.cloud_run.pools import WorkerPools  # noqa: PLC0415

        return WorkerPools(self._run)

    def _jobs_(self) -> Jobs:
        from firebreak.adapters.cloud_run.jobs import Jobs  # noqa: PLC0415

        return Jobs(self._run)

    def _job_access(self) -> JobAccess:
        from firebreak.adapters.cloud_run.access import JobAccess  # noqa: PLC0415

        return JobAccess(lambda: self._jobs.client)

    def _accounts_(self) -> ServiceAccounts:
        from firebreak.adapters.google.service_accounts import ServiceAccounts  # noqa: PLC0415

        return ServiceAccounts(self._emulators.get("IAM_EMULATOR_HOST"))

"""How settings are named and what some of their values mean: light, so that a record is read without a workload."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Kind

LATEST = "LATEST"
SPLIT = "service.traffic.split"
TAG = "service.traffic.tag."
INGRESS = "service.ingress"
DEFAULT_URI_DISABLED = "service.default_uri_disabled"
INVOKER_CHECK_OFF = "service.invoker_iam_disabled"
SCALING = "service.scaling"
POOL_SPLIT = "worker_pool.split"
POOL_INSTANCES = "worker_pool.instances"
AUTOMATIC = "auto"
"""The instances of a pool for which Cloud Run decides how many there are; as gcloud writes it."""
EXECUTION = "executions."
RUNNING, CANCELLED = "running", "cancelled"
ACCOUNT = "service_account."
ENABLED, DISABLED = "enabled", "disabled"
SURFACES: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        "service": frozenset({"service", "service_iam"}),
        "worker_pool": frozenset({"worker_pool"}),
        "job": frozenset({"executions", "job_iam"}),
        "service_account": frozenset({"service_account"}),
    }
)
"""The surfaces that a target of each kind has."""
IDENTITY = "service_account"
"""The one surface that belongs to other targets than the finding's: the accounts that its suspects run as."""


def running(state: State) -> frozenset[str]:
    """The executions of a job that run, by short name."""
    return frozenset(key.removeprefix(EXECUTION) for key, value in state.items() if is_final(key) and value == RUNNING)


def is_traffic(key: str) -> bool:
    """Whether the setting says which revisions get requests or instances."""
    return key in (SPLIT, POOL_SPLIT) or key.startswith(TAG)


def is_final(key: str) -> bool:
    """Whether the setting only ever goes one way, by itself or by our hand: a run ends and does not resume."""
    return key.startswith(EXECUTION)

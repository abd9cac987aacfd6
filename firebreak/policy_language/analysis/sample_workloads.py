"""Workloads made up to try steps on: of each kind some that are open, some that are closed, and some with little set.

Each has a suspect, and of each of services and worker pools some have a good revision to go back to, some have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.iam_grants import Grant
from firebreak.core.cloud_run.scaling import SUSPENDED
from firebreak.core.cloud_run.setting_names import (
    DEFAULT_URI_DISABLED,
    EXECUTION,
    INGRESS,
    INVOKER_CHECK_OFF,
    POOL_INSTANCES,
    POOL_SPLIT,
    RUNNING,
    SCALING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Kind, Target
from firebreak.core.cloud_run.workload import Revision

_OLD, _SUSPECT = "a-name-00001-old", "a-name-00002-bad"
_GOOD = Revision(_OLD, 1, None, gen1=False, digests=frozenset({"sha256:1"}))
_BAD = Revision(_SUSPECT, 2, None, gen1=False, digests=frozenset({"sha256:2"}))
_MEMBERS = ("allUsers", "allAuthenticatedUsers", "user:ann@example.com")


def _grants(surface: str, *members: str) -> State:
    given = [Grant(role, member) for role in ("roles/run.invoker", "roles/run.viewer") for member in members]
    return {grant.key(surface): grant.value for grant in given}


_SETTINGS: Mapping[Kind, tuple[State, ...]] = {
    "service": (
        {
            SPLIT: "LATEST=100",
            f"{TAG}canary": _SUSPECT,
            INGRESS: "all",
            DEFAULT_URI_DISABLED: False,
            INVOKER_CHECK_OFF: True,
            SCALING: "automatic 1-100",
            **_grants("service_iam", *_MEMBERS),
        },
        {
            SPLIT: f"{_OLD}=100",
            INGRESS: "none",
            DEFAULT_URI_DISABLED: True,
            INVOKER_CHECK_OFF: False,
            SCALING: SUSPENDED,
            **_grants("service_iam", _MEMBERS[-1]),
        },
        {SPLIT: f"{_OLD}=50,{_SUSPECT}=50", f"{TAG}stable": _OLD, INGRESS: "internal", DEFAULT_URI_DISABLED: False},
    ),
    "worker_pool": (
        {POOL_SPLIT: "LATEST=100", POOL_INSTANCES: 3},
        {POOL_SPLIT: f"{_OLD}=100", POOL_INSTANCES: 0},
        {POOL_SPLIT: f"{_OLD}=50,{_SUSPECT}=50", POOL_INSTANCES: 1},
    ),
    "job": (
        {f"{EXECUTION}{_OLD}": RUNNING, f"{EXECUTION}{_SUSPECT}": RUNNING, **_grants("job_iam", *_MEMBERS)},
        {f"{EXECUTION}{_SUSPECT}": RUNNING},
        {**_grants("job_iam", _MEMBERS[-1])},
    ),
}


def _cases(kind: Kind) -> Iterator[tuple[State, EditContext]]:
    target = Target("a-project", "europe-west1", kind, "a-name", project_id="a-project")
    suspicion = Suspicion("named", frozenset({_SUSPECT}), "made up")
    for revisions in ((_GOOD, _BAD), (_BAD,)):
        case = EditContext(target, suspicion, revisions, _SUSPECT, frozenset({_SUSPECT}))
        yield from ((state, case) for state in _SETTINGS[kind] if _OLD in _names(revisions) or _fits(state))


def _names(revisions: tuple[Revision, ...]) -> frozenset[str]:
    return frozenset(one.name for one in revisions)


def _fits(state: State) -> bool:
    """Whether the settings name no revision that is not there."""
    return not any(_OLD in str(value) for value in state.values())


SAMPLES: Mapping[str, tuple[tuple[State, EditContext], ...]] = MappingProxyType(
    {kind: tuple(_cases(kind)) for kind in _SETTINGS}
)
"""By kind, settings and the case that is made of them."""

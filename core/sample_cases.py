"""Workloads made up to try steps on: each with a suspect revision, and one with a good revision to go back to."""

from __future__ import annotations

from core.action import State
from core.case import Case
from core.suspects import Suspicion
from core.target import Target
from core.workload import DEFAULT_URI_DISABLED, INGRESS, SPLIT, TAG, Revision

_TARGET = Target("a-project", "europe-west1", "service", "a-service", project_id="a-project")
_GOOD = Revision("a-service-00001-old", 1, None, gen1=False, digests=frozenset({"sha256:1"}))
_BAD = Revision("a-service-00002-bad", 2, None, gen1=False, digests=frozenset({"sha256:2"}))
_OPEN: State = {
    SPLIT: "LATEST=100",
    f"{TAG}canary": _BAD.name,
    INGRESS: "all",
    DEFAULT_URI_DISABLED: False,
}


def _case(*revisions: Revision) -> Case:
    suspicion = Suspicion("named", frozenset({_BAD.name}), "made up")
    return Case(_TARGET, suspicion, revisions, _BAD.name, frozenset({_BAD.name}))


SAMPLES: tuple[tuple[State, Case], ...] = ((_OPEN, _case(_GOOD, _BAD)), (_OPEN, _case(_BAD)))

"""A worker pool of a local world: what is wished for, and what comes of it once it settles."""

from __future__ import annotations

from dataclasses import dataclass

from google.cloud import run_v2
from google.rpc import status_pb2

from sandbox.cloud_run.local_service import READY, missing_revision, newest_ready, why_kept

_LATEST = run_v2.InstanceSplitAllocationType.INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST


@dataclass
class LocalPool:
    """A worker pool with its revisions, oldest first."""

    pool: run_v2.WorkerPool
    revisions: list[run_v2.Revision]

    @property
    def resource(self) -> run_v2.WorkerPool:
        """What an operation on it is about."""
        return self.pool

    def settle(self) -> None:
        """Make the settings effective: LATEST is the newest ready revision, and statuses follow the wish."""
        pool = self.pool
        pool.latest_ready_revision = newest_ready(self.revisions)
        pool.latest_created_revision = self.revisions[-1].name
        pool.reconciling = False
        pool.observed_generation = pool.generation
        pool.terminal_condition = READY
        latest = pool.latest_ready_revision.rpartition("/")[2]
        pool.instance_split_statuses = [
            run_v2.InstanceSplitStatus(
                type_=one.type_, revision=latest if one.type_ == _LATEST else one.revision, percent=one.percent
            )
            for one in pool.instance_splits
        ]

    def give_up(self) -> None:
        """The wish stays a wish."""
        self.pool.reconciling = False
        self.pool.observed_generation = self.pool.generation

    def fault(self) -> status_pb2.Status | None:
        """The error an operation ends in when the split names a revision that does not exist."""
        named = (one.revision for one in self.pool.instance_splits if one.type_ != _LATEST)
        return missing_revision(named, self.revisions, "instances")

    def why_kept(self, short: str) -> str | None:
        """Why Cloud Run does not delete this revision, or None if it does."""
        wished = [one.revision for one in self.pool.instance_splits if one.percent]
        running = [one.revision for one in self.pool.instance_split_statuses if one.percent]
        return why_kept(short, self.revisions, wished + running)

"""How long Cloud Run may take until what serves is what was written."""

from __future__ import annotations

from firebreak.core.cloud_run.workload import Workload
from firebreak.core.timestamps import NANOS
from firebreak.ports.backoff import Backoff
from firebreak.response.app import App
from firebreak.response.readings import Readings

SETTLE_SECONDS = 20.0


def had_time(app: App, workload: Workload, backoff: Backoff, readings: Readings) -> bool:
    """Whether it had all the time that it may take; of one look alone, the workload's own last change tells."""
    if readings.deadline.waits:
        return backoff.until.at < readings.deadline.at
    return app.now_ns() - workload.updated_ns >= SETTLE_SECONDS * NANOS

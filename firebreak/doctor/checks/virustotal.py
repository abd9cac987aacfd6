"""VirusTotal: whether its quota has lasted today."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from firebreak.core.timestamps import NANOS
from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline

_DAY = 86_400
_KEY = "VIRUSTOTAL_API_KEY"


def _items(examined: Examined) -> Iterator[Item]:
    yield Item("VirusTotal's quota", partial(_look, examined))


def _look(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    wanted = examined.deployment
    if _KEY not in wanted.secrets:
        yield Ok("VirusTotal is not asked: no key is configured")
        return
    today = max(60, examined.now_ns // NANOS % _DAY)
    metric = f'metric.type="logging.googleapis.com/user/{wanted.name}/virustotal-quota"'
    gaps = sum(examined.cloud.highest(wanted.project, metric, today, deadline).values())
    if gaps:
        yield Fault(
            "VirusTotal's quota is used up until midnight UTC, and people are asked more often",
            "firebreak incident list --phase waiting",
        )
    else:
        yield Ok("VirusTotal's quota has lasted today")


check = Check("VirusTotal", "roles/monitoring.viewer on the project", _items)

"""The sweep: that it is called, and that it comes to its end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline

_SECONDS = 1800


def _items(examined: Examined) -> Iterator[Item]:
    yield Item("the scheduler", partial(_scheduled, examined))
    yield Item("the last sweep", partial(_swept, examined))


def _scheduled(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    name = examined.deployment.sweep
    _, project, _, location, _, job = name.split("/")
    state = examined.cloud.get(f"//cloudscheduler.googleapis.com/{name}", deadline).get("state")
    if state == "ENABLED":
        yield Ok(f"the scheduler calls {job}")
    else:
        resume = f"gcloud scheduler jobs resume {job} --location={location} --project={project}"
        yield Fault(f"the scheduler does not call {job}: it is {state}", resume)


def _swept(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    wanted = examined.deployment
    metric = f'metric.type="logging.googleapis.com/user/{wanted.name}/sweeps"'
    if sum(examined.cloud.highest(wanted.project, metric, _SECONDS, deadline).values()):
        yield Ok(f"a sweep has ended within the last {_SECONDS // 60} minutes")
    else:
        yield Fault(f"no sweep has ended within the last {_SECONDS // 60} minutes", "firebreak sweep")


check = Check("the sweep", "roles/cloudscheduler.viewer and roles/monitoring.viewer on the project", _items)

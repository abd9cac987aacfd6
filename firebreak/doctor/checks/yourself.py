"""Whoever asks: what an answer to a question takes, and which project pays for the calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from firebreak.core.errors import Missing, NotLetIn
from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result, Unchecked
from firebreak.ports.deadline import Deadline

_PROJECT = "//cloudresourcemanager.googleapis.com/projects"
_LEDGER = "roles/datastore.viewer"
_GIVEN = "name yourself in commanders, and apply; Terraform grants"


@dataclass(frozen=True, slots=True)
class _Need:
    """A permission, the role that has it, where that is granted, and what it is for."""

    permission: str
    role: str
    on: str
    why: str


_ON_PROJECT = (
    _Need("logging.logEntries.list", "roles/logging.viewer", "the project", "the log"),
    _Need("monitoring.timeSeries.list", "roles/monitoring.viewer", "the project", "dead letters and sweeps"),
    _Need("bigquery.jobs.create", "roles/bigquery.jobUser", "the project", "the records"),
)
_ON_TOPIC = _Need("pubsub.topics.publish", "roles/pubsub.publisher", "the commands topic", "answers")
_ON_BUCKET = _Need("storage.objects.list", "roles/storage.objectViewer", "the evidence bucket", "the evidence")


def _items(examined: Examined) -> Iterator[Item]:
    wanted = examined.deployment
    places: list[tuple[str, tuple[_Need, ...]]] = [(f"{_PROJECT}/{wanted.project}", _ON_PROJECT)]
    if topic := wanted.topics.get("commands"):
        places.append((f"//pubsub.googleapis.com/{topic}", (_ON_TOPIC,)))
    if wanted.bucket:
        places.append((f"//storage.googleapis.com/{wanted.bucket}", (_ON_BUCKET,)))
    for name, needs in places:
        yield Item(f"what you may do on {needs[0].on}", partial(_may, examined, name, needs))
    yield Item("the ledger", partial(_reads, examined))
    yield Item("the project that your calls are counted on", partial(_credentials, examined))


def _may(examined: Examined, name: str, needs: tuple[_Need, ...], deadline: Deadline) -> Iterator[Result]:
    try:
        held = examined.cloud.permitted(name, frozenset(one.permission for one in needs), deadline)
    except Missing:
        if examined.deployment.told:
            return  # which is the subject of another check
        raise
    for one in needs:
        if one.permission in held:
            yield Ok(f"you have {one.permission} on {one.on}, for {one.why}")
        else:
            yield Fault(f"you lack {one.role} on {one.on}, for {one.why}", f"{_GIVEN} {one.role}")


def _reads(examined: Examined, _: Deadline) -> Iterator[Result]:
    """By reading: the grant is under a condition, which a question about the project does not meet."""
    try:
        yield Ok(f"you can read the ledger, with {examined.ledger().count()} incidents")
    except NotLetIn:
        yield Fault(f"you lack {_LEDGER} on the project, for the ledger", f"{_GIVEN} {_LEDGER}")


def _credentials(examined: Examined, _: Deadline) -> Iterator[Result]:
    counted, project = examined.cloud.quota_project(), examined.deployment.project
    mend = f"gcloud auth application-default set-quota-project {project}"
    if counted == "":
        yield Ok("no credentials are used")
    elif counted is None:
        yield Unchecked(f"your credentials name no project that calls are counted on; where one is refused: {mend}")
    elif counted != project:
        yield Fault(f"your credentials have calls counted on {counted}, and not on {project}", mend)
    else:
        yield Ok(f"your calls are counted on {project}")


check = Check("yourself", "roles/browser on the project", _items, needs_output=False)

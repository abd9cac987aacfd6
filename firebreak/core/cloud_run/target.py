"""The Cloud Run workload a finding is about, read from its full resource name and never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from firebreak.core.cloud_run.service_account import project_of
from firebreak.core.secrets.redaction import safe
from firebreak.core.storage_names import Stored

Kind = Literal["service", "job", "worker_pool", "instance", "service_account"]

RUN_HOST = "//run.googleapis.com/"
_LONGEST = 300
_TWINS = {
    "container.googleapis.com": "a GKE workload (Container Threat Detection)",
    "aiplatform.googleapis.com": "an Agent Engine workload (Agent Engine Threat Detection)",
}
_KINDS: dict[str, Kind] = {"services": "service", "jobs": "job", "workerPools": "worker_pool", "instances": "instance"}
_COLLECTIONS = {kind: collection for collection, kind in _KINDS.items()}
_BELOW = {"service": {"revisions"}, "worker_pool": {"revisions"}, "job": {"executions"}, "instance": set[str]()}
# What Google allows in a project (with a domain), a region or a workload name; no slash, no escape, no "..".
_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_:-]|\.(?!\.)){0,127}")


@dataclass(frozen=True, slots=True)
class Target(Stored):
    """A workload in one project and region, or a service account that a workload runs as (no finding names one).

    Attributes:
        project: as the finding spells it: an id or a number.
        location: region, such as `europe-west1`; `global` for a service account.
        kind: which kind of resource this is.
        name: short name of the workload; the email address of a service account.
        revision: short name of the revision that the finding names; None where it names none.
        execution: short name of the job's execution that the finding names; None where it names none.
        project_id: None where it is not known.
        project_number: None where it is not known.
        also: how else the finding spells the project, where nothing says whether that is the same one; empty if it
            does not.
    """

    project: str
    location: str
    kind: Kind
    name: str
    revision: str | None = None
    execution: str | None = None
    project_id: str | None = None
    project_number: str | None = None
    also: str = ""

    @property
    def resource(self) -> str:
        """The name as its API takes it: `projects/P/locations/L/services/S`, `projects/P/serviceAccounts/EMAIL`."""
        if self.kind == "service_account":
            return f"projects/{self.project}/serviceAccounts/{self.name}"
        return f"projects/{self.project}/locations/{self.location}/{_COLLECTIONS[self.kind]}/{self.name}"

    @property
    def key(self) -> str:
        """One spelling for one workload, whichever way a finding names its project; an account's address is its own."""
        if self.kind == "service_account":
            return f"service_account/{self.name}"
        project = self.project_id or self.project
        return f"{project}/{self.location}/{self.kind}/{self.name}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that this workload may have been kept under, its own first."""
        others = (replace(self, project=one, project_id=None).key for one in sorted(self.project_spellings))
        return tuple(dict.fromkeys((self.key, *others)))

    @property
    def named(self) -> frozenset[str]:
        """The revision or execution that is named, if one is."""
        return frozenset(filter(None, (self.revision, self.execution)))

    @property
    def project_spellings(self) -> frozenset[str]:
        """Every way this project may be written: as named, by id, by number."""
        return frozenset(filter(None, (self.project, self.project_id, self.project_number)))

    @property
    def place(self) -> str:
        """Which of several resources this is, for a sentence: an account by its name, a workload by its region."""
        return self.name if self.kind == "service_account" else self.location

    def in_region(self, region: str) -> Target:
        """The service of the same name in another region."""
        return replace(self, location=region, revision=None, execution=None)

    def account(self, email: str) -> Target:
        """The service account of that address: in the project that its address names, else in this one's own."""
        project = project_of(email)
        if project is None or project in self.project_spellings:
            own = self.project_id or self.project
            return Target(own, "global", "service_account", email, None, None, self.project_id, self.project_number)
        id_, number = (None, project) if project.isdigit() else (project, None)
        return Target(project, "global", "service_account", email, project_id=id_, project_number=number)

    def same_workload(self, other: Target) -> bool:
        """Whether both name one workload; revision and execution may differ."""
        return bool(self.project_spellings & other.project_spellings) and (
            (self.location, self.kind, self.name) == (other.location, other.kind, other.name)
        )

    def may_be(self, other: Target) -> bool:
        """Whether both may name one workload: nothing says that their projects differ."""
        ids, numbers = {self.project_id, other.project_id}, {self.project_number, other.project_number}
        differ = (None not in ids and len(ids) > 1) or (None not in numbers and len(numbers) > 1)
        return not differ and (self.location, self.kind, self.name) == (other.location, other.kind, other.name)


@dataclass(frozen=True, slots=True)
class NotATarget(Stored):
    """Why a resource name is not a Cloud Run workload that Firebreak can act on.

    `name` is what could not be read of `run.googleapis.com`, for people to look at; empty for what lies elsewhere.
    """

    reason: str
    name: str = ""


def parse_resource(name: str, project_id: str | None = None, project_number: str | None = None) -> Target | NotATarget:
    """Read a full resource name such as `//run.googleapis.com/projects/P/locations/L/services/S/revisions/R`."""
    if not name.startswith(RUN_HOST):
        return _elsewhere(name)
    found = _parts_of(name, project_id, project_number)
    return NotATarget(found, safe(name, _LONGEST)) if isinstance(found, str) else found


def _parts_of(name: str, project_id: str | None, project_number: str | None) -> Target | str:
    """The target as the name has it, or why it is none.

    With both spellings of the project, but only where one of them is the one that the name carries.
    """
    parts = name[len(RUN_HOST) :].split("/")
    if not all(_SEGMENT.fullmatch(part) for part in parts):
        return "the resource name has a part that no Cloud Run resource can have"
    pairs = dict(zip(parts[::2], parts[1::2], strict=False))
    if len(parts) % 2 or list(pairs)[:2] != ["projects", "locations"] or len(pairs) * 2 != len(parts):
        return "the resource name does not read projects/…/locations/…/KIND/NAME"
    levels = list(pairs)[2:]
    if not levels or levels[0] not in _KINDS or not _known_below(_KINDS[levels[0]], levels[1:]):
        return "the resource is not a service, job, worker pool or instance of Cloud Run"
    project = pairs["projects"]
    if project not in (project_id, project_number):
        project_id, project_number = (None, project) if project.isdigit() else (project, None)
    return Target(
        project=project,
        location=pairs["locations"],
        kind=_KINDS[levels[0]],
        name=pairs[levels[0]],
        revision=pairs.get("revisions"),
        execution=pairs.get("executions"),
        project_id=project_id,
        project_number=project_number,
    )


def _known_below(kind: Kind, levels: list[str]) -> bool:
    if not levels:
        return True
    return levels[0] in _BELOW[kind] and levels[1:] in ([], ["tasks"] if kind == "job" else [])


def _elsewhere(name: str) -> NotATarget:
    host = name.removeprefix("//").partition("/")[0]
    if host.lower() == RUN_HOST.strip("/"):
        return NotATarget("the resource name does not read //run.googleapis.com/…", safe(name, _LONGEST))
    if host in _TWINS:
        return NotATarget(f"the resource is {_TWINS[host]}, not Cloud Run")
    return NotATarget("the resource is not on run.googleapis.com" if name else "the finding names no resource")

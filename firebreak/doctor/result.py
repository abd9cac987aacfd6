"""What a check found: each result is about one thing, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from firebreak.doctor.deployment import Deployment
from firebreak.ledger.ledger import Ledger
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection

APPLY = "terraform -chdir=../firebreak-deployment apply"
"""The line that mends what Terraform made and somebody changed."""


@dataclass(frozen=True, slots=True)
class Ok:
    """It is as it should be."""

    says: str


@dataclass(frozen=True, slots=True)
class Fault:
    """It is not; `mend` is the line to type, or where there is none what to do."""

    says: str
    mend: str


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Nobody knows. `role`, if any, is what whoever asked lacks, with where it would have to be granted."""

    says: str
    role: str = ""


Result = Ok | Fault | Unchecked


@dataclass(frozen=True, slots=True)
class Examined:
    """What is looked at, and with what.

    Attributes:
        deployment: how it should be.
        cloud: how it is.
        ledger: opened on the first use; raises Transient where there is none.
        now_ns: nanoseconds since 1970.
        places: projects and folders that were asked about beside those that are granted: `projects/P`, `folders/N`.
    """

    deployment: Deployment
    cloud: Inspection
    ledger: Callable[[], Ledger]
    now_ns: int
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at: `what` names it, `look` reads it, and yields what it found."""

    what: str
    look: Callable[[Deadline], Iterable[Result]]


@dataclass(frozen=True, slots=True)
class Check:
    """A subject.

    Attributes:
        about: its heading.
        role: what whoever asks needs for it, with where: `roles/pubsub.viewer on the project`.
        items: each thing that it looks at; they are looked at side by side.
        needs_output: whether it knows how things should be from Terraform's output alone.
    """

    about: str
    role: str
    items: Callable[[Examined], Iterable[Item]]
    needs_output: bool = True


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found."""

    check: str
    about: str
    results: tuple[Result, ...]

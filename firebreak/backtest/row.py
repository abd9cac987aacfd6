"""What is kept of a decided finding until all are in the order of their time: a few hundred bytes of JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from firebreak.backtest.course import Course
from firebreak.backtest.deciding import Rules, Shadow, Verdict, evidence_of, is_of_today, is_protected, verdict_on
from firebreak.backtest.drawn import labels_of
from firebreak.backtest.past import Past
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Plan
from firebreak.core.containment.slots import written_targets

Spelled = Sequence[str | None]
"""Project, location, kind, name, id and number of the project, as a Target has them."""
_OWNERS = ("owner", "team")


class Decided(NamedTuple):
    """What one set of policies decides about one finding by itself.

    Attributes:
        policy: empty where nothing is decided, as the modes are.
        wanted: the mode that the policies ask for.
        mode: the mode that the guards leave.
        caps: the guards that had a reason.
        waits: sources on which it hangs.
        move: what follows.
        lacks: which settings were not recorded.
        closes: each setting that the plan writes, with its value, as digests; None where no plan was drawn.
        targets: what is written, spelled as `Row.spelled`.
        alone: where something stood there then, what differs (by the names of these) if nothing had; else None.
        clauses: how each clause of each policy about its category went.
        shadow: what would have been decided with each policy in force that is in shadow.
        aside: why nothing is decided, in the same few words for all; empty where something is.
    """

    policy: str
    wanted: str
    mode: str
    caps: Sequence[str] = ()
    waits: Sequence[str] = ()
    move: str = ""
    lacks: str = ""
    closes: Sequence[str] | None = None
    targets: Sequence[Spelled] = ()
    alone: Mapping[str, Any] | None = None
    clauses: str = ""
    shadow: Sequence[Shadow] = ()
    aside: str = ""

    @property
    def outcome(self) -> tuple[str, str]:
        """What has to differ for a finding to count as changed."""
        return self.policy, self.mode


class Row(NamedTuple):
    """One finding: when, what, where, what people found it to be, and what each set of policies decides.

    Attributes:
        at_ns: when it was taken up, nanoseconds since 1970.
        id: of its event, as incidents are named.
        finding: source and id in SCC, which all events of it share.
        incident: the recorded incident; empty where there is none.
        updated_ns: when that record was written.
        category: what was found.
        project: id or number of the project, empty where the workload is unknown.
        workload: `project/location/kind/name`, empty where it is unknown.
        spelled: the workload once more; empty where it is unknown.
        owner: who the labels, else the finding's contacts, name.
        protected: whether firebreak.yaml is known to protect it.
        closed_as: what people found it to be.
        settled: whether today's state in SCC was put aside.
        unverified: whether the record's seal was not verified when it was pulled.
        of_today: whether its files were judged by what VirusTotal says today.
        told: what became of it, as a `Course` has it.
        sets: what each set of policies decides, in the order in which they were given.
    """

    at_ns: int
    id: str
    finding: str
    incident: str
    updated_ns: int
    category: str
    project: str
    workload: str
    spelled: Spelled
    owner: str
    protected: bool
    closed_as: str
    settled: bool
    unverified: bool
    of_today: bool
    told: Sequence[Any]
    sets: tuple[Decided, ...]

    @property
    def target(self) -> Target | None:
        """The workload, as limits compare it."""
        if not self.workload:
            return None
        return target_of(self.spelled)

    @property
    def course(self) -> Course:
        """What became of it."""
        return Course(*self.told)

    @property
    def text(self) -> str:
        """As JSON, for keeping."""
        return _ENCODER(self)


_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def row_from(text: str) -> Row:
    """The row again."""
    *own, sets = json.loads(text)
    return Row._make((*own, tuple(map(Decided._make, sets))))


def target_of(spelled: Spelled) -> Target:
    """The target again, as limits compare it."""
    project, location, kind, name, id_, number = spelled
    return Target(project or "", location or "", kind, name or "", project_id=id_, project_number=number)  # type: ignore[arg-type]  # as it was taken from one


def _spelled(target: Target) -> Spelled:
    return (target.project, target.location, target.kind, target.name, target.project_id, target.project_number)


def row_of(past: Past, sets: tuple[Rules, ...]) -> Row:
    """Decide about one finding by each set."""
    finding, first = past.finding, sets[0]
    target = finding.target if isinstance(finding.target, Target) else None
    recorded = past.evidence.get("workload")
    labels = labels_of(evidence_of(past, first)) if recorded or first.assumed.facts else None
    return Row(
        at_ns=past.at_ns,
        id=finding.incident_id,
        finding=f"{finding.name.source}/{finding.name.finding}",
        incident=past.incident,
        updated_ns=past.updated_ns,
        category=finding.category,
        project=(target.project_id or target.project) if target else "",
        workload=target.key if target else "",
        spelled=_spelled(target) if target else (),
        owner=next((labels[one] for one in _OWNERS if labels and one in labels), next(iter(finding.contacts), "")),
        protected=is_protected(finding, labels, first.policies),
        closed_as=past.closed_as,
        settled=past.settled_later,
        unverified=past.unverified,
        of_today=first.reports is not None and is_of_today(past, first),
        told=past.course,
        sets=tuple(_decided(verdict_on(past, one)) for one in sets),
    )


def _decided(verdict: Verdict) -> Decided:
    return Decided(
        verdict.policy or "",
        verdict.wanted.word if verdict.wanted else "",
        verdict.mode.word if verdict.mode else "",
        tuple(dict.fromkeys(cap.name for cap in verdict.caps)),
        verdict.waits,
        verdict.move if verdict.policy else "",
        verdict.lacks,
        None if verdict.plan is None else _closes(verdict.plan),
        tuple(map(_spelled, written_targets(verdict.plan))) if verdict.plan else (),
        _alone(verdict.alone) if verdict.alone else None,
        verdict.clauses,
        verdict.shadow,
        verdict.aside,
    )


def _alone(verdict: Verdict) -> dict[str, Any]:
    decided = _decided(verdict)
    return {name: getattr(decided, name) for name in ("mode", "caps", "move", "lacks", "closes", "targets")}


def _closes(plan: Plan) -> tuple[str, ...]:
    """Digests that are the same for the same value of the same setting of the same target."""
    written = (f"{one.target.key} {key}={value}" for one in plan.changes for key, value in one.after.items())
    return tuple(hashlib.blake2b(one.encode(), digest_size=6).hexdigest() for one in written)

"""What Firebreak did in a span of time, in figures, from the ledger's incidents alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import SUCCESS
from firebreak.core.incidents.incident import Incident
from firebreak.core.reports.answers import FALSE, Answers, Judged, answers_json, answers_of, said_in, traits_of
from firebreak.core.timestamps import NANOS, format_instant

_TOP = 10
_ASKS, _CONTAINED = "asks a person: ", "contained by "
"""How the history's lines begin that tell of these two."""
_ANSWERS = ("approved ", "rejected", "closed")


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in seconds: of so many, half took no longer than `median`, nine in ten than `p90`."""

    count: int
    least: float | None = None
    median: float | None = None
    p90: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class OfPolicy:
    """What a policy's decisions came to.

    Attributes:
        policy: its name.
        contained: how many were contained.
        false: how many of these people called false.
        answers: what people made of all that it decided.
    """

    policy: str
    contained: int
    false: int
    answers: Answers


@dataclass(frozen=True, slots=True)
class Report:
    """The figures.

    Attributes:
        since_ns: nanoseconds since 1970; what happened before is not counted.
        until_ns: when they were made, or until when incidents are counted, nanoseconds since 1970.
        incidents: how many began in that time.
        open: how many are open now, whenever they began.
        waiting: how many of these wait for an answer now.
        phases: phase to how many of those that began are in it now.
        asked: how many of those that began a person was asked about.
        enforced: how many of those that began were contained, and nobody was asked before.
        approved: how many of them were contained after a person was asked.
        to_contain: from the first sight of a finding to its containment, where nobody was asked.
        to_answer: from a question to a person's answer.
        unanswered: how many ended because nobody answered.
        policies: what each policy decided, the most falsely contained first.
        workloads: `project/region/kind/name` to how many incidents began on it, the most first.
        unread: how many records could not be read, or are not believed, and are counted nowhere else.
        whole: whether all of that time was looked at; a very long ledger is looked at from its newest end.
    """

    since_ns: int
    until_ns: int
    incidents: int
    open: int
    waiting: int
    phases: Mapping[str, int]
    asked: int
    enforced: int
    approved: int
    to_contain: Times
    to_answer: Times
    unanswered: int
    policies: tuple[OfPolicy, ...]
    workloads: tuple[tuple[str, int], ...]
    unread: int = 0
    whole: bool = True


def report(
    found: Iterable[Incident],
    since_ns: int,
    until_ns: int,
    *,
    ended: bool = False,
    unread: int = 0,
    whole: bool = True,
) -> Report:
    """The figures of these incidents since a time, nanoseconds since 1970, until another, as they are now.

    What began after that counts too, unless the span has `ended`: whoever wrote it may have a clock ahead of ours.
    """
    known = tuple(found)
    began = [one for one in known if one.created_ns >= since_ns and not (ended and one.created_ns >= until_ns)]
    contained = [(one, at) for one in began if (at := _contained_ns(one)) is not None]
    alone = [(one, at) for one, at in contained if not 0 < _asked_ns(one) < at]
    return Report(
        since_ns,
        until_ns,
        len(began),
        sum(one.open for one in known),
        sum(one.phase == "waiting" for one in known),
        dict(sorted(Counter(one.phase for one in began).items())),
        sum(_asked_ns(one) > 0 for one in began),
        len(alone),
        len(contained) - len(alone),
        _times([at - one.created_ns for one, at in alone]),
        _times([took for one in began for took in _answers(one)]),
        sum(one.phase == "expired" for one in began),
        tuple(_policies(began, {one.id for one, _ in contained})),
        tuple(Counter(_workload(one) for one in began).most_common(_TOP)),
        unread,
        whole,
    )


def as_json(figures: Report) -> dict[str, Any]:
    """The figures as JSON, times in RFC 3339 and in seconds."""
    body = asdict(figures)
    since, until = format_instant(body.pop("since_ns")), format_instant(body.pop("until_ns"))
    workloads = [{"workload": name, "incidents": count} for name, count in figures.workloads]
    policies = [
        {"policy": one.policy, "contained": one.contained, "false": one.false, **answers_json(one.answers)}
        for one in figures.policies
    ]
    return {"since": since, "until": until, **body, "policies": policies, "workloads": workloads}


def _asked_ns(one: Incident) -> int:
    """When a person was first asked; 0 where nobody was."""
    return next((line.at_ns for line in one.history if line.who == "firebreak" and line.what.startswith(_ASKS)), 0)


def _contained_ns(one: Incident) -> int | None:
    """When it was first contained; None where nothing of it was ever seen in effect."""
    if not any(outcome.status == SUCCESS for outcome in one.outcomes):
        return None
    told = (line.at_ns for line in one.history if line.who == "firebreak" and line.what.startswith(_CONTAINED))
    return next(told, None)


def _answers(one: Incident) -> Iterator[int]:
    """How long each question waited for a person's answer, in nanoseconds: from when it was first put."""
    put: int | None = None
    for line in one.history:
        if line.who == "firebreak" and line.what.startswith(_ASKS):
            put = line.at_ns if put is None else put
        elif line.who != "firebreak" and put is not None and line.what.startswith(_ANSWERS):
            yield line.at_ns - put
            put = None


def _times(nanos: Sequence[int]) -> Times:
    if not nanos:
        return Times(0)
    ordered = [round(one / NANOS, 3) for one in sorted(nanos)]
    count = len(ordered)
    return Times(count, ordered[0], ordered[(count - 1) // 2], ordered[-(-count * 9 // 10) - 1], ordered[-1])


def _policies(began: Iterable[Incident], contained: AbstractSet[str]) -> Iterator[OfPolicy]:
    all_, false, judged = Counter[str](), Counter[str](), list[Judged]()
    for one in began:
        if one.decision is None or (one.decision.policy is None and one.id not in contained):
            continue
        policy = one.decision.policy or "none"
        judged.append(_judged(one, policy, one.decision.mode.word))
        all_[policy] += one.id in contained
        false[policy] += one.id in contained and one.closed_as in FALSE
    found = answers_of(judged)
    for policy in sorted(found, key=lambda one: (-false[one], -all_[one], one)):
        yield OfPolicy(policy, all_[policy], false[policy], found[policy])


def _judged(one: Incident, policy: str, mode: str) -> Judged:
    history = ((line.who, line.what) for line in one.history)
    facts = next((evidence.facts for evidence in one.evidence if evidence.source == "workload"), {})
    return Judged(policy, mode, one.closed_as, said_in(history, asked=one.question is not None), traits_of(facts))


def _workload(one: Incident) -> str:
    return one.finding.target.key if isinstance(one.finding.target, Target) else "no workload"

"""What a decision rested on beside finding, evidence and policies: kept, so that other policies can be tried on it.

Nothing is written because of it. It is bounded: of many revisions those are kept that a plan may be about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firebreak.core.actions.case import EditContext, edit_context
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.setting_names import TAG
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.canary import Canary
from firebreak.core.containment.guard_input import GuardInput, Trust
from firebreak.core.containment.observation import Around, Seen
from firebreak.core.serialization import decode, encode
from firebreak.core.storage_names import Stored

MOST_REVISIONS = 40


@dataclass(frozen=True, slots=True)
class Settings(Stored):
    """A workload as it was read, so far as plans and guards look at it; labels are among the evidence.

    Attributes:
        state: its settings; surfaces that could not be read are absent.
        revisions: those that a plan may be about; of a job, its executions.
        latest: short name of the revision that LATEST means; None where it is not known.
        effective: where traffic went: revision to percent.
        tags: where they led, by the keys of their settings, which nothing takes for the name of a secret.
        created_ns: nanoseconds since 1970; 0 where it is not known.
        updated_ns: last change of the workload itself, nanoseconds since 1970; 0 where it is not known.
        service_account: email address of its template.
        regions: regions of a multi-region service.
        unread: surface to the reason why its settings could not be read.
        uid: Google's own identity of the resource.
        left_out: how many revisions are not among `revisions`.
    """

    state: Mapping[str, Setting]
    revisions: tuple[Revision, ...]
    latest: str | None
    effective: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_ns: int = 0
    updated_ns: int = 0
    service_account: str = ""
    regions: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    uid: str = ""
    left_out: int = 0

    def workload(self, target: Target, labels: Mapping[str, str]) -> Workload:
        """As it was read."""
        return Workload(
            target,
            self.state,
            {},
            self.revisions,
            self.latest,
            self.effective,
            {key.removeprefix(TAG): name for key, name in self.tags.items()},
            settled=True,
            created_ns=self.created_ns,
            updated_ns=self.updated_ns,
            labels=labels,
            service_account=self.service_account,
            regions=self.regions,
            unread=self.unread,
            uid=self.uid,
        )


@dataclass(frozen=True, slots=True)
class Looked(Stored):
    """One target as it was looked at.

    Attributes:
        target: the target.
        standing: what stood on it; None where its record could not be believed.
        settings: None where they could not be read.
        suspicion: the suspects there; None where the settings could not be read.
        held: suspects of other incidents there.
        disputed: revision to what other incidents have against it.
        unsupported: `key=value` settings that the API has refused.
        fault: why something of it is None, as a sentence.
        gone: whether it does not exist.
        away: whether it might have answered the next time.
    """

    target: Target
    standing: Standing | None
    settings: Settings | None = None
    suspicion: Suspicion | None = None
    held: frozenset[str] = frozenset()
    disputed: Mapping[str, str] = field(default_factory=dict)
    unsupported: frozenset[str] = frozenset()
    fault: str = ""
    gone: bool = False
    away: bool = False

    @property
    def as_before(self) -> Looked:
        """The target with the settings from before Firebreak's first write, and nothing that stands."""
        standing, settings = self.standing, self.settings
        if standing is None or settings is None or not standing.holds:
            return self
        open_ = replace(
            settings,
            state=standing.origin,
            effective={},
            tags={},
            updated_ns=standing.origin_changed_ns or 0,
        )
        return replace(self, standing=standing.without_holds(standing.released_ns), settings=open_, held=frozenset())

    def seen(self, labels: Mapping[str, str]) -> Seen:
        """As it was seen, with these labels."""
        target, workload, case = self.target, None, None
        if self.settings is not None:
            workload = self.settings.workload(target, labels)
        if workload is not None and self.suspicion is not None:
            case = edit_context(target, self.suspicion, workload, self.unsupported)
            case = replace(case, held=self.held, disputed=self.disputed)
        return Seen(target, workload, case, self.standing, self.fault, gone=self.gone, away=self.away)


@dataclass(frozen=True, slots=True)
class RestedOn(Stored):
    """What guards looked at.

    Attributes:
        seen: the finding's own target, then its service in other regions and the accounts that suspects run as.
        trust: how SCC's word compared with what the message told.
        trust_reason: why it was not confirmed, as a sentence.
        own: full resource names of Firebreak's own services.
        now_ns: when it was decided, nanoseconds since 1970.
        age_ns: how old the newest event was when Firebreak first saw it.
        contained_before: whether an earlier plan of the incident was carried out and stood.
        unread_regions: why the service could not be read in other regions, one sentence for each.
        users: service account that would be disabled to the workloads that also ran as it.
        away: what could not be reached for so long that it was not waited for any more.
        uids: key of a target to the uid of the resource that the incident is about.
        unvouched: refuges of which it was not known whether SCC holds a threat on them.
        canary: what the ledger had of a drill's canary with the uid of the finding's own target.
    """

    seen: tuple[Looked, ...]
    trust: Trust
    trust_reason: str
    own: tuple[str, ...] = ()
    now_ns: int = 0
    age_ns: int = 0
    contained_before: bool = False
    unread_regions: tuple[str, ...] = ()
    users: Mapping[str, Users] = field(default_factory=dict)
    away: tuple[str, ...] = ()
    uids: Mapping[str, str] = field(default_factory=dict)
    unvouched: tuple[str, ...] = ()
    canary: Canary | None = None

    @property
    def stood(self) -> bool:
        """Whether something that Firebreak had closed stood on any target."""
        return any(one.standing and one.standing.holds for one in self.seen)

    @property
    def as_before(self) -> RestedOn:
        """As if nothing of it had been closed: each target's settings are its origin."""
        return replace(self, seen=tuple(one.as_before for one in self.seen), contained_before=False)

    def around(self, labels: Mapping[str, str]) -> Around:
        """Everything that was seen; the labels are those of the finding's own target."""
        own, *others = self.seen
        seen = (own.seen(labels), *(one.seen({}) for one in others))
        return Around(seen, self.unread_regions, own.fault if own.gone else "", self.unvouched)


def rested_on(given: GuardInput, seen: tuple[Seen, ...]) -> dict[str, Any]:
    """As JSON, for the record."""
    value: dict[str, Any] = encode(
        RestedOn(
            seen=tuple(map(_looked, seen)),
            trust=given.trust,
            trust_reason=given.trust_reason,
            own=given.own,
            now_ns=given.now_ns,
            age_ns=given.age_ns,
            contained_before=given.contained_before,
            unread_regions=given.unread_regions,
            users=given.users,
            away=given.away,
            uids=given.uids,
            unvouched=given.unvouched,
            canary=given.canary,
        )
    )
    return value


def read_rested_on(value: object) -> RestedOn:
    """What was kept; raises Unreadable."""
    return decode(RestedOn, value)


def _looked(seen: Seen) -> Looked:
    standing, case = seen.standing, seen.case
    if standing is not None:
        standing = replace(standing, floors={}, etag="", place=None)
    kept = Looked(seen.target, standing, fault=seen.fault, gone=seen.gone, away=seen.away)
    if seen.workload is None:
        return kept
    kept = replace(kept, settings=_settings(seen.workload, case))
    if case is None:
        return kept
    return replace(kept, suspicion=case.suspicion, held=case.held, disputed=case.disputed, unsupported=case.unsupported)


def _settings(workload: Workload, case: EditContext | None) -> Settings:
    revisions = _kept(workload, case)
    return Settings(
        workload.state,
        revisions,
        workload.latest,
        workload.effective,
        {f"{TAG}{tag}": name for tag, name in workload.effective_tags.items()},
        workload.created_ns,
        workload.updated_ns,
        workload.service_account,
        workload.regions,
        workload.unread,
        workload.uid,
        len(workload.revisions) - len(revisions),
    )


def _kept(workload: Workload, case: EditContext | None) -> tuple[Revision, ...]:
    """What can be reached and what anybody suspects, then what it could go back to, the newest first."""
    if len(workload.revisions) <= MOST_REVISIONS:
        return workload.revisions
    suspects = case.suspects if case else frozenset[str]()
    named = {*workload.reachable, *suspects, *(case.disputed if case else ()), workload.latest}
    first = min((one.created_ns for one in workload.revisions if one.name in suspects), default=0)
    ranked = sorted(
        workload.revisions,
        key=lambda one: (one.name in named, one.created_ns < first, one.created_ns),
        reverse=True,
    )
    kept = {one.name for one in ranked[:MOST_REVISIONS]}
    return tuple(one for one in workload.revisions if one.name in kept)

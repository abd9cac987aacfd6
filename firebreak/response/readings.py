"""What was read in one turn of work, and let through on it: it counts for two seconds at most, and not past a write."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.gate import Ruling
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.containment.review import Drift
from firebreak.core.errors import Drifted, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.earlier import Suspicions
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.triage import lies_elsewhere
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Document
from firebreak.ledger.marks import known_as
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

CLOUD_RUN, WRITES = "Cloud Run", "Google's quota of writes"
ACCOUNTS = "IAM's service accounts"
"""Which may be away while IAM's policies of workloads answer."""
FRESH_SECONDS = 2.0
SETTLE_SECONDS = 20.0
"""How long Cloud Run may take until what serves is what was written."""
PATIENCE_NS = 600 * NANOS
"""How long what is away is waited for, before a person is asked without it."""
_OTHERS = 500
_MOST_LOST = 4
T = TypeVar("T")


def keeper_of(target: Target) -> str:
    """Who answers for a target's settings, by the name under which it is waited for."""
    return ACCOUNTS if target.kind == "service_account" else CLOUD_RUN


class Away(Transient):
    """Something that the decision needs cannot be reached; `what` names it."""

    def __init__(self, what: str, why: object) -> None:
        """Keep the name, by which the incident notes since when."""
        super().__init__(f"{what} cannot be reached: {why}")
        self.what = what


@dataclass(frozen=True, slots=True)
class Pass:
    """What the gate let through: the plan, by its digest, and the uid of each target, at a moment of this process."""

    plan: str
    uids: frozenset[tuple[str, str]]
    at: float

    @classmethod
    def of(cls, ruling: Ruling, plan: Plan, seen: tuple[Seen, ...], at: float) -> Pass:
        """The pass for a plan that may go by what was seen at that moment; raises ValueError for any other ruling."""
        if ruling.word != "go":
            message = f"the gate did not let this plan through: {ruling.word}"
            raise ValueError(message)
        return cls(plan.digest, frozenset((one.target.key, one.uid) for one in seen), at)

    @property
    def is_old(self) -> bool:
        """Whether what the gate saw counts no more."""
        return time.monotonic() - self.at > FRESH_SECONDS

    def require(self, incident: Incident, change: Change, seen: Seen) -> None:
        """Raises Drifted where the change is not what was let through, here."""
        plan = incident.plan
        known = plan is not None and plan.digest == self.plan and change in plan.changes
        if not known or (change.target.key, seen.uid) not in self.uids:
            message = "the gate was asked about something else"
            raise Drifted(message)


class Readings:
    """What was read in one turn of work. A reading counts for two seconds from its answer, then it is made anew."""

    def __init__(self, app: App, incident: Incident, deadline: Deadline) -> None:
        """What the incident has waited for long enough is not waited for any more."""
        self.app = app
        self.deadline = deadline
        self._known: dict[str, tuple[float, object]] = {}
        self._written: dict[str, tuple[object, ...]] = {}
        self._lost = 0
        self.answered = set[str]()
        self.given_up = set[str]()
        self.threatened: dict[str, frozenset[str]] = {}
        """Key of a target to the revisions there on which SCC was found to hold a threat, asked by their names."""
        self._too_long = {what for what, since in incident.away.items() if app.now_ns() - since >= PATIENCE_NS}
        if incident.answer is not None and "unconfirmed" in incident.answer.cautions:
            self._too_long.add("SCC")  # the person who approved was told so

    def _fresh(self, key: str, read: Callable[[], T]) -> T:
        at, value = self._known.get(key, (0.0, None))
        if key in self._known and time.monotonic() - at < FRESH_SECONDS:
            return value  # type: ignore[return-value]  # what was read under this key
        found = read()
        self._known[key] = (time.monotonic(), found)
        return found

    def waits_for(self, what: str) -> bool:
        """Whether it is still waited for; where it is not, what failed is noted as given up."""
        if what in self._too_long:
            self.given_up.add(what)
        return what not in self._too_long

    def standing(self, target: Target, uid: str = "") -> tuple[Standing, Document | None]:
        """What stands there, and the version to save over, which tells whether it still is so; raises NotActedOn."""
        ledger = self.app.ledger
        found = self._fresh(f"standing {target.key}", lambda: ledger.standing(target))
        if found[0].holds or not uid:
            return found
        return self._fresh(f"standing {target.key} {uid}", lambda: ledger.standing_beside(found, uid))

    def workload_beside(self, target: Target, standing: Standing | None) -> Workload:
        """The settings, not from before what stands there was written; raises like `workload`."""
        written = (standing or Standing("")).written
        if self._written.get(target.key, Standing("").written) != written:
            self.forget(target)
        self._written[target.key] = written
        return self.workload(target)

    def confirmed_write(self, target: Target, standing: Standing) -> None:
        """What was read counts on beside what stands now, which was just saved: by it that was seen in effect."""
        self._written[target.key] = standing.written
        self.forget_standings()

    def workload(self, target: Target) -> Workload:
        """The target's settings; raises Missing, Denied, Unsupported or Transient."""
        found = self._fresh(target.key, lambda: self.app.read(target, self.deadline.sooner(15)))
        self.answered.add(keeper_of(target))
        if not found.away:
            self.answered.add("IAM")
        return found

    def users_of(self, account: Target, near: Target) -> Users:
        """Who else runs as the account, as far as it can be looked at."""
        return self._fresh(
            f"users of {account.key}", lambda: self.app.account_users.users_of(account, near, self.deadline)
        )

    def suspicions_on(self, target: Target) -> Mapping[str, Suspicions | None]:
        """What each incident about the target has against revisions; None where its record cannot be believed."""

        def read() -> dict[str, Suspicions | None]:
            found = self.app.ledger.about(target, _OTHERS)
            return {
                key: None if isinstance(one, NotActedOn) or not one.sealed else one.suspicions for key, one in found
            }

        return self._fresh(f"incidents on {sorted(target.keys)}", read)

    def known_as(self, target: Target, uid: str) -> Target:
        """The target under every spelling of its project by which this resource was read."""
        return self._fresh(f"names of {target.key} {uid}", lambda: known_as(self.app.ledger, target, uid))

    def keep(self, workload: Workload, at: float) -> None:
        """Count what another reader got at this moment of the monotonic clock."""
        self._known[workload.target.key] = (at, workload)

    def forget(self, target: Target) -> None:
        """Read it anew: something was, or may have been, written there."""
        self._known.pop(target.key, None)
        self.forget_standings()

    def forget_standings(self) -> None:
        """Read anew what stands anywhere: some of it was saved."""
        self._known = {key: one for key, one in self._known.items() if not key.startswith("standing ")}

    def finding(self, told: Finding) -> Finding | None:
        """The finding as SCC holds it under any of its names, or None; raises Transient or Refused."""
        organization = self.app.organization(told.name)
        others = tuple(one for one in told.other_names if not lies_elsewhere(one, told))
        found = self._fresh("SCC", lambda: self.app.scc.find(told.name, organization, self.deadline.sooner(10), others))
        self.answered.add("SCC")
        return found

    def forget_all(self) -> None:
        """Read everything anew."""
        self._known.clear()

    def lost_another(self) -> bool:
        """Count one more answer that was lost; whether that is enough for one turn of work."""
        self._lost += 1
        return self._lost >= _MOST_LOST

    def had_time(self, workload: Workload, backoff: Backoff) -> bool:
        """Whether what was written had all the time that it may take until it serves.

        Of one look alone, the workload's own last change tells.
        """
        if self.deadline.waits:
            return backoff.until.at < self.deadline.at
        return self.app.now_ns() - workload.updated_ns >= SETTLE_SECONDS * NANOS

    def forget_finding(self) -> None:
        """Ask SCC anew."""
        self._known.pop("SCC", None)


def impatient(app: App, incident: Incident, deadline: Deadline) -> Readings:
    """Readings that wait for nothing: what is away is a gap, which whoever looks is told of."""
    return Readings(app, replace(incident, away=dict.fromkeys(("SCC", CLOUD_RUN, "IAM"), 0)), deadline)


def note_away(held: StoredIncident, away: Away, readings: Readings) -> None:
    """Since when something is away is on the record: after ten minutes a person is asked without it."""
    ledger, now_ns = readings.app.ledger, readings.app.now_ns()
    latest = ledger.read(held.incident.id) or held
    known = {what: at for what, at in latest.incident.away.items() if what not in readings.answered - {away.what}}
    if known != latest.incident.away or away.what not in known:
        ledger.save(latest, replace(latest.incident, away={away.what: now_ns, **known}))


def note_drift(app: App, standing: Standing, teller: str, drift: Drift | None) -> None:
    """Put it on the other incidents that hold the target too, for programs alone: `teller` tells people of it."""
    topic = ("topic",) if app.settings.incidents_topic is not None else ()
    others = [one.incident for one in standing.holds if one.incident != teller] if drift or standing.drift else []
    for other in others:
        with suppress(NotActedOn, Transient):  # whoever is at work on it looks for itself
            held = app.ledger.take(other)
            if held and standing.place:
                noted = held.incident.with_drift(standing.place.key, drift)
                told = noted != held.incident  # before a death that kept `teller` from telling, it was noted already
                app.ledger.release_lease(held, noted.with_announcements(topic) if told else noted)

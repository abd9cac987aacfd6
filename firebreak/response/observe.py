"""What is so now: SCC's word, the settings of every target and what stands on each, none older than two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.context import context_elsewhere, own_context
from firebreak.core.containment.observation import Around, Seen
from firebreak.core.errors import AnotherResource, Missing, Refused, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Step
from firebreak.core.policy.triage import lies_elsewhere
from firebreak.core.timestamps import NANOS
from firebreak.ledger.marks import known_as
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.set_aside import set_aside

CLOUD_RUN = "Cloud Run"
FRESH_SECONDS = 2.0
PATIENCE_NS = 600 * NANOS
"""How long what is away is waited for, before a person is asked without it."""
_AT_ONCE = 8
_OTHERS = 500
_MOST_LOST = 4
_REMEMBERED_NS = 90 * 86_400 * NANOS
T = TypeVar("T")


class Away(Transient):
    """Something that the decision needs cannot be reached; `what` names it."""

    def __init__(self, what: str, why: object) -> None:
        """Keep the name, by which the incident notes since when."""
        super().__init__(f"{what} cannot be reached: {why}")
        self.what = what


class Readings:
    """What was read in one turn of work. A reading counts for two seconds from its answer, then it is made anew."""

    def __init__(self, app: App, incident: Incident, deadline: Deadline) -> None:
        """What the incident has waited for long enough is not waited for any more."""
        self.app = app
        self.deadline = deadline
        self._known: dict[str, tuple[float, object]] = {}
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

    def workload(self, target: Target) -> Workload:
        """The target's settings; raises Missing, Denied, Unsupported or Transient."""
        found = self._fresh(target.key, lambda: self.app.read(target, self.deadline.sooner(15)))
        self.answered.add("Cloud Run")
        if not found.away:
            self.answered.add("IAM")
        return found

    def users_of(self, account: Target, near: Target) -> Users:
        """Who else runs as the account, as far as it can be looked at."""
        return self._fresh(
            f"users of {account.key}", lambda: self.app.account_users.users_of(account, near, self.deadline)
        )

    def incidents_on(self, target: Target) -> tuple[StoredIncident | NotActedOn, ...]:
        """What the ledger has about the target, the last touched first."""
        return self._fresh(f"incidents on {target.key}", lambda: tuple(self.app.ledger.about(target, _OTHERS)))

    def known_as(self, target: Target, uid: str) -> Target:
        """The target under every spelling of its project by which this resource was read."""
        return self._fresh(f"names of {target.key} {uid}", lambda: known_as(self.app.ledger, target, uid))

    def keep(self, workload: Workload, at: float) -> None:
        """Count what another reader got at this moment of the monotonic clock."""
        self._known[workload.target.key] = (at, workload)

    def forget(self, target: Target) -> None:
        """Read it anew: something was, or may have been, written there."""
        self._known.pop(target.key, None)

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

    def forget_finding(self) -> None:
        """Ask SCC anew."""
        self._known.pop("SCC", None)


def note_away(held: StoredIncident, away: Away, readings: Readings) -> None:
    """Since when something is away is on the record: after ten minutes a person is asked without it."""
    ledger, now_ns = readings.app.ledger, readings.app.now_ns()
    latest = ledger.read(held.incident.id) or held
    known = {what: at for what, at in latest.incident.away.items() if what not in readings.answered - {away.what}}
    if known != latest.incident.away or away.what not in known:
        ledger.save(latest, replace(latest.incident, away={away.what: now_ns, **known}))


def observe(
    app: App, incident: Incident, finding: Finding, related: frozenset[str], steps: Iterable[Step], readings: Readings
) -> Around:
    """Read all that these steps may touch; raises Away where that may still answer, and Transient."""
    target = finding.target
    if isinstance(target, NotATarget):
        return Around((Seen(Target("", "", "service", ""), None, None, None, target.reason, away=True),))
    touches = _surfaces(app, steps)
    own = _see(app, incident, target, readings, lambda seen: own_context(incident, finding, *seen, related))
    if own.workload is None or own.case is None:
        return Around((own,), gone=own.fault if own.gone else "")
    workload, case = own.workload, own.case
    accounts = _accounts(workload, case) if IDENTITY in touches else ()
    regions = other_regions(workload)
    elsewhere = (*accounts, *regions)

    def one(target: Target) -> Seen:
        return _see(app, incident, target, readings, lambda seen: context_elsewhere(incident, finding, *seen, case))

    found: tuple[Seen, ...] = ()
    if elsewhere:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="observe") as pool:
            found = tuple(pool.map(one, elsewhere))
    everywhere = (own, *found)
    others = {held.document.key: held for one in everywhere for held in _incidents_on(one, readings)}
    seen = tuple(_with_disputes(incident, one, readings, others) for one in everywhere)
    for part in seen:
        if part.workload and (missing := sorted(part.workload.away & touches)) and readings.waits_for("IAM"):
            raise Away("IAM", "; ".join(part.workload.unread[surface] for surface in missing))
    unread = tuple(f"{one.target.place}{why}" for one in found if (why := _unread(one)))
    return Around(tuple(one for one in seen if not one.gone or one.target not in regions), unread)


def see_target(app: App, incident: Incident, target: Target, readings: Readings) -> Seen:
    """One target with the suspects that are on record; raises Away or Transient."""
    finding = incident.finding
    own = isinstance(finding.target, Target) and finding.target.key == target.key

    def context(seen: tuple[Workload, Standing | None]) -> EditContext:
        if own:
            return own_context(incident, finding, *seen, frozenset())
        return context_elsewhere(incident, finding, *seen, None)

    return _see(app, incident, target, readings, context)


def _see(
    app: App,
    incident: Incident,
    target: Target,
    readings: Readings,
    context: Callable[[tuple[Workload, Standing | None]], EditContext],
) -> Seen:
    """One target. What stands is read before the settings.

    Whoever comes to stand in between is noticed at the write.
    """
    standing, broken = standing_on(app, incident, target)
    try:
        workload = readings.workload(target)
    except Transient as fault:
        if readings.waits_for(CLOUD_RUN):
            raise Away(CLOUD_RUN, fault) from None
        return Seen(target, None, None, standing, str(fault), away=True)
    except Refused as fault:
        return Seen(target, None, None, standing, str(fault), gone=isinstance(fault, Missing))
    if standing is not None and not standing.holds and workload.uid:
        # Another spelling of the project may be what stands here: the resource itself tells.
        standing, broken = standing_on(app, incident, target, workload.uid)
    try:
        standing = standing and (standing if standing.uid else standing.with_uid(workload.uid, workload.created_ns))
    except AnotherResource as fault:
        standing, broken = None, str(fault)
    case = context((workload, standing)).with_suspects(readings.threatened.get(target.key, frozenset()))
    return Seen(target, workload, case, standing, broken)


def standing_on(app: App, incident: Incident, target: Target, uid: str = "") -> tuple[Standing | None, str]:
    """What stands there, or None and why it cannot be believed; raises Transient while another incident writes."""
    try:
        standing, _ = app.ledger.standing(target, uid)
    except NotActedOn as fault:
        set_aside(app, fault)
        return None, str(fault)
    if doing := standing.being_written(incident.id, app.now_ns()):
        message = f"{doing} is being written to the same target"
        raise Transient(message)
    return standing, ""


def _unread(seen: Seen) -> str:
    """Why a region has to be asked about; where nothing runs there is nothing to ask."""
    if seen.target.kind == "service_account" or seen.gone:
        return ""
    if seen.case is None:
        return f" could not be read: {seen.fault}"
    told = seen.case.own_suspects or seen.case.suspicion.rule != "unplaced"
    return "" if told else f", where it cannot be told what is suspect: {seen.case.suspicion.reason}"


def _incidents_on(seen: Seen, readings: Readings) -> tuple[StoredIncident | NotActedOn, ...]:
    """What the ledger has about what was read; of an account nobody asks what is suspect there."""
    read = seen.workload is not None and seen.case is not None and seen.target.kind != "service_account"
    return readings.incidents_on(readings.known_as(seen.target, seen.uid)) if read else ()


def _with_disputes(
    incident: Incident, seen: Seen, readings: Readings, others: Mapping[str, StoredIncident | NotActedOn]
) -> Seen:
    """What was seen, with what other incidents have against revisions there: open ones, and those found true lately.

    `others` are those about any target that was seen: one in another region has its suspects here too. One that cannot
    be read may have something against any revision of its own target.
    """
    if seen.workload is None or seen.case is None or seen.target.kind == "service_account":
        return seen
    found, doubts = dict[str, str](), dict[str, str]()
    target = readings.known_as(seen.target, seen.uid)
    here = {held.document.key for held in _incidents_on(seen, readings)}
    for key, held in others.items():
        if key == incident.id:
            continue
        if isinstance(held, NotActedOn) or not held.sealed:
            why = f"may be suspect in {key}, whose record cannot be believed"
            doubts |= {one.name: why for one in seen.workload.revisions} if key in here else {}
        elif _disputes(held.incident, target, seen.uid, readings.app.now_ns()):
            found |= dict.fromkeys(held.incident.suspects_on(target), f"is suspect in {held.incident.id}")
    return replace(seen, case=replace(seen.case, disputed={**doubts, **found}))


def _disputes(other: Incident, target: Target, uid: str, now_ns: int) -> bool:
    """Whether its suspects count here: on the very resource, for one made anew under its name is another one."""
    own = other.finding.target
    anew = isinstance(own, Target) and own.same_workload(target) and other.uid not in ("", uid)
    closed_ns = other.history[-1].at_ns if other.history else other.updated_ns  # what is under the seal tells when
    true = other.closed_as == "true_positive" and now_ns - closed_ns < _REMEMBERED_NS
    return other.believed and not anew and (other.open or true)


def other_regions(workload: Workload) -> tuple[Target, ...]:
    """The same service in its other regions; nothing for what runs in one."""
    return tuple(workload.target.in_region(one) for one in sorted(set(workload.regions) - {workload.target.location}))


def _accounts(workload: Workload, case: EditContext) -> tuple[Target, ...]:
    emails = {
        one.service_account or workload.service_account for one in case.revisions if one.name in case.suspects
    } - {""}
    return tuple(workload.target.account(email) for email in sorted(emails))


def _surfaces(app: App, steps: Iterable[Step]) -> frozenset[str]:
    """Every surface that the steps, or what takes their place, may edit."""
    return frozenset[str]().union(*(app.actions[one.action].surfaces | _surfaces(app, one.otherwise) for one in steps))

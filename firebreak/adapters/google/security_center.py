"""SCC v2: the state that SCC keeps of a finding, and the findings around it.

ListFindings gives the present state of each finding, never its history. `resource_name :` in a filter is a substring
match, so texts are quoted and equality is checked in code (securitycenter_v2.ListFindingsRequest docstring).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from google.cloud.securitycenter_v2 import types as securitycenter_v2
from google.cloud.securitycenter_v2.services.security_center import SecurityCenterClient
from google.cloud.securitycenter_v2.services.security_center.transports import SecurityCenterGrpcTransport

from firebreak.adapters.google.calls import call_write, client_of, pages_of
from firebreak.core.actions.suspects import named_revisions
from firebreak.core.cloud_run.target import RUN_HOST, Target
from firebreak.core.errors import Malformed, Missing, Refused, Transient, Unsupported
from firebreak.core.findings.finding import Finding, FindingName
from firebreak.core.findings.notification import parse_finding
from firebreak.core.findings.related import RelatedFindings
from firebreak.core.policy.triage import settled_in_scc
from firebreak.core.timestamps import format_instant
from firebreak.ports.deadline import Deadline

_MOST = 1000
_PAGE = 200
_MOST_WHOLE = 100
"""Of related findings, so many of each kind have their originals kept."""
_GRACE_SECONDS = 0.5
"""How much longer than for what makes suspects it is waited for what is only shown."""
_SILENT_SECONDS = 60.0
"""For so long a location that did not answer is not waited for once more, where another one has to."""
_Listed = tuple[list[Finding], bool]
"""Findings of one place, and whether these are all."""
_OPEN = 'state = "ACTIVE"'
"""Only what the reference of ListFindings lists; what is muted is told apart in code."""


class SecurityCenter:
    """Reads findings. Clients are made on first use, after any fork."""

    permissions = frozenset({"securitycenter.findings.list", "securitycenter.findingsecuritymarks.update"})

    def __init__(self, emulator: str | None, locations: tuple[str, ...] = ()) -> None:
        """`emulator` is `host:port` of a local SCC, or None for Google's; `locations` are those of data residency."""
        self._emulator = emulator
        self._locations = locations or ("global",)
        self._residency = frozenset(locations) - {"global"}
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()
        self._silent: dict[str, float] = {}

    def client_at(self, location: str) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        """The client of a location: under data residency each has an endpoint of its own, and no other knows of it.

        A message may name any location: only for those that are configured a client is made.
        """
        endpoint = f"securitycenter.{location}.rep.googleapis.com" if location in self._residency else ""
        with self._making:
            if endpoint not in self._clients:
                make = SecurityCenterClient
                at = partial(make, client_options={"api_endpoint": endpoint}) if endpoint else make
                self._clients[endpoint] = client_of(at, SecurityCenterGrpcTransport, self._emulator)
            return self._clients[endpoint]

    def find(
        self, name: FindingName, organization: str, deadline: Deadline, others: tuple[FindingName, ...] = ()
    ) -> Finding | None:
        """The finding in its present state, or None if SCC does not hold it; raises Refused or Transient.

        `organization` is a number. The organization is asked first, however the message spells the name, then the
        message's own container, then the other names: SCC that is activated for single projects refuses the
        organization.
        """
        own = (FindingName(container, *name.local) for container in (f"organizations/{organization}", name.container))
        places, refusals = dict.fromkeys((*own, *others)), list[Refused]()
        for place in places:
            try:
                if found := self._find(place, deadline):
                    return found
            except Refused as fault:
                refusals.append(fault)
        if len(refusals) == len(places):  # one that answers knows the finding by that name, if there is one
            raise refusals[0]
        return None

    def _find(self, place: FindingName, deadline: Deadline) -> Finding | None:
        for spelling in place.spellings:
            for page in self._pages(place, f'name = "{quoted(spelling)}"', deadline):
                if found := _match(place, _read_findings(page.list_findings_results)):
                    return found
        return None

    def related(
        self, finding: Finding, target: Target, sources: frozenset[str], window_ns: int, deadline: Deadline, place: str
    ) -> RelatedFindings:
        """Other active, unmuted findings on exactly this workload; `place` is the organization that they lie under.

        Each of these sources is asked by itself in each location, so that no other one's can crowd theirs out; of all
        others one page is read of each location, of those within `window_ns` of the event. Raises Refused or Transient
        where the finding's own location does not answer. Another one that is silent holds nothing up: SCC keeps what it
        finds on one workload in one location.
        """
        about = f'resource_name : "{quoted(_below_project(target))}" AND {_OPEN}'
        first, last = finding.event_ns - window_ns, finding.event_ns + window_ns
        near = f'event_time >= "{format_instant(first)}" AND event_time <= "{format_instant(last)}"'
        name = replace(finding.name, container=place)

        def listed(asked: FindingName) -> _Listed:
            return self._listed(asked, about, deadline, partial(_others_on, target, finding))

        def shown(asked: FindingName) -> list[Finding]:
            with suppress(Refused, Transient):
                for page in self._pages(asked, f"{about} AND {near}", deadline):
                    return _others_on(target, finding, [one for one in page.list_findings_results if not ours(one)])
            return []

        def ours(one: Any) -> bool:  # noqa: ANN401 - a result of Google's
            """Whether it is listed with those that are gone by: reading it twice would take as long again."""
            return one.finding.name.partition("/sources/")[2].partition("/")[0] in sources

        places, own = (tuple(self._everywhere(name, one)) for one in (frozenset({"-"}), sources))
        # None waits for another one to answer: a few that hang in one location would keep all others from being asked.
        pool = ThreadPoolExecutor(len(places) + len(own), thread_name_prefix="related")
        try:
            everyone = [pool.submit(shown, one) for one in places]
            asked = [(one.location, pool.submit(listed, one)) for one in own]
            allowed = [one.result() for where, one in asked if where == name.location]
            elsewhere = [(where, self._answer(where, one)) for where, one in asked if where != name.location]
            # What is only shown holds nothing up.
            seen, _ = wait(everyone, timeout=0 if None in (one for _, one in elsewhere) else _GRACE_SECONDS)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        allowed += [one for _, one in elsewhere if one]
        return RelatedFindings(
            _newest_first(one for found, _ in allowed for one in found),
            _newest_first(one for future in seen for one in future.result()),
            complete=all(complete for _, complete in allowed),
            silent=tuple(dict.fromkeys(where for where, one in elsewhere if one is None)),
        )

    def _answer(self, location: str, asked: Future[_Listed]) -> _Listed | None:
        """What another location has answered by now, or within a moment; None where it is silent, or was just now."""
        last = self._silent.get(location)
        waits = last is None or time.monotonic() - last >= _SILENT_SECONDS
        try:
            return asked.result(_GRACE_SECONDS if waits else 0)
        except (TimeoutError, Refused, Transient):
            if waits:
                self._silent[location] = time.monotonic()
            return None

    def _listed(
        self, asked: FindingName, filter_: str, deadline: Deadline, those: Callable[[Any], list[Finding]]
    ) -> _Listed:
        """Those findings of one place, and whether these are all."""
        found: list[Finding] = []
        for page in self._pages(asked, filter_, deadline):
            found += those(page.list_findings_results)
            if len(found) >= _MOST and page.next_page_token:
                return found, False
        return found, True

    def threatens(
        self, target: Target, revision: str, name: FindingName, sources: frozenset[str], deadline: Deadline
    ) -> bool:
        """Whether an active, unmuted threat of these sources names this revision; asked by its exact name.

        The container is that of `name`, the locations are all there are. Raises Refused or Transient.
        """
        spelled = sorted(replace(target, project=one).resource for one in target.project_spellings)
        named = " OR ".join(f'resource_name = "{quoted(f"{RUN_HOST}{one}/revisions/{revision}")}"' for one in spelled)
        for asked in self._everywhere(name, sources):
            for page in self._pages(asked, f"({named}) AND {_OPEN}", deadline):
                if named_revisions(_read_findings(page.list_findings_results), sources):
                    return True
        return False

    def active_since(self, organization: str, location: str, since_ns: int, deadline: Deadline) -> Iterator[Finding]:
        """Active, unmuted threats on Cloud Run of every source, updated since then, in the order of their update.

        An event's time is that of the finding's last update, but for mutes and marks, which move nothing. Read page by
        page: whoever has seen enough stops. Raises Missing, Denied or Transient.
        """
        place = FindingName(f"organizations/{organization}", "-", location, "")
        filter_ = f'{_OPEN} AND resource_name : "{RUN_HOST}" AND event_time >= "{format_instant(since_ns)}"'
        try:  # Google's own samples name the class in filters, and the reference does not
            yield from self._threats(place, f'{filter_} AND finding_class = "THREAT"', deadline)
        except Unsupported:
            yield from self._threats(place, filter_, deadline)

    def _threats(self, place: FindingName, filter_: str, deadline: Deadline) -> Iterator[Finding]:
        for page in self._pages_of(place, filter_, deadline, order_by="event_time"):
            found = _read_findings(page.list_findings_results)
            yield from (one for one in found if one.finding_class in ("THREAT", "") and settled_in_scc(one) is None)

    def mark(self, finding: Finding, marks: Mapping[str, str], deadline: Deadline) -> None:
        """Set these marks and no others; raises Missing, Denied or Transient. The canonical name is asked first."""
        names = [name for name in (finding.canonical_name, *finding.name.spellings) if name]
        mask = {"paths": [f"marks.{key}" for key in sorted(marks)]}
        for name in dict.fromkeys(names):
            request = securitycenter_v2.UpdateSecurityMarksRequest(
                security_marks=securitycenter_v2.SecurityMarks(name=f"{name}/securityMarks", marks=dict(marks)),
                update_mask=mask,
            )
            try:
                call_write(self.client_at(finding.name.location).update_security_marks, deadline, request=request)
            except (Missing, Unsupported):
                if name == names[-1]:
                    raise
                continue
            return

    def _everywhere(self, name: FindingName, sources: frozenset[str]) -> Iterator[FindingName]:
        """Where findings of these sources may be kept: the name's own location, and each that delivers."""
        for source in sorted(sources):
            for location in dict.fromkeys((name.location, *self._locations)):
                yield replace(name, source=source, location=location)

    def _pages(self, place: FindingName, filter_: str, deadline: Deadline) -> Iterator[Any]:
        """Page by page; nothing where there is no such place."""
        with suppress(Missing):
            yield from self._pages_of(place, filter_, deadline)

    def _pages_of(self, place: FindingName, filter_: str, deadline: Deadline, order_by: str = "") -> Iterator[Any]:
        """Page by page; raises Missing where no spelling of the place is known."""
        request = securitycenter_v2.ListFindingsRequest(filter=filter_, page_size=_PAGE, order_by=order_by)
        for request.parent in place.parents:
            try:
                yield from pages_of(self.client_at(place.location).list_findings, deadline, request)
            except Missing:
                if request.parent == place.parents[-1]:
                    raise
            else:
                return


def quoted(text: str) -> str:
    """Text for between the quotes of a filter: no character of it can end them."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _below_project(target: Target) -> str:
    """The part of the name that does not depend on how the project is spelled."""
    return target.resource.removeprefix(f"projects/{target.project}")


def _others_on(target: Target, finding: Finding, results: Any) -> list[Finding]:  # noqa: ANN401 - a repeated field
    same = (finding.name.source, finding.name.finding)
    return [
        one
        for one in _read_findings(results)
        if isinstance(one.target, Target)
        and one.target.same_workload(target)
        and settled_in_scc(one) is None
        and (one.name.source, one.name.finding) != same
    ]


def _newest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of the newest the originals are kept: each of hundreds is an incident of its own, and whole there."""
    found = sorted(findings, key=lambda one: one.event_ns, reverse=True)
    return (*found[:_MOST_WHOLE], *(replace(one, original=None) for one in found[_MOST_WHOLE:]))


def _match(name: FindingName, listed: Iterator[Finding]) -> Finding | None:
    return next((one for one in listed if (one.name.source, one.name.finding) == (name.source, name.finding)), None)


def _read_findings(results: Any) -> Iterator[Finding]:  # noqa: ANN401 - a repeated field of Google's
    """Each result as a Finding; one that cannot be read as such (another product's) is of no use here."""
    for result in results:
        whole = type(result).to_dict(result, preserving_proto_field_name=False, use_integers_for_enums=False)
        try:
            yield parse_finding(whole.get("finding") or {}, whole.get("resource") or {})
        except Malformed:
            continue

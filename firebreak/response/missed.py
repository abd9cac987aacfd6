"""Findings that SCC holds active and no incident answers: lost messages are found here, within one sweep."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from firebreak.core.errors import Refused
from firebreak.core.findings.finding import Finding, Notification
from firebreak.core.policy.triage import NO_ORGANIZATION, NO_POLICY, reason_to_decline
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Conflict, Document, Save, even_damaged
from firebreak.ledger.records import NotActedOn
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

Answer = Callable[[Notification], None]
_MOST_ANSWERED = 100
_FIRST_LOOK_NS = 24 * 3600 * NANOS
_OVERLAP_NS = 1800 * NANOS
"""Findings are published up to some minutes after the event that they are dated by."""


def answer_missed(app: App, answer: Answer, deadline: Deadline) -> tuple[int, bool]:
    """Answer every active finding since the last look that has no incident; how many there were, and whether all.

    Raises Transient or Refused where SCC cannot be asked. A look that was cut short goes on from where it ended, and
    without any policy there is none: what is lost meanwhile is found by the first look with one.
    """
    if not app.policies.policies:
        raise Refused(NO_POLICY)
    organization = app.policies.config.organization
    if organization is None:
        raise Refused(NO_ORGANIZATION)
    document, since = _since(app)
    began, answered = app.now_ns(), 0
    for finding in app.scc.active_since(organization, since, deadline):
        if deadline.passed or answered >= _MOST_ANSWERED:
            _remember(app, document, finding.event_ns)
            return answered, False
        if _is_unanswered(app, finding):
            answer(Notification(finding, deleted=False))
            answered += 1
    _remember(app, document, began - _OVERLAP_NS)
    return answered, True


def _is_unanswered(app: App, finding: Finding) -> bool:
    """A finding that would be declined unread leaves no record; one that has an incident is answered."""
    notification = Notification(finding, deleted=False)
    if reason_to_decline(notification, app.policies) is not None:
        return False
    if not app.ledger.knows(finding):
        return True
    with suppress(NotActedOn):
        held = app.ledger.read(app.ledger.hear(finding))
        return held is not None and held.incident.reopens
    return False


def _since(app: App) -> tuple[Document | None, int]:
    """Where the last look ended; as at the first one, which is written over it, where that cannot be so."""
    document = even_damaged(lambda: app.ledger.documents.read("sweep", "findings"))
    since = document.body.get("since_ns") if document else None
    if isinstance(since, int) and not isinstance(since, bool) and 0 <= since <= app.now_ns():
        return document, since
    return document, app.now_ns() - _FIRST_LOOK_NS


def _remember(app: App, document: Document | None, since_ns: int) -> None:
    """Where the next look begins; another sweep that got there first may say so as well."""
    with suppress(Conflict):
        app.ledger.documents.commit([Save("sweep", "findings", {"since_ns": since_ns}, over=document)])

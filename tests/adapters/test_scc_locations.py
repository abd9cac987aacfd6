"""Under data residency each location of Security Command Center has an endpoint of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from pytest_mock import MockerFixture

from firebreak.adapters.google import security_center
from firebreak.adapters.google.calls import _credentials
from firebreak.adapters.google.security_center import SecurityCenter
from firebreak.core.cloud_run.target import Target
from firebreak.core.errors import Transient
from firebreak.core.findings.finding import FindingName
from firebreak.core.findings.notification import parse_notification
from firebreak.ports.deadline import Deadline
from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2


@pytest.mark.parametrize(
    ("location", "endpoint"),
    [
        ("global", "securitycenter.googleapis.com"),
        ("eu", "securitycenter.eu.rep.googleapis.com"),
        ("somebodys", "securitycenter.googleapis.com"),
    ],
    ids=["global", "configured", "named by a message alone"],
)
def test_a_finding_is_asked_for_where_its_location_is_kept(
    mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch, location: str, endpoint: str
) -> None:
    """Whoever writes messages does not choose with whom Firebreak speaks, nor how many connections it has."""
    mocker.patch("google.auth.default", return_value=(AnonymousCredentials(), "shop"))
    monkeypatch.setattr("firebreak.adapters.google.calls._credentials", _credentials.__wrapped__)
    scc = SecurityCenter(None, ("global", "eu"))

    assert scc.client_at(location).api_endpoint == endpoint  # no call leaves this machine
    assert scc.client_at(location) is scc.client_at(location)


class HangsElsewhere(SecurityCenter):
    """One that answers in the global location alone, with nothing."""

    def __init__(self) -> None:
        super().__init__(None, ("global", "eu", "us"))
        self.over = threading.Event()
        self.gave_up: list[str] = []

    def _pages(self, place: FindingName, filter_: str, deadline: Deadline) -> Iterator[Any]:  # noqa: ARG002 - as there
        if place.location != "global":
            if not self.over.wait(3.0):
                self.gave_up.append(place.location)
            message = "no answer"
            raise Transient(message)
        yield SimpleNamespace(list_findings_results=[], next_page_token="")


def test_locations_that_hang_keep_no_source_from_being_asked_in_the_finding_s_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the number of sources and of locations: what hangs there takes no turn from anybody."""
    monkeypatch.setattr(security_center, "_GRACE_SECONDS", 0.05)
    scc = HangsElsewhere()
    finding = parse_notification(notification_v2(malicious_binary_finding(Scene()))).finding
    assert isinstance(finding.target, Target)
    sources = frozenset(map(str, range(12)))
    found = scc.related(finding, finding.target, sources, 10**9, Deadline.after(10), "organizations/123456789012")
    gave_up = list(scc.gave_up)
    scc.over.set()

    assert (found.complete, found.silent) == (True, ("eu", "us"))
    assert gave_up == []

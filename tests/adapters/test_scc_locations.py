"""Under data residency each location of Security Command Center has an endpoint of its own."""

from __future__ import annotations

import pytest
from google.auth.credentials import AnonymousCredentials
from pytest_mock import MockerFixture

from firebreak.adapters.google.calls import _credentials
from firebreak.adapters.google.security_center import SecurityCenter


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

"""Google's administrative APIs as they are really asked: where, how, and what their refusals mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from firebreak.adapters.inspection import rest
from firebreak.adapters.inspection.cloud import GoogleCloud
from firebreak.adapters.inspection.rest import Rest
from firebreak.core.errors import Denied, Missing, Perimeter, Transient
from firebreak.ports.deadline import Deadline
from firebreak.settings import read_settings

PROJECT = "//cloudresourcemanager.googleapis.com/projects/acme"


class Session:
    """Answers each request with the next of its answers, and remembers what was asked."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Any, Any]] = []

    def request(
        self, method: str, url: str, params: Mapping[str, str] | None, json: object, timeout: float
    ) -> requests.Response:
        assert 0 < timeout <= 10
        self.asked.append((method, url, params, json))
        return answered(*self.answers.pop(0))


def answered(status: int, body: object) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.reason = status, "said"
    answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()  # noqa: SLF001 - as a server's
    return answer


def asking(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, object]) -> Session:
    session = Session(*answers)
    monkeypatch.setattr(rest, "with_credentials", lambda _: session)
    return session


def cloud() -> GoogleCloud:
    return GoogleCloud(read_settings({"HOME": "/nowhere"}), ("global",), 1_790_000_000 * 10**9)


def test_each_api_is_asked_at_its_host_in_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    session = asking(monkeypatch, *[(200, {"name": "x"})] * 4)
    for name in (
        "//cloudfunctions.googleapis.com/projects/p/locations/l/functions/f",
        "//secretmanager.googleapis.com/projects/p/secrets/s/versions/latest",
        "//cloudscheduler.googleapis.com/projects/p/locations/l/jobs/j",
        f"{PROJECT}",
    ):
        cloud().get(name, Deadline.after(5))

    assert [url for _, url, _, _ in session.asked] == [
        "https://cloudfunctions.googleapis.com/v2/projects/p/locations/l/functions/f",
        "https://secretmanager.googleapis.com/v1/projects/p/secrets/s/versions/latest",
        "https://cloudscheduler.googleapis.com/v1/projects/p/locations/l/jobs/j",
        "https://cloudresourcemanager.googleapis.com/v3/projects/acme",
    ]


def test_policies_are_asked_for_as_each_api_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    session = asking(monkeypatch, *[(200, {"etag": "x", "bindings": [{"role": "r", "members": ["m"]}]})] * 3)
    asked = cloud()
    found = [
        asked.bindings(name, Deadline.after(5))
        for name in (
            PROJECT,
            "//iam.googleapis.com/projects/p/serviceAccounts/a@p.iam.gserviceaccount.com",
            "//secretmanager.googleapis.com/projects/p/secrets/s",
        )
    ]
    version = {"options.requestedPolicyVersion": "3"}

    assert found == [({"role": "r", "members": ["m"]},)] * 3
    assert [(method, params, body) for method, _, params, body in session.asked] == [
        ("POST", None, {"options": {"requestedPolicyVersion": 3}}),
        ("POST", version, {}),
        ("GET", version, None),
    ]
    assert all(url.endswith(":getIamPolicy") for _, url, _, _ in session.asked)


def test_a_list_is_read_to_its_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    session = asking(
        monkeypatch, (200, {"services": [{"name": "a"}], "nextPageToken": "more"}), (200, {"services": [{"name": "b"}]})
    )
    found = cloud().listed("//serviceusage.googleapis.com/projects/p/services", Deadline.after(5))

    assert [one["name"] for one in found] == ["a", "b"]
    assert [params.get("pageToken") for _, _, params, _ in session.asked] == [None, "more"]


def test_figures_are_the_highest_of_each_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    series = [
        {"resource": {"labels": {"subscription_id": "a"}}, "points": [{"value": {"int64Value": "3"}}, {"value": {}}]},
        {"resource": {"labels": {"subscription_id": "b"}}, "points": [{"value": {"doubleValue": 0.0}}]},
        {"resource": {"labels": {"subscription_id": "c"}}},
    ]
    session = asking(monkeypatch, (200, {"timeSeries": series}))
    found = cloud().highest("acme", 'metric.type="m"', 600, Deadline.after(5))

    assert found == {"a": 3.0, "b": 0.0}
    assert session.asked[0][2]["interval.startTime"] == "2026-09-21T14:03:20Z"
    assert session.asked[0][2]["interval.endTime"] == "2026-09-21T14:13:20Z"


@pytest.mark.parametrize(
    ("status", "message", "means"),
    [
        (404, "no such thing", Missing),
        (403, "The caller does not have permission", Denied),
        (403, "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x", Perimeter),
        (429, "quota", Transient),
        (503, "later", Transient),
        (401, "log in", Transient),
    ],
)
def test_a_refusal_is_what_it_means_with_google_s_own_words(
    monkeypatch: pytest.MonkeyPatch, status: int, message: str, means: type[Exception]
) -> None:
    asking(monkeypatch, *[(status, {"error": {"code": status, "message": message}})] * 9)
    with pytest.raises(means) as caught:
        Rest(None).get(PROJECT, Deadline.after(0.3))

    assert type(caught.value) is means or means is Transient
    assert message.split(".", maxsplit=1)[0] in str(caught.value)
    assert "https://" not in str(caught.value)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_what_is_no_object_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    asking(monkeypatch, (200, body), (200, {"name": "x"}))

    assert Rest(None).get(PROJECT, Deadline.after(5)) == {"name": "x"}


def test_a_resource_in_which_nothing_is_set_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there is a refusal; so nothing is said of it, as if a setting were off. A list may be empty."""
    asking(monkeypatch, (200, {}), (200, {"state": "ENABLED"}), *[(200, {})] * 9)
    asked = cloud()

    assert asked.get(PROJECT, Deadline.after(5)) == {"state": "ENABLED"}
    assert asked.listed("//serviceusage.googleapis.com/projects/p/services", Deadline.after(5)) == ()
    with pytest.raises(Transient):
        asked.get(PROJECT, Deadline.after(0.3))

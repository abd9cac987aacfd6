"""The local Cloud Logging, asked by Google's own client: by the book or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport

from sandbox.server import Sandbox
from sandbox.world import World

SERVICE = "projects/shop-prod/locations/europe-west1/services/checkout"
WORLD = {
    "projects": {"shop-prod": {"number": "424242424242"}, "other": {"number": "1"}},
    "logs": [
        {"of": SERVICE, "at": "2026-10-01T10:00:00+00:00", "revision": "r2", "text": "first"},
        {"of": SERVICE, "at": "2026-10-01T10:00:01+00:00", "severity": "ERROR", "json": {"message": "second"}},
        {"of": SERVICE, "at": "2026-10-01T10:00:02+00:00", "log": "requests", "text": 'a "quoted" one'},
        {"of": SERVICE.replace("shop-prod", "other"), "at": "2026-10-01T10:00:00+00:00", "text": "elsewhere"},
        {"of": SERVICE.replace("services", "jobs"), "at": "2026-10-01T10:00:00+00:00", "execution": "e1", "text": "j"},
    ],
}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with Sandbox(World.load(WORLD)) as sandbox:
        channel = grpc.insecure_channel(sandbox.environment()["LOGGING_EMULATOR_HOST"])
        yield LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))


def texts(client: Any, filter_: str, **more: Any) -> list[str]:
    asked = {"resource_names": ["projects/shop-prod"], "filter": filter_, **more}
    return [one.text_payload or dict(one.json_payload)["message"] for one in client.list_log_entries(request=asked)]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('resource.type="cloud_run_revision"', ["first", "second", 'a "quoted" one']),
        ('resource.labels.service_name="CHECKOUT" AND severity>="WARNING"', ["second"]),
        ('resource.labels.revision_name="r2"', ["first"]),
        ('timestamp>"2026-10-01T10:00:00Z" AND timestamp<="2026-10-01T10:00:01.000Z"', ["second"]),
        ('logName="projects/shop-prod/logs/run.googleapis.com%2Frequests"', ['a "quoted" one']),
        ('textPayload="a \\"quoted\\" one"', ['a "quoted" one']),
        ('labels."run.googleapis.com/execution_name"="e1"', ["j"]),
        ('resource.type="cloud_run_revision" AND severity!="DEFAULT"', ["second"]),
        ('resource.labels.service_name="check"', []),
        ('resource.labels.service_name:"CHECK" severity=ERROR', ["second"]),
        ('textPayload="first" OR jsonPayload.message="second" AND severity=ERROR', ["second"]),
        ('NOT severity=ERROR AND NOT textPayload:"quoted" AND resource.type="cloud_run_revision"', ["first"]),
        ('textPayload=("first" OR "nothing") severity!=ERROR', ["first"]),
        ("jsonPayload.message:*", ["second"]),
        ('NOT (textPayload:* AND severity<"ERROR")', ["second"]),
    ],
)
def test_entries_are_found_by_what_they_say(client: Any, filter_: str, found: list[str]) -> None:
    """By equality without regard to case, by time and severity in order; NOT binds tightest, and OR before AND."""
    assert texts(client, filter_) == found


def test_the_project_may_be_spelt_by_number_and_the_order_turned(client: Any) -> None:
    """As in the real one."""
    asked = {"resource_names": ["projects/424242424242"], "order_by": "timestamp desc"}

    assert texts(client, 'resource.type="cloud_run_revision"', **asked) == ['a "quoted" one', "second", "first"]


def test_pages_add_up_and_their_tokens_are_good_for_the_same_question_alone(client: Any) -> None:
    """A token of one query continues no other."""
    pages = list(client.list_log_entries(request={"resource_names": ["projects/shop-prod"], "page_size": 3}).pages)
    token = pages[0].next_page_token

    assert [len(page.entries) for page in pages] == [3, 1]
    with pytest.raises(exceptions.InvalidArgument, match="page_token"):
        texts(client, 'severity="ERROR"', page_token=token)


@pytest.mark.parametrize(
    "filter_",
    [
        "hello",
        'severity="BAD"',
        'timestamp="yesterday"',
        'resource.labels.service_name>="x"',
        'unknown.field="x"',
        'resource.type="x"y"',
        'resource.type="x" and resource.type="y"',
        'resource.type="x" AND',
        '(resource.type="x"',
        'resource.type="x")',
        "severity:ERROR",
        'jsonPayload.seconds>"soon"',
        "OR",
        'textPayload="' + "x" * 20_000 + '"',
    ],
)
def test_what_is_not_known_here_is_refused(client: Any, filter_: str) -> None:
    """So that a query which works here was written by the book."""
    with pytest.raises(exceptions.InvalidArgument):
        texts(client, filter_)


@pytest.mark.parametrize(
    "more",
    [{"resource_names": []}, {"resource_names": ["shop-prod"]}, {"order_by": "severity"}, {"page_size": 1001}],
)
def test_what_the_real_one_rejects_is_refused(client: Any, more: dict[str, Any]) -> None:
    """Names, order and page size."""
    with pytest.raises(exceptions.InvalidArgument):
        texts(client, "", **more)

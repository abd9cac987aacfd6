"""Google's cloud as it is, by full resource names: its own clients where they are at hand, else its REST APIs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from google.cloud import iam_admin_v1, run_v2
from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import ListLogEntriesRequest
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from firebreak.adapters.google.calls import call_read, client_of, pages_of, quota_project, translate_errors
from firebreak.adapters.google.cloud_logging import json_of
from firebreak.adapters.google.originals import message_json, policy_json
from firebreak.adapters.google.security_center import SecurityCenter
from firebreak.adapters.inspection.bucket import Buckets
from firebreak.adapters.inspection.firestore import LedgerAdmin
from firebreak.adapters.inspection.rest import Rest
from firebreak.core.findings.finding import Finding
from firebreak.core.timestamps import NANOS, format_instant
from firebreak.ports.deadline import Deadline
from firebreak.settings import Settings

_ATTEMPT_SECONDS = 10.0
_MOST_PAGES = 5
_POLICY = {"options": {"requestedPolicyVersion": 3}}
_VERSION = {"options.requestedPolicyVersion": "3"}
"""The same, for services that take no body."""


class GoogleCloud:
    """The port `Inspection`. Clients are made on first use."""

    def __init__(self, settings: Settings, locations: tuple[str, ...], now_ns: int) -> None:
        """`locations` are those of Security Command Center that deliver; `now_ns` is where measured time ends."""
        self._emulators = settings.emulators
        self._locations = locations
        self._now_ns = now_ns
        self._rest = Rest(settings.emulators.get("ADMIN_EMULATOR_HOST"))
        self._ledgers = LedgerAdmin(settings.emulators.get("ADMIN_EMULATOR_HOST"))
        self._buckets = Buckets(settings.emulators.get("STORAGE_EMULATOR_HOST"))

    def get(self, name: str, deadline: Deadline) -> Mapping[str, Any]:
        """One resource; raises Missing, Denied, Unsupported or Transient."""
        host, _, path = name.removeprefix("//").partition("/")
        if host == "firestore.googleapis.com":
            return self._ledgers.database(path, deadline)
        if host == "storage.googleapis.com":
            return self._buckets.get(path, deadline)
        if asked := self._asked(host, path):
            call, request = asked
            return message_json(call_read(call, deadline, request=request))
        return self._rest.get(name, deadline)

    def _asked(self, host: str, path: str) -> tuple[Any, Mapping[str, str]] | None:
        """The call of a client that reads this, and its request; None for what is read as plain REST."""
        match host, path.split("/")[-2]:
            case "pubsub.googleapis.com", "topics":
                return self._publisher.get_topic, {"topic": path}
            case "pubsub.googleapis.com", "subscriptions":
                return self._subscriber.get_subscription, {"subscription": path}
            case "securitycenter.googleapis.com", "notificationConfigs":
                return self._scc.client_at(path.split("/")[-3]).get_notification_config, {"name": path}
            case "iam.googleapis.com", "roles":
                return self._iam.get_role, {"name": path}
            case "run.googleapis.com", "services":
                return self._run.get_service, {"name": path}
        return None

    def listed(self, collection: str, deadline: Deadline) -> tuple[Mapping[str, Any], ...]:
        """Every resource of a collection; raises as `get` does."""
        host, _, path = collection.removeprefix("//").partition("/")
        kind = path.rpartition("/")[2]
        if host == "firestore.googleapis.com":
            return self._ledgers.indexes(path, deadline) if kind == "indexes" else self._ledgers.fields(path, deadline)
        query = {"filter": "state:ENABLED", "pageSize": "200"} if host == "serviceusage.googleapis.com" else {}
        return tuple(one for page in self._rest.pages(collection, deadline, query) for one in page.get(kind, ()))

    def bindings(self, name: str, deadline: Deadline) -> tuple[Mapping[str, Any], ...]:
        """The bindings of the resource's own policy; raises as `get` does."""
        host, _, path = name.removeprefix("//").partition("/")
        if host == "storage.googleapis.com":
            return self._buckets.bindings(path, deadline)
        if host in ("pubsub.googleapis.com", "run.googleapis.com"):
            client = self._run if host == "run.googleapis.com" else self._publisher
            policy = call_read(client.get_iam_policy, deadline, request={"resource": path})
            return tuple(policy_json(policy)["iam_policy"]["bindings"])
        if host == "secretmanager.googleapis.com":
            policy = self._rest.get(f"{name}:getIamPolicy", deadline, _VERSION)
        elif host == "iam.googleapis.com":
            policy = self._rest.post(name, "getIamPolicy", {}, deadline, _VERSION)
        else:
            policy = self._rest.post(name, "getIamPolicy", _POLICY, deadline)
        return tuple(one for one in policy.get("bindings", ()) if isinstance(one, dict))

    def permitted(self, name: str, permissions: frozenset[str], deadline: Deadline) -> frozenset[str]:
        """Those that the caller has; raises as `get` does."""
        host, _, path = name.removeprefix("//").partition("/")
        wanted = sorted(permissions)
        if host == "storage.googleapis.com":
            return self._buckets.permitted(path, wanted, deadline)
        if host == "pubsub.googleapis.com":
            asked = {"resource": path, "permissions": wanted}
            return frozenset(map(str, _answer_of(self._publisher.test_iam_permissions, asked, deadline).permissions))
        answer = self._rest.post(name, "testIamPermissions", {"permissions": wanted}, deadline)
        return frozenset(str(one) for one in answer.get("permissions", ()))

    def highest(self, project: str, metric: str, seconds: int, deadline: Deadline) -> Mapping[str, float]:
        """The highest point of each series; raises as `get` does."""
        query = {
            "filter": metric,
            "interval.startTime": format_instant((self._now_ns // NANOS - seconds) * NANOS),
            "interval.endTime": format_instant(self._now_ns // NANOS * NANOS),
        }
        name = f"//monitoring.googleapis.com/projects/{project}/timeSeries"
        found: dict[str, float] = {}
        for page in self._rest.pages(name, deadline, query):
            for one in page.get("timeSeries", ()):
                key = str(one.get("resource", {}).get("labels", {}).get("subscription_id", ""))
                values = [_number(point.get("value", {})) for point in one.get("points", ())]
                found |= {key: max((found.get(key, 0.0), *values))} if values else {}
        return found

    def last_line(self, project: str, asked: str, deadline: Deadline) -> Mapping[str, Any] | None:
        """The newest entry of the project's log that fits; raises as `get` does."""
        request = ListLogEntriesRequest(
            resource_names=[f"projects/{project}"], filter=asked, order_by="timestamp desc", page_size=1
        )
        # Not until the last page: a filter that fits little has many pages of nothing.
        for page in islice(pages_of(self._logging.list_log_entries, deadline, request), _MOST_PAGES):
            for entry in page.entries:
                return json_of(entry)
        return None

    def threats(self, organization: str, location: str, since_ns: int, deadline: Deadline) -> Iterator[Finding]:
        """As the sweep asks for them; raises as `get` does."""
        return self._scc.active_since(organization, location, since_ns, deadline)

    def quota_project(self) -> str | None:
        """The project of the credentials; raises Transient where there are none."""
        return "" if self._emulators else quota_project()

    @cached_property
    def _publisher(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        return client_of(PublisherClient, PublisherGrpcTransport, self._emulators.get("PUBSUB_EMULATOR_HOST"))

    @cached_property
    def _subscriber(self) -> Any:  # noqa: ANN401 - as above
        return client_of(SubscriberClient, SubscriberGrpcTransport, self._emulators.get("PUBSUB_EMULATOR_HOST"))

    @cached_property
    def _iam(self) -> Any:  # noqa: ANN401 - as above
        return client_of(iam_admin_v1.IAMClient, IAMGrpcTransport, self._emulators.get("IAM_EMULATOR_HOST"))

    @cached_property
    def _run(self) -> Any:  # noqa: ANN401 - as above
        return client_of(run_v2.ServicesClient, ServicesGrpcTransport, self._emulators.get("CLOUD_RUN_EMULATOR_HOST"))

    @cached_property
    def _logging(self) -> Any:  # noqa: ANN401 - as above
        emulator = self._emulators.get("LOGGING_EMULATOR_HOST")
        return client_of(LoggingServiceV2Client, LoggingServiceV2GrpcTransport, emulator)

    @cached_property
    def _scc(self) -> SecurityCenter:
        return SecurityCenter(self._emulators.get("SECURITY_CENTER_EMULATOR_HOST"), self._locations)


def _answer_of(call: Any, asked: Mapping[str, Any], deadline: Deadline) -> Any:  # noqa: ANN401 - any read
    """An answer in which nothing is set is one here: it says that whoever asks may do nothing."""
    with translate_errors():
        return call(request=asked, retry=None, timeout=max(deadline.remaining(_ATTEMPT_SECONDS), 0.001))


def _number(value: Mapping[str, Any]) -> float:
    """A point's value: whole numbers come as text."""
    return float(value.get("int64Value") or value.get("doubleValue") or 0.0)

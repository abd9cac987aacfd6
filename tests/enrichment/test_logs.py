"""The source `logs`, over the wire: sound when partial, a gap when not allowed, and never believed as text."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import pytest
from google.cloud.audit import audit_log_pb2
from google.cloud.logging_v2.types import LogEntry
from google.protobuf import any_pb2, json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from enrichment.logs import source
from firebreak.adapters.google.cloud_logging import json_of
from firebreak.core.cloud_run.target import NotATarget, Target, parse_resource
from firebreak.core.errors import Denied
from firebreak.core.facts import Evidence
from firebreak.core.findings.finding import Binary, Finding
from firebreak.core.findings.logs import LogLine, LogLines, LogQuery, Order, line_of, query_around, quoted
from firebreak.core.findings.notification import parse_notification
from firebreak.ports.enrichment import Logs, answer_of
from sandbox.google.logging_filter import parse_filter
from sandbox.scc.notifications import notification_v2
from sandbox.wire import Fault
from tests.faults.secrets_planted import SECRETS, TAINT, TELLTALES
from tests.response.harness import ALWAYS, BAD, SERVICE, Line, Lines, world_of

pytestmark = pytest.mark.thorough

PATH = "/tmp/xmrig"  # noqa: S108 - a path that a finding names


def log(at: str, text: str = "ok", **more: Any) -> dict[str, Any]:
    return {"of": SERVICE, "at": at, "text": text, **more}


def found(on: Line, **scene: Any) -> Finding:
    finding = parse_notification(notification_v2(on.finding(**scene))).finding
    return replace(finding, binaries=(Binary(PATH, "binary", None, whole=False),))


def asked(on: Line, finding: Finding | None = None) -> Evidence:
    return answer_of("logs", source, finding or found(on), on.app.sources)


def test_facts_count_the_half_hour_before_the_event_and_lines_after_it_are_only_shown(line: Lines) -> None:
    """More of those are still to come, so that counting them would depend on the moment of asking."""
    logs = [log("-20m"), log("-2m", "sh: boom", severity="ERROR"), log("-10s", "after", severity="CRITICAL")]
    with line(world_of(logs=[*logs, log("-40m", "long ago", severity="ALERT")])) as on:
        evidence = asked(on)

        assert evidence.facts == {
            "logs.count": 2,
            "logs.errors": 1,
            "logs.severities": ("DEFAULT", "ERROR"),
            "logs.binary_named": False,
        }
        assert evidence.gap is None
        assert [one["text"] for one in evidence.shown["lines"]] == ["ok", "sh: boom", "after"]


def test_no_line_at_all_is_not_a_quiet_workload(line: Lines) -> None:
    """Logs may be excluded or kept elsewhere."""
    with line(world_of(logs=[log("-10s")])) as on:
        evidence = asked(on)

        assert evidence.facts == {}
        assert "holds no line" in str(evidence.gap)


def test_more_lines_than_are_read_leave_every_fact_unknown(line: Lines) -> None:
    """A count of the first few hundred is no count."""
    with line(world_of(logs=[log("-2m", severity="ERROR")] * 601)) as on:
        evidence = asked(on)

        assert evidence.facts == {}
        assert "more than the 600 lines" in str(evidence.gap)
        assert len(evidence.shown["lines"]) == 8


def test_lines_that_do_not_end_in_time_leave_every_fact_unknown(line: Lines) -> None:
    """What was read is still shown."""
    with line(world_of(logs=[log("-2m")] * 300)) as on:
        on.sandbox.wire.inject(Fault("*/ListLogEntries", "error", code="RESOURCE_EXHAUSTED", skip=2, times=None))
        evidence = asked(on)

        assert evidence.facts == {}
        assert evidence.gap is not None
        assert evidence.shown["lines"]


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "NOT_FOUND", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"])
def test_without_an_answer_there_is_a_gap_and_the_containment_goes_on(line: Lines, code: str) -> None:
    """Named, on the record, and of no consequence where no policy asks."""
    with line(world_of(logs=[log("-2m")])) as on:
        on.sandbox.wire.inject(Fault("*/ListLogEntries", "error", code=code, times=None))
        incident = on.respond(on.finding())
        evidence = next(one for one in incident.evidence if one.source == "logs")

        assert incident.phase == "contained"
        assert evidence.gap is not None
        assert evidence.gap.startswith(code)
        assert evidence.facts == {}


@dataclass
class HalfDenied:
    """Reads what is older than the event, and is not allowed to read what is newer."""

    logs: Logs

    def lines(self, query: LogQuery, order: Order, most: int, seconds: float) -> LogLines:
        if order == "asc":
            raise Denied(PATH)
        return self.logs.lines(query, order, most, seconds)


def test_lines_after_the_event_that_cannot_be_read_take_no_fact_away(line: Lines) -> None:
    """They decide nothing."""
    with line(world_of(logs=[log("-2m")])) as on:
        sources = replace(on.app.sources, logs=HalfDenied(on.app.sources.logs))
        evidence = answer_of("logs", source, found(on), sources)

        assert evidence.facts["logs.count"] == 1
        assert evidence.gap == "the lines after the event could not be read"


def test_a_hanging_cloud_logging_does_not_delay_a_policy_that_does_not_ask_it(line: Lines) -> None:
    """The write is made long before Cloud Logging would have answered."""
    with line(world_of(logs=[log("-2m")]), policy=ALWAYS) as on:
        on.sandbox.wire.inject(Fault("*/ListLogEntries", "hang", seconds=0.9, times=2))
        began = time.monotonic()
        on.respond(on.finding())
        calls = on.sandbox.wire.calls
        written = next(one.at for one in calls if one.method.endswith("/UpdateService"))

        assert written - began < 0.8
        assert BAD not in on.reachable


def test_a_policy_may_ask_for_it_and_an_unknown_asks_a_person(line: Lines) -> None:
    """As for every other source."""
    policy = ALWAYS.replace("when: {", "when: {logs.errors: {at_least: 1}, ")
    with line(world_of(logs=[log("-2m", severity="ERROR")]), policy=policy) as on:
        known = on.respond(on.finding())
        on.sandbox.world.denied.add("*/ListLogEntries")
        unknown = on.respond(on.finding(finding_id="another"))

        assert known.phase == "contained"
        assert unknown.decision is not None
        assert unknown.decision.mode.word == "approve"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"exec {PATH} -o pool", True),
        (f"ran {PATH}.", True),
        (f'"{PATH}"', True),
        (f"{PATH}2 started", False),
        (f"/var{PATH}", False),
        (f"{PATH}.conf", False),
    ],
)
def test_a_binary_is_named_only_by_its_whole_path(line: Lines, text: str, named: bool) -> None:  # noqa: FBT001 - a table
    """Near names are other files."""
    with line(world_of(logs=[log("-2m", text)])) as on:
        assert asked(on).facts["logs.binary_named"] is named


@pytest.mark.parametrize("path", ["", "relative/x", "/tmp/\\u001bx", "/tmp/[redacted secret]"])  # noqa: S108
def test_whether_a_binary_is_named_is_unknown_where_its_path_is_not_known_exactly(line: Lines, path: str) -> None:
    """Unknown, not false."""
    with line(world_of(logs=[log("-2m")])) as on:
        finding = replace(found(on), binaries=(Binary(path, "binary", None, whole=False),))

        assert "logs.binary_named" not in asked(on, finding).facts


def test_lines_of_other_workloads_are_not_counted(line: Lines) -> None:
    """Not of a near name, another region, project or revision, nor where Cloud Logging alone ignores case."""
    others = [
        log("-2m") | {"of": SERVICE + "2"},
        log("-2m") | {"of": SERVICE.replace("europe", "us")},
        log("-2m") | {"of": SERVICE.replace("shop-prod", "shop")},
        log("-2m") | {"of": SERVICE.replace("checkout", "Checkout")},
        log("-2m", revision="checkout-00007-good"),
    ]
    with line(world_of(logs=[log("-2m", revision=BAD), *others])) as on:
        finding = found(on, workload=f"services/checkout/revisions/{BAD}")

        assert asked(on, finding).facts["logs.count"] == 1


def test_hostile_lines_are_shown_without_secrets_and_control_characters(line: Lines) -> None:
    """In texts, in structures and in requests; names of fields betray secrets that look like words."""
    logs = [log("-2m", TAINT), log("-90s", json.dumps({"user": "a", "password": 'Hun7er2 and \\" more'}))]
    structured = {"message": TAINT, "api_key": "Hun7er2", "deep": {"env": [{"name": "X", "value": "Hun7er2"}]}}
    plain = log("-80s")
    plain.pop("text")
    request = {"httpRequest": {"requestMethod": "GET", "requestUrl": f"https://x/?a={SECRETS['GitHub token']}"}}
    with line(world_of(logs=[*logs, {**plain, "json": structured}, log("-70s", entry=request)])) as on:
        shown = json.dumps(asked(on).shown, ensure_ascii=False)

        assert [told for told in TELLTALES if told in shown] == []
        assert "\\u001b" in shown
        assert "\x1b" not in shown


def test_who_changed_the_service_is_read_from_audit_entries() -> None:
    """Their payload is a message within a message."""
    payload = any_pb2.Any()
    who = {"principal_email": "dev@shop.example"}
    payload.Pack(audit_log_pb2.AuditLog(method_name="ReplaceService", authentication_info=who))
    entry = {"protoPayload": json_format.MessageToDict(payload), "severity": "NOTICE"}

    assert line_of(entry) == LogLine(0, "NOTICE", "", "ReplaceService by dev@shop.example")


@pytest.mark.parametrize(
    "payload",
    [
        {"json_payload": struct_pb2.Struct(fields={"x": struct_pb2.Value(number_value=math.nan)})},
        {"proto_payload": any_pb2.Any(type_url="type.googleapis.com/google.cloud.audit.AuditLog", value=b"\xff")},
        {"proto_payload": any_pb2.Any(type_url="type.googleapis.com/some.Other", value=b"")},
    ],
    ids=["no number", "corrupt", "unknown kind"],
)
def test_an_entry_whose_payload_cannot_be_read_is_still_a_line(payload: dict[str, Any]) -> None:
    """Whoever writes logs may write anything."""
    entry = json_of(LogEntry(severity=500, timestamp="2026-10-01T10:00:00.5Z", **payload))

    assert line_of(entry).severity == "ERROR"
    assert line_of(entry).text


@pytest.mark.parametrize(
    ("resource", "terms"),
    [
        ("services/s", ["cloud_run_revision", "l", "s"]),
        ("services/s/revisions/r", ["cloud_run_revision", "l", "s", "r"]),
        ("jobs/j/executions/e", ["cloud_run_job", "l", "j", "e"]),
        ("workerPools/w", ["cloud_run_worker_pool", "l", "w"]),
        ("instances/i", ["cloud_run_instance", "l", "i"]),
    ],
)
def test_every_kind_of_workload_has_its_query(resource: str, terms: list[str]) -> None:
    """Within half an hour of the event, and as a link that says the same."""
    target = parse_resource(f"//run.googleapis.com/projects/p/locations/l/{resource}")
    assert isinstance(target, Target)
    query = query_around(target, 3_600_000_000_000)

    comparisons = parse_filter(query.filter).comparisons

    assert [one.value for one in comparisons] == [*terms, "1970-01-01T00:30:00Z", "1970-01-01T01:30:00Z"]
    assert unquote(query.link).endswith(f"query={query.filter}?project=p")
    assert not set(query.link.partition("query=")[2].partition("?")[0]) & set(' "&#;=<>')


@given(st.text(max_size=100))
def test_no_value_reaches_out_of_its_quotes(text: str) -> None:
    """Whatever a name is made of, it stays one value of one comparison."""
    query = LogQuery("p", {"resource.type": text, "resource.labels.x": text}, 0, 1)

    assert [one.value for one in parse_filter(query.filter).comparisons][:2] == [text, text]
    assert parse_filter(f"logName={quoted(text)}").comparisons[0].value == text


def test_a_finding_about_no_cloud_run_workload_asks_nobody(line: Lines) -> None:
    """There is nothing to ask about."""
    with line() as on:
        finding = replace(found(on), target=NotATarget("elsewhere"))

        assert asked(on, finding) == Evidence("logs", gap="elsewhere")
        assert on.sandbox.wire.calls_to("*/ListLogEntries") == ()

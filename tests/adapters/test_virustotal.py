"""The real vt-py over HTTP against a local VirusTotal, and against a server that answers with whatever it is given."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import vt  # noqa: F401 - imported before the first short deadline, because its import takes as long
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firebreak.adapters.virustotal import VirusTotal, connect
from firebreak.adapters.virustotal_client import Refused, SafeClient
from firebreak.core.findings.file_report import FileReport, NoReport
from sandbox.virustotal import server as virustotal
from sandbox.wire import Fault, Wire
from sandbox.world import World

SHA256, OTHER = "ab" * 32, "cd" * 32
KEY = "local-key"
MINUTE, HOUR, DAY = 60, 3600, 86_400
NOON = 1_790_856_000
PATIENT = 8.0
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = float(NOON)

    def __call__(self) -> float:
        return self.now


@dataclass
class Scripted:
    """An HTTP server that answers every request with the same status and body, and remembers what was asked."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    origin: str = ""


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server() -> Iterator[virustotal.VirusTotalServer]:
    server, _ = virustotal.start(World(), Wire())
    yield server
    server.stop()


@pytest.fixture
def origin(server: virustotal.VirusTotalServer, world: World, wire: Wire) -> str:
    """One server for all tests, with each test's own world and journal."""
    server.world, server.wire = world, wire
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def reports(origin: str, clock: Clock) -> Iterator[VirusTotal]:
    client = connect(KEY, origin, clock)
    yield client
    client.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.asked.append((self.command, self.path, self.headers.get("x-apikey")))
            self.send_response(script.status)
            for name, value in script.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(script.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    script.origin = f"http://127.0.0.1:{server.server_address[1]}"
    yield script
    server.shutdown()
    server.server_close()


def answer_to(script: Scripted, status: int, body: bytes, **headers: str) -> FileReport | NoReport:
    script.status, script.body, script.headers = status, body, {"content-type": "application/json", **headers}
    script.asked.clear()
    client = connect(KEY, script.origin)
    try:
        return client.report(SHA256, PATIENT)
    finally:
        client.close()


def kind(answer: FileReport | NoReport) -> str:
    return answer.verdict if isinstance(answer, FileReport) else answer.kind


def test_a_known_file_is_reported(world: World, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"malicious": 48, "families": ["kinsing"], "gti": "VERDICT_MALICIOUS", "gti_score": 91}
    report = reports.report(SHA256, PATIENT)

    assert isinstance(report, FileReport)
    assert (report.sha256, report.verdict, report.malicious, report.families) == (SHA256, "malicious", 48, ("kinsing",))
    assert report.score == 91, "the assessment of Google Threat Intelligence comes only to those who name their tool"


def test_nothing_is_connected_before_the_first_question(wire: Wire, origin: str) -> None:
    before = threading.active_count()
    connect(KEY, origin)

    assert threading.active_count() == before
    assert wire.calls == ()


def test_an_unknown_file_is_not_found_rather_than_clean(reports: VirusTotal) -> None:
    answer = reports.report(SHA256, PATIENT)

    assert isinstance(answer, NoReport)
    assert answer.kind == "not_found"
    assert "does not make it clean" in answer.reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("401:AuthenticationRequiredError", "auth"),
        ("401:WrongCredentialsError", "auth"),
        ("401:UserNotActiveError", "auth"),
        ("401:SomethingNew", "auth"),
        ("403:ForbiddenError", "forbidden"),
        ("429:QuotaExceededError", "quota"),
        ("429:TooManyRequestsError", "rate"),
        ("429:SomethingNew", "rate"),
        ("400:BadRequestError", "refused"),
        ("404:SomethingNew", "refused"),
        ("500:ServerError", "unreachable"),
    ],
)
def test_a_refusal_is_final_and_is_never_kept(
    error: str, expected: str, world: World, wire: Wire, reports: VirusTotal
) -> None:
    world.hashes[SHA256] = {"error": error}
    refused = reports.report(SHA256, PATIENT)

    assert kind(refused) == expected
    assert len(wire.calls) == 1

    world.hashes[SHA256] = {"malicious": 48}
    if expected != "quota":
        assert kind(reports.report(SHA256, PATIENT)) == "malicious"


def test_a_wrong_key_is_named_by_its_variable_and_never_shown(origin: str) -> None:
    client = connect(virustotal.WRONG_KEY, origin)
    answer = client.report(SHA256, PATIENT)
    client.close()

    assert isinstance(answer, NoReport)
    assert "VIRUSTOTAL_API_KEY" in answer.reason
    assert virustotal.WRONG_KEY not in repr(client)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one_is_not_sent(key: str, wire: Wire, origin: str) -> None:
    assert kind(connect(key, origin).report(SHA256, PATIENT)) == "auth"
    assert wire.calls == ()


@pytest.mark.parametrize("text", ["", "ab", "../users/me", "AB" * 32, "{}", "ab" * 32 + "\n", "http://elsewhere/"])
def test_only_hashes_are_asked_about(text: str, wire: Wire, reports: VirusTotal) -> None:
    assert kind(reports.report(text, PATIENT)) == "not_a_hash"
    assert wire.calls == ()


@pytest.mark.parametrize("answer", ["html", "malformed", "no_data"])
def test_an_answer_that_is_no_file_is_malformed(answer: str, world: World, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"malicious": 48, "answer": answer}

    assert kind(reports.report(SHA256, PATIENT)) == "malformed"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (204, b""),
        (200, b""),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"data": null}'),
        (200, b'{"data": []}'),
        (200, b'{"data": {"attributes": []}}'),
        (200, b"[" * 100_000),
        (200, b'{"data": "\xff"}'),
        (200, json.dumps({"data": {"type": "file", "id": SHA256}}).encode()),
        (200, json.dumps({"data": {"type": "file", "id": OTHER, "attributes": {}}}).encode()),
        (200, json.dumps({"data": {"type": "url", "id": SHA256, "attributes": {}}}).encode()),
        (404, b'{"error": "gone"}'),
        (404, b'{"error": {"message": "no code"}}'),
        (404, b"[1]"),
        (404, b"not JSON"),
    ],
)
def test_bodies_of_any_shape_are_malformed(status: int, body: bytes, scripted: Scripted) -> None:
    assert kind(answer_to(scripted, status, body)) == "malformed"


def test_an_answer_without_end_is_not_read_to_its_end(scripted: Scripted) -> None:
    """A report that would be fine but for sixteen megabytes of spaces."""
    counts = {"last_analysis_stats": {"malicious": 48}}
    body = json.dumps({"data": {"type": "file", "id": SHA256, "attributes": counts}}).encode()

    assert kind(answer_to(scripted, 200, body)) == "malicious"
    assert kind(answer_to(scripted, 200, body + b" " * (16 << 20))) == "malformed"


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=st.sampled_from([200, 200, 200, 400, 404, 429, 500]), body=JSON, attributes=JSON)
def test_json_of_any_shape_is_an_answer(status: int, body: Any, attributes: Any, scripted: Scripted) -> None:
    """Whole bodies and whole attributes; whatever comes is a typed answer about this hash."""
    for sent in (body, {"data": {"type": "file", "id": SHA256, "attributes": attributes}}, {"error": body}):
        answer = answer_to(scripted, status, json.dumps(sent).encode())

        assert answer.sha256 == SHA256
        assert kind(answer) != "failed"


def test_the_key_does_not_follow_a_redirect(world: World, wire: Wire, reports: VirusTotal, scripted: Scripted) -> None:
    scripted.asked.clear()
    world.hashes[SHA256] = {"answer": "redirect", "location": f"{scripted.origin}/api/v3/files/{SHA256}"}
    world.hashes[OTHER] = {"answer": "redirect"}

    assert kind(reports.report(SHA256, PATIENT)) == "redirected"
    assert kind(reports.report(OTHER, PATIENT)) == "redirected"
    assert scripted.asked == []
    assert {call.method for call in wire.calls} == {"virustotal/GET files"}


@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.1:1/api/v3/files/x",
        "/../v2/files",
        "/files/%2e%2e/x",
        "/files/..",
        "@elsewhere/",
        "/users/me",
        "/files/upload_url",
    ],
)
def test_no_path_leads_out_of_the_api(path: str, wire: Wire, origin: str) -> None:
    async def ask() -> None:
        async with SafeClient(KEY, host=origin) as client:
            with pytest.raises(Refused):
                await client.get_async(path)

    asyncio.run(ask())

    assert wire.calls == ()


def test_the_client_cannot_upload(wire: Wire, origin: str) -> None:
    async def upload() -> None:
        async with SafeClient(KEY, host=origin) as client:
            with pytest.raises(Refused):
                await client.scan_file_async(io.BytesIO(b"a customer's code"))
            for write in (client.post_async, client.patch_async, client.delete_async):
                with pytest.raises(Refused):
                    await write("/files")

    asyncio.run(upload())

    assert wire.calls == ()


def test_files_are_only_ever_read(world: World, wire: Wire, reports: VirusTotal) -> None:
    """Whatever VirusTotal says, no sample leaves, no analysis is asked for, no other place of the API is touched."""
    answers: list[dict[str, Any]] = [
        {"malicious": 48},
        {"answer": "html"},
        {"error": "404:NotFoundError"},
        {"error": "503:TransientError"},
    ]
    for number, known in enumerate(answers):
        world.hashes[f"{number:064x}"] = known
        reports.report(f"{number:064x}", PATIENT)

    assert {call.method for call in wire.calls} == {"virustotal/GET files"}
    assert {call.request for call in wire.calls} == {f"/api/v3/files/{number:064x}" for number in range(len(answers))}


def test_a_hanging_answer_ends_with_the_askers_patience(world: World, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"answer": "hang"}
    answer = reports.report(SHA256, 0.3)

    assert answer == NoReport(SHA256, "hung", "VirusTotal did not answer within 0.3 s")


def test_an_answer_too_late_for_one_is_kept_for_the_next(world: World, wire: Wire, reports: VirusTotal) -> None:
    """The redelivery profits, and the quota is spent once."""
    world.hashes[SHA256] = {"answer": "slow", "seconds": 0.5, "malicious": 48}

    assert kind(reports.report(SHA256, 0.01)) == "hung"
    assert kind(reports.report(SHA256, PATIENT)) == "malicious"
    assert len(wire.calls) == 1


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "502:BadGateway"])
def test_a_passing_fault_is_tried_once_more(code: str, world: World, wire: Wire, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"malicious": 48}
    wire.inject(Fault("virustotal/*", "error", code=code))

    assert kind(reports.report(SHA256, PATIENT)) == "malicious"
    assert len(wire.calls) == 2


def test_a_lasting_fault_is_tried_twice_and_no_more(wire: Wire, reports: VirusTotal) -> None:
    wire.inject(Fault("virustotal/*", "error", times=None))

    assert kind(reports.report(SHA256, PATIENT)) == "unreachable"
    assert len(wire.calls) == 2


def test_nothing_is_tried_again_when_nobody_waits_any_more(wire: Wire, reports: VirusTotal) -> None:
    wire.inject(Fault("virustotal/*", "error", times=None))

    assert kind(reports.report(SHA256, 0.25)) == "unreachable"
    assert len(wire.calls) == 1


def test_it_is_tried_again_for_a_patient_asker_who_came_later(world: World, wire: Wire, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"malicious": 48}
    wire.delay("virustotal/*", 0.5)
    wire.inject(Fault("virustotal/*", "error"))

    assert kind(reports.report(SHA256, 0.01)) == "hung"
    assert kind(reports.report(SHA256, PATIENT)) == "malicious"
    assert len(wire.calls) == 2


@pytest.mark.parametrize(("retry_after", "calls"), [(0, 2), (60, 1), ("soon", 1), ("9" * 400, 1)])
def test_retry_after_is_honoured_only_within_the_deadline(
    retry_after: object, calls: int, world: World, wire: Wire, reports: VirusTotal
) -> None:
    world.hashes[SHA256] = {"error": "429:TooManyRequestsError", "retry_after": retry_after}

    assert kind(reports.report(SHA256, PATIENT)) == "rate"
    assert len(wire.calls) == calls


def test_a_server_that_is_not_there_is_unreachable() -> None:
    client = connect(KEY, "http://127.0.0.1:1")
    answer = client.report(SHA256, PATIENT)
    client.close()

    assert kind(answer) == "unreachable"


def test_a_used_up_quota_stops_all_questions_until_midnight_utc(
    world: World, wire: Wire, clock: Clock, reports: VirusTotal
) -> None:
    world.hashes[SHA256] = {"error": "429:QuotaExceededError"}
    world.hashes[OTHER] = {"malicious": 48}
    reports.report(SHA256, PATIENT)
    midnight = (NOON // DAY + 1) * DAY
    clock.now = midnight - 1

    assert kind(reports.report(OTHER, PATIENT)) == "quota"
    assert len(wire.calls) == 1

    clock.now = midnight

    assert kind(reports.report(OTHER, PATIENT)) == "malicious"


def test_what_is_known_is_told_while_the_quota_is_used_up(world: World, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"malicious": 48}
    world.hashes[OTHER] = {"error": "429:QuotaExceededError"}

    assert [kind(reports.report(one, PATIENT)) for one in (SHA256, OTHER, SHA256)] == [
        "malicious",
        "quota",
        "malicious",
    ]


@pytest.mark.parametrize(
    "held",
    [
        ({"malicious": 48}, 7 * DAY),
        ({"malicious": 3}, 6 * HOUR),
        ({"malicious": 0, "first_seen": NOON - 7 * DAY}, HOUR),
        ({"malicious": 0, "first_seen": NOON - 7 * DAY + 1}, 15 * MINUTE),
        ({"malicious": 0, "attributes": {"first_submission_date": None}}, HOUR),
        (None, 15 * MINUTE),
    ],
)
def test_an_answer_is_kept_as_long_as_it_is_likely_to_hold(
    held: tuple[dict[str, Any] | None, int], world: World, wire: Wire, clock: Clock, reports: VirusTotal
) -> None:
    known, lifetime = held
    if known is not None:
        world.hashes[SHA256] = known
    first = reports.report(SHA256, PATIENT)
    clock.now = NOON + lifetime - 1

    assert reports.report(SHA256, PATIENT) == first
    assert len(wire.calls) == 1

    clock.now = NOON + lifetime
    reports.report(SHA256, PATIENT)

    assert len(wire.calls) == 2


def test_the_oldest_answer_gives_way_when_too_many_are_kept(wire: Wire, reports: VirusTotal) -> None:
    reports.cache_size = 2
    for number in (0, 1, 2, 1, 2, 0):
        reports.report(f"{number:064x}", PATIENT)

    assert [int(call.request[-1]) for call in wire.calls] == [0, 1, 2, 0]


def test_thirty_two_threads_share_one_request(world: World, wire: Wire, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"answer": "slow", "seconds": 0.3, "malicious": 48}
    together = threading.Barrier(32)

    def ask(_: int) -> FileReport | NoReport:
        together.wait()
        return reports.report(SHA256, PATIENT)

    with ThreadPoolExecutor(32) as pool:
        answers = set(pool.map(ask, range(32)))

    assert [kind(one) for one in answers] == ["malicious"]
    assert len(wire.calls) == 1


def test_a_closed_client_starts_anew(world: World, reports: VirusTotal) -> None:
    world.hashes[SHA256] = {"answer": "hang"}
    world.hashes[OTHER] = {"malicious": 48}
    reports.report(SHA256, 0.1)
    reports.close()

    assert kind(reports.report(OTHER, PATIENT)) == "malicious"

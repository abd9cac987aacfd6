from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import vt

from sandbox.virustotal import server as virustotal
from sandbox.virustotal.file import STATS, file_object
from sandbox.wire import Fault, Wire
from sandbox.world import World

SHA256 = "ab" * 32
NOW = 1_790_848_800


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def server(world: World, wire: Wire) -> Iterator[virustotal.VirusTotalServer]:
    server, _ = virustotal.start(world, wire)
    yield server
    server.stop()


def look_up(server: virustotal.VirusTotalServer, sha256: str = SHA256, **options: Any) -> Any:
    host = f"http://127.0.0.1:{server.server_address[1]}"
    with vt.Client(options.pop("key", "local-key"), host=host, timeout=options.pop("timeout", 5), **options) as client:
        return client.get_object(f"/files/{sha256}")


def raw(server: virustotal.VirusTotalServer, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def test_the_real_client_reads_a_whole_file_object(world: World, server: virustotal.VirusTotalServer) -> None:
    world.hashes[SHA256] = {"malicious": 48, "families": ["kinsing"], "label": "trojan.kinsing"}
    file = look_up(server)

    assert (file.id, file.type) == (SHA256, "file")
    assert file.last_analysis_stats["malicious"] == 48
    assert file.threat_verdict == "VERDICT_MALICIOUS"
    assert file.popular_threat_classification["popular_threat_name"][0]["value"] == "kinsing"
    assert file.popular_threat_classification["suggested_threat_label"] == "trojan.kinsing"


def test_the_assessment_is_sent_only_to_those_who_name_their_tool(
    world: World, server: virustotal.VirusTotalServer
) -> None:
    world.hashes[SHA256] = {"malicious": 48, "gti": "VERDICT_MALICIOUS"}

    assert look_up(server).get("gti_assessment") is None
    assert look_up(server, headers={"x-tool": "firebreak"}).gti_assessment["verdict"]["value"] == "VERDICT_MALICIOUS"


def test_an_unknown_hash_is_not_found(server: virustotal.VirusTotalServer) -> None:
    with pytest.raises(vt.APIError) as failure:
        look_up(server)

    assert failure.value.code == "NotFoundError"


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "AuthenticationRequiredError"), ({"x-apikey": virustotal.WRONG_KEY}, "WrongCredentialsError")],
)
def test_without_a_good_key_nothing_is_said(
    headers: dict[str, str], code: str, world: World, server: virustotal.VirusTotalServer
) -> None:
    world.hashes[SHA256] = {"malicious": 1}
    status, _, body = raw(server, f"/api/v3/files/{SHA256}", **headers)

    assert (status, json.loads(body)["error"]["code"]) == (401, code)


@pytest.mark.parametrize(
    "error", ["429:QuotaExceededError", "429:TooManyRequestsError", "503:TransientError", "403:ForbiddenError"]
)
def test_an_error_has_the_status_and_code_that_the_world_gives_it(
    error: str, world: World, server: virustotal.VirusTotalServer
) -> None:
    world.hashes[SHA256] = {"error": error, "retry_after": 60}
    status, headers, body = raw(server, f"/api/v3/files/{SHA256}", **{"x-apikey": "k"})

    assert f"{status}:{json.loads(body)['error']['code']}" == error
    assert headers["retry-after"] == "60"


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ("html", aiohttp.ContentTypeError),
        ("malformed", json.JSONDecodeError),
        ("no_data", ValueError),
    ],
)
def test_a_success_that_is_no_file_breaks_the_real_client_as_it_would_online(
    answer: str, raised: type[Exception], world: World, server: virustotal.VirusTotalServer
) -> None:
    world.hashes[SHA256] = {"answer": answer}

    with pytest.raises(raised):
        look_up(server)


def test_a_redirect_leads_to_another_origin_where_a_leaked_key_is_seen(
    world: World, wire: Wire, server: virustotal.VirusTotalServer
) -> None:
    world.hashes[SHA256] = {"answer": "redirect"}
    with pytest.raises(aiohttp.ContentTypeError):
        look_up(server, key="leaked")

    assert [call.method for call in wire.calls] == ["virustotal/GET files", "virustotal/GET elsewhere"]
    assert wire.calls[-1].metadata["x-apikey"] == "leaked"


def test_a_hanging_answer_ends_with_the_clients_patience(world: World, server: virustotal.VirusTotalServer) -> None:
    world.hashes[SHA256] = {"answer": "hang"}

    with pytest.raises(TimeoutError):
        look_up(server, timeout=1)


def test_a_slow_answer_is_whole(world: World, server: virustotal.VirusTotalServer) -> None:
    world.hashes[SHA256] = {"answer": "slow", "seconds": 0.05, "malicious": 3}

    assert look_up(server).last_analysis_stats["malicious"] == 3


def test_a_fault_on_the_wire_is_an_http_error(world: World, wire: Wire, server: virustotal.VirusTotalServer) -> None:
    world.hashes[SHA256] = {"malicious": 3}
    wire.inject(Fault("virustotal/GET files", "error", code="UNAVAILABLE"))
    status, _, body = raw(server, f"/api/v3/files/{SHA256}", **{"x-apikey": "k"})

    assert (status, json.loads(body)["error"]["code"]) == (503, "TransientError")


def test_a_malformed_fault_cuts_the_answer(world: World, wire: Wire, server: virustotal.VirusTotalServer) -> None:
    world.hashes[SHA256] = {"malicious": 3}
    wire.inject(Fault("virustotal/*", "malformed"))

    with pytest.raises(json.JSONDecodeError):
        look_up(server)


@pytest.mark.parametrize("path", ["/api/v3/users/me", "/api/v3/files/", f"/api/v3/files/{SHA256}/contacted_domains"])
def test_other_paths_know_nothing(path: str, world: World, server: virustotal.VirusTotalServer) -> None:
    world.hashes[SHA256] = {"malicious": 3}

    assert raw(server, path, **{"x-apikey": "k"})[0] == 404


def test_an_upload_is_journalled_and_forbidden(wire: Wire, server: virustotal.VirusTotalServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    connection.request("POST", "/api/v3/files", body=b"sample", headers={"x-apikey": "k"})

    assert connection.getresponse().status == 403
    assert [call.method for call in wire.calls] == ["virustotal/POST files"]


def test_a_file_object_agrees_with_itself() -> None:
    attributes = file_object(SHA256, {"malicious": 12, "suspicious": 2, "timeout": 1}, NOW)["attributes"]
    categories = [result["category"] for result in attributes["last_analysis_results"].values()]

    assert {name: categories.count(name) for name in STATS} == attributes["last_analysis_stats"]
    assert attributes["first_submission_date"] < attributes["last_analysis_date"] < NOW


@pytest.mark.parametrize(
    ("malicious", "verdict"),
    [(0, "VERDICT_UNDETECTED"), (1, "VERDICT_UNDETECTED"), (2, "VERDICT_SUSPICIOUS"), (10, "VERDICT_MALICIOUS")],
)
def test_the_verdict_follows_the_count_unless_given(malicious: int, verdict: str) -> None:
    made_up = file_object(SHA256, {"malicious": malicious}, NOW)["attributes"]
    given = file_object(SHA256, {"malicious": malicious, "verdict": "VERDICT_UNKNOWN"}, NOW)["attributes"]

    assert made_up["threat_verdict"] == verdict
    assert given["threat_verdict"] == "VERDICT_UNKNOWN"


def test_given_attributes_replace_and_remove_what_was_made_up() -> None:
    known = {"malicious": 48, "attributes": {"tags": ["signed"], "threat_verdict": None}}
    attributes = file_object(SHA256, known, NOW)["attributes"]

    assert attributes["tags"] == ["signed"]
    assert "threat_verdict" not in attributes


def test_a_file_described_by_an_unknown_word_is_a_mistake_in_the_world() -> None:
    with pytest.raises(ValueError, match="malicous"):
        file_object(SHA256, {"malicous": 48}, NOW)

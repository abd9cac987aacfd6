"""`history pull` over the wire: every page of every location, and on from where the file ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak.ledger.documents import Save
from sandbox.scc.notifications import PLANTED_SECRET, Scene, malicious_binary_finding
from sandbox.scc.security_center import put_finding
from sandbox.server import Sandbox
from sandbox.wire import Fault
from sandbox.world import World
from tests.backtest.histories import instant, policies_in
from tests.cli.commands import Told
from tests.response.harness import Lines

FOREVER = ("--since", "9999d")


def put(world: World, number: int, minutes: float, location: str = "global", **more: str) -> None:
    scene = Scene(
        finding_id=f"{number:032x}",
        finding_location=location,
        event_time=instant(minutes),
        args=("/tmp/x", "--password", PLANTED_SECRET),  # noqa: S108 - nothing is written there
        workload="services/token-service",
    )
    pair = malicious_binary_finding(scene)
    pair["finding"].update(more)
    put_finding(world, pair["finding"], pair["resource"])


@pytest.fixture
def scc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(World()) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FIREBREAK_POLICIES", policies_in(tmp_path / "policies"))
        monkeypatch.delenv("FIREBREAK_LEDGER")
        monkeypatch.setenv("FIREBREAK_SCC_LOCATIONS", "global,eu")
        monkeypatch.setattr("firebreak.adapters.google.finding_history._PAGE", 2)
        yield sandbox


def numbers(file: Path) -> list[int]:
    rows = [json.loads(one) for one in file.read_text().splitlines()]
    return [int(one["finding"]["name"].rpartition("/")[2], 16) for one in rows]


def test_every_page_of_every_location_is_pulled_settled_findings_too(
    scc: Sandbox, firebreak: Told, tmp_path: Path
) -> None:
    for number in range(1, 6):
        put(scc.world, number, number)
    put(scc.world, 6, 0, "eu", state="INACTIVE")
    file = tmp_path / "history.jsonl"
    answer = firebreak("history", "pull", str(file), *FOREVER)

    assert answer.code == 0
    assert answer.out.startswith(f"{file}: 6 findings and 0 incidents are new, 0 were known; no ledger is named")
    assert numbers(file) == [1, 2, 3, 4, 5, 6]
    assert file.stat().st_mode & 0o077 == 0


def test_said_again_it_adds_what_is_new_and_nothing_twice(scc: Sandbox, firebreak: Told, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    for number in range(1, 4):
        put(scc.world, number, number * 60)
    firebreak("history", "pull", str(file), *FOREVER)
    asked = len(scc.wire.calls_to("*/ListFindings"))
    put(scc.world, 4, 400)
    put(scc.world, 5, 179)  # published late, and dated before the last one
    told = firebreak("history", "pull", str(file), *FOREVER, "--json").json

    assert (told["findings"], told["known"]) == (2, 3)
    assert numbers(file) == [1, 2, 3, 5, 4]
    assert 'event_time >= "2026-06-01T11:30:00Z"' in scc.wire.calls_to("*/ListFindings")[asked].request.filter


def test_what_stopped_half_way_goes_on_from_there(scc: Sandbox, firebreak: Told, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    for number in range(1, 6):
        put(scc.world, number, number)
    scc.wire.inject(Fault("*/ListFindings", "error", code="PERMISSION_DENIED", skip=1))
    stopped = firebreak("history", "pull", str(file), *FOREVER)
    file.write_text(file.read_text() + '{"finding": {"cut')

    assert stopped.code == 1
    assert firebreak("history", "pull", str(file), *FOREVER).code == 0
    assert numbers(file) == [1, 2, 3, 4, 5]


def test_a_last_line_that_is_whole_stays_without_its_end(scc: Sandbox, firebreak: Told, tmp_path: Path) -> None:
    """As an editor leaves it."""
    file = tmp_path / "history.jsonl"
    put(scc.world, 1, 0)
    firebreak("history", "pull", str(file), *FOREVER)
    file.write_text(file.read_text().rstrip("\n"))
    put(scc.world, 2, 1)
    told = firebreak("history", "pull", str(file), *FOREVER, "--json").json

    assert (told["known"], told["findings"], numbers(file)) == (1, 1, [1, 2])


def test_a_finding_that_is_dated_in_the_future_hides_none_that_comes_later(
    scc: Sandbox, firebreak: Told, tmp_path: Path
) -> None:
    """Whoever owns a source of findings dates them."""
    file = tmp_path / "history.jsonl"
    put(scc.world, 1, 0, createTime=instant(0))
    put(scc.world, 2, 1, createTime=instant(1), eventTime="2500-01-01T00:00:00Z")
    firebreak("history", "pull", str(file), *FOREVER)
    put(scc.world, 3, 2, createTime=instant(2))
    firebreak("history", "pull", str(file), *FOREVER)
    told = firebreak("history", "pull", str(file), *FOREVER, "--json").json

    assert (numbers(file), told["findings"]) == ([1, 2, 3], 0)


def test_secrets_are_out_names_are_whole_and_a_backtest_reads_it(scc: Sandbox, firebreak: Told, tmp_path: Path) -> None:
    put(scc.world, 1, 0)
    file = tmp_path / "history.jsonl"
    firebreak("history", "pull", str(file), *FOREVER)
    shown = firebreak("policy", "backtest", str(file), "--json").json

    assert PLANTED_SECRET not in file.read_text()
    assert shown["by_mode"]["approve"] == 1
    assert [one["workload"] for one in shown["workloads"]] == ["shop-prod/europe-west1/service/token-service"]


@pytest.mark.parametrize("there", [b"\x1f\x8b1", b'[{"finding": {}}]', b"id: malware\nmode: enforce", b"\0\n\0"])
def test_a_packed_file_and_whatever_was_not_pulled_is_left_as_it_is(
    scc: Sandbox, firebreak: Told, tmp_path: Path, there: bytes
) -> None:
    (tmp_path / "file").write_bytes(there)

    assert firebreak("history", "pull", str(tmp_path / "file")).code == 2
    assert (tmp_path / "file").read_bytes() == there
    assert not scc.wire.calls_to("*/ListFindings")


def test_incidents_of_the_ledger_come_with_what_every_source_answered(
    line: Lines, firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line() as on:
        for name, value in on.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FIREBREAK_POLICIES", str(tmp_path / "policies"))
        incident = on.respond(on.finding())
        on.release(incident)
        assert on.close(incident, "false_positive").done
        file = tmp_path / "history.jsonl"
        first = firebreak("history", "pull", str(file), "--json").json
        again = firebreak("history", "pull", str(file), "--json").json
    shown = firebreak("policy", "backtest", str(file), "--json").json

    assert (first["findings"], first["incidents"], again["findings"], again["incidents"]) == (1, 1, 0, 0)
    assert (shown["findings"], shown["by_mode"]["enforce"], shown["decided_on_recorded"]) == (1, 1, 1)
    assert shown["wrong"]["enforced"] == 1


def test_a_record_that_cannot_be_believed_is_passed_by_and_counted_and_hides_no_other(
    line: Lines, firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the time of change of one that holds, which is not under its seal."""
    with line() as on:
        for name, value in on.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FIREBREAK_POLICIES", str(tmp_path / "policies"))
        first, second, third = (on.respond(on.finding(finding_id=f"{number:032x}")).id for number in (1, 2, 3))
        documents = on.app.ledger.documents
        for key, change in ((third, {"seal": "0" * 64}), (second, {"lease": {"updated_ns": 1}})):
            stored = documents.read("incident", key)
            assert stored is not None
            documents.commit([Save("incident", key, {**stored.body, **change}, stored.index, stored)])
        file = tmp_path / "history.jsonl"
        told = firebreak("history", "pull", str(file), "--json").json
        said = firebreak("history", "pull", str(file)).out

    records = [one for one in map(json.loads, file.read_text().splitlines()) if "phase" in one]
    assert {one["id"] for one in records} == {first, second}
    assert (told["incidents"], told["unbelieved"]) == (2, 1)
    assert "left out, because they cannot be read or believed: 1" in said

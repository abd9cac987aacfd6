"""The README's table of what becomes of a message, row by row, over HTTP: a row without a test here is a failure."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import functions_framework
import pytest

from firebreak.core.incidents.incident import Incident
from firebreak.response.app import App
from sandbox.scc.notifications import Pair, notification_v2, push_body
from sandbox.scc.security_center import mute, put_finding
from sandbox.wire import Fault
from tests.repository.checkout import text_of
from tests.response.answers import cut_short
from tests.response.conversation import PIN_AND_CLOSE, asking, now, reasons, told, writes
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.store import always, bad_day, never
from tests.response.test_faults_in_one_part import WITH_MORE, failing_action, failing_source
from tests.response.test_set_aside import of_a_newer_version

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
DEAD = "projects/firebreak/topics/dead"
HEAD = "| message | answer |\n|---|---|\n"
LINES = text_of("README.md").partition(HEAD)[2].partition("\n\n")[0]
TABLE = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", LINES, re.MULTILINE))
"""Message to answer, as the page has them."""


class Answering:
    """The function on a line, whose application a test may have spoilt."""

    def __init__(self, on: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = on
        self.monkeypatch = monkeypatch
        make: Any = functions_framework.create_app
        self.http = make("on_finding", str(ROOT / "main.py"), "cloudevent").test_client()

    def app(self) -> App:
        return self.on.app

    def answer(self, pair_or_body: Pair | bytes) -> int:
        """One delivery; the status."""
        self.monkeypatch.setattr(sys.modules["main"], "_function", self)
        body = pair_or_body if isinstance(pair_or_body, bytes) else notification_v2(pair_or_body)
        return int(self.http.post("/", data=push_body(body), headers={"Content-Type": "application/json"}).status_code)

    def incident(self) -> Incident:
        return next(self.on.app.ledger.newest(1)).incident


Start = Callable[..., Any]
Row = Callable[[Start], Iterator[int]]
"""What a row promises, tried; it yields the status of every delivery, the last of which the row is about."""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Start:
    """Begin anew on a folder of its own, under this policy."""
    began: list[Any] = []

    def begin(policy: str = ALWAYS, **given: Any) -> Answering:
        folder = tmp_path / str(len(began))
        folder.mkdir()
        opened = Lines(folder)(policy=policy, FIREBREAK_DEAD_LETTER_TOPIC=DEAD, **given)
        on = opened.__enter__()
        request.addfinalizer(lambda: opened.__exit__(None, None, None))
        began.append(opened)
        for name, value in {
            **on.sandbox.environment(),
            "FIREBREAK_POLICIES": str(on.app.settings.policies),
            "FIREBREAK_LEDGER": on.app.settings.ledger,
            "XDG_STATE_HOME": str(folder),
        }.items():
            monkeypatch.setenv(name, value)
        return Answering(on, monkeypatch)

    return begin


def decided(start: Start) -> Iterator[int]:
    ends: Mapping[str, tuple[str, dict[str, Any]]] = {
        "monitored": (ALWAYS.replace("mode: enforce", "mode: monitor"), {}),
        "waiting": (asking(ALWAYS), {}),
        "contained": (ALWAYS, {}),
        "failed": (ALWAYS, {"workload": "services/gone"}),
        "declined": (ALWAYS, {"category": "Reverse Shell"}),
    }
    for phase, (policy, scene) in ends.items():
        at = start(policy)
        yield at.answer(at.on.finding(**scene))
        assert at.incident().phase == phase
        assert told(at.on, at.incident()) == [phase]


def stopped(start: Start) -> Iterator[int]:
    def halted(at: Any, pair: Pair) -> Callable[[], object]:
        put_finding(at.on.world, pair["finding"], pair["resource"])
        at.on.command("halt", reason="a drill")
        return lambda: at.on.command("resume")

    def not_held(at: Any, pair: Pair) -> Callable[[], object]:
        return lambda: put_finding(at.on.world, pair["finding"], pair["resource"])

    def muted(at: Any, pair: Pair) -> Callable[[], object]:
        put_finding(at.on.world, pair["finding"], pair["resource"])
        cut_short(at.on, pair)
        mute(at.on.world, pair["finding"]["name"])
        return lambda: mute(at.on.world, pair["finding"]["name"], "UNMUTED")

    for stop in (halted, not_held, muted):
        at = start()
        pair = at.on.finding(held=False)
        passes = stop(at, pair)
        yield at.answer(pair)
        before = at.incident().phase, told(at.on, at.incident())
        passes()
        for _ in range(2):
            at.on.wait(301)
            at.on.sweep()

        assert before == ("deferred", ["deferred"])
        assert at.incident().phase == "contained"


def unreadable(start: Start) -> Iterator[int]:
    at = start()
    yield at.answer(b'{"finding": password=hunter22}')
    (kept,) = at.on.world.topics[DEAD]
    (copy,) = Path(at.on.app.vault.uri.removeprefix("file://")).glob("unreadable/*")

    assert kept["data"] == b'{"finding": password=hunter22}'
    assert len(list(at.on.app.ledger.documents.newest("unreadable", 5))) == 1
    assert b"hunter22" not in copy.read_bytes()


def unreachable(start: Start) -> Iterator[int]:
    for what, method in (("SCC", "*/ListFindings"), ("Cloud Run", "*/GetService"), ("IAM", "*/GetIamPolicy")):
        at = start(PIN_AND_CLOSE)
        pair = at.on.finding()
        at.on.sandbox.wire.inject(Fault(method, "error", code="UNAVAILABLE", times=None))
        for minutes in (0, 5, 4.5):
            at.on.wait(60 * minutes)
            yield at.answer(pair)
        at.on.wait(90)

        assert at.answer(pair) == 200
        assert at.incident().phase == "waiting"
        assert what in reasons(at.on, at.incident()) or "planted by the sandbox" in reasons(at.on, at.incident())
        assert writes(at.on) == []


def denied(start: Start) -> Iterator[int]:
    at = start(PIN_AND_CLOSE)
    no_traffic = Fault("*/UpdateService", "error", code="PERMISSION_DENIED", asked="*traffic*", times=None)
    at.on.sandbox.wire.inject(no_traffic)
    yield at.answer(at.on.finding())

    assert at.incident().phase == "contained"
    assert any("pin_previous_revision" in one for one in now(at.on, at.incident())["still_open"])
    assert "allUsers" not in str(at.on.world.service("checkout").policy.bindings)


def unnamed(start: Start) -> Iterator[int]:
    at = start()
    pair = at.on.finding(held=False)
    pair["finding"]["resourceName"] = pair["resource"]["name"] = "//run.googleapis.com/projects/shop-prod/what/is/this"
    put_finding(at.on.world, pair["finding"], pair["resource"])
    yield at.answer(pair)

    assert at.incident().phase == "waiting"


def busy(start: Start) -> Iterator[int]:
    at = start()
    pair = at.on.finding()
    store = bad_day(at.on, always)
    yield at.answer(pair)
    store.away = never
    at.on.sandbox.wire.inject(Fault("*/Publish", "error", code="UNAVAILABLE", times=None))
    yield at.answer(pair)
    at.on.sandbox.wire.clear_faults()
    other = replace(at.on.app.ledger, owner="another")
    other.take(at.incident().id)
    yield at.answer(pair)
    at.on.wait(31)

    assert at.answer(pair) == 200
    assert told(at.on, at.incident()) == ["contained"]


def newer(start: Start) -> Iterator[int]:
    at = start(asking(ALWAYS))
    pair = at.on.finding()
    assert at.answer(pair) == 200
    of_a_newer_version(at.on, "incident", at.incident().id)
    yield at.answer(pair)

    assert any(one["severity"] == "ERROR" and "format" in one["message"] for one in at.on.logged)


def our_fault(start: Start) -> Iterator[int]:
    at = start()
    with at.monkeypatch.context() as spoilt:
        spoilt.setattr("firebreak.response.pipeline.parse_notification", lambda _: 1 / 0)
        yield at.answer(at.on.finding())
    (logged,) = (one["message"] for one in at.on.logged if one["severity"] == "ERROR")

    assert re.search(r"test_table_of_answers\.py:\d+", logged)


def fault_in_a_part(start: Start) -> Iterator[int]:
    at = start(WITH_MORE)
    failing_action(at.on, "pin_previous_revision")
    yield at.answer(at.on.finding())
    asks = at.incident()
    at = start()
    failing_source(at.on, "logs")
    yield at.answer(at.on.finding())

    assert asks.phase == "waiting"
    assert "test_faults_in_one_part.py:" in str(asks.plan)
    assert at.incident().phase == "contained"
    assert "test_faults_in_one_part.py:" in str(now(at.on, at.incident())["evidence"])


ROWS: Mapping[str, Row] = {
    "decided: monitored, asked, contained, failed, declined": decided,
    "stopped by what may pass: a halt, a mute since the decision, SCC does not hold it yet": stopped,
    "unreadable": unreadable,
    "about a name on Cloud Run that cannot be read": unnamed,
    "SCC, Cloud Run or IAM is unreachable": unreachable,
    "a permission is missing": denied,
    "the ledger or the topic is unreachable; another process is working on the incident": busy,
    "about an incident that a newer version saved and this one may not act on": newer,
    "causes a fault in Firebreak itself": our_fault,
    "causes a fault in one action, source or channel": fault_in_a_part,
}


def test_every_row_of_the_page_is_tried_here() -> None:
    assert TABLE.keys() == ROWS.keys()


@pytest.mark.parametrize("row", ROWS)
def test_what_the_page_promises_is_what_happens(start: Start, row: str) -> None:
    again = TABLE[row].startswith("delivered again")

    assert {*ROWS[row](start)} == {500 if again else 200}


def test_without_any_of_that_the_service_is_contained(start: Start) -> None:
    """Else the rows would tell nothing."""
    at = start()

    assert at.answer(at.on.finding()) == 200
    assert BAD not in at.on.reachable
    assert set(at.on.reachable) == {GOOD}

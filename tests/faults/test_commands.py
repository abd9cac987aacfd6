"""Commands as messages: validated, carried out once, answered where the command line looks; and racing answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import functions_framework
import pytest

from firebreak.core.errors import Malformed, Transient
from firebreak.core.incidents.command import VERBS, Command, parse_command
from firebreak.core.incidents.incident import Incident
from firebreak.core.timestamps import NANOS, format_instant
from firebreak.ledger.halts import Halts
from firebreak.response import pipeline
from sandbox.scc.notifications import push_body
from tests.response.harness import BAD, TOPIC, Line, Lines

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
COMMANDS, DEAD = "projects/firebreak/topics/commands", "projects/firebreak/topics/dead"
JSON = {"Content-Type": "application/json"}
GOOD: dict[str, dict[str, Any]] = {
    "approve": {"incident": "fb-1", "digest": "0123abcd"},
    "reject": {"incident": "fb-1", "reason": "a drill", "digest": "0123abcd"},
    "release": {"incident": "fb-1"},
    "review": {"incident": "fb-1"},
    "retry": {"incident": "fb-1", "reason": "SCC is back"},
    "close": {"incident": "fb-1", "closed_as": "true_positive", "digest": "0123abcd", "keep": "yes"},
    "sweep": {},
    "halt": {"reason": "a drill"},
    "resume": {"halt": "1790000000000000000"},
    "drill": {
        "canary": "//run.googleapis.com/projects/shop-test/locations/europe-west1/services/firebreak-drill-ab12",
        "uid": "0b54a4eb-1d5c-4ad2-a54e-4e6a1d9e5f10",
    },
}


class Function:
    """`on_command` in this process, on a line's world."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.with_history = 0
        made: Any = functions_framework.create_app
        self.http = made("on_command", str(ROOT / "main.py"), "cloudevent").test_client()

    def tell(self, verb: str, **fields: str) -> int:
        return self.tell_raw(json.dumps({"command": verb, "by": "ada", **fields}).encode())

    def tell_raw(self, body: bytes, sent_ns: int | None = None) -> int:
        """As a message that was published then, or just now."""
        self.with_history += 1
        published = format_instant(sent_ns or time.time_ns())
        message = push_body(body, message_id=f"message-{self.with_history}", publish_time=published)
        return int(self.http.post("/", data=message, headers=JSON).status_code)


def digest_of(incident: Incident) -> str:
    """What somebody saw who looked at the incident."""
    assert incident.question is not None
    return incident.question.digest


def settings_of(line: Line, folder: Path) -> dict[str, str]:
    return {
        **line.sandbox.environment(),
        "FIREBREAK_POLICIES": str(line.app.settings.policies),
        "FIREBREAK_LEDGER": line.app.settings.ledger,
        "FIREBREAK_CEILING": "enforce",
        "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
        "FIREBREAK_DEAD_LETTER_TOPIC": DEAD,
        "XDG_STATE_HOME": str(folder),
        "VIRUSTOTAL_API_KEY": "key",
    }


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    with Lines(tmp_path)(config="ceiling: approve", FIREBREAK_DEAD_LETTER_TOPIC=DEAD) as line:
        for name, value in settings_of(line, tmp_path).items():
            monkeypatch.setenv(name, value)
        yield Function(line)


def test_an_approval_as_a_message_contains_and_is_recorded_as_claimed(function: Function) -> None:
    line = function.line
    incident = line.respond(line.finding())
    status = function.tell("approve", incident=incident.id, digest=digest_of(incident))

    assert status == 200
    assert line.read(incident).phase == "contained"
    assert any(entry.who == "ada" for entry in line.read(incident).history)
    assert BAD not in line.reachable


def test_a_command_delivered_again_is_answered_again_and_done_once(function: Function) -> None:
    """The same id, however often; the answer that was given first is the answer."""
    line = function.line
    incident = line.respond(line.finding())
    seen: dict[str, dict[str, str]] = {"approve": {"digest": digest_of(incident)}, "release": {}}
    for verb, more in seen.items():
        for _ in range(3):
            assert function.tell(verb, incident=incident.id, id=f"one-{verb}", **more) == 200
    answers = [line.app.ledger.documents.read("command", f"one-{verb}") for verb in ("approve", "release")]

    assert [one.body["answer"]["done"] for one in answers if one] == [True, True]
    assert len(line.updates) == 2
    assert [one["phase"] for one in line.announced] == ["waiting", "contained", "released"]


def test_halt_and_resume_and_sweep_come_as_messages_too(function: Function) -> None:
    function.tell("halt", reason="a drill")
    halted = function.line.app.ledger.halt_reason()
    function.tell("resume")

    assert halted == "halted by ada: a drill"
    assert function.line.app.ledger.halt_reason() is None
    assert function.tell("sweep") == 200


@pytest.mark.parametrize("verb", ["approve", "reject", "close"])
@pytest.mark.parametrize("digest", [{}, {"digest": "0" * 12}])
def test_an_answer_that_names_no_question_or_another_changes_nothing_and_is_told_so(
    function: Function, verb: str, digest: dict[str, str]
) -> None:
    """Nobody saw what it would be about."""
    line = function.line
    incident = line.respond(line.finding())
    function.tell(verb, incident=incident.id, id="unseen", **digest)
    kept = line.app.ledger.documents.read("command", "unseen")
    after = line.read(incident)

    assert kept is not None
    assert kept.body["answer"]["done"] is False
    assert kept.body["answer"]["says"].startswith("nothing was changed: the ")
    assert (after.phase, after.answer, after.history) == ("waiting", None, incident.history)
    assert line.updates == ()


def test_an_answer_of_somebody_who_saw_the_question_before_is_told_so(function: Function) -> None:
    """Drawn anew meanwhile: neither a yes nor a no to the old one answers the new one."""
    line = function.line
    incident = line.respond(line.finding())
    line.world.set_traffic("checkout", {"revision": BAD, "percent": 50}, {"latest": True, "percent": 50})
    function.tell("approve", incident=incident.id, digest=digest_of(incident))
    anew = line.read(incident)
    for verb in ("approve", "reject", "close"):
        function.tell(verb, incident=incident.id, digest=digest_of(incident))

    assert digest_of(anew) != digest_of(incident)
    assert line.read(incident) == replace(anew, updated_ns=line.read(incident).updated_ns)


def test_once_a_question_is_over_it_is_closed_by_its_digest(function: Function) -> None:
    line = function.line
    incident = line.respond(line.finding())
    function.tell("reject", incident=incident.id, reason="a drill", digest=digest_of(incident))
    function.tell("close", incident=incident.id, closed_as="benign")
    unseen = line.read(incident).phase
    function.tell("close", incident=incident.id, closed_as="benign", digest=digest_of(incident)[:8])

    assert (unseen, line.read(incident).phase) == ("rejected", "closed")


def test_a_late_resume_lifts_no_halt_that_was_set_after_it_was_sent(function: Function) -> None:
    """Sent for the first halt, delivered after the second; and whoever says it again then means that one."""
    ledger = function.line.app.ledger
    function.tell("halt", reason="a drill")
    sent = time.time_ns()
    function.tell("halt", reason="an attack")
    late = b'{"command": "resume", "by": "ada", "id": "late"}'
    for _ in range(2):
        function.tell_raw(late, sent)
    kept, stands = ledger.documents.read("command", "late"), ledger.halt_reason()
    function.tell("resume")

    assert kept is not None
    assert kept.body["answer"]["done"] is False
    assert kept.body["answer"]["says"].startswith("the halt stays (halted by ada: an attack): it was set after")
    assert stands == "halted by ada: an attack"
    assert ledger.halt_reason() is None


def test_a_resume_lifts_the_halt_that_it_names_and_no_other(function: Function) -> None:
    """Also where its answer was lost, and it comes again after a newer one was set."""
    ledger = function.line.app.ledger
    function.tell("halt", reason="a drill")
    first = ledger.halts.standing_halt()
    assert first is not None
    function.tell("resume", halt=str(first.at_ns), id="one")
    lifted = ledger.halt_reason()
    function.tell("halt", reason="an attack")
    for identity in ("one", "another"):
        function.tell("resume", halt=str(first.at_ns), id=identity)
    stands = ledger.halts.standing_halt()
    answers = [ledger.documents.read("command", identity) for identity in ("one", "another")]

    assert lifted is None
    assert stands is not None
    assert stands.reason == "an attack"
    assert [one.body["answer"]["done"] for one in answers if one] == [True, False]


def test_a_resume_that_says_neither_which_nor_when_lifts_nothing(function: Function) -> None:
    ledger = function.line.app.ledger
    ledger.halt("a drill", "ada")
    told = Halts(ledger.documents, ledger.now_ns).obey(Command("id", "resume", "ada"))

    assert not told.done
    assert "when it was sent" in told.says
    assert ledger.halt_reason() is not None


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        b'{"command": "aprove", "incident": "fb-1", "by": "ada"}',
        b'{"command": "approve", "by": "ada"}',
        b'{"command": "approve", "incident": "fb-1"}',
        b'{"command": "approve", "incident": "../x", "by": "ada"}',
        b'{"command": "approve", "incident": "fb-1", "by": "ada", "digest": "all"}',
        b'{"command": "approve", "incident": "fb-1", "by": "Firebreak"}',
        b'{"command": "release", "incident": ["fb-1"], "by": "ada"}',
        b'{"command": "close", "incident": "fb-1", "by": "ada", "closed_as": "fine"}',
        b'{"command": "close", "incident": "fb-1", "by": "ada", "closed_as": "benign", "keep": "yes"}',
        b'{"command": "close", "incident": "fb-1", "by": "ada", "keep": "no"}',
        b'{"command": "halt", "by": "ada", "reason": "  "}',
        b'{"command": "sweep", "force": "yes"}',
        json.dumps({"command": "sweep", **{"漢" * 40 + str(number): "" for number in range(20)}}).encode(),
        b'{"command": "resume", "by": "ada", "halt": "the last one"}',
    ],
)
def test_what_is_no_command_goes_to_the_dead_letters_and_does_nothing(function: Function, body: bytes) -> None:
    """Acknowledged, kept whole, and nothing is guessed."""
    status = function.tell_raw(body)

    assert status == 200
    assert len(function.line.world.topics[DEAD]) == 1
    assert function.line.app.ledger.halt_reason() is None


def test_an_id_that_another_command_had_is_not_taken_for_it(function: Function) -> None:
    """A forged or mistaken id neither repeats nor hides anything."""
    function.tell("halt", reason="a drill", id="same")
    function.tell("resume", id="same")

    assert function.line.app.ledger.halt_reason() is not None
    assert len(function.line.world.topics[DEAD]) == 1


def test_a_command_about_no_incident_is_answered_with_no(function: Function) -> None:
    function.tell("release", incident="fb-nothing", id="x")
    document = function.line.app.ledger.documents.read("command", "x")

    assert document is not None
    assert document.body["answer"] == {"done": False, "says": "there is no incident fb-nothing", "incident": ""}


@pytest.mark.parametrize("verb", VERBS)
def test_what_the_command_line_sends_is_what_the_function_reads(verb: str) -> None:
    sent = Command("id-1", verb, "ada", **GOOD[verb])

    assert parse_command(sent.message(), "other") == sent


@pytest.mark.parametrize(
    "name",
    [
        "firebreak",
        "FireBreak",
        "fire\u200bbreak",
        "firebrea\u00adk",
        "\ufb01rebreak",
        "f\u0456rebreak",
        "firebre\u0430k",
        "\u0430da",
    ],
)
def test_a_name_that_reads_as_firebreaks_or_as_another_persons_is_not_taken(name: str) -> None:
    with pytest.raises(Malformed, match="by must"):
        parse_command(json.dumps({"command": "sweep", "by": name}).encode(), "id")


@pytest.mark.parametrize(
    "name", ["ada", "Jürgen Groß", "Иван (ivan@shop.example)", "Ναταλία", "田中taro", "the firebreak team"]
)
def test_names_of_any_language_are_taken(name: str) -> None:
    assert parse_command(json.dumps({"command": "sweep", "by": name}).encode(), "id").by == name


def test_half_a_letter_in_a_command_is_kept_as_what_can_be_stored() -> None:
    """JSON can say one; a ledger that is told to keep it fails, at every delivery anew."""
    told = {"command": "release", "by": "ada\ud800", "incident": "fb-1", "leave": "service.ingress\ud800"}
    parsed = parse_command(json.dumps(told).encode(), "m-1")

    assert parsed.leave.encode() == b"service.ingress?"
    assert parsed.by.encode()


def test_every_fault_of_a_command_is_named_at_once() -> None:
    with pytest.raises(Malformed, match=r"needs incident.*needs by") as fault:
        parse_command(b'{"command": "reject", "why": "x"}', "id")

    assert "reject does not take 'why'" in str(fault.value)


def test_the_command_line_sends_over_the_topic_and_follows_the_ledger(function: Function, tmp_path: Path) -> None:
    """A program of its own, with nothing but the topic and the ledger; the message is carried to the function."""
    line = function.line
    incident = line.respond(line.finding())
    stop = threading.Event()

    def carry() -> None:
        carried = 0
        while not stop.is_set():
            messages = line.world.topics.get(COMMANDS, [])
            for message in messages[carried:]:
                function.tell_raw(message["data"])
            carried = len(messages)
            time.sleep(0.05)

    carrier = threading.Thread(target=carry, daemon=True)
    carrier.start()
    environment = {**os.environ, **settings_of(line, tmp_path), "FIREBREAK_COMMANDS_TOPIC": COMMANDS}
    command = [sys.executable, "-m", "firebreak", "incident", "approve", incident.id, "--yes", "--by", "bob", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    stop.set()
    carrier.join()
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert told["incident"]["phase"] == "contained"
    assert any(entry["who"] == "bob" for entry in told["incident"]["history"])


def test_whoever_answers_first_decides_and_all_are_told_the_truth(tmp_path: Path) -> None:
    """Approve, reject, close, release and a sweep at once: one answer holds, and the record tells it."""
    with Lines(tmp_path)(config="ceiling: approve") as line:
        for turn in range(6):
            incident = line.respond(line.finding(finding_id=f"race{turn}"))
            assert incident.question is not None
            verbs: dict[str, dict[str, Any]] = {
                "approve": {"digest": incident.question.digest},
                "reject": {"reason": "no", "digest": incident.question.digest},
                "close": {"closed_as": "benign", "digest": incident.question.digest},
                "release": {},
            }
            orders = [Command(uuid.uuid4().hex, verb, verb, incident.id, **more) for verb, more in verbs.items()]

            def tell(order: Command) -> tuple[str, bool]:
                for _ in range(200):
                    try:
                        return order.verb, pipeline.execute(line.app, order).done
                    except Transient:
                        time.sleep(0.02)
                raise AssertionError(order.verb)

            with ThreadPoolExecutor(4) as pool:
                told = dict(pool.map(tell, orders))
            ended = line.read(incident)
            done = Counter(told)

            assert told["approve"] + told["reject"] + (told["close"] and not told["reject"]) >= 1
            assert not (told["approve"] and told["reject"])
            assert ended.phase == _ends(told)
            assert (BAD not in line.reachable) == (ended.phase == "contained"), done
            if ended.phase == "contained":
                line.release(incident, "cleaner")
            line.skipped_ns += 25 * 3600 * NANOS


def _ends(told: dict[str, bool]) -> str:
    """Where the answers that were given lead."""
    if told["close"]:
        return "closed"
    if told["approve"]:
        return "released" if told["release"] else "contained"
    return "rejected"


def test_processes_that_answer_at_once_are_each_told_the_truth(function: Function, tmp_path: Path) -> None:
    """Programs of their own on one ledger; the question expires meanwhile, and the pipeline opens the service."""
    line = function.line
    incident = line.respond(line.finding())
    environment = {**os.environ, **settings_of(line, tmp_path)}
    orders = {
        "approve": ("incident", "approve", incident.id, "--yes"),
        "reject": ("incident", "reject", incident.id, "--reason", "no"),
        "close": ("incident", "close", incident.id, "--as", "benign"),
        "sweep": ("sweep",),
    }
    running = {
        name: subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "firebreak", *words, "--by", name, "--json"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name, words in orders.items()
    }
    codes = {name: one.wait(60) for name, one in running.items()}
    ended = line.read(incident)

    # 3: somebody else was at work on it just then, and whoever asks again is told who was first.
    assert set(codes.values()) <= {0, 1, 3}
    assert [codes["approve"], codes["reject"]].count(0) <= 1
    if codes["close"] == 0:
        assert ended.phase == "closed"
    else:
        assert ended.phase == (
            "contained" if codes["approve"] == 0 else "rejected" if codes["reject"] == 0 else "waiting"
        )
    assert (BAD not in line.reachable) == (ended.phase == "contained")

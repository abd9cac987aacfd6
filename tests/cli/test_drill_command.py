"""`firebreak drill`: a rehearsal over the wire, and nothing of it is left, whatever comes between."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.google.drill_findings import DrillFindings
from firebreak.cli.drill import rehearsal
from firebreak.cli.drill.stage import Stage
from firebreak.cli.ending import leaving_in_order
from firebreak.core.errors import Transient
from sandbox.wire import Call, Fault
from tests.cli.commands import Told
from tests.cli.drilling import CLEAN, NOTHING, WORDS, checks, deployed, is_contained, left_behind, steps
from tests.response.harness import Line

pytestmark = pytest.mark.thorough

WAYS = {
    "known to VirusTotal: nobody is asked": (True, False),
    "not known to VirusTotal: a person is asked, and answers": (False, True),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_drill_is_contained_released_and_taken_away(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    known, asks = WAYS[way]
    with deployed(tmp_path, monkeypatch, known=known) as on:
        told = firebreak(*WORDS)

        assert told.code == 0, (told.out, told.err)
        assert all(checks(told).values())
        assert any("asks a person" in one for one in steps(told)) == asks
        assert left_behind(on) == NOTHING
        assert {call.request.service.name.rpartition("/")[2][:16] for call in on.updates} == {"firebreak-drill-"}


def test_a_drill_has_three_clocks(firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with deployed(tmp_path, monkeypatch):
        told = firebreak(*WORDS)
        (clocks,) = (one["data"] for one in told.json["stories"][0]["steps"] if one["step"] == "The clocks")

    assert list(clocks) == ["event to message", "message to write", "write to effect"]
    assert all(0 < took < 60 for took in clocks.values())


STEPS = {
    "before the service is there": "*/CreateService",
    "between its revisions": "*/UpdateService",
    "while it is read": "*/ListRevisions",
    "at the announcement": "*/Publish",
    "as the finding is written": "*/CreateFinding",
    "as Firebreak asks SCC": "*/ListFindings",
    "as the finding is ended": "*/SetFindingState",
    "as the service is deleted": "*/DeleteService",
}


@pytest.mark.thorough
@pytest.mark.parametrize("step", STEPS)
def test_an_interruption_at_any_step_leaves_nothing(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with deployed(tmp_path, monkeypatch) as on:
        on.sandbox.wire.watch(STEPS[step], comes(signal.SIGINT))
        told = firebreak(*WORDS)

        assert told.code == 130, (told.out, told.err)
        assert left_behind(on) == NOTHING


def test_a_drill_that_is_ended_takes_its_canary_with_it(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a runner whose time is up, which sends SIGTERM."""
    with deployed(tmp_path, monkeypatch) as on:
        on.sandbox.wire.watch("*/UpdateService", comes(signal.SIGTERM))
        told = firebreak(*WORDS)

        assert told.code == 143, (told.out, told.err)
        assert checks(told)["it was not interrupted"] is False
        assert left_behind(on) == NOTHING


def comes(number: int) -> Callable[[Call], None]:
    """The signal comes at the first such call, and again at all that follow: people press it more than once."""

    def act(_: Call) -> None:
        os.kill(os.getpid(), number)

    return act


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_whose_exception_was_swallowed_ends_the_command_all_the_same(
    number: int, ends: type[BaseException]
) -> None:
    """As by a callback that a library calls from C."""
    before = signal.getsignal(number)
    with pytest.raises(ends), leaving_in_order(), suppress(ends):
        signal.raise_signal(number)

    assert signal.getsignal(number) is before


def test_a_signal_within_a_call_of_grpc_ends_the_command_once_the_call_is_over() -> None:
    """What it has just locked would stay locked, and the next call, or the end of its channel, wait for ever."""
    passed = list[str]()
    code = "def call():\n    signal.raise_signal(signal.SIGINT)\n    passed.append('the call')"
    within: dict[str, Any] = {"__name__": "grpc._channel", "signal": signal, "passed": passed}
    exec(code, within)  # noqa: S102 - whose function it is, its globals tell

    @leaving_in_order()
    def command() -> None:
        within["call"]()
        time.sleep(5)
        passed.append("what comes after")

    with pytest.raises(KeyboardInterrupt):
        command()
    assert passed == ["the call"]


@pytest.mark.thorough
def test_an_interruption_while_a_person_is_asked_leaves_no_question(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(tmp_path, monkeypatch, known=False) as on:
        on.sandbox.wire.watch("*/Publish", at_the(2, comes(signal.SIGINT)))
        told = firebreak(*WORDS)

        assert told.code == 130
        assert left_behind(on) == NOTHING


def at_the(time: int, act: Callable[[Call], None]) -> Callable[[Call], None]:
    """From that call on."""
    seen = []

    def count(call: Call) -> None:
        seen.append(call)
        if b"commands" in str(call.request.topic).encode() and len(seen) >= time:
            act(call)

    return count


def test_a_message_that_does_not_come_is_told_and_the_sweep_asked(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it can be told which of the two does not work: the delivery, or Firebreak."""
    monkeypatch.setattr(rehearsal, "_MESSAGE_SECONDS", 1.0)
    with deployed(tmp_path, monkeypatch, delivers=False) as on:
        told = firebreak(*WORDS)

        assert told.code == 1
        assert [what for what, right in checks(told).items() if not right] == ["its message came within 1 s"]
        assert "The sweep is told to look for it" in steps(told)
        assert left_behind(on) == NOTHING


FAULTS = {
    "the service is not made": Fault("*/CreateService", "error", code="PERMISSION_DENIED"),
    "the answer to making it is lost": Fault("*/CreateService", "lost_answer"),
    "its second revision is refused": Fault("*/UpdateService", "error", code="FAILED_PRECONDITION"),
    "the finding is refused": Fault("*/CreateFinding", "error", code="PERMISSION_DENIED"),
    "the answer to writing it is lost": Fault("*/CreateFinding", "lost_answer"),
    "the containing write is denied": Fault("*/UpdateService", "error", code="PERMISSION_DENIED", skip=1, times=None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_told_and_leaves_nothing(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    with deployed(tmp_path, monkeypatch) as on:
        on.sandbox.wire.inject(FAULTS[fault])
        told = firebreak(*WORDS)

        assert told.code == 1, told.out
        assert not all(checks(told).values())
        assert left_behind(on) == NOTHING


def test_what_came_of_a_finding_whose_answer_was_lost_is_given_back(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(tmp_path, monkeypatch) as on:
        create = DrillFindings.create

        def lost(*asked: Any) -> None:
            create(*asked)
            assert is_contained(on)
            message = "the answer was lost"
            raise Transient(message)

        monkeypatch.setattr(DrillFindings, "create", lost)
        told = firebreak(*WORDS)

        assert told.code == 1
        assert left_behind(on) == NOTHING


def test_a_canary_that_may_still_be_made_is_said(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(tmp_path, monkeypatch) as on:
        on.sandbox.wire.inject(Fault("*/CreateService", "late"))
        told = firebreak(*WORDS)
        on.sandbox.wire.land()

        assert "Not all could be taken away" in steps(told)
        assert firebreak(*CLEAN).code == 0
        assert left_behind(on) == NOTHING


def test_a_ledger_that_cannot_be_read_keeps_nothing_from_being_taken_away(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        message = "the ledger cannot be reached"
        raise Transient(message)

    monkeypatch.setattr(Stage, "incident", away)
    with deployed(tmp_path, monkeypatch) as on:
        told = firebreak(*WORDS)

        assert told.code == 1
        assert not [name for name in on.world.services if "firebreak-drill" in name]
        assert [one["finding"]["state"] for one in on.world.findings] == ["INACTIVE"]
        assert "Not all could be taken away" in steps(told)


def test_what_could_not_be_taken_away_is_said(firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with deployed(tmp_path, monkeypatch) as on:
        on.sandbox.wire.inject(Fault("*/DeleteService", "error", code="PERMISSION_DENIED", times=None))
        told = firebreak(*WORDS)
        name = next(name for name in on.world.services if "firebreak-drill" in name).rpartition("/")[2]

        assert told.code == 1
        assert checks(told)[f"the canary {name} is deleted"] is False


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("ceiling: enforce", "/firebreak.yaml names none as `drill`: set FIREBREAK_POLICIES to your own policies"),
        ('ceiling: enforce\ndrill: {source: "9999", projects: [other]}', "does not list shop-prod"),
    ],
)
def test_a_drill_that_is_not_allowed_is_none(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, said: str
) -> None:
    with deployed(tmp_path, monkeypatch, config=config) as on:
        told = firebreak(*WORDS)

        assert told.code in (1, 2)
        assert said in told.out
        assert left_behind(on) == NOTHING


def test_a_drill_under_a_halt_says_so_and_leaves_nothing(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(tmp_path, monkeypatch) as on:
        on.app.ledger.halt("game day", "ada")
        told = firebreak(*WORDS)

        assert told.code == 1
        assert "It rests: deferred" in steps(told)
        assert checks(told)["it is contained"] is False
        assert left_behind(on) == NOTHING


@pytest.mark.thorough
def test_a_drill_waits_for_a_finding_that_scc_lists_late(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firebreak defers what SCC does not hold yet, and takes it up with the sweep: that is no failure."""
    with deployed(tmp_path, monkeypatch) as on:
        listing = ListedLate(on)
        on.sandbox.wire.watch("*/ListFindings", listing)
        later = threading.Thread(target=listing.catches_up)
        later.start()
        told = firebreak(*WORDS)
        later.join()

        assert told.code == 0, told.out
        assert any(line.startswith("firebreak: deferred: SCC does not hold") for line in lines_of(told))


def test_nobody_is_taken_by_surprise(firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with deployed(tmp_path, monkeypatch) as on:
        told = firebreak(*(word for word in WORDS if word != "--yes"))

        assert told.code == 2
        assert "say --yes" in told.json["says"]
        assert not written_by_the_drill(on)


class ListedLate:
    """SCC that took a finding, tells of it, and does not list it for a while."""

    def __init__(self, on: Line) -> None:
        self.on = on
        self.unlisted: list[Any] = []
        self.caught_up = False

    def __call__(self, _: Call) -> None:
        """At each listing."""
        findings = self.on.world.findings
        if self.caught_up:
            findings.extend(self.unlisted)
            self.unlisted.clear()
        else:
            self.unlisted.extend(findings)
            findings.clear()

    def catches_up(self) -> None:
        """Once Firebreak has deferred it and the drill must have seen that; the sweep comes by each minute."""
        until = time.monotonic() + 60
        while not self._deferred() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1.0)
        self.caught_up = True
        while self._deferred() and time.monotonic() < until:
            self.on.wait(61)
            self.on.sweep()

    def _deferred(self) -> bool:
        return any(one.incident.phase == "deferred" for one in self.on.app.ledger.newest(3))


def lines_of(told: Any) -> list[str]:
    return [line for one in told.json["stories"][0]["steps"] for line in one["lines"]]


def written_by_the_drill(on: Line) -> bool:
    return any(on.sandbox.wire.calls_to(f"*/{method}") for method in ("CreateService", "CreateFinding", "Publish"))

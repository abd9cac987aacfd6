"""A halt, a mute, a loss at any moment of a delivery: each of its calls is one such moment, and all are tried."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from firebreak.core.incidents.incident import Incident
from sandbox.scc.notifications import Pair
from sandbox.scc.security_center import mute, put_finding
from sandbox.wire import Call, Fault
from tests.response.conversation import later, phase, told, writes
from tests.response.harness import ALWAYS, Line, Lines
from tests.response.test_blast_radius import limits
from tests.response.test_waits_for_scc import service_of

MANY = limits(50, 50)


@dataclass
class Moment:
    """Does something as the so manieth call to Google of a delivery arrives, before it is answered."""

    on: Line
    then: Callable[[], object] = field(default=lambda: None)
    at: int = 0
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.on.sandbox.wire.watch("google.*", self._arrived)

    def _arrived(self, _: Call) -> None:
        with self.lock:
            self.seen += 1
            now = self.seen == self.at
        if now:
            self.then()

    def of(self, number: int, then: Callable[[], object]) -> None:
        """From the next call on they are counted anew."""
        self.at, self.seen, self.then = number, 0, then


def until_the_write(on: Line) -> int:
    """How many calls a delivery makes up to its write, that one among them."""
    calls = [call.method for call in on.sandbox.wire.calls if call.method.startswith("google.")]
    return next(number for number, method in enumerate(calls, 1) if method.endswith("/UpdateService"))


def found_on_another(on: Line, number: int) -> Pair:
    """A finding on a service of its own."""
    on.world.add_service(service_of(f"basket{number}"))
    return on.finding(finding_id=f"basket{number}", workload=f"services/basket{number}")


def writes_to(on: Line, number: int) -> int:
    return sum(f"/basket{number}" in str(call.request) for call in writes(on))


def test_a_halt_at_any_moment_before_the_write_stops_it_and_none_of_it_is_called_contained(line: Lines) -> None:
    with line(policy=ALWAYS, config=MANY) as on:
        on.respond(on.finding())
        last, moment = until_the_write(on), Moment(on)
        ends: list[tuple[str, int]] = []
        found: list[Incident] = []
        for number in range(1, last):
            pair = found_on_another(on, number)
            moment.of(number, lambda: on.app.ledger.halt("stop", "ada"))
            found.append(on.respond(pair))
            ends.append((phase(on, found[-1]), writes_to(on, number)))
            on.resume()
        later(on, 10)

        assert last > 3
        assert ends == [("deferred", 0)] * len(ends)
        assert [phase(on, one) for one in found] == ["contained"] * len(found)
        assert [told(on, one) for one in found] == [["deferred", "contained"]] * len(found)


def test_a_mute_at_any_moment_is_not_final_and_what_comes_of_it_is_told_right(line: Lines) -> None:
    """Where the last word of SCC was heard before it, there is one write; else there is none until it is unmuted."""
    with line(policy=ALWAYS, config=MANY) as on:
        on.respond(on.finding())
        last, moment = until_the_write(on), Moment(on)
        ends, found = [], []
        for number in range(1, last):
            pair = found_on_another(on, number)
            name = pair["finding"]["name"]
            moment.of(number, lambda name=name: mute(on.world, name))  # type: ignore[misc]
            found.append(on.respond(pair))
            ends.append((phase(on, found[-1]) == "contained", writes_to(on, number)))
            mute(on.world, name, "UNMUTED")
        later(on, 10)

        assert [int(done) for done, _ in ends] == [wrote for _, wrote in ends]
        assert [phase(on, one) for one in found] == ["contained"] * len(found)
        assert [writes_to(on, number) for number in range(1, last)] == [1] * len(found)


def test_a_finding_that_scc_loses_at_any_moment_is_not_final(line: Lines) -> None:
    """It lists it again with the next sweep."""
    with line(policy=ALWAYS, config=MANY) as on:
        on.respond(on.finding())
        looks = on.sandbox.wire.calls_to("*/ListFindings")
        ends, found = [], []
        for number in range(len(looks)):
            pair = found_on_another(on, number + 1)
            on.sandbox.wire.inject(Fault("*/ListFindings", "empty", skip=number, times=None))
            found.append(on.respond(pair))
            on.sandbox.wire.clear_faults()
            ends.append((phase(on, found[-1]) == "contained", writes_to(on, number + 1)))
            put_finding(on.world, pair["finding"], pair["resource"])
        later(on, 10)

        assert [int(done) for done, _ in ends] == [wrote for _, wrote in ends]
        assert [phase(on, one) for one in found] == ["contained"] * len(found)
        assert len(writes(on)) == 1 + len(found)

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import pytest
from google.api_core import exceptions

from sandbox.wire import Fault, Kind, Meanwhile, Refusal, Wire
from tests.sandbox.cloud_run_clients import ALL, BAD, GOOD, INTERNAL, NAME, Clients, checkout, served, to

GET = "google.cloud.run.v2.Services/GetService"
UPDATE = "google.cloud.run.v2.Services/UpdateService"


def ask(wire: Wire, method: str = GET, answer: Callable[[], Any] = lambda: "answer") -> Any:
    return wire.serve(method, "request", {"key": "value"}, answer)


def refused(wire: Wire, method: str = GET) -> str | None:
    """The code that the call is refused with, or None."""
    try:
        ask(wire, method)
    except Refusal as refusal:
        return refusal.code
    return None


def test_every_call_is_journalled_in_the_order_of_arrival() -> None:
    wire = Wire()
    ask(wire, GET)
    ask(wire, UPDATE)

    assert [(one.number, one.method, one.request, dict(one.metadata)) for one in wire.calls] == [
        (0, GET, "request", {"key": "value"}),
        (1, UPDATE, "request", {"key": "value"}),
    ]
    assert wire.calls[0].at <= wire.calls[1].at


def test_calls_are_found_by_glob() -> None:
    wire = Wire()
    ask(wire, GET)
    ask(wire, UPDATE)

    assert [one.method for one in wire.calls_to("*/Update*")] == [UPDATE]


def test_a_refused_call_is_journalled_too() -> None:
    wire = Wire()
    wire.inject(Fault(GET, "error", code="ABORTED"))

    assert refused(wire) == "ABORTED"
    assert len(wire.calls) == 1


def test_a_fault_falls_on_its_method_alone() -> None:
    wire = Wire()
    wire.inject(Fault("*/UpdateService", "error"))

    assert [refused(wire, GET), refused(wire, UPDATE)] == [None, "UNAVAILABLE"]


@pytest.mark.parametrize(
    ("times", "skip", "fails"),
    [(1, 0, "x..."), (2, 0, "xx.."), (None, 0, "xxxx"), (1, 2, "..x."), (None, 1, ".xxx"), (0, 0, "....")],
)
def test_a_fault_skips_and_ends_as_it_says(times: int | None, skip: int, fails: str) -> None:
    wire = Wire()
    wire.inject(Fault(GET, "error", times=times, skip=skip))

    assert "".join("x" if refused(wire) else "." for _ in range(4)) == fails


def test_a_call_takes_the_first_fault_that_fits() -> None:
    wire = Wire()
    wire.inject(Fault(GET, "error", code="ABORTED"), Fault("*", "error", code="INTERNAL"))

    assert [refused(wire), refused(wire), refused(wire)] == ["ABORTED", "INTERNAL", None]


@pytest.mark.parametrize(("moment", "order"), [("before", "other call"), ("after", "call other")])
def test_somebody_else_acts_at_the_moment_of_a_call(moment: Literal["before", "after"], order: str) -> None:
    wire = Wire()
    happened: list[str] = []
    wire.meanwhile(Meanwhile("*/UpdateService", lambda: happened.append("other"), moment))
    ask(wire, GET, answer=lambda: None)
    ask(wire, UPDATE, answer=lambda: happened.append("call"))

    assert " ".join(happened) == order


def test_somebody_else_acts_once_and_not_before_their_turn() -> None:
    wire = Wire()
    happened: list[int] = []
    wire.meanwhile(Meanwhile("*", lambda: happened.append(len(wire.calls)), skip=1))
    for _ in range(4):
        ask(wire)

    assert happened == [2]


def test_two_others_act_at_two_moments_of_one_method() -> None:
    wire = Wire()
    happened: list[str] = []
    wire.meanwhile(Meanwhile("*", lambda: happened.append("one")), Meanwhile("*", lambda: happened.append("two")))
    for _ in range(3):
        ask(wire)

    assert happened == ["one", "two"]


def test_what_somebody_else_does_at_the_moment_of_a_write_may_call_the_sandbox() -> None:
    with served(checkout()) as cloud:
        cloud.wire.meanwhile(Meanwhile(UPDATE, cloud.read, routed="*europe-west1*"))
        cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)

        assert [one.method for one in cloud.wire.calls][:2] == [UPDATE, GET]


def test_cleared_faults_no_longer_fall() -> None:
    wire = Wire()
    wire.inject(Fault("*", "error", times=None))
    wire.clear_faults()

    assert refused(wire) is None


def test_an_error_comes_before_the_answer_and_a_lost_answer_after_it() -> None:
    wire = Wire()
    happened: list[str] = []
    kinds: tuple[Kind, ...] = ("error", "lost_answer")
    for kind in kinds:
        wire.inject(Fault(GET, kind))
        with pytest.raises(Refusal):
            ask(wire, answer=functools.partial(happened.append, kind))

    assert happened == ["lost_answer"]


def test_many_threads_lose_no_call_and_share_a_fault_out_exactly() -> None:
    wire = Wire()
    wire.inject(Fault("*", "error", times=50))
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: refused(wire), range(200)))

    assert codes.count("UNAVAILABLE") == 50
    assert [one.number for one in wire.calls] == list(range(200))


def test_stopping_lets_go_of_what_hangs() -> None:
    wire = Wire()
    wire.inject(Fault(GET, "hang", seconds=600))
    codes: list[str | None] = []
    hanging = threading.Thread(target=lambda: codes.append(refused(wire)))
    hanging.start()
    wire.stop()
    hanging.join(5)

    assert codes == ["DEADLINE_EXCEEDED"]


def changed(cloud: Clients) -> bool:
    return bool(cloud.read().ingress != ALL)


@pytest.mark.parametrize(
    ("fault", "raised", "happened"),
    [
        (Fault(UPDATE, "error", code="PERMISSION_DENIED"), exceptions.PermissionDenied, False),
        (Fault(UPDATE, "error", code="RESOURCE_EXHAUSTED"), exceptions.ResourceExhausted, False),
        (Fault(UPDATE, "reset"), exceptions.ServiceUnavailable, False),
        (Fault(UPDATE, "lost_answer"), exceptions.ServiceUnavailable, True),
        (Fault(UPDATE, "lost_answer", code="DEADLINE_EXCEEDED"), exceptions.DeadlineExceeded, True),
        (Fault(UPDATE, "malformed"), exceptions.InternalServerError, False),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_the_real_client_sees_the_fault(fault: Fault, raised: type[Exception], happened: Any) -> None:
    with served(checkout()) as cloud:
        cloud.wire.inject(fault)

        with pytest.raises(raised):
            cloud.update(["ingress"], ingress=INTERNAL)
        assert changed(cloud) is happened


def test_a_client_that_gives_up_on_a_call_that_hangs_has_changed_nothing() -> None:
    with served(checkout()) as cloud:
        cloud.wire.inject(Fault(UPDATE, "hang", seconds=600))
        request = {"service": {"name": NAME, "ingress": INTERNAL}, "update_mask": {"paths": ["ingress"]}}

        with pytest.raises(exceptions.DeadlineExceeded):
            cloud.services.update_service(request=request, timeout=0.2, retry=None)
        assert not changed(cloud)


def test_a_slow_answer_is_a_whole_answer() -> None:
    with served(checkout()) as cloud:
        cloud.wire.inject(Fault(UPDATE, "slow", seconds=0.01))
        cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)

        assert cloud.serving() == {(GOOD, 100, "")}


def test_what_the_client_asked_is_in_the_journal_as_a_message() -> None:
    with served(checkout()) as cloud:
        cloud.update(["traffic"], traffic=[to(GOOD)])
        (call,) = cloud.wire.calls_to("*/UpdateService")

        assert list(call.request.update_mask.paths) == ["traffic"]
        assert call.request.service.traffic[0].revision == GOOD
        assert call.metadata["x-goog-request-params"] == "location=europe-west1"


def test_a_journalled_request_stays_as_it_was_asked() -> None:
    with served(checkout()) as cloud:
        cloud.update(["traffic"], traffic=[to(GOOD)])
        cloud.update(["traffic"], traffic=[to(BAD)])

        asked = [one.request.service.traffic[0].revision for one in cloud.wire.calls_to("*/UpdateService")]

        assert asked == [GOOD, BAD]


def test_a_journalled_call_says_how_it_ended() -> None:
    wire = Wire()
    ask(wire)
    wire.inject(Fault(GET, "error", code="ABORTED"))
    refused(wire)

    assert [getattr(one, "status", None) for one in wire.calls] == ["OK", "ABORTED"]


def test_a_call_that_hangs_lets_its_thread_go_when_the_client_gives_up() -> None:
    with served(checkout()) as cloud:
        cloud.wire.inject(Fault(UPDATE, "hang", seconds=600, times=8))
        request = {"service": {"name": NAME}, "update_mask": {"paths": ["ingress"]}}
        # As many as the server has threads: it can answer again only if they are let go.
        for _ in range(8):
            with pytest.raises(exceptions.DeadlineExceeded):
                cloud.services.update_service(request=request, timeout=0.05, retry=None)

        assert cloud.services.get_service(name=NAME, timeout=1, retry=None).name == NAME


def test_a_late_call_fails_and_is_carried_out_when_it_lands() -> None:
    """As a request that hung in the network does, after its sender gave it up."""
    with served(checkout()) as cloud:
        cloud.wire.inject(Fault(UPDATE, "late"))
        with pytest.raises(exceptions.ServiceUnavailable):
            cloud.update(["traffic"], traffic=[to(GOOD)])
        before = cloud.serving()
        cloud.wire.land()

        assert before == {(BAD, 100, "")}
        assert cloud.serving() == {(GOOD, 100, "")}


def test_an_empty_answer_is_a_message_in_which_nothing_is_set() -> None:
    with served(checkout()) as cloud:
        cloud.wire.inject(Fault("*/ListRevisions", "empty"))
        listed = [list(cloud.revisions.list_revisions(parent=NAME, timeout=5, retry=None)) for _ in range(2)]

        assert [len(one) for one in listed] == [0, 2]


def test_a_fault_falls_on_what_is_asked_for() -> None:
    with served(checkout()) as cloud:
        cloud.wire.inject(Fault(UPDATE, "error", code="PERMISSION_DENIED", asked="*traffic*", times=None))
        cloud.update(["ingress"], ingress=INTERNAL).result(timeout=5)
        with pytest.raises(exceptions.PermissionDenied):
            cloud.update(["traffic"], traffic=[to(GOOD)])


def test_what_is_done_as_a_call_arrives_comes_before_its_answer() -> None:
    wire, happened = Wire(), []
    wire.watch("*/Update*", lambda call: happened.append(call.method))
    ask(wire, UPDATE, lambda: happened.append("answered"))
    ask(wire, GET)

    assert happened == [UPDATE, "answered"]

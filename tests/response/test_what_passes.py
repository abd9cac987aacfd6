"""What is away comes back: nothing is final of it, nothing vanishes by it, and after ten minutes a person is asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from firebreak.core.errors import Transient
from sandbox.wire import Fault
from tests.laws.grounds import GROUNDS
from tests.response.conversation import (
    APPROVE,
    PIN_AND_CLOSE,
    asking,
    cautions,
    deliver,
    doing,
    later,
    now,
    order,
    phase,
    reasons,
    say,
    told,
    writes,
)
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.store import always, bad_day, never
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK
from tests.response.test_service_accounts import PAY, STEP
from tests.response.test_service_accounts import world_of as world_of_accounts

pytestmark = pytest.mark.thorough


def away(method: str, asked: str = "*") -> tuple[Fault, ...]:
    """Every call of this method ends in an error that may pass."""
    return (Fault(method, "error", code="INTERNAL", times=None, asked=asked),)


AWAY = {
    "Cloud Run": away("*/GetService"),
    "revisions": away("*/ListRevisions"),
    "IAM": away("*/GetIamPolicy"),
    "SCC": away("*/ListFindings"),
    "related": away("*/ListFindings", "*resource_name*"),
}
"""What cannot be reached, by a word that a question about it has."""
each = pytest.mark.parametrize("what", AWAY)
PUBLIC = "allUsers"


def public(on: Line) -> bool:
    """Whether anybody may call the service."""
    return any(PUBLIC in binding.members for binding in on.world.service("checkout").policy.bindings)


@each
def test_what_is_away_for_twelve_seconds_costs_a_delivery_and_nothing_else(line: Lines, what: str) -> None:
    """No question, no announcement, and no step fewer."""
    with line(policy=PIN_AND_CLOSE) as on:
        pair = on.finding()
        on.sandbox.wire.inject(*AWAY[what])
        with pytest.raises(Transient):
            on.respond(pair)
        during = told(on, next(on.app.ledger.newest(1)).incident), writes(on)
        on.sandbox.wire.clear_faults()
        on.wait(12)
        incident = on.respond(pair)

        assert during == ([], [])
        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]
        assert set(on.reachable) == {GOOD}
        assert not public(on)


@pytest.mark.parametrize("method", ["*/ListFindings", "*/GetService", "*/GetIamPolicy", "*/UpdateService"])
def test_a_login_that_is_not_accepted_for_a_moment_is_no_answer(line: Lines, method: str) -> None:
    """Only PERMISSION_DENIED says what Firebreak may do; after ten minutes a person is asked, as of any outage."""
    with line(policy=PIN_AND_CLOSE) as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault(method, "error", code="UNAUTHENTICATED", times=None))
        with pytest.raises(Transient):
            on.respond(pair)
        during = told(on, next(on.app.ledger.newest(1)).incident)
        on.sandbox.wire.clear_faults()
        on.wait(12)
        incident = on.respond(pair)

        assert during == []
        assert incident.phase == "contained"
        assert set(on.reachable) == {GOOD}


@each
def test_what_is_away_for_eleven_minutes_is_asked_about_by_name(line: Lines, what: str) -> None:
    """Ten minutes from when this message first met it; until then it is delivered again."""
    with line(policy=PIN_AND_CLOSE) as on:
        pair = on.finding()
        on.sandbox.wire.inject(*AWAY[what])
        for minutes in (0, 5, 4.5):
            on.wait(60 * minutes)
            with pytest.raises(Transient):
                on.respond(pair)
        on.wait(90)
        incident = on.respond(pair)

        assert incident.phase == "waiting"
        assert told(on, incident) == ["waiting"]
        assert what in reasons(on, incident) or "planted by the sandbox" in reasons(on, incident)
        assert writes(on) == []


@pytest.mark.parametrize(
    ("kind", "method", "policy"),
    [("job", "*/GetJob", STOP_AND_BLOCK), ("job", "*/ListExecutions", STOP_AND_BLOCK), ("pool", "*/GetWorkerPool", "")],
)
def test_what_is_away_on_a_job_or_a_pool_costs_a_delivery_and_nothing_else(
    line: Lines, kind: str, method: str, policy: str
) -> None:
    ground = GROUNDS["job" if kind == "job" else "worker_pool"]
    with line(ground.world(), policy=policy or ALWAYS) as on:
        pair = on.finding(workload=ground.workload)
        on.sandbox.wire.inject(*away(method))
        with pytest.raises(Transient):
            on.respond(pair)
        on.sandbox.wire.clear_faults()
        on.wait(12)
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]


@pytest.mark.parametrize("minutes", [0.2, 11])
def test_an_account_that_is_away_is_not_left_out_of_the_plan(line: Lines, minutes: float) -> None:
    """Asked about without it, a person would agree to less than the policy says."""
    with line(world_of_accounts(), policy=asking(doing("{action: pin_previous_revision}", STEP))) as on:
        pair = on.finding()
        on.sandbox.wire.inject(*away("*/GetServiceAccount"))
        with pytest.raises(Transient):
            on.respond(pair)
        on.wait(60 * minutes)
        if minutes < 10:
            on.sandbox.wire.clear_faults()
        incident = on.respond(pair)
        surfaces = {one["surface"] for one in now(on, incident)["plan"]["changes"]}

        assert incident.phase == "waiting"
        assert ("service_account" in surfaces) == (minutes < 10)
        assert minutes < 10 or PAY in reasons(on, incident) or "planted by the sandbox" in reasons(on, incident)


def test_an_answer_ends_the_ten_minutes_and_the_next_outage_has_its_own(line: Lines) -> None:
    """SCC first, then Cloud Run while SCC answers, then SCC again: neither was away for ten."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        for faults in (AWAY["SCC"], AWAY["Cloud Run"], AWAY["SCC"]):
            on.sandbox.wire.clear_faults()
            on.sandbox.wire.inject(*faults)
            with pytest.raises(Transient):
                on.respond(pair)
            on.wait(60 * 6)
        on.sandbox.wire.clear_faults()
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]


def test_the_ten_minutes_are_those_of_the_event_that_meets_it(line: Lines) -> None:
    """A further event of a contained finding, hours later: its own first delivery begins them."""
    with line(policy=ALWAYS) as on:
        on.respond(on.finding(minutes_ago=1))
        on.wait(3 * 3600)
        later_event = on.finding(minutes_ago=-179, workload=f"services/checkout/revisions/{GOOD}", image=7)
        on.sandbox.wire.inject(*AWAY["Cloud Run"])
        with pytest.raises(Transient):
            on.respond(later_event)
        on.sandbox.wire.clear_faults()
        incident = on.respond(later_event)

        assert phase(on, incident) == "waiting"
        assert told(on, incident) == ["contained", "waiting"]


@each
def test_what_is_away_at_an_approval_leaves_the_answer_to_its_next_delivery(line: Lines, what: str) -> None:
    with line(policy=asking(PIN_AND_CLOSE)) as on:
        incident = on.respond(on.finding())
        on.sandbox.wire.inject(*AWAY[what])
        yes = order(on, "approve", incident)
        with pytest.raises(Transient):
            deliver(on, yes)
        wrote = writes(on)
        on.sandbox.wire.clear_faults()
        on.wait(12)
        answered = deliver(on, yes)

        assert wrote == []
        assert answered.done, answered.says
        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["waiting", "contained"]


@pytest.mark.parametrize("policy", [ALWAYS, APPROVE], ids=["enforced", "approved"])
def test_a_write_that_is_not_taken_for_twelve_seconds_costs_a_delivery_and_nothing_else(
    line: Lines, policy: str
) -> None:
    """Neither a question nor a failure comes of it, and `otherwise` does not follow."""
    with line(policy=policy) as on:
        pair = on.finding()
        on.sandbox.wire.inject(*away("*/UpdateService"))
        if policy == ALWAYS:
            deliveries: Callable[[], object] = lambda: on.respond(pair)  # noqa: E731 - the same again, twice
        else:
            yes = order(on, "approve", on.respond(pair))
            deliveries = lambda: deliver(on, yes)  # noqa: E731
        with pytest.raises(Transient):
            deliveries()
        incident = next(on.app.ledger.newest(1)).incident
        on.sandbox.wire.clear_faults()
        on.wait(12)
        deliveries()

        assert phase(on, incident) == "contained"
        assert told(on, incident) == (["contained"] if policy == ALWAYS else ["waiting", "contained"])
        assert set(on.reachable) == {GOOD}
        assert on.world.service("checkout").service.ingress == 1


@pytest.mark.parametrize("what", ["Cloud Run", "SCC"])
def test_what_is_away_at_an_approval_for_eleven_minutes_is_a_question_of_its_own(line: Lines, what: str) -> None:
    """It names what the first one could not; the answer to that one was to less."""
    with line(policy=APPROVE) as on:
        incident = on.respond(on.finding())
        before = cautions(on, incident)
        on.sandbox.wire.inject(*AWAY[what])
        yes = order(on, "approve", incident)
        with pytest.raises(Transient):
            deliver(on, yes)
        on.wait(11 * 60)
        answered = deliver(on, yes)

        assert not answered.done
        assert phase(on, incident) == "waiting"
        assert cautions(on, incident) > before or "planted by the sandbox" in reasons(on, incident)
        assert writes(on) == []


def test_where_the_question_named_scc_an_approval_goes_on_without_it(line: Lines) -> None:
    """And the record says so; without that caution it would not."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        on.sandbox.wire.inject(*AWAY["SCC"])
        with pytest.raises(Transient):
            on.respond(pair)
        on.wait(11 * 60)
        incident = on.respond(pair)
        named = cautions(on, incident)
        answered = say(on, "approve", incident)

        assert "unconfirmed" in named
        assert answered.done, answered.says
        assert BAD not in on.reachable
        assert "not confirmed by SCC" in reasons(on, incident)
        assert [one["status"] for one in now(on, incident)["events"]] == ["counts"]
        assert BAD in str(now(on, incident)["events"])


@pytest.mark.parametrize("minutes", [0.2, 11])
def test_a_ledger_that_is_away_costs_deliveries_alone(line: Lines, minutes: float) -> None:
    """There is nowhere to put a question, and nothing is written of which nothing would be known."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        store = bad_day(on, always)
        for _ in range(2):
            with pytest.raises(Transient):
                on.respond(pair)
            on.wait(60 * minutes)
        during = writes(on)
        store.away = never
        incident = on.respond(pair)

        assert during == []
        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]


def test_what_is_away_when_its_message_is_given_up_is_carried_on_by_the_sweep(line: Lines) -> None:
    """Pub/Sub has dead-lettered it; it was claimed, and is not forgotten."""
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.inject(*AWAY["Cloud Run"])
        with pytest.raises(Transient):
            on.respond(on.finding())
        incident = next(on.app.ledger.newest(1)).incident
        on.sandbox.wire.clear_faults()
        later(on, 5)

        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["contained"]

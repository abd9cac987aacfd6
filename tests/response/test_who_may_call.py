"""Who may send requests: nobody unasked behind Identity-Aware Proxy; and what is unread for seconds is not left out."""

from __future__ import annotations

from typing import Any

import pytest

from firebreak.core.errors import Transient
from sandbox.wire import Fault
from tests.laws.grounds import GROUNDS
from tests.response.conversation import PIN_AND_CLOSE, doing, now, reasons, told, writes
from tests.response.harness import ALWAYS, GOOD, Line, Lines, world_of
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK
from tests.response.test_several_regions import ELSEWHERE, OTHER_GOOD, THERE, THERE_TOO, serving
from tests.response.test_several_regions import world_of as two_regions

pytestmark = pytest.mark.thorough

ONLY_PUBLIC = ALWAYS.replace("when: {", "when: {workload.public: true, ").replace(
    '{given: {finding.category: "Reverse Shell"}, expect: nothing}',
    "{given: {workload.public: false}, expect: nothing}",
)


def facts(on: Line, incident: Any) -> dict[str, Any]:
    (workload,) = (one for one in now(on, incident)["evidence"] if one["source"] == "workload")
    return dict(workload["facts"])


@pytest.mark.parametrize("invoker_iam_disabled", [False, True])
def test_behind_identity_aware_proxy_a_service_is_not_public(line: Lines, *, invoker_iam_disabled: bool) -> None:
    """Whatever its own IAM policy says: the proxy stands before all of its addresses."""
    service = {"iap": True, "invoker_iam_disabled": invoker_iam_disabled}
    with line(world_of(service=service), policy=ONLY_PUBLIC) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "declined"
        assert facts(on, incident)["workload.public"] is False


def test_what_is_still_open_behind_it_is_told_with_whom_it_lets_in(line: Lines) -> None:
    with line(world_of(service={"iap": True}), policy=doing("{action: revoke_public_access}")) as on:
        incident = on.respond(on.finding())
        left = "\n".join(now(on, incident)["still_open"])

        assert incident.phase == "contained"
        assert "by whomever Identity-Aware Proxy lets in" in left
        assert "by anybody" not in left


def iam_away(on: Line, place: str = "*") -> None:
    on.sandbox.wire.inject(Fault("*/GetIamPolicy", "error", "UNAVAILABLE", asked=place, times=None))


def test_of_a_further_region_it_costs_a_delivery_and_no_step(line: Lines) -> None:
    """Contained here and there; before, the step was left out where it could not be read."""
    with line(two_regions(*THERE_TOO), policy=PIN_AND_CLOSE) as on:
        pair = on.finding()
        iam_away(on, f"*{THERE}*")
        with pytest.raises(Transient):
            on.respond(pair)
        before = writes(on)
        on.sandbox.wire.clear_faults()
        incident = on.respond(pair)
        open_to_all = [name for name in on.world.services if "allUsers" in str(on.world.service(name).policy.bindings)]

        assert before == []
        assert incident.phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert open_to_all == []
        assert ELSEWHERE in on.world.services


def test_of_a_job_it_costs_a_delivery_and_no_step(line: Lines) -> None:
    ground = GROUNDS["job"]
    with line(ground.world(), policy=STOP_AND_BLOCK) as on:
        pair = on.finding(workload=ground.workload)
        iam_away(on)
        with pytest.raises(Transient):
            on.respond(pair)
        before = writes(on)
        on.sandbox.wire.clear_faults()
        incident = on.respond(pair)
        surfaces = {one["surface"] for one in now(on, incident)["plan"]["changes"]}

        assert before == []
        assert told(on, incident) == ["contained"]
        assert surfaces == {"executions", "job_iam"}


def test_unread_for_ten_minutes_a_person_is_asked_and_the_question_shows_what_is_left_out(line: Lines) -> None:
    """Never is it called contained without a word."""
    with line(policy=PIN_AND_CLOSE) as on:
        pair = on.finding()
        iam_away(on)
        with pytest.raises(Transient):
            on.respond(pair)
        on.wait(601)
        incident = on.respond(pair)

        assert incident.phase == "waiting"
        assert writes(on) == []
        assert "IAM" in reasons(on, incident)
        assert any("revoke_public_access" in one["action"] for one in now(on, incident)["plan"]["refusals"])

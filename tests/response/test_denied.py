"""A missing permission is no outage: it is said at once, the rest goes on, and nothing else is tried instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from sandbox.wire import Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS
from tests.response.answers import agreed
from tests.response.conversation import PIN_AND_CLOSE, asking, doing, now, phase, reasons, say, told, writes
from tests.response.harness import ALWAYS, BAD, GOOD, PIN_ONLY, Line, Lines, world_of
from tests.response.releases import OTHER_GOOD, THERE, in_two_regions, running_as
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK
from tests.response.test_several_regions import OTHER_BAD, THERE_TOO, serving
from tests.response.test_several_regions import world_of as world_of_regions
from tests.response.test_what_passes import public

CLOSE_AND_PIN = doing("{action: revoke_public_access}", "{action: pin_previous_revision}")
UNREAD: Mapping[str, tuple[Callable[[], World], str, str, str, str]] = {
    "service": (world_of, "services/checkout", PIN_AND_CLOSE, "*/GetIamPolicy", "revoke_public_access"),
    "job": (GROUNDS["job"].world, GROUNDS["job"].workload, STOP_AND_BLOCK, "*/GetIamPolicy", "block_runs"),
    "account": (
        running_as,
        "services/checkout",
        doing("{action: pin_previous_revision}", "{action: disable_service_account}"),
        "*/GetServiceAccount",
        "disable_service_account",
    ),
}
"""A world, what the finding is about, a policy, what may not be read there, and the step that needs it."""
NO_TRAFFIC = Fault("*/UpdateService", "error", code="PERMISSION_DENIED", asked="*traffic*", times=None)


def deny(on: Line, method: str, routed: str = "*") -> None:
    on.sandbox.wire.inject(Fault(method, "error", code="PERMISSION_DENIED", routed=routed, times=None))


@pytest.mark.parametrize("policy", [PIN_AND_CLOSE, CLOSE_AND_PIN], ids=["pin first", "pin last"])
def test_where_a_write_is_denied_the_rest_is_done_and_what_is_left_is_named(line: Lines, policy: str) -> None:
    with line(policy=policy) as on:
        on.sandbox.wire.inject(NO_TRAFFIC)
        incident = on.respond(on.finding())
        left = "\n".join(now(on, incident)["still_open"])

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]
        assert not public(on)
        assert BAD in on.reachable
        assert "pin_previous_revision" in left or "service.traffic.split" in left
        assert "PERMISSION_DENIED" in left


@pytest.mark.parametrize("method", ["*/GetService", "*/ListRevisions"])
def test_where_nothing_may_be_read_what_was_not_done_is_named_until_a_retry_does_it(line: Lines, method: str) -> None:
    with line(policy=PIN_ONLY) as on:
        deny(on, method)
        incident = on.respond(on.finding())
        left = now(on, incident)["still_open"]
        on.sandbox.wire.clear_faults()
        on.retry(incident)

        assert incident.phase == "failed"
        assert ["pin_previous_revision was not done" in one and "PERMISSION_DENIED" in one for one in left] == [True]
        assert phase(on, incident) == "contained"
        assert not any("was not done" in one for one in now(on, incident)["still_open"])


@pytest.mark.parametrize("method", ["*/SetIamPolicy", "*/GetIamPolicy"])
def test_a_review_still_names_what_was_left_undone(line: Lines, method: str) -> None:
    """Another look at the settings tells what is open by now, not what was to be done and was not."""
    with line(policy=PIN_AND_CLOSE) as on:
        deny(on, method)
        incident = on.respond(on.finding())
        before = now(on, incident)["still_open"]
        on.sandbox.wire.clear_faults()
        on.wait(4 * 3600 + 5)
        swept = on.sweep().done
        after = [one for one in now(on, incident)["still_open"] if "revoke_public_access" in one]

        assert swept["reviewed"] == 1
        assert after == [one for one in before if "revoke_public_access" in one] != []


@pytest.mark.parametrize("kind", ["service", "job", "account"])
def test_what_a_step_could_not_even_read_is_no_plan_that_is_in_force(line: Lines, kind: str) -> None:
    """Headline, sentence and urgency say so, as they do where its write was denied."""
    world, workload, policy, method, step = UNREAD[kind]
    with line(world(), policy=policy) as on:
        deny(on, method)
        incident = agreed(on, on.respond(on.finding(workload=workload)))
        shown = now(on, incident)

        assert incident.phase == "contained"
        assert shown["now"] == f"CONTAINED IN PART: {step} was not done; the rest is in force."
        assert any(step in one and "could not be read" in one for one in shown["still_open"])
        assert compose(incident).urgency == "act"
        assert "CONTAINED IN PART" in plain_text(compose(incident))


@pytest.mark.parametrize("policy", [PIN_AND_CLOSE, CLOSE_AND_PIN], ids=["pin first", "pin last"])
def test_where_iam_may_not_be_read_the_pin_is_made_and_the_step_is_named(line: Lines, policy: str) -> None:
    """Unread is not the same as nothing to do, and ten minutes would not help."""
    with line(policy=policy) as on:
        deny(on, "*/GetIamPolicy")
        incident = on.respond(on.finding())
        left = "\n".join(now(on, incident)["still_open"])

        assert incident.phase == "contained"
        assert set(on.reachable) == {GOOD}
        assert public(on)
        assert "revoke_public_access" in left
        assert "PERMISSION_DENIED" in left


@pytest.mark.parametrize("method", ["*/GetService", "*/UpdateService"])
def test_a_perimeter_that_refuses_is_named_as_such_and_not_as_a_missing_role(line: Lines, method: str) -> None:
    """With the identifier by which the perimeter's own log is searched."""
    said = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: Ab3dEf"
    with line(policy=PIN_ONLY) as on:
        on.sandbox.wire.inject(Fault(method, "error", code="PERMISSION_DENIED", message=said, times=None))
        incident = on.respond(on.finding())
        record = str(on.shown(on.read(incident)))

        assert incident.phase == "failed"
        assert "a VPC Service Controls perimeter refuses the call, which no role would change" in record
        assert "Ab3dEf" in record


def test_where_a_write_is_denied_nothing_takes_its_place(line: Lines) -> None:
    """`otherwise` is for what cannot be done, not for what may not: it would cut off whom a grant would have spared."""
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.inject(NO_TRAFFIC)
        incident = on.respond(on.finding())

        assert incident.phase == "failed"
        assert on.world.service("checkout").service.ingress == 1
        assert len(writes(on)) == 1
        assert "PERMISSION_DENIED" in reasons(on, incident)
        assert told(on, incident) == ["failed"]


def test_where_an_approved_write_is_denied_nothing_takes_its_place_either(line: Lines) -> None:
    """The question showed the fallback, too."""
    with line(policy=asking(ALWAYS)) as on:
        incident = on.respond(on.finding())
        on.sandbox.wire.inject(NO_TRAFFIC)
        answered = say(on, "approve", incident)

        assert not answered.done
        assert "PERMISSION_DENIED" in answered.says
        assert phase(on, incident) == "failed"
        assert on.world.service("checkout").service.ingress == 1


@pytest.mark.parametrize("method", ["*/GetService", "*/ListRevisions"])
def test_a_target_that_may_not_be_read_is_said_at_once(line: Lines, method: str) -> None:
    """Not after ten minutes, and not by cutting off what nobody has seen."""
    with line(policy=ALWAYS) as on:
        deny(on, method)
        incident = on.respond(on.finding())

        assert incident.phase in ("waiting", "failed")
        assert told(on, incident) == [incident.phase]
        assert "PERMISSION_DENIED" in reasons(on, incident)
        assert writes(on) == []


@pytest.mark.parametrize("method", ["*/GetService", "*/ListRevisions"])
def test_a_further_region_that_may_not_be_read_is_asked_about_at_once(line: Lines, method: str) -> None:
    """A person may contain the rest."""
    with line(world_of_regions(*THERE_TOO), policy=PIN_ONLY) as on:
        deny(on, method, "*us-east1*")
        incident = on.respond(on.finding())
        before = phase(on, incident), told(on, incident), writes(on)
        answered = say(on, "approve", incident)

        assert before == ("waiting", ["waiting"], [])
        assert "us-east1" in reasons(on, incident)
        assert answered.done, answered.says
        assert serving(on) == [[GOOD], [OTHER_BAD]]


def test_a_further_region_whose_grants_may_not_be_read_is_asked_about_at_once(line: Lines) -> None:
    """A yes does the rest, and what was not done there stays named."""
    with line(in_two_regions(), policy=PIN_AND_CLOSE) as on:
        deny(on, "*/GetIamPolicy", f"*{THERE}*")
        incident = on.respond(on.finding())
        before = phase(on, incident), told(on, incident), writes(on)
        why = reasons(on, incident)
        answered = say(on, "approve", incident)
        left = "\n".join(now(on, incident)["still_open"])

        assert before == ("waiting", ["waiting"], [])
        assert THERE in why
        assert "service_iam could not be read: PERMISSION_DENIED" in why
        assert answered.done, answered.says
        assert phase(on, incident) == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]
        assert f"revoke_public_access was not done: {THERE}" in left


def test_the_only_step_that_could_not_be_read_is_named_with_the_reason_where_it_is_asked_about(line: Lines) -> None:
    """The question says why there is nothing to say yes to, and nothing else takes the step's place."""
    with line(policy=doing("{action: revoke_public_access, otherwise: [{action: cut_traffic}]}")) as on:
        deny(on, "*/GetIamPolicy")
        incident = on.respond(on.finding())
        left, why = now(on, incident)["still_open"], now(on, incident)["history"][-1]["what"]
        on.sandbox.wire.clear_faults()
        on.retry(incident)

        assert incident.phase == "waiting"
        assert writes(on) != []
        assert ["revoke_public_access was not done" in one and "PERMISSION_DENIED" in one for one in left] == [True]
        assert left[0] in why
        assert on.world.service("checkout").service.ingress == 1
        assert phase(on, incident) == "contained"
        assert not any("was not done" in one for one in now(on, incident)["still_open"])


def test_an_scc_that_may_not_be_asked_is_asked_about_at_once(line: Lines) -> None:
    """Nobody's waiting would change it; the question names it."""
    with line(policy=ALWAYS) as on:
        deny(on, "*/ListFindings")
        incident = on.respond(on.finding())

        assert incident.phase == "waiting"
        assert "unconfirmed" in now(on, incident)["question"]["cautions"]
        assert writes(on) == []


def test_a_grant_that_comes_later_helps_whoever_has_it_decided_anew(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.inject(NO_TRAFFIC)
        incident = on.respond(on.finding())
        on.sandbox.wire.clear_faults()
        answered = on.retry(incident)

        assert answered.done, answered.says
        assert phase(on, incident) == "contained"
        assert set(on.reachable) == {GOOD}

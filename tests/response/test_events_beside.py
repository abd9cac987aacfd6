"""Events that SCC does not hold, has passed, or holds muted, beside the one that counts: over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from firebreak.core.incidents.command import Command
from firebreak.core.incidents.incident import Incident
from firebreak.response import pipeline
from sandbox.scc.notification_variants import muted
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import mute, put_finding, set_state
from sandbox.wire import Fault
from tests.response.answers import agreed, asked, cautions, cut_short, delivered, no, now, phase, yes
from tests.response.deployments import APPROVED, UNANSWERED
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, ON_LATEST, Line, Lines, world_of
from tests.response.roads import A_SWEEP_LATER
from tests.response.test_events_together import ALSO, event, two_suspects

pytestmark = pytest.mark.thorough

PINNED = {GOOD: {"percent"}}


def forged(on: Line, minutes_ago: float, suspect: str = GOOD) -> Pair:
    """A message that somebody else published: SCC holds no such event of the finding."""
    workload = f"services/checkout/revisions/{suspect}"
    return on.finding(held=False, workload=workload, image=7, minutes_ago=minutes_ago)


def of_another_source(on: Line, minutes_ago: float) -> Pair:
    """SCC holds it, from a source that firebreak.yaml does not name: on what would take over."""
    workload = f"services/checkout/revisions/{GOOD}"
    return on.finding(source="9999", finding_id="theirs", workload=workload, image=7, minutes_ago=minutes_ago)


def of_another_service(on: Line, minutes_ago: float) -> Pair:
    """The same finding, and another workload than SCC holds it for."""
    return on.finding(held=False, workload="services/basket", image=7, minutes_ago=minutes_ago)


FOREIGN: Mapping[str, Callable[[Line, float], Pair]] = {
    "that SCC does not hold": forged,
    "of a source that is not allowed": of_another_source,
    "on another service": of_another_service,
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("policy", [APPROVED, UNANSWERED], ids=["a yes", "an expiry"])
def test_an_event_that_does_not_count_changes_no_question_and_bars_no_answer(
    line: Lines, kind: str, policy: str
) -> None:
    """Else whoever can publish a message could put every containment off."""
    with line(policy=policy) as on:
        incident = on.respond(event(on, BAD, 3))
        first = asked(on, incident)
        delivered(on, FOREIGN[kind](on, 2))
        second = asked(on, incident)
        if policy == APPROVED:
            yes(on, incident, first["digest"])
        else:
            on.wait(1801)
            on.sweep()

        assert second == first
        assert phase(on, incident) == "contained"
        assert on.reachable == PINNED


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_event_that_does_not_count_lowers_nothing_before_the_first_write(line: Lines, kind: str) -> None:
    with line(policy=ALWAYS) as on:
        first = event(on, BAD, 3)
        incident = cut_short(on, first)
        delivered(on, FOREIGN[kind](on, 2))
        delivered(on, first)

        assert phase(on, incident) == "contained"
        assert on.reachable == PINNED
        assert cautions(on, incident) == set()


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_event_that_does_not_count_leaves_what_is_contained_and_its_release_as_they_are(
    line: Lines, kind: str
) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(event(on, BAD, 3))
        delivered(on, FOREIGN[kind](on, 2))
        between = (phase(on, incident), on.reachable, len(on.updates))
        released = on.release(incident)

        assert between == ("contained", PINNED, 1)
        assert released.done, released.says
        assert phase(on, incident) == "released"
        assert on.reachable == {BAD: {"percent"}}


@pytest.mark.parametrize("minutes_ago", [2.0, -5.0, 125.0], ids=["a minute before", "dated later", "two hours before"])
def test_a_forged_event_that_comes_first_neither_ends_nor_ages_nor_aims_the_one_that_counts(
    line: Lines, minutes_ago: float
) -> None:
    """It waits beside it; the real one is contained as if the other had never come."""
    with line(policy=ALWAYS) as on:
        delivered(on, forged(on, minutes_ago))
        incident = on.respond(event(on, BAD, 1))

        # One dated earlier may be an event that SCC has passed: a person is asked, after what counts has been done.
        assert phase(on, incident) in (("contained",) if minutes_ago < 0 else ("contained", "waiting"))
        assert on.reachable == PINNED
        assert len(on.updates) == 1


def test_a_forged_event_alone_waits_for_scc_and_writes_nothing(line: Lines) -> None:
    """Announced once, with what it waits for."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(forged(on, 2))
        on.wait(A_SWEEP_LATER)
        on.sweep()

        assert phase(on, incident) == "deferred"
        assert on.updates == ()
        assert [one["phase"] for one in on.announced] == ["deferred"]


@pytest.mark.parametrize("policy", [ALWAYS, APPROVED], ids=["enforced", "approved"])
def test_an_event_that_scc_confirms_late_is_decided_with_the_one_before(line: Lines, policy: str) -> None:
    """Its message was quicker than SCC's own listing."""
    with line(two_suspects(), policy=policy) as on:
        incident = on.respond(event(on, BAD, 3))
        pair = event(on, ALSO, 2, held=False)
        delivered(on, pair)
        before = (len(asked(on, incident)["events"]), len(on.updates))
        put_finding(on.world, pair["finding"], pair["resource"])
        for _ in range(2):
            on.wait(A_SWEEP_LATER)
            on.sweep()
        agreed(on, incident)

        assert before == ((0, 1) if policy == ALWAYS else (1, 0))
        assert phase(on, incident) == "contained"
        assert on.reachable == PINNED


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_what_only_a_message_names_that_scc_has_passed_is_asked_about_after_what_counts(
    line: Lines, answer: str
) -> None:
    """SCC keeps the newest state alone. Whether the earlier one was as its message says, a person decides."""
    with line(world_of(traffic=(*ON_LATEST, {"revision": GOOD, "tag": "stable"})), policy=ALWAYS) as on:
        passed = event(on, GOOD, 3)
        event(on, BAD, 2)
        incident = on.respond(passed)
        first = (phase(on, incident), BAD in on.reachable, set(on.reachable))
        told = str(now(on, incident))
        if answer == "yes":
            agreed(on, incident)
        else:
            no(on, incident)

        assert first == ("waiting", False, {GOOD})
        assert asked(on, incident)["digest"]
        assert GOOD in told
        assert phase(on, incident) == "contained"
        assert set(on.reachable) == ({OLD} if answer == "yes" else {GOOD})


def test_a_message_that_scc_has_passed_and_that_names_nobody_else_needs_no_question(line: Lines) -> None:
    """It is decided as the event that SCC holds now."""
    with line(policy=ALWAYS) as on:
        passed = event(on, BAD, 3)
        event(on, BAD, 2)
        incident = on.respond(passed)

        assert phase(on, incident) == "contained"
        assert on.reachable == PINNED
        assert len(on.updates) == 1


def test_a_message_that_scc_has_passed_comes_late_to_what_is_contained(line: Lines) -> None:
    """It names another revision, which still serves: nothing is opened or closed without a yes."""
    with line(two_suspects(), policy=ALWAYS) as on:
        passed = event(on, ALSO, 3)
        incident = on.respond(event(on, BAD, 2))
        later = on.respond(passed)
        between = (phase(on, incident), set(on.reachable), len(on.updates))
        agreed(on, incident)

        assert later.id == incident.id
        assert between == ("waiting", {GOOD, ALSO}, 1)
        assert phase(on, incident) == "contained"
        assert on.reachable == PINNED


JUDGED: Mapping[str, Callable[[Line, Incident], object]] = {
    "released": lambda on, one: on.release(one),
    "closed": lambda on, one: on.close(one, "benign"),
}


@pytest.mark.parametrize("how", JUDGED)
def test_what_only_a_passed_message_names_is_asked_about_where_an_incident_that_is_over_has_what_scc_holds(
    line: Lines, how: str
) -> None:
    """What that incident decided is not decided again, and nobody waits a day for what does not pass."""
    with line(two_suspects(), policy=ALWAYS if how == "released" else APPROVED) as on:
        on.sweep()
        passed = event(on, ALSO, 3)
        judged = on.respond(event(on, BAD, 2))
        JUDGED[how](on, judged)
        later = on.respond(passed)
        asks = phase(on, later), cautions(on, later)
        answered = agreed(on, later)

        assert phase(on, judged) == how
        assert later.id != judged.id
        assert asks[0] == "waiting"
        assert "passed" in asks[1]
        assert answered.phase == "contained"
        assert BAD in on.reachable
        assert ALSO not in on.reachable


@pytest.mark.parametrize("answer", ["yes", "no"])
@pytest.mark.parametrize("stands", [False, True], ids=["nothing stands", "contained before"])
def test_a_no_to_what_counts_is_none_to_what_only_a_passed_message_names(
    line: Lines,
    answer: str,
    stands: bool,  # noqa: FBT001 - a case
) -> None:
    """The question that was answered did not show it: a person is asked about it by a question of its own."""
    with line(two_suspects(), policy=APPROVED) as on:
        passed = event(on, ALSO, 3)
        incident = on.respond(event(on, BAD, 2))
        if stands:
            agreed(on, incident)
            incident = on.respond(event(on, GOOD, 1))
        on.respond(passed)
        shown = asked(on, incident)["digest"]
        order = Command("the-no", "reject", "ada", incident.id, digest=shown, sent_ns=on.app.now_ns())
        said = pipeline.execute(on.app, order)
        between = phase(on, incident), "passed" in cautions(on, incident), ALSO in on.reachable
        again = pipeline.execute(on.app, replace(order, id="the-no-delivered-again"))
        if answer == "yes":
            agreed(on, incident)
        else:
            no(on, incident)

        assert said.done, said.says
        assert again.done, again.says
        assert between == ("waiting", True, True)
        assert phase(on, incident) == ("contained" if answer == "yes" or stands else "rejected")
        assert (ALSO in on.reachable) == (answer == "no")


def test_a_no_while_scc_is_away_counts_and_asks_on_what_is_known(line: Lines) -> None:
    with line(two_suspects(), policy=APPROVED) as on:
        passed = event(on, ALSO, 3)
        incident = on.respond(event(on, BAD, 2))
        on.respond(passed)
        on.sandbox.wire.inject(Fault("*SecurityCenter*", "error", code="UNAVAILABLE", times=99))
        said = no(on, incident)

        assert said.done, said.says
        assert phase(on, incident) == "waiting"
        assert {"passed", "unconfirmed"} <= cautions(on, incident)


def test_a_passed_message_that_names_what_was_judged_is_declined_at_once(line: Lines) -> None:
    """SCC will never hold it again."""
    with line(two_suspects(), policy=ALWAYS) as on:
        on.sweep()
        passed = event(on, BAD, 3)
        on.release(on.respond(event(on, BAD, 2)))
        later = on.respond(passed)

        assert phase(on, later) == "declined"
        assert asked(on, later)["digest"] == ""


def silenced(on: Line, incident: Incident) -> None:
    mute(on.world, incident.finding.name.spellings[0])


def settled(on: Line, incident: Incident) -> None:
    set_state(on.world, incident.finding.name.spellings[0], "INACTIVE")


SETTLED: Mapping[str, Callable[[Line, Incident], None]] = {"muted": silenced, "INACTIVE": settled}


@pytest.mark.parametrize("how", SETTLED)
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_a_yes_to_a_finding_that_is_settled_meanwhile_waits_and_a_later_event_is_asked_about_anew(
    line: Lines,
    how: str,
    told: bool,  # noqa: FBT001 - a case
) -> None:
    """What is muted for a moment is not over, and neither is it carried out."""
    with line(two_suspects(), policy=APPROVED) as on:
        pair = event(on, BAD, 3)
        incident = on.respond(pair)
        shown = asked(on, incident)["digest"]
        SETTLED[how](on, incident)
        if told:
            delivered(on, muted(pair) if how == "muted" else {**pair, "finding": on.world.findings[0]["finding"]})
        stopped = yes(on, incident, shown)
        between = (phase(on, incident), on.updates)
        later = on.respond(event(on, ALSO, -0.2))
        standing = (phase(on, incident), on.updates)
        late = yes(on, incident, shown)
        agreed(on, incident)

        assert not stopped.done
        assert between == ("deferred", ())
        assert later.id == incident.id
        assert standing == ("waiting", ())
        assert not late.done
        assert phase(on, incident) == "contained"
        assert on.reachable == PINNED


def test_a_muted_event_before_the_write_leaves_it_unwritten_until_one_that_is_not(line: Lines) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        first = event(on, BAD, 3)
        incident = cut_short(on, first)
        second = muted(event(on, BAD, 2))
        put_finding(on.world, second["finding"], second["resource"])
        delivered(on, second)
        delivered(on, first)
        between = (phase(on, incident), BAD in on.reachable)
        on.respond(event(on, ALSO, 1))
        agreed(on, incident)

        assert between == ("deferred", True)
        assert phase(on, incident) == "contained"
        assert on.reachable == PINNED


def test_a_deleted_finding_s_last_message_ends_no_question_about_one_that_scc_still_holds(line: Lines) -> None:
    """Whoever can publish could say that it was deleted; SCC is asked, and holds it."""
    with line(policy=APPROVED) as on:
        pair = event(on, BAD, 3)
        incident = on.respond(pair)
        first = asked(on, incident)
        on.respond(notification_v2(pair, deleted=True))
        second = asked(on, incident)
        answered = yes(on, incident, first["digest"])

        assert second == first
        assert answered.done, answered.says
        assert on.reachable == PINNED

"""What a message says that SCC does not confirm ends nothing, marks nothing and asks nobody outside; over the wire."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import pytest

from sandbox.scc.notification_variants import inactive
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.wire import Call, Fault, Refusal
from tests.response.answers import agreed, asked, delivered, now, phase
from tests.response.harness import ALWAYS, BAD, KNOWN, Line, Lines
from tests.response.roads import A_SWEEP_LATER
from tests.response.test_events_beside import forged
from tests.response.test_events_together import ALSO, event, two_suspects

HOUR = 3600.0
FIND = "*/ListFindings"


def with_category(pair: Pair, category: str) -> Pair:
    told = copy.deepcopy(pair)
    told["finding"]["category"] = category
    return told


ENDING: Mapping[str, Callable[[Pair], bytes]] = {
    "deleted": lambda pair: notification_v2(pair, deleted=True),
    "inactive": lambda pair: notification_v2(inactive(pair, pair["finding"]["eventTime"])),
    "of another category": lambda pair: notification_v2(with_category(pair, "Nothing Known")),
}


@pytest.mark.thorough
@pytest.mark.parametrize("told", ENDING)
def test_a_copy_that_tells_it_otherwise_ends_nothing_that_is_not_decided_yet(line: Lines, told: str) -> None:
    """Cloud Run was away when the real message came; the copy with its very time comes meanwhile."""
    with line(policy=ALWAYS) as on:
        pair = event(on, BAD, 1)
        on.sandbox.wire.inject(Fault("*/GetService", "error", code="UNAVAILABLE", times=None))
        taken = delivered(on, pair)
        incident = next(on.app.ledger.newest(1)).incident
        delivered(on, ENDING[told](pair))
        between = phase(on, incident)
        on.sandbox.wire.clear_faults()
        delivered(on, pair)

        assert not taken
        assert between == "received"
        assert phase(on, incident) == "contained"


def test_a_message_of_what_was_deleted_or_muted_is_declined_unread(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(notification_v2(event(on, BAD, 1), deleted=True))

        assert phase(on, incident) == "declined"
        assert on.sandbox.wire.calls_to(FIND) == ()


@pytest.mark.parametrize("moment", ["not listed", "muted"])
def test_a_moment_s_gap_after_a_halt_of_days_gives_nothing_up(line: Lines, moment: str) -> None:
    """What is given up after a day was not held, or was muted, for that day; a halt says nothing of it."""
    with line(policy=ALWAYS) as on:
        on.command("halt", reason="a drill")
        pair = event(on, BAD, 1)
        incident = on.respond(pair)
        for _ in range(3):
            on.wait(9 * HOUR)
            on.sweep()
        on.command("resume")
        held = on.world.findings[:]
        if moment == "muted":
            on.world.findings[0]["finding"]["mute"] = "MUTED"
        else:
            on.world.findings.clear()
        on.wait(A_SWEEP_LATER)
        on.sweep()
        gap = phase(on, incident)
        on.world.findings[:] = held
        on.world.findings[0]["finding"]["mute"] = "UNDEFINED"
        on.wait(A_SWEEP_LATER)
        on.sweep()

        assert gap == "deferred"
        assert phase(on, incident) == "waiting", "it is stale by then"


def abroad(pair: Pair, name: str) -> Pair:
    """The message's finding lies, by this one of its names, under a project that is not ours."""
    told = copy.deepcopy(pair)
    _, _, local = told["finding"][name].partition("/sources/")
    told["finding"][name] = f"projects/intruders-own/sources/{local}"
    if name == "name":
        del told["finding"]["canonicalName"]
    return told


@pytest.mark.parametrize("name", ["name", "canonicalName"])
def test_a_finding_by_a_name_under_somebody_else_s_project_is_looked_for_only_in_ours(line: Lines, name: str) -> None:
    """There Security Command Center may refuse Firebreak, which says nothing of the finding; nobody is asked."""

    def refuses(call: Call) -> None:
        if call.request.parent.startswith("projects/intruders-own/"):
            raise Refusal("PERMISSION_DENIED", "you have no access there")

    with line(policy=ALWAYS) as on:
        on.sandbox.wire.watch(FIND, refuses)
        incident = on.respond(abroad(event(on, BAD, 1, held=False), name))
        parents = {call.request.parent.partition("/sources/")[0] for call in on.sandbox.wire.calls_to(FIND)}

        assert phase(on, incident) == ("declined" if name == "name" else "deferred")
        assert "projects/intruders-own" not in parents
        assert not asked(on, incident)["digest"]


def test_a_refusal_beside_the_organization_s_own_answer_asks_nobody(line: Lines) -> None:
    """Only where none of them answers is it not known whether Security Command Center holds the finding."""

    def refuses(call: Call) -> None:
        if call.request.parent.startswith("projects/"):
            raise Refusal("PERMISSION_DENIED", "you have no access there")

    with line(policy=ALWAYS) as on:
        on.sandbox.wire.watch(FIND, refuses)
        incident = on.respond(event(on, BAD, 1, held=False))

        assert phase(on, incident) == "deferred"


def marked(on: Line) -> set[str]:
    calls = on.sandbox.wire.calls_to("*/UpdateSecurityMarks")
    return {str(call.request.security_marks.name) for call in calls}


@pytest.mark.parametrize("held", ["with another category", "for another service", "not at all"])
def test_a_finding_is_marked_only_once_scc_holds_what_was_told(line: Lines, held: str) -> None:
    """Else whoever can publish a message could mark any finding of the organization."""
    with line(policy=ALWAYS, FIREBREAK_SCC_MARKS="on") as on:
        pair = event(on, BAD, 1, held=held != "not at all")
        told = copy.deepcopy(pair)
        if held == "with another category":
            on.world.findings[0]["finding"]["category"] = "Public bucket"
        if held == "for another service":
            told = elsewhere(pair)
        on.respond(told)

        assert marked(on) == set()


def test_what_scc_confirms_is_marked(line: Lines) -> None:
    with line(policy=ALWAYS, FIREBREAK_SCC_MARKS="on") as on:
        on.respond(event(on, BAD, 1))

        assert len(marked(on)) == 1


def test_what_has_ended_is_not_due_for_an_event_that_scc_does_not_hold(line: Lines) -> None:
    """Of a source that is not allowed: whoever makes those up must not keep the sweep from what is due."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding(held=False, source="9999"))
        on.wait(A_SWEEP_LATER)

        assert phase(on, incident) == "monitored"
        assert on.read(incident).due_ns is None
        assert on.sweep().done == {}


def test_what_scc_has_passed_unseen_is_not_told_as_confirmed(line: Lines) -> None:
    """Whoever is asked about it reads that Security Command Center never held it."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(event(on, BAD, 1))
        on.respond(forged(on, 10))
        shown = now(on, incident)
        told = shown["history"][-1]["what"]

        assert shown["phase"] == "waiting"
        assert "was not confirmed by SCC" in told


def test_what_was_released_is_not_opened_anew_by_the_message_that_once_began_it(line: Lines) -> None:
    """SCC held a later event than that told of, which was contained; it never came to hold the first one."""
    with line(policy=ALWAYS) as on:
        made_up = forged(on, -30)
        incident = on.respond(made_up)
        on.respond(event(on, BAD, 1))
        contained = phase(on, incident)
        on.release(incident)
        for _ in range(2):
            on.wait(25 * HOUR)
            on.respond(made_up)
            on.sweep()

        assert contained == "contained"
        assert phase(on, incident) == "released"
        assert BAD in on.reachable


def test_the_event_that_began_what_was_released_is_decided_once_scc_holds_it(line: Lines) -> None:
    """Its own suspects are asked about; what a person released with the other event is not."""
    with line(two_suspects(), policy=ALWAYS) as on:
        first = event(on, ALSO, -1, held=False)
        incident = on.respond(first)
        on.respond(event(on, BAD, 3))
        on.release(incident)
        put_finding(on.world, first["finding"], first["resource"])
        on.respond(first)
        then = phase(on, incident)
        agreed(on, incident)

        assert then == "waiting"
        assert set(on.reachable) == {BAD}


@pytest.mark.parametrize("told", [True, False], ids=["told", "found by the look at SCC alone"])
def test_an_older_event_that_is_made_up_does_not_have_anything_decided_again(
    line: Lines,
    told: bool,  # noqa: FBT001 - a case
) -> None:
    """SCC holds the one event that a person has judged; whoever dates a message before it asks nobody once more."""
    with line(policy=ALWAYS) as on:
        on.sweep()
        real = event(on, BAD, 1)
        incident = on.respond(real if told else forged(on, 5, BAD))
        on.release(incident)
        again = on.respond(forged(on, 10, BAD))
        for _ in range(2):
            on.wait(25 * HOUR)
            on.sweep()
        phases = [one.incident.phase for one in on.app.ledger.newest(5)]

        assert not asked(on, again)["digest"]
        assert sorted(phases) == ["declined", "released"]
        assert set(on.reachable) == {BAD}


def elsewhere(pair: Pair) -> Pair:
    """The same event, told of another service."""
    told = copy.deepcopy(pair)
    for part, key in (("finding", "resourceName"), ("resource", "name")):
        told[part][key] = told[part][key].replace("services/checkout", "services/basket")
    return told


@pytest.mark.parametrize("by", ["its own message", "a sweep"])
@pytest.mark.parametrize("first", ["the copy", "the real one"])
def test_a_copy_that_comes_before_scc_holds_the_event_aims_nothing_elsewhere_for_longer_than_a_message(
    line: Lines, first: str, by: str
) -> None:
    """Its own message once more, or the next look at what SCC holds, and it is contained where SCC says."""
    with line(policy=ALWAYS) as on:
        on.sweep()
        real = event(on, BAD, 1, held=False)
        both = [elsewhere(real), real] if first == "the copy" else [real, elsewhere(real)]
        told = [on.respond(one) for one in both]
        before = phase(on, told[0])
        put_finding(on.world, real["finding"], real["resource"])
        if by == "a sweep":
            on.wait(A_SWEEP_LATER)
            on.sweep()
        else:
            on.respond(real)

        assert before == "deferred"
        assert phase(on, told[1]) == "contained"
        assert BAD not in on.reachable


def hashes_asked(on: Line) -> list[str]:
    return [str(call.request).rpartition("/")[2] for call in on.sandbox.wire.calls_to("virustotal/GET files")]


def test_whoever_can_publish_uses_up_no_quota_and_what_scc_holds_is_asked_about(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without VirusTotal's word no known malware would be contained without a person, for a day."""
    monkeypatch.setattr("firebreak.response.app._MOST_AHEAD", 2)
    with line() as on:
        for number in range(4):
            on.respond(on.finding(finding_id=f"u{number}", held=False, sha256=f"{number:064x}"))
        made_up = hashes_asked(on)
        incident = on.respond(on.finding())

        assert made_up == [f"{number:064x}" for number in range(2)]
        assert (incident.phase, hashes_asked(on)[2:]) == ("contained", [KNOWN])


def test_virustotal_is_not_asked_about_findings_of_sources_that_lead_to_no_write(line: Lines) -> None:
    """Their owner could make up any number of them, and SCC would hold each; all else about them is read."""
    with line() as on:
        incident = on.respond(on.finding(source="9999"))
        told = next(one for one in incident.evidence if one.source == "virustotal")

        assert hashes_asked(on) == []
        assert "sources that firebreak.yaml does not list" in str(told.gap)
        assert any(one.source == "workload" and one.facts for one in incident.evidence)

"""The way back goes key by key: what is refused stays held and blocks nothing else; what is said is so now."""

from __future__ import annotations

import pytest

from firebreak.core.messages.composing import compose
from firebreak.core.messages.plain_text import plain_text
from sandbox.wire import Meanwhile
from tests.response.harness import BAD, GOOD, OLD, SERVICE, Line, Lines, world_of
from tests.response.releases import (
    CUT,
    DIRECT,
    INGRESS,
    PIN,
    PUBLIC,
    REVOKE,
    SPLIT,
    approve,
    contained,
    details,
    doors,
    half_released,
    is_public,
    phase,
    policy,
    results,
    serving,
    tags,
    writes,
)

CANARY = "service.traffic.tag.canary"


def test_what_an_organization_policy_refuses_blocks_nothing_else(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        on.world.admits_public_members = False
        answered = on.release(incident)

        assert serving(on) == {BAD: 100}
        assert not is_public(on)
        assert not answered.done
        assert phase(on, incident) == "releasing"
        assert results(on, incident) == {SPLIT: "restored", PUBLIC: "refused"}
        assert "permitted customer" in details(on, incident)[PUBLIC]


def test_said_again_it_tries_only_what_was_refused(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        before = len(writes(on))
        on.world.admits_public_members = True
        answered = on.release(incident)

        assert writes(on)[before:] == ["SetIamPolicy"]
        assert is_public(on)
        assert answered.done, answered.says
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "restored", PUBLIC: "restored"}


def test_said_again_while_it_is_still_refused_it_stays_where_it_was(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        updates = len(on.updates)
        answered = on.release(incident)

        assert not answered.done
        assert len(on.updates) == updates
        assert serving(on) == {BAD: 100}
        assert phase(on, incident) == "releasing"
        assert results(on, incident) == {SPLIT: "restored", PUBLIC: "refused"}


def test_what_stays_refused_can_be_given_up_and_then_the_incident_is_released(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        before = writes(on)
        answered = on.release(incident, leave=PUBLIC)

        assert answered.done, answered.says
        assert writes(on) == before
        assert not is_public(on)
        assert serving(on) == {BAD: 100}
        assert phase(on, incident) == "released"
        assert results(on, incident)[SPLIT] == "restored"


@pytest.mark.parametrize(
    ("leave", "split", "closed"),
    [(SPLIT, {GOOD: 100}, (1, False)), (f"{INGRESS}\n{DIRECT}", {BAD: 100}, (4, True))],
    ids=["one", "two"],
)
def test_a_setting_can_be_given_up_before_anything_is_tried(
    line: Lines, leave: str, split: dict[str, int], closed: tuple[int, bool]
) -> None:
    """It stays as Firebreak left it, and is nobody's hold any more."""
    with line(policy=policy(PIN, CUT)) as on:
        incident = contained(on)
        answered = on.release(incident, leave=leave)

        assert answered.done, answered.says
        assert serving(on) == split
        assert doors(on) == closed
        assert phase(on, incident) == "released"


@pytest.mark.parametrize(
    ("half", "left", "meant"),
    [(False, "service.trafic.split", SPLIT), (True, PUBLIC.replace("allUsers", "allUser"), PUBLIC)],
    ids=["from the first", "once a part is restored"],
)
def test_giving_up_a_setting_that_is_not_held_is_refused_with_the_one_that_may_be_meant(
    line: Lines,
    half: bool,  # noqa: FBT001 - a case
    left: str,
    meant: str,
) -> None:
    """Else the word would be lost, and the rest would be restored as if nothing had been said."""
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on) if half else contained(on)
        before = writes(on), phase(on, incident), results(on, incident)
        on.world.admits_public_members = True
        answered = on.release(incident, leave=f"{PUBLIC}\n{left}")

        assert not answered.done
        assert f"no setting {left}; did you mean {meant}?" in answered.says
        assert (writes(on), phase(on, incident), results(on, incident)) == before


def test_a_release_that_gives_up_is_carried_out_once_however_often_it_is_delivered(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        first, again = (on.release(incident, leave=PUBLIC) for _ in range(2))

        assert (first.done, again.done) == (True, False)
        assert "is released already" in again.says


def test_half_released_it_is_not_closed_and_released_it_is(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        too_soon = on.command("close", incident, closed_as="false_positive")
        between = phase(on, incident)
        on.world.admits_public_members = True
        on.release(incident)
        closed = on.command("close", incident, closed_as="false_positive")

        assert not too_soon.done
        assert between == "releasing"
        assert closed.done, closed.says
        assert phase(on, incident) == "closed"


def test_nothing_that_the_release_opened_is_drift(line: Lines) -> None:
    """From the first key restored on; the sweep neither tells it, nor asks, nor tries again what was refused."""
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = half_released(on)
        before, announced = writes(on), len(on.announced)
        for _ in range(2):
            on.wait(600)
            on.sweep()

        assert phase(on, incident) == "releasing"
        assert on.shown(on.read(incident))["reopened"] == []
        assert len(on.announced) == announced
        assert writes(on) == before


def test_a_persons_change_is_left_alone_and_what_they_left_alone_comes_back(line: Lines) -> None:
    traffic = ({"latest": True, "percent": 100}, {"revision": BAD, "tag": "canary"})
    with line(world_of(traffic=traffic), policy=policy(PIN)) as on:
        incident = contained(on)
        on.world.set_traffic("checkout", {"revision": OLD, "percent": 100})
        answered = on.release(incident)

        assert answered.done, answered.says
        assert (serving(on), tags(on)) == ({OLD: 100}, {"canary": BAD})
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "a person's", CANARY: "restored"}


def test_what_a_person_changes_at_the_very_moment_of_the_write_is_left_to_them(line: Lines) -> None:
    """Cloud Run refuses the write, and what is written after another look is only what is still Firebreak's."""
    with line(policy=policy(CUT)) as on:
        incident = contained(on)
        on.sandbox.wire.meanwhile(Meanwhile("*/UpdateService", lambda: on.world.edit(SERVICE, ingress=3)))
        answered = on.release(incident)

        assert answered.done, answered.says
        assert results(on, incident) == {INGRESS: "a person's", DIRECT: "restored"}
        assert doors(on) == (3, False)


def test_what_is_a_persons_is_let_go_of_for_good(line: Lines) -> None:
    """Though it reads again as Firebreak left it, when the release is said again for what was refused."""
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        on.world.set_traffic("checkout", {"revision": OLD, "percent": 100})
        on.world.admits_public_members = False
        on.release(incident)
        half = results(on, incident)
        on.world.set_traffic("checkout", {"revision": GOOD, "percent": 100})
        on.world.admits_public_members = True
        on.release(incident)

        assert half == {SPLIT: "a person's", PUBLIC: "refused"}
        assert len(on.updates) == 1
        assert serving(on) == {GOOD: 100}
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "a person's", PUBLIC: "restored"}


def test_a_halt_does_not_stop_a_persons_release(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        on.command("halt", reason="a drill")
        answered = on.release(incident)

        assert answered.done, answered.says
        assert serving(on) == {BAD: 100}
        assert results(on, incident) == {SPLIT: "restored"}


def test_answer_record_topic_and_chat_say_each_key(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        on.world.admits_public_members = False
        says = on.release(incident, by="ada").says
        shown = on.shown(on.read(incident))
        chat = plain_text(compose(on.read(incident)))

        assert shown["release"]["by"] == "ada"
        assert all(one["detail"] for one in shown["release"]["keys"])
        assert on.announced[-1]["phase"] == "releasing"
        assert on.announced[-1]["release"] == shown["release"]
        assert all(key in says and key in chat for key in (SPLIT, PUBLIC))
        assert "refused" in says
        assert "refused" in chat


def test_a_finding_that_comes_while_it_is_half_released_is_asked_about_and_contained_anew(line: Lines) -> None:
    """The new incident holds what the old one lets go of; the last of both opens it."""
    with line(policy=policy(PIN, REVOKE)) as on:
        first = half_released(on)
        second = on.respond(on.finding(finding_id="second"))
        approve(on, second)
        closed = serving(on), phase(on, second)
        on.world.admits_public_members = True
        on.release(first)
        between = serving(on), is_public(on), phase(on, first)
        on.release(second)

        assert second.phase == "waiting"
        assert closed == ({GOOD: 100}, "contained")
        assert between == ({GOOD: 100}, False, "released")
        assert (serving(on), is_public(on)) == ({BAD: 100}, True)


def released_once(on: Line) -> int:
    return sum(one["phase"] == "released" for one in on.announced)


def test_a_release_said_again_when_it_is_over_writes_and_tells_nothing(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        on.release(incident)
        before = writes(on)
        again = on.release(incident, by="bob")

        assert not again.done
        assert writes(on) == before
        assert released_once(on) == 1
        assert results(on, incident) == {SPLIT: "restored"}

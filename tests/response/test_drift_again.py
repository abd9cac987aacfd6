"""What others change is told once for each difference; made undone and made again, it is another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sandbox.wire import Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS, JOB
from tests.response.answers import asked, cautions, cut_short, yes
from tests.response.harness import BAD, GOOD, SERVICE, Line, Lines, world_of
from tests.response.releases import (
    ACCOUNT_KEY,
    CUT,
    DIRECT,
    DISABLE,
    INGRESS,
    PAY,
    PIN,
    PUBLIC,
    REVOKE,
    SUSPEND,
    contained,
    decided_by,
    doors,
    phase,
    policy,
    running_as,
    writes,
)
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK

pytestmark = pytest.mark.thorough

TEN_MINUTES = 600.0


def grant(member: str) -> dict[str, Any]:
    return {"role": "roles/run.invoker", "members": [member]}


def enabled(world: World) -> None:
    world.accounts[PAY].account.disabled = False


CRON = "serviceAccount:cron@shop-prod.iam.gserviceaccount.com"
OPENED: Mapping[str, tuple[Callable[[], World], dict[str, str], str, Callable[[World], None], str]] = {
    "service": (world_of, {}, policy(PIN, REVOKE), lambda one: one.set_grants(SERVICE, grant("allUsers")), PUBLIC),
    "job": (
        GROUNDS["job"].world,
        {"workload": GROUNDS["job"].workload},
        STOP_AND_BLOCK,
        lambda one: one.set_grants(JOB, grant(CRON)),
        f"job_iam.roles/run.invoker||{CRON}",
    ),
    "account": (running_as, {}, policy(PIN, DISABLE), enabled, ACCOUNT_KEY),
}
"""A world, what the finding is about, a policy, how others open what it closed, and the setting by which it is open."""
PINNED = {"revision": GOOD, "percent": 100}


def looked_at(on: Line) -> dict[str, int]:
    """What a sweep finds, ten minutes later."""
    on.wait(TEN_MINUTES)
    return dict(on.sweep().done)


def test_a_suspect_opened_again_after_it_was_closed_by_hand_is_asked_about_again(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        asked = []
        for _ in range(3):
            on.world.set_traffic("checkout", PINNED, {"revision": BAD, "tag": "debug"})
            asked.append((looked_at(on).get("drift asked"), looked_at(on).get("drift asked"), phase(on, incident)))
            on.reject(incident, "we undo it by hand")
            on.world.set_traffic("checkout", PINNED)
            looked_at(on)

        assert asked == [(1, None, "waiting")] * 3


def test_the_record_names_no_suspect_that_was_closed_by_hand_as_open(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        on.world.set_traffic("checkout", PINNED, {"revision": BAD, "tag": "debug"})
        looked_at(on)
        opened = on.shown(on.read(incident))["reopened"]
        on.reject(incident)
        on.world.set_traffic("checkout", PINNED)
        looked_at(on)

        assert opened == [BAD]
        assert on.shown(on.read(incident))["reopened"] == []


def test_a_harmless_change_that_was_undone_and_made_again_is_told_again_and_its_end_once(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        contained(on)
        told = list[int | None]()
        for ingress in (3, 1, 3):
            on.world.edit(SERVICE, ingress=ingress)
            told += [looked_at(on).get("drift reported"), looked_at(on).get("drift reported")]

        assert told == [1, None, 1, None, 1, None]


@pytest.mark.parametrize(("ingress", "told"), [(3, "reported"), (None, "asked")], ids=["harmless", "opened again"])
def test_who_dies_after_telling_what_others_changed_has_told_it_and_nobody_tells_it_again(
    line: Lines, monkeypatch: pytest.MonkeyPatch, ingress: int | None, told: str
) -> None:
    """Nothing is saved after the commit that tells it: neither that it was sent, nor anything else."""

    class Died(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Died

    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        if ingress:
            on.world.edit(SERVICE, ingress=ingress)
        else:
            on.world.set_traffic("checkout", {"latest": True, "percent": 100})
        with monkeypatch.context() as patched:
            patched.setattr("firebreak.response.drift.flush", dies)
            patched.setattr("firebreak.response.drift._remember", dies)
            with pytest.raises(Died):
                looked_at(on)
        at_first = len(on.read(incident).history)
        on.wait(301)
        after = on.sweep().done

        assert len([one for one in on.read(incident).history if "changed by dev@shop.example" in one.what]) == 1
        assert len(on.read(incident).history) == at_first
        assert f"drift {told}" not in after


def test_who_dies_before_telling_what_others_changed_has_noted_it_on_the_other_incidents_once(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with line(policy=policy(PIN)) as on:
        first = contained(on)
        on.respond(on.finding(finding_id="another"))
        on.world.edit(SERVICE, ingress=3)
        with monkeypatch.context() as patched:
            patched.setattr("firebreak.response.drift._tell", dies)
            with pytest.raises(KeyboardInterrupt):
                looked_at(on)
        looked_at(on)
        looked_at(on)  # by which all is sent that the one before has noted

        noted = [one for one in on.announced if one["id"] == first.id and "changed by dev@shop.example" in one["now"]]
        assert len(noted) == 1


def test_a_question_names_what_others_set_that_a_release_would_bring_back(line: Lines) -> None:
    """Closed again by a person's word, it is what others left that a release restores: nobody approves that unsaid."""
    with line(world_of(service={"ingress": "internal"}), policy=policy(CUT)) as on:
        incident = contained(on)
        on.world.edit(SERVICE, ingress=1, default_uri_disabled=False)
        looked_at(on)
        told = {cap["name"]: cap["reason"] for cap in on.shown(on.read(incident))["decision"]["caps"]}
        asked = cautions(on, incident)
        yes(on, incident)
        closed = doors(on)
        on.release(incident)

        assert "origin" in asked
        assert f"{INGRESS} all, which was internal before Firebreak" in told["origin"]
        assert DIRECT not in told["origin"]
        assert (closed, doors(on)) == ((4, True), (1, False))
        assert phase(on, incident) == "released"


def test_what_is_opened_again_while_scc_is_away_is_asked_about_after_ten_minutes(line: Lines) -> None:
    """And the question says that SCC could not be asked; a look that failed before is no reason to say nothing."""
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        on.world.set_traffic("checkout", PINNED, {"revision": BAD, "tag": "debug"})
        on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="UNAVAILABLE", times=None))
        at_once = looked_at(on).get("drift asked")
        later = looked_at(on).get("drift asked"), looked_at(on).get("drift asked")

        assert at_once is None
        assert later == (1, None)
        assert phase(on, incident) == "waiting"
        assert cautions(on, incident) >= {"drift", "unconfirmed"}
        assert on.shown(on.read(incident))["reopened"] == [BAD]
        assert on.announced[-1]["phase"] == "waiting"
        assert asked(on, incident)["digest"]


def test_ten_minutes_without_scc_are_counted_anew_for_what_is_opened_anew(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        contained(on)
        looks = []
        for _ in range(2):
            on.world.set_traffic("checkout", PINNED, {"revision": BAD, "tag": "debug"})
            on.sandbox.wire.inject(Fault("*/ListFindings", "error", code="UNAVAILABLE", times=None))
            looks.append(looked_at(on).get("drift asked"))
            on.sandbox.wire.clear_faults()
            on.world.set_traffic("checkout", PINNED)
            looked_at(on)

        assert looks == [None, None]


def test_what_was_never_closed_is_not_told_as_opened_again(line: Lines) -> None:
    """The hold is on record and the write never came; nobody is blamed for what Firebreak did not do."""
    with line(policy=policy(PIN)) as on:
        incident = cut_short(on, on.finding())
        on.command("halt", reason="a drill")
        looked = looked_at(on), looked_at(on)
        shown = on.shown(on.read(incident))
        on.command("resume")
        on.wait(TEN_MINUTES)
        on.sweep()

        assert not any(word.startswith("drift") for one in looked for word in one)
        assert shown["reopened"] == []
        assert "changed by" not in str(shown["history"])
        assert phase(on, incident) == "contained"
        assert on.reachable.keys() == {GOOD}


def test_who_changed_a_grant_is_not_said_where_nothing_tells(line: Lines) -> None:
    """Cloud Run knows who wrote the service last, which was Firebreak."""
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        on.world.set_grants(SERVICE, {"role": "roles/run.invoker", "members": ["allUsers"]})
        told = looked_at(on).get("drift asked")
        sentence = on.read(incident).history[-1].what

        assert told == 1
        assert sentence.startswith("asks a person: changed: ")
        assert "||allUsers was unset and is True" in sentence


@pytest.mark.parametrize("kind", OPENED)
def test_a_door_that_others_open_again_is_asked_about_on_every_kind_and_shut_by_a_yes_alone(
    line: Lines, kind: str
) -> None:
    world, finding, text, opens, door = OPENED[kind]
    with line(world(), policy=text) as on:
        incident = contained(on, **finding)
        made = len(writes(on))
        opens(on.world)
        looks = looked_at(on).get("drift asked"), looked_at(on).get("drift asked")
        shown, by_itself = on.shown(on.read(incident)), len(writes(on)) - made
        answered = yes(on, incident)
        again = [one for one in looked_at(on) if one.startswith("drift")]

        assert looks == (1, None)
        assert (shown["phase"], shown["reopened"], by_itself) == ("waiting", [door], 0)
        assert f"{door} is open. A person is asked for a yes or a no." in shown["now"]
        assert "drift" in {cap["name"] for cap in shown["decision"]["caps"]}
        assert answered.done, answered.says
        assert len(writes(on)) == made + 1
        assert phase(on, incident) == "contained"
        assert on.shown(on.read(incident))["reopened"] == again == []


def test_a_door_is_asked_about_on_the_incident_that_closed_it(line: Lines) -> None:
    """Whichever came last holds the same target, and would not close it."""
    with line(policy=policy(REVOKE)) as on:
        first = contained(on)
        (on.app.settings.policies / "00.yaml").write_text(policy(PIN).replace("always", "pins"))
        decided_by(on, policy(REVOKE))
        last = contained(on, finding_id="another")
        on.world.set_grants(SERVICE, grant("allUsers"))

        assert looked_at(on).get("drift asked") == 1
        assert (phase(on, first), phase(on, last)) == ("waiting", "contained")


def test_what_another_incident_had_closed_names_it(line: Lines) -> None:
    with line(policy=policy(PIN)) as on:
        first = contained(on)
        second = on.respond(on.finding(finding_id="another"))

        assert second.history[-1].what.endswith(
            f"nothing new had to be closed (pin_previous_revision): {first.id} had closed it"
        )
        assert f"was closed already by {first.id}, read back" in on.shown(second)["now"]


@pytest.mark.parametrize("step", [CUT, REVOKE, SUSPEND])
def test_a_sweep_finds_nothing_where_doors_are_shut_and_traffic_is_as_it_was(line: Lines, step: str) -> None:
    with line(policy=policy(step)) as on:
        incident = contained(on)
        looks = looked_at(on), looked_at(on)
        shown = on.shown(on.read(incident))

        assert not any(word.startswith("drift") for one in looks for word in one)
        assert shown["reopened"] == []


def test_a_door_that_is_opened_before_traffic_to_a_suspect_is_asked_about(line: Lines) -> None:
    with line(policy=policy(CUT)) as on:
        incident = contained(on)
        on.world.edit(SERVICE, ingress=1)

        assert looked_at(on).get("drift asked") == 1
        assert on.shown(on.read(incident))["reopened"] == [BAD]

"""Who is suspect and what takes their place, by what a finding tells of its containers; over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.blueprint import digest_of
from sandbox.scc.notifications import Pair
from sandbox.scc.security_center import put_finding
from sandbox.world import World
from tests.response.conversation import cautions, now, phase, reasons, say, told, writes
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, PIN_ONLY, REVISIONS, Line, Lines, revision, world_of
from tests.response.test_events_together import ALSO, event, two_suspects
from tests.response.test_several_regions import OTHER_BAD, OTHER_GOOD, serving
from tests.response.test_several_regions import world_of as two_regions

DIFFERENT = ALWAYS.replace(
    "{action: pin_previous_revision,", "{action: pin_previous_revision, require_different_image: true,"
)
HEX = f"{8:0>64}"
NOWHERE = digest_of(99)


def containers(on: Line, *given: Mapping[str, str], **scene: Any) -> Pair:
    """A finding that lists these, and no revision."""
    pair = on.finding(held=False, **scene)
    pair["finding"]["containers"] = [dict(one) for one in given]
    put_finding(on.world, pair["finding"], pair["resource"])
    return pair


def app(image: int | str) -> dict[str, str]:
    return {"name": "app", "uri": "registry.test/app:latest", "imageId": digest_of(image)}


def closed(on: Line) -> bool:
    """Whether `otherwise` has followed: no request comes in."""
    return int(on.world.service("checkout").service.ingress) == 4


SPELLED: Mapping[str, dict[str, str]] = {
    "a digest": {"imageId": f"sha256:{HEX}"},
    "a bare hex": {"imageId": HEX},
    "capitals": {"imageId": f"SHA256:{HEX.upper()}"},
    "a name and a digest": {"imageId": f"docker-pullable://registry.test/app@sha256:{HEX}"},
    "a config's digest, and the address has the other": {
        "imageId": f"sha256:{'c0' * 32}",
        "uri": f"registry.test/app@sha256:{HEX}",
    },
    "the address alone": {"uri": f"registry.test/app:v8@sha256:{HEX}"},
    "without a name": {"name": "", "imageId": f"sha256:{HEX}"},
}


@pytest.mark.parametrize("spelled", SPELLED)
def test_the_image_of_the_finding_is_known_however_it_is_spelled(line: Lines, spelled: str) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = on.respond(containers(on, {"name": "app", **SPELLED[spelled]}))

        assert incident.phase == "contained"
        assert now(on, incident)["decision"]["suspects"] == [BAD]
        assert set(on.reachable) == {GOOD, ALSO}


@pytest.mark.parametrize("uri", [f"registry.test/app@sha256:{'c1' * 32}", "registry.test/app:latest"])
def test_a_config_s_digest_that_nothing_carries_asks_a_person(line: Lines, uri: str) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(containers(on, {"name": "app", "imageId": f"sha256:{'c0' * 32}", "uri": uri}))

        assert incident.phase == "waiting"
        assert writes(on) == []
        assert "no reachable revision carries the image digest" in reasons(on, incident)


SIDECARS = tuple(
    revision(name, image, created, sidecars=[3])
    for name, image, created in ((OLD, 6, "-30d"), (GOOD, 7, "-10d"), (BAD, 8, "-3h"))
)
SPLIT = ({"revision": GOOD, "percent": 50}, {"revision": BAD, "percent": 50})


@pytest.mark.parametrize("policy", [ALWAYS, DIFFERENT], ids=["preferred", "required"])
def test_a_sidecar_that_every_revision_has_convicts_none_of_them_and_bars_no_refuge(line: Lines, policy: str) -> None:
    with line(world_of(SIDECARS, SPLIT), policy=policy) as on:
        incident = on.respond(containers(on, app(8), {"name": "proxy", "imageId": digest_of(3)}))

        assert incident.phase == "contained"
        assert now(on, incident)["decision"]["suspects"] == [BAD]
        assert set(on.reachable) == {GOOD}
        assert not closed(on)


def test_a_sidecar_that_is_all_that_the_finding_tells_convicts_whoever_carries_it(line: Lines) -> None:
    """Nothing else would be left of what it tells."""
    with line(world_of(SIDECARS, SPLIT), policy=ALWAYS) as on:
        incident = on.respond(containers(on, {"name": "proxy", "imageId": digest_of(3)}, {"name": "other"}))

        assert now(on, incident)["decision"]["suspects"] == [GOOD, BAD]
        assert set(on.reachable) == {OLD}


def test_where_the_finding_names_the_revision_a_shared_sidecar_is_not_its_image(line: Lines) -> None:
    with line(world_of(SIDECARS), policy=DIFFERENT) as on:
        incident = on.respond(on.finding(workload=f"services/checkout/revisions/{BAD}"))

        assert incident.phase == "contained"
        assert set(on.reachable) == {GOOD}


@pytest.mark.parametrize("action", ["pin_previous_revision", "cut_traffic"])
@pytest.mark.parametrize("updated", ["-3h", "-2m"])
def test_a_finding_that_tells_nothing_of_what_was_all_deployed_since_asks_a_person(
    line: Lines, action: str, updated: str
) -> None:
    """Nothing is suspect, so nothing is contained either, however little there is to write."""
    since = (*REVISIONS[:2], revision(BAD, 8, "-2m"))
    policy = PIN_ONLY.replace("pin_previous_revision", action)
    with line(world_of(since, service={"updated": updated}), policy=policy) as on:
        incident = on.respond(on.finding(image=None, minutes_ago=20))

        assert phase(on, incident) == "waiting"
        assert "unplaced" in cautions(on, incident)
        assert "no reachable revision is from before the event" in reasons(on, incident)
        assert not on.updates


@pytest.mark.parametrize("image", [99, None], ids=["an image that nothing carries", "nothing"])
def test_a_door_that_was_shut_before_is_no_answer_to_where_it_runs(line: Lines, image: int | None) -> None:
    """Nothing would be written, and still nobody knows what is suspect."""
    since = (*REVISIONS[:2], revision(BAD, 8, "-2m"))
    policy = PIN_ONLY.replace("pin_previous_revision", "revoke_public_access")
    with line(world_of(since, service={"public": False}), policy=policy) as on:
        incident = on.respond(on.finding(image=image, minutes_ago=20))

        assert told(on, incident) == ["waiting"]
        assert "unplaced" in cautions(on, incident)


@pytest.mark.parametrize("policy", [ALWAYS, DIFFERENT], ids=["preferred", "required"])
def test_the_only_revision_has_no_refuge_and_otherwise_follows(line: Lines, policy: str) -> None:
    with line(world_of((revision(BAD, 8, "-3h"),)), policy=policy) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert closed(on)


@pytest.mark.parametrize(("policy", "pinned"), [(ALWAYS, True), (DIFFERENT, False)], ids=["preferred", "required"])
def test_one_image_on_all_revisions_is_the_last_resort_or_none(line: Lines, policy: str, *, pinned: bool) -> None:
    one_image = tuple(revision(str(one["name"]), 8, str(one["created"])) for one in REVISIONS)
    with line(world_of(one_image), policy=policy) as on:
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert closed(on) != pinned
        assert not pinned or set(on.reachable) == {GOOD}


def unknown(which: str) -> World:
    """The image of one revision is named by a tag alone."""
    world = world_of()
    (found,) = (one for one in world.service("checkout").revisions if one.name.endswith(which))
    found.containers[0].image = "registry.test/app:latest"
    return world


@pytest.mark.parametrize(("which", "taken"), [(GOOD, OLD), (BAD, None)])
def test_an_unknown_image_is_not_a_different_one(line: Lines, which: str, taken: str | None) -> None:
    """Neither the refuge's, nor any beside a suspect whose own is not known."""
    with line(unknown(which), policy=DIFFERENT) as on:
        incident = on.respond(on.finding(workload=f"services/checkout/revisions/{BAD}"))

        assert incident.phase == "contained"
        assert closed(on) == (taken is None)
        assert taken is None or set(on.reachable) == {taken}


def test_a_digest_that_nobody_carries_beside_one_that_somebody_does_changes_nothing(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(containers(on, app(99), app(8)))

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]
        assert set(on.reachable) == {GOOD}


@pytest.mark.parametrize("answer", ["approve", "reject"])
@pytest.mark.parametrize("order", ["placed first", "placed last"])
def test_an_event_whose_image_nobody_carries_holds_the_other_up_no_longer_and_is_asked_about_once(
    line: Lines, order: str, answer: str
) -> None:
    """Whichever comes first: what the other gives is closed at once; then a person is asked about it, and once."""
    with line(policy=ALWAYS) as on:

        def told_of(image: int, minutes_ago: float) -> Pair:
            return event(on, BAD, minutes_ago) if image == 8 else containers(on, app(image), minutes_ago=minutes_ago)

        first, second = (8, 99) if order == "placed first" else (99, 8)
        incident = on.respond(told_of(first, 3))
        on.respond(told_of(second, 2))
        between = phase(on, incident), set(on.reachable), len(writes(on))
        asks = cautions(on, incident)
        answered = say(on, answer, incident)
        on.sweep()

        assert between == ("waiting", {GOOD}, 1)
        assert asks == {"unplaced"}
        assert NOWHERE in reasons(on, incident)
        assert answered.done, answered.says
        assert phase(on, incident) == "contained"
        assert set(on.reachable) == {GOOD}


def test_digest_and_name_from_different_events_add_up(line: Lines) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = on.respond(event(on, BAD, 3, named=False))
        on.respond(event(on, ALSO, 2))
        say(on, "approve", incident)

        assert phase(on, incident) == "contained"
        assert now(on, incident)["decision"]["suspects"] == [BAD, ALSO]
        assert set(on.reachable) == {GOOD}


def test_regions_whose_revisions_have_other_names_are_known_by_what_tells_them_apart(line: Lines) -> None:
    """There the sidecar is on the good one alone, and is not what was found here."""
    there = (revision(OTHER_GOOD, 7, "-10d", sidecars=[3]), revision(OTHER_BAD, 8, "-3h"))
    with line(two_regions(*there, here=SIDECARS), policy=ALWAYS) as on:
        incident = on.respond(on.finding(workload=f"services/checkout/revisions/{BAD}"))

        assert incident.phase == "contained"
        assert serving(on) == [[GOOD], [OTHER_GOOD]]

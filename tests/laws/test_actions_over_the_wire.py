"""Every discovered action on every kind of target that it acts on, over the wire: written, replayed, released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

import responders
from firebreak.bootstrap import build
from firebreak.core.cloud_run.setting_names import IDENTITY, SURFACES
from firebreak.core.cloud_run.target import Kind
from firebreak.core.errors import Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config
from firebreak.settings import read_settings
from tests.laws.grounds import GROUNDS, WITH_OPERATIONS, WRITES, Ground
from tests.laws.law_failures import broken, differences
from tests.response.harness import Line, Lines

ACTIONS = responders.discover()
PAIRS = [(name, cast("Kind", kind)) for name, action in sorted(ACTIONS.items()) for kind in sorted(action.kinds)]
every_action_on_every_kind = pytest.mark.parametrize(("name", "kind"), PAIRS)


def policy(name: str) -> str:
    return f"""
id: only-{name.replace("_", "-")}
mode: enforce
when: {{finding.category: "Execution: Added Malicious Binary Executed"}}
then: [{ACTIONS[name].example}]
examples:
  - {{given: {{}}, expect: {{mode: enforce}}}}
  - {{given: {{finding.category: "Reverse Shell"}}, expect: nothing}}
"""


@pytest.fixture
def line(tmp_path: Path) -> Lines:
    return Lines(tmp_path)


def surfaces_of(name: str, kind: Kind) -> frozenset[str]:
    return ACTIONS[name].surfaces & (SURFACES[kind] | {IDENTITY})


def contained(on: Line, pair: Any) -> Incident:
    """Delivered, again if it says so, and approved where the action always asks."""
    try:
        incident = on.respond(pair)
        if incident.phase == "waiting":
            on.approve(incident)
    except Transient:
        incident = on.respond(pair)
    return on.read(incident)


def left_by_hand(name: str, theirs: Mapping[str, Any], found: Mapping[str, Any], after: str) -> None:
    """What a person set stands."""
    what = f"leads to {after} overwriting what a person set"
    assert found == theirs, broken(ACTIONS[name], "edit", what, *differences(theirs, found))


def writes(on: Line) -> Counter[tuple[str, str]]:
    """How often each resource was written by each method."""
    meant = [
        call
        for call in on.sandbox.wire.calls
        if call.method in WRITES.values() and not getattr(call.request, "validate_only", False)
    ]
    return Counter((call.method, _resource(call.request)) for call in meant)


def _resource(request: Any) -> str:
    for part in ("service", "worker_pool"):
        if hasattr(request, part):
            return str(getattr(request, part).name)
    return str(getattr(request, "resource", "") or request.name)


def finding(on: Line, ground: Ground) -> Any:
    return on.finding(workload=ground.workload, **ground.scene)


def test_every_kind_of_target_has_its_ground_and_every_surface_its_method() -> None:
    """A new kind or surface is under these laws, or this fails."""
    app = build(
        read_settings({"HOME": "/nonexistent", "FIREBREAK_SEAL_KEY": "0123456789abcdef"}), policy_set((), Config())
    )

    assert GROUNDS.keys() == app.readers.keys() == SURFACES.keys()
    assert WRITES.keys() == app.surfaces.keys() == frozenset[str]().union(*SURFACES.values())


@every_action_on_every_kind
def test_it_is_written_once_verified_replayed_without_a_write_and_released(line: Lines, name: str, kind: Kind) -> None:
    """Applied, delivered again, and taken back key by key; what cannot be taken back is said."""
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy(name)) as on:
        before = ground.settings(on.world)
        pair = finding(on, ground)
        incident = contained(on, pair)
        written = writes(on)
        on.respond(pair)
        replayed = writes(on)
        applied = ground.settings(on.world)
        answered = on.release(incident, "ada")

        assert incident.phase == "contained"
        assert {one.status for one in incident.outcomes} == {"Success"}, broken(
            ACTIONS[name], "edit", f"was not carried out on a {kind}", *(str(one) for one in incident.outcomes)
        )
        wrote = {one.surface for one in incident.outcomes}
        assert wrote == surfaces_of(name, kind), broken(
            ACTIONS[name], "surfaces", f"expected writes to {sorted(surfaces_of(name, kind))}, found {sorted(wrote)}"
        )
        assert applied != before, broken(
            ACTIONS[name], "edit", f"changes nothing in the world of a {kind} in grounds.py"
        )
        assert written
        assert set(written.values()) == {1}
        assert replayed == written
        assert answered is not None
        assert answered.done
        if ACTIONS[name].reversible:
            assert ground.settings(on.world) == before, broken(
                ACTIONS[name],
                "edit",
                "was released, and the settings are not as they were",
                f"expected {before}",
                f"found    {ground.settings(on.world)}",
            )
            assert not answered.held.incident.still_open
        else:
            assert any("cannot be resumed" in text for text in answered.held.incident.still_open)


@every_action_on_every_kind
def test_the_record_says_how_to_undo_it_by_hand(line: Lines, name: str, kind: Kind) -> None:
    """One line at least for each surface that was written, and each a command or a comment."""
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy(name)) as on:
        incident = contained(on, finding(on, ground))
        shown = on.shown(incident)
        changed = [one for one in shown["plan"]["changes"] if one["after"]]

        assert changed
        assert len(shown["undo"]) >= len(changed)
        assert all(text.startswith(("gcloud ", "# ")) for text in shown["undo"])


@every_action_on_every_kind
def test_a_missing_target_is_recorded_and_nothing_is_written(line: Lines, name: str, kind: Kind) -> None:
    """An outcome, not a crash."""
    ground = GROUNDS[kind]
    collection = ground.workload.partition("/")[0]
    with line(ground.world(), policy=policy(name)) as on:
        incident = on.respond(on.finding(workload=f"{collection}/vanished"))

        assert incident.phase == "failed"
        assert [one.status for one in incident.outcomes] == ["Does Not Exist"]
        assert not writes(on)


@every_action_on_every_kind
def test_permission_denied_is_a_failed_incident(line: Lines, name: str, kind: Kind) -> None:
    """Recorded and announced; no retry changes it."""
    ground = GROUNDS[kind]
    denied = [WRITES[surface] for surface in surfaces_of(name, kind)]
    with line(ground.world(denied=denied), policy=policy(name)) as on:
        before = ground.settings(on.world)
        incident = contained(on, finding(on, ground))

        assert incident.phase == "failed"
        assert incident.outcomes[-1].status == "Failure"
        assert ground.settings(on.world) == before
        assert on.announced[-1]["phase"] == "failed"


@every_action_on_every_kind
def test_after_an_operation_error_what_is_in_effect_decides_and_nothing_of_it_stays_after_a_release(
    line: Lines, name: str, kind: Kind
) -> None:
    """Not the operation. What failed was put back, and what is so all the same goes back by the release."""
    if not surfaces_of(name, kind) & WITH_OPERATIONS:
        pytest.skip("its writes start no operation")
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy(name)) as on:
        before = ground.settings(on.world)
        on.world.fail_next_operation()
        incident = contained(on, finding(on, ground))
        written = ground.settings(on.world)
        on.release(incident, "ada")

        assert incident.phase == ("failed" if written == before else "contained")
        assert any("the operation ended in an error" in entry.what for entry in incident.history)
        assert ground.settings(on.world) == before


@every_action_on_every_kind
def test_drift_before_an_approval_is_never_written_over(line: Lines, name: str, kind: Kind) -> None:
    """A person's edits between question and answer stand, whatever the answer leads to."""
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy(name), config="ceiling: approve") as on:
        incident = on.respond(finding(on, ground))
        ground.meddle(on.world)
        theirs = ground.by_hand(on.world)
        asked = incident.question
        answered = on.approve(incident)

        assert answered is not None
        assert asked is not None
        if answered.held.incident.phase == "waiting":
            assert answered.held.incident.question != asked
            assert not writes(on)
            left_by_hand(name, theirs, ground.by_hand(on.world), "the answer")


@every_action_on_every_kind
def test_a_human_edit_after_the_containment_survives_the_release(line: Lines, name: str, kind: Kind) -> None:
    """Every setting that the containment wrote is changed by hand, and left alone."""
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy(name)) as on:
        origin = ground.by_hand(on.world)
        incident = contained(on, finding(on, ground))
        written = ground.by_hand(on.world)
        ground.meddle(on.world)
        theirs = ground.by_hand(on.world)
        try:
            on.release(incident, "ada")
        except Refused:
            pytest.fail("a release must not be refused because of a person's edits")

        unproven = [key for key in theirs if origin[key] != written[key] == theirs[key]]
        assert not unproven, f"grounds.py: a person sets {unproven} to what {name} wrote: offer another value"
        left_by_hand(name, theirs, ground.by_hand(on.world), "the release")


@every_action_on_every_kind
def test_a_write_whose_answer_is_lost_is_looked_at_and_not_repeated(line: Lines, name: str, kind: Kind) -> None:
    """What is in force decides: the write was made, so it is not made again."""
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy(name)) as on:
        for surface in surfaces_of(name, kind):
            on.lose_answer(WRITES[surface])
        incident = contained(on, finding(on, ground))

        assert incident.phase == "contained"
        assert set(writes(on).values()) == {1}


@every_action_on_every_kind
def test_a_stale_etag_is_read_again(line: Lines, name: str, kind: Kind) -> None:
    """ABORTED once: the next reading is written from, and once."""
    ground = GROUNDS[kind]
    with line(ground.world(), policy=policy(name)) as on:
        for surface in surfaces_of(name, kind):
            on.abort(WRITES[surface])
        incident = contained(on, finding(on, ground))

        assert incident.phase == "contained"

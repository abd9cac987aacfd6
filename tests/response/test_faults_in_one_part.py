"""A fault of our own in one action, source or channel is told with its place, and everything else does its work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from firebreak.core.timestamps import NANOS
from firebreak.response import pipeline
from tests.response.harness import ALWAYS, BAD, PIN_ONLY, Line, Lines, world_of

HERE = "tests/response/test_faults_in_one_part.py:"
THEN = "then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}"
WITH_MORE = ALWAYS.replace(THEN, f"{THEN}, {{action: revoke_public_access}}")


@dataclass(frozen=True)
class Fails:
    """An action, or a source, that declares all that the real one does and fails when it is used."""

    real: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def edit(self, *_: object) -> Any:
        raise KeyError("secret-text")

    def enrich(self, *_: object) -> Any:
        raise KeyError("secret-text")


def failing_action(on: Line, name: str) -> None:
    on.app = replace(on.app, actions={**on.app.actions, name: Fails(on.app.actions[name])})


def failing_source(on: Line, name: str) -> None:
    on.app = replace(on.app, enrichers={**on.app.enrichers, name: Fails(on.app.enrichers[name])})


def faults(on: Line) -> list[str]:
    """What is logged of them, and alerted on."""
    errors = (one["message"] for one in on.logged if one["severity"] == "ERROR")
    return [one for one in errors if "a fault in Firebreak itself" in one]


def test_a_person_is_asked_about_the_rest_of_the_plan_and_otherwise_does_not_follow(line: Lines) -> None:
    with line(policy=WITH_MORE) as on:
        failing_action(on, "pin_previous_revision")
        incident = on.respond(on.finding())

        assert incident.phase == "waiting"
        assert incident.plan is not None
        assert [one.actions for one in incident.plan.changes if one.after] == [("revoke_public_access",)]
        assert [one.name for one in incident.decision.caps] == ["action"]  # type: ignore[union-attr]
        assert HERE in incident.plan.refusals[0].reason
        assert on.updates == ()
        assert faults(on)
        assert all(HERE in one and "pin_previous_revision" in one and "secret-text" not in one for one in faults(on))


def test_what_a_person_approves_is_done_without_it(line: Lines) -> None:
    with line(policy=WITH_MORE) as on:
        failing_action(on, "pin_previous_revision")
        incident = on.respond(on.finding())
        question = incident.question
        assert question is not None
        on.command("approve", incident, "ada", digest=question.digest)
        after = on.read(incident)

        assert after.phase == "contained"
        assert BAD in on.reachable


def test_where_nothing_else_is_to_be_done_the_incident_fails_aloud(line: Lines) -> None:
    """With the place, and without a question that no answer to could do anything."""
    with line(policy=PIN_ONLY) as on:
        failing_action(on, "pin_previous_revision")
        incident = on.respond(on.finding())

        assert incident.phase == "failed"
        assert HERE in incident.history[-1].what
        assert [one["phase"] for one in on.announced] == ["failed"]


def test_one_that_fails_only_once_the_plan_is_drawn_anew_is_asked_about_too(line: Lines) -> None:
    """Its change failed in the cloud, and what takes its place is at fault: nobody acts on what is left of that."""
    with line(policy=WITH_MORE) as on:
        failing_action(on, "cut_traffic")
        on.world.fail_next_operation()
        incident = on.respond(on.finding())

        assert incident.phase == "waiting"
        assert incident.question is not None
        assert "action" in incident.question.cautions
        assert HERE in str(incident.plan)
        assert [one.status for one in incident.outcomes if not one.detail.startswith("already so")] == ["Failure"]
        assert on.sandbox.wire.calls_to("*/SetIamPolicy") == ()


def test_what_would_write_nothing_is_asked_about_too_where_a_step_is_missing(line: Lines) -> None:
    """The rest stands already, and is not what the policy meant by contained."""
    with line(world_of(service={"public": False}), policy=WITH_MORE) as on:
        failing_action(on, "pin_previous_revision")

        assert on.respond(on.finding()).phase == "waiting"
        assert BAD in on.reachable


def test_a_source_that_fails_is_a_gap_and_is_logged_with_its_place(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        failing_source(on, "logs")
        incident = on.respond(on.finding())
        gap = next(one.gap for one in incident.evidence if one.source == "logs")

        assert incident.phase == "contained"
        assert gap is not None
        assert gap.startswith(f"the source failed (KeyError at {HERE}")
        (told,) = faults(on)
        assert told.startswith(f"a fault in Firebreak itself, in the source logs: KeyError at {HERE}")
        assert "secret-text" not in str(on.logged)


class Unpublishing:
    """A publisher with a bug."""

    def publish(self, *_: object) -> Any:
        raise KeyError("secret-text")


def test_a_channel_that_fails_keeps_no_other_from_telling(line: Lines) -> None:
    """What it is to tell stays in the outbox, for the sweep, once it is mended."""
    with line(policy=ALWAYS) as on:
        broken, on.app = on.app, replace(on.app, publisher=cast("Any", Unpublishing()))
        incident = on.respond(on.finding())
        sent = {one.channel: one.sent for one in on.read(incident).outbox}

        assert incident.phase == "contained"
        assert sent == {"log": True, "topic": False, "marks": True}
        assert [HERE in one and "topic" in one and "secret-text" not in one for one in faults(on)] == [True]

        on.app = replace(on.app, publisher=broken.publisher)
        on.skipped_ns += 600 * NANOS
        pipeline.sweep(on.app)
        assert [one["phase"] for one in on.announced] == ["contained"]


def test_a_sweep_names_the_place_of_what_fails_in_it(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding(minutes_ago=90))
        on.skipped_ns += 3600 * NANOS

        def fails(*_: object) -> Any:
            raise KeyError("in-the-sweep")

        monkeypatch.setattr("firebreak.response.pipeline.advance", fails)
        pipeline.sweep(on.app)

        assert incident.phase == "waiting"
        assert any(f"incident {incident.id}" in one and HERE in one for one in faults(on))

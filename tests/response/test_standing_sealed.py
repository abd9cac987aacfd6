"""What stands on a target is believed under its seal, and at its newest: else a person is asked, and nothing undone."""

from __future__ import annotations

import pytest

from firebreak.core.incidents.incident import Incident
from tests.response.conversation import alerts, now, phase, say
from tests.response.harness import ALWAYS, BAD, GOOD, PIN_ONLY, Line, Lines
from tests.response.intruder import Intruder, changed, fields_of, otherwise, record_of, with_record

pytestmark = pytest.mark.thorough

ON_THE_REFUGE = f"services/checkout/revisions/{GOOD}"


def on_the_refuge(on: Line, name: str = "another") -> Incident:
    """A finding that would have more closed than is."""
    return on.respond(on.finding(finding_id=name, workload=ON_THE_REFUGE, image=7))


def test_no_field_of_what_stands_can_be_changed_into_a_write(line: Lines) -> None:
    """Neither a new containment rests on it nor a release; as it was, it is released."""
    with line(policy=ALWAYS) as on:
        incident, intruder = on.respond(on.finding()), Intruder(on)
        (document,), writes = intruder.finds("standing"), len(on.updates)
        record = record_of(document.body)
        phases, released = set(), []
        for number, way in enumerate(fields_of(record, frozenset({"origin", "applied"}))):
            intruder.writes(document, with_record(document.body, changed(record, way, otherwise)))
            phases.add(on_the_refuge(on, f"found{number}").phase)
            released += [way] if say(on, "release", incident).done else []
            intruder.puts_back(document)

        assert len(on.updates) == writes
        assert phases == {"waiting"}
        assert released == []
        assert alerts(on, "checkout")
        assert say(on, "release", incident).done, "what nobody changed is carried out"


def test_what_stands_and_is_deleted_is_not_taken_for_nothing(line: Lines) -> None:
    """Whoever holds it knows that it was there: a person is asked, and no release goes by the origin of nobody."""
    with line(policy=ALWAYS) as on:
        incident, intruder = on.respond(on.finding(minutes_ago=5)), Intruder(on)
        intruder.deletes("standing")
        answered = say(on, "release", incident)
        again = on.respond(on.finding(minutes_ago=1, workload=ON_THE_REFUGE, image=7))
        on.sweep()

        assert not answered.done
        assert again.id == incident.id
        assert len(on.updates) == 1
        assert phase(on, incident) == "waiting"
        assert alerts(on, "checkout")
        assert any("gcloud run services update-traffic" in one for one in now(on, incident)["undo"])


def test_what_stands_and_is_deleted_is_asked_about_by_other_findings_too(line: Lines) -> None:
    """The incident that holds it is about the same target."""
    with line(policy=ALWAYS) as on:
        on.respond(on.finding())
        Intruder(on).deletes("standing")
        other = on_the_refuge(on)

        assert other.phase == "waiting"
        assert len(on.updates) == 1


def test_a_release_that_is_deleted_is_still_asked_about_for_a_day(line: Lines) -> None:
    """What stood there says who released it, and when."""
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        say(on, "release", incident)
        writes = len(on.updates)
        Intruder(on).deletes("standing")
        again = on.respond(on.finding(finding_id="another"))

        assert again.phase == "waiting"
        assert len(on.updates) == writes


def test_what_stood_before_a_second_hold_and_is_put_back_opens_no_suspect(line: Lines) -> None:
    """In it the first incident is the only one, and its release would be the origin."""
    with line(policy=PIN_ONLY) as on:
        intruder = Intruder(on)
        first = on.respond(on.finding(finding_id="first"))
        alone = intruder.finds("standing")
        second = on.respond(on.finding(finding_id="second"))
        intruder.puts_back(*alone)
        writes = len(on.updates)
        answers = [say(on, "release", one).done for one in (first, second)]
        on.sweep()

        assert second.phase == "contained"
        assert BAD not in on.reachable
        assert len(on.updates) == writes
        assert answers == [False, False]
        assert alerts(on, "checkout")


def test_what_stood_before_a_release_and_is_put_back_is_neither_released_nor_closed_again(line: Lines) -> None:
    """A deployment has followed since; the old origin would take its traffic away."""
    with line(policy=PIN_ONLY) as on:
        intruder = Intruder(on)
        incident = on.respond(on.finding())
        held = intruder.finds("standing")
        say(on, "release", incident)
        on.world.set_traffic("checkout", {"revision": GOOD, "percent": 100})
        intruder.puts_back(*held)
        writes = len(on.updates)
        say(on, "release", incident)
        on.sweep()
        other = on.respond(on.finding(finding_id="another", workload=ON_THE_REFUGE, image=7))

        assert len(on.updates) == writes
        assert set(on.reachable) == {GOOD}
        assert other.phase == "waiting"


def test_what_stands_on_one_target_is_nothing_on_another(line: Lines) -> None:
    """Copied under the other's key, seal and all."""
    with line(policy=ALWAYS) as on:
        incident, intruder = on.respond(on.finding()), Intruder(on)
        (document,) = intruder.finds("standing")
        text = next(one["body"] for one in intruder.rows() if one["kind"] == "standing")
        intruder.plants_text("standing", document.key.replace("checkout", "basket"), text.replace("checkout", "basket"))
        on.world.add_service(
            {"name": "projects/shop-prod/locations/europe-west1/services/basket", "revisions": _revisions()}
        )
        other = on.respond(on.finding(finding_id="basket", workload="services/basket"))

        assert other.phase == "waiting"
        assert len(on.updates) == 1
        assert phase(on, incident) == "contained"


def _revisions() -> list[dict[str, object]]:
    return [{"name": "basket-1", "image": 7, "created": "-10d"}, {"name": "basket-2", "image": 8, "created": "-3h"}]

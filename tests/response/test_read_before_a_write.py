"""What was read before Firebreak wrote is not taken for what is so beside what stands since."""

from __future__ import annotations

from sandbox.wire import Meanwhile
from tests.response.conversation import writes
from tests.response.harness import ALWAYS, GOOD, Lines
from tests.response.releases import PIN, REVOKE, policy


def test_a_finding_whose_settings_were_read_before_another_contained_the_service_joins_it(line: Lines) -> None:
    """Its reading still counts by its age, and shows traffic that is gone: no question is made of that."""
    with line(policy=ALWAYS) as on:
        first, second = (on.finding(finding_id=f"at-once-{number}") for number in range(2))
        contained: list[str] = []
        on.sandbox.wire.meanwhile(Meanwhile("*/GetIamPolicy", lambda: contained.append(on.respond(first).phase)))
        joined = on.respond(second)

        assert contained == ["contained"]
        assert joined.phase == "contained"
        assert joined.question is None
        assert len(writes(on)) == 1
        assert set(on.reachable) == {GOOD}


def test_what_an_incident_has_itself_just_done_is_no_other_s_and_needs_no_second_look(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        contained = on.respond(on.finding())
        again = [one["message"] for one in on.logged if "looked at again" in one["message"]]

        assert contained.phase == "contained"
        assert len(writes(on)) == 2
        assert again == []

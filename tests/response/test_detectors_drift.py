"""Google adds detectors and renames them: what is new is told once, and what is renamed is answered as before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.response.harness import ALWAYS, GOOD, Line, Lines
from tests.response.intruder import Intruder

LISTED = "Execution: Added Malicious Binary Executed"
RENAMED: dict[str, Any] = {
    "category": "Malware: Added Binary",
    "module": "CLOUD_RUN_ADDED_MALICIOUS_BINARY_EXECUTED",
}
NEW = "Execution: Detector Of Tomorrow"
WIDE = ALWAYS.replace(f'finding.category: "{LISTED}"', "finding.class: THREAT").replace(
    'finding.category: "Reverse Shell"', "finding.class: VULNERABILITY"
)


def told(on: Line) -> list[tuple[str, object]]:
    return [(one["severity"], one["unlisted_detector"]) for one in on.logged if "unlisted_detector" in one]


def swept(on: Line) -> dict[str, int]:
    on.wait(300)
    return dict(on.sweep().done)


@pytest.mark.parametrize("category", ["Malware: Added Binary", LISTED.upper()])
def test_a_detector_that_was_renamed_is_answered_as_by_its_listed_name(line: Lines, category: str) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding(**{**RENAMED, "category": category}))

        assert incident.phase == "contained"
        assert incident.finding.category == category, "the record has Google's own name"
        assert set(on.reachable) == {GOOD}


def test_a_policy_that_has_the_new_name_counts_before_the_listed_one(line: Lines) -> None:
    with line(policy=ALWAYS.replace(LISTED, RENAMED["category"])) as on:
        renamed = on.respond(on.finding(**RENAMED))

        assert renamed.phase == "contained"


def test_one_that_is_not_listed_is_answered_by_a_policy_as_wide_as_its_class(line: Lines) -> None:
    with line(policy=WIDE) as on:
        assert on.respond(on.finding(category=NEW)).phase == "contained"


@pytest.mark.parametrize("policy", [ALWAYS, WIDE])
def test_one_that_is_not_listed_is_told_once_whatever_the_policies_say(line: Lines, policy: str) -> None:
    with line(policy=policy, FIREBREAK_SCC_LOCATIONS="global,eu") as on:
        on.finding(category=NEW)
        swept(on)
        on.finding(category=NEW, finding_id="another")
        swept(on)

        assert told(on) == [("WARNING", NEW)]


def test_what_is_listed_renamed_or_named_by_a_policy_is_not_told(line: Lines) -> None:
    with line(policy=ALWAYS.replace(LISTED, NEW)) as on:
        for number, scene in enumerate(({}, RENAMED, {"category": NEW}, {"category": "Reverse Shell"})):
            on.finding(finding_id=f"f{number}", **scene)
        swept(on)

        assert told(on) == []


def test_who_may_only_write_to_another_source_uses_up_nothing_of_what_is_told(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        for number in range(103):
            on.finding(category=f"Invented {number}", finding_id=f"f{number}", source="4242")
        swept(on)
        on.finding(category=NEW)
        swept(on)

        assert told(on) == [("WARNING", NEW)]


def test_what_was_told_is_believed_under_its_seal_alone(line: Lines) -> None:
    """Else whoever may write the ledger keeps people from hearing of a detector."""
    with line(policy=ALWAYS) as on:
        swept(on)
        marks = Intruder(on).reads("sweep", "findings")
        Intruder(on).writes(marks, {**marks.body, "unlisted": [NEW]})
        on.finding(category=NEW)
        swept(on)

        assert told(on) == [("WARNING", NEW)]


def test_whoever_invents_detectors_is_heard_a_hundred_times(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        for number in range(103):
            on.finding(category=f"Invented {number}", finding_id=f"f{number}")
        swept(on)
        swept(on)

        assert len(told(on)) == 100

"""The benchmark of storms and growth loses nothing, keeps within the limits, and sees what it plants."""

from __future__ import annotations

import pytest

from benchmarks.line import WIDE
from benchmarks.scale import ELSEWHERE, grown
from benchmarks.storms import storm

pytestmark = pytest.mark.thorough


def test_a_storm_is_contained_up_to_the_limit_and_asked_about_beyond_it() -> None:
    found = storm(8, one_service=False)

    assert found.lost == 0
    assert found.phases == {"contained": 5, "waiting": 3}
    assert found.contained == {"CRITICAL": 2, "HIGH": 2, "MEDIUM": 1}
    assert found.seconds > 0


def test_beyond_what_cloud_run_takes_in_a_minute_a_storm_waits_and_nothing_is_lost() -> None:
    found = storm(8, one_service=False, config=WIDE, a_minute=4, faster=50)

    assert found.lost == 0
    assert found.phases == {"contained": 8}
    assert found.minutes > 1
    assert 0 < found.refused < 24


def test_findings_on_one_service_at_once_are_all_contained_by_one_write() -> None:
    found = storm(8, one_service=True, faster=50)

    assert found.lost == 0
    assert found.phases == {"contained": 8}


def test_what_is_planted_around_a_service_hinders_nothing() -> None:
    for what in ("revisions", "tags", "related findings", "incidents on it", ELSEWHERE):
        assert grown(what, 5)[1] == "contained"

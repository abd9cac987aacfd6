"""The benchmark of storms and growth loses nothing, keeps within the limits, and sees what it plants."""

from __future__ import annotations

from benchmarks.scale import grown, storm


def test_a_storm_is_contained_up_to_the_limit_and_asked_about_beyond_it() -> None:
    found = storm(8, one_service=False)

    assert found.lost == 0
    assert found.phases == {"contained": 5, "waiting": 3}
    assert found.contained.total() == 5
    assert found.seconds > 0


def test_findings_on_one_service_at_once_are_all_contained_by_one_write() -> None:
    found = storm(8, one_service=True)

    assert found.lost == 0
    assert found.phases == {"contained": 8}


def test_what_is_planted_around_a_service_hinders_nothing() -> None:
    for what in ("revisions", "tags", "related findings", "other incidents"):
        assert grown(what, 5)[1] == "contained"

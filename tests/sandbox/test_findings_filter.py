from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.scc.findings_filter import Comparison, Either, Every, FilterFault, Not, parse_filter


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def pair(**finding: Any) -> dict[str, Any]:
    return {
        "finding": finding,
        "resource": {
            "name": "//run.googleapis.com/projects/shop/locations/europe-west1/services/pay",
            "type": "google.run.Service",
            "gcpMetadata": {
                "project": "//cloudresourcemanager.googleapis.com/projects/42",
                "projectDisplayName": "shop",
                "folders": [{"resourceFolder": "//cloudresourcemanager.googleapis.com/folders/7"}],
            },
        },
    }


def holds(text: str, **finding: Any) -> bool:
    return parse_filter(text).holds(pair(**finding))


def test_or_binds_tighter_than_and() -> None:
    parsed = parse_filter('state = "A" AND category = "B" OR category = "C"')

    assert parsed == Every(
        (
            Comparison("state", "=", "A"),
            Either((Comparison("category", "=", "B"), Comparison("category", "=", "C"))),
        )
    )


def test_parentheses_overrule_the_binding() -> None:
    text = '(state = "A" AND category = "B") OR category = "C"'

    assert holds(text, category="C")
    assert not holds(text, state="A")


@pytest.mark.parametrize("text", ['-state = "ACTIVE"', 'NOT state = "ACTIVE"', 'NOT (state = "ACTIVE")'])
def test_a_minus_and_a_not_both_negate(text: str) -> None:
    assert parse_filter(text) == Not(Comparison("state", "=", "ACTIVE"))
    assert holds(text, state="INACTIVE")
    assert not holds(text, state="ACTIVE")


def test_an_empty_filter_holds_for_everything() -> None:
    assert holds("", state="ACTIVE")
    assert holds(" \n ", state="INACTIVE")


def test_a_colon_means_substring_so_a_longer_name_matches_too() -> None:
    text = 'resource_name : "services/pay"'

    assert holds(text, resourceName="//run.googleapis.com/projects/p/locations/l/services/payments")
    assert not holds(text, resourceName="//run.googleapis.com/projects/p/locations/l/services/shop")


def test_equality_is_of_the_whole_value() -> None:
    assert holds('category = "Reverse Shell"', category="Reverse Shell")
    assert not holds('category = "Reverse"', category="Reverse Shell")


def test_a_finding_that_was_never_muted_is_not_muted() -> None:
    assert holds('NOT mute = "MUTED"')
    assert holds('NOT mute = "MUTED"', mute="UNDEFINED")
    assert not holds('NOT mute = "MUTED"', mute="MUTED")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('event_time = "2026-10-01T10:00:00.000000001Z"', True),
        ('event_time = "2026-10-01T10:00:00Z"', False),
        ('event_time > "2026-10-01T10:00:00Z"', True),
        ('event_time <= "2026-10-01T12:00:00.000000001+02:00"', True),
        ("event_time >= 1790848800000", True),
        ("event_time < 1790848800001", True),
        ("event_time < 1790848800000", False),
    ],
)
def test_times_compare_to_the_nanosecond_whichever_way_they_are_written(text: str, *, expected: bool) -> None:
    assert holds(text, eventTime="2026-10-01T10:00:00.000000001Z") is expected


def test_a_mark_is_found_by_key_and_value_whatever_their_case() -> None:
    marks = {"marks": {"Firebreak-Phase": "Contained"}}

    assert holds('security_marks.marks.firebreak-phase = "contained"', securityMarks=marks)
    assert holds('security_marks.marks.firebreak-phase : ""', securityMarks=marks)
    assert holds('-security_marks.marks.other : ""', securityMarks=marks)


def test_resources_are_found_by_project_and_folder() -> None:
    assert holds('resource.project_display_name = "shop"')
    assert holds('resource.folders.resource_folder : "folders/7"')
    assert holds('resource.type = "google.run.Service"')
    assert not holds('resource.name : "services/payments"')


@pytest.mark.parametrize(
    "text",
    [
        "state = ACTIVE",
        "state = 'ACTIVE'",
        'state = "ACTIVE',
        'state "ACTIVE"',
        '= "ACTIVE"',
        'state = "A" category = "B"',
        'state = "A" AND',
        'state = "A" and category = "B"',
        '(state = "A"',
        'state = "A")',
        'state = "\\n"',
        'state > "A"',
        'name : "x"',
        "state = 1",
        'event_time : "2026-10-01T10:00:00Z"',
        'event_time = "yesterday"',
        'event_time = "2026-13-01T10:00:00Z"',
        "event_time = 99999999999999999999",
        'source_properties.x = "y"',
        'create_time > "2026-10-01T10:00:00Z"',
        'resourceName = "x"',
        'security_marks.marks. = "x"',
        'contains(files, sha256 = "x")',
        'state = "A" ; state = "B"',
        "NOT " * 100 + 'state = "A"',
        "(" * 5000 + 'state = "A"' + ")" * 5000,
    ],
)
def test_what_scc_does_not_document_is_refused(text: str) -> None:
    with pytest.raises(FilterFault):
        parse_filter(text)


@given(st.text())
def test_a_quoted_value_never_changes_the_structure_of_the_query(hostile: str) -> None:
    parsed = parse_filter(f'resource_name : "{escaped(hostile)}" AND state = "ACTIVE"')

    assert parsed == Every((Comparison("resource_name", ":", hostile), Comparison("state", "=", "ACTIVE")))


@given(st.text(alphabet=st.sampled_from('"\\ ()-=:ANDORstate'), max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        parsed = parse_filter(text)
    except FilterFault:
        return

    assert parsed.holds(pair(state="ACTIVE")) in (True, False)


@given(st.text(alphabet=st.sampled_from("\"\\a'")))
def test_an_unescaped_quote_cannot_widen_a_query_unnoticed(hostile: str) -> None:
    """Without escaping, a value either breaks the query or stays one value: the parser never guesses."""
    try:
        parsed = parse_filter(f'category = "{hostile}"')
    except FilterFault:
        return

    assert isinstance(parsed, Comparison)

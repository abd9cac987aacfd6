"""What stands in a finding never changes what SCC is asked: filters keep their shape, whatever is quoted in them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.adapters.google.security_center import quoted
from firebreak.core.cloud_run.target import NotATarget, Target, parse_resource
from firebreak.core.errors import Malformed
from firebreak.core.findings.finding import parse_finding_name
from firebreak.ports.deadline import Deadline
from sandbox.scc.findings_filter import Comparison, Either, Every, Filter, FilterFault, Not, parse_filter
from sandbox.scc.notifications import notification_v2
from tests.response.harness import ALWAYS, SERVICE, Line, Lines

BREAKERS = (
    '" OR name : "',
    '"',
    "\\",
    '\\"',
    '\\\\" OR state = "ACTIVE',
    '" AND NOT name = "x',
    '") OR (name : "',
    "' OR 'a' = 'a",
    " OR ",
    " AND ",
    " -name",
    "\n OR name : x",
    "\x00",
    "\u201d OR name : \u201c",
    "\uff02 OR name : \uff02",
    "*",
    "%22%20OR%20name",
)
NAME = "organizations/123456789012/sources/5678/locations/global/findings/f1"
RUN = "//run.googleapis.com/projects/shop-prod/locations/europe-west1/services"
OPEN = (("state", "="),)
QUOTABLE = st.text() | st.lists(st.sampled_from(['"', "\\", " OR ", " AND ", "name", ":", "=", "(", ")", "-"])).map(
    "".join
)


@given(QUOTABLE)
def test_a_quoted_text_is_one_value_and_says_what_it_said(text: str) -> None:
    """In the strict language of the local SCC, whatever the text is made of."""
    assert parse_filter(f'name = "{quoted(text)}"') == Comparison("name", "=", text)


@given(QUOTABLE, QUOTABLE)
def test_two_quoted_texts_stay_two_terms(first: str, second: str) -> None:
    """Neither text reaches into the other."""
    filter_ = parse_filter(f'resource_name : "{quoted(first)}" AND category = "{quoted(second)}"')

    assert filter_ == Every((Comparison("resource_name", ":", first), Comparison("category", "=", second)))


def test_the_parser_would_notice() -> None:
    """Unquoted, the same text does change the query: the tests above can fail."""
    assert isinstance(parse_filter('name = "x" OR state = "ACTIVE"'), Either)
    with pytest.raises(FilterFault):
        parse_filter('name = "x"y"')


@pytest.mark.parametrize("breaker", BREAKERS)
@pytest.mark.parametrize("place", ["123456789012", "5678", "global", "f1"])
def test_no_such_text_is_part_of_a_finding_s_name(breaker: str, place: str) -> None:
    """The first line: names have a form, and quoting is only the second."""
    assert parse_finding_name(NAME.replace(place, f"{place}{breaker}")) is None


@pytest.mark.parametrize("breaker", BREAKERS)
@pytest.mark.parametrize("place", ["shop-prod", "europe-west1", "checkout"])
def test_no_such_text_is_part_of_a_target(breaker: str, place: str) -> None:
    """Nor of a resource's name."""
    named = f"{RUN}/checkout".replace(place, f"{place}{breaker}")

    assert isinstance(parse_resource(named), NotATarget)


@given(st.text(max_size=30) | st.from_regex(r"[A-Za-z0-9_.%-]{1,30}", fullmatch=True))
def test_what_is_read_as_a_name_needs_no_quoting(text: str) -> None:
    """Everything that does get through has no character that a filter knows."""
    name = parse_finding_name(NAME.replace("f1", text))
    target = parse_resource(f"{RUN}/{text}")

    if name is not None:
        assert quoted(name.spellings[0]) == name.spellings[0]
    if isinstance(target, Target):
        assert quoted(target.resource) == target.resource


def asked(line: Line) -> list[tuple[Comparison, ...]]:
    """The terms of every query that SCC was asked; all of them have to hold."""
    read = [parse_filter(call.request.filter) for call in line.sandbox.wire.calls_to("*/ListFindings")]
    return [tuple(map(compared, one.terms)) if isinstance(one, Every) else (compared(one),) for one in read]


def compared(one: Filter) -> Comparison:
    one = one.term if isinstance(one, Not) else one

    assert isinstance(one, Comparison)
    return one


def delivered(line: Line, field: str, breaker: str) -> None:
    body = json.loads(notification_v2(line.finding()))
    where = body["resource"] if field.startswith("resource.") else body["finding"]
    key = field.removeprefix("resource.")
    where[key] = f"{where[key]}{breaker}"
    try:
        line.respond(json.dumps(body).encode())
    except Malformed:
        return


@pytest.mark.parametrize("breaker", BREAKERS)
@pytest.mark.parametrize(
    "field",
    ["name", "canonicalName", "resourceName", "parent", "category", "parentDisplayName", "resource.name"],
)
def test_every_query_of_a_hostile_message_has_the_shape_it_always_has(field: str, breaker: str, tmp_path: Path) -> None:
    """One finding by its whole name, or what is open on one workload; and nothing is written to a stranger."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        delivered(line, field, breaker)

        for terms in asked(line):
            shape = [(one.field, one.operator) for one in terms]
            assert shape in (
                [("name", "=")],
                [("resource_name", ":"), *OPEN],
                [("resource_name", ":"), *OPEN, ("event_time", ">="), ("event_time", "<=")],
            )
            assert all(breaker not in str(one.value) for one in terms if breaker != "*")
        assert {update.service.name for update in (call.request for call in line.updates)} <= {SERVICE}


@pytest.mark.parametrize("breaker", BREAKERS)
def test_a_name_that_was_read_elsewhere_is_quoted_all_the_same(breaker: str, tmp_path: Path) -> None:
    """The adapter does not rely on its callers: the query is one comparison, and finds nothing."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        line.finding()
        named = parse_finding_name(NAME)
        assert named is not None
        hostile = replace(named, finding=f"f1{breaker}".replace("\x00", ""))

        assert line.app.scc.find(hostile, "123456789012", Deadline.after(5)) is None
        assert {*asked(line)} == {(Comparison("name", "=", spelling),) for spelling in hostile.spellings}


def test_other_workloads_whose_names_contain_ours_are_not_related(tmp_path: Path) -> None:
    """SCC's `:` finds substrings; equality is checked afterwards."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        for number, workload in enumerate(("services/checkout-api", "services/pre-checkout", "jobs/checkout")):
            line.finding(workload=workload, finding_id=f"other{number}")
        line.finding(project_id="shop-prod-2", project_number="424242424243", finding_id="other9")
        pair = line.finding()
        incident = line.respond(pair)
        related = next(one for one in incident.evidence if one.source == "related")

        assert related.gap is None
        assert not any("other" in str(value) for value in related.shown.values())
        assert incident.phase == "contained"

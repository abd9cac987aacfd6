"""Of Security Command Center only what its reference says is asked for: it may take no more, and leave nothing out."""

from __future__ import annotations

from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from tests.response.harness import GOOD, Lines

UNKNOWN = ("mute", "NOT ", "finding_class", "parent_display_name", "source_properties")
"""What is in Google's samples, or in version 1, and not in the reference of ListFindings of version 2."""


def strict(*words: str) -> list[Fault]:
    """An SCC that refuses these words in a filter."""
    return [
        Fault("*/ListFindings", "error", "INVALID_ARGUMENT", times=None, asked=f"*filter: *{one}*") for one in words
    ]


def test_filters_of_documented_fields_alone_lead_to_a_containment_without_a_question(line: Lines) -> None:
    with line() as on:
        for fault in strict(*UNKNOWN):
            on.sandbox.wire.inject(fault)

        assert on.respond(on.finding()).phase == "contained"
        assert on.reachable.keys() == {GOOD}


def test_a_lost_finding_is_found_where_filters_of_documented_fields_alone_are_taken(line: Lines) -> None:
    with line() as on:
        on.finding()
        for fault in strict(*UNKNOWN):
            on.sandbox.wire.inject(fault)
        swept = on.sweep()

        assert (swept.refused, swept.done.get("missed findings answered")) == ((), 1)
        assert on.reachable.keys() == {GOOD}


def test_an_scc_that_knows_its_sources_without_a_location_alone_is_asked_so(line: Lines) -> None:
    with line() as on:
        pair = on.finding()
        located = 'parent: "*/locations/global"*'
        for method in ("*/ListFindings", "*/UpdateSecurityMarks"):
            on.sandbox.wire.inject(Fault(method, "error", "NOT_FOUND", times=None, asked=f"{located}"))

        assert on.respond(pair).phase == "contained"
        assert on.sweep().refused == ()


def test_what_is_muted_is_no_related_finding_though_it_is_listed(line: Lines) -> None:
    with line() as on:
        muted = on.finding(held=False, finding_id="muted")
        put_finding(on.world, {**muted["finding"], "mute": "MUTED"}, muted["resource"])
        related = next(one for one in on.respond(on.finding()).evidence if one.source == "related")

        assert related.facts["related.count"] == 0

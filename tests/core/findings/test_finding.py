"""Reading SCC notifications: every shape, nothing dropped, nothing guessed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.errors import Malformed
from firebreak.core.findings.finding import Finding, parse_finding_name
from firebreak.core.findings.notification import parse_notification
from firebreak.core.serialization import decode, encode

FINDINGS = Path(__file__).parents[2] / "findings"
READABLE = sorted(path.stem for path in FINDINGS.glob("*.json") if path.stem != "console_json_tab")


def told(name: str) -> Finding:
    return parse_notification((FINDINGS / f"{name}.json").read_bytes()).finding


def message(**changes: Any) -> bytes:
    body = json.loads((FINDINGS / "v2.json").read_text())
    body["finding"].update(changes)
    return json.dumps(body).encode()


@pytest.mark.parametrize("name", READABLE)
def test_every_shape_of_notification_is_read_and_survives_storage(name: str) -> None:
    """What is read can be saved, and comes back equal."""
    finding = told(name)

    assert decode(Finding, encode(finding)) == finding
    assert finding.category


def test_v1_and_v2_spellings_of_one_event_are_one_incident() -> None:
    """Identity is source, finding and event time, however the message spells them."""
    assert told("v1").incident_id == told("v2").incident_id


def test_a_mute_is_the_same_incident_and_a_new_event_time_is_not() -> None:
    """A mute leaves the event time alone."""
    muted = parse_notification(message(mute="MUTED", muteUpdateTime="2026-11-01T00:00:00Z")).finding
    later = parse_notification(message(eventTime="2031-01-01T00:00:00.000000001Z")).finding

    assert muted.incident_id == told("v2").incident_id
    assert later.incident_id != told("v2").incident_id


def test_event_times_are_compared_as_nanoseconds_not_as_texts() -> None:
    """`28.67Z` and `28.670Z` are one moment; the ninth digit counts."""
    ids = [
        parse_notification(message(eventTime=time)).finding.incident_id
        for time in ("2021-10-28T17:34:28.67Z", "2021-10-28T17:34:28.670Z", "2021-10-28T17:34:28.670000001Z")
    ]

    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


def test_the_canonical_name_serves_where_the_name_is_not_readable() -> None:
    """Either spelling gives the identity."""
    finding = parse_notification(message(name="")).finding

    assert finding.incident_id == told("v2").incident_id


def test_names_of_two_findings_in_one_message_are_refused() -> None:
    """A message that names two findings is no notification of SCC's."""
    with pytest.raises(Malformed):
        parse_notification(message(canonicalName="projects/1/sources/5678/locations/global/findings/other"))


@pytest.mark.parametrize(
    ("file", "whole"),
    [
        ({"sha256": "a" * 64}, True),
        ({"sha256": "a" * 64, "size": "10", "hashedSize": "10"}, True),
        ({"sha256": "A" * 64, "size": "10", "hashedSize": "10"}, True),
        ({"sha256": "a" * 64, "size": "10", "hashedSize": "5"}, False),
        ({"sha256": "a" * 64, "size": "10"}, False),
        ({"sha256": "a" * 64, "partiallyHashed": True}, False),
        ({"sha256": "a" * 63}, False),
        ({"sha256": 7}, False),
    ],
)
def test_only_a_hash_of_the_whole_file_counts(file: dict[str, Any], whole: bool) -> None:  # noqa: FBT001
    """A prefix's hash matches no file in the world."""
    finding = parse_notification(message(processes=[{"binary": {"path": "/tmp/x", **file}}], files=[])).finding  # noqa: S108

    assert bool(finding.whole_hashes) is whole


def test_paths_are_decoded_where_scc_encodes_them_as_json() -> None:
    """Both spellings of a path are one path."""
    for path in ('"/tmp/x"', "/tmp/x"):  # noqa: S108
        finding = parse_notification(message(processes=[{"binary": {"path": path}}], files=[])).finding

        assert finding.binaries[0].path == "/tmp/x"  # noqa: S108


def test_a_workload_that_the_two_names_disagree_on_is_no_target() -> None:
    """finding.resourceName and resource.name must name the same workload."""
    here = "//run.googleapis.com/projects/shop-prod/locations/europe-west1/services/pay"

    assert isinstance(parse_notification(message(resourceName=here)).finding.target, NotATarget)


@pytest.mark.parametrize(
    ("name", "kind"), [("v2", "service"), ("job_execution", "job"), ("worker_pool", "worker_pool")]
)
def test_targets_of_every_kind_are_read(name: str, kind: str) -> None:
    """Services, jobs and worker pools."""
    target = told(name).target

    assert isinstance(target, Target)
    assert target.kind == kind


@pytest.mark.parametrize("name", ["gke_twin", "agent_engine_twin"])
def test_twins_on_other_products_are_no_targets(name: str) -> None:
    """Told apart by the resource's host, not by the category they share."""
    assert isinstance(told(name).target, NotATarget)


def test_a_project_number_and_its_id_are_one_project() -> None:
    """The mapping comes from the resource's metadata."""
    by_number, by_id = told("project_number").target, told("v2").target

    assert isinstance(by_number, Target)
    assert isinstance(by_id, Target)
    assert by_number.same_workload(by_id)
    assert by_number.key == by_id.key


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"finding": []}',
        b'{"finding": {"name": "x"}}',
        b"[" * 100_000,
        b'{"finding":' * 10_000,
        json.dumps({"finding": {"name": "organizations/1/sources/2/findings/a"}}).encode(),
        json.dumps({"finding": {"name": "organizations/1/sources/2/findings/a", "eventTime": "today"}}).encode(),
        json.dumps(
            {"finding": {"name": "organizations/1/../2/findings/a", "eventTime": "2026-01-01T00:00:00Z"}}
        ).encode(),
    ],
)
def test_what_is_no_notification_is_malformed_and_nothing_else(body: bytes) -> None:
    """One exception, with a sentence, for everything unreadable."""
    with pytest.raises(Malformed, match=r"."):
        parse_notification(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(field=st.sampled_from(sorted(json.loads((FINDINGS / "v2.json").read_text())["finding"])), value=json_values)
def test_a_field_of_any_type_never_crashes_the_parser(field: str, value: object) -> None:
    """Each field of the finding replaced by any JSON: read, or malformed."""
    try:
        finding = parse_notification(message(**{field: value})).finding
    except Malformed:
        return

    assert encode(finding)


@given(st.binary(max_size=200))
def test_any_bytes_are_malformed_or_read(body: bytes) -> None:
    """The parser raises nothing but Malformed."""
    try:
        parse_notification(body)
    except Malformed:
        return


@pytest.mark.parametrize(
    "name",
    [
        "organizations/1/sources/2/findings/f",
        "organizations/1/sources/2/locations/eu/findings/f",
        "folders/1/sources/2/locations/global/findings/f",
        "projects/shop-prod/sources/2/locations/global/findings/f",
    ],
)
def test_finding_names_are_read_in_every_spelling(name: str) -> None:
    """Organizations, folders and projects, with and without location."""
    read = parse_finding_name(name)

    assert read is not None
    assert name in read.spellings or "locations/global" not in name


@pytest.mark.parametrize(
    "change",
    [{"files": [{}] * 3_000_000}, {"processes": [{"libraries": [{}] * 3_000_000}]}],
    ids=["files", "libraries"],
)
def test_millions_of_empty_files_in_one_message_cost_under_two_seconds(change: dict[str, Any]) -> None:
    """As many as go into the largest message that Pub/Sub delivers; none of them is shown."""
    sent = message(**change).replace(b"{}, ", b"{},")
    assert len(sent) < 10_000_000
    began = time.process_time()
    parse_notification(sent)

    assert time.process_time() - began < 2

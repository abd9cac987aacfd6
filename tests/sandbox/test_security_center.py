from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import securitycenter_v2
from google.cloud.securitycenter_v2.services.security_center.transports import SecurityCenterGrpcTransport
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.findings.notification import parse_finding
from sandbox.scc import security_center
from sandbox.scc.finding_listing import list_findings
from sandbox.scc.notification_variants import FIXTURES, finding_on, with_unknowns
from sandbox.scc.notifications import Pair, Scene, malicious_binary_finding
from sandbox.scc.security_center import mute, put_finding, set_state
from sandbox.wire import Fault, Wire
from sandbox.world import World

ORGANIZATION = "organizations/123456789012"
SCENE = Scene()

# Google's clients take dicts where their annotations ask for messages.
Client = Any


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def client(world: World, wire: Wire) -> Iterator[Client]:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(tuple(security_center.handlers(world, wire)))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield securitycenter_v2.SecurityCenterClient(transport=SecurityCenterGrpcTransport(channel=channel))
    server.stop(None)


def put(world: World, pair: Pair) -> str:
    put_finding(world, pair["finding"], pair["resource"])
    return str(pair["finding"]["name"])


def listed(client: Client, parent: str, **request: Any) -> list[str]:
    pager = client.list_findings(request={"parent": parent, **request}, timeout=5)
    return [result.finding.name.rpartition("/")[2] for result in pager]


def many(world: World, count: int) -> list[str]:
    for number in range(count):
        put(
            world,
            malicious_binary_finding(
                Scene(finding_id=f"f{number:03}", event_time=f"2026-10-01T10:00:{59 - number:02}Z")
            ),
        )
    return [f"f{number:03}" for number in range(count)]


def test_a_listed_finding_reads_like_the_notification_of_it(world: World, client: Client) -> None:
    pair = malicious_binary_finding()
    put(world, pair)
    result = next(iter(client.list_findings(parent=f"{ORGANIZATION}/sources/5678")))
    whole = json.loads(type(result).to_json(result, use_integers_for_enums=False))

    assert parse_finding(whole["finding"], whole["resource"]) == parse_finding(pair["finding"], pair["resource"])


@pytest.mark.parametrize(
    "parent",
    [
        f"{ORGANIZATION}/sources/5678",
        f"{ORGANIZATION}/sources/-",
        f"{ORGANIZATION}/sources/-/locations/global",
        "folders/7001/sources/5678",
        "projects/424242424242/sources/5678/locations/global",
        "projects/shop-prod/sources/-",
    ],
)
def test_a_finding_is_listed_under_its_organization_folder_and_project(
    parent: str, world: World, client: Client
) -> None:
    put(world, malicious_binary_finding())

    assert listed(client, parent) == [SCENE.finding_id]


@pytest.mark.parametrize(
    "parent",
    [
        "organizations/999/sources/-",
        f"{ORGANIZATION}/sources/9999",
        f"{ORGANIZATION}/sources/-/locations/eu",
        "folders/7002/sources/-",
        "projects/shop/sources/-",
    ],
)
def test_it_is_listed_nowhere_else(parent: str, world: World, client: Client) -> None:
    put(world, malicious_binary_finding())

    assert listed(client, parent) == []


def test_a_parent_without_location_lists_global_findings_only(world: World, client: Client) -> None:
    put(world, malicious_binary_finding(Scene(finding_location="eu")))

    assert listed(client, f"{ORGANIZATION}/sources/-") == []
    assert listed(client, f"{ORGANIZATION}/sources/-/locations/eu") == [SCENE.finding_id]


@pytest.mark.parametrize(
    "request_",
    [
        {"parent": ORGANIZATION},
        {"parent": "sources/5678"},
        {"filter": "state = ACTIVE"},
        {"filter": 'source_properties.x = "y"'},
        {"page_size": 1001},
        {"page_size": -1},
        {"page_token": "made-up"},
        {"order_by": "severity"},
        {"order_by": "name asc"},
        {"field_mask": {"paths": ["no_such_field"]}},
    ],
)
def test_what_scc_does_not_document_is_an_invalid_argument(
    request_: dict[str, Any], world: World, client: Client
) -> None:
    put(world, malicious_binary_finding())

    with pytest.raises(exceptions.InvalidArgument):
        listed(client, **{"parent": f"{ORGANIZATION}/sources/-", **request_})


def test_pages_hold_ten_findings_unless_asked_otherwise(world: World, client: Client) -> None:
    ids = many(world, 23)
    pages = list(client.list_findings(parent=f"{ORGANIZATION}/sources/-").pages)

    assert [len(page.list_findings_results) for page in pages] == [10, 10, 3]
    assert [page.total_size for page in pages] == [23, 23, 23]
    assert sorted(listed(client, f"{ORGANIZATION}/sources/-", page_size=7)) == ids


def test_a_page_token_belongs_to_its_query(world: World, client: Client) -> None:
    many(world, 11)
    first = next(iter(client.list_findings(parent=f"{ORGANIZATION}/sources/-").pages))

    with pytest.raises(exceptions.InvalidArgument):
        listed(client, f"{ORGANIZATION}/sources/5678", page_token=first.next_page_token)


def test_findings_come_in_the_order_asked_for(world: World, client: Client) -> None:
    ids = many(world, 3)

    assert listed(client, f"{ORGANIZATION}/sources/-", order_by="event_time") == ids[::-1]
    assert listed(client, f"{ORGANIZATION}/sources/-", order_by=" category,event_time  desc ") == ids


def test_a_field_mask_leaves_only_those_fields(world: World, client: Client) -> None:
    put(world, malicious_binary_finding())
    request = {"parent": f"{ORGANIZATION}/sources/-", "field_mask": {"paths": ["category"]}}
    (result,) = client.list_findings(request=request)

    assert result.finding == securitycenter_v2.Finding(category=SCENE.category)


def test_a_filter_selects(world: World, client: Client) -> None:
    put(world, malicious_binary_finding())
    put(world, finding_on("services/payments", Scene(finding_id="other")))
    filter_ = 'resource_name : "/services/pay" AND event_time >= "2026-10-01T10:00:00Z" AND NOT mute = "MUTED"'

    assert listed(client, f"{ORGANIZATION}/sources/-", filter=filter_) == ["other"]


def test_names_can_be_asked_for_as_scc_spells_them(world: World, client: Client) -> None:
    put(world, malicious_binary_finding())

    assert listed(client, f"{ORGANIZATION}/sources/-", filter=f'name = "{SCENE.name}"') == [SCENE.finding_id]
    assert listed(client, f"{ORGANIZATION}/sources/-", filter=f'name = "{SCENE.canonical_name}"') == [SCENE.finding_id]


def test_a_finding_put_in_v1_spelling_is_held_in_v2s(world: World, client: Client) -> None:
    v1 = json.loads(FIXTURES["v1"]())
    put_finding(world, v1["finding"], malicious_binary_finding()["resource"])
    (result,) = client.list_findings(parent=f"{ORGANIZATION}/sources/-")

    assert result.finding.name == SCENE.name
    assert result.finding.parent == f"{ORGANIZATION}/sources/5678/locations/global"


def test_what_the_library_does_not_know_is_dropped_from_the_listing(world: World, client: Client) -> None:
    put(world, with_unknowns(malicious_binary_finding()))
    (result,) = client.list_findings(parent=f"{ORGANIZATION}/sources/-")

    assert result.finding.severity == securitycenter_v2.Finding.Severity.SEVERITY_UNSPECIFIED
    assert result.finding.mitre_attack.version == "19"


def test_putting_a_finding_again_replaces_it(world: World, client: Client) -> None:
    put(world, malicious_binary_finding())
    put(world, malicious_binary_finding(Scene(severity="LOW")))
    results = list(client.list_findings(parent=f"{ORGANIZATION}/sources/-"))

    assert [result.finding.severity.name for result in results] == ["LOW"]


SPELLINGS = [
    SCENE.name,
    SCENE.canonical_name,
    SCENE.name.replace("/locations/global", ""),
    SCENE.canonical_name.replace("/locations/global", ""),
    f"folders/7001/{SCENE.below}",
    f"projects/shop-prod/{SCENE.below}",
]


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_a_name_writes_to_the_same_finding(name: str, world: World, client: Client) -> None:
    put(world, malicious_binary_finding())
    client.set_mute(name=name, mute=securitycenter_v2.Finding.Mute.MUTED)
    state = client.set_finding_state(name=name, state=securitycenter_v2.Finding.State.INACTIVE)

    assert state.name == SCENE.name
    assert (state.mute.name, state.state.name) == ("MUTED", "INACTIVE")


def test_a_finding_that_is_not_there_is_not_found(client: Client) -> None:
    with pytest.raises(exceptions.NotFound):
        client.set_mute(name=SCENE.name, mute=securitycenter_v2.Finding.Mute.MUTED)
    with pytest.raises(exceptions.NotFound):
        client.update_security_marks(security_marks={"name": f"{SCENE.name}/securityMarks", "marks": {"a": "b"}})


def marked(client: Client, marks: dict[str, str], mask: list[str] | None = None) -> dict[str, str]:
    written = client.update_security_marks(
        request={
            "security_marks": {"name": f"{SCENE.canonical_name}/securityMarks", "marks": marks},
            "update_mask": {"paths": mask or []},
        }
    )
    return dict(written.marks)


def test_a_masked_mark_leaves_the_marks_of_others(world: World, client: Client) -> None:
    put(world, malicious_binary_finding())
    marked(client, {"team": "shop"}, ["marks.team"])

    assert marked(client, {"firebreak": " contained ", "unmasked": "x"}, ["marks.firebreak"]) == {
        "team": "shop",
        "firebreak": "contained",
    }
    assert listed(client, f"{ORGANIZATION}/sources/-", filter='security_marks.marks.TEAM = "Shop"')


@pytest.mark.parametrize("mask", [[], ["marks"]])
def test_an_unmasked_write_replaces_the_marks_of_everybody(mask: list[str], world: World, client: Client) -> None:
    put(world, malicious_binary_finding())
    marked(client, {"team": "shop"}, ["marks.team"])

    assert marked(client, {"firebreak": "contained"}, mask) == {"firebreak": "contained"}


def test_a_masked_key_without_a_value_is_deleted(world: World, client: Client) -> None:
    put(world, malicious_binary_finding())
    marked(client, {"team": "shop", "other": "x"})

    assert marked(client, {}, ["marks.TEAM"]) == {"other": "x"}


@pytest.mark.parametrize(
    ("marks", "mask"),
    [
        ({"a.b": "x"}, ["marks.a.b"]),
        ({"a:b": "x"}, ["marks.a:b"]),
        ({"": "x"}, ["marks."]),
        ({"a" * 257: "x"}, ["marks." + "a" * 257]),
        ({"a": "  "}, ["marks.a"]),
        ({"a": "x" * 4097}, ["marks.a"]),
        ({"a": "x"}, ["marks.a", "marks.A"]),
        ({"a": "x"}, ["marks", "marks.a"]),
        ({"a": "x"}, ["name"]),
        ({"a": "x", "A": "y"}, []),
    ],
)
def test_marks_obey_sccs_rules_for_keys_values_and_masks(
    marks: dict[str, str], mask: list[str], world: World, client: Client
) -> None:
    put(world, malicious_binary_finding())

    with pytest.raises(exceptions.InvalidArgument):
        marked(client, marks, mask)


def test_muting_moves_neither_state_nor_event_time(world: World, client: Client) -> None:
    name = put(world, malicious_binary_finding())
    (before,) = (result.finding for result in client.list_findings(parent=f"{ORGANIZATION}/sources/-"))
    mute(world, name)
    (after,) = (result.finding for result in client.list_findings(parent=f"{ORGANIZATION}/sources/-"))

    assert (after.mute.name, after.state, after.event_time) == ("MUTED", before.state, before.event_time)
    assert after.mute_info.static_mute.state == after.mute


def test_resolving_moves_the_event_time(world: World, client: Client) -> None:
    name = put(world, malicious_binary_finding())
    set_state(world, name, "INACTIVE")
    (after,) = (result.finding for result in client.list_findings(parent=f"{ORGANIZATION}/sources/-"))

    assert after.state.name == "INACTIVE"
    assert after.event_time.rfc3339() != SCENE.event_time


def test_unspecified_states_are_refused(world: World, client: Client) -> None:
    name = put(world, malicious_binary_finding())

    with pytest.raises(exceptions.InvalidArgument):
        client.set_mute(name=name, mute=securitycenter_v2.Finding.Mute.MUTE_UNSPECIFIED)
    with pytest.raises(exceptions.InvalidArgument):
        client.set_finding_state(name=name, state=securitycenter_v2.Finding.State.STATE_UNSPECIFIED)


def test_another_systems_record_changes_only_where_masked(world: World, client: Client) -> None:
    name = put(world, malicious_binary_finding()) + "/externalSystems/firebreak"
    client.update_external_system(external_system={"name": name, "status": "open", "assignees": ["a", "b"]})
    written = client.update_external_system(
        external_system={"name": name, "status": "closed", "assignees": ["c"]}, update_mask={"paths": ["assignees"]}
    )
    (listed_,) = (result.finding for result in client.list_findings(parent=f"{ORGANIZATION}/sources/-"))

    assert (written.status, list(written.assignees)) == ("open", ["c"])
    assert listed_.external_systems["firebreak"] == written


def test_a_method_that_the_world_denies_is_refused_and_changes_nothing(world: World, client: Client) -> None:
    name = put(world, malicious_binary_finding())
    world.denied.add("*/SetMute")

    with pytest.raises(exceptions.PermissionDenied):
        client.set_mute(name=name, mute=securitycenter_v2.Finding.Mute.MUTED)
    assert listed(client, f"{ORGANIZATION}/sources/-", filter='-mute = "MUTED"') == [SCENE.finding_id]


def test_calls_are_journalled_and_take_the_faults_planted_for_them(world: World, wire: Wire, client: Client) -> None:
    wire.inject(Fault("*/UpdateSecurityMarks", "lost_answer"))
    put(world, malicious_binary_finding())

    with pytest.raises(exceptions.ServiceUnavailable):
        marked(client, {"a": "b"}, ["marks.a"])
    assert [call.method for call in wire.calls] == [f"{security_center.SERVICE}/UpdateSecurityMarks"]
    assert listed(client, f"{ORGANIZATION}/sources/-", filter='security_marks.marks.a = "b"') == [SCENE.finding_id]


@given(st.text())
def test_a_filter_from_hostile_text_selects_by_that_text_alone(text: str) -> None:
    other = Scene(finding_id="other")
    pairs = [finding_on("services/a"), malicious_binary_finding(other)]
    pairs[0]["finding"]["category"] = text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    request = securitycenter_v2.ListFindingsRequest(
        parent=f"{ORGANIZATION}/sources/-", filter=f'category = "{escaped}" AND -category = "{SCENE.category}"'
    )
    found = [one.finding.category for one in list_findings(pairs, request).list_findings_results]

    assert found == [text]


def test_a_finding_that_is_made_is_held_with_what_scc_knows_of_its_resource(client: Client, world: World) -> None:
    world.projects["shop-prod"] = "424242424242"
    finding = securitycenter_v2.Finding.from_json(json.dumps(malicious_binary_finding(SCENE)["finding"]))
    made = {"parent": f"{ORGANIZATION}/sources/5678/locations/global", "finding_id": "abc", "finding": finding}
    client.create_finding(request=made, timeout=5)
    (held,) = client.list_findings(request={"parent": f"{ORGANIZATION}/sources/-/locations/global"}, timeout=5)

    assert held.finding.name == f"{ORGANIZATION}/sources/5678/locations/global/findings/abc"
    assert held.finding.canonical_name == "projects/424242424242/sources/5678/locations/global/findings/abc"
    assert held.resource.gcp_metadata.project_display_name == "shop-prod"
    with pytest.raises(exceptions.AlreadyExists):
        client.create_finding(request=made, timeout=5)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"finding_id": "A-B"}, "finding_id"), ({"parent": "organizations/1"}, "parent"), ({}, "resource_name")],
)
def test_a_finding_about_nothing_that_is_there_is_not_made(client: Client, change: dict[str, str], said: str) -> None:
    finding = securitycenter_v2.Finding.from_json(json.dumps(malicious_binary_finding(SCENE)["finding"]))
    made = {"parent": f"{ORGANIZATION}/sources/5678/locations/global", "finding_id": "abc", "finding": finding}

    with pytest.raises(exceptions.InvalidArgument, match=said):
        client.create_finding(request={**made, **change}, timeout=5)

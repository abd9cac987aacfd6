"""What a finding alone tells policies: known, unknown, or known in part."""

from __future__ import annotations

from typing import Any

import pytest

from firebreak.core.diagnostics import Location
from firebreak.core.facts import REST, FactType
from firebreak.core.findings.notification import parse_notification
from firebreak.core.findings.own_facts import CATALOGUE
from firebreak.core.policy.clause import Clause, Operator, truth_of
from firebreak.core.ternary import Truth
from tests.core.findings.test_finding import message, told

MINER = "/tmp/.cache/kdevtmpfsi"  # noqa: S108 - where the finding has it


def facts_of(**changes: Any) -> dict[str, Any]:
    return parse_notification(message(**changes)).finding.facts()


def process(path: str, *args: str) -> dict[str, Any]:
    return {"binary": {"path": path}, "args": list(args)}


def truth(facts: dict[str, Any], fact: str, operator: Operator, operand: Any) -> Truth:
    return truth_of(Clause(fact, operator, operand, CATALOGUE[fact].type, (), Location("", 1, 1)), facts)


def test_processes_containers_images_and_the_hour_are_facts() -> None:
    facts = told("two_containers").facts()

    assert {name: value for name, value in facts.items() if name.split(".")[1] not in ("category", "class")} == {
        "finding.severity": "CRITICAL",
        "finding.partial_hash": False,
        "finding.hour": 10,
        "finding.weekday": "thursday",
        "finding.process_paths": (MINER,),
        "finding.paths": (MINER,),
        "finding.command_lines": (f"{MINER} --donate-level 1 -o pool.example.net:4444",),
        "finding.container_names": ("proxy", "checkout-1"),
        "finding.images": (
            "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2",
            "europe-docker.pkg.dev/shop-prod/apps/checkout:latest",
        ),
        "finding.image_registries": ("gcr.io", "europe-docker.pkg.dev"),
        "finding.image_repositories": ("cloud-sql-connectors/cloud-sql-proxy", "shop-prod/apps/checkout"),
        "finding.image_tags": ("2", "latest"),
    }


@pytest.mark.parametrize(
    ("at", "hour", "weekday"),
    [
        ("1970-01-01T00:00:00Z", 0, "thursday"),
        ("2026-11-29T23:59:59.999999999Z", 23, "sunday"),
        ("2026-11-30T00:00:00+02:00", 22, "sunday"),
        ("2024-02-29T12:30:00Z", 12, "thursday"),
    ],
)
def test_hour_and_weekday_are_those_of_the_event_in_utc(at: str, hour: int, weekday: str) -> None:
    facts = facts_of(eventTime=at)

    assert (facts["finding.hour"], facts["finding.weekday"]) == (hour, weekday)


@pytest.mark.parametrize(
    ("uri", "registry", "repository", "tags"),
    [
        ("nginx", "docker.io", "nginx", None),
        ("nginx:1.25", "docker.io", "nginx", ("1.25",)),
        ("bitnami/redis:7", "docker.io", "bitnami/redis", ("7",)),
        ("localhost:5000/app:v1", "localhost:5000", "app", ("v1",)),
        ("https://gcr.io/a/b:c", "gcr.io", "a/b", ("c",)),
        (f"eu.gcr.io/p/app:v2@sha256:{'0' * 64}", "eu.gcr.io", "p/app", ("v2",)),
        (f"eu.gcr.io/p/app@sha256:{'0' * 64}", "eu.gcr.io", "p/app", ()),
    ],
)
def test_an_image_is_told_apart_into_registry_repository_and_tag(
    uri: str, registry: str, repository: str, tags: tuple[str, ...] | None
) -> None:
    """Without tag and digest the tag is unknown; beside a digest it is known that there is none."""
    facts = facts_of(containers=[{"name": "app", "uri": uri}])

    assert facts["finding.image_registries"] == (registry,)
    assert facts["finding.image_repositories"] == (repository,)
    assert facts.get("finding.image_tags") == tags


def test_what_scc_left_out_is_unknown_and_never_empty() -> None:
    facts = facts_of(processes=[], containers=[], files=[], severity="")

    assert facts.keys() == {"finding.category", "finding.class", "finding.hour", "finding.weekday"}


def test_a_secret_in_a_command_line_is_no_fact() -> None:
    facts = facts_of(processes=[process("/usr/bin/mysql", "mysql", "--password", "hunter2-Xk29")])

    assert facts["finding.command_lines"] == ("mysql --password [redacted secret]",)


@pytest.mark.parametrize(
    "facts",
    [
        facts_of(processes=[process("/bin/a", "curl", "--password", "x9-evil.example")]),
        facts_of(processes=[process("/bin/a", "curl", "a" * 5_000, "evil.example")]),
        facts_of(processes=[process(f"/bin/{n}", f"curl {n}") for n in range(51)]),
    ],
    ids=["redacted", "cut", "too many"],
)
def test_what_is_not_shown_of_command_lines_may_still_be_there(facts: dict[str, Any]) -> None:
    """What is found is found; what is not found is unknown, so that a person is asked and nothing is passed over."""
    name = "finding.command_lines"

    assert truth(facts, name, Operator.GLOB, "*curl*") is Truth.TRUE
    assert truth(facts, name, Operator.GLOB, "*evil.example*") is Truth.UNKNOWN
    assert truth(facts, name, Operator.CONTAINS, "wget evil.example") is Truth.UNKNOWN
    assert truth(facts, name, Operator.NOT_IN_SET, ("wget evil.example",)) is Truth.UNKNOWN
    assert truth(facts, name, Operator.EXISTS, operand=True) is Truth.TRUE


def test_a_file_without_a_path_leaves_the_list_known_in_part() -> None:
    facts = facts_of(processes=[process("/bin/a"), {"script": {"sha256": "0" * 64}}])

    assert facts["finding.process_paths"] == ("/bin/a", REST)


def test_libraries_are_among_the_paths_and_not_among_those_of_processes() -> None:
    facts = facts_of(processes=[{**process("/bin/a"), "libraries": [{"path": "/lib/evil.so"}]}])

    assert facts["finding.process_paths"] == ("/bin/a",)
    assert facts["finding.paths"] == ("/bin/a", "/lib/evil.so")


def test_every_fact_that_it_tells_is_in_the_catalogue_and_of_its_type() -> None:
    kinds = {FactType.TEXT: str, FactType.NUMBER: int, FactType.BOOL: bool, FactType.TEXTS: tuple}
    facts = told("two_containers").facts()

    assert facts.keys() == CATALOGUE.keys()
    assert all(isinstance(value, kinds[CATALOGUE[name].type]) for name, value in facts.items())

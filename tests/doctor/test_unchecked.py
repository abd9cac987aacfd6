"""What could not be checked did not fail: a missing role, an outage and a fault of a check's own are told as such."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth.exceptions import DefaultCredentialsError

from firebreak.adapters.google import calls
from firebreak.core.discovery import Found
from firebreak.doctor import discover, examine
from firebreak.doctor.result import Check, Examined, Item, Ok, Result
from firebreak.ports.deadline import Deadline
from sandbox.wire import Fault
from tests.cli.commands import Told
from tests.doctor.deployed import Site

pytestmark = pytest.mark.thorough

CONFIGS = "google.cloud.securitycenter.v2.SecurityCenter"
REFUSED = {
    "apis": "serviceusage.googleapis.com/list",
    "dead_letters": "monitoring.googleapis.com/*",
    "deliveries": f"{CONFIGS}/GetNotificationConfig",
    "detectors": f"{CONFIGS}/ListFindings",
    "evidence": "storage/getBucket",
    "functions": "cloudfunctions.googleapis.com/get",
    "grants": "secretmanager.googleapis.com/getIamPolicy",
    "identities": "google.iam.admin.v1.IAM/GetRole",
    "indexes": "firestore.googleapis.com/list",
    "messages": "google.pubsub.v1.Subscriber/GetSubscription",
    "policies": "cloudfunctions.googleapis.com/get",
    "secrets": "secretmanager.googleapis.com/get",
    "sweep": "cloudscheduler.googleapis.com/get",
    "virustotal": "monitoring.googleapis.com/*",
    "yourself": "cloudresourcemanager.googleapis.com/testIamPermissions",
}


def results(told: Told, *words: str) -> dict[str, list[dict[str, str]]]:
    """What `doctor` says, by check."""
    return {check["check"]: check["results"] for check in told("doctor", "--json", *words).json["checks"]}


def test_every_check_that_asks_google_is_among_those_that_are_refused_here() -> None:
    assert discover().working.keys() - REFUSED.keys() == {"ledger"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_denied_could_not_be_checked_and_the_role_that_it_takes_is_named(
    firebreak: Told, healthy: Site, name: str
) -> None:
    healthy.configure()
    healthy.world.denied.add(REFUSED[name])
    told = firebreak("doctor", "--json")
    found = {check["check"]: check["results"] for check in told.json["checks"]}
    unchecked = [one for one in found[name] if one["status"] == "unchecked"]

    assert told.code == 3
    assert unchecked
    assert {one["role"] for one in unchecked} == {discover().working[name].role}
    assert "fault" not in {one["status"] for some in found.values() for one in some}


def test_a_fault_counts_more_than_what_could_not_be_checked(firebreak: Told, healthy: Site) -> None:
    healthy.configure()
    healthy.world.denied |= {"serviceusage.googleapis.com/list", "bigquery.jobs.create"}
    told = firebreak("doctor")

    assert told.code == 1
    begins = [line[:6].strip() for line in told.out.splitlines() if line[:6].strip()]

    assert told.out.splitlines()[-1].startswith("1 fault, 1 could not be checked, ")
    assert [one for one in begins if one != "ok"] == ["?", "FAULT", "1 faul"]
    assert begins.index("?") == begins.count("ok"), "what there is to do is nearest to the last line"


def test_who_is_not_logged_in_is_told_so_once(firebreak: Told, healthy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(**_: object) -> None:
        raise DefaultCredentialsError

    healthy.configure()
    for name in healthy.sandbox.environment():
        monkeypatch.delenv(name)
    calls._credentials.cache_clear()  # noqa: SLF001 - what another test left there
    monkeypatch.setattr("google.auth.default", nobody)
    told = firebreak("doctor")

    assert (told.code, told.out) == (3, "")
    assert told.err.count("gcloud auth application-default login") == 1


def test_a_ledger_that_cannot_be_reached_is_no_halt(firebreak: Told, healthy: Site) -> None:
    healthy.configure()
    (healthy.folder / "ledger.sqlite").unlink()
    found = results(firebreak)

    assert {one["status"] for one in found["ledger"]} == {"unchecked"}
    assert "fault" not in {one["status"] for some in found.values() for one in some}
    assert all("there is no ledger at" in one["says"] for one in found["ledger"])


@pytest.mark.parametrize("kind", ["hang", "reset", "malformed"])
def test_what_does_not_answer_holds_nothing_up_and_could_not_be_checked(
    firebreak: Told, healthy: Site, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(examine, "ITEM_SECONDS", 1.5)
    healthy.configure()
    healthy.sandbox.wire.inject(
        Fault("cloudscheduler.googleapis.com/get", kind, times=None),  # type: ignore[arg-type]  # one of its words
        Fault("google.pubsub.v1.Subscriber/*", kind, times=None),  # type: ignore[arg-type]  # as above
    )
    found = results(firebreak)
    unchecked = {name for name, some in found.items() if any(one["status"] == "unchecked" for one in some)}

    assert unchecked == {"sweep", "messages"}
    assert {one.get("role") for name in unchecked for one in found[name]} == {None}


def test_a_check_with_a_fault_of_its_own_leaves_the_others_working(
    firebreak: Told, healthy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Deadline) -> Iterator[Result]:
        yield Ok("the first half")
        raise ZeroDivisionError

    def items(_: Examined) -> Iterator[Item]:
        yield Item("the second half", broken)

    working = {**discover().working, "zebra": Check("the zebra", "", items)}
    found = Found(working, {"lost": "firebreak.doctor.checks/lost.py cannot be imported"})
    monkeypatch.setattr("firebreak.cli.commands.doctor.discover", lambda: found)
    healthy.configure()
    told = firebreak("doctor")

    assert told.code == 3
    assert "?     the zebra: the second half: a fault in Firebreak itself (ZeroDivisionError at " in told.out
    assert "?     lost: firebreak.doctor.checks/lost.py cannot be imported" in told.out
    assert "ok    the APIs: " in told.out


def test_text_of_google_s_that_a_terminal_would_act_on_is_shown_and_does_nothing(
    firebreak: Told, healthy: Site
) -> None:
    healthy.configure()
    scheduler = healthy.resource("cloudscheduler", healthy.deployment["sweep"])
    scheduler["state"] = "PAUSED\x1b[2J\u202epassword=hunter2hunter2"
    told = firebreak("doctor")

    assert "\x1b" not in told.out
    assert "\u202e" not in told.out
    assert "hunter2hunter2" not in told.out


@pytest.mark.parametrize(
    ("place", "status", "says"),
    [
        ("projects/shop-prod", "ok", "all 21 permissions reach it"),
        ("projects/elsewhere", "fault", "does not reach it"),
        ("folders/9999", "unchecked", "may be granted further up, where the policy cannot be read"),
        ("folders/4040", "unchecked", "Google knows no such place: look at how it was typed"),
    ],
)
def test_whether_it_reaches_a_place_is_told_from_all_that_lies_above(
    firebreak: Told, healthy: Site, place: str, status: str, says: str
) -> None:
    manager = "//cloudresourcemanager.googleapis.com"
    organization = healthy.deployment["organization"]
    healthy.world.resources |= {
        f"{manager}/projects/shop-prod": {"name": "projects/1", "parent": "folders/7001"},
        f"{manager}/projects/elsewhere": {"name": "projects/2", "parent": f"organizations/{organization}"},
        f"{manager}/folders/9999": {"name": "folders/9999", "parent": "folders/8888"},
    }
    healthy.configure()
    if place == "folders/9999":
        healthy.sandbox.wire.inject(
            Fault(
                "cloudresourcemanager.googleapis.com/getIamPolicy",
                "error",
                "PERMISSION_DENIED",
                times=None,
                asked="*folders/8888*",
            )
        )
    found = [one for one in results(firebreak, "--reaches", place)["identities"] if f" on {place}: " in one["says"]]

    assert [one["status"] for one in found] == [status] * 2
    assert all(says in one["says"] for one in found)


@pytest.mark.parametrize("words", [("--reaches", "shop-prod"), ("--reaches", "organizations/1")])
def test_a_place_that_is_none_is_wrong_usage(firebreak: Told, words: tuple[str, ...]) -> None:
    assert firebreak("doctor", *words).code == 2


def test_the_output_of_an_older_version_is_refused_with_what_to_do(
    firebreak: Told, healthy: Site, tmp_path: Path
) -> None:
    """What a newer one tells beside it is left alone."""
    healthy.deployment["of_tomorrow"] = {"a": 1}
    assert firebreak("configure", str(healthy.file)).code == 0
    del healthy.deployment["package"]["contents"]
    told = firebreak("configure", str(healthy.file))

    assert told.code == 2
    assert str(tmp_path) in told.err
    assert "apply this version's Terraform" in told.err

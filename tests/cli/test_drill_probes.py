"""`drill --probe` asks what the documentation leaves open, and `drill --clean` takes away what a killed one left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.cloud import run_v2

from firebreak.adapters.cloud_run.drill_probes import PROBES
from firebreak.cli.drill.remains import Remains
from firebreak.cli.drill.stage import Stage
from sandbox.wire import Fault
from tests.cli.commands import Told
from tests.cli.drilling import CLEAN, NOTHING, WORDS, checks, deployed, left_behind
from tests.response.drills import CANARY, LABELS, NAME, SOURCE, announced, canary, rehearsed
from tests.response.harness import ALWAYS, SERVICE, Line

pytestmark = pytest.mark.thorough

QUESTIONS = [question for question, _ in PROBES]
OWN_ACCOUNT = "firebreak-drill@shop-prod.iam.gserviceaccount.com"
AS_ITSELF: dict[str, Any] = {"service_accounts": [{"email": OWN_ACCOUNT, "project": "shop-prod"}]}


def answers(told: Any) -> dict[str, str]:
    found = [one["data"] for one in told.json["stories"][0]["steps"] if one["step"] in QUESTIONS]
    return {one["question"]: one["answer"] for one in found}


def answer_of(told: Any, word: str) -> str:
    return next(answer for question, answer in answers(told).items() if word in question)


def test_every_question_has_an_answer_and_what_was_sent_for_it(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(tmp_path, monkeypatch, world={**AS_ITSELF, "settle_seconds": 0.1}) as on:
        told = firebreak(*WORDS, "--probe", "--service-account", OWN_ACCOUNT)
        asked = [one["data"] for one in told.json["stories"][0]["steps"] if one["step"] in QUESTIONS]

        assert told.code == 0, told.out
        assert [one["question"] for one in asked] == QUESTIONS
        assert all(one["sent"] and one["came_back"] and one["answer"] for one in asked)
        assert {
            "ingress none": answer_of(told, "ingress none"),
            "reconciled": answer_of(told, "reconciled"),
            "scaling": answer_of(told, "scaling"),
            "locations": answer_of(told, "locations/-"),
            "disabled": answer_of(told, "account is disabled"),
        } == {
            "ingress none": "accepted",
            "reconciled": "accepted",
            "scaling": "it comes back with both limits",
            "locations": "taken for services, jobs, worker pools",
            "disabled": "refused, asked at once: it may take minutes to be felt",
        }
        assert left_behind(on) == NOTHING
        assert not on.world.accounts[OWN_ACCOUNT].account.disabled


OTHERWISE = {"accepts_ingress_none": False, "keeps_scaling_limit": False, "lists_everywhere": False}


def test_another_google_answers_otherwise(firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no answer is made up."""
    with deployed(tmp_path, monkeypatch, world=OTHERWISE) as on:
        on.sandbox.wire.inject(Fault("*/SetIamPolicy", "error", code="PERMISSION_DENIED", times=None))
        told = firebreak(*WORDS, "--probe")

        assert told.code == 0, told.out
        assert answer_of(told, "ingress none") == "refused"
        assert answer_of(told, "scaling") == "it comes back as AUTOMATIC, 0 to no limit"
        assert answer_of(told, "locations/-") == "taken for jobs"
        assert answer_of(told, "lag") == "not known: you may not set the policy"
        assert answer_of(told, "account is disabled").startswith("not known: only tried where")


def test_an_account_that_others_may_use_is_never_disabled(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = "pay@shop-prod.iam.gserviceaccount.com"
    world = {"service_accounts": [{"email": shared, "project": "shop-prod"}]}
    with deployed(tmp_path, monkeypatch, world=world) as on:
        told = firebreak(*WORDS, "--probe", "--service-account", shared)

        assert told.code == 0, told.out
        assert not on.sandbox.wire.calls_to("*/DisableServiceAccount")


def killed(on: Line) -> None:
    """A drill that was killed while its canary was contained."""
    on.world.add_service(canary())
    assert announced(on).done
    rehearsed(on)


def test_what_a_killed_drill_left_is_found_and_taken_away_and_nothing_else(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_named, only_labelled = CANARY.replace("ab12", "cd34"), SERVICE.replace("checkout", "basket")
    with deployed(tmp_path, monkeypatch) as on:
        killed(on)
        on.world.add_service(canary(only_named, labels={}))
        on.world.add_service(canary(only_labelled, labels=LABELS))
        told = firebreak(*CLEAN)
        again = firebreak(*CLEAN)

        assert told.code == 0, told.out
        assert all(checks(told).values())
        assert sorted(on.world.services) == sorted([SERVICE, only_named, only_labelled])
        assert {**left_behind(on), "services": []} == NOTHING
        assert "no drill has left anything" in again.json["says"]


def test_what_comes_to_be_contained_while_it_is_taken_away_is_given_back(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finding was written, and its message comes only now."""
    with deployed(tmp_path, monkeypatch, delivers=False, policy=ALWAYS) as on:
        on.world.add_service(canary())
        assert announced(on).done
        pair = on.finding(workload=f"services/{NAME}", source=SOURCE)
        look = Remains.of

        def looked(stage: Stage, region: str | None) -> Remains:
            found = look(stage, region)
            assert on.respond(pair).phase == "contained"
            return found

        monkeypatch.setattr(Remains, "of", looked)
        told = firebreak(*CLEAN)

        assert told.code == 0, told.out
        assert left_behind(on) == NOTHING


def test_where_all_regions_are_not_listed_at_once_the_region_is_asked_for(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(tmp_path, monkeypatch, world={"lists_everywhere": False}) as on:
        killed(on)
        without = firebreak(*CLEAN)
        told = firebreak(*CLEAN, "--region", "europe-west1")

        assert (without.code, "give the --region" in without.json["says"]) == (2, True)
        assert told.code == 0, told.out
        assert not [name for name in on.world.services if NAME in name]


def test_a_region_that_cloud_run_leaves_out_is_not_called_empty(
    firebreak: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = run_v2.ServicesClient.list_services

    def leaves_out(self: run_v2.ServicesClient, request: run_v2.ListServicesRequest, **asked: Any) -> Any:
        found = listed(self, request, **asked)
        if request.parent.endswith("-"):
            found._response = run_v2.ListServicesResponse(unreachable=["europe-west1"])  # noqa: SLF001 - as Google's
        return found

    monkeypatch.setattr(run_v2.ServicesClient, "list_services", leaves_out)
    with deployed(tmp_path, monkeypatch) as on:
        killed(on)
        without, told = firebreak(*CLEAN), firebreak(*CLEAN, "--region", "europe-west1")

        assert (without.code, "could not list europe-west1" in without.json["says"]) == (3, True)
        assert told.code == 0, told.out
        assert not [name for name in on.world.services if NAME in name]

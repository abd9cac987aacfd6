"""What an address says: whose account it is, and in which project."""

from __future__ import annotations

import pytest

from firebreak.core.cloud_run.service_account import kind_of, project_of
from firebreak.core.cloud_run.target import NotATarget, Target, parse_resource

NEAR = Target("424242424242", "europe-west1", "service", "checkout", "bad", None, "shop-prod", "424242424242")


@pytest.mark.parametrize(
    ("email", "kind", "project"),
    [
        ("pay@shop-prod.iam.gserviceaccount.com", "workload", "shop-prod"),
        ("payments@shop-prod.iam.gserviceaccount.com", "workload", "shop-prod"),
        ("pay@shop.example.com.iam.gserviceaccount.com", "workload", "example.com:shop"),
        ("service-1@shop-prod.iam.gserviceaccount.com", "workload", "shop-prod"),
        ("123-compute@shop-prod.iam.gserviceaccount.com", "workload", "shop-prod"),
        ("424242424242-compute@developer.gserviceaccount.com", "default", "424242424242"),
        ("shop-prod@appspot.gserviceaccount.com", "default", "shop-prod"),
        ("shop.example.com@appspot.gserviceaccount.com", "default", "example.com:shop"),
        ("service-424242424242@gcp-sa-pubsub.iam.gserviceaccount.com", "agent", None),
        ("service-424242424242@serverless-robot-prod.iam.gserviceaccount.com", "agent", None),
        ("service-org-123456789012@security-center-api.iam.gserviceaccount.com", "agent", None),
        ("p424242424242-abc@gcp-sa-cloud-sql.iam.gserviceaccount.com", "agent", None),
        ("424242424242@cloudservices.gserviceaccount.com", "agent", None),
        ("424242424242@cloudbuild.gserviceaccount.com", "agent", None),
        ("", "unknown", None),
        ("default", "unknown", None),
        ("ann@shop.example", "unknown", None),
        ("x-compute@developer.gserviceaccount.com", "unknown", None),
        ("123-compute@developer.gserviceaccount.com.evil.example", "unknown", None),
        ("pay@shop-prod.iam.gserviceaccount.com/keys/1", "unknown", None),
        ("pay@shop-prod.iam.gserviceaccount.com\n", "unknown", None),
    ],
)
def test_an_address_says_whose_the_account_is_and_where(email: str, kind: str, project: str | None) -> None:
    assert (kind_of(email), project_of(email)) == (kind, project)


@pytest.mark.parametrize(
    ("email", "resource", "spellings"),
    [
        ("pay@shop-prod.iam.gserviceaccount.com", "projects/shop-prod", {"shop-prod", "424242424242"}),
        ("pay@shop-test.iam.gserviceaccount.com", "projects/shop-test", {"shop-test"}),
        ("424242424242-compute@developer.gserviceaccount.com", "projects/shop-prod", {"shop-prod", "424242424242"}),
        ("77777777-compute@developer.gserviceaccount.com", "projects/77777777", {"77777777"}),
        ("shop-test@appspot.gserviceaccount.com", "projects/shop-test", {"shop-test"}),
    ],
)
def test_an_account_is_a_target_in_its_own_project_whatever_runs_as_it(
    email: str, resource: str, spellings: set[str]
) -> None:
    account = NEAR.account(email)

    assert account.resource == f"{resource}/serviceAccounts/{email}"
    assert account.project_spellings == spellings
    assert account.named == frozenset()


def test_no_finding_names_an_account() -> None:
    name = "//iam.googleapis.com/projects/shop-prod/serviceAccounts/pay@shop-prod.iam.gserviceaccount.com"

    assert isinstance(parse_resource(name), NotATarget)
    assert isinstance(parse_resource(name.replace("iam.googleapis", "run.googleapis")), NotATarget)

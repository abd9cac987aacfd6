"""The pages that a message links: made of names, in Google's console, SCC and VirusTotal, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.messages.links import links
from tests.cli.commands import incident

HOSTS = {"console.cloud.google.com", "www.virustotal.com"}


def pages(target: Target | NotATarget) -> dict[str, str]:
    one = incident()
    return {link.name: link.url for link in links(replace(one, finding=replace(one.finding, target=target)))}


def test_a_service_its_logs_the_finding_and_the_file_are_linked() -> None:
    found = pages(Target("shop-prod", "europe-west1", "service", "checkout"))

    assert found["workload"].endswith("/run/detail/europe-west1/checkout/revisions?project=shop-prod")
    assert 'resource.labels.service_name="checkout"' in unquote(found["logs"])
    name = "organizations/123456789012/sources/5678/findings/0b54a4eb1d5c4ad2a54e4e6a1d9e5f10"
    assert parse_qs(urlsplit(found["finding"]).query) == {"organizationId": ["123456789012"], "resourceId": [name]}
    assert found["VirusTotal"].endswith("f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2")


@pytest.mark.parametrize(
    "target",
    [
        Target("shop-prod", "europe-west1", "job", "nightly"),
        Target("shop-prod", "europe-west1", "worker_pool", "queue"),
        Target("example.com:shop", "europe-west1", "service", "a:b.c"),
        Target("shop-prod", "global", "service_account", "x@shop-prod.iam.gserviceaccount.com"),
        NotATarget("it is no workload", "//run.googleapis.com/<script>"),
    ],
    ids=lambda one: one.kind if isinstance(one, Target) else "none",
)
def test_whatever_it_is_about_no_other_host_is_linked(target: Target | NotATarget) -> None:
    found = pages(target).values()

    assert {urlsplit(url).hostname for url in found} <= HOSTS
    assert all(url.startswith("https://") and url.isascii() and " " not in url for url in found)
    assert ("workload" in pages(target)) is isinstance(target, Target)


def test_the_readers_own_page_comes_last() -> None:
    assert [one.url for one in links(incident(), "https://wiki.acme.example/x")][-1] == "https://wiki.acme.example/x"

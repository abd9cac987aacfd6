"""What Terraform tells of a deployment is what `firebreak configure` reads, and what the sandbox is made by."""

from __future__ import annotations

import re
from typing import Any

import pytest

from firebreak.doctor.checks.messages import ACK_SECONDS, ATTEMPTS, BACKOFF
from firebreak.doctor.deployment import in_output, read_deployment
from sandbox.administration.deployment import output
from tests.doctor.deployed import PACKAGE
from tests.repository.checkout import text_of
from tests.terraform.deployment import PROJECT, Deployment, has_mirror


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outputs of a deployment that was applied on the stand-in, as `terraform output -json` prints them."""
    made = Deployment(tmp_path_factory.mktemp("told"))
    made.apply(
        contain_targets=["folders/7001"],
        ceiling="approve",
        commanders=["group:oncall@acme.example"],
        secret_versions={"virustotal_api_key": "3"},
    )
    return made.state()["values"]["outputs"]  # type: ignore[no-any-return]


@pytest.mark.terraform
@pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with")
def test_the_output_is_read_and_has_the_parts_of_the_sandbox_s(told: dict[str, Any]) -> None:
    line, body = in_output(told)
    deployment = read_deployment(body)
    local = output(PACKAGE)

    assert line.keys() == local["command_line"].keys()
    assert body.keys() == local["deployment"].keys()
    assert deployment.unknown_keys == {}
    assert deployment.project == PROJECT
    assert deployment.functions.keys() == {"on-finding", "on-command"}
    assert {one.scope for one in deployment.grants} == {"organizations/123456789012", "folders/7001"}
    assert set(deployment.secrets) == {"FIREBREAK_SEAL_KEY", "VIRUSTOTAL_API_KEY"}


@pytest.mark.terraform
@pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with")
def test_every_grant_in_the_sandbox_s_deployment_is_one_that_terraform_makes(told: dict[str, Any]) -> None:
    def kinds(bindings: list[dict[str, str]]) -> set[tuple[str, str, str]]:
        """Without what differs: the project's number, and the last part of the resource's name."""
        return {
            (re.sub("service-[0-9]+", "service-N", one["member"]), one["role"], one["on"].rpartition("/")[0])
            for one in bindings
        }

    made, local = told["deployment"]["value"]["bindings"], output(PACKAGE)["deployment"]["bindings"]

    assert kinds(local) <= kinds(made)


def test_the_subscriptions_are_made_as_they_are_looked_for() -> None:
    made = text_of("terraform/functions.tf")

    assert f"ack_deadline_seconds       = {ACK_SECONDS}\n" in made
    assert [f'"{one}"' for one in BACKOFF] == re.findall(r"(?:minimum|maximum)_backoff = (.+)", made)
    assert f"max_delivery_attempts = {ATTEMPTS}\n" in made

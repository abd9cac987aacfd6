"""What the pages about deploying say is so: inputs and outputs, and every command that can be run here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repository.checkout import ROOT, text_of, tracked
from tests.terraform.deployment import Root, copied_module, has_mirror
from tools.readme_commands import commands

PAGES = ("docs/deploy.md", "docs/security.md", "docs/operations.md", "terraform/README.md")
ORGANIZATION = "987654321098"
TIMES = "\N{MULTIPLICATION SIGN}"
ROW = re.compile(r"^\| `([a-z_]+)` \| (.+?) \|", re.MULTILINE)


def declared(kind: str, file: str) -> dict[str, str]:
    """Name to block, of the variables or outputs of the module."""
    found = re.findall(rf'^{kind} "([a-z_]+)" \{{\n(.*?)^\}}', text_of(file), re.MULTILINE | re.DOTALL)
    return dict(found)


def section(title: str) -> str:
    return text_of("terraform/README.md").partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_readme_names_every_input_with_its_default() -> None:
    defaults = {}
    for name, block in declared("variable", "terraform/variables.tf").items():
        default = re.search(r"^  default +=\s+(.+)$", block, re.MULTILINE)
        defaults[name] = f"`{default[1]}`" if default else "**required**"
    shown = {
        name: default
        for name, default in ROW.findall(section("Inputs"))
        if name not in ("alert_email", "secret_versions")  # told in words: one of two, and an object
    }

    assert shown.items() <= defaults.items()
    assert defaults.keys() == {name for name, _ in ROW.findall(section("Inputs"))}


def test_every_input_and_output_is_described() -> None:
    blocks = declared("variable", "terraform/variables.tf") | declared("output", "terraform/outputs.tf")

    assert [name for name, block in blocks.items() if "  description = " not in block] == []


def test_the_readme_names_every_output() -> None:
    outputs = re.findall(r"^\| `([a-z_]+)` \|", section("Outputs"), re.MULTILINE)

    assert set(outputs) == declared("output", "terraform/outputs.tf").keys()


@pytest.mark.parametrize("page", PAGES)
def test_every_variable_that_a_page_speaks_of_exists(page: str) -> None:
    known = declared("variable", "terraform/variables.tf").keys()
    set_in_text = re.findall(r"`([a-z_]+) = ", text_of(page)) + re.findall(
        r"^ {0,2}([a-z_]+) += ", text_of(page), re.MULTILINE
    )

    assert set(set_in_text) - known - {"source"} == set()


@pytest.mark.terraform
@pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with")
def test_the_way_to_the_first_finding_can_be_walked(tmp_path: Path) -> None:
    """Each marked command as written, in a checkout of its own; then the example's plan, with what they made."""
    checkout = tmp_path / "firebreak"
    for path in tracked():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, checkout / path)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    for needed in ("requirements-dev.txt", "pyproject.toml", "tools/relocate.py"):
        os.utime(checkout / needed, (0, 0))  # so that `make` finds the environment that is lent to it ready
    for command in commands(text_of("docs/deploy.md")):
        ran = subprocess.run(  # noqa: S603 - the page's own words
            ["/usr/bin/env", "bash", "-c", command],
            cwd=checkout,
            env={**os.environ, "ORGANIZATION": ORGANIZATION},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    deployment = tmp_path / "firebreak-deployment"
    made = json.loads((deployment / "firebreak.json").read_text())
    changed = [path for path in tracked() if (checkout / path).read_bytes() != (ROOT / path).read_bytes()]

    assert made["organization"] == ORGANIZATION
    assert "Defense Evasion: Base64 ELF File Command Line" in made["categories"]
    assert changed == [], "a step edited a file of the checkout"

    values = deployment / "terraform.tfvars"
    values.write_text(values.read_text().replace("123456789012", ORGANIZATION))
    told = re.search(r"some (\d+) to add", text_of("docs/deploy.md"))

    assert told
    assert abs(Root(deployment).count() - int(told[1])) <= 5


@pytest.mark.terraform
@pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with")
@pytest.mark.parametrize("values", ["folders_only", "monitor_only"])
def test_every_other_set_of_values_can_be_planned(tmp_path: Path, values: str) -> None:
    """With the archive of the fixtures, which is for the organization that they name."""
    module = copied_module(tmp_path)
    folder = tmp_path / "deployment"
    shutil.copytree(module / "tests" / "fixtures", folder)
    shutil.copy(module / "deployment" / "main.tf", folder)
    shutil.copy(module / "deployment" / f"{values}.tfvars.example", folder / "terraform.tfvars")

    assert Root(folder).count() > 100


TEN_LINES = """module "firebreak" {{
  source          = "git::file://{checkout}//terraform?ref=v1.2.3"
  organization_id = "123456789012"
  project_id      = "acme-firebreak"
  region          = "europe-west1"
  source_archive  = "firebreak.zip"
  alert_email     = "oncall@acme.example"
  runbook_url     = "https://wiki.acme.example/firebreak"
}}
"""


@pytest.mark.terraform
@pytest.mark.skipif(not has_mirror(), reason="TF_CLI_CONFIG_FILE names no provider mirror to plan with")
def test_ten_lines_and_a_version_are_a_deployment_too(tmp_path: Path) -> None:
    """Terraform fetches the whole repository, and so what the module reads beside its own folder."""
    checkout, folder = tmp_path / "checkout", tmp_path / "deployment"
    for path in (one for one in tracked() if one.startswith(("terraform/", "firebreak/adapters/"))):
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, checkout / path)
    for words in ("init -q", "add .", "-c user.name=x -c user.email=x@y.example commit -qm x", "tag v1.2.3"):
        subprocess.run(["git", "-C", str(checkout), *words.split()], check=True)  # noqa: S603, S607
    shutil.copytree(ROOT / "terraform" / "tests" / "fixtures", folder)
    (folder / "main.tf").write_text(TEN_LINES.format(checkout=checkout))

    assert Root(folder).count() > 100


def test_the_folder_to_copy_passes_every_input_on_and_decides_nothing() -> None:
    """A value that is not given is null, for which the module takes its own default."""
    text = text_of("terraform/deployment/main.tf")
    inputs = declared("variable", "terraform/variables.tf")
    defaults = {name: re.search(r"^  default +=\s+(.+)$", block, re.MULTILINE) for name, block in inputs.items()}
    not_null = {name for name, found in defaults.items() if found and found[1] != "null"}

    assert dict(re.findall(r"^  (\w+) += var\.(\w+)$", text, re.MULTILINE)) == {
        **{name: name for name in inputs},
        "billing_project": "project_id",
        "project": "project_id",
    }
    assert dict(re.findall(r'^variable "(\w+)" \{(.*)\}$', text, re.MULTILINE)) == {
        name: " default = null " if found else "" for name, found in defaults.items()
    }
    assert {name for name in not_null if "  nullable " in inputs[name]} == not_null


@pytest.mark.parametrize("page", PAGES)
def test_what_is_typed_here_works_on_macos_too(page: str) -> None:
    """Its tools take no `-i` without an ending, know no `-d` for decoding, and lack some of Linux's options."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    blocks = [block for language, block in fenced if language in ("", "bash")]
    only_linux = r"\bsed -i |\| *base64 -d\b|\breadlink -f|\bdate -d|\bgrep -P|\bxargs -r|\bcp -a "
    no_comment = r"^#|\s#\s"  # to its shell, where somebody types it

    wrong = re.compile(f"{only_linux}|{no_comment}")
    assert blocks
    assert [line for block in blocks for line in block.splitlines() if wrong.search(line)] == []


def test_the_costs_add_up() -> None:
    """Each row's arithmetic is what it comes to, and so is the sum."""
    rows = re.findall(
        rf"^\| (?!\*\*)[^|]+ \| ([\d.{TIMES}+() ]+) \| ([\d.]+) \|", text_of("docs/deploy.md"), re.MULTILINE
    )
    told = re.search(r"\*\*together\*\* \| \| \*\*([\d.]+)\*\*", text_of("docs/deploy.md"))

    assert len(rows) > 4
    assert told
    for written, result in rows:
        assert f"{eval(written.replace(TIMES, '*')):.2f}" == result, written  # noqa: S307 - digits and signs, see above
    assert f"{sum(float(result) for _, result in rows):.2f}" == told[1]

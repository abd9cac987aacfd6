"""What a drill deploys, writes and asks with is the command line's alone: no function loads it."""

from __future__ import annotations

from tests.repository.checkout import imports, python_files, text_of

OF_DRILLS = (
    "firebreak.adapters.cloud_run.canaries",
    "firebreak.adapters.cloud_run.drill_probes",
    "firebreak.adapters.google.drill_findings",
    "firebreak.cli.drill",
    "firebreak.core.drills",
)
MAY = ("firebreak.cli.", *OF_DRILLS)


def test_only_the_command_line_loads_what_drills_deploy_and_write_with() -> None:
    strays = {
        path: found
        for path in python_files("firebreak/", "enrichment/", "responders/", "main.py")
        if not path.removesuffix(".py").replace("/", ".").startswith(MAY)
        if (found := {name for name in imports(text_of(path)) if name.startswith(OF_DRILLS)})
    }

    assert strays == {}


def test_the_command_line_does() -> None:
    used = set[str]().union(*(imports(text_of(path)) for path in python_files("firebreak/cli/")))

    assert [one for one in OF_DRILLS if not any(name.startswith(one) for name in used)] == []

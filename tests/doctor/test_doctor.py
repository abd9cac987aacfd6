"""`firebreak doctor` says what is wrong with a deployment, and how it is mended: that, all of it, and nothing else."""

from __future__ import annotations

from tests.cli.commands import Told
from tests.doctor.deployed import Site


def test_a_healthy_deployment_has_no_fault_and_everything_can_be_checked(firebreak: Told, healthy: Site) -> None:
    assert firebreak("configure", str(healthy.file)).code == 0
    told = firebreak("doctor")

    assert (told.code, told.err) == (0, ""), told.out
    assert told.out.splitlines()[-1].startswith("All is well: ")

"""No lock of Terraform's providers is in this repository: whoever deploys commits their own, with the real hashes."""

from __future__ import annotations

import subprocess

from tests.repository.checkout import ROOT, tracked

LOCK = "terraform/deployment/.terraform.lock.hcl"


def test_no_lock_is_committed_here() -> None:
    """One that is made on a stand-in for the providers has the hashes of that, and no real provider fits them."""
    assert [path for path in tracked() if path.endswith(".terraform.lock.hcl")] == []


def test_a_lock_is_not_ignored_so_that_who_deploys_from_a_checkout_keeps_the_hashes() -> None:
    ignored = subprocess.run(  # noqa: S603
        ["git", "check-ignore", "-q", LOCK],  # noqa: S607
        cwd=ROOT,
        check=False,
    )

    assert ignored.returncode == 1

"""What Terraform grants is what the code declares: the file between them is made, and anything unknown stops it."""

from __future__ import annotations

import pytest

from firebreak.bootstrap import build
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config
from firebreak.settings import read_settings
from tools.permissions import Unclassified, declared, role_of, sorted_into_roles

SURFACES = build(
    read_settings({"HOME": "/nonexistent", "FIREBREAK_SEAL_KEY": "0123456789abcdef"}), policy_set((), Config())
).surfaces


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("run.services.get", "read"),
        ("run.jobs.getIamPolicy", "read"),
        ("logging.logEntries.list", "read"),
        ("run.services.update", "contain"),
        ("run.jobs.setIamPolicy", "contain"),
        ("run.executions.cancel", "contain"),
        ("iam.serviceAccounts.get", "read"),
        ("iam.serviceAccounts.disable", "accounts"),
        ("iam.serviceAccounts.enable", "accounts"),
        ("iam.serviceAccounts.actAs", "act_as"),
        ("securitycenter.findings.list", "findings"),
        ("securitycenter.findingsecuritymarks.update", "marks"),
        ("datastore.entities.create", "ledger"),
        ("storage.objects.create", "vault"),
        ("pubsub.topics.publish", "publish"),
    ],
)
def test_a_permission_goes_by_its_last_word_and_its_place(permission: str, role: str) -> None:
    assert role_of(permission) == role


@pytest.mark.parametrize(
    "permission",
    [
        "iam.serviceAccounts.getAccessToken",  # begins like a read, and is an identity
        "iam.serviceAccounts.signBlob",
        "iam.serviceAccounts.implicitDelegation",
        "secretmanager.versions.access",
        "secretmanager.secrets.get",
        "securitycenter.findings.setMute",
        "securitycenter.findings.update",
        "pubsub.topics.delete",
        "run.services.somethingNew",
        "run.services",
        "update",
    ],
)
def test_what_is_not_known_to_be_harmless_is_refused_and_not_guessed(permission: str) -> None:
    with pytest.raises(Unclassified, match=permission):
        role_of(permission)


def test_every_permission_that_fits_nowhere_is_named_at_once_with_who_declares_it() -> None:
    with pytest.raises(Unclassified, match=r"(?s)a\.b\.c.*one\.py.*d\.e\.f.*two\.py"):
        sorted_into_roles({"a.b.c": ("one.py",), "d.e.f": ("two.py",), "run.services.get": ("three.py",)})


def test_no_surface_needs_what_is_not_collected() -> None:
    needed = frozenset[str]().union(*(surface.permissions for surface in SURFACES.values()))

    assert needed
    assert needed <= declared().keys()

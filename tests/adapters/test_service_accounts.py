"""Service accounts through IAM: read, disabled, enabled; what every failing call comes to; over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import pytest
from google.cloud import iam_admin_v1

from firebreak.adapters.google.service_accounts import ServiceAccounts
from firebreak.core.cloud_run.setting_names import ACCOUNT, DISABLED, ENABLED
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Change
from firebreak.core.errors import Denied, Drifted, Missing, Transient, Unsupported
from firebreak.ports.deadline import Deadline
from sandbox.server import Sandbox
from sandbox.wire import Fault
from sandbox.world import World

PAY, OTHERS = "pay@shop-prod.iam.gserviceaccount.com", "pay@shop-test.iam.gserviceaccount.com"
NEAR = Target("shop-prod", "europe-west1", "service", "checkout", project_id="shop-prod")
ACCOUNT_OF_PAY = NEAR.account(PAY)
GET, DISABLE, ENABLE = (f"*/{verb}ServiceAccount" for verb in ("Get", "Disable", "Enable"))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World.load({"service_accounts": [{"email": PAY}, {"email": OTHERS}]})) as running:
        yield running


@pytest.fixture
def accounts(sandbox: Sandbox) -> ServiceAccounts:
    return ServiceAccounts(sandbox.environment()["IAM_EMULATOR_HOST"])


def soon() -> Deadline:
    return Deadline.after(3)


def change(before: str, after: str, target: Target = ACCOUNT_OF_PAY) -> Change:
    key = f"{ACCOUNT}{target.name}"
    return Change(target, "service_account", {key: before}, {key: after}, MappingProxyType({}), ("disable",))


def made(sandbox: Sandbox, *globs: str) -> int:
    return sum(len(sandbox.wire.calls_to(glob)) for glob in globs)


def is_disabled(sandbox: Sandbox, email: str = PAY) -> bool:
    return sandbox.world.accounts[email].account.disabled


def test_it_reads_as_one_setting(accounts: ServiceAccounts) -> None:
    read = accounts.read(ACCOUNT_OF_PAY, soon())

    assert dict(read.state) == {f"service_account.{PAY}": ENABLED}
    assert (read.settled, read.revisions, read.latest, read.reachable) == (True, (), None, frozenset())
    assert PAY in str(read.originals()["service_account"])


@pytest.mark.parametrize(("before", "after"), [(ENABLED, DISABLED), (DISABLED, ENABLED)])
def test_it_is_disabled_and_enabled_by_one_call_on_that_account_alone(
    sandbox: Sandbox, accounts: ServiceAccounts, before: str, after: str
) -> None:
    sandbox.world.accounts[PAY].account.disabled = before == DISABLED
    one = change(before, after)
    accounts.wait(accounts.write(one, accounts.read(ACCOUNT_OF_PAY, soon()), soon()), soon())

    assert is_disabled(sandbox) == (after == DISABLED)
    assert not is_disabled(sandbox, OTHERS)
    assert made(sandbox, DISABLE, ENABLE) == 1


def test_what_somebody_changed_since_it_was_read_is_not_written(sandbox: Sandbox, accounts: ServiceAccounts) -> None:
    """There is no etag: it is looked at again just before."""
    read = accounts.read(ACCOUNT_OF_PAY, soon())
    sandbox.world.accounts[PAY].set(disabled=True)
    with pytest.raises(Drifted, match="somebody changed the service account"):
        accounts.write(change(ENABLED, DISABLED), read, soon())

    assert made(sandbox, DISABLE) == 0


def test_reads_that_lag_behind_the_write_are_waited_for(sandbox: Sandbox, accounts: ServiceAccounts) -> None:
    sandbox.world.stale_account_reads = 2
    accounts.wait(accounts.write(change(ENABLED, DISABLED), accounts.read(ACCOUNT_OF_PAY, soon()), soon()), soon())

    assert accounts.read(ACCOUNT_OF_PAY, soon()).state == {f"service_account.{PAY}": DISABLED}
    assert made(sandbox, DISABLE) == 1


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "NOT_FOUND", "INTERNAL"])
def test_a_wait_that_cannot_read_says_nothing_of_the_write(
    sandbox: Sandbox, accounts: ServiceAccounts, code: str
) -> None:
    operation = accounts.write(change(ENABLED, DISABLED), accounts.read(ACCOUNT_OF_PAY, soon()), soon())
    sandbox.wire.inject(Fault(GET, "error", code=code, times=None))
    accounts.wait(operation, Deadline.after(0.5))

    assert is_disabled(sandbox)


def test_an_answer_about_another_account_is_refused(accounts: ServiceAccounts) -> None:
    """Under a wildcard IAM finds the account wherever it is; no target has one, and none is believed."""
    strayed = Target("-", "global", "service_account", OTHERS, project_id="shop-prod")
    with pytest.raises(Unsupported, match="shop-test; Firebreak leaves it alone"):
        accounts.read(strayed, soon())


def test_an_answer_that_leaves_the_project_unsaid_is_about_the_account_that_it_names(
    accounts: ServiceAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_get", lambda *_: iam_admin_v1.ServiceAccount(email=OTHERS))
    named = Target("shop-test", "global", "service_account", OTHERS, project_id="shop-test")

    assert accounts.read(named, soon()).state == {f"service_account.{OTHERS}": "enabled"}


FAULTS = [
    ("NOT_FOUND", Missing),
    ("PERMISSION_DENIED", Denied),
    ("UNAUTHENTICATED", Transient),
    ("INVALID_ARGUMENT", Unsupported),
    ("FAILED_PRECONDITION", Unsupported),
    ("UNIMPLEMENTED", Unsupported),
    ("UNAVAILABLE", Transient),
    ("DEADLINE_EXCEEDED", Transient),
    ("INTERNAL", Transient),
    ("RESOURCE_EXHAUSTED", Transient),
    ("UNKNOWN", Transient),
    ("DATA_LOSS", Transient),
]


@pytest.mark.parametrize(("code", "fault"), FAULTS)
def test_whatever_a_call_ends_in_is_told_as_what_to_do(
    sandbox: Sandbox, accounts: ServiceAccounts, code: str, fault: type[Exception]
) -> None:
    """And a write is made once, whatever it ends in."""
    read = accounts.read(ACCOUNT_OF_PAY, soon())
    sandbox.wire.inject(Fault(DISABLE, "error", code=code, times=None))
    with pytest.raises(fault):
        accounts.write(change(ENABLED, DISABLED), read, soon())
    sandbox.wire.inject(Fault(GET, "error", code=code, times=None))
    with pytest.raises(fault):
        accounts.read(ACCOUNT_OF_PAY, Deadline.after(0.2))

    assert made(sandbox, DISABLE) == 1


def test_a_lost_answer_is_not_repeated_by_the_adapter(sandbox: Sandbox, accounts: ServiceAccounts) -> None:
    read = accounts.read(ACCOUNT_OF_PAY, soon())
    sandbox.wire.inject(Fault(DISABLE, "lost_answer"))
    with pytest.raises(Transient):
        accounts.write(change(ENABLED, DISABLED), read, soon())

    assert is_disabled(sandbox)
    assert made(sandbox, DISABLE) == 1


def test_a_call_that_hangs_ends_with_the_deadline(sandbox: Sandbox, accounts: ServiceAccounts) -> None:
    sandbox.wire.inject(Fault(GET, "hang", times=None))
    with pytest.raises(Transient):
        accounts.read(ACCOUNT_OF_PAY, Deadline.after(0.3))

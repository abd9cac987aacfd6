"""What lies between two states of a target, as the writes that lead from one to the other."""

from __future__ import annotations

from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.drafting import changes_between

TARGET = Target("p", "l", "service", "svc")


def test_each_surface_gets_one_change_with_its_own_settings() -> None:
    """Settings that are equal are in none; what is not set reads as None."""
    now: State = {"service.ingress": "none", "service_iam.roles/run.invoker||allUsers": True, "service.kept": 1}
    then: State = {"service.ingress": "all", "service.traffic.tag.canary": "svc-1", "service.kept": 1}
    changes = changes_between(TARGET, now, then, ("release",))

    assert [change.surface for change in changes] == ["service", "service_iam"]
    assert dict(changes[0].after) == {"service.ingress": "all", "service.traffic.tag.canary": "svc-1"}
    assert dict(changes[0].before) == {"service.ingress": "none", "service.traffic.tag.canary": None}
    assert dict(changes[1].after) == {"service_iam.roles/run.invoker||allUsers": None}


def test_equal_states_need_no_change() -> None:
    """So that a release with nothing to restore writes nothing."""
    assert changes_between(TARGET, {"service.ingress": "all"}, {"service.ingress": "all"}, ("release",)) == ()

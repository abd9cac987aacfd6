"""What was written and is not in effect: a failure once it had all the time to settle, and unfinished before that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from firebreak.core.cloud_run.setting_names import SPLIT
from firebreak.core.errors import Failed, Refused, Transient, Unfinished
from firebreak.ports.deadline import Deadline
from firebreak.response import move
from firebreak.response.readings import Readings

PINNED = {SPLIT: "checkout-00007-good=100"}


@pytest.mark.parametrize(("seconds", "said"), [(0.01, Unfinished), (30.0, Failed)])
def test_only_what_had_all_the_time_to_settle_has_failed(
    seconds: float, said: type[Refused | Transient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service has settled, and serves something else. Where the delivery ends first, the next one looks on."""
    monkeypatch.setattr(move, "SETTLE_SECONDS", 0.05)
    never: Any = SimpleNamespace(surfaces={"service": SimpleNamespace(in_force=lambda *_: False)})
    nothing_away: Any = SimpleNamespace(away={}, answer=None)
    readings = Readings(never, nothing_away, Deadline.after(seconds))
    change: Any = SimpleNamespace(target=SimpleNamespace(key="checkout"), surface="service", after=PINNED, basis={})
    seen: Any = SimpleNamespace(workload=SimpleNamespace(settled=True, state=PINNED, uid=""))

    with pytest.raises(said):
        move.await_effect(never, change, readings, lambda: seen)

"""What was written and is not in effect: a failure once it had all the time to settle, and unfinished before that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from firebreak.core.errors import Failed, Refused, Transient, Unfinished
from firebreak.ports.deadline import Deadline
from firebreak.response.containment import verify as module


@pytest.mark.parametrize(("seconds", "said"), [(0.01, Unfinished), (30.0, Failed)])
def test_only_what_had_all_the_time_to_settle_has_failed(
    seconds: float, said: type[Refused | Transient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service has settled, and serves something else. Where the delivery ends first, the next one looks on."""
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.05)
    never: Any = SimpleNamespace(surfaces={"service": SimpleNamespace(in_force=lambda *_: False)})
    held: Any = SimpleNamespace(incident=SimpleNamespace(operation="operation"))
    change: Any = SimpleNamespace(surface="service", after={})
    seen: Any = SimpleNamespace(workload=SimpleNamespace(settled=True, state={}))

    with pytest.raises(said):
        module.verify(never, held, change, seen, Deadline.after(seconds))

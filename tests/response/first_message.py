"""One message to a fresh process: what was loaded when, told as JSON.

A package is held back until the requests that must not wait for it have arrived: their names come in on stdin.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any

from cloudevents.http import CloudEvent

_HELD = {
    "google.cloud.run_v2": ("ListFindings", "GET files"),
    "google.cloud.logging_v2": ("UpdateService",),
    "google.pubsub_v1": ("UpdateService",),
}
_LONGEST = 30.0
_came = {name: threading.Event() for names in _HELD.values() for name in names}
_told: dict[str, Any] = {"at_the_write": [], "in_vain": []}


class _Held(SourceFileLoader):
    def exec_module(self, module: Any) -> None:
        for one in _HELD[self.name]:
            if not _came[one].wait(_LONGEST):
                _told["in_vain"].append(f"{self.name} waited for {one}")
        super().exec_module(module)


class _Holding(PathFinder):
    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname not in _HELD:
            return None
        spec = super().find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Held(fullname, spec.origin)
        return spec


def _listen() -> None:
    for line in sys.stdin:
        if line.strip() == "UpdateService":
            _told["at_the_write"] = sorted(sys.modules)
        _came[line.strip()].set()


def _main() -> None:
    import main  # noqa: PLC0415 - what it loads is told

    _told["started"] = sorted(sys.modules)
    sys.meta_path.insert(0, _Holding)
    threading.Thread(target=_listen, daemon=True).start()
    message = {"data": base64.b64encode(sys.argv[1].encode()).decode()}
    main.on_finding(CloudEvent({"id": "1", "type": "message", "source": "push"}, {"message": message}))
    print(json.dumps(_told | {"order": [*sys.modules]}))  # noqa: T201 - to who started it


if __name__ == "__main__":
    _main()

"""One message to a fresh process: what was loaded when, told as JSON.

A package is held back until the requests that must not wait for it have arrived: their names come in on stdin.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from cloudevents.http import CloudEvent

from firebreak.adapters.part_by_part import Finder

_HELD = {
    "google.cloud.run_v2": ("ListFindings", "GET files"),
    "google.cloud.logging_v2": ("UpdateService",),
    "google.pubsub_v1": ("UpdateService",),
}
_LONGEST = 30.0
_came = {name: threading.Event() for names in _HELD.values() for name in names}
_told: dict[str, Any] = {"at_the_write": [], "in_vain": []}


class _Held(Loader):
    def __init__(self, name: str, loader: Loader) -> None:
        self._name, self._loader = name, loader

    def exec_module(self, module: ModuleType) -> None:
        for one in _HELD[self._name]:
            if not _came[one].wait(_LONGEST):
                _told["in_vain"].append(f"{self._name} waited for {one}")
        self._loader.exec_module(module)


class _Holding(PathFinder):
    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname not in _HELD:
            return None
        spec = Finder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.loader is not None
        spec.loader = _Held(fullname, spec.loader)
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

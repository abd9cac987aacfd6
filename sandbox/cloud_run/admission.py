"""Who gets in, one at a time: methods that the world denies are refused, and the others see it under its lock."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from sandbox.cloud_run.spelling import respelled
from sandbox.wire import Methods, Refusal
from sandbox.world import World


def admitted(world: World, service: str, methods: Methods) -> Methods:
    """The same methods behind the world's `denied` globs and its lock."""
    return {
        name: (request_type, response_type, _behind(world, f"{service}/{name}", answer))
        for name, (request_type, response_type, answer) in methods.items()
    }


def is_denied(world: World, method: str) -> bool:
    """Whether the world refuses this method."""
    return any(fnmatch.fnmatchcase(method, glob) for glob in world.denied)


def _behind(world: World, method: str, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def admit(request: Any) -> Any:  # noqa: ANN401 - protobuf messages
        with world.lock:
            if is_denied(world, method):
                code, message = "PERMISSION_DENIED", f"The caller does not have permission to call {method}."
                raise Refusal(code, message)
            return respelled(world, request, answer(request))

    return admit

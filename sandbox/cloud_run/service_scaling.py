"""What Cloud Run makes of a service's scaling: what it refuses, forgets and fills in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.cloud import run_v2

from sandbox.wire import Refusal

DEFAULT_MOST = 100
_MODE = run_v2.ServiceScaling.ScalingMode


def scaling_from(given: Mapping[str, Any]) -> run_v2.ServiceScaling:
    """A world's words: `{instances: 3}` for a fixed number, else `{min: 0, max: 100}`."""
    if "instances" in given:
        return run_v2.ServiceScaling(scaling_mode=_MODE.MANUAL, manual_instance_count=given["instances"])
    return run_v2.ServiceScaling(
        scaling_mode=_MODE.AUTOMATIC,
        min_instance_count=given.get("min", 0),
        max_instance_count=given.get("max", DEFAULT_MOST),
    )


def refuse_bad(before: run_v2.ServiceScaling, wanted: run_v2.ServiceScaling) -> None:
    """Raises Refusal: a fixed number has to be given, and back from it both limits or none."""
    if wanted.scaling_mode == _MODE.MANUAL and not _has_count(wanted):
        _refuse("Manual scaling needs manual_instance_count.")
    if wanted.min_instance_count < 0 or wanted.max_instance_count < 0 or wanted.manual_instance_count < 0:
        _refuse("An instance count is not negative.")
    back = before.scaling_mode == _MODE.MANUAL and wanted.scaling_mode != _MODE.MANUAL
    # A lower limit of none looks like one that was not given, so only the other way round can be told.
    if back and wanted.min_instance_count and not wanted.max_instance_count:
        _refuse("Switching to automatic scaling needs both min_instance_count and max_instance_count.")
    if 0 < wanted.max_instance_count < wanted.min_instance_count:
        _refuse("min_instance_count is above max_instance_count.")


def settled(before: run_v2.ServiceScaling, wanted: run_v2.ServiceScaling, *, keeps_most: bool) -> run_v2.ServiceScaling:
    """What is stored: a fixed number forgets the limits; without limits it is inherited on the way back.

    Without `keeps_most` the upper limit is left out after the way back, as has been seen of the real one.
    """
    if wanted.scaling_mode == _MODE.MANUAL:
        return run_v2.ServiceScaling(scaling_mode=_MODE.MANUAL, manual_instance_count=wanted.manual_instance_count)
    back = before.scaling_mode == _MODE.MANUAL
    least, most = wanted.min_instance_count, wanted.max_instance_count
    if back and not most:
        least = most = before.manual_instance_count
    elif back and not keeps_most:
        most = 0
    elif not back and not most:
        most = DEFAULT_MOST
    return run_v2.ServiceScaling(scaling_mode=wanted.scaling_mode, min_instance_count=least, max_instance_count=most)


def _has_count(scaling: run_v2.ServiceScaling) -> bool:
    return bool(run_v2.ServiceScaling.pb(scaling).HasField("manual_instance_count"))


def _refuse(message: str) -> None:
    code = "INVALID_ARGUMENT"
    raise Refusal(code, message)

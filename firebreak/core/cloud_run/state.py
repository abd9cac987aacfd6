"""Settings of Cloud Run resources as flat state: one key for each thing that a person could change alone."""

from __future__ import annotations

from collections.abc import Mapping

Setting = str | int | bool
State = Mapping[str, Setting]
"""Flat settings of one target, one key for each thing a person could change alone. The first word is the surface.

A key that is absent is not set. Traffic reads as gcloud writes it: `service.traffic.split` is `good=90,LATEST=10`.
"""


def surface_of(key: str) -> str:
    """The surface a setting belongs to: the word before the first dot."""
    return key.partition(".")[0]

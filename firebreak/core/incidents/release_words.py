"""What a release did with a setting, in the words of record, screen and chat."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from firebreak.core.incidents.release import ReleasedKey
from firebreak.core.secrets.redaction import named

RESULTS = MappingProxyType({"person": "a person's", "left": "given up"})
"""Results that have another word on the record than in storage."""


def released(key: ReleasedKey) -> dict[str, Any]:
    """One setting: what it was under the containment, and what it was to become."""
    return {
        "target": key.target.resource,
        "key": named(key.key),
        "result": RESULTS.get(key.result, key.result),
        "before": named(key.before) if isinstance(key.before, str) else key.before,
        "after": named(key.after) if isinstance(key.after, str) else key.after,
        "detail": key.detail,
    }


def told(key: Mapping[str, Any]) -> str:
    """One setting of a release as it is on the record: what became of it, and how it is now."""
    name, detail = key.get("key"), key.get("detail")
    before, after = setting_word(key.get("before")), setting_word(key.get("after"))
    result = str(key.get("result"))
    if result == "due":
        return f"{name}: to be restored, {before} → {after}"
    if result == "restored":
        return f"{name}: {detail or f'restored to {after}'}"
    if result == "refused":
        return f"{name}: refused, still {before}: {detail}"
    if result == "a person's":
        return f"{name}: a person's, left as it is: {before}"
    if result == "given up":
        return f"{name}: {detail or 'given up'}, it stays {before}"
    return f"{name}: {result}: {detail}"


def setting_word(setting: object) -> str:
    """A setting's value for a sentence."""
    if isinstance(setting, bool):
        return "yes" if setting else "no"
    return "(not set)" if setting is None else str(setting)

"""A release, setting by setting."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Change
from firebreak.core.storage_names import Stored

Restored = Literal["due", "restored", "person", "gone", "refused", "left"]
"""`due`: not tried yet. `restored`: seen in effect. `person`: somebody changed it. `gone`: it no longer exists.

`refused`: Cloud Run does not take it, or could not be reached; still held. `left`: given up by a person.
"""


@dataclass(frozen=True, slots=True)
class ReleasedKey(Stored):
    """What a release did with one setting of one target.

    Attributes:
        target: the target that it belongs to.
        key: the setting.
        before: its value under the containment; None means unset.
        after: the value to restore; None means unset.
        result: how it ended.
        detail: why, as a sentence; empty where there is nothing to add.
    """

    target: Target
    key: str
    before: Setting | None
    after: Setting | None
    result: Restored = "due"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Release(Stored):
    """A release that was asked for: by whom, and setting by setting what became of it.

    Attributes:
        by: who asked for it.
        changes: how older versions kept what is to be restored.
        asked_ns: when, nanoseconds since 1970.
        keys: every setting, with what became of it.
        over: whether nothing of it is left to do.
        digest: of what was shown and not agreed to yet; empty where nothing has to be shown.
        rests: whether every setting was tried, and some was refused: it is tried again once somebody asks.
        beside: the incidents that held a target of it too when it was over, and kept there shut what they had closed.
    """

    by: str
    changes: tuple[Change, ...] = ()
    asked_ns: int = 0
    keys: tuple[ReleasedKey, ...] = ()
    over: bool = False
    digest: str = ""
    rests: bool = False
    beside: tuple[str, ...] = ()

    @property
    def is_as_shown(self) -> bool:
        """Whether what waits for a yes is what its digest was shown for."""
        return self.digest in ("", release_digest(self.keys))


def release_digest(keys: tuple[ReleasedKey, ...]) -> str:
    """SHA-256 over what a release would write."""
    shown = [[one.target.key, one.key, one.before, one.after, one.result] for one in keys]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()

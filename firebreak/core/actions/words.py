"""The words that records keep of suspects and refusals: light, so that a record is read without what made it."""

from __future__ import annotations

from typing import Literal

Rule = Literal["named", "digest", "older", "unplaced", "absent"]
"""The rules by which suspects are found: see `Suspicion`."""

RefusalKind = Literal["cannot", "nothing_suspect", "unread", "disputed", "fault"]
"""`cannot`: there is no such edit here. `nothing_suspect`: nothing here is known to be. `unread`: nobody could look.

`disputed`: only what other incidents suspect is left to turn to, so that a person decides.

`fault`: the action's own code failed, which says nothing of the target.
"""

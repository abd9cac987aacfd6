"""How far the ledger was, kept where nobody changes it: one that was put back as a whole is found out within an hour.

Each record is held to what the others know of it. Whoever puts all of them back at once, as from a backup, changes that
too; the vault is not changed by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from firebreak.core.errors import Transient
from firebreak.core.first_few import first_few
from firebreak.core.stored_body import HALT, SLOTS
from firebreak.core.timestamps import NANOS, format_instant
from firebreak.ledger.ledger import Ledger
from firebreak.ports.deadline import Deadline
from firebreak.ports.vault import Vault

_PURPOSE, _ROOT = "counters", "ledger"
_DAYS_BACK = 7
_DAY_NS = 24 * 3600 * NANOS
_MOST = 100
"""Of each kind of record, so many that were saved last."""
_MOST_TOLD = 5


def anchor(ledger: Ledger, vault: Vault, now_ns: int, deadline: Deadline) -> str | None:
    """Once an hour keep the counters of the ledger's records, after a look at those that were kept last.

    Where the ledger is behind them, everything is halted until `firebreak resume`, once for each time that it was put
    back; what was found, or None. Raises Refused or Transient, and is then to be called again.
    """
    if not ledger.seal.keys:
        return None
    hour, before = _hour(now_ns), _newest(ledger, vault, now_ns, deadline)
    if before and before["hour"] >= hour:
        return None
    known: Mapping[str, int] = before.get("counters", {})
    counters = ledger.sealed.counters(_MOST)
    behind = [name for name, counter in known.items() if _is_behind(ledger, name, counter, counters, deadline)]
    told = None
    if behind:
        told = (
            f"the ledger is behind what the vault has of {before['at']}, as if an older one had been put back; older"
            f" than then, or gone: {', '.join(first_few(behind, _MOST_TOLD))}"
        )
        # What is saved of these two from here on is above what anybody knows of them.
        ledger.floors.note({name: known[name] for name in (HALT.name, SLOTS.name) if name in behind})
        ledger.halt(told, "firebreak")
        counters |= ledger.sealed.counters(0)
    kept = {"hour": hour, "at": format_instant(now_ns), "counters": counters}
    seal = ledger.seal.sign(_PURPOSE, kept)
    data = json.dumps({**kept, "seal": seal}, indent=1).encode()
    vault.put(_folder(now_ns), f"{hour[-2:]}-{seal[:16]}.json", data, deadline)
    return told


def _is_behind(ledger: Ledger, name: str, counter: int, counters: Mapping[str, int], deadline: Deadline) -> bool:
    if name in counters:
        return counters[name] < counter
    if deadline.passed:
        message = "no time was left to compare the ledger with what the vault has of it"
        raise Transient(message)
    now = ledger.sealed.counter(name)
    return now is not None and now < counter


def _newest(ledger: Ledger, vault: Vault, now_ns: int, deadline: Deadline) -> dict[str, Any]:
    """What was kept last, if that was within the last days; what lies there and is not ours counts for nothing."""
    for day in range(_DAYS_BACK):
        folder = _folder(now_ns - day * _DAY_NS)
        for name in sorted(vault.names(folder, deadline), reverse=True):
            kept = _kept(ledger, vault.get(folder, name, deadline) or b"")
            if kept and f"{folder}/{name}".startswith(f"{_ROOT}/{kept['hour'].replace('T', '/')}-"):
                return kept
    return {}


def _kept(ledger: Ledger, data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    seal = body.pop("seal", None) if isinstance(body, dict) else None
    return body if isinstance(body, dict) and ledger.seal.check(_PURPOSE, body, seal) else {}


def _folder(at_ns: int) -> str:
    """One for each day, so that a list of it is short."""
    return f"{_ROOT}/{_hour(at_ns)[:10]}"


def _hour(at_ns: int) -> str:
    return format_instant(at_ns)[:13]

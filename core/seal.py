"""Seals on what will be executed or restored, so that whoever can write to the ledger cannot aim Firebreak."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field

from core.codec import encode


@dataclass(frozen=True, slots=True)
class Seal:
    """HMAC-SHA256 keys: the first signs, all verify, so that keys rotate by prepending."""

    keys: tuple[bytes, ...] = field(repr=False)

    def sign(self, purpose: str, value: object) -> str:
        """The seal of a value for one purpose, as hex digits."""
        return _mac(self.keys[0], purpose, value)

    def holds(self, purpose: str, value: object, seal: object) -> bool:
        """Whether any key made this seal for this value and purpose."""
        if not isinstance(seal, str) or not seal.isascii():
            return False
        return any(hmac.compare_digest(_mac(key, purpose, value), seal) for key in self.keys)


def _mac(key: bytes, purpose: str, value: object) -> str:
    text = json.dumps([purpose, encode(value)], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

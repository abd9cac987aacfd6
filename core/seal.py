"""Seals on what will be executed or restored, so that whoever can write to the ledger cannot aim Firebreak."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from enum import Enum

from core.codec import encode
from core.errors import Refused


class NoKey(Refused):
    """Nothing can be sealed here: there is no key."""


class Sealed(Enum):
    """What is known of a seal. As a condition it is true only where it holds, so that nobody acts on less."""

    HOLDS = "holds"
    BROKEN = "broken"
    """No key at hand made it: what it covers was changed, or another key sealed it."""
    UNVERIFIED = "not verified here"
    """There is no key at hand, so nothing is known of it."""

    def __bool__(self) -> bool:
        """Whether what it covers may be acted on."""
        return self is Sealed.HOLDS


@dataclass(frozen=True, slots=True)
class Seal:
    """HMAC-SHA256 keys: the first signs, all verify, so that keys rotate by prepending. Without any, it only reads."""

    keys: tuple[bytes, ...] = field(repr=False)

    def sign(self, purpose: str, value: object) -> str:
        """The seal of a value for one purpose, as hex digits; raises NoKey."""
        if not self.keys:
            message = "there is no seal key here, so nothing can be saved: set FIREBREAK_SEAL_KEY"
            raise NoKey(message)
        return _mac(self.keys[0], purpose, value)

    def checked(self, purpose: str, value: object, seal: object) -> Sealed:
        """Whether any key made this seal for this value and purpose, as far as the keys at hand can tell."""
        if not self.keys:
            return Sealed.UNVERIFIED
        if not isinstance(seal, str) or not seal.isascii():
            return Sealed.BROKEN
        made = any(hmac.compare_digest(_mac(key, purpose, value), seal) for key in self.keys)
        return Sealed.HOLDS if made else Sealed.BROKEN


def _mac(key: bytes, purpose: str, value: object) -> str:
    text = json.dumps([purpose, encode(value)], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

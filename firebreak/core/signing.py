"""Seals on what will be executed or restored, so that whoever can write to the ledger cannot aim Firebreak."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from enum import Enum

from firebreak.core.errors import Refused


class NoKey(Refused):
    """Nothing can be sealed here: there is no key."""

    def __init__(self) -> None:
        super().__init__("there is no seal key here, so nothing can be saved: set FIREBREAK_SEAL_KEY")


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
        """The seal of a value of JSON for one purpose, as hex digits; raises NoKey."""
        return self._sign(_message(purpose, value))

    def check(self, purpose: str, value: object, seal: object) -> Sealed:
        """Whether any key made this seal for this value and purpose, as far as the keys at hand can tell."""
        return self._check(_message(purpose, value), seal)

    def sign_text(self, about: list[object], text: str) -> str:
        """The seal of exactly this text, and of what it is about; raises NoKey."""
        return self._sign(_message_of_text(about, text))

    def check_text(self, about: list[object], text: str, seal: object) -> Sealed:
        """Whether any key made this seal for exactly this text, about this, as far as the keys at hand can tell."""
        return self._check(_message_of_text(about, text), seal)

    def _sign(self, message: bytes) -> str:
        if not self.keys:
            raise NoKey
        return _mac(self.keys[0], message)

    def _check(self, message: bytes, seal: object) -> Sealed:
        if not self.keys:
            return Sealed.UNVERIFIED
        if not isinstance(seal, str) or not seal.isascii():
            return Sealed.BROKEN
        made = any(hmac.compare_digest(_mac(key, message), seal) for key in self.keys)
        return Sealed.HOLDS if made else Sealed.BROKEN


def _message(purpose: str, value: object) -> bytes:
    return json.dumps([purpose, value], sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _message_of_text(about: list[object], text: str) -> bytes:
    """A line of JSON and the text: no value's message has a line of its own, so that neither passes for the other."""
    line = json.dumps(about, separators=(",", ":"), ensure_ascii=True)
    return f"{line}\n{text}".encode("utf-8", "surrogatepass")


def _mac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()

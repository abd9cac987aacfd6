"""Seals on what will be executed or restored, so that whoever can write to the ledger cannot aim Firebreak."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seal:
    """HMAC-SHA256 keys: the first signs, all verify, so that keys rotate by prepending."""

    keys: tuple[bytes, ...] = field(repr=False)

    def sign(self, purpose: str, value: object) -> str:
        """The seal of a value of JSON for one purpose, as hex digits."""
        return _mac(self.keys[0], _message(purpose, value))

    def holds(self, purpose: str, value: object, seal: object) -> bool:
        """Whether any key made this seal for this value and purpose."""
        return self._made(_message(purpose, value), seal)

    def sign_text(self, about: list[object], text: str) -> str:
        """The seal of exactly this text, and of what it is about."""
        return _mac(self.keys[0], _message_of_text(about, text))

    def holds_text(self, about: list[object], text: str, seal: object) -> bool:
        """Whether any key made this seal for exactly this text, about this."""
        return self._made(_message_of_text(about, text), seal)

    def _made(self, message: bytes, seal: object) -> bool:
        if not isinstance(seal, str) or not seal.isascii():
            return False
        return any(hmac.compare_digest(_mac(key, message), seal) for key in self.keys)


def _message(purpose: str, value: object) -> bytes:
    return json.dumps([purpose, value], sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _message_of_text(about: list[object], text: str) -> bytes:
    """A line of JSON and the text: no value's message has a line of its own, so that neither passes for the other."""
    line = json.dumps(about, separators=(",", ":"), ensure_ascii=True)
    return f"{line}\n{text}".encode("utf-8", "surrogatepass")


def _mac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()

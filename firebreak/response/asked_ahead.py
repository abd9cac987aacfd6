"""How often this process asks sources about what only a message tells: whoever can publish one chooses the hashes."""

from __future__ import annotations

import threading
from collections import deque

from firebreak.core.timestamps import NANOS

_MOST = 20
_HOUR_NS = 3600 * NANOS


class AskedAhead:
    """Of an hour those that SCC did not confirm, and those that it is being asked about. Safe between threads."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self._lock = threading.Lock()
        self._begun: deque[int] = deque()

    def begins(self, now_ns: int) -> bool:
        """Whether one more may be asked about before SCC has confirmed it; it counts until it is."""
        with self._lock:
            while self._begun and self._begun[0] <= now_ns - _HOUR_NS:
                self._begun.popleft()
            if len(self._begun) >= _MOST:
                return False
            self._begun.append(now_ns)
            return True

    def confirmed(self) -> None:
        """SCC holds what was asked about."""
        with self._lock:
            if self._begun:
                self._begun.pop()

"""How fast a scan reads: as fast as it can, or slower for the sake of whoever else has the server.

Whoever does not take rows makes the server wait with sending them, so both throttles act where
rows are taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_SILENCE_S = 600.0
"""After so long the next rows are taken in any case: a server ends a statement whose rows nobody
takes (net_write_timeout, which readers set to an hour). What a rate is owed beyond this is waited
for later."""

_STEP_S = 0.2
"""How soon a waiting thread notices that the scan was stopped."""

Clock = Callable[[], float]
Sleep = Callable[[float], None]


class Gate:
    """Closed while a figure of the server is above its bound. Used from any thread."""

    ASK_EVERY_S = 1.0

    def __init__(
        self, ask: Callable[[], float], most: float, clock: Clock = time.monotonic
    ) -> None:
        """`ask` gives the figure; one thread at a time calls it, at most once a second."""
        self._ask = ask
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._is_closed = False

    def is_closed(self) -> bool:
        """Whether to wait. Raises what asking raises."""
        with self._lock:
            now = self._clock()
            if self._asked_at is None or now - self._asked_at >= self.ASK_EVERY_S:
                self._is_closed = self._ask() > self._most
                self._asked_at = now
            return self._is_closed


class Pace:
    """What the readers of one scan ask before they go on. Used from any thread.

    | state | guarded by |
    |---|---|
    | `_due`, `waited_s` | `_lock` |
    """

    def __init__(
        self,
        bytes_per_s: float | None = None,
        gate: Gate | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        """`bytes_per_s`: of raw bytes, over all readers together; None: no bound."""
        self._bytes_per_s = bytes_per_s
        self._gate = gate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._due = clock()
        self.waited_s = 0.0
        """Seconds that readers have waited, all of them together."""

    def before_read(self, is_stopped: Callable[[], bool]) -> None:
        """Waits while the gate is closed: no statement of this reader is at work."""
        self._wait_for_gate(is_stopped, None)

    def after_batch(self, raw_bytes: int, is_stopped: Callable[[], bool]) -> None:
        """Waits until so many bytes were due, and while the gate is closed, but never too long."""
        if self._bytes_per_s is not None:
            with self._lock:
                now = self._clock()
                self._due = max(self._due, now) + raw_bytes / self._bytes_per_s
                until = min(self._due, now + LONGEST_SILENCE_S)
            while (left := until - self._clock()) > 0 and not is_stopped():
                self._wait(min(left, _STEP_S))
        self._wait_for_gate(is_stopped, self._clock() + LONGEST_SILENCE_S)

    def _wait_for_gate(self, is_stopped: Callable[[], bool], until: float | None) -> None:
        if self._gate is None:
            return
        while not is_stopped() and self._gate.is_closed():
            if until is not None and self._clock() >= until:
                return
            self._wait(_STEP_S)

    def _wait(self, seconds: float) -> None:
        self._sleep(seconds)
        with self._lock:
            self.waited_s += seconds

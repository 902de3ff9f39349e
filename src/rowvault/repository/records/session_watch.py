"""Which sessions are dead: judged by what this machine has observed itself, never by a clock.

A session shows that it lives by changing its object (a heartbeat). It is dead when its process is
known to be gone (in this boot of this machine, for ids of machines are cloned), or when its object
has stayed the same for `LEASE_S` of this machine's monotonic clock (clock_gettime(2),
CLOCK_MONOTONIC), seen by one process or by several since one boot. So no clock that is set, or
differs between hosts, ends a session or keeps a dead one.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable

from rowvault.core.ids import SessionId
from rowvault.repository.records.prune_ledger import Sighting
from rowvault.repository.records.session_object import SessionDocument, observer

LEASE_S = 600.0
"""Seconds without a heartbeat after which a session may be ended: twenty heartbeats."""

_KEPT_OF_OTHERS = 64

Clock = Callable[[], float]


class Life(enum.StrEnum):
    """What is known of a session's process. The values are part of `sessions --json`."""

    ALIVE = "alive"
    UNKNOWN = "unknown"
    """On another machine, or stopped: time will tell."""
    GONE = "gone"
    LAPSED = "lapsed"

    @property
    def is_over(self) -> bool:
        """The session may be ended."""
        return self in (Life.GONE, Life.LAPSED)


class SessionWatch:
    """Remembers since when each session's object has been as it is. Used by one thread."""

    def __init__(
        self,
        sightings: Iterable[Sighting] = (),
        clock: Clock = time.monotonic,
        lease_s: float = LEASE_S,
    ) -> None:
        """`sightings`: of earlier processes; those of other machines and boots mean nothing here.

        They are kept for those.
        """
        self._machine, self._boot = observer()
        self._clock = clock
        self._lease_s = lease_s
        known = bool(self._machine and self._boot)
        self._seen: dict[SessionId, Sighting] = {}
        self._of_others: list[Sighting] = []
        for one in sightings:
            if known and (one.machine, one.boot) == (self._machine, self._boot):
                self._seen[one.session] = one
            else:
                self._of_others.append(one)

    def judge(self, document: SessionDocument) -> Life:
        """Looks at a session's document, which has just been read."""
        if document.process.is_gone():
            return Life.GONE
        now = self._clock()
        seen = self._seen.get(document.id)
        if seen is None or seen.beats != document.beats or seen.seconds > now:
            self._seen[document.id] = Sighting(
                document.id, document.beats, self._machine, self._boot, now
            )
            return Life.UNKNOWN if seen is None else Life.ALIVE
        return Life.LAPSED if now - seen.seconds > self._lease_s else Life.UNKNOWN

    def sightings(self, sessions: Iterable[SessionId]) -> tuple[Sighting, ...]:
        """What later processes may go on from, of these sessions: seen here, and by others."""
        wanted = set(sessions)
        own = [self._seen[one] for one in sorted(wanted) if one in self._seen]
        others = [one for one in self._of_others if one.session in wanted]
        return (*others[-_KEPT_OF_OTHERS:], *own)

"""The lengths of tables' texts that were found out last, so many of them over all snapshots."""

from __future__ import annotations

import threading
from collections import OrderedDict

from rowvault.core.ids import SnapshotId

KEPT_TABLES = 200_000
"""A name and a length take about 150 bytes."""

Folder = tuple[SnapshotId, str]
"""A snapshot and the name of a database."""


class LengthCache:
    """Table -> length, for the databases listed last. Used from any thread."""

    def __init__(self, limit: int = KEPT_TABLES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._lengths: OrderedDict[Folder, dict[str, int]] = OrderedDict()
        self._held = 0

    def get(self, folder: Folder) -> dict[str, int] | None:
        """The tables of a database, by name; None where they are not at hand."""
        with self._lock:
            known = self._lengths.get(folder)
            if known is not None:
                self._lengths.move_to_end(folder)
            return known

    def keep(self, folder: Folder, lengths: dict[str, int]) -> None:
        """Takes them in; those asked for longest ago go, but never these."""
        with self._lock:
            if folder in self._lengths:
                return
            self._lengths[folder] = lengths
            self._held += len(lengths)
            while self._held > self._limit and len(self._lengths) > 1:
                self._held -= len(self._lengths.popitem(last=False)[1])

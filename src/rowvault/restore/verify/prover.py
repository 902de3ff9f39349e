"""Proves the rows of tables that are complete while others are being loaded.

It reads them back as the proof at the end does, over a connection of its own and without locks:
nobody but the restore writes to them. What it could not prove, for whatever reason, is left to that
proof, as are all definitions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rowvault.core.errors import RowvaultError
from rowvault.core.monitor import SilentMonitor
from rowvault.repository import Repository, TableRecord
from rowvault.restore.verify.verify import TableName, equal_rows
from rowvault.source.protocol import Source

LEAST_BYTES = 4 << 20
"""Raw bytes of a table: opening a connection for a smaller one takes longer than it saves."""

_log = logging.getLogger(__name__)


class Prover:
    """A thread that takes complete tables, all that wait at a time.

    All state is guarded by one condition; the thread begins with the first table.
    """

    def __init__(self, repository: Repository, open_source: Callable[[], Source]) -> None:
        self._repository = repository
        self._open_source = open_source
        self._changed = threading.Condition()
        self._waiting: list[TableRecord] = []
        self._taken: set[TableName] = set()
        self._proven: set[TableName] = set()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def add(self, record: TableRecord) -> None:
        """The table stands with all its rows and indexes. Called by any thread."""
        if record.root.sums.raw_bytes < LEAST_BYTES:
            return
        with self._changed:
            self._waiting.append(record)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> frozenset[TableName]:
        """No table is begun any more; gives those that were, proven or not yet."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
            return frozenset(self._taken)

    def unproven(self) -> frozenset[TableName]:
        """After `stop`: waits for the tables that were begun, and gives those not proven."""
        if self._thread is not None:
            self._thread.join()
        return frozenset(self._taken - self._proven)

    def _run(self) -> None:
        while records := self._take():
            try:
                found = equal_rows(
                    self._repository, records, self._open_source(), 1, SilentMonitor()
                )
                self._proven |= found
            except RowvaultError as error:
                _log.info("%d tables are left to the proof at the end: %s", len(records), error)

    def _take(self) -> list[TableRecord]:
        with self._changed:
            while not self._waiting and not self._is_stopped:
                self._changed.wait()
            if self._is_stopped:
                return []
            records, self._waiting = self._waiting, []
            self._taken |= {(one.definition.database, one.definition.name) for one in records}
            return records

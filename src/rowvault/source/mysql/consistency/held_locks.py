"""What a snapshot holds on the server besides the connections that read."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rowvault.source.mysql.consistency.ddl_guard import DdlGuard
from rowvault.source.mysql.consistency.table_locks import TableLocks
from rowvault.source.mysql.schema.table_ids import TableIds
from rowvault.source.mysql.wire.connection import Connection


class HeldLocks(msgspec.Struct, frozen=True):
    """Everything ends with `close`."""

    control: Connection
    """Outside of the transactions."""
    guard: DdlGuard
    """Of definitions."""
    frozen_tables: TableLocks
    """Tables without transactions, until they are read."""
    table_ids: TableIds
    """Read before the moment."""
    connect: Callable[[], Connection]

    def check_held(self) -> None:
        """Raises ConnectionLostError when something that is still needed is gone."""
        self.control.execute("DO 0", "confirming the snapshot")
        self.frozen_tables.check_held()

    def close(self) -> None:
        """Ends all locks and connections."""
        self.frozen_tables.close()
        self.guard.close()
        self.control.close()

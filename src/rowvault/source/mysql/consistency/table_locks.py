"""LOCK TABLES ... READ on a connection of its own: nobody writes to these tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from rowvault.source.mysql.consistency.locks import request
from rowvault.source.mysql.schema.table_ids import Name
from rowvault.source.mysql.schema.table_list import ListedTable
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.protocol import Locking

_TASK = "locking tables"


class TableLocks:
    """Locks on some tables, which end when the last one of these has been read.

    Threads report what they have read; the last one ends the connection.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._guard = threading.Lock()
        self._waiting: set[Name] = set()
        self.names: frozenset[Name] = frozenset()
        """What is locked, or was until it had been read."""

    def lock(self, tables: Sequence[ListedTable], locking: Locking) -> str:
        """Locks all of them or none; why not, or empty."""
        if not tables:
            return ""
        if not locking.allowed:
            return "locks were not wanted"
        listed = ", ".join(f"{table.quoted} READ" for table in tables)
        connection = self._connect()
        try:
            refusal = request(
                connection, "LOCK TABLES", lambda own: _run(own, f"LOCK TABLES {listed}"), locking
            )
        except BaseException:
            connection.close()
            raise
        if refusal:
            connection.close()
            return refusal
        self._connection = connection
        self.names = frozenset(table.name for table in tables)
        self._waiting = set(self.names)
        return ""

    def has_read(self, name: Name) -> None:
        """One table is read; behind the last one the locks end. From any thread."""
        with self._guard:
            if name not in self._waiting:
                return
            self._waiting.discard(name)
            if not self._waiting:
                self._check_held()
                self.close()

    def check_held(self) -> None:
        """Raises ConnectionLostError when the locks are gone before all was read."""
        with self._guard:
            if self._waiting:
                self._check_held()

    def release(self) -> None:
        """Ends the locks as if there had been none."""
        self.close()
        self.names, self._waiting = frozenset(), set()

    def close(self) -> None:
        """Ends the connection and with it the locks."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _check_held(self) -> None:
        if self._connection is not None:
            _run(self._connection, "DO 0")


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement, _TASK)


def without_transactions(tables: Sequence[ListedTable]) -> list[ListedTable]:
    """Those of the tables whose rows belong to no transaction."""
    return [one for one in tables if not one.has_transactions]

"""Tables that get their keys after their rows: made so only where the outcome is the same.

It is rehearsed without rows on the target itself: what it says of a table that was made whole, and
of one whose keys were added later, must be equal byte for byte.
"""

from __future__ import annotations

from rowvault.core.errors import RestoreError, SourceError
from rowvault.core.model import TableDefinition
from rowvault.core.monitor import SilentMonitor
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.writing.ddl_runner import DdlRunner
from rowvault.source.mysql.writing.remedies import restore_error
from rowvault.sqltext.mysql.deferred_indexes import DeferredIndexes
from rowvault.sqltext.quoting import encode_name, qualified


class IndexBuilder:
    """Makes tables without keys and adds those later, over one connection."""

    def __init__(self, connection: Connection, vendor: str) -> None:
        self._connection = connection
        # What the server warns about was told when the table was made whole.
        self._maker = DdlRunner(connection, vendor, SilentMonitor(), [])

    def make_deferred(self, table: TableDefinition) -> bool:
        """Makes a whole table without rows anew without its keys; False: it stays whole.

        Raises RestoreError, StatementError.
        """
        late = DeferredIndexes.of(table)
        if late is None:
            return False
        whole = self._shown(table)
        self._drop(table)
        if self._rehearse(table, late) != whole:
            self._drop(table)
            self._run(table, table.statement)
            return False
        self._drop(table)
        self._run(table, late.create)
        return True

    def add_keys(self, table: TableDefinition) -> None:
        """Builds the keys that were deferred. Raises RestoreError."""
        self.alter(table, _late(table).add_keys, "its keys")

    def add_references(self, table: TableDefinition) -> None:
        """Adds its foreign keys, once every table has its keys. Raises RestoreError."""
        statement = _late(table).add_references
        if statement:
            self.alter(table, statement, "its foreign keys")

    def _rehearse(self, table: TableDefinition, late: DeferredIndexes) -> bytes:
        """What the server says of the table in the end; nothing where it refuses a step."""
        try:
            self._run(table, late.create)
            self._run(table, late.add_keys)
            if late.add_references:
                self._run(table, late.add_references)
            return self._shown(table)
        except faults.LostError:
            raise
        except (faults.StatementError, RestoreError):
            return b""

    def alter(self, table: TableDefinition, statement: bytes, what: str) -> None:
        """Runs an ALTER TABLE; `what` it gives the table. Raises RestoreError."""
        try:
            self._run(table, statement)
        except SourceError as error:
            raise restore_error(error, f"{table.label} did not get {what}") from error

    def _run(self, table: TableDefinition, statement: bytes) -> None:
        self._maker.run_for(table, statement)

    def _shown(self, table: TableDefinition) -> bytes:
        name = qualified(table.database, table.name)
        task = f"reading the definition of {table.label}"
        return self._connection.rows(encode_name(f"SHOW CREATE TABLE {name}"), task)[0][1] or b""

    def _drop(self, table: TableDefinition) -> None:
        name = qualified(table.database, table.name)
        self._connection.execute(
            encode_name(f"DROP TABLE IF EXISTS {name}"), f"making {table.label} without its keys"
        )


def _late(table: TableDefinition) -> DeferredIndexes:
    late = DeferredIndexes.of(table)
    if late is None:
        raise ValueError(f"{table.label} was not made without keys")
    return late

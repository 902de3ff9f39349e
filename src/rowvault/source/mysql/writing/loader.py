"""Puts rows into a table: by LOAD DATA LOCAL where that is exact, else by multi-row INSERTs."""

from __future__ import annotations

from rowvault.codec.rows import RowBatch
from rowvault.core.errors import SourceError
from rowvault.core.model import TableDefinition
from rowvault.source.mysql.wire.connection import Connection
from rowvault.source.mysql.writing.deferred_indexes import IndexBuilder
from rowvault.source.mysql.writing.insert_writer import InsertWriter, halves
from rowvault.source.mysql.writing.load_data_writer import LoadDataWriter
from rowvault.source.mysql.writing.load_warnings import most_rows
from rowvault.source.mysql.writing.remedies import restore_error
from rowvault.sqltext.mysql.load_mode import STRICT, load_mode


class MysqlLoader:
    """One connection that puts rows into a target; used by one thread at a time."""

    def __init__(self, connection: Connection, vendor: str) -> None:
        self._connection = connection
        rows = connection.rows("SELECT @@SESSION.max_allowed_packet", "asking for limits")
        packet_bytes = int(rows[0][0] or 0)
        self._inserter = InsertWriter(connection, packet_bytes)
        self._filler = LoadDataWriter(connection, packet_bytes)
        self._keys = IndexBuilder(connection, vendor)
        self._mode = STRICT

    def load(self, table: TableDefinition, rows: RowBatch) -> None:
        """Puts whole rows in and commits them. Raises RestoreError: any warning is one too."""
        self._use_mode(load_mode(table))
        if not self._filler.takes(table, rows):
            self._inserter.insert(table, rows)
        elif len(rows.ends) > most_rows(table):
            for half in halves(rows, len(table.columns)):
                self.load(table, half)
        elif not self._filler.fill(table, rows):
            self._inserter.insert(table, rows)

    def add_keys(self, table: TableDefinition) -> None:
        """Builds its keys from all rows at once. Raises RestoreError."""
        self._keys.add_keys(table)
        self._mode = STRICT

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _use_mode(self, mode: str) -> None:
        if mode == self._mode:
            return
        try:
            self._connection.execute(f"SET SESSION sql_mode = '{mode}'", "setting the sql_mode")
        except SourceError as error:
            raise restore_error(error) from error
        self._mode = mode

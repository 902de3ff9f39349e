"""Puts rows into an SQLite file, each value in the storage class that it was read in."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from rowvault.codec import kernel
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import RestoreError
from rowvault.core.model import TableDefinition
from rowvault.source.sqlite.catalogue import SEQUENCE_TABLE
from rowvault.source.sqlite.connection import Text, quoted, restore_errors

_NONCHARACTERS = frozenset("\ufffe\uffff")


class RowInserter:
    """Inserts rows over one connection, which is in a transaction."""

    def __init__(self, connection: sqlite3.Connection, codec: str) -> None:
        """`codec`: empty for a file in UTF-8, else Python's name of its UTF-16."""
        self._connection = connection
        self._codec = codec

    def insert(self, table: TableDefinition, rows: RowBatch) -> None:
        """Raises RestoreError where rows are malformed or do not all arrive; sqlite3.Error."""
        unusual: list[Text] = []

        def keep(raw: bytes) -> Text:
            """Is called for text that is not UTF-8, which Python cannot bind as text."""
            unusual.append(Text(raw))
            return unusual[-1]

        columns = [column.name for column in table.columns]
        try:
            values = kernel.decode_values(rows.rows, rows.ends, len(columns), keep)
        except ValueError as error:
            raise RestoreError(f"{table.label}: these rows are not SQLite's: {error}") from error
        if unusual or self._codec:
            count = sum(self._insert_one(table.name, columns, row) for row in values)
        else:
            statement = _insert_statement(table.name, columns, ["?"] * len(columns))
            count = self._connection.executemany(statement, values).rowcount
        if count != len(rows.ends):
            raise RestoreError(f"{table.label}: {count} rows arrived of {len(rows.ends)}")

    def _insert_one(self, table: str, columns: Sequence[str], row: Sequence[object]) -> int:
        """Binds what can be bound as it is, and writes out the rest."""
        marks: list[str] = []
        bound: list[object] = []
        for value in row:
            if self._codec and isinstance(value, str) and not _NONCHARACTERS.isdisjoint(value):
                # SQLite replaces these when it turns UTF-8 into UTF-16; a literal's bytes it keeps.
                marks.append(f"CAST(X'{value.encode(self._codec).hex()}' AS TEXT)")
                continue
            # A subclass of bytes is bound as a blob.
            marks.append("CAST(? AS TEXT)" if isinstance(value, Text) else "?")
            bound.append(value)
        statement = _insert_statement(table, columns, marks)
        return self._connection.execute(statement, bound).rowcount


class SqliteLoader:
    """Loads over the target's one connection: SQLite has one writer, so loaders take turns."""

    def __init__(
        self,
        inserter: RowInserter,
        lock: threading.Lock,
        path: Path,
        counters: list[tuple[TableDefinition, RowBatch]],
    ) -> None:
        """Rows of sqlite_sequence are put aside in `counters`: loading the tables moves them."""
        self._inserter = inserter
        self._lock = lock
        self._path = path
        self._counters = counters

    def load(self, table: TableDefinition, rows: RowBatch) -> None:
        """Inserts whole rows into the target's transaction, which `finish` commits.

        Raises RestoreError.
        """
        with self._lock, restore_errors(self._path, table.label):
            if table.name == SEQUENCE_TABLE:
                self._counters.append((table, rows))
            else:
                self._inserter.insert(table, rows)

    def add_keys(self, table: TableDefinition) -> None:
        """Never asked for: SQLite's indexes are objects of their own, made behind the rows."""

    def close(self) -> None:
        """Nothing to end: the connection is the target's."""


def _insert_statement(table: str, columns: Sequence[str], marks: Sequence[str]) -> str:
    # OR ABORT overrides an ON CONFLICT clause of the table, which might drop rows silently.
    names = ",".join(quoted(column) for column in columns)
    return f"INSERT OR ABORT INTO {quoted(table)}({names}) VALUES({','.join(marks)})"

"""Reads the rows of a table, value by value as they are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from rowvault.codec import kernel
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import SourceError
from rowvault.core.model import TableDefinition
from rowvault.source.protocol import RowRange
from rowvault.source.sqlite.connection import (
    SharedConnection,
    SqliteRow,
    Text,
    quoted,
    source_errors,
)
from rowvault.source.sqlite.settings import ENCODING, UTF16_CODECS
from rowvault.source.sqlite.shape import read_shape

BATCH_BYTES = 1 << 20
"""A batch ends behind the row that takes it over this size."""

BATCH_ROWS = 256
"""Rows that are fetched in one call as long as all values are small; fewer of wide tables."""

BATCH_VALUES = 1 << 10
"""Values that are fetched in one call at most, unless one row has more."""

SMALL_VALUE_BYTES = 1 << 14
"""Above this size of one value rows are fetched one by one; so one call fetches 16 MiB at most."""

_LARGEST_VALUE_BYTES = (1 << 31) - 1


class SqliteReader:
    """One connection inside the snapshot; used by one thread at a time."""

    def __init__(self, connection: SharedConnection, path: Path) -> None:
        """The connection is in its read transaction already."""
        self._connection = connection
        self._path = path

    def read(self, table: TableDefinition, rows: RowRange) -> Iterator[RowBatch]:
        """The rows of a row-chunk as they lie in the table: by rowid, or by PRIMARY KEY.

        Raises SourceError where the file cannot be read, and where text in UTF-16 is malformed.
        """
        with source_errors(self._path, table.label):
            yield from self._batches(table, rows)

    def _batches(self, table: TableDefinition, rows: RowRange) -> Iterator[RowBatch]:
        """Fetches many small rows at a time; from the first large value on, one at a time.

        SQLite refuses a value longer than the connection's limit before it loads it, and the
        rows lie in the same order all through a transaction: reading begins again behind what
        was delivered.
        """
        with self._connection.in_use:
            statement, parameters = self._statement(table, rows)
        codec = UTF16_CODECS.get(dict(table.session).get(ENCODING, ""), "")
        fetch_rows = max(1, min(BATCH_ROWS, BATCH_VALUES // len(table.columns)))
        delivered = 0
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, SMALL_VALUE_BYTES)
        try:
            cursor = self._execute(statement, *parameters, 0)
            while fetched := self._fetch(cursor, fetch_rows):
                delivered += len(fetched)
                yield _encoded(fetched, codec, table)
            return
        except sqlite3.DataError:
            # The limit was met: SQLITE_TOOBIG.
            pass
        finally:
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE_BYTES)
        cursor = self._execute(statement, *parameters, delivered)
        yield from self._one_by_one(cursor, codec, table)

    def _one_by_one(
        self, cursor: sqlite3.Cursor, codec: str, table: TableDefinition
    ) -> Iterator[RowBatch]:
        """Batches whose size is known before the next row is fetched."""
        waiting: list[SqliteRow] = []
        waiting_bytes = 0
        while fetched := self._fetch(cursor, 1):
            waiting += fetched
            waiting_bytes += sum(
                len(value) if isinstance(value, bytes) else 9 for value in fetched[0]
            )
            if waiting_bytes >= BATCH_BYTES:
                yield _encoded(waiting, codec, table)
                waiting, waiting_bytes = [], 0
        if waiting:
            yield _encoded(waiting, codec, table)

    def _execute(self, statement: str, *parameters: int) -> sqlite3.Cursor:
        with self._connection.in_use:
            return self._connection.execute(statement, parameters)

    def _fetch(self, cursor: sqlite3.Cursor, count: int) -> list[SqliteRow]:
        with self._connection.in_use:
            return cursor.fetchmany(count)

    def _statement(self, table: TableDefinition, rows: RowRange) -> tuple[str, tuple[int, ...]]:
        """(SELECT whose last parameter is the number of rows to skip, the other parameters)."""
        shape = read_shape(self._connection, table.name)
        for collation in shape.foreign_collations:
            # SQLite opens no index without its collation, though a scan compares nothing.
            self._connection.create_collation(collation, _compare)
        columns = [quoted(column.name) for column in table.columns]
        if dict(table.session).get(ENCODING) in UTF16_CODECS:
            # The bytes as they are stored stand behind the values, to be compared.
            columns += [f"CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) END" for c in columns]
        terms: list[str] = []
        parameters: list[int] = []
        for bound, comparison in ((rows.low, ">="), (rows.high, "<")):
            if bound is not None:
                terms.append(f"{quoted(shape.rowid_alias)}{comparison}?")
                parameters.append(int(bound[0]))
        # NOT INDEXED: never through a covering index, whose order is another one.
        statement = f"SELECT {','.join(columns)} FROM {quoted(table.name)} NOT INDEXED"
        if terms:
            statement += f" WHERE {' AND '.join(terms)}"
        if shape.order:
            statement += f" ORDER BY {','.join(shape.order)}"
        return f"{statement} LIMIT -1 OFFSET ?", tuple(parameters)


def _compare(left: str, right: str) -> int:
    return (left > right) - (left < right)


def _encoded(fetched: list[SqliteRow], codec: str, table: TableDefinition) -> RowBatch:
    if codec:
        fetched = [_checked(row, codec, table) for row in fetched]
    return RowBatch(*kernel.encode_values(fetched))


def _checked(row: SqliteRow, codec: str, table: TableDefinition) -> SqliteRow:
    """The values of a row, once its UTF-16 text has proved to survive as UTF-8.

    SQLite turns unpaired surrogates into other characters without a word.
    """
    width = len(row) // 2
    for value, stored in zip(row[:width], row[width:], strict=True):
        if isinstance(value, Text) and not _survives(value, stored, codec):
            raise SourceError(
                f"{table.label}: a text holds malformed UTF-16, which cannot be read exactly;"
                f" the row begins with {row[0]!r:.40}; store that value as a BLOB, or mend it"
            )
    return row[:width]


def _survives(value: Text, stored: object, codec: str) -> bool:
    try:
        return value.decode().encode(codec) == stored
    except UnicodeError:
        return False

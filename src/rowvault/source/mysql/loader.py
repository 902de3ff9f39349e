"""Puts rows into a table: multi-row INSERTs, sized to what the server takes in one statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import render_block
from rowvault.codec.rows import RowBatch, decode_row
from rowvault.core.errors import RestoreError, SourceError
from rowvault.core.model import TableDefinition, ValueKind
from rowvault.source.mysql import faults
from rowvault.source.mysql.connection import Connection, Reply
from rowvault.source.mysql.large_row import LargeRow, largest_value, values_of
from rowvault.source.mysql.remedies import restore_error
from rowvault.sqltext.enumeration import is_enum
from rowvault.sqltext.insert import insert_prefix
from rowvault.sqltext.load_mode import COMPUTED, STRICT, computes_columns, load_mode

STATEMENT_BYTES = 1 << 20
"""Larger statements gain nothing, and the server holds all of one in memory."""
LARGE_STATEMENT_BYTES = 16 << 20
"""What one row may need before it is put together on the server: this and the server's memory for
a statement bound what a large row costs here and there."""
_PACKET_MARGIN = 1024
_NAMED_WARNINGS = 3
_DEADLOCK_TRIES = 20
_WARNED_COLUMN = re.compile(
    r"column (?:'(?P<name>.*)'|`.*`\.`.*`\.`(?P<full>.*)`) at row \d+$", re.DOTALL
)
_TRUNCATED = 1265
_DEPRECATED = 1287
"""MySQL says so of every introducer of a charset that it means to drop."""
_COUNTED_WARNINGS = 60_000
"""A server counts and lists at most 65,535 warnings (LOADING's max_error_count); a statement of
more values that it may warn of is divided, so that no warning hides behind harmless ones."""


class MysqlLoader:
    """One connection that puts rows into a target; used by one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = connection.rows("SELECT @@SESSION.max_allowed_packet", "asking for limits")
        self._packet_bytes = int(rows[0][0] or 0)
        self._packet_limit = self._packet_bytes - _PACKET_MARGIN
        self._mode = STRICT

    def load(self, table: TableDefinition, rows: RowBatch) -> None:
        """Inserts whole rows and commits them. Raises RestoreError: any warning is one too."""
        layout = RowLayout.of(table)
        self._use_mode(load_mode(table))
        row_limit = _COUNTED_WARNINGS // max(1, _warned_columns(table))
        prefix = insert_prefix(table.database, table.name, table.columns)
        limit = min(STATEMENT_BYTES, self._packet_limit) - len(prefix)
        large = min(LARGE_STATEMENT_BYTES, self._packet_limit)
        for piece, length in _pieces(rows, layout, limit, row_limit):
            if len(prefix) + length > large:
                self._insert_large(table, prefix, piece, large)
            else:
                self._insert(table, prefix + render_block(piece, layout), piece)

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

    def _insert_large(
        self, table: TableDefinition, prefix: bytes, row: RowBatch, statement_bytes: int
    ) -> None:
        parts = LargeRow(table, row.rows, statement_bytes)
        self._check_fits(table, "a value", largest_value(values_of(table, row.rows)).size)
        task = f"loading a large row of {table.label}"
        try:
            for statement in parts.preparations():
                self._check_fits(table, "a statement", len(statement) + _PACKET_MARGIN)
                if self._connection.execute(statement, task).warning_count:
                    told = _listed(self._connection.warnings())
                    raise RestoreError(f"{table.label} did not load exactly: {told}")
            statement = parts.insertion(prefix)
            self._check_fits(table, "a statement", len(statement) + _PACKET_MARGIN)
            self._insert(table, statement, row)
            release = parts.release()
            if release is not None:
                self._connection.execute(release, task)
        except SourceError as error:
            raise restore_error(error) from error

    def _check_fits(self, table: TableDefinition, what: str, size: int) -> None:
        if size > self._packet_bytes:
            raise RestoreError(
                f"A row of {table.label} needs {what} of {size} bytes, and the target takes "
                f"{self._packet_bytes}. Raise its max_allowed_packet (at most 1 GiB), and run "
                "again with --replace."
            )

    def _insert(self, table: TableDefinition, statement: bytes, rows: RowBatch) -> None:
        task = f"loading {table.label}"
        try:
            reply = self._execute(statement, task)
            if reply.warning_count:
                self._check_warnings(table, reply.warning_count, rows)
        except SourceError as error:
            raise restore_error(error) from error
        if reply.affected_rows != len(rows.ends):
            raise RestoreError(
                f"{table.label}: {len(rows.ends)} rows were sent, the target took "
                f"{reply.affected_rows} of them."
            )

    def _execute(self, statement: bytes, task: str) -> Reply:
        """Runs a statement that is a transaction of its own: a deadlock has undone all of it."""
        for _ in range(_DEADLOCK_TRIES):
            try:
                return self._connection.execute(statement, task)
            except faults.StatementError as error:
                if error.code != faults.DEADLOCK:
                    raise
        return self._connection.execute(statement, task)

    def _check_warnings(self, table: TableDefinition, count: int, rows: RowBatch) -> None:
        listed = self._connection.warnings()
        warnings = [
            one for one in listed if one[1] != _DEPRECATED and not _is_of_computed(table, one[2])
        ]
        count -= len(listed) - len(warnings)
        others = [one for one in warnings if one[1] != _TRUNCATED]
        if others or count != _count_of_index_zero(table, rows):
            raise RestoreError(f"{table.label} did not load exactly: {_listed(others or warnings)}")


def _listed(warnings: Sequence[tuple[str, int, str]]) -> str:
    lines = [f"{message} ({level} {code})" for level, code, message in warnings]
    more = len(lines) - _NAMED_WARNINGS
    return "; ".join(lines[:_NAMED_WARNINGS]) + (f"; and {more} more" if more > 0 else "")


def _is_of_computed(table: TableDefinition, message: str) -> bool:
    """It tells of a column that the server computes, or of the computation alone."""
    if not computes_columns(table):
        return False
    named = _WARNED_COLUMN.search(message)
    sent = {column.name for column in table.columns}
    return named is None or (named["name"] or named["full"]) not in sent


def _warned_columns(table: TableDefinition) -> int:
    computed = table.statement.count(COMPUTED)
    introduced = sum(column.introducer != "" for column in table.columns)
    return computed + introduced + len(_enums(table))


def _enums(table: TableDefinition) -> list[int]:
    return [at for at, column in enumerate(table.columns) if is_enum(column)]


def _count_of_index_zero(table: TableDefinition, rows: RowBatch) -> int:
    """How many values are an ENUM's error value: the server warns of each as truncated."""
    zeros = {
        at: b"0" if table.columns[at].kind is ValueKind.NUMBER else b"" for at in _enums(table)
    }
    count = position = 0
    for _ in rows.ends:
        values, position = decode_row(rows.rows, position, len(table.columns))
        count += sum(values[at] == zero for at, zero in zeros.items())
    return count


def _pieces(
    batch: RowBatch, layout: RowLayout, limit: int, row_limit: int
) -> Iterator[tuple[RowBatch, int]]:
    """The batch in pieces of at most `row_limit` rows whose tuples fit into `limit` bytes.

    Each with the length of its tuples. One row alone may be larger.
    """
    length = kernel.rendered_length(batch.rows, batch.ends, layout.kinds, layout.introducers)
    if (length <= limit and len(batch.ends) <= row_limit) or len(batch.ends) <= 1:
        yield batch, length
        return
    half = len(batch.ends) // 2
    edge = batch.ends[half - 1]
    rest = batch.rows[edge:]
    ends = kernel.row_ends(rest, layout.column_count)
    yield from _pieces(RowBatch(batch.rows[:edge], batch.ends[:half]), layout, limit, row_limit)
    yield from _pieces(RowBatch(rest, ends), layout, limit, row_limit)

"""Multi-row INSERTs, sized to what the server takes in one statement: every server takes them."""

from __future__ import annotations

from collections.abc import Iterator

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import render_block
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import RestoreError, SourceError
from rowvault.core.model import TableDefinition
from rowvault.source.mysql.wire import faults
from rowvault.source.mysql.wire.connection import Connection, Reply
from rowvault.source.mysql.writing.large_row import LargeRowInsert, largest_value, values_of
from rowvault.source.mysql.writing.load_warnings import loss, most_rows, named
from rowvault.source.mysql.writing.remedies import restore_error
from rowvault.sqltext.insert import insert_prefix

STATEMENT_BYTES = 1 << 20
"""Larger statements gain nothing, and the server holds all of one in memory."""
LARGE_STATEMENT_BYTES = 16 << 20
"""What one row may need before it is put together on the server: this and the server's memory for
a statement bound what a large row costs here and there."""
PACKET_MARGIN = 1024
DEADLOCK_TRIES = 20


class InsertWriter:
    """Inserts rows over one connection, each statement a transaction of its own."""

    def __init__(self, connection: Connection, packet_bytes: int) -> None:
        """`packet_bytes`: the largest statement that the server takes."""
        self._connection = connection
        self._packet_bytes = packet_bytes
        self._packet_limit = packet_bytes - PACKET_MARGIN

    def insert(self, table: TableDefinition, rows: RowBatch) -> None:
        """Inserts whole rows and commits them. Raises RestoreError: any warning is one too."""
        layout = RowLayout.of(table)
        prefix = insert_prefix(table.database, table.name, table.columns)
        limit = min(STATEMENT_BYTES, self._packet_limit) - len(prefix)
        large = min(LARGE_STATEMENT_BYTES, self._packet_limit)
        for piece, length in _pieces(rows, layout, limit, most_rows(table)):
            if len(prefix) + length > large:
                self._insert_large(table, prefix, piece, large)
            else:
                self._insert(table, prefix + render_block(piece, layout), piece)

    def _insert_large(
        self, table: TableDefinition, prefix: bytes, row: RowBatch, statement_bytes: int
    ) -> None:
        parts = LargeRowInsert(table, row.rows, statement_bytes)
        self._check_fits(table, "a value", largest_value(values_of(table, row.rows)).size)
        task = f"loading a large row of {table.label}"
        try:
            for statement in parts.preparations():
                self._check_fits(table, "a statement", len(statement) + PACKET_MARGIN)
                if self._connection.execute(statement, task).warning_count:
                    told = named(self._connection.warnings())
                    raise RestoreError(f"{table.label} did not load exactly: {told}")
            statement = parts.insertion(prefix)
            self._check_fits(table, "a statement", len(statement) + PACKET_MARGIN)
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
            told = ""
            if reply.warning_count:
                told = loss(table, reply.warning_count, self._connection.warnings(), rows)
        except SourceError as error:
            raise restore_error(error) from error
        if told:
            raise RestoreError(f"{table.label} did not load exactly: {told}")
        if reply.affected_rows != len(rows.ends):
            raise RestoreError(
                f"{table.label}: {len(rows.ends)} rows were sent, the target took "
                f"{reply.affected_rows} of them."
            )

    def _execute(self, statement: bytes, task: str) -> Reply:
        """Runs a statement that is a transaction of its own: a deadlock has undone all of it."""
        for _ in range(DEADLOCK_TRIES):
            try:
                return self._connection.execute(statement, task)
            except faults.StatementError as error:
                if error.code != faults.DEADLOCK:
                    raise
        return self._connection.execute(statement, task)


def halves(batch: RowBatch, column_count: int) -> tuple[RowBatch, RowBatch]:
    """The batch in two, for a batch of at least two rows."""
    half = len(batch.ends) // 2
    edge = batch.ends[half - 1]
    rest = batch.rows[edge:]
    ends = kernel.row_ends(rest, column_count)
    return RowBatch(batch.rows[:edge], batch.ends[:half]), RowBatch(rest, ends)


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
    for half in halves(batch, layout.column_count):
        yield from _pieces(half, layout, limit, row_limit)

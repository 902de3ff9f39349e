"""Puts rows into a table: multi-row INSERTs, sized to what the server takes in one statement."""

from __future__ import annotations

from collections.abc import Iterator

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import render_block
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import RestoreError, SourceError
from rowvault.core.model import TableDefinition
from rowvault.source.mysql.connection import Connection
from rowvault.sqltext.insert import insert_prefix

STATEMENT_BYTES = 1 << 20
"""Larger statements gain nothing, and the server holds all of one in memory."""
_PACKET_MARGIN = 1024
_NAMED_WARNINGS = 3


class MysqlLoader:
    """One connection that puts rows into a target; used by one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = connection.rows("SELECT @@SESSION.max_allowed_packet", "asking for limits")
        self._packet_limit = int(rows[0][0] or 0) - _PACKET_MARGIN

    def load(self, table: TableDefinition, rows: RowBatch) -> None:
        """Inserts whole rows and commits them. Raises RestoreError: any warning is one too."""
        layout = RowLayout.of(table)
        prefix = insert_prefix(table.database, table.name, table.columns)
        for piece in _pieces(rows, layout, min(STATEMENT_BYTES, self._packet_limit) - len(prefix)):
            self._insert(table, prefix + render_block(piece, layout), len(piece.ends))

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _insert(self, table: TableDefinition, statement: bytes, row_count: int) -> None:
        if len(statement) > self._packet_limit:
            raise RestoreError(
                f"A row of {table.label} needs a statement of {len(statement)} bytes, and the "
                f"target takes {self._packet_limit}. Raise its max_allowed_packet (at most 1 GiB)."
            )
        task = f"loading {table.label}"
        try:
            reply = self._connection.execute(statement, task)
            if reply.warning_count:
                raise RestoreError(f"{table.label} did not load exactly: {self._warnings()}")
        except SourceError as error:
            raise RestoreError(str(error)) from error
        if reply.affected_rows != row_count:
            raise RestoreError(
                f"{table.label}: {row_count} rows were sent, the target took "
                f"{reply.affected_rows} of them."
            )

    def _warnings(self) -> str:
        warnings = self._connection.warnings()
        lines = [f"{message} ({level} {code})" for level, code, message in warnings]
        more = len(lines) - _NAMED_WARNINGS
        return "; ".join(lines[:_NAMED_WARNINGS]) + (f"; and {more} more" if more > 0 else "")


def _pieces(batch: RowBatch, layout: RowLayout, limit: int) -> Iterator[RowBatch]:
    """The batch in pieces whose tuples fit into `limit` bytes; one row alone may be larger."""
    length = kernel.rendered_length(batch.rows, batch.ends, layout.kinds, layout.introducers)
    if length <= limit or len(batch.ends) <= 1:
        yield batch
        return
    half = len(batch.ends) // 2
    edge = batch.ends[half - 1]
    rest = batch.rows[edge:]
    yield from _pieces(RowBatch(batch.rows[:edge], batch.ends[:half]), layout, limit)
    yield from _pieces(RowBatch(rest, kernel.row_ends(rest, layout.column_count)), layout, limit)

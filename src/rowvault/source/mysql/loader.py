"""Puts rows into a table: multi-row INSERTs, sized to what the server takes in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rowvault.codec import kernel
from rowvault.codec.layout import RowLayout
from rowvault.codec.rendering import render_block
from rowvault.codec.rows import RowBatch, decode_row
from rowvault.core.errors import RestoreError, SourceError
from rowvault.core.model import TableDefinition, ValueKind
from rowvault.source.mysql import faults
from rowvault.source.mysql.connection import Connection, Reply
from rowvault.sqltext.enumeration import is_enum
from rowvault.sqltext.insert import insert_prefix
from rowvault.sqltext.load_mode import STRICT, load_mode

STATEMENT_BYTES = 1 << 20
"""Larger statements gain nothing, and the server holds all of one in memory."""
_PACKET_MARGIN = 1024
_NAMED_WARNINGS = 3
_DEADLOCK_TRIES = 20
_TRUNCATED = 1265
_COUNTED_WARNINGS = 60_000
"""The server's count of warnings has 16 bits; a statement of more values of ENUM is divided."""


class MysqlLoader:
    """One connection that puts rows into a target; used by one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = connection.rows("SELECT @@SESSION.max_allowed_packet", "asking for limits")
        self._packet_limit = int(rows[0][0] or 0) - _PACKET_MARGIN
        self._mode = STRICT

    def load(self, table: TableDefinition, rows: RowBatch) -> None:
        """Inserts whole rows and commits them. Raises RestoreError: any warning is one too."""
        layout = RowLayout.of(table)
        self._use_mode(load_mode(table))
        row_limit = _COUNTED_WARNINGS // max(1, len(_enums(table)))
        prefix = insert_prefix(table.database, table.name, table.columns)
        limit = min(STATEMENT_BYTES, self._packet_limit) - len(prefix)
        for piece in _pieces(rows, layout, limit, row_limit):
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
            raise RestoreError(str(error)) from error
        self._mode = mode

    def _insert(self, table: TableDefinition, statement: bytes, rows: RowBatch) -> None:
        if len(statement) > self._packet_limit:
            raise RestoreError(
                f"A row of {table.label} needs a statement of {len(statement)} bytes, and the "
                f"target takes {self._packet_limit}. Raise its max_allowed_packet (at most 1 GiB)."
            )
        task = f"loading {table.label}"
        try:
            reply = self._execute(statement, task)
            if reply.warning_count:
                self._check_warnings(table, reply.warning_count, rows)
        except SourceError as error:
            raise RestoreError(str(error)) from error
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
        warnings = self._connection.warnings()
        others = [one for one in warnings if one[1] != _TRUNCATED]
        # The server lists only the first ones, but counts them all.
        if others or count != _count_of_index_zero(table, rows):
            raise RestoreError(f"{table.label} did not load exactly: {_listed(others or warnings)}")


def _listed(warnings: Sequence[tuple[str, int, str]]) -> str:
    lines = [f"{message} ({level} {code})" for level, code, message in warnings]
    more = len(lines) - _NAMED_WARNINGS
    return "; ".join(lines[:_NAMED_WARNINGS]) + (f"; and {more} more" if more > 0 else "")


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


def _pieces(batch: RowBatch, layout: RowLayout, limit: int, row_limit: int) -> Iterator[RowBatch]:
    """The batch in pieces of at most `row_limit` rows whose tuples fit into `limit` bytes.

    One row alone may be larger.
    """
    length = kernel.rendered_length(batch.rows, batch.ends, layout.kinds, layout.introducers)
    if (length <= limit and len(batch.ends) <= row_limit) or len(batch.ends) <= 1:
        yield batch
        return
    half = len(batch.ends) // 2
    edge = batch.ends[half - 1]
    rest = batch.rows[edge:]
    ends = kernel.row_ends(rest, layout.column_count)
    yield from _pieces(RowBatch(batch.rows[:edge], batch.ends[:half]), layout, limit, row_limit)
    yield from _pieces(RowBatch(rest, ends), layout, limit, row_limit)

"""Proves of a row-chunk that it holds what lies between its bounds, in the order of the key.

An edge between two row-chunks is the key of a row. So a row-chunk begins with the row of its lower
bound, its keys ascend strictly, and the last one lies before the upper bound: else the index that
the server reads along has another order than the comparison that bounds are made of, and rows may
be missing. It is checked for keys whose order is known without the server.
"""

from __future__ import annotations

from collections.abc import Sequence

from rowvault.codec import kernel
from rowvault.codec.rows import RowBatch
from rowvault.core.errors import SourceError
from rowvault.core.model import Column, TableDefinition
from rowvault.source.mysql.keys.bounds import BYTES, NUMBERS, TEMPORALS
from rowvault.source.mysql.keys.columns import base_type
from rowvault.source.mysql.keys.ranges import OrderPart
from rowvault.source.protocol import RowRange
from rowvault.sqltext.mysql.enumeration import is_ambiguous, is_enum, members_of

_AS_DIGITS, _AS_BYTES, _AS_MEMBER = 1, 2, 3

_Part = tuple[int, int, bool, tuple[bytes, ...]]
"""What the kernel has to know of a key column."""


class RangeProof:
    """Follows the rows of one row-chunk. Used by one thread."""

    def __init__(self, table: TableDefinition, parts: Sequence[_Part], rows: RowRange) -> None:
        """`parts`: of each column of the key; `rows` has the keys of its bounds."""
        self._table = table
        self._rows = rows
        self._proof = kernel.KeyProof(len(table.columns), parts, rows.low_key, rows.high_key)

    def take(self, batch: RowBatch) -> None:
        """The next rows. Raises SourceError where one of them is not in its place."""
        misplaced = self._proof.feed(batch.rows, batch.ends)
        if misplaced >= 0:
            number = self._proof.row_count + 1
            self._fail(f"row {number} of it is not where its key belongs")

    def finish(self) -> None:
        """After the last row. Raises SourceError where the first one did not come."""
        if self._rows.low is not None and not self._proof.row_count:
            self._fail("the row that it begins with was found before, and does not come")

    def _fail(self, what: str) -> None:
        key = ", ".join(self._table.columns[index].name for index in self._table.key)
        raise SourceError(
            f"{self._table.label} cannot be read in parts: in row-chunk {self._rows.ordinal + 1} "
            f"by the key ({key}) {what}, so rows may be missing. `CHECK TABLE` tells whether the "
            "index is damaged; with -j 1 one connection reads the table without ranges."
        )


def proves_itself(table: TableDefinition, order: Sequence[OrderPart]) -> bool:
    """Every row-chunk of the table is proven while it is read.

    Not where the server leaves partitions out by what a range says: a row that EXCHANGE PARTITION
    put where it does not belong is then in no range.
    """
    return not _is_partitioned(table) and bool(_parts(table, order))


def range_proof(
    table: TableDefinition, order: Sequence[OrderPart], rows: RowRange
) -> RangeProof | None:
    """What checks the rows of this row-chunk; None: its order is not known, or it has no bounds."""
    if rows.low_key is None and rows.high_key is None:
        return None
    parts = _parts(table, order)
    return RangeProof(table, parts, rows) if parts else None


def _is_partitioned(table: TableDefinition) -> bool:
    """Also where a comment only says so: counting rows for nothing does no harm."""
    return b"PARTITION BY" in table.statement


def _parts(table: TableDefinition, order: Sequence[OrderPart]) -> tuple[_Part, ...]:
    """Of each key column; empty where one of them has an order that only the server knows."""
    position = {column.name: at for at, column in enumerate(table.columns)}
    parts = []
    for one in order:
        known = _value_order(table.columns[position[one.name]])
        if known is None:
            return ()
        parts.append((position[one.name], known[0], one.is_descending, known[1]))
    return tuple(parts)


def _value_order(column: Column) -> tuple[int, tuple[bytes, ...]] | None:
    """(how the kernel compares the values, the members of an ENUM that is read as text)."""
    base = base_type(column)
    if is_enum(column):
        if is_ambiguous(column):
            return _AS_DIGITS, ()
        members = members_of(column.type)
        if not all(member.isascii() for member in members):
            return None
        return _AS_MEMBER, tuple(member.encode() for member in members)
    if base in NUMBERS or base == "time":
        return _AS_DIGITS, ()
    if base in BYTES or base in TEMPORALS:
        return _AS_BYTES, ()
    return None

"""Two sets of rows compared by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rowvault.codec.plain.buffers import take_bytes, take_ends
from rowvault.codec.plain.rows import Layout, check_column_count, check_key, split_rows
from rowvault.codec.plain.siphash import row_hash

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class RowMatcher:
    """Compares two sets of rows by key, whatever the order in which they come.

    Without a key, rows are a multiset. `changed` counts the rows of equal key whose bytes differ.
    """

    def __init__(self, layout: Layout, row_key: bytes) -> None:
        check_column_count(len(layout.kinds))
        check_key(layout.key, len(layout.kinds))
        if len(row_key) != 16:
            raise ValueError("a SipHash key has 16 bytes")
        self.changed = 0
        self._column_count = len(layout.kinds)
        self._key = layout.key
        self._row_key = row_key
        self._table: dict[int, dict[int, int]] = {}
        """Key hash -> row hash -> rows; left ones count up, right ones down."""
        self._failed = False

    @property
    def pending(self) -> int:
        """Rows that have not met their like."""
        return sum(abs(n) for entries in self._table.values() for n in entries.values())

    def left(self, rows: Buffer, ends: Buffer) -> None:
        """Rows of the older side. Raises ValueError; the matcher is then of no use."""
        self._put(rows, ends, 1)

    def right(self, rows: Buffer, ends: Buffer) -> None:
        """Rows of the newer side. Raises ValueError; the matcher is then of no use."""
        self._put(rows, ends, -1)

    def flush(self) -> tuple[int, int]:
        """(removed, added): the left and the right rows unmatched so far, forgotten now."""
        counts = [n for entries in self._table.values() for n in entries.values()]
        self._table = {}
        return sum(n for n in counts if n > 0), -sum(n for n in counts if n < 0)

    def _put(self, rows: Buffer, ends: Buffer, sign: int) -> None:
        if self._failed:
            raise ValueError("the matcher has met malformed rows before")
        try:
            for row in split_rows(take_bytes(rows), take_ends(ends), self._column_count):
                self._meet(self._hash(row.key(self._key)), self._hash(row.raw), sign)
        except ValueError:
            self._failed = True
            raise

    def _hash(self, data: bytes) -> int:
        return int.from_bytes(row_hash(self._row_key, data)[:16], "little")

    def _meet(self, key: int, row: int, sign: int) -> None:
        """Cancels a row of the other side (the same row first, else the least hash), or waits."""
        entries = self._table.setdefault(key, {})
        waiting = next(iter(entries.values()), 0)
        if waiting * sign >= 0:
            entries[row] = entries.get(row, 0) + sign
            return
        met = row if row in entries else min(entries)
        self.changed += met != row
        entries[met] += sign
        if not entries[met]:
            del entries[met]
        if not entries:
            del self._table[key]

"""Rows in, blocks out: content-defined cuts between rows."""

from __future__ import annotations

from typing import NamedTuple

from rowvault.codec import kernel
from rowvault.codec.layout import CutRule, RowLayout
from rowvault.codec.rows import RowBatch

WHOLE_ROWS = 0
FIRST_FRAGMENT = 1
MIDDLE_FRAGMENT = 2
LAST_FRAGMENT = 3


class RawBlock(NamedTuple):
    """Consecutive rows of a table, or a fragment of one row larger than the rule's maximum."""

    raw: bytes
    row_count: int
    """Of a row in fragments, the first one counts 1, the others 0."""
    rendered_bytes: int
    """The length of the rows as tuples, with the `,` and line feed between them; for a row in
    fragments the first one carries it."""
    first_key: bytes
    """0x01 and the first row's key fields, or 0x00 and 16 bytes of their hash where the table has
    no key or the fields are longer than 512 bytes."""
    row_sum: bytes
    """32 bytes, little-endian: the sum of the rows' keyed hashes modulo 2^256."""
    fragment: int
    """0 for whole rows, else 1 the first, 2 a middle one, 3 the last."""


class Cutter:
    """Cuts the rows of one table; where a block ends depends on its rows alone.

    A block ends behind a row whose key's keyed hash lies under a bound that rises with the block's
    size, and before a row that does not fit under the maximum. Used by one thread at a time.
    """

    def __init__(self, layout: RowLayout, rule: CutRule) -> None:
        """Raises ValueError where layout or rule cannot be: sizes are at most 4 MiB."""
        self._cutter = kernel.Cutter(layout, rule)

    @property
    def pending_rows(self) -> int:
        """Rows that are not in a block yet."""
        return self._cutter.pending_rows

    @property
    def pending_bytes(self) -> int:
        """Raw bytes that are not in a block yet."""
        return self._cutter.pending_bytes

    def feed(self, batch: RowBatch) -> list[RawBlock]:
        """The blocks that these rows complete, in order; often none.

        Raises ValueError, naming row and byte, where the rows are malformed.
        """
        return [RawBlock._make(block) for block in self._cutter.feed(batch.rows, batch.ends)]

    def finish(self) -> list[RawBlock]:
        """The last block, if rows are pending."""
        return [RawBlock._make(block) for block in self._cutter.finish()]

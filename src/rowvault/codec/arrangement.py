"""Arrangements: in what order a block's bytes serve as base of deltas (docs/format.md).

The arranged bytes are a function of the raw bytes and of the arrangement alone, so that they can be
made again of any copy of the block, however that is stored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from rowvault.codec.columns import arrange, restore_rows
from rowvault.codec.rows import NULL, read_length
from rowvault.core.errors import CorruptError

_MAXIMUM_COLUMNS = 4096
_STATED = struct.Struct("<BH")
ARRANGEMENT_BYTES = _STATED.size


class Arrangement(NamedTuple):
    """How the bytes of a block are arranged. The numbers are stored."""

    number: int
    """0: as the rows stand; 1: by column, as format.md says under that number."""
    column_count: int
    """Of the rows; 0 where they are not by column."""

    @property
    def is_by_column(self) -> bool:
        """Whether the bytes have to be made rows again."""
        return self.number == _BY_COLUMN

    def encode(self) -> bytes:
        """As it stands in a frame's header."""
        return _STATED.pack(*self)


_BY_COLUMN = 1
AS_ROWS = Arrangement(0, 0)


def by_column(column_count: int) -> Arrangement:
    """That of rows of so many columns."""
    return Arrangement(_BY_COLUMN, column_count)


def decode_arrangement(data: bytes | memoryview, position: int) -> Arrangement:
    """The arrangement at `position`, where its bytes must be. Raises CorruptError."""
    found = Arrangement(*_STATED.unpack_from(data, position))
    if found == AS_ROWS or (found.is_by_column and 1 <= found.column_count <= _MAXIMUM_COLUMNS):
        return found
    raise CorruptError(
        f"a frame states arrangement {found.number} of {found.column_count} columns, which does "
        "not exist"
    )


class ArrangedBlock(NamedTuple):
    """A block's bytes in one arrangement."""

    arrangement: Arrangement
    data: bytes
    raw_bytes: int

    def raw(self) -> bytes:
        """The block itself. Raises CorruptError where the bytes do not make one of this size."""
        if self.arrangement.is_by_column:
            return restore_rows(self.data, self.raw_bytes)
        if len(self.data) != self.raw_bytes:
            raise CorruptError(
                f"it holds {len(self.data)} raw bytes where {self.raw_bytes} are due"
            )
        return self.data


def arranged_block(data: bytes, *, is_by_column: bool, raw_bytes: int) -> ArrangedBlock:
    """Arranged bytes with their arrangement, which by column they state. Raises CorruptError."""
    arrangement = by_column(read_length(data, 0)[0]) if is_by_column else AS_ROWS
    return ArrangedBlock(arrangement, data, raw_bytes)


def arranged(raw: bytes, arrangement: Arrangement) -> bytes | None:
    """The bytes of a block in this arrangement; None where it cannot have it."""
    if not arrangement.is_by_column:
        return raw
    try:
        made = arrange(raw, arrangement.column_count) if arrangement.column_count else None
    except ValueError:
        return None  # no rows of so many columns
    return None if made is None else made.data


def possible_arrangements(raw: bytes) -> Iterator[Arrangement]:
    """All by column that a block may have: for each number of columns that divides its fields."""
    fields = _count_fields(raw)
    for count in range(1, min(fields, _MAXIMUM_COLUMNS) + 1):
        if fields % count == 0:
            yield by_column(count)


def _count_fields(raw: bytes) -> int:
    """0 where the bytes are no whole fields."""
    count = position = 0
    while position < len(raw):
        if raw[position] == NULL:
            position += 1
        else:
            try:
                length, position = read_length(raw, position)
            except CorruptError:
                return 0
            position += length
        count += 1
    return count if position == len(raw) else 0

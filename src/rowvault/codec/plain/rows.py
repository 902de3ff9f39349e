"""Rows taken apart: fields, keys, ends."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from rowvault.codec.plain.buffers import take_bytes
from rowvault.codec.rows import Value

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

NUMBER, TEXT, BYTES, DYNAMIC = 1, 2, 3, 4

INSIDE_LENGTH: Final = "the row ends where a length should be"
NOT_A_LENGTH: Final = "not the start of a length"
NOT_SHORTEST: Final = "a length that is not in its shortest form"
PAST_END: Final = "a value that runs past the end of its row"
BYTES_LEFT: Final = "bytes are left behind the last value"
BAD_ENDS: Final = "the ends do not ascend to the end of the rows"
NO_CLASS: Final = "a value without a proper storage class"
NOT_A_NUMBER: Final = "not a number"
OTHER_LENGTH: Final = "the text is not as long as it was said to be"


class Layout(Protocol):
    """What is read of codec.layout.RowLayout."""

    @property
    def kinds(self) -> bytes: ...

    @property
    def introducers(self) -> tuple[bytes, ...]: ...

    @property
    def key(self) -> tuple[int, ...]: ...


def check_layout(kinds: bytes, introducers: Sequence[bytes]) -> None:
    """Raises ValueError where no table can look like that."""
    check_column_count(len(kinds))
    if len(introducers) != len(kinds):
        raise ValueError("there must be one introducer for each column")
    if not set(kinds) <= {NUMBER, TEXT, BYTES, DYNAMIC}:
        raise ValueError("an unknown kind of column")


def check_key(key: Sequence[int], column_count: int) -> None:
    """Raises ValueError where `key` is not a choice of columns."""
    if len(set(key)) != len(key) or not all(0 <= index < column_count for index in key):
        raise ValueError("the key names a column that is not there, or one twice")


def fault(row: int, offset: int, reason: str) -> NoReturn:
    """Raises ValueError, naming the row's number in the batch and the byte in its rows."""
    raise ValueError(f"row {row}, byte {offset}: {reason}")


def read_field(rows: bytes, position: int, end: int, row: int) -> tuple[Value, int]:
    """(value, position behind it) of the field at `position`; the row stops at `end`."""
    if position >= end:
        fault(row, position, INSIDE_LENGTH)
    length, start = rows[position], position + 1
    if length == 0xFB:
        return None, start
    if length > 0xFB:
        if length == 0xFF:
            fault(row, position, NOT_A_LENGTH)
        width, least = {0xFC: (2, 0xFB), 0xFD: (3, 1 << 16), 0xFE: (8, 1 << 24)}[length]
        start += width
        if start > end:
            fault(row, position, INSIDE_LENGTH)
        length = int.from_bytes(rows[position + 1 : start], "little")
        if length < least:
            fault(row, position, NOT_SHORTEST)
    stop = start + length
    if stop > end:
        fault(row, position, PAST_END)
    return rows[start:stop], stop


class Row:
    """One row taken apart: its bytes, and for each column value, wire field and offset."""

    def __init__(self, rows: bytes, start: int, end: int, column_count: int, ordinal: int) -> None:
        self.ordinal = ordinal
        self.raw = rows[start:end]
        self.values: list[Value] = []
        self.fields: list[bytes] = []
        self.offsets: list[int] = []
        position = start
        for _ in range(column_count):
            self.offsets.append(position)
            value, stop = read_field(rows, position, end, ordinal)
            self.values.append(value)
            self.fields.append(rows[position:stop])
            position = stop
        if position != end:
            fault(ordinal, position, BYTES_LEFT)

    def key(self, columns: Sequence[int]) -> bytes:
        """The wire fields of the key columns end to end; without a key the whole row."""
        return b"".join(self.fields[i] for i in columns) if columns else self.raw


def split_rows(rows: bytes, ends: Sequence[int], column_count: int) -> Iterator[Row]:
    """The rows of a batch. Raises ValueError where they do not fill it exactly."""
    start = 0
    for ordinal, end in enumerate(ends):
        if not start < end <= len(rows):
            fault(ordinal, start, BAD_ENDS)
        yield Row(rows, start, end, column_count, ordinal)
        start = end
    if start != len(rows):
        fault(len(ends), start, BAD_ENDS)


def check_column_count(column_count: int) -> None:
    """Raises ValueError where no row can have so many columns."""
    if not 0 < column_count <= 0xFFFF:
        raise ValueError("a row has at least one column and at most 65535")


def row_ends(rows: Buffer, column_count: int) -> array[int]:
    """The ends of the whole rows that `rows` consists of. Raises ValueError."""
    check_column_count(column_count)
    data = take_bytes(rows)
    ends = array("I")
    position = 0
    while position < len(data):
        for _ in range(column_count):
            _, position = read_field(data, position, len(data), len(ends))
        ends.append(position)
    return ends


def row_values(rows: Buffer, column_count: int) -> list[tuple[Value, ...]]:
    """The values of whole rows, a tuple of bytes and None for each. Raises ValueError."""
    data = take_bytes(rows)
    ends = row_ends(data, column_count)
    return [tuple(row.values) for row in split_rows(data, ends, column_count)]

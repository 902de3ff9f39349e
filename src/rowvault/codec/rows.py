"""Rows: the values of one row as the server's text protocol sends them, end to end.

A row is one field per column: a length-encoded string, or the byte 0xFB for NULL (MySQL Internals,
"Text Resultset Row"). Length-encoded integers: below 0xFB one byte; 0xFC + 2, 0xFD + 3, 0xFE + 8
bytes, little-endian. The shortest form is the only one that is stored.

A value of kind DYNAMIC (SQLite) starts with its storage class: `i` and decimal digits, `r` and the
8 bytes of an IEEE 754 double, big-endian, `t` and UTF-8 text, `b` and the blob's bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rowvault.core.errors import CorruptError

NULL = 0xFB

Value = bytes | None


class RowBatch(NamedTuple):
    """Whole rows, end to end."""

    rows: bytes
    ends: array[int]
    """type code 'I': for each row the offset just behind it in `rows`, ascending."""


def encode_length(length: int) -> bytes:
    """A length-encoded integer in its shortest form."""
    if length < 0xFB:
        return bytes((length,))
    if length < 1 << 16:
        return b"\xfc" + length.to_bytes(2, "little")
    if length < 1 << 24:
        return b"\xfd" + length.to_bytes(3, "little")
    return b"\xfe" + length.to_bytes(8, "little")


def encode_row(values: Iterable[Value]) -> bytes:
    """One row from its values; None is NULL."""
    fields: list[bytes] = []
    for value in values:
        if value is None:
            fields.append(b"\xfb")
        else:
            fields.append(encode_length(len(value)))
            fields.append(value)
    return b"".join(fields)


def encode_batch(rows: Iterable[Sequence[Value]]) -> RowBatch:
    """A batch from rows of values."""
    encoded = [encode_row(row) for row in rows]
    ends = array("I")
    position = 0
    for row in encoded:
        position += len(row)
        ends.append(position)
    return RowBatch(b"".join(encoded), ends)


def read_length(data: bytes, position: int) -> tuple[int, int]:
    """(value, position behind it) of the length-encoded integer at `position`.

    Raises CorruptError where the bytes end early, or start with 0xFB or 0xFF.
    """
    if position >= len(data):
        raise CorruptError(f"a length is missing at byte {position}: the data ends there")
    first = data[position]
    if first < 0xFB:
        return first, position + 1
    width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first)
    if width is None:
        raise CorruptError(f"byte 0x{first:02X} at {position} is not the start of a length")
    end = position + 1 + width
    if end > len(data):
        raise CorruptError(f"a length at byte {position} runs past the end of the data")
    return int.from_bytes(data[position + 1 : end], "little"), end


def decode_row(data: bytes, position: int, column_count: int) -> tuple[list[Value], int]:
    """(values, position behind the row) of the row at `position`. Raises CorruptError."""
    values: list[Value] = []
    for _ in range(column_count):
        if position < len(data) and data[position] == NULL:
            values.append(None)
            position += 1
            continue
        length, start = read_length(data, position)
        position = start + length
        if position > len(data):
            raise CorruptError(f"a value at byte {start} runs past the end of the data")
        values.append(data[start:position])
    return values, position

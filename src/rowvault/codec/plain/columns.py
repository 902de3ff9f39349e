"""Rows arranged by column, and back (docs/format.md, "Column layout")."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import take_bytes
from rowvault.codec.plain.column_forms import Field, arrange_column, read_column
from rowvault.codec.plain.rows import read_field
from rowvault.codec.plain.streams import Streams
from rowvault.codec.rows import encode_length

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

MAXIMUM_COLUMNS: Final = 4096


def arrange(rows: Buffer, column_count: int) -> tuple[bytes, array[int]] | None:
    """Whole rows as (arranged bytes, ends of the parts that compress best apart).

    None where there is no row, there are more than 4096 columns, or the arranged bytes would be
    more than those of the rows. Raises ValueError where the bytes are not rows of so many columns.
    """
    if column_count <= 0:
        raise ValueError("a row has at least one column")
    raw = take_bytes(rows)
    if column_count > MAXIMUM_COLUMNS or not raw:
        return None
    columns = _split(raw, column_count)
    head = [encode_length(column_count), encode_length(len(columns[0]))]
    parts = [b""]
    for fields in columns:
        column = arrange_column(fields)
        head.append(column.head)
        parts += column.streams
    parts[0] = b"".join(head)
    if sum(map(len, parts)) > len(raw):
        return None
    ends = array("I")
    position = 0
    for part in filter(None, parts):
        position += len(part)
        ends.append(position)
    return b"".join(parts), ends


def _split(raw: bytes, column_count: int) -> list[list[Field]]:
    columns: list[list[Field]] = [[] for _ in range(column_count)]
    position = row = 0
    while position < len(raw):
        for fields in columns:
            value, end = read_field(raw, position, len(raw), row)
            fields.append(Field(raw[position:end], value))
            position = end
        row += 1
    return columns


def restore_rows(arranged: Buffer, raw_bytes: int) -> bytes:
    """The rows, exactly `raw_bytes` of them. Raises ValueError where that cannot be."""
    streams = Streams(take_bytes(arranged))
    column_count = streams.length()
    row_count = streams.length()
    if not 0 < column_count <= MAXIMUM_COLUMNS:
        raise ValueError("a count of columns that is never written")
    if row_count * column_count > raw_bytes:
        raise ValueError("more fields than bytes")
    readers = [read_column(streams, row_count) for _ in range(column_count)]
    columns = [reader.fields(streams) for reader in readers]
    if not streams.is_at_end:
        raise ValueError("bytes are left behind the last column")
    rows = b"".join(b"".join(row) for row in zip(*columns, strict=True))
    if len(rows) != raw_bytes:
        raise ValueError(f"{len(rows)} bytes of rows where {raw_bytes} are due")
    return rows

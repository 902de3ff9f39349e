"""Rows as the lines that LOAD DATA reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import take_bytes
from rowvault.codec.plain.rows import check_column_count, read_field
from rowvault.codec.rows import Value

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_ESCAPES: Final = str.maketrans({"\t": "\\\t", "\n": "\\\n", "\\": "\\\\"})


def _field(value: Value) -> bytes:
    if value is None:
        return b"\\N"
    return value.decode("latin-1").translate(_ESCAPES).encode("latin-1")


def render_lines(rows: Buffer, column_count: int) -> bytes:
    """The fields of each row, joined by tabs, and a line feed behind each row. Raises ValueError.

    A backslash stands before each tab, line feed and backslash of a value; NULL is `\\N`. These are
    LOAD DATA's own defaults (MySQL manual, "LOAD DATA Statement"), and no other byte means
    anything to it.
    """
    check_column_count(column_count)
    data = take_bytes(rows)
    lines: list[bytes] = []
    position = 0
    while position < len(data):
        fields = []
        for _ in range(column_count):
            value, position = read_field(data, position, len(data), len(lines))
            fields.append(_field(value))
        lines.append(b"\t".join(fields) + b"\n")
    return b"".join(lines)

"""Rows of Python values, as SQLite has them, to rows of kind DYNAMIC and back."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rowvault.codec.plain.buffers import LIMIT, take_bytes, take_ends
from rowvault.codec.plain.rendering import INTEGER_SHAPE, dynamic_class
from rowvault.codec.plain.rows import (
    NO_CLASS,
    NOT_A_NUMBER,
    Row,
    check_column_count,
    fault,
    split_rows,
)
from rowvault.codec.rows import encode_length

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def _encode_value(value: object) -> bytes:
    if value is None:
        return b"\xfb"
    if type(value) is int:
        if not -(1 << 63) <= value < 1 << 63:
            raise ValueError("an integer of more than 64 bits")
        encoded = b"i%d" % value
    elif type(value) is float:
        encoded = b"r" + struct.pack(">d", value)
    elif type(value) is str:
        encoded = b"t" + value.encode()
    elif type(value) is bytes:
        encoded = b"b" + value
    elif isinstance(value, bytes):
        encoded = b"t" + value
    else:
        raise TypeError(f"no storage class for a value of type {type(value).__name__}")
    return encode_length(len(encoded)) + encoded


def encode_values(rows: Sequence[tuple[object, ...]]) -> tuple[bytes, array[int]]:
    """Rows of Python values as rows of kind DYNAMIC, and their ends.

    int, float, bytes and str become integer, real, blob and text; a subclass of bytes is text
    that may not be valid UTF-8. Raises TypeError, ValueError.
    """
    encoded: list[bytes] = []
    ends = array("I")
    position = 0
    for row in rows:
        if not isinstance(row, tuple):
            raise TypeError("a row must be a tuple")
        if not row:
            raise ValueError("a row has at least one column")
        data = b"".join(map(_encode_value, row))
        position += len(data)
        if position > LIMIT:
            raise ValueError("more than 4 GiB in one call")
        encoded.append(data)
        ends.append(position)
    return b"".join(encoded), ends


def _decode_value(row: Row, column: int, text_type: Callable[[bytes], object]) -> object:
    value = row.values[column]
    if value is None:
        return None
    if not dynamic_class(value):
        fault(row.ordinal, row.offsets[column], NO_CLASS)
    body = value[1:]
    match chr(value[0]):
        case "i":
            if not INTEGER_SHAPE.fullmatch(body) or not -(1 << 63) <= int(body) < 1 << 63:
                fault(row.ordinal, row.offsets[column], NOT_A_NUMBER)
            return int(body)
        case "r":
            return struct.unpack(">d", body)[0]
        case "t":
            try:
                return body.decode()
            except UnicodeDecodeError:
                return text_type(body)
        case _:
            return body


def decode_values(
    rows: Buffer, ends: Buffer, column_count: int, text_type: Callable[[bytes], object]
) -> list[tuple[object, ...]]:
    """The inverse of `encode_values`; text that is not UTF-8 as `text_type(raw)`.

    Raises ValueError.
    """
    check_column_count(column_count)
    return [
        tuple(_decode_value(row, column, text_type) for column in range(column_count))
        for row in split_rows(take_bytes(rows), take_ends(ends), column_count)
    ]

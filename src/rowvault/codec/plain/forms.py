"""Rows as comma-separated values and as lines of JSON (docs/reference/text-formats.md)."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import take_bytes
from rowvault.codec.plain.rendering import check_numbers, dynamic_class, render_real
from rowvault.codec.plain.rows import (
    BYTES,
    DYNAMIC,
    NO_CLASS,
    NUMBER,
    TEXT,
    Row,
    check_layout,
    fault,
    row_ends,
    split_rows,
)
from rowvault.codec.rows import Value

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_JSON_NUMBER: Final = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def render_csv(rows: Buffer, kinds: bytes) -> bytes:
    """A line of comma-separated values for each whole row. Raises ValueError."""
    return b"".join(
        b",".join(map(_csv_value, row.values, kinds)) + b"\n"
        for row in _checked(rows, kinds, (b"",) * len(kinds))
    )


def render_json_lines(rows: Buffer, kinds: bytes, names: tuple[bytes, ...]) -> bytes:
    """A line with a JSON object for each whole row; `names` are JSON strings and a colon each.

    Raises ValueError.
    """
    lines = []
    for row in _checked(rows, kinds, names):
        values = map(_json_value, row.values, kinds)
        members = [name + value for name, value in zip(names, values, strict=True)]
        lines.append(b"{" + b",".join(members) + b"}\n")
    return b"".join(lines)


def _checked(rows: Buffer, kinds: bytes, names: tuple[bytes, ...]) -> Iterator[Row]:
    check_layout(kinds, names)
    data = take_bytes(rows)
    for row in split_rows(data, row_ends(data, len(kinds)), len(kinds)):
        for value, kind, offset in zip(row.values, kinds, row.offsets, strict=True):
            if kind == DYNAMIC and value is not None and not dynamic_class(value):
                fault(row.ordinal, offset, NO_CLASS)
        check_numbers(row, kinds)
        yield row


def _csv_value(value: Value, kind: int) -> bytes:
    kind, body = _resolved(value, kind)
    if body is None:
        return b""
    if kind == NUMBER:
        return body
    if kind == BYTES:
        return b"X'" + body.hex().upper().encode() + b"'"
    return b'"' + body.replace(b'"', b'""') + b'"'


def _json_value(value: Value, kind: int) -> bytes:
    kind, body = _resolved(value, kind)
    if body is None:
        return b"null"
    if kind == NUMBER:
        return body if _JSON_NUMBER.fullmatch(body) else b'"' + body + b'"'
    if kind == TEXT:
        try:
            return json_string(body.decode())
        except UnicodeDecodeError:
            pass  # no text: its bytes
    return b'{"hex":"' + body.hex().upper().encode() + b'"}'


def json_string(text: str) -> bytes:
    """A JSON string in UTF-8, in which only what must be is escaped."""
    return json.dumps(text, ensure_ascii=False).encode()


def _resolved(value: Value, kind: int) -> tuple[int, Value]:
    """(kind, value) with the storage class of a value of SQLite taken off."""
    if value is None or kind != DYNAMIC:
        return kind, value
    body = value[1:]
    match chr(dynamic_class(value)):
        case "i":
            return NUMBER, body
        case "r":
            is_nan = struct.unpack(">d", body) != struct.unpack(">d", body)
            return NUMBER, None if is_nan else render_real(body)
        case "t":
            return TEXT, body
        case _:
            return BYTES, body

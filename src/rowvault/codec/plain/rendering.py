"""Rows as the tuples of an INSERT statement."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rowvault.codec.plain.buffers import take_bytes, take_ends
from rowvault.codec.plain.rows import (
    BYTES,
    DYNAMIC,
    NO_CLASS,
    NOT_A_NUMBER,
    NUMBER,
    OTHER_LENGTH,
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

_ESCAPES: Final = str.maketrans(
    {"\0": "\\0", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "'": "\\'", "\x1a": "\\Z"}
)
_NUMBER_SHAPE: Final = re.compile(rb"[0-9+\-.eE]+")
INTEGER_SHAPE: Final = re.compile(rb"-?[0-9]{1,19}")


def _escape(value: bytes) -> bytes:
    return value.decode("latin-1").translate(_ESCAPES).encode("latin-1")


def _hex_literal(value: bytes) -> bytes:
    return b"X'" + value.hex().upper().encode() + b"'"


def render_real(bits: bytes) -> bytes:
    value: float = struct.unpack(">d", bits)[0]
    if value != value:
        return b"NULL"
    if value in (float("inf"), float("-inf")):
        return b"9e999" if value > 0 else b"-9e999"
    text = "%.17g" % value  # noqa: UP031 - the rendering is defined by C's format
    return (text if "." in text or "e" in text else text + ".0").encode()


def dynamic_class(value: bytes) -> int:
    """The storage class; 0 where there is none or a real has not 8 bytes."""
    found = value[0] if value and value[0] in b"irtb" else 0
    return 0 if found == ord("r") and len(value) != 9 else found


def _render_dynamic(value: bytes) -> bytes:
    body = value[1:]
    match chr(dynamic_class(value)):
        case "i":
            return body
        case "r":
            return render_real(body)
        case "t" if b"\0" in body:
            return b"CAST(" + _hex_literal(body) + b" AS TEXT)"
        case "t":
            return b"'" + body.replace(b"'", b"''") + b"'"
        case _:
            return _hex_literal(body)


def _literal(value: Value, kind: int, introducer: bytes) -> bytes:
    if value is None:
        return b"NULL"
    if kind == NUMBER:
        return value
    if kind == TEXT:
        return b"'" + _escape(value) + b"'"
    if kind == BYTES:
        return introducer + _hex_literal(value)
    return _render_dynamic(value)


def render_row(row: Row, kinds: bytes, introducers: Sequence[bytes]) -> bytes:
    """The tuple of one row. Raises ValueError where a value has no storage class."""
    for value, kind, offset in zip(row.values, kinds, row.offsets, strict=True):
        if kind == DYNAMIC and value is not None and not dynamic_class(value):
            fault(row.ordinal, offset, NO_CLASS)
    literals = map(_literal, row.values, kinds, introducers)
    return b"(" + b",".join(literals) + b")"


def check_numbers(row: Row, kinds: bytes) -> None:
    """What is rendered without quotes must be a number: a stored value never becomes SQL."""
    for value, kind, offset in zip(row.values, kinds, row.offsets, strict=True):
        if value is None:
            continue
        if kind == NUMBER and not _NUMBER_SHAPE.fullmatch(value):
            fault(row.ordinal, offset, NOT_A_NUMBER)
        if kind == DYNAMIC and value[:1] == b"i" and not INTEGER_SHAPE.fullmatch(value[1:]):
            fault(row.ordinal, offset, NOT_A_NUMBER)


def render_tuples(
    rows: Buffer, ends: Buffer, kinds: bytes, introducers: tuple[bytes, ...]
) -> bytes:
    """`(v,v,...)` per row, joined by `,` and a line feed. Raises ValueError."""
    check_layout(kinds, introducers)
    tuples = []
    for row in split_rows(take_bytes(rows), take_ends(ends), len(kinds)):
        rendered = render_row(row, kinds, introducers)
        check_numbers(row, kinds)
        tuples.append(rendered)
    return b",\n".join(tuples)


def render_statement(
    rows: Buffer,
    kinds: bytes,
    introducers: tuple[bytes, ...],
    prefix: bytes,
    suffix: bytes,
    rendered_bytes: int,
) -> bytes:
    """`prefix`, the tuples of whole rows as `render_tuples` gives them, `suffix`.

    Raises ValueError, also where the tuples do not have `rendered_bytes`.
    """
    check_layout(kinds, introducers)
    tuples = render_tuples(rows, row_ends(rows, len(kinds)), kinds, introducers)
    if len(tuples) != rendered_bytes:
        fault(0, 0, OTHER_LENGTH)
    return prefix + tuples + suffix


def rendered_length(
    rows: Buffer, ends: Buffer, kinds: bytes, introducers: tuple[bytes, ...]
) -> int:
    """The length of what `render_tuples` gives; numbers are not looked at. Raises ValueError."""
    check_layout(kinds, introducers)
    split = split_rows(take_bytes(rows), take_ends(ends), len(kinds))
    lengths = [len(render_row(row, kinds, introducers)) for row in split]
    return sum(lengths) + 2 * max(len(lengths) - 1, 0)

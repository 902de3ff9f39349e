"""Rows that do not fit into one statement: their large values are put together on the server.

A value travels in pieces that the server appends to a user variable, and one INSERT takes all of
them; so the row arrives as a whole, whatever keys, triggers or defaults its table has, and no
statement is larger than what the server takes. CONCAT gives at most max_allowed_packet bytes, which
is the limit that remains for one value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rowvault.codec import kernel
from rowvault.codec.rows import NULL, encode_row, read_length
from rowvault.core.model import Column, TableDefinition, ValueKind

PIECE_BYTES = 4 << 20
_PIECE_FRAMING = 200
"""More than what stands around a piece in its statement."""
_NULL_LITERAL = b"NULL"


class Value(msgspec.Struct, frozen=True):
    """One value of a row: where its bytes lie."""

    column: Column
    start: int
    end: int
    is_null: bool = False

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start


def values_of(table: TableDefinition, row: bytes) -> list[Value]:
    """The places of a row's values. Raises CorruptError."""
    values = []
    position = 0
    for column in table.columns:
        if row[position] == NULL:
            position += 1
            values.append(Value(column, position, position, is_null=True))
            continue
        length, start = read_length(row, position)
        position = start + length
        values.append(Value(column, start, position))
    return values


class LargeRowInsert:
    """The statements that insert one row; each at most `statement_bytes` long where possible."""

    def __init__(self, table: TableDefinition, row: bytes, statement_bytes: int) -> None:
        self._row = row
        self._values = values_of(table, row)
        self._piece_bytes = max(1, min(PIECE_BYTES, (statement_bytes - _PIECE_FRAMING) // 2))
        # All others together then take less than a statement: a literal doubles its value at most.
        share = statement_bytes // (4 * len(self._values))
        self._assembled = [
            index
            for index, value in enumerate(self._values)
            if value.size > share and value.column.kind is not ValueKind.NUMBER
        ]

    def preparations(self) -> Iterator[bytes]:
        """Statements that put each large value into a variable of the session."""
        for index in self._assembled:
            value = self._values[index]
            name = _variable(index)
            yield b"SET %b = %b''" % (name, _introducer(value.column))
            for start, end in self._pieces(value):
                yield b"SET %b = CONCAT(%b, %bX'%b')" % (
                    name,
                    name,
                    _introducer(value.column),
                    self._row[start:end].hex().encode(),
                )

    def insertion(self, prefix: bytes) -> bytes:
        """The INSERT, which names the variables where the large values belong."""
        cells = [
            _variable(index) if index in self._assembled else self._literal(value)
            for index, value in enumerate(self._values)
        ]
        return prefix + b"(" + b",".join(cells) + b")"

    def release(self) -> bytes | None:
        """Gives the server the memory of the variables back; None where there are none."""
        if not self._assembled:
            return None
        return b"SET " + b", ".join(b"%b = NULL" % _variable(one) for one in self._assembled)

    def _literal(self, value: Value) -> bytes:
        if value.is_null:
            return _NULL_LITERAL
        column = value.column
        alone = encode_row([self._row[value.start : value.end]])
        introducers = (f"{column.introducer} ".encode() if column.introducer else b"",)
        ends = kernel.row_ends(alone, 1)
        return kernel.render_tuples(alone, ends, bytes([column.kind]), introducers)[1:-1]

    def _pieces(self, value: Value) -> Iterator[tuple[int, int]]:
        start = value.start
        while start < value.end:
            end = min(start + self._piece_bytes, value.end)
            if value.column.kind is ValueKind.TEXT:
                end = _character_edge(self._row, start, end, value.end)
            yield start, end
            start = end


def largest_value(values: Sequence[Value]) -> Value:
    """The value with most bytes."""
    return max(values, key=lambda value: value.size)


def _introducer(column: Column) -> bytes:
    # Text of other charsets is assembled as bytes, which a column takes as they are: no piece has
    # to end with a character.
    return b"_utf8mb4 " if column.kind is ValueKind.TEXT else b"_binary "


def _variable(index: int) -> bytes:
    return b"@rowvault_value_%d" % index


def _character_edge(text: bytes, start: int, end: int, limit: int) -> int:
    """The last place up to `end` that is not inside a character of UTF-8."""
    edge = end
    while edge < limit and edge > start and text[edge] & 0xC0 == 0x80:
        edge -= 1
    return edge if edge > start else end

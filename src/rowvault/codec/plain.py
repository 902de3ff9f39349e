"""The plain twin of the compiled kernel: the same names, the same results, in ordinary Python.

It is the oracle of the tests and stands in where the extension is not built. Everything here
prefers being seen to be right over being fast. Malformed input raises ValueError, as in the
kernel.
"""

from __future__ import annotations

import itertools
import re
import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

U64: Final = (1 << 64) - 1
LIMIT: Final = (1 << 32) - 1
"""Offsets are 32 bits wide: a batch of rows, or one row, is no longer than this."""

MAX_BLOCK_BYTES: Final = 1 << 22
"""Bound of a rule's scale and maximum: its fourth power times 2^32 then fits into 128 bits."""

LONGEST_PLAIN_KEY: Final = 512
"""A block's first key is kept as it is up to this many bytes, and as a hash beyond."""

PACKET_MAX: Final = 0xFFFFFF
"""A packet of this length is continued by the next one (MySQL manual, "MySQL Packets")."""

NUMBER, TEXT, BYTES, DYNAMIC = 1, 2, 3, 4

INSIDE_LENGTH: Final = "the row ends where a length should be"
NOT_A_LENGTH: Final = "not the start of a length"
NOT_SHORTEST: Final = "a length that is not in its shortest form"
PAST_END: Final = "a value that runs past the end of its row"
BYTES_LEFT: Final = "bytes are left behind the last value"
BAD_ENDS: Final = "the ends do not ascend to the end of the rows"
NO_CLASS: Final = "a value without a proper storage class"
NOT_A_NUMBER: Final = "not a number"

RawTuple = tuple[bytes, int, int, bytes, bytes, int]
Value = bytes | None
DynamicValue = int | float | str | bytes | None


class Layout(Protocol):
    """What is read of codec.layout.RowLayout."""

    @property
    def kinds(self) -> bytes: ...

    @property
    def introducers(self) -> tuple[bytes, ...]: ...

    @property
    def key(self) -> tuple[int, ...]: ...


class Rule(Protocol):
    """What is read of codec.layout.CutRule."""

    @property
    def minimum(self) -> int: ...

    @property
    def scale(self) -> int: ...

    @property
    def maximum(self) -> int: ...

    @property
    def cut_key(self) -> bytes: ...

    @property
    def row_key(self) -> bytes: ...

    @property
    def gear_key(self) -> bytes: ...


# --- buffers --------------------------------------------------------------------------------


def _bytes(data: Buffer) -> bytes:
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("the buffer is not contiguous")
    if view.nbytes > LIMIT:
        raise ValueError("more than 4 GiB in one call")
    return bytes(view)


def _offsets(ends: Buffer) -> list[int]:
    view = memoryview(ends)
    if view.format != "I" or view.ndim != 1:
        raise ValueError("ends must be an array of type code 'I'")
    if not view.c_contiguous:
        raise BufferError("the buffer is not contiguous")
    return [int(end) for end in view]


# --- SipHash (Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012) -------------------


def _rotate(word: int, count: int) -> int:
    return (word << count | word >> (64 - count)) & U64


def _sip_rounds(v: list[int], count: int) -> None:
    v0, v1, v2, v3 = v
    for _ in range(count):
        v0 = (v0 + v1) & U64
        v1 = _rotate(v1, 13) ^ v0
        v0 = _rotate(v0, 32)
        v2 = (v2 + v3) & U64
        v3 = _rotate(v3, 16) ^ v2
        v0 = (v0 + v3) & U64
        v3 = _rotate(v3, 21) ^ v0
        v2 = (v2 + v1) & U64
        v1 = _rotate(v1, 17) ^ v2
        v2 = _rotate(v2, 32)
    v[:] = v0, v1, v2, v3


def _sip_absorb(key: bytes, data: bytes, rounds: int, tweak: int) -> list[int]:
    if len(key) != 16:
        raise ValueError("a SipHash key has 16 bytes")
    k0, k1 = struct.unpack("<QQ", key)
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D ^ tweak,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    whole = len(data) // 8 * 8
    last = data[whole:].ljust(7, b"\0") + bytes((len(data) & 0xFF,))
    for (word,) in struct.iter_unpack("<Q", data[:whole] + last):
        v[3] ^= word
        _sip_rounds(v, rounds)
        v[0] ^= word
    return v


def siphash24(key: bytes, data: Buffer) -> int:
    """SipHash-2-4 of 64 bits under a key of 16 bytes. Raises ValueError."""
    v = _sip_absorb(key, _bytes(data), 2, 0)
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def row_hash(key: bytes, data: Buffer) -> bytes:
    """32 bytes: SipHash-1-3 in its 128-bit form, squeezed twice as long. Raises ValueError."""
    v = _sip_absorb(key, _bytes(data), 1, 0xEE)
    v[2] ^= 0xEE
    words = []
    for tweak in (0, 0xDD, 0xCC, 0xBB):
        v[1] ^= tweak
        _sip_rounds(v, 3)
        words.append(v[0] ^ v[1] ^ v[2] ^ v[3])
    return struct.pack("<4Q", *words)


# --- rows -----------------------------------------------------------------------------------


def _fault(row: int, offset: int, reason: str) -> NoReturn:
    raise ValueError(f"row {row}, byte {offset}: {reason}")


def _read_field(rows: bytes, position: int, end: int, row: int) -> tuple[Value, int]:
    """(value, position behind it) of the field at `position`; the row stops at `end`."""
    if position >= end:
        _fault(row, position, INSIDE_LENGTH)
    length, start = rows[position], position + 1
    if length == 0xFB:
        return None, start
    if length > 0xFB:
        if length == 0xFF:
            _fault(row, position, NOT_A_LENGTH)
        width, least = {0xFC: (2, 0xFB), 0xFD: (3, 1 << 16), 0xFE: (8, 1 << 24)}[length]
        start += width
        if start > end:
            _fault(row, position, INSIDE_LENGTH)
        length = int.from_bytes(rows[position + 1 : start], "little")
        if length < least:
            _fault(row, position, NOT_SHORTEST)
    stop = start + length
    if stop > end:
        _fault(row, position, PAST_END)
    return rows[start:stop], stop


class _Row:
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
            value, stop = _read_field(rows, position, end, ordinal)
            self.values.append(value)
            self.fields.append(rows[position:stop])
            position = stop
        if position != end:
            _fault(ordinal, position, BYTES_LEFT)

    def key(self, columns: Sequence[int]) -> bytes:
        """The wire fields of the key columns end to end; without a key the whole row."""
        return b"".join(self.fields[i] for i in columns) if columns else self.raw


def _split_rows(rows: bytes, ends: Sequence[int], column_count: int) -> Iterator[_Row]:
    start = 0
    for ordinal, end in enumerate(ends):
        if not start < end <= len(rows):
            _fault(ordinal, start, BAD_ENDS)
        yield _Row(rows, start, end, column_count, ordinal)
        start = end
    if start != len(rows):
        _fault(len(ends), start, BAD_ENDS)


def _check_column_count(column_count: int) -> None:
    if not 0 < column_count <= 0xFFFF:
        raise ValueError("a row has at least one column and at most 65535")


def row_ends(rows: Buffer, column_count: int) -> array[int]:
    """The ends of the whole rows that `rows` consists of. Raises ValueError."""
    _check_column_count(column_count)
    data = _bytes(rows)
    ends = array("I")
    position = 0
    while position < len(data):
        for _ in range(column_count):
            _, position = _read_field(data, position, len(data), len(ends))
        ends.append(position)
    return ends


# --- renderings -----------------------------------------------------------------------------

_ESCAPES: Final = str.maketrans(
    {"\0": "\\0", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "'": "\\'", "\x1a": "\\Z"}
)
_NUMBER_SHAPE: Final = re.compile(rb"[0-9+\-.eE]+")
_INTEGER_SHAPE: Final = re.compile(rb"-?[0-9]{1,19}")


def _escape(value: bytes) -> bytes:
    return value.decode("latin-1").translate(_ESCAPES).encode("latin-1")


def _hex_literal(value: bytes) -> bytes:
    return b"X'" + value.hex().upper().encode() + b"'"


def _render_real(bits: bytes) -> bytes:
    value: float = struct.unpack(">d", bits)[0]
    if value != value:
        return b"NULL"
    if value in (float("inf"), float("-inf")):
        return b"9e999" if value > 0 else b"-9e999"
    text = "%.17g" % value  # noqa: UP031 - the rendering is defined by C's format
    return (text if "." in text or "e" in text else text + ".0").encode()


def _dynamic_class(value: bytes) -> int:
    """The storage class; 0 where there is none or a real has not 8 bytes."""
    found = value[0] if value and value[0] in b"irtb" else 0
    return 0 if found == ord("r") and len(value) != 9 else found


def _render_dynamic(value: bytes) -> bytes:
    body = value[1:]
    match chr(_dynamic_class(value)):
        case "i":
            return body
        case "r":
            return _render_real(body)
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


def _render_row(row: _Row, kinds: bytes, introducers: Sequence[bytes]) -> bytes:
    """The tuple of one row. Raises ValueError where a value has no storage class."""
    for value, kind, offset in zip(row.values, kinds, row.offsets, strict=True):
        if kind == DYNAMIC and value is not None and not _dynamic_class(value):
            _fault(row.ordinal, offset, NO_CLASS)
    literals = map(_literal, row.values, kinds, introducers)
    return b"(" + b",".join(literals) + b")"


def _check_numbers(row: _Row, kinds: bytes) -> None:
    """What is rendered without quotes must be a number: a stored value never becomes SQL."""
    for value, kind, offset in zip(row.values, kinds, row.offsets, strict=True):
        if value is None:
            continue
        if kind == NUMBER and not _NUMBER_SHAPE.fullmatch(value):
            _fault(row.ordinal, offset, NOT_A_NUMBER)
        if kind == DYNAMIC and value[:1] == b"i" and not _INTEGER_SHAPE.fullmatch(value[1:]):
            _fault(row.ordinal, offset, NOT_A_NUMBER)


def _check_layout(kinds: bytes, introducers: Sequence[bytes]) -> None:
    _check_column_count(len(kinds))
    if len(introducers) != len(kinds):
        raise ValueError("there must be one introducer for each column")
    if not set(kinds) <= {NUMBER, TEXT, BYTES, DYNAMIC}:
        raise ValueError("an unknown kind of column")


def render_tuples(
    rows: Buffer, ends: Buffer, kinds: bytes, introducers: tuple[bytes, ...]
) -> bytes:
    """`(v,v,...)` per row, joined by `,` and a line feed. Raises ValueError."""
    _check_layout(kinds, introducers)
    tuples = []
    for row in _split_rows(_bytes(rows), _offsets(ends), len(kinds)):
        rendered = _render_row(row, kinds, introducers)
        _check_numbers(row, kinds)
        tuples.append(rendered)
    return b",\n".join(tuples)


def rendered_length(
    rows: Buffer, ends: Buffer, kinds: bytes, introducers: tuple[bytes, ...]
) -> int:
    """The length of what `render_tuples` gives; numbers are not looked at. Raises ValueError."""
    _check_layout(kinds, introducers)
    split = _split_rows(_bytes(rows), _offsets(ends), len(kinds))
    lengths = [len(_render_row(row, kinds, introducers)) for row in split]
    return sum(lengths) + 2 * max(len(lengths) - 1, 0)


# --- values of SQLite -----------------------------------------------------------------------


def _encode_length(length: int) -> bytes:
    if length < 0xFB:
        return bytes((length,))
    if length < 1 << 16:
        return b"\xfc" + length.to_bytes(2, "little")
    if length < 1 << 24:
        return b"\xfd" + length.to_bytes(3, "little")
    return b"\xfe" + length.to_bytes(8, "little")


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
    return _encode_length(len(encoded)) + encoded


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


def _decode_value(row: _Row, column: int, text_type: Callable[[bytes], object]) -> object:
    value = row.values[column]
    if value is None:
        return None
    body = value[1:]
    match chr(_dynamic_class(value)):
        case "i":
            if not _INTEGER_SHAPE.fullmatch(body) or not -(1 << 63) <= int(body) < 1 << 63:
                _fault(row.ordinal, row.offsets[column], NOT_A_NUMBER)
            return int(body)
        case "r":
            return struct.unpack(">d", body)[0]
        case "t":
            try:
                return body.decode()
            except UnicodeDecodeError:
                return text_type(body)
        case "b":
            return body
        case _:
            _fault(row.ordinal, row.offsets[column], NO_CLASS)


def decode_values(
    rows: Buffer, ends: Buffer, column_count: int, text_type: Callable[[bytes], object]
) -> list[tuple[object, ...]]:
    """The inverse of `encode_values`; text that is not UTF-8 as `text_type(raw)`.

    Raises ValueError.
    """
    _check_column_count(column_count)
    return [
        tuple(_decode_value(row, column, text_type) for column in range(column_count))
        for row in _split_rows(_bytes(rows), _offsets(ends), column_count)
    ]


# --- packets --------------------------------------------------------------------------------


class PacketSplitter:
    """Takes the packets of a text result set apart into rows (MySQL manual, "Text Resultset").

    `sequence_id` is the id that the first row packet carries. The end is an EOF packet, or the OK
    packet that stands for it, or an ERR packet.
    """

    def __init__(self, sequence_id: int) -> None:
        if not 0 <= sequence_id <= 0xFF:
            raise ValueError("a sequence id is one byte")
        self.finished = False
        self.warning_count = 0
        self.status = 0
        self.error: bytes | None = None
        self._sequence_id = sequence_id
        self._waiting = bytearray()
        self._row: list[bytes] = []
        self._failed = False

    def feed(self, data: Buffer) -> tuple[bytes, array[int]]:
        """The rows that are complete now, and their ends; any slice of the stream will do.

        Raises ValueError where the bytes are not the protocol; no further feed is possible then.
        """
        if self._failed:
            raise ValueError("the splitter has met malformed bytes before")
        try:
            self._waiting += _bytes(data)
            return self._take_rows()
        except ValueError:
            self._failed = True
            raise

    def _take_rows(self) -> tuple[bytes, array[int]]:
        rows: list[bytes] = []
        ends = array("I")
        position = 0
        while not self.finished and (payload := self._take_packet()) is not None:
            if not self._row and payload[0] == 0xFF:
                self.finished, self.error = True, payload
            elif not self._row and payload[0] == 0xFE and len(payload) < PACKET_MAX:
                self._read_end(payload)
            else:
                self._row.append(payload)
                if len(payload) < PACKET_MAX:
                    row = b"".join(self._row)
                    self._row = []
                    position += len(row)
                    if position > LIMIT:
                        raise ValueError("more than 4 GiB of rows at once")
                    rows.append(row)
                    ends.append(position)
        if self.finished and self._waiting:
            raise ValueError("bytes behind the end of the result set")
        return b"".join(rows), ends

    def _take_packet(self) -> bytes | None:
        """The next whole packet's payload; None while it is not here."""
        waiting = self._waiting
        if len(waiting) < 4:
            return None
        length = int.from_bytes(waiting[:3], "little")
        first = waiting[4] if len(waiting) > 4 else None
        if not self._row:
            if length == 0:
                raise ValueError("an empty packet where a row should be")
            if first is None:
                return None
            self._check_end_length(first, length)
        if (self._row or first != 0xFF) and waiting[3] != self._sequence_id:
            raise ValueError(f"packet {waiting[3]} where {self._sequence_id} was due")
        if len(waiting) < 4 + length:
            return None
        payload = bytes(waiting[4 : 4 + length])
        del waiting[: 4 + length]
        self._sequence_id = (self._sequence_id + 1) & 0xFF
        return payload

    @staticmethod
    def _check_end_length(first: int, length: int) -> None:
        if (first == 0xFE and (length < 5 or length == 6)) or (
            first == 0xFF and length == PACKET_MAX
        ):
            raise ValueError("a malformed packet at the end of the result set")

    def _read_end(self, payload: bytes) -> None:
        if len(payload) == 5:
            self.warning_count, self.status = struct.unpack("<HH", payload[1:])
        else:
            position = 1
            for _ in ("affected rows", "last insert id"):
                position = self._skip_length(payload, position)
            if position + 4 > len(payload):
                raise ValueError("a malformed packet at the end of the result set")
            self.status, self.warning_count = struct.unpack_from("<HH", payload, position)
        self.finished = True

    @staticmethod
    def _skip_length(payload: bytes, position: int) -> int:
        first = payload[position] if position < len(payload) else 0xFF
        if first in (0xFB, 0xFF):
            raise ValueError("a malformed packet at the end of the result set")
        return position + {0xFC: 3, 0xFD: 4, 0xFE: 9}.get(first, 1)


# --- cuts -----------------------------------------------------------------------------------


def _check_key(key: Sequence[int], column_count: int) -> None:
    if len(set(key)) != len(key) or not all(0 <= index < column_count for index in key):
        raise ValueError("the key names a column that is not there, or one twice")


def _check_rule(rule: Rule) -> None:
    if not 0 < rule.minimum <= rule.maximum <= MAX_BLOCK_BYTES:
        raise ValueError("a rule needs 0 < minimum <= maximum <= 4194304")
    if not 0 < rule.scale <= MAX_BLOCK_BYTES:
        raise ValueError("a rule needs 0 < scale <= 4194304")
    if (len(rule.cut_key), len(rule.row_key), len(rule.gear_key)) != (16, 16, 32):
        raise ValueError("a rule's keys have 16, 16 and 32 bytes")


class Cutter:
    """Cuts rows into blocks: (raw, row_count, rendered_bytes, first_key, row_sum, fragment).

    Where a block ends depends on its rows alone, never on how they were fed.
    """

    def __init__(self, layout: Layout, rule: Rule) -> None:
        _check_layout(layout.kinds, layout.introducers)
        _check_key(layout.key, len(layout.kinds))
        _check_rule(rule)
        self._layout = layout
        self._rule = rule
        halves = rule.gear_key[:16], rule.gear_key[16:]
        self._gear = [
            siphash24(halves[0], bytes((i,))) ^ siphash24(halves[1], bytes((i,)))
            for i in range(256)
        ]
        self._failed = False
        self._forget()

    def _forget(self) -> None:
        self._rows: list[bytes] = []
        self.pending_bytes = 0
        self._rendered_bytes = 0
        self._first_key = b""
        self._row_sum = 0

    @property
    def pending_rows(self) -> int:
        """Rows that are not in a block yet."""
        return len(self._rows)

    def feed(self, rows: Buffer, ends: Buffer) -> list[RawTuple]:
        """The blocks that these rows complete, in order.

        Raises ValueError, naming row and byte; the cutter cannot be used any further then.
        """
        if self._failed:
            raise ValueError("the cutter has met malformed rows before")
        blocks: list[RawTuple] = []
        try:
            for row in _split_rows(_bytes(rows), _offsets(ends), len(self._layout.kinds)):
                self._add(row, blocks)
        except ValueError:
            self._failed = True
            raise
        return blocks

    def finish(self) -> list[RawTuple]:
        """The last block, if rows are pending; the cutter is as new then."""
        if self._failed:
            raise ValueError("the cutter has met malformed rows before")
        blocks: list[RawTuple] = []
        self._close(blocks)
        return blocks

    def _add(self, row: _Row, blocks: list[RawTuple]) -> None:
        rendered = len(_render_row(row, self._layout.kinds, self._layout.introducers))
        key = row.key(self._layout.key)
        if self.pending_bytes + len(row.raw) > self._rule.maximum:
            self._close(blocks)
        if len(row.raw) > self._rule.maximum:
            self._cut_by_bytes(row.raw, rendered, key, blocks)
            return
        if not self._rows:
            self._first_key = self._shorten(key)
        before = self.pending_bytes
        self._rendered_bytes += rendered + (2 if self._rows else 0)
        self._row_sum += self._hash(row.raw)
        self._rows.append(row.raw)
        self.pending_bytes += len(row.raw)
        if self._ends_block(before, self.pending_bytes, key):
            self._close(blocks)

    def _ends_block(self, before: int, after: int, key: bytes) -> bool:
        """The hazard of a Weibull distribution of shape 4, as Dolt's splitter has it.

        In integers, so that every platform cuts alike: chance (after^4 - before^4) / scale^4.
        """
        if after < self._rule.minimum:
            return False
        chance = siphash24(self._rule.cut_key, key) >> 32
        return chance * self._rule.scale**4 < (after**4 - before**4) << 32

    def _hash(self, raw: bytes) -> int:
        return int.from_bytes(row_hash(self._rule.row_key, raw), "little")

    def _shorten(self, key: bytes) -> bytes:
        if self._layout.key and len(key) <= LONGEST_PLAIN_KEY:
            return b"\x01" + key
        return b"\x00" + row_hash(self._rule.row_key, key)[:16]

    def _close(self, blocks: list[RawTuple]) -> None:
        if self._rows:
            blocks.append(
                (
                    b"".join(self._rows),
                    len(self._rows),
                    self._rendered_bytes,
                    self._first_key,
                    (self._row_sum % (1 << 256)).to_bytes(32, "little"),
                    0,
                )
            )
        self._forget()

    def _cut_by_bytes(
        self, raw: bytes, rendered_bytes: int, key: bytes, blocks: list[RawTuple]
    ) -> None:
        """A row larger than the maximum becomes fragments: 1 the first, 2 middle, 3 the last."""
        first_key = self._shorten(key)
        stops = self._fragment_stops(raw)
        row_sum = self._hash(raw).to_bytes(32, "little")
        blocks.append((raw[: stops[0]], 1, rendered_bytes, first_key, row_sum, 1))
        for start, stop in itertools.pairwise(stops):
            fragment = 3 if stop == len(raw) else 2
            blocks.append((raw[start:stop], 0, 0, first_key, bytes(32), fragment))

    def _fragment_stops(self, raw: bytes) -> list[int]:
        bits = self._rule.scale.bit_length() - 1
        stops = []
        start = gear = 0
        for position, byte in enumerate(raw, 1):
            gear = ((gear << 1) + self._gear[byte]) & U64
            size = position - start
            met = size >= self._rule.minimum and gear >> (64 - bits) == 0
            if met or size == self._rule.maximum or position == len(raw):
                stops.append(position)
                start, gear = position, 0
        return stops


# --- comparing sets of rows -----------------------------------------------------------------


class RowMatcher:
    """Compares two sets of rows by key, whatever the order in which they come.

    Without a key, rows are a multiset. `changed` counts the rows of equal key whose bytes differ.
    """

    def __init__(self, layout: Layout, row_key: bytes) -> None:
        _check_column_count(len(layout.kinds))
        _check_key(layout.key, len(layout.kinds))
        if len(row_key) != 16:
            raise ValueError("a SipHash key has 16 bytes")
        self.changed = 0
        self._column_count = len(layout.kinds)
        self._key = layout.key
        self._row_key = row_key
        self._table: dict[int, dict[int, int]] = {}
        """Key hash -> row hash -> rows; left ones count up, right ones down."""
        self._failed = False

    @property
    def pending(self) -> int:
        """Rows that have not met their like."""
        return sum(abs(n) for entries in self._table.values() for n in entries.values())

    def left(self, rows: Buffer, ends: Buffer) -> None:
        """Rows of the older side. Raises ValueError; the matcher is then of no use."""
        self._put(rows, ends, 1)

    def right(self, rows: Buffer, ends: Buffer) -> None:
        """Rows of the newer side. Raises ValueError; the matcher is then of no use."""
        self._put(rows, ends, -1)

    def flush(self) -> tuple[int, int]:
        """(removed, added): the left and the right rows unmatched so far, forgotten now."""
        counts = [n for entries in self._table.values() for n in entries.values()]
        self._table = {}
        return sum(n for n in counts if n > 0), -sum(n for n in counts if n < 0)

    def _put(self, rows: Buffer, ends: Buffer, sign: int) -> None:
        if self._failed:
            raise ValueError("the matcher has met malformed rows before")
        try:
            for row in _split_rows(_bytes(rows), _offsets(ends), self._column_count):
                self._meet(self._hash(row.key(self._key)), self._hash(row.raw), sign)
        except ValueError:
            self._failed = True
            raise

    def _hash(self, data: bytes) -> int:
        return int.from_bytes(row_hash(self._row_key, data)[:16], "little")

    def _meet(self, key: int, row: int, sign: int) -> None:
        """Cancels a row of the other side (the same row first, else the least hash), or waits."""
        entries = self._table.setdefault(key, {})
        waiting = next(iter(entries.values()), 0)
        if waiting * sign >= 0:
            entries[row] = entries.get(row, 0) + sign
            return
        met = row if row in entries else min(entries)
        self.changed += met != row
        entries[met] += sign
        if not entries[met]:
            del entries[met]
        if not entries:
            del self._table[key]

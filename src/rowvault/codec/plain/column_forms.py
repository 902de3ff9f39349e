"""One column of a block: how its fields are written apart from the other columns'.

A column has a head, which says its form, and streams. Which form it takes is seen from its bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rowvault.codec.plain.column_texts import (
    DAY_SECONDS,
    FIRST_DAY,
    HOUR_LIMIT,
    LAST_DAY,
    LIMIT,
    MAXIMUM_DIGITS,
    MAXIMUM_FRACTION,
    MAXIMUM_PREFIX,
    Reading,
    prefix_of,
    read_day,
    read_interval,
    read_moment,
    read_number,
    read_padded,
    write_clock,
    write_day,
    write_moment,
    write_number,
)
from rowvault.codec.plain.integers import (
    RunDescriptor,
    decode_run,
    encode_run,
    read_run,
)
from rowvault.codec.plain.siphash import U64
from rowvault.codec.plain.streams import Streams
from rowvault.codec.rows import NULL, encode_length

HAS_MARKS: Final = 0x80
DICTIONARY_ENTRIES: Final = 224
DICTIONARY_VALUE: Final = 64
"""Bytes of the longest value in a dictionary."""
ROWS_PER_ENTRY: Final = 4
"""A dictionary has at most one entry for so many rows."""
ROWS_PER_ODD: Final = 16
"""At most one field in so many rows may be unlike the others of a column of integers."""


class Form(enum.IntEnum):
    """How a column is written. The numbers are stored."""

    LENGTHS = 0
    FIXED = 1
    DICTIONARY = 2
    NUMBER = 3
    SCALED = 4
    PADDED = 5
    DAY = 6
    MOMENT = 7
    INTERVAL = 8


class Mark(enum.IntEnum):
    """What a field is, where a column has marks. The numbers are stored."""

    NULL = 0
    VALUE = 1
    ODD = 2
    """It does not have the column's form, and stands apart as it is."""


class Field(NamedTuple):
    """One field of a row."""

    wire: bytes
    """Prefix and value, as they stand in the row."""
    value: bytes | None


class Column(NamedTuple):
    """A column as it is written."""

    head: bytes
    streams: list[bytes]


def arrange_column(fields: Sequence[Field]) -> Column:
    """The column in the form that suits it; never larger than its fields, the head apart."""
    room = sum(len(field.wire) for field in fields)
    column = _as_dictionary(fields) or _as_integers(fields)
    if column is None or sum(map(len, column.streams)) > room:
        column = _as_fixed(fields) or _as_lengths(fields)
    return column


def _as_lengths(fields: Sequence[Field]) -> Column:
    prefixes = [field.wire[: len(field.wire) - len(field.value or b"")] for field in fields]
    return Column(
        bytes((Form.LENGTHS,)),
        [b"".join(prefixes), b"".join(field.value or b"" for field in fields)],
    )


def _as_fixed(fields: Sequence[Field]) -> Column | None:
    values = [field.value for field in fields if field.value is not None]
    if len(set(map(len, values))) > 1:
        return None
    has_marks = len(values) < len(fields)
    head = bytes((Form.FIXED | (HAS_MARKS if has_marks else 0),))
    head += encode_length(len(values[0]) if values else 0)
    marks = [bytes(field.value is not None for field in fields)] if has_marks else []
    return Column(head, [*marks, b"".join(values)])


def _as_dictionary(fields: Sequence[Field]) -> Column | None:
    limit = min(DICTIONARY_ENTRIES, len(fields) // ROWS_PER_ENTRY)
    entries: set[bytes | None] = set()
    for field in fields:
        entries.add(field.value)
        if len(entries) > limit or len(field.value or b"") > DICTIONARY_VALUE:
            return None
    ordered = sorted(entries, key=lambda value: (dictionary_hash(value), value or b""))
    numbers: dict[bytes | None, int] = {}
    head = bytearray((Form.DICTIONARY, len(ordered) - 1))
    number = -1
    for index, value in enumerate(ordered):
        wanted = max(dictionary_hash(value) >> 56, number + 1)
        number = min(wanted, 256 - (len(ordered) - index))
        numbers[value] = number
        head.append(number)
        head += bytes((NULL,)) if value is None else bytes((len(value),)) + value
    return Column(bytes(head), [bytes(numbers[field.value] for field in fields)])


def dictionary_hash(value: bytes | None) -> int:
    """64 bits, of which the first eight are the number that a value wants.

    So a value that appears or vanishes hardly ever moves the numbers of others.
    """
    if value is None:
        return NULL << 56
    first = int.from_bytes(value[:8], "little")
    last = int.from_bytes(value[-8:], "little")
    word = ((first * 0x9E3779B97F4A7C15) ^ (last + len(value))) & U64
    word ^= word >> 32
    return word * 0xC2B2AE3D27D4EB4F & U64


def _as_integers(fields: Sequence[Field]) -> Column | None:
    first = next((field.value for field in fields if field.value is not None), b"")
    prefix = prefix_of(first)
    if prefix is None:
        return None
    for form, read in _READERS.items():
        texts = _read_texts(fields, prefix, form, read)
        if texts is not None:
            return _integers(form, prefix, texts)
    return None


_READERS: Final[dict[Form, Callable[[bytes], Reading | None]]] = {
    Form.DAY: read_day,
    Form.MOMENT: read_moment,
    Form.INTERVAL: read_interval,
    Form.NUMBER: read_number,
    Form.PADDED: read_padded,
}


@dataclass(slots=True)
class _Texts:
    """A column as one form reads it."""

    marks: bytearray
    odd: list[bytes]
    """Fields that do not have the form, as they stand."""
    readings: list[Reading]


def _read_texts(
    fields: Sequence[Field], prefix: bytes, form: Form, read: Callable[[bytes], Reading | None]
) -> _Texts | None:
    """None where more than one field in sixteen does not have the form, or none has it."""
    texts = _Texts(bytearray(), [], [])
    for field in fields:
        if field.value is None:
            texts.marks.append(Mark.NULL)
            continue
        starts = field.value.startswith(prefix)
        reading = read(field.value[len(prefix) :]) if starts else None
        if reading is not None and texts.readings and form is not Form.NUMBER:
            reading = reading if reading.parameter == texts.readings[0].parameter else None
        if reading is None:
            texts.marks.append(Mark.ODD)
            texts.odd.append(field.wire)
            if len(texts.odd) > len(fields) // ROWS_PER_ODD:
                return None
        else:
            texts.marks.append(Mark.VALUE)
            texts.readings.append(reading)
    return texts if texts.readings else None


def _integers(form: Form, prefix: bytes, texts: _Texts) -> Column:
    parameters = bytes(reading.parameter for reading in texts.readings)
    scales = b""
    if form is Form.NUMBER and len(set(parameters)) > 1:
        form, scales = Form.SCALED, parameters
    has_marks = set(texts.marks) != {Mark.VALUE}
    head = bytes((form | (HAS_MARKS if has_marks else 0), len(prefix))) + prefix
    if form in _PARAMETER_LIMITS:
        head += parameters[:1]
    streams = [bytes(texts.marks), b"".join(texts.odd)] if has_marks else []
    streams.append(scales)
    for index in range(_run_count(form, parameters[0])):
        descriptor, planes = encode_run([reading.integers[index] for reading in texts.readings])
        head += descriptor
        streams += planes
    return Column(head, streams)


def _run_count(form: Form, parameter: int) -> int:
    return 2 if form in (Form.MOMENT, Form.INTERVAL) and parameter else 1


@dataclass(slots=True)
class ColumnReader:
    """A column whose head has been read."""

    form: Form
    row_count: int
    has_marks: bool
    length: int = 0
    """FIXED: bytes of each value."""
    dictionary: dict[int, bytes] | None = None
    prefix: bytes = b""
    parameter: int = 0
    """Scale, digits, or digits of the fraction."""
    runs: tuple[RunDescriptor, ...] = ()

    def fields(self, streams: Streams) -> list[bytes]:
        """The column's fields as they stand in rows. Raises ValueError."""
        if self.form is Form.LENGTHS:
            return self._from_lengths(streams)
        if self.dictionary is not None:
            try:
                return [self.dictionary[number] for number in streams.take(self.row_count)]
            except KeyError as error:
                raise ValueError("a number that is not in the dictionary") from error
        if not self.has_marks:
            return [_wire(text) for text in self._texts(streams, self.row_count)]
        marks = streams.take(self.row_count)
        if max(marks, default=0) > (Mark.VALUE if self.form is Form.FIXED else Mark.ODD):
            raise ValueError("a mark that is never written")
        odd = iter([streams.field() for _ in range(marks.count(Mark.ODD))])
        texts = iter(self._texts(streams, marks.count(Mark.VALUE)))
        return [
            _wire(next(texts))
            if mark == Mark.VALUE
            else next(odd)
            if mark == Mark.ODD
            else bytes((NULL,))
            for mark in marks
        ]

    def _from_lengths(self, streams: Streams) -> list[bytes]:
        prefixes = [streams.prefix() for _ in range(self.row_count)]
        return [prefix + streams.take(length or 0) for prefix, length in prefixes]

    def _texts(self, streams: Streams, count: int) -> list[bytes]:
        if self.form is Form.FIXED:
            data = streams.take(self.length * count)
            return [data[i * self.length : (i + 1) * self.length] for i in range(count)]
        scales = streams.take(count) if self.form is Form.SCALED else b""
        runs = [decode_run(run, streams.take(run.width * count), count) for run in self.runs]
        write = _WRITERS[self.form]
        texts = []
        for i in range(count):
            parameter = scales[i] if scales else self.parameter
            texts.append(self.prefix + write(self, parameter, [run[i] for run in runs]))
        return texts


def _wire(value: bytes) -> bytes:
    return encode_length(len(value)) + value


def read_column(streams: Streams, row_count: int) -> ColumnReader:
    """Reads a column's head. Raises ValueError where it is none."""
    first = streams.byte()
    try:
        form = Form(first & ~HAS_MARKS)
    except ValueError as error:
        raise ValueError("a form that is never written") from error
    has_marks = bool(first & HAS_MARKS)
    if has_marks and form in (Form.LENGTHS, Form.DICTIONARY):
        raise ValueError("a form that is never written")
    reader = ColumnReader(form, row_count, has_marks)
    if form is Form.FIXED:
        reader.length = streams.length()
    elif form is Form.DICTIONARY:
        reader.dictionary = _read_dictionary(streams)
    elif form is not Form.LENGTHS:
        _read_integers(reader, streams)
    return reader


def _read_dictionary(streams: Streams) -> dict[int, bytes]:
    entries: dict[int, bytes] = {}
    previous = -1
    for _ in range(streams.byte() + 1):
        number = streams.byte()
        if number <= previous:
            raise ValueError("a dictionary out of order")
        previous = number
        entry = streams.field()
        if len(entry) > 1 + DICTIONARY_VALUE:
            raise ValueError("a value too long for a dictionary")
        entries[number] = entry
    return entries


_PARAMETER_LIMITS: Final = {
    Form.NUMBER: (0, MAXIMUM_DIGITS - 1),
    Form.PADDED: (1, MAXIMUM_DIGITS),
    Form.MOMENT: (0, MAXIMUM_FRACTION),
    Form.INTERVAL: (0, MAXIMUM_FRACTION),
}


def _read_integers(reader: ColumnReader, streams: Streams) -> None:
    length = streams.byte()
    if length > MAXIMUM_PREFIX:
        raise ValueError("a prefix that is too long")
    reader.prefix = streams.take(length)
    limits = _PARAMETER_LIMITS.get(reader.form)
    if limits is not None:
        reader.parameter = streams.byte()
        if not limits[0] <= reader.parameter <= limits[1]:
            raise ValueError("digits that are never written")
    run_count = _run_count(reader.form, reader.parameter)
    reader.runs = tuple(read_run(streams) for _ in range(run_count))


def _checked(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError("an integer out of its range")
    return value


def _number(reader: ColumnReader, scale: int, values: list[int]) -> bytes:
    if scale >= MAXIMUM_DIGITS:
        raise ValueError("digits that are never written")
    return write_number(_checked(values[0], 1 - LIMIT, LIMIT - 1), scale)


def _padded(reader: ColumnReader, digits: int, values: list[int]) -> bytes:
    return b"%0*d" % (digits, _checked(values[0], 0, 10**digits - 1))


def _day(reader: ColumnReader, _: int, values: list[int]) -> bytes:
    return write_day(_checked(values[0], FIRST_DAY, LAST_DAY))


def _moment(reader: ColumnReader, digits: int, values: list[int]) -> bytes:
    low, high = FIRST_DAY * DAY_SECONDS, (LAST_DAY + 1) * DAY_SECONDS - 1
    return write_moment(_checked(values[0], low, high)) + _fraction(digits, values)


def _interval(reader: ColumnReader, digits: int, values: list[int]) -> bytes:
    return write_clock(_checked(values[0], 0, HOUR_LIMIT * 3600 - 1)) + _fraction(digits, values)


def _fraction(digits: int, values: list[int]) -> bytes:
    if not digits:
        return b""
    return b".%0*d" % (digits, _checked(values[1], 0, 10**digits - 1))


_WRITERS: Final[dict[Form, Callable[[ColumnReader, int, list[int]], bytes]]] = {
    Form.NUMBER: _number,
    Form.SCALED: _number,
    Form.PADDED: _padded,
    Form.DAY: _day,
    Form.MOMENT: _moment,
    Form.INTERVAL: _interval,
}

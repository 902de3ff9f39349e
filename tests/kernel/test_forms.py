"""Rows as statements of stated length, as comma-separated values, and as lines of JSON."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given

from kernel.strategies import Table, tables
from rowvault.codec import compiled, plain
from rowvault.codec.rows import Value, encode_batch, encode_row
from rowvault.core.model import ValueKind

NUMBER, TEXT, BYTES, DYNAMIC = (bytes((kind,)) for kind in ValueKind)


def names_of(kinds: bytes) -> tuple[bytes, ...]:
    return tuple(b'"c%d":' % number for number in range(len(kinds)))


def real(value: float) -> bytes:
    return b"r" + struct.pack(">d", value)


def csv_of(kernel: ModuleType, kind: bytes, value: Value) -> bytes:
    text: bytes = kernel.render_csv(encode_row((value,)), kind)
    assert text.endswith(b"\n")
    return text[:-1]


def json_of(kernel: ModuleType, kind: bytes, value: Value) -> bytes:
    text: bytes = kernel.render_json_lines(encode_row((value,)), kind, (b'"c":',))
    assert (text[:5], text[-2:]) == (b'{"c":', b"}\n")
    return text[5:-2]


@given(table=tables())
def test_both_kernels_make_the_same_of_all_forms(table: Table) -> None:
    rows, kinds = table.batch.rows, table.layout.kinds
    names = names_of(kinds)
    assert compiled.render_csv(rows, kinds) == plain.render_csv(rows, kinds)
    lines = compiled.render_json_lines(rows, kinds, names)
    assert lines == plain.render_json_lines(rows, kinds, names)


@given(table=tables())
def test_a_statement_is_the_tuples_in_their_frame(table: Table) -> None:
    layout = table.layout
    tuples = plain.render_tuples(*table.batch, layout.kinds, layout.introducers)
    for kernel in (compiled, plain):
        arguments = (table.batch.rows, layout.kinds, layout.introducers, b"INSERT ", b";\n")
        assert kernel.render_statement(*arguments, len(tuples)) == b"INSERT " + tuples + b";\n"
        for other in {0, len(tuples) - 1, len(tuples) + 1, 1 << 40} - {len(tuples), -1}:
            with pytest.raises(ValueError, match="not as long as it was said"):
                kernel.render_statement(*arguments, other)


def test_no_rows_make_an_empty_statement(kernel: ModuleType) -> None:
    assert kernel.render_statement(b"", b"\1", (b"",), b"a", b"b", 0) == b"ab"
    assert kernel.render_csv(b"", b"\1") == b""
    assert kernel.render_json_lines(b"", b"\1", (b'"c":',)) == b""


@pytest.mark.parametrize("length", range(40))
def test_values_of_any_length_are_copied_whole(kernel: ModuleType, length: int) -> None:
    """What is copied sixteen bytes at a time ends where the value ends."""
    row = encode_row((b"7" * (length or 1), b"t" * length, b"\xab" * length, b"1"))
    expected = b"(%s,'%s',X'%s',1)" % (b"7" * (length or 1), b"t" * length, b"AB" * length)
    made = kernel.render_statement(
        row * 3, b"\1\2\3\1", (b"",) * 4, b"", b"", 3 * len(expected) + 4
    )
    assert made == b",\n".join([expected] * 3)
    assert csv_of(kernel, TEXT, b'"' * length) == b'"' + b'""' * length + b'"'


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (NUMBER, None, b""),
        (TEXT, None, b""),
        (TEXT, b"", b'""'),
        (TEXT, b"NULL", b'"NULL"'),
        (TEXT, b'say "x", \\ \r\n', b'"say ""x"", \\ \r\n"'),
        (TEXT, b"\xff\0", b'"\xff\0"'),
        (NUMBER, b"00042", b"00042"),
        (NUMBER, b"-1.50", b"-1.50"),
        (BYTES, b"", b"X''"),
        (BYTES, b"\0\xab,", b"X'00AB2C'"),
        (DYNAMIC, b"i-5", b"-5"),
        (DYNAMIC, real(1.0), b"1.0"),
        (DYNAMIC, real(math.inf), b"9e999"),
        (DYNAMIC, real(math.nan), b""),
        (DYNAMIC, b"t5", b'"5"'),
        (DYNAMIC, b"ta\0b", b'"a\0b"'),
        (DYNAMIC, b"b5", b"X'35'"),
    ],
)
def test_csv_values(kernel: ModuleType, kind: bytes, value: Value, text: bytes) -> None:
    assert csv_of(kernel, kind, value) == text


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (NUMBER, None, b"null"),
        (TEXT, b"", b'""'),
        (TEXT, b"null", b'"null"'),
        (TEXT, b'"\\/\b\f\n\r\t\0\x1f\x7f', b'"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"'),
        (TEXT, "é€😀\u2028".encode(), '"é€😀\u2028"'.encode()),
        (TEXT, b"caf\xe9", b'{"hex":"636166E9"}'),
        (NUMBER, b"18446744073709551616", b"18446744073709551616"),
        (NUMBER, b"-0.50", b"-0.50"),
        (NUMBER, b"1.5E+10", b"1.5E+10"),
        (NUMBER, b"00042", b'"00042"'),
        (NUMBER, b".5", b'".5"'),
        (NUMBER, b"5.", b'"5."'),
        (NUMBER, b"+5", b'"+5"'),
        (NUMBER, b"1e", b'"1e"'),
        (BYTES, b"", b'{"hex":""}'),
        (BYTES, b"\0\xab", b'{"hex":"00AB"}'),
        (DYNAMIC, b"i9223372036854775807", b"9223372036854775807"),
        (DYNAMIC, real(-0.0), b"-0.0"),
        (DYNAMIC, real(-math.inf), b"-9e999"),
        (DYNAMIC, real(math.nan), b"null"),
        (DYNAMIC, b"t5", b'"5"'),
        (DYNAMIC, b"b5", b'{"hex":"35"}'),
    ],
)
def test_json_values(kernel: ModuleType, kind: bytes, value: Value, text: bytes) -> None:
    assert json_of(kernel, kind, value) == text
    json.loads(text)


@pytest.mark.parametrize("before", [0, 1, 7, 8, 15, 16, 17])
def test_json_takes_for_text_what_is_utf8(kernel: ModuleType, before: int) -> None:
    sequences = [b"%c" % first for first in range(256)]
    sequences += [bytes((first, second)) for first in range(0xC0, 256) for second in EDGES]
    sequences += [bytes((first, second, 0x80)) for first in range(0xE0, 0xF0) for second in EDGES]
    sequences += [
        bytes((first, second, 0xBF, third))
        for first in range(0xF0, 0xF6)
        for second in EDGES
        for third in (0x7F, 0xBF, 0xC0)
    ]
    for sequence in sequences:
        value = b"x" * before + sequence
        text = json_of(kernel, TEXT, value)
        try:
            assert json.loads(text) == value.decode()
        except UnicodeDecodeError:
            assert json.loads(text) == {"hex": value.hex().upper()}


EDGES = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (NUMBER, b"1,2", "not a number"),
        (NUMBER, b"", "not a number"),
        (NUMBER, b'1"', "not a number"),
        (DYNAMIC, b"i1;", "not a number"),
        (DYNAMIC, b"", "storage class"),
        (DYNAMIC, b"x", "storage class"),
        (DYNAMIC, b"r1", "storage class"),
    ],
)
def test_what_cannot_be_is_refused(
    kernel: ModuleType, kind: bytes, value: bytes, reason: str
) -> None:
    good = b"1" if kind == NUMBER else b"i1"
    rows = encode_batch([(b"x", good), (b"x", value)]).rows
    for act in (
        lambda: kernel.render_csv(rows, TEXT + kind),
        lambda: kernel.render_json_lines(rows, TEXT + kind, names_of(TEXT + kind)),
    ):
        with pytest.raises(ValueError, match=rf"row 1, byte \d+: .*{reason}"):
            act()


def csv_fields(text: bytes) -> Iterator[list[tuple[bool, bytes]]]:
    """(quoted, value) of each field of each line, read byte by byte."""
    line: list[tuple[bool, bytes]] = []
    at = 0
    while at < len(text):
        quoted = text[at : at + 1] == b'"'
        value = b""
        if quoted:
            while True:
                stop = text.index(b'"', at + 1)
                value += text[at + 1 : stop]
                at = stop + 1
                if text[at : at + 1] != b'"':
                    break
                value += b'"'
        else:
            stop = min(text.index(mark, at) for mark in (b",", b"\n") if mark in text[at:])
            value, at = text[at:stop], stop
        line.append((quoted, value))
        assert text[at : at + 1] in (b",", b"\n")
        if text[at : at + 1] == b"\n":
            yield line
            line = []
        at += 1
    assert not line


def value_of_csv(quoted: bool, text: bytes, kind: int) -> Value:
    """The stored value that such a field stands for."""
    if quoted:
        return b"t" + text if kind == ValueKind.DYNAMIC else text
    if not text:
        return None
    if text.startswith(b"X'"):
        value = bytes.fromhex(text[2:-1].decode())
        return b"b" + value if kind == ValueKind.DYNAMIC else value
    return value_of_number(text) if kind == ValueKind.DYNAMIC else text


def value_of_number(text: bytes) -> bytes:
    is_real = any(mark in text for mark in (b".", b"e"))
    return real(float(text)) if is_real else b"i" + text


def value_of_json(found: object, kind: int) -> Value:
    """The stored value that a JSON value stands for; numbers come as their text."""
    if found is None:
        return None
    if isinstance(found, dict):
        value = bytes.fromhex(found["hex"])
        return b"b" + value if kind == ValueKind.DYNAMIC else value
    if isinstance(found, bytes):
        return value_of_number(found) if kind == ValueKind.DYNAMIC else found
    assert isinstance(found, str)
    return b"t" + found.encode() if kind == ValueKind.DYNAMIC else found.encode()


def without_nan(rows: list[tuple[Value, ...]], kinds: bytes) -> list[list[Value]]:
    """NaN is NULL in every form, as SQLite keeps it."""
    return [
        [None if is_nan(value, kind) else value for value, kind in zip(row, kinds, strict=True)]
        for row in rows
    ]


def is_nan(value: Value, kind: int) -> bool:
    is_real = kind == ValueKind.DYNAMIC and value is not None and value[:1] == b"r"
    return is_real and value is not None and math.isnan(struct.unpack(">d", value[1:])[0])


@given(table=tables())
def test_every_value_comes_back_from_csv(table: Table) -> None:
    kinds = table.layout.kinds
    text = compiled.render_csv(table.batch.rows, kinds)
    found = [
        [value_of_csv(*field, kind) for field, kind in zip(line, kinds, strict=True)]
        for line in csv_fields(text)
    ]
    assert found == without_nan(table.rows, kinds)


@given(table=tables())
def test_every_value_comes_back_from_json(table: Table) -> None:
    kinds = table.layout.kinds
    text = compiled.render_json_lines(table.batch.rows, kinds, names_of(kinds))
    found = []
    for line in text.split(b"\n")[:-1]:
        members = json.loads(line, parse_int=str.encode, parse_float=str.encode)
        values = zip(members.values(), kinds, strict=True)
        found.append([value_of_json(value, kind) for value, kind in values])
    expected = without_nan(table.rows, kinds)
    assert found == [
        [as_json_keeps(value, kind) for value, kind in zip(row, kinds, strict=True)]
        for row in expected
    ]


def as_json_keeps(value: Value, kind: int) -> Value:
    """A text of SQLite that is no UTF-8 comes as bytes; all else as it is."""
    if kind == ValueKind.DYNAMIC and value is not None and value[:1] == b"t":
        try:
            value.decode()
        except UnicodeDecodeError:
            return b"b" + value[1:]
    return value

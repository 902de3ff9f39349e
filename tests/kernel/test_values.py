"""Python values, as SQLite gives them, to rows and back."""

from __future__ import annotations

import struct
from array import array
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec import compiled, plain
from rowvault.codec.rows import encode_batch


class Text(bytes):
    """Text that need not be valid UTF-8."""


values = st.one_of(
    st.none(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False),
    st.text("aé€😀'\0", max_size=300),
    st.binary(max_size=300),
    st.binary(max_size=20).map(Text),
)
rows_of_values = st.integers(1, 4).flatmap(
    lambda width: st.tuples(st.just(width), st.lists(st.tuples(*[values] * width), max_size=20))
)


def exactly(value: object) -> object:
    """Type and bits: 0.0 and -0.0 differ, 1 and 1.0 do, text is one whatever holds it."""
    if isinstance(value, float):
        return float, struct.pack(">d", value)
    if isinstance(value, str):
        return Text, value.encode()
    return type(value), value


@given(drawn=rows_of_values)
def test_values_survive(kernel: ModuleType, drawn: tuple[int, list[tuple[object, ...]]]) -> None:
    width, rows = drawn
    decoded = kernel.decode_values(*kernel.encode_values(rows), width, Text)
    assert [list(map(exactly, row)) for row in decoded] == [list(map(exactly, row)) for row in rows]
    assert all(type(row) is tuple for row in decoded)


@given(drawn=rows_of_values)
def test_both_kernels_encode_alike(drawn: tuple[int, list[tuple[object, ...]]]) -> None:
    _, rows = drawn
    assert compiled.encode_values(rows) == plain.encode_values(rows)


def test_the_encoding_is_the_documented_one(kernel: ModuleType) -> None:
    row = (7, -1, 1.5, "é", b"\0", Text(b"\xff"), None)
    expected = ((b"i7", b"i-1", b"r\x3f\xf8" + bytes(6), b"t\xc3\xa9", b"b\0", b"t\xff", None),)
    assert kernel.encode_values([row]) == tuple(encode_batch(expected))
    assert kernel.encode_values([]) == (b"", array("I"))


@pytest.mark.parametrize("number", [0, 9, -9, 10, (1 << 63) - 1, -(1 << 63), -(1 << 63) + 1])
def test_integers_at_the_edges(kernel: ModuleType, number: int) -> None:
    data, ends = kernel.encode_values([(number,)])
    assert data[1:] == b"i%d" % number
    assert kernel.decode_values(data, ends, 1, Text) == [(number,)]


@pytest.mark.parametrize("length", [0, 249, 250, 251, 65534, 65535, 65536, (1 << 24) - 1, 1 << 24])
def test_lengths_take_their_shortest_form(kernel: ModuleType, length: int) -> None:
    blob = bytes(length)
    assert kernel.encode_values([(blob,)]) == tuple(encode_batch([(b"b" + blob,)]))


@pytest.mark.parametrize(
    "value", [True, object(), bytearray(b"x"), 1j, (1,), type("Int", (int,), {})(1)]
)
def test_other_types_are_refused(kernel: ModuleType, value: object) -> None:
    with pytest.raises(TypeError, match="no storage class"):
        kernel.encode_values([(1,), (value,)])


def test_rows_that_are_none_are_refused(kernel: ModuleType) -> None:
    with pytest.raises(TypeError):
        kernel.encode_values([[1]])
    with pytest.raises(ValueError, match="column"):
        kernel.encode_values([()])


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, "\ud800"])
def test_what_sqlite_cannot_hold_is_refused(kernel: ModuleType, value: object) -> None:
    with pytest.raises(ValueError, match=r"64 bits|surrogates"):
        kernel.encode_values([(value,)])


def test_text_that_is_not_utf8_keeps_its_bytes(kernel: ModuleType) -> None:
    batch = encode_batch([(b"t\xff",), (b"t\xed\xa0\x80",), (b"tok",)])
    decoded = kernel.decode_values(*batch, 1, Text)
    assert [type(row[0]) for row in decoded] == [Text, Text, str]
    assert decoded == [(Text(b"\xff"),), (Text(b"\xed\xa0\x80"),), ("ok",)]


def test_an_error_of_the_text_type_comes_through(kernel: ModuleType) -> None:
    def refuse(raw: bytes) -> object:
        raise LookupError(raw)

    with pytest.raises(LookupError):
        kernel.decode_values(*encode_batch([(b"i1", b"t\xff")]), 2, refuse)


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"x", b"i", b"i-", b"i1_0", b"i 1", b"i+1", b"r1234567"),
        *(b"i9223372036854775808", b"i-9223372036854775809", b"i" + b"9" * 19, b"i" + b"0" * 20),
    ],
)
def test_malformed_values_are_refused(kernel: ModuleType, value: bytes) -> None:
    with pytest.raises(ValueError, match="row 1, byte 3"):
        kernel.decode_values(*encode_batch([(b"i1",), (value,)]), 1, Text)


@given(value=st.binary(max_size=12) | st.text("i-0123456789", max_size=24).map(str.encode))
def test_both_kernels_decode_alike(value: bytes) -> None:
    batch = encode_batch([(value,), (b"i" + value,)])
    results = []
    for kernel in (compiled, plain):
        try:
            results.append(repr(kernel.decode_values(*batch, 1, Text)))
        except ValueError as error:
            results.append(str(error))
    assert results[0] == results[1]

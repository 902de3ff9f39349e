"""The row encoding, by example."""

from __future__ import annotations

from array import array

import pytest

from rowvault.codec.rows import decode_row, encode_batch, encode_length, encode_row, read_length
from rowvault.core.errors import CorruptError


@pytest.mark.parametrize(
    ("length", "encoded"),
    [
        (0, "00"),
        (250, "fa"),
        (251, "fcfb00"),
        (65535, "fcffff"),
        (65536, "fd000001"),
        ((1 << 24) - 1, "fdffffff"),
        (1 << 24, "fe0000000100000000"),
    ],
)
def test_lengths_take_their_shortest_form(length: int, encoded: str) -> None:
    assert encode_length(length).hex() == encoded
    assert read_length(bytes.fromhex(encoded), 0) == (length, len(encoded) // 2)


def test_null_and_the_empty_string_differ() -> None:
    assert encode_row([None, b"", b"a"]) == b"\xfb\x00\x01a"
    assert decode_row(b"\xfb\x00\x01a", 0, 3) == ([None, b"", b"a"], 4)


def test_a_batch_knows_where_its_rows_end() -> None:
    assert encode_batch([(b"a", None), (b"", b"bc")]) == (b"\1a\xfb\0\2bc", array("I", [3, 7]))


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xfc\x01", b"\x02a", b"\x01a\xfe" + bytes(7)])
def test_bytes_that_are_no_row_are_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptError):
        decode_row(data, 0, 2)

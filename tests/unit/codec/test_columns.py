"""Arranged blocks, and how they are compressed."""

from __future__ import annotations

import pytest

from rowvault.codec.columns import arrange, restore_rows
from rowvault.codec.compression import compress_parts, decompress
from rowvault.codec.rows import encode_batch
from rowvault.core.errors import CorruptError

ROWS = encode_batch(
    (b"%d" % number, b"2026-11-%02d 10:00:00" % (number % 28 + 1), b"text %d" % (number * 7919))
    for number in range(2000)
).rows


def test_arranged_rows_come_back() -> None:
    arranged = arrange(ROWS, 3)
    assert arranged is not None
    assert len(arranged.data) < len(ROWS)
    assert restore_rows(arranged.data, len(ROWS)) == ROWS


def test_rows_that_gain_nothing_are_not_arranged() -> None:
    assert arrange(encode_batch([(b"alone",)]).rows, 1) is None
    assert arrange(b"", 1) is None


@pytest.mark.parametrize("raw_bytes", [0, len(ROWS) - 1, len(ROWS) + 1])
def test_another_length_of_rows_is_damage(raw_bytes: int) -> None:
    arranged = arrange(ROWS, 3)
    assert arranged is not None
    with pytest.raises(CorruptError, match="columns"):
        restore_rows(arranged.data, raw_bytes)


def test_parts_are_one_frame() -> None:
    arranged = arrange(ROWS, 3)
    assert arranged is not None
    packed = compress_parts(arranged.data, arranged.ends)
    assert decompress(packed, len(arranged.data)) == arranged.data
    assert decompress(compress_parts(ROWS, []), len(ROWS)) == ROWS

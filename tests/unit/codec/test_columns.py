"""Arranged blocks, and how they are compressed."""

from __future__ import annotations

import pytest

from rowvault.codec.columns import arrange, restore_rows
from rowvault.codec.compression import compress, compress_parts, decompress
from rowvault.codec.frames import (
    BlockType,
    Filter,
    FrameHeader,
    decode_payload,
    encode_payload,
)
from rowvault.codec.rows import encode_batch
from rowvault.core.errors import CorruptError
from rowvault.core.ids import BlockId

BLOCK_ID_BYTES = 32
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


def header(coding: Filter, raw_bytes: int, payload: bytes) -> FrameHeader:
    return FrameHeader(
        BlockType.DATA, coding, 0, raw_bytes, len(payload), BlockId(bytes(BLOCK_ID_BYTES))
    )


def test_a_payload_by_column_is_what_was_encoded() -> None:
    coding, payload = encode_payload(ROWS, 1, 3)
    assert coding is Filter.COLUMNS
    assert len(payload) < len(encode_payload(ROWS, 1)[1])
    assert decode_payload(header(coding, len(ROWS), payload), payload) == ROWS


@pytest.mark.parametrize("raw_bytes", [0, 1, 1000, len(ROWS) - 1, len(ROWS) + 1, 1 << 30])
def test_a_header_that_lies_is_damage(raw_bytes: int) -> None:
    coding, payload = encode_payload(ROWS, 1, 3)
    with pytest.raises(CorruptError):
        decode_payload(header(coding, raw_bytes, payload), payload)


def test_more_arranged_bytes_than_rows_are_not_unpacked() -> None:
    bomb = compress(bytes(1 << 26))
    with pytest.raises(CorruptError):
        decode_payload(header(Filter.COLUMNS, len(ROWS), bomb), bomb)


def test_what_is_not_whole_rows_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="row"):
        encode_payload(ROWS[:-1], 1, 3)

"""Deltas: what goes in comes out, damage never does, and headers say what they build on."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec.compression import compress_delta, decompress_delta
from rowvault.codec.frames import (
    MAXIMUM_DEPTH,
    MAXIMUM_VERSION,
    BlockType,
    Filter,
    FrameHeader,
    arranged_bytes,
    arranged_like,
    decode_header,
    decode_payload,
    encode_delta,
)
from rowvault.codec.rows import encode_batch
from rowvault.core.errors import CorruptError, DamageError, TruncatedError
from rowvault.core.ids import BlockId
from support.sample_repository import sample_rows

BASE = encode_batch(sample_rows(300)).rows
NEW = encode_batch([*sample_rows(150), (b"0", b"new"), *sample_rows(300)[151:]]).rows


@given(st.binary(max_size=3000), st.binary(min_size=1, max_size=3000), st.integers(0, 3000))
def test_any_bytes_come_back(base: bytes, new: bytes, shared: int) -> None:
    for one in (new, base[:shared] + new + base[shared:]):
        assert decompress_delta(compress_delta(one, base), base, len(one)) == one


@pytest.mark.parametrize("base_bytes", range(20))
def test_bases_that_zstd_finds_nothing_in_serve_too(base_bytes: int) -> None:
    base = bytes(range(base_bytes))
    for new in (base + b"x", base * 5000 + b"x", b"x"):
        assert decompress_delta(compress_delta(new, base), base, len(new)) == new


def test_a_large_delta_finds_what_is_far_back() -> None:
    base = random.Random("far").randbytes(2 << 20)
    new = base[1 << 20 :] + b"new" + base[: 1 << 20]
    stored = compress_delta(new, base)
    assert len(stored) < 1000
    assert decompress_delta(stored, base, len(new)) == new


def test_a_delta_is_about_as_large_as_the_change() -> None:
    assert len(compress_delta(NEW, BASE)) < 100
    two = compress_delta(NEW, BASE[: len(BASE) // 2] + BASE[len(BASE) // 2 :])
    assert len(two) < 100


@given(st.data())
def test_an_altered_delta_gives_an_error_or_as_many_bytes(data: st.DataObject) -> None:
    stored = bytearray(compress_delta(NEW, BASE))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    try:
        assert len(decompress_delta(bytes(stored), BASE, len(NEW))) <= len(NEW)
    except CorruptError:
        pass


def test_a_frame_that_states_a_size_is_refused() -> None:
    """zstd would allocate what it states, whatever is due."""
    stored = compress_delta(NEW, BASE)
    with pytest.raises(CorruptError):
        decompress_delta(b"\xc0" + stored[1:], BASE, len(NEW))


@pytest.mark.parametrize("like", [Filter.ZSTD, Filter.RAW, Filter.COLUMNS])
def test_payloads_are_arranged_as_their_base_is(like: Filter) -> None:
    base, new = arranged_like(like, BASE, 2), arranged_like(like, NEW, 2)
    assert base is not None
    assert new is not None
    coding, payload = encode_delta(new, base, like)
    assert coding is (Filter.DELTA_COLUMNS if like is Filter.COLUMNS else Filter.DELTA)
    assert len(payload) < 200
    header = FrameHeader(
        BlockType.DATA, coding, 1, len(NEW), len(payload), BlockId(bytes(32)), (bytes(16),), 7
    )
    assert arranged_bytes(header, payload, base) == new
    assert decode_payload(header, payload, base) == NEW


@given(
    st.integers(1, MAXIMUM_DEPTH),
    st.integers(0, MAXIMUM_VERSION),
    st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=2),
)
def test_headers_come_back(depth: int, version: int, bases: list[bytes]) -> None:
    header = FrameHeader(
        BlockType.DATA, Filter.DELTA, depth, 9, 5, BlockId(b"i" * 32), tuple(bases), version
    )
    encoded = header.encode()
    assert len(encoded) == header.header_bytes == 50 + 16 * len(bases)
    assert decode_header(encoded) == header
    assert header.version == version
    with pytest.raises(TruncatedError):
        decode_header(encoded[:-1])


@pytest.mark.parametrize(("at", "value"), [(6, 0), (6, MAXIMUM_DEPTH + 1), (7, 0), (7, 3)])
def test_impossible_headers_are_damage(at: int, value: int) -> None:
    header = FrameHeader(
        BlockType.DATA, Filter.DELTA, 1, 9, 5, BlockId(b"i" * 32), (bytes(16), bytes(16)), 1
    )
    encoded = bytearray(header.encode())
    encoded[at] = value
    with pytest.raises(DamageError):
        decode_header(bytes(encoded))


def test_what_stands_alone_has_no_base() -> None:
    encoded = bytearray(
        FrameHeader(BlockType.DATA, Filter.ZSTD, 0, 9, 5, BlockId(b"i" * 32)).encode()
    )
    encoded[7] = 1
    with pytest.raises(CorruptError):
        decode_header(bytes(encoded))

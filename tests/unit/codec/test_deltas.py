"""Deltas: what goes in comes out, damage never does, and headers say what they build on."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec.arrangement import (
    AS_ROWS,
    ArrangedBlock,
    Arrangement,
    arranged,
    by_column,
    possible_arrangements,
)
from rowvault.codec.compression import compress_delta, decompress_delta
from rowvault.codec.frames import (
    LARGEST_HEADER_BYTES,
    MAXIMUM_DEPTH,
    MAXIMUM_VERSION,
    BlockType,
    Filter,
    FrameHeader,
    Lineage,
    decode_arranged,
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


def block(raw: bytes, arrangement: Arrangement) -> ArrangedBlock:
    data = arranged(raw, arrangement)
    assert data is not None
    return ArrangedBlock(arrangement, data, len(raw))


@pytest.mark.parametrize("states", [False, True])
@pytest.mark.parametrize("own", [AS_ROWS, by_column(2), by_column(4)])
@pytest.mark.parametrize("needed", [AS_ROWS, by_column(2), by_column(4)])
def test_payloads_are_made_in_any_arrangement(
    own: Arrangement, needed: Arrangement, states: bool
) -> None:
    new, base = block(NEW, own), block(BASE, needed)
    lineage = Lineage((base,), (BlockId(b"b" * 32),), 1, 7)
    header, payload = encode_delta(BlockId(b"i" * 32), new, lineage, states_arrangements=states)
    old = Filter.DELTA_COLUMNS if own.is_by_column else Filter.DELTA
    assert header.filter is (Filter.DELTA_ARRANGED if states else old)
    assert header.arrangements == ((own, needed) if states else ())
    if own == needed:
        assert len(payload) < 200
    assert decode_arranged(header, payload, base.data) == new
    assert decode_payload(header, payload, base.data) == NEW


def test_a_delta_states_how_many_columns_it_gives() -> None:
    base = block(BASE, by_column(2))
    lineage = Lineage((base,), (BlockId(b"b" * 32),), 1, 7)
    header, payload = encode_delta(
        BlockId(b"i" * 32), block(NEW, by_column(2)), lineage, states_arrangements=True
    )
    other = header._replace(arrangements=(by_column(4), by_column(2)))
    with pytest.raises(CorruptError, match="another number of columns"):
        decode_payload(other, payload, base.data)


def test_possible_arrangements_are_those_that_divide_the_fields() -> None:
    raw = encode_batch([(b"1", None, b"x" * 300)] * 4).rows
    assert [one.column_count for one in possible_arrangements(raw)] == [1, 2, 3, 4, 6, 12]
    assert list(possible_arrangements(raw[:-1])) == []
    assert arranged(raw, by_column(5)) is None
    assert arranged(raw, AS_ROWS) == raw


arrangements = st.just(AS_ROWS) | st.integers(1, 4096).map(by_column)


@given(
    st.lists(st.tuples(st.binary(min_size=16, max_size=16), arrangements), min_size=1, max_size=2),
    arrangements,
)
def test_stated_arrangements_come_back(
    bases: list[tuple[bytes, Arrangement]], own: Arrangement
) -> None:
    header = FrameHeader(
        BlockType.DATA,
        Filter.DELTA_ARRANGED,
        1,
        9,
        5,
        BlockId(b"i" * 32),
        tuple(base for base, _ in bases),
        3,
        (own, *(needed for _, needed in bases)),
    )
    encoded = header.encode()
    assert len(encoded) == header.header_bytes == 53 + 19 * len(bases) <= LARGEST_HEADER_BYTES
    assert decode_header(encoded) == header
    assert header.is_by_column == own.is_by_column
    with pytest.raises(TruncatedError):
        decode_header(encoded[:-1])


@pytest.mark.parametrize("stated", [(0, 1), (1, 0), (1, 4097), (2, 3)])
@pytest.mark.parametrize("at", [50, 69])
def test_arrangements_that_do_not_exist_are_damage(at: int, stated: tuple[int, int]) -> None:
    header = FrameHeader(
        BlockType.DATA, Filter.DELTA_ARRANGED, 1, 9, 5, BlockId(b"i" * 32), (bytes(16),), 1,
        (AS_ROWS, AS_ROWS),
    )  # fmt: skip
    encoded = bytearray(header.encode())
    encoded[at : at + 3] = Arrangement(*stated).encode()
    with pytest.raises(CorruptError, match="does not exist"):
        decode_header(bytes(encoded))


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

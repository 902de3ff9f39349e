"""Records of the block index: found and merged as plain sorting finds and merges them."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec import _kernel, plain

ABSENT = 0xFFFFFFFF

# Few different prefixes at both ends, so that they collide and lie side by side.
prefixes = st.one_of(
    st.integers(0, 7).map(lambda n: n.to_bytes(16, "big")),
    st.integers(0, 7).map(lambda n: (2**128 - 1 - n).to_bytes(16, "big")),
    st.binary(min_size=16, max_size=16),
)
numbers = st.integers(0, 3).map(lambda n: n.to_bytes(4, "little"))
tails = st.integers(0, 3).map(lambda n: n.to_bytes(12, "little"))
records = st.lists(st.tuples(prefixes, numbers, tails).map(b"".join), max_size=60).map(
    lambda some: b"".join(sorted(some))
)


@given(held=records, asked=st.lists(prefixes, max_size=20))
def test_a_record_is_found_where_it_is(kernel: ModuleType, held: bytes, asked: list[bytes]) -> None:
    some = [held[at : at + 32] for at in range(0, len(held), 32)]
    found = kernel.search_records(held, b"".join(asked))
    for prefix, number in zip(asked, found, strict=True):
        matching = [at for at, one in enumerate(some) if one.startswith(prefix)]
        assert number == (matching[0] if matching else ABSENT)


@given(held=st.binary(max_size=320), asked=st.binary(max_size=80))
def test_any_bytes_are_searched_or_refused(kernel: ModuleType, held: bytes, asked: bytes) -> None:
    if len(held) % 32 or len(asked) % 16:
        with pytest.raises(ValueError, match="not whole records"):
            kernel.search_records(held, asked)
    else:
        assert len(kernel.search_records(held, asked)) == len(asked) // 16


def test_many_evenly_spread_records() -> None:
    import random

    rng = random.Random(1)
    some = sorted(rng.randbytes(32) for _ in range(20_000))
    asked = b"".join(one[:16] for one in some[::7]) + rng.randbytes(1600)
    held = b"".join(some)
    assert _kernel.search_records(held, asked) == plain.search_records(held, asked)


@given(parts=st.lists(st.tuples(records, st.permutations(range(4))), max_size=5))
def test_parts_become_one(parts: list[tuple[bytes, list[int]]]) -> None:
    given_parts = [
        (some, b"".join(number.to_bytes(4, "little") for number in renumbered))
        for some, renumbered in parts
    ]
    room = sum(len(some) for some, _ in parts)
    fast, plainly = bytearray(room), bytearray(room)
    written = _kernel.merge_records(given_parts, fast)
    assert written == plain.merge_records(given_parts, plainly)
    assert fast[:written] == plainly[:written]


def test_what_cannot_be_merged_is_refused(kernel: ModuleType) -> None:
    record = bytes(16) + (1).to_bytes(4, "little") + bytes(12)
    with pytest.raises(ValueError, match="does not list"):
        kernel.merge_records([(record, bytes(4))], bytearray(32))
    with pytest.raises(ValueError, match="too small"):
        kernel.merge_records([(record, bytes(8))], bytearray(31))
    with pytest.raises(ValueError, match="not whole records"):
        kernel.merge_records([(record[:-1], bytes(8))], bytearray(32))
    with pytest.raises(BufferError):
        kernel.merge_records([(record, bytes(8))], bytes(32))

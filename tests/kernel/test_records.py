"""Records of the block index: found and merged as plain sorting finds and merges them."""

from __future__ import annotations

import struct
from array import array
from types import ModuleType
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.codec import compiled, plain

# Few different prefixes at both ends, so that they collide and lie side by side.
prefixes = st.one_of(
    st.integers(0, 7).map(lambda n: n.to_bytes(16, "big")),
    st.integers(0, 7).map(lambda n: (2**128 - 1 - n).to_bytes(16, "big")),
    st.binary(min_size=16, max_size=16),
)
numbers = st.integers(0, 3).map(lambda n: n.to_bytes(4, "little"))
types = st.integers(1, 2)
tails = st.tuples(st.integers(0, 3), types).map(
    lambda both: both[0].to_bytes(8, "little") + bytes((both[1], 0, 1, 0))
)
records = st.lists(st.tuples(prefixes, numbers, tails).map(b"".join), max_size=60).map(
    lambda some: b"".join(sorted(some))
)


def pieces(data: bytes) -> list[bytes]:
    return [data[at : at + 32] for at in range(0, len(data), 32)]


@given(parts=st.lists(records, max_size=4), asked=st.lists(prefixes, max_size=20), kind=types)
def test_records_are_found_where_they_are(
    kernel: ModuleType, parts: list[bytes], asked: list[bytes], kind: int
) -> None:
    ends, some_parts, numbers, found = kernel.RecordSearch(parts).find(asked, kind)
    places = list(zip(some_parts, numbers, pieces(found), strict=True))
    start = 0
    for prefix, end in zip(asked, ends, strict=True):
        assert places[start:end] == [
            (part, number, record)
            for part, held in enumerate(parts)
            for number, record in enumerate(pieces(held))
            if record.startswith(prefix) and record[28] == kind
        ]
        start = end
    assert start == len(places)


@given(held=st.binary(max_size=320), asked=st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_are_searched_or_refused(
    kernel: ModuleType, held: bytes, asked: list[bytes]
) -> None:
    if len(held) % 32:
        with pytest.raises(ValueError, match="not whole records"):
            kernel.RecordSearch([held])
        return
    search = kernel.RecordSearch([held, held])
    if any(len(one) < 16 for one in asked):
        with pytest.raises(ValueError, match="at least 16 bytes"):
            search.find(asked, 1)
    else:
        assert len(search.find(asked, 1)[0]) == len(asked)


@pytest.mark.parametrize("asked", [1, 50, 3_000])
def test_many_records(asked: int) -> None:
    """Evenly spread, crowded in one place, and all of one id."""
    import random

    rng = random.Random(asked)
    parts = [
        sorted(rng.randbytes(28) + b"\1" + rng.randbytes(3) for _ in range(20_000)),
        sorted(b"\x42\0\0\1" + rng.randbytes(24) + b"\1" + rng.randbytes(3) for _ in range(5_000)),
        sorted(bytes(16) + rng.randbytes(12) + b"\1" + rng.randbytes(3) for _ in range(300)),
    ]
    ids = [rng.choice(rng.choice(parts[:2]))[:16] for _ in range(asked)]
    ids[::3] = [rng.randbytes(32) for _ in ids[::3]]
    ids[0] = bytes(16)
    held = [b"".join(part) for part in parts]
    found = compiled.RecordSearch(held).find(ids, 1)
    assert found == plain.RecordSearch(held).find(ids, 1)
    assert found[0][0] == 300


def test_what_is_no_id_is_refused() -> None:
    search = compiled.RecordSearch([bytes(64)])
    with pytest.raises(TypeError, match="bytes"):
        search.find(["x" * 16], 1)
    with pytest.raises(BufferError):
        compiled.RecordSearch([memoryview(bytes(128))[::2]])
    with pytest.raises(BufferError):
        plain.RecordSearch([memoryview(bytes(128))[::2]])


class Place(NamedTuple):
    """As a reader of the index has it."""

    pack_type: str
    pack: str
    offset: int
    frame_bytes: int
    type: int
    depth: int


def test_places_are_what_the_records_say(kernel: ModuleType) -> None:
    first = struct.pack("<16sIIIBBBB", bytes(16), 1, 60, 0xFFFFFFFF, 1, 8, 2, 0)
    second = struct.pack("<16sIIIBBBB", bytes(16), 0, 0xFFFFFFFE, 7, 1, 0, 1, 0)
    names = [("aa",), ("bb", "cc")]
    made = kernel.make_places(first + second, array("I", [1, 0]), names, ("data", "tree"), 1, Place)
    assert made == [
        Place("tree", "cc", 60, 0xFFFFFFFF, 1, 8),
        Place("data", "aa", 0xFFFFFFFE, 7, 1, 0),
    ]
    assert isinstance(made[0], Place)


@pytest.mark.parametrize(("number", "pack_type"), [(1, 1), (0xFFFFFFFF, 1), (0, 0), (0, 3)])
def test_places_that_there_are_not_are_refused(
    kernel: ModuleType, number: int, pack_type: int
) -> None:
    record = struct.pack("<16sIIIBBBB", bytes(16), number, 60, 9, 1, 0, pack_type, 0)
    with pytest.raises(IndexError):
        kernel.make_places(record, array("I", [0]), [("aa",)], ("data", "tree"), 1, Place)
    with pytest.raises(IndexError):
        kernel.make_places(bytes(30) + b"\1\0", array("I", [1]), [("aa",)], ("data",), 1, Place)
    with pytest.raises(ValueError, match="not as many parts"):
        kernel.make_places(record, array("I", [0, 0]), [("aa",)], ("data",), 1, Place)


@given(parts=st.lists(st.tuples(records, st.permutations(range(4))), max_size=5))
def test_parts_become_one(parts: list[tuple[bytes, list[int]]]) -> None:
    given_parts = [
        (some, b"".join(number.to_bytes(4, "little") for number in renumbered))
        for some, renumbered in parts
    ]
    room = sum(len(some) for some, _ in parts)
    fast, plainly = bytearray(room), bytearray(room)
    written = compiled.merge_records(given_parts, fast)
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

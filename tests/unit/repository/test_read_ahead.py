"""Reads that follow one another become few, and give what single reads give."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowvault.core.errors import ObjectMissingError
from rowvault.repository.packs import read_ahead
from rowvault.repository.packs.read_ahead import FrameReadAhead
from support.memory_storage import MemoryStorage

FRAME_BYTES = 30_000
HEADER_BYTES = 120
PACK_BYTES = 16 << 20


class CountingStorage(MemoryStorage):
    """Notes how many bytes each read gave."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__(objects)
        self.reads: list[int] = []

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See Storage.read_range."""
        data = super().read_range(name, offset, length)
        self.reads.append(len(data))
        return data


def packs(count: int, size: int) -> dict[str, bytes]:
    source = random.Random("packs")
    return {f"packs/data/{number}": source.randbytes(size) for number in range(count)}


@given(
    reads=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 700_000), st.integers(0, 200_000)),
        max_size=60,
    ),
    size=st.integers(0, 600_000),
)
def test_every_read_gives_what_the_storage_gives(
    reads: list[tuple[int, int, int]], size: int
) -> None:
    objects = packs(3, size)
    ahead = FrameReadAhead(MemoryStorage(objects))
    for number, offset, length in reads:
        name = f"packs/data/{number}"
        assert ahead.read_range(name, offset, length) == objects[name][offset : offset + length]
        assert ahead.size(name) == size


def test_frames_in_order_take_one_read_for_many() -> None:
    storage = CountingStorage(packs(1, PACK_BYTES))
    ahead = FrameReadAhead(storage)
    for offset in range(0, PACK_BYTES, FRAME_BYTES):
        ahead.read_range("packs/data/0", offset, HEADER_BYTES)
        ahead.read_range("packs/data/0", offset, FRAME_BYTES)
    assert len(storage.reads) < 50
    assert sum(storage.reads) < 1.2 * PACK_BYTES


def test_two_readers_at_different_places_do_not_spoil_each_other() -> None:
    storage = CountingStorage(packs(1, PACK_BYTES))
    ahead = FrameReadAhead(storage)
    half = PACK_BYTES // 2
    for offset in range(0, half - FRAME_BYTES, FRAME_BYTES):
        ahead.read_range("packs/data/0", offset, FRAME_BYTES)
        ahead.read_range("packs/data/0", half + offset, FRAME_BYTES)
    assert len(storage.reads) < 60
    assert sum(storage.reads) < 1.2 * PACK_BYTES


def test_a_read_far_from_all_others_stays_small() -> None:
    storage = CountingStorage(packs(1, PACK_BYTES))
    ahead = FrameReadAhead(storage)
    places = range(0, PACK_BYTES, 1 << 20)
    for offset in reversed(places):
        ahead.read_range("packs/data/0", offset, HEADER_BYTES)
    assert len(storage.reads) == len(places)
    assert max(storage.reads) <= read_ahead._LEAST_BYTES


def test_what_is_kept_is_bounded() -> None:
    count = 4 * read_ahead._KEPT_PIECES
    ahead = FrameReadAhead(MemoryStorage(packs(count, 1000)))
    for number in range(count):
        ahead.read_range(f"packs/data/{number}", 0, 1000)
    assert len(ahead._pieces) == read_ahead._KEPT_PIECES


def test_a_missing_pack_is_told_each_time() -> None:
    ahead = FrameReadAhead(MemoryStorage({}))
    for _ in range(2):
        with pytest.raises(ObjectMissingError):
            ahead.read_range("packs/data/0", 0, 10)


def test_many_threads_read_right() -> None:
    objects = packs(4, 2 << 20)
    ahead = FrameReadAhead(MemoryStorage(objects))
    wrong: list[int] = []

    def read(seed: int) -> None:
        source = random.Random(seed)
        for _ in range(2000):
            name = f"packs/data/{source.randrange(4)}"
            offset = source.randrange(2 << 20)
            length = source.randrange(50_000)
            if ahead.read_range(name, offset, length) != objects[name][offset : offset + length]:
                wrong.append(offset)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

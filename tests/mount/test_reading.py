"""Ranges of documents: only what they touch is made, once, and what is kept has bounds."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from rowvault.core.errors import CorruptError, MountError
from rowvault.core.model import Column, TableDefinition, ValueKind
from rowvault.core.monitor import SilentMonitor
from rowvault.mount.reading import MOST_AHEAD_BYTES, ChunkCache, Reader
from rowvault.render.document import Chunk, Document, Fixed
from rowvault.render.table import TableText
from rowvault.repository.repository import Repository
from rowvault.repository.trees.manifest import TableRecord
from rowvault.sqltext.script import script_for
from support.memory_storage import MemoryStorage
from support.sample_repository import CHEAP, SMALL, put_table


@dataclass
class Numbered:
    """A part whose chunks count how often they are made; some of them fail."""

    lengths: Sequence[int]
    made: Counter[int] = field(default_factory=Counter)
    broken: set[int] = field(default_factory=set)
    torn_at: int | None = None
    """From this chunk on the way to the chunks is damaged."""

    @property
    def length(self) -> int:
        return sum(self.lengths)

    def text(self, number: int) -> bytes:
        return random.Random(number).randbytes(self.lengths[number])

    def chunks(self, offset: int) -> Iterator[tuple[int, Chunk]]:
        start = 0
        for number, length in enumerate(self.lengths):
            if start + length > offset:
                if number == self.torn_at:
                    raise CorruptError("a tree node is damaged")
                yield start, _NumberedChunk(self, number)
            start += length


@dataclass(frozen=True)
class _NumberedChunk:
    part: Numbered
    number: int

    @property
    def identity(self) -> tuple[object, ...]:
        return (id(self.part), self.number)

    @property
    def length(self) -> int:
        return self.part.lengths[self.number]

    def text(self) -> bytes:
        self.part.made[self.number] += 1
        if self.number in self.part.broken:
            raise CorruptError(f"chunk {self.number} is damaged")
        return self.part.text(self.number)


def make_ahead(reader: Reader, cache: ChunkCache) -> None:
    """What the event loop has done behind a read, at once."""
    if reader.is_due:
        for claim in reader.extend():
            cache.make(claim)


def get(reader: Reader, offset: int, size: int) -> bytes:
    """As the event loop reads: what is at hand, and else what has to be made."""
    found = reader.at_hand(offset, size)
    parts = None if found is None else found.parts()
    return b"".join(reader.read(offset, size) if parts is None else parts)


def whole(part: Numbered) -> bytes:
    return b"".join(map(part.text, range(len(part.lengths))))


def test_a_read_makes_only_what_it_touches() -> None:
    part, cache = Numbered([1000] * 50), ChunkCache()
    reader = Reader(Document([part]), cache)
    assert get(reader, 20_500, 1000) == whole(part)[20_500:21_500]
    make_ahead(reader, cache)
    assert part.made == {20: 1, 21: 1}
    assert get(reader, 5_000, 10) == whole(part)[5_000:5_010]
    make_ahead(reader, cache)
    assert part.made == {20: 1, 21: 1, 5: 1}


def test_who_reads_on_finds_the_next_at_hand() -> None:
    part, cache = Numbered([100_000] * 100), ChunkCache()
    reader = Reader(Document([part]), cache)
    text = whole(part)
    assert reader.at_hand(0, 10) is None
    step = 65_536
    worked = 0
    for offset in range(0, len(text), step):
        worked += reader.at_hand(offset, step) is None
        assert get(reader, offset, step) == text[offset : offset + step]
        make_ahead(reader, cache)
    assert worked <= 3
    assert set(part.made.values()) == {1}


def test_not_farther_ahead_than_the_bound() -> None:
    part, cache = Numbered([100_000] * 200), ChunkCache()
    reader = Reader(Document([part]), cache)
    for offset in range(0, 5_000_000, 50_000):
        get(reader, offset, 50_000)
        make_ahead(reader, cache)
    assert max(part.made) * 100_000 <= 5_000_000 + MOST_AHEAD_BYTES + 100_000


def test_many_threads_make_a_chunk_once() -> None:
    part = Numbered([5_000] * 40)
    text = whole(part)
    document, cache = Document([part]), ChunkCache()
    barrier = threading.Barrier(8)

    def read(seed: int) -> bool:
        rng = random.Random(seed)
        reader = Reader(document, cache)
        barrier.wait()
        for _ in range(200):
            offset, size = rng.randrange(len(text)), rng.choice([1, 4096, 30_000])
            if get(reader, offset, size) != text[offset : offset + size]:
                return False
        return True

    with ThreadPoolExecutor(8) as readers:
        assert all(readers.map(read, range(8)))
    assert set(part.made.values()) == {1}


@pytest.mark.parametrize("seed", range(3))
def test_one_file_read_by_many_threads_in_any_order(seed: int) -> None:
    """As the kernel does when it reads ahead: several ranges at once, not in their order."""
    rng = random.Random(seed)
    part = Numbered([rng.choice([1, 17, 4096, 100_000]) for _ in range(300)])
    text = whole(part)
    with ThreadPoolExecutor(1) as ahead, ThreadPoolExecutor(8) as readers:
        cache = ChunkCache(200_000)
        reader = Reader(Document([part]), cache)

        def read(offset: int) -> bool:
            size = 1 + offset % 131_072
            got = get(reader, offset, size)
            ahead.submit(make_ahead, reader, cache)
            return got == text[offset : offset + size]

        forward = list(range(0, len(text), 65_536))
        swapped = [
            forward[index ^ 1] for index in range(len(forward) - 1) if index ^ 1 < len(forward)
        ]
        anywhere = [rng.randrange(len(text) + 10) for _ in range(300)]
        assert all(readers.map(read, [*swapped, *anywhere, *reversed(forward)]))


def test_the_cache_keeps_to_its_bound() -> None:
    part = Numbered([1000] * 100)
    cache = ChunkCache(10_000)
    chunks = [chunk for _, chunk in part.chunks(0)]
    for chunk in chunks:
        cache.text(chunk)
    kept = [chunk for chunk in chunks if cache.known(chunk) is not None]
    assert kept == chunks[-10:]


def test_of_texts_too_large_for_the_cache_one_is_kept() -> None:
    part = Numbered([9_000, 9_001])
    cache = ChunkCache(10_000)
    first, second = (chunk for _, chunk in part.chunks(0))
    for _ in range(3):
        cache.text(first)
    assert part.made == {0: 1}
    cache.text(second)
    assert cache.known(first) is None
    assert cache.known(second) is not None


def test_damage_is_told_for_what_it_reaches_and_may_be_mended() -> None:
    part, cache = Numbered([1000] * 30, broken={10}), ChunkCache()
    text = whole(part)
    reader = Reader(Document([part]), cache)
    for offset in range(0, 30_000, 500):
        make_ahead(reader, cache)
        if 10_000 <= offset < 11_000:
            with pytest.raises(CorruptError, match="chunk 10"):
                get(reader, offset, 500)
        else:
            assert get(reader, offset, 500) == text[offset : offset + 500]
    part.broken.clear()
    assert get(reader, 10_100, 500) == text[10_100:10_600]


def test_a_damaged_way_is_told_only_to_who_goes_there() -> None:
    part, cache = Numbered([1000] * 30, torn_at=20), ChunkCache()
    text = whole(part)
    reader = Reader(Document([Fixed(b"head"), part, Fixed(b"tail")]), cache)
    for offset in range(0, 19_500, 500):
        assert get(reader, offset + 4, 500) == text[offset : offset + 500]
        make_ahead(reader, cache)
    with pytest.raises(CorruptError, match="tree node"):
        get(reader, 20_010, 10)
    assert get(reader, 30_004, 10) == b"tail"
    assert get(reader, 1_004, 500) == text[1_000:1_500]
    part.torn_at = None
    assert get(reader, 20_004, 500) == text[20_000:20_500]


def test_whoever_waits_for_what_is_given_up_is_told() -> None:
    part, cache = Numbered([1000] * 3), ChunkCache()
    chunk = next(chunk for _, chunk in part.chunks(0))
    claim = cache.claim(chunk)
    assert claim is not None
    assert cache.claim(chunk) is None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cache.text, chunk)
        cache.settle(claim, MountError("the mount ends"))
        with pytest.raises(MountError, match="ends"):
            waiting.result()
    assert cache.text(chunk) == part.text(0)


def test_a_block_reads_as_its_table_has_it() -> None:
    """The same bytes may be text in one snapshot and bytes in another."""
    with Repository.create(MemoryStorage(), None, SMALL, CHEAP) as repository:
        with repository.begin("test", SilentMonitor()) as session:
            root = put_table(session, repository, [(b"1", b"it's")])
            session.flush()
        identities = []
        for kind in (ValueKind.TEXT, ValueKind.BYTES):
            columns = (Column("id", "int", ValueKind.NUMBER), Column("v", "x", kind))
            definition = TableDefinition("d", "t", columns, (0,), True, b"CREATE TABLE t")
            record = TableRecord(definition=definition, root=root, row_sum=bytes(32), renderer=1)
            chunks = TableText(repository, record, script_for("mariadb")).chunks(0)
            identities += [chunk.identity for _, chunk in chunks if not isinstance(chunk, Fixed)]
    assert len(identities) == len(set(identities)) == 2

"""Deltas of the older kinds whose bases stand otherwise than they were when the delta was made."""

from __future__ import annotations

import pytest

from rowvault.codec.arrangement import AS_ROWS, ArrangedBlock, Arrangement, arranged, by_column
from rowvault.codec.compression import DEFAULT_LEVEL, decompress_delta
from rowvault.codec.frames import (
    BlockType,
    FrameHeader,
    Lineage,
    encode_arranged,
    encode_delta,
)
from rowvault.codec.rows import encode_batch
from rowvault.core.errors import CorruptError
from rowvault.core.ids import BlockId
from rowvault.core.monitor import SilentMonitor
from rowvault.repository.blocks import base_search
from rowvault.repository.features import DELTAS
from rowvault.repository.repository import Repository
from support.memory_storage import MemoryStorage
from support.sample_repository import MIDDLING

Frame = tuple[FrameHeader, bytes]


def raw_of(day: int) -> bytes:
    """200 rows of four fields, or 400 of two; each day changes one more of them."""
    fields = [b"%d" % (n * 7919 % 5003) for n in range(800)]
    for changed in range(day):
        fields[changed * 90 + 7] = b"day %d" % changed
    return encode_batch(zip(*[iter(fields)] * 4, strict=True)).rows


def form(raw: bytes, arrangement: Arrangement) -> ArrangedBlock:
    data = arranged(raw, arrangement)
    assert data is not None
    return ArrangedBlock(arrangement, data, len(raw))


class Workshop:
    """Frames that a writer of the older kind could have made, and a reader of them."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._frames: list[Frame] = []

    def id(self, raw: bytes) -> BlockId:
        return self._repository.internals.make_id(BlockType.DATA, raw)

    def alone(self, raw: bytes, arrangement: Arrangement) -> None:
        coding, payload = encode_arranged(form(raw, arrangement), DEFAULT_LEVEL)
        block_id = self.id(raw)
        self._frames.append(
            (FrameHeader(BlockType.DATA, coding, 0, len(raw), len(payload), block_id), payload)
        )

    def delta(
        self, raw: bytes, own: Arrangement, depth: int, *bases: tuple[bytes, ArrangedBlock]
    ) -> bytes:
        """The payload; each base is given with the bytes that the writer took for it."""
        lineage = Lineage(
            tuple(taken for _, taken in bases), tuple(self.id(base) for base, _ in bases), depth, 1
        )
        frame = encode_delta(self.id(raw), form(raw, own), lineage, states_arrangements=False)
        self._frames.append(frame)
        return frame[1]

    def store(self) -> None:
        for frame in self._frames:
            with self._repository.begin("test", SilentMonitor()) as session:
                session.move_frame(*frame)
                session.flush()
        self._frames.clear()
        self._repository.internals.blocks.forget()

    def reads(self, raw: bytes) -> bool:
        return self._repository.read_data(self.id(raw)) == raw


@pytest.fixture
def workshop() -> Workshop:
    return Workshop(Repository.create(MemoryStorage(), None, MIDDLING, features=(DELTAS,)))


@pytest.mark.parametrize("stored", [AS_ROWS, by_column(2), by_column(4)])
@pytest.mark.parametrize("needed", [AS_ROWS, by_column(2), by_column(4), by_column(8)])
def test_any_copy_of_a_base_serves(
    workshop: Workshop, stored: Arrangement, needed: Arrangement
) -> None:
    own = by_column(4) if needed.is_by_column else AS_ROWS
    workshop.alone(raw_of(0), stored)
    workshop.delta(raw_of(1), own, 1, (raw_of(0), form(raw_of(0), needed)))
    workshop.delta(raw_of(2), own, 2, (raw_of(1), form(raw_of(1), own)))
    workshop.store()
    assert all(workshop.reads(raw_of(day)) for day in (2, 1, 0, 2))


def test_two_bases_serve_in_any_arrangement(workshop: Workshop) -> None:
    first, second = raw_of(0), raw_of(5)
    workshop.alone(first, AS_ROWS)
    workshop.alone(second, by_column(2))
    bases = (first, form(first, by_column(2))), (second, form(second, by_column(4)))
    workshop.delta(raw_of(3), by_column(4), 1, *bases)
    workshop.store()
    assert workshop.reads(raw_of(3))


def test_a_chain_of_the_greatest_depth_is_followed(workshop: Workshop) -> None:
    workshop.alone(raw_of(0), AS_ROWS)
    taken = form(raw_of(0), by_column(4))
    for day in range(1, 9):
        workshop.delta(raw_of(day), by_column(4), day, (raw_of(day - 1), taken))
        taken = form(raw_of(day), by_column(4))
    workshop.store()
    assert workshop.reads(raw_of(8))


def test_what_a_writer_took_for_a_base_by_mistake_is_found_too(workshop: Workshop) -> None:
    """It decoded the base with a wrong copy of what that builds on, and nothing told it so."""
    other = form(raw_of(0), AS_ROWS)
    workshop.alone(raw_of(0), by_column(4))
    needed = form(raw_of(0), by_column(4))
    payload = workshop.delta(raw_of(1), by_column(4), 1, (raw_of(0), needed))
    mistaken = decompress_delta(payload, other.data, len(raw_of(1)))
    assert mistaken != form(raw_of(1), by_column(4)).data
    taken = ArrangedBlock(by_column(4), mistaken, len(raw_of(1)))
    workshop.delta(raw_of(2), by_column(4), 2, (raw_of(1), taken))
    workshop.store()
    assert workshop.reads(raw_of(2))
    assert workshop.reads(raw_of(1))


def test_a_search_that_is_cut_short_does_not_call_the_block_lost(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.alone(raw_of(0), AS_ROWS)
    workshop.delta(raw_of(1), by_column(4), 1, (raw_of(0), form(raw_of(0), by_column(4))))
    workshop.store()
    monkeypatch.setattr(base_search, "MOST_TRIED_BYTES", 0)
    with pytest.raises(CorruptError, match="in more ways than were tried"):
        workshop.reads(raw_of(1))


def test_no_other_block_is_taken_for_a_base(workshop: Workshop) -> None:
    workshop.alone(raw_of(0), AS_ROWS)
    stranger = form(raw_of(7), by_column(4))
    workshop.delta(raw_of(1), by_column(4), 1, (raw_of(0), stranger))
    workshop.store()
    with pytest.raises(CorruptError):
        workshop.reads(raw_of(1))

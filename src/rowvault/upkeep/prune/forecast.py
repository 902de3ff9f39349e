"""What a prune would store: counts frames as packs and index segments, and stores nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set

from rowvault.codec.frames import TAG_BYTES, BlockType, FrameHeader
from rowvault.core.ids import PackName, SessionId
from rowvault.repository import names
from rowvault.repository.index.adoption import (
    SEGMENT_RECORDS,
    adoptable,
    listed_packs,
    superseded,
)
from rowvault.repository.index.index import segment_name, unlisted
from rowvault.repository.index.segment import Segment, segment_bytes
from rowvault.repository.packs.pack import PACK_HEADER_BYTES, RECORD_BYTES, TRAILER_BYTES
from rowvault.repository.session import RepositoryInternals


class Forecast:
    """Takes frames as a session does, in the same order."""

    def __init__(self, pack_bytes: int, *, seals: bool) -> None:
        self._pack_bytes = pack_bytes
        self._seals = seals
        self._open: dict[BlockType, list[int]] = {}
        """[bytes, frames] of the packs that are being filled."""
        self._unindexed = Counter[str]()
        self.grown_bytes = 0
        """Of packs and segments."""

    def move_frame(self, header: FrameHeader, payload: bytes) -> None:
        """One frame more."""
        self.add(header.type, header.frame_bytes)

    def add(self, kind: BlockType, frame_bytes: int) -> None:
        """One frame more, of so many bytes."""
        pack = self._open.setdefault(kind, [PACK_HEADER_BYTES, 0])
        pack[0] += frame_bytes
        pack[1] += 1
        if pack[0] >= self._pack_bytes:
            self._close(kind)

    def flush(self) -> None:
        """What was put is durable and listed."""
        for kind in list(self._open):
            self._close(kind)
        self._add_segment()

    def _close(self, kind: BlockType) -> None:
        size, frames = self._open.pop(kind)
        self.grown_bytes += size + RECORD_BYTES * frames + TAG_BYTES + TRAILER_BYTES
        self._unindexed.update(packs=1, records=frames)
        if self._unindexed["records"] >= SEGMENT_RECORDS:
            self._add_segment()

    def _add_segment(self) -> None:
        if self._unindexed:
            self.grown_bytes += segment_bytes(
                self._unindexed["packs"], self._unindexed["records"], is_sealed=self._seals
            )
            self._unindexed.clear()


def removal_growth(segments: Iterable[Segment], packs: Set[PackName]) -> int:
    """By how much segments grow, below 0, when these packs leave them."""
    grown = 0
    for segment in segments:
        gone = packs & set(segment.packs)
        if gone:
            counts = segment.record_counts()
            staying = len(segment.packs) - len(gone)
            records = len(segment) - sum(counts[one] for one in gone)
            grown += segment_bytes(staying, records, is_sealed=segment.is_sealed) if staying else 0
            grown -= segment.stored_bytes
    return grown


def would_adopt(
    internals: RepositoryInternals, live: set[SessionId], removed: set[PackName]
) -> tuple[list[Segment], list[Segment]]:
    """The segments that a session makes when it begins, and those that it leaves."""
    index, storage = internals.index, internals.storage
    packs = unlisted(storage.list(names.PACKS), removed | listed_packs(index))
    made = []
    for some in adoptable(storage, internals.keys, packs, live, lambda *_: None):
        data = index.encode(some)
        made.append(Segment(segment_name(data), memoryview(data), index.seal))
    gone = superseded(index, {pack for one in made for pack in one.packs})
    return made, [one for one in index.segments if one not in gone]

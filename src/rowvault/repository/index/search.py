"""Finds blocks in segments of the index, many in one call of the kernel."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from rowvault.codec import kernel
from rowvault.codec.frames import BlockType
from rowvault.repository.index.segment import RECORD_BYTES, Location, Segment
from rowvault.repository.names import PackType

_PACK_TYPES = tuple(sorted(PackType))
_AT_ONCE = 256
"""Blocks whose places are made at once: they are short-lived, so they cost little."""


class IndexSearch:
    """Some segments, searched as one. Used from any thread.

    Half of an id finds a block, too. A batch costs far less than its blocks one by one, for they
    are looked for in the order of their ids.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments = tuple(segments)
        self._records = kernel.RecordSearch([one.records_view for one in self._segments])

    def find(self, kind: BlockType, block_id: bytes) -> list[Location]:
        """All places of a block; none where it is not listed. Raises CorruptError."""
        _, parts, _, records = self._records.find((block_id,), kind)
        return self._locations(kind, parts, records) if parts else []

    def find_all(self, kind: BlockType, ids: Sequence[bytes]) -> Iterator[Sequence[Location]]:
        """For each of the blocks, all of its places. Raises CorruptError."""
        ends, parts, _, records = self._records.find(ids, kind)
        start = 0
        for first in range(0, len(ends), _AT_ONCE):
            some = ends[first : first + _AT_ONCE]
            base = start
            span = slice(base * RECORD_BYTES, some[-1] * RECORD_BYTES)
            places = self._locations(kind, parts[base : some[-1]], records[span])
            for end in some:
                yield places[start - base : end - base]
                start = end

    def numbers(
        self, kind: BlockType, ids: Sequence[bytes]
    ) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """(for each block the end of its records, numbers of segments, numbers in them)."""
        return self._records.find(ids, kind)[:3]

    def _locations(self, kind: BlockType, parts: array[int], records: bytes) -> list[Location]:
        packs = [one.packs for one in self._segments]
        try:
            return kernel.make_places(records, parts, packs, _PACK_TYPES, kind, Location)
        except IndexError:
            for part, at in zip(parts, range(0, len(records), RECORD_BYTES), strict=True):
                self._segments[part].decode(records[at : at + RECORD_BYTES])
            raise

"""Marks what live frames build on, so that a prune keeps it (docs/format.md, "Prune")."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rowvault.codec.frames import BlockType
from rowvault.core.errors import DamageError
from rowvault.core.ids import BlockId
from rowvault.repository.block_reader import BlockReader
from rowvault.repository.index import BlockIndex, Location
from rowvault.repository.index_segment import PREFIX_BYTES
from rowvault.repository.live_blocks import LiveMarks

_log = logging.getLogger(__name__)

NewBase = Callable[[bytes, list[Location]], None]
"""Told of each base that was not marked before: half of its id, and where it stands."""


class BaseMarker:
    """Follows the bases of frames down to what is live already.

    Of a block in several frames those are followed that a prune keeps: the least deep that are
    whole. Raises StorageError, for what cannot be read now may be needed; a frame that is damaged
    is lost and needs nothing.
    """

    def __init__(self, marks: LiveMarks, index: BlockIndex, blocks: BlockReader) -> None:
        self._marks = marks
        self._index = index
        self._blocks = blocks

    def mark_all(self) -> None:
        """Of all frames of blocks that snapshots refer to."""
        for record, segment in self._marks.referred():
            if segment.decode(record).depth:
                self.mark_below(record[:PREFIX_BYTES], _ignore)

    def mark_below(self, block_id: bytes, told: NewBase) -> None:
        """Of the frames of one data block; half of its id serves."""
        places = self._index.find(BlockType.DATA, BlockId(block_id))
        self._follow_kept(block_id, places, told)

    def _follow_kept(self, prefix: bytes, places: list[Location], told: NewBase) -> None:
        for place in self._kept(prefix, places):
            if place.depth:
                self._follow(prefix, place, told)

    def _kept(self, prefix: bytes, places: list[Location]) -> list[Location]:
        if len(places) > 1:
            for depth in sorted({place.depth for place in places}):
                equals = [place for place in places if place.depth == depth]
                if any(self._blocks.is_whole(prefix, place) for place in equals):
                    return equals
        return places

    def _follow(self, prefix: bytes, place: Location, told: NewBase) -> None:
        try:
            header = self._blocks.header(prefix, place)
        except DamageError as error:
            _log.info("%s", error)
            return
        for base in header.bases:
            if not self._marks.mark_base(header.type, base):
                places = self._index.find(header.type, BlockId(base))
                told(base, places)
                self._follow_kept(base, places, told)


def _ignore(base: bytes, places: list[Location]) -> None:
    """Whoever marks everything looks at the marks."""
